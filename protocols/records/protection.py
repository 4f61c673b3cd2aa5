"""Children without their family, and violence: written where only those entrusted with it read.

A record is a subject of its own that names the patient; the patient's documents say nothing of it.
So boards, search, duplicates and the chart are the same for who cannot read the protection scope.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.records.display import clean_lines
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.planning import Command, Desk, refs, tidy
from protocols.records.shape import (
    Draft,
    Kind,
    NewFact,
    Plan,
    Row,
    Sensitivity,
    Small,
    Statement,
    SubjectKind,
    View,
)
from protocols.records.spelling import one_of

# fields


class ProtectionRecord(Statement, frozen=True):
    """One concern for one patient."""

    patient: bytes = b""
    concern: Small = 0
    """Position in `CONCERNS`."""
    text: str = ""

    def __post_init__(self) -> None:
        """Refuse what is no patient's id."""
        if len(self.patient) not in (0, 16):
            raise ValueError("patient")


CONCERNS = (
    "other",
    "unaccompanied-child",
    "separated-child",
    "sexual-violence",
    "intimate-partner-violence",
    "other-violence",
)
"""Words in the order of their numbers; a child is unaccompanied without any adult responsible for
it, separated when with relatives that are not its usual carers."""

# commands


class ProtectionData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of protection.record."""

    concern: Annotated[str, one_of(CONCERNS)]
    text: str | None = None


TEXT_CHARS_MAX = 4_000

# apply


def plan(command: Command, view: View) -> Plan:
    """A concern for a patient, in the protection scope or nowhere."""
    desk = Desk(command, view)
    data: ProtectionData = command.data
    patient = desk.patient()
    if data.concern not in CONCERNS:
        raise InputError("bad_value", field="data.concern", allowed=CONCERNS)
    if not view.protects:
        raise InputError("no_protection_scope")
    record = ProtectionRecord(
        desk.circumstances(),
        refs(command.supersedes),
        bytes(patient),
        CONCERNS.index(data.concern),
        tidy(data.text, "data.text", TEXT_CHARS_MAX) if data.text else "",
    )
    fact = NewFact(KindNo.PROTECTION_RECORD, record)
    draft = Draft(
        Lane.ROUTINE,
        SubjectKind.PROTECTED,
        None,
        None,
        (fact,),
        sensitivity=Sensitivity.PROTECTION,
    )
    return Plan((draft,), tuple(desk.warnings))


# rows


class ProtectionRow(Row, frozen=True, kw_only=True, gc=False):
    """One concern as it was recorded."""

    TABLE: ClassVar[str] = "protection"
    INDEXED: ClassVar[tuple[str, ...]] = ("patient",)
    patient: bytes
    concern: str
    text: str


def rows(history: History) -> list[ProtectionRow]:
    """Return one row for each concern."""
    found = []
    for fact in history.of_kind.get(KindNo.PROTECTION_RECORD, ()):
        record = fact.record
        assert isinstance(record, ProtectionRecord)
        known = 0 <= record.concern < len(CONCERNS)
        found.append(
            ProtectionRow(
                entry=fact.entry,
                idx=fact.index,
                kind=fact.kind,
                standing=fact.standing,
                at_ms=fact.at_ms,
                supersedes=history.supersedes(fact),
                replaced=history.replaced(fact),
                patient=record.patient or bytes(16),
                concern=CONCERNS[record.concern] if known else CONCERNS[0],
                text="\n".join(clean_lines(record.text)),
            )
        )
    return found


KIND = Kind(
    number=KindNo.PROTECTION_RECORD,
    name="protection.record",
    value=ProtectionRecord,
    data=ProtectionData,
    plan=plan,
    example={
        "v": 1,
        "kind": "protection.record",
        "key": "example-15",
        "patient": {"tag": "B12"},
        "data": {"concern": "unaccompanied-child", "text": "Says her aunt is in the other camp."},
    },
)

# merge note: concerns are only ever added; each is a subject of its own, so nothing settles. One
# that was entered in error is taken back like a note, in the protection scope too.
