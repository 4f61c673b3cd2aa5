"""What a barcode means here: somebody who held the box taught it to an item and a pack size.

What was taught is asked first, then the catalogue. A code is known by its GTIN, so a shop code and
a GS1 code of one box are one; any other code is known by its text.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import ClassVar, NamedTuple

import msgspec

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.guidelines.items import (
    BARCODE_CHARS_MAX,
    CODE_CHARS_MAX,
    PACK_UNITS_MAX,
    Items,
    named,
    of_barcode,
)
from protocols.ids import DocId
from protocols.records import gs1
from protocols.records.contested import current, shown
from protocols.records.display import clean_text
from protocols.records.gs1 import Box
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.planning import Command, Desk, refs, tidy
from protocols.records.shape import (
    Draft,
    Fact,
    Kind,
    NewFact,
    Plan,
    Row,
    Small,
    Statement,
    SubjectKind,
    View,
)

# fields


class BarcodeTeach(Statement, frozen=True):
    """A code is on a package of so many units of an item."""

    code: str = ""
    """A GTIN in 14 digits, or the text of any other code."""
    item: str = ""
    units: Small = 1
    """In the package that carries the code."""

    def __post_init__(self) -> None:
        """Refuse what means nothing."""
        if not 0 < len(self.code) <= BARCODE_CHARS_MAX or not 0 < len(self.item) <= CODE_CHARS_MAX:
            raise ValueError("text")
        if not 1 <= self.units <= PACK_UNITS_MAX:
            raise ValueError("units")


# commands


class BarcodeData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of barcode.teach: the code as scanned, and what it is on."""

    barcode: str
    item: str
    units: int = 1


class Scanned(NamedTuple):
    """A code that was read."""

    code: str
    """What it is known by; '' when it names no item, as the code on a lot label may."""
    box: Box
    """What else it says; nothing where it is no GS1 code."""


def scanned(payload: str, now_ms: int) -> Scanned:
    """Return what a scanner typed, as it is looked up here.

    Args:
        payload: With the AIM identifier or without.
        now_ms: Unix milliseconds; years on boxes have two digits.

    Raises:
        InputError: as `gs1.read` where the code says it is of GS1 and cannot be read; `empty`,
            `too_long`, `bad_text` of any other code.
    """
    try:
        box = gs1.read(payload, now_ms)
    except InputError as error:
        if error.code != "not_gs1":
            raise
        _, text = gs1.split(payload)
        return Scanned(tidy(text, gs1.FIELD, BARCODE_CHARS_MAX), Box())
    return Scanned(box.gtin or box.content, box)


def barcode_subject(code: str) -> DocId:
    """Return the subject of one code: 16 bytes, the same wherever it is taught."""
    digest = blake2b(code.encode("utf-8"), digest_size=DocId.SIZE, person=b"fm-barcode-1")
    return DocId(digest.digest())


# apply


def plan(command: Command, view: View) -> Plan:
    """Teach a code; what was taught of it and is shown here is replaced, after asking once."""
    desk = Desk(command, view)
    data: BarcodeData = command.data
    pack = view.pack("items")
    catalogue = pack if isinstance(pack, Items) else None
    code = scanned(data.barcode, view.now_ms).code
    if not code:
        raise InputError("no_item_in_code", field="data.barcode")
    item = named(tidy(data.item, "data.item", CODE_CHARS_MAX), "data.item", catalogue).code
    if not 1 <= data.units <= PACK_UNITS_MAX:
        raise InputError("out_of_range", field="data.units", allowed=(f"1-{PACK_UNITS_MAX}",))
    subject = barcode_subject(code)
    seen = shown(desk.history(subject), KindNo.BARCODE_TEACH)
    others = [meaning for meaning in _meanings(seen) if meaning != (item, data.units)]
    known = of_barcode(code, catalogue)
    if known is not None and not seen and (known[0].code, known[1].units) != (item, data.units):
        others.append((known[0].code, known[1].units))
    if others:
        said = tuple(f"{units} x {clean_text(name)}" for name, units in others)
        desk.confirmed("barcode_known", "data.item", allowed=said)
    record = BarcodeTeach(
        desk.circumstances(),
        refs((*desk.named(subject), *(fact.ref for fact in seen))),
        code,
        item,
        data.units,
    )
    fact = NewFact(KindNo.BARCODE_TEACH, record)
    draft = Draft(Lane.ROUTINE, SubjectKind.BARCODE, subject, None, (fact,))
    return Plan((draft,), tuple(desk.warnings))


def _meanings(facts: Sequence[Fact]) -> list[tuple[str, int]]:
    """Return what a code is taught as: items and units, each pair once, sorted."""
    found = set()
    for fact in facts:
        assert isinstance(fact.record, BarcodeTeach)
        found.add((fact.record.item, fact.record.units))
    return sorted(found)


# rows


class BarcodeRow(Row, frozen=True, kw_only=True, gc=False):
    """One teaching of a code."""

    TABLE: ClassVar[str] = "barcode"
    INDEXED: ClassVar[tuple[str, ...]] = ("code",)
    code: str
    item: str
    units: int
    unsettled: int = 0
    """1 while current teachings made apart mean something else."""


def rows(history: History) -> list[BarcodeRow]:
    """Return one row for each teaching of a code that is this subject's."""
    facts = history.of_kind.get(KindNo.BARCODE_TEACH, ())
    differ = len(_meanings(current(history, KindNo.BARCODE_TEACH))) > 1
    found = []
    for fact in facts:
        record = fact.record
        assert isinstance(record, BarcodeTeach)
        if barcode_subject(record.code) != history.subject:
            continue  # Whoever writes of another code here speaks for nobody.
        replaced = history.replaced(fact)
        found.append(
            BarcodeRow(
                entry=fact.entry,
                idx=fact.index,
                kind=fact.kind,
                standing=fact.standing,
                at_ms=fact.at_ms,
                supersedes=history.supersedes(fact),
                replaced=replaced,
                code=clean_text(record.code),
                item=clean_text(record.item),
                units=record.units,
                unsettled=int(differ and fact.standing == 0 and not replaced),
            )
        )
    return found


class Meaning(NamedTuple):
    """What a code is on."""

    item: str
    units: int
    taught: bool
    """Whether somebody taught it; else the catalogue says so."""


def meanings(code: str, taught: Sequence[BarcodeRow], pack: Items | None = None) -> list[Meaning]:
    """Return what a code may mean: one, none, or several that a person has to choose from.

    Args:
        code: Of `scanned`.
        taught: The rows of that code, in any order.
        pack: The catalogue in use; None: what came with the software.
    """
    now = {(row.item, row.units) for row in taught if not row.standing and not row.replaced}
    if now:
        return [Meaning(item, units, taught=True) for item, units in sorted(now)]
    known = of_barcode(code, pack)
    return [] if known is None else [Meaning(known[0].code, known[1].units, taught=False)]


def known(view: View, code: str) -> list[Meaning]:
    """Return what a code may mean in a book; see `meanings`."""
    pack = view.pack("items")
    taught = view.rows_where(BarcodeRow, "code", clean_text(code))
    return meanings(code, taught, pack if isinstance(pack, Items) else None)


def own_words(record: BarcodeTeach) -> list[tuple[str, str]]:
    """Return what was taught, as (catalogue key, text) pairs."""
    return [
        ("barcode", clean_text(record.code)),
        ("item", f"{record.units} x {clean_text(record.item)}"),
    ]


KIND = Kind(
    number=KindNo.BARCODE_TEACH,
    name="barcode.teach",
    value=BarcodeTeach,
    data=BarcodeData,
    plan=plan,
    example={
        "v": 1,
        "kind": "barcode.teach",
        "key": "example-148",
        "data": {"barcode": "]E05901234123457", "item": "ors-1l-sachet", "units": 100},
    },
)

# merge note: whoever teaches a code replaces what is shown of it. Two who teach it apart both
# stand; where they differ the code is unsettled, a scan lists both and a person chooses, until
# somebody who has seen both teaches it again. Nothing that was written with either meaning changes.
