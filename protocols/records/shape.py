"""What every kind of record has in common: its five parts, and the values they pass on.

Every file of this room has the same five parts in the same order: *fields* (what one fact
holds), *commands* (what a person may ask for), *apply* (command to drafts), *rows* (facts to
rows) and a *merge note* (what happens when two people write apart).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache
from inspect import get_annotations
from typing import Annotated, Any, ClassVar, Protocol, TypeVar

import msgspec
from msgspec.structs import astuple

from protocols.feeds.lane import Lane
from protocols.ids import (
    DeviceId,
    DocId,
    EncounterId,
    EntryPrefix,
    FactRef,
    PatientId,
    ScopeId,
    SiteId,
)


class Source(IntEnum):
    """How a fact came to be written down."""

    TYPED = 0
    SCANNED = 1
    DEVICE = 2
    PAPER = 3
    IMPORT = 4


Small = Annotated[int, msgspec.Meta(ge=0, le=2**31 - 1)]
"""A digit, a counter, a position: anything larger does not read."""

Instant = Annotated[int, msgspec.Meta(ge=-(2**36), le=2**36)]
"""Unix seconds, two thousand years either way."""


class Circumstances(msgspec.Struct, array_like=True, frozen=True):
    """When, by whom and how, where that differs from *now, by the author, typed*."""

    at_s: Instant | None = None
    """When it happened, Unix seconds; None = when the entry was written."""
    precision: str = ""
    """'' exact to the minute, else 'hour', 'day', 'month', 'year' or 'about'."""
    by: str = ""
    """Who performed it, when that is not the author."""
    source: Small = Source.TYPED
    """A `Source`."""
    device: tuple[str, str, str] | None = None
    """Make, model and serial number of the measuring device."""
    reason: str = ""
    """Why, where the kind asks for a reason."""
    confirmed: tuple[str, ...] = ()
    """Codes of the warnings that the person saw and confirmed, and `clock_doubtful`."""


class Statement(msgspec.Struct, array_like=True, frozen=True):
    """The first two fields of every fact value, before the kind's own."""

    circumstances: Circumstances | None = None
    supersedes: tuple[tuple[bytes, int], ...] = ()
    """(entry prefix, index) of the facts it corrects. An all-zero prefix is this entry; an empty
    one is the entry that started this document, which most corrections name."""

    def asserts(self) -> Sequence[tuple[int, Any]]:
        """The attributes it states, as (number, value); None as a value means cleared."""
        return ()


class Fact(msgspec.Struct, frozen=True, gc=False):
    """One fact as the merged documents of its subject hold it."""

    entry: int
    """Local number of the entry that carries it."""
    index: int
    prefix: EntryPrefix
    kind: int
    record: Statement | None
    """None: a kind we do not know yet, or a value that does not read as its kind."""
    doc: int
    """Local number of its document."""
    doc_id: DocId
    lane: int
    author: int
    """Local number of the feed; its device and person are judged there."""
    clock_ms: int
    """Wall clock of the author when written; may be wrong."""
    order: tuple[int, bytes]
    """(hybrid clock, entry hash prefix): one order everywhere, for display and ties only."""
    standing: int
    code_tag: str = ""
    """The five letters that short codes of its feed begin with (`identity.code_tag`)."""
    session: tuple[int, bytes] = (0, b"")
    """Whom the entry names as its writer: an attestation in the control feed of its device."""
    device: bytes = b""
    """The device that signed it: id of its feed's writer."""

    @property
    def ref(self) -> FactRef:
        """How other facts name this one."""
        return FactRef(self.prefix, self.index)

    @property
    def at_ms(self) -> int:
        """When it happened, as stated, else when it was written."""
        stated = self.record.circumstances if self.record else None
        return self.clock_ms if stated is None or stated.at_s is None else stated.at_s * 1000


class Row(msgspec.Struct, frozen=True, kw_only=True, gc=False):
    """What every row has; the ledger joins author, feed, seq, scope and recorded_at to it."""

    TABLE: ClassVar[str] = ""
    INDEXED: ClassVar[tuple[str, ...]] = ()
    """Columns that queries look up by; each gets an index."""
    FOLDED: ClassVar[tuple[str, ...]] = ()
    """Columns of text in which `tg-12` is `TG-12`, however anybody compares or looks them up."""
    entry: int
    """Local number of the entry it stems from: with `idx`, the row's key."""
    idx: int
    kind: int
    standing: int
    at_ms: int
    supersedes: bytes | None = None
    """Concatenated 18-byte references (16 prefix, 2 index), or None."""
    replaced: int = 0
    """1 when a standing fact supersedes it, 2 when it is entered in error."""


@cache
def columns(table: type[Row]) -> tuple[tuple[str, str], ...]:
    """Return (name, annotation) of each field of a row, in the order of `values`."""
    notes: dict[str, str] = {}
    for base in reversed(table.__mro__):
        notes |= get_annotations(base)
    return tuple((name, str(notes[name])) for name in table.__struct_fields__)


def values(row: Row) -> tuple[int | str | bytes | None, ...]:
    """Return what the row's columns hold, in the order of `columns`."""
    return astuple(row)


RowType = TypeVar("RowType", bound=Row)


class Sensitivity(IntEnum):
    """Which of the writer's scopes an entry goes into; numbers as in a charter."""

    IDENTIFIED = 0
    AGGREGATE = 1
    PROTECTION = 2


class SubjectKind(IntEnum):
    """What a document is about."""

    PATIENT = 1
    SITE = 2
    UNASSIGNED = 3
    """A device's result that nobody has given a patient yet."""
    COUNTED = 4
    """An encounter as the aggregate scope knows it."""
    PROTECTED = 5
    """A concern for somebody's safety, as the protection scope knows it."""
    PACK = 6
    """A content pack, an approval of one, or its use on a device."""
    STOCK = 7
    """One item in one store; its id follows from both (`movement.stock_subject`)."""
    SHIPMENT = 8
    """What one store asked of another, was sent and received."""
    LOT = 9
    """A recall of one lot, wherever it is."""
    COLD = 10
    """One cold-chain unit of a store; its id follows from both."""
    SESSION = 11
    """One vaccination session of a team."""
    BARCODE = 12
    """What one barcode means here; its id follows from the code."""

    @property
    def sensitivity(self) -> Sensitivity:
        """Which of the writer's scopes all that is said of such a subject goes into."""
        return _SENSITIVITY.get(self, Sensitivity.IDENTIFIED)


_SENSITIVITY = {
    SubjectKind.COUNTED: Sensitivity.AGGREGATE,
    SubjectKind.PROTECTED: Sensitivity.PROTECTION,
}


class NewFact(msgspec.Struct, frozen=True, gc=False):
    """A fact about to be written."""

    kind: int
    value: Statement


class Draft(msgspec.Struct, frozen=True, gc=False):
    """One entry about to be written: facts for one document."""

    lane: Lane
    subject_kind: SubjectKind
    subject: DocId | None
    """None: this entry founds the subject, whose id becomes the document's id."""
    encounter: EncounterId | None
    """Names the encounter whose document it is; None: a document of the subject itself."""
    facts: tuple[NewFact, ...]
    founds_encounter: bool = False
    """The document's id becomes the encounter's id."""
    after: tuple[FactRef, ...] = ()
    """Facts the writer had on screen; their documents' heads become dependencies as usual."""
    sensitivity: Sensitivity = Sensitivity.IDENTIFIED
    """Which scope it is written in."""


class Plan(msgspec.Struct, frozen=True, gc=False):
    """What a command comes to."""

    drafts: tuple[Draft, ...]
    """Written in one transaction, in this order; a later draft of a command may use a zero
    subject to mean the subject founded by the first."""
    warnings: tuple[str, ...] = ()
    """Closed list of codes; the record is saved all the same."""
    code_no: int | None = None
    """The counter taken for a new short code, if one was minted."""


class View(Protocol):
    """What a command may ask the book while it is planned."""

    def patients_named(self, text: str) -> Sequence[PatientId]:
        """Patients whose id or short code this is."""
        ...

    def patients_tagged(self, tag: str) -> Sequence[PatientId]:
        """Patients that carry this tag by a standing, unreplaced assertion."""
        ...

    def encounter_patient(self, encounter: EncounterId) -> PatientId | None:
        """The patient an encounter belongs to, or None when it is unknown here."""
        ...

    def open_encounters(self, patient: PatientId) -> Sequence[EncounterId]:
        """Encounters of the patient that are not closed, newest first."""
        ...

    def facts(self, subject: DocId) -> Sequence[Fact]:
        """All facts of a subject, in display order."""
        ...

    def subject_of(self, ref: FactRef) -> DocId | None:
        """The subject of a fact's document, or None when the fact is unknown here."""
        ...

    def sites(self) -> Sequence[SiteId]:
        """All sites known here."""
        ...

    @property
    def home_site(self) -> SiteId | None:
        """Where this device works: what a new encounter is at when nobody says otherwise."""
        ...

    @property
    def device(self) -> DeviceId:
        """The device this is written on."""
        ...

    @property
    def organisation(self) -> str:
        """Whose device this is; '' while it belongs to nobody."""
        ...

    def fresh_subject(self) -> bytes | None:
        """16 random bytes to count a new encounter under; None where nothing is counted."""
        ...

    @property
    def protects(self) -> bool:
        """Whether this device has a protection scope that it can write in."""
        ...

    def next_code_no(self) -> int:
        """The next unused number for a short code of this device and epoch."""
        ...

    def rows_where(self, table: type[RowType], column: str, value: object) -> Sequence[RowType]:
        """Rows of a table in which an indexed column holds a value, in the order of their keys."""
        ...

    def pack(self, name: str) -> msgspec.Struct | None:
        """The contents of a pack as this node works by it; None when there is none of the name."""
        ...

    @property
    def now_ms(self) -> int:
        """Wall clock now, Unix milliseconds."""
        ...

    @property
    def scope(self) -> ScopeId:
        """The identified scope that care is written in."""
        ...


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of fact: the number on the wire, the name on the command line."""

    number: int
    name: str
    """As in `fieldnode record`, for instance `patient.register`; '' for facts that no command
    writes by itself."""
    value: type[Statement]
    data: type[msgspec.Struct] | None = None
    """Shape of `data` on the command line; None when no command writes it by itself."""
    plan: Callable[..., Plan] | None = None
    example: dict[str, object] = field(default_factory=dict)
    """One whole line for `fieldnode record`; a test runs it."""
    stores: bool = False
    """Whether its line may name a store."""
