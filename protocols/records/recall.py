"""One lot of an item is recalled, wherever it is: written once, it holds in every store."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.records.display import clean_text
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.movement import ITEM_CHARS_MAX, LOT_CHARS_MAX, lot_text
from protocols.records.planning import Command, Desk, refs, tidy
from protocols.records.requisition import item_code
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
from protocols.records.spelling import one_of
from protocols.records.wordlists import position, word_at

# fields


class LotRecall(Statement, frozen=True):
    """Nobody is to be given anything of this lot."""

    item: str = ""
    lot: str = ""
    """In capitals, no space around it or doubled: so it is compared with what packages say."""
    level: Small = 0
    """Position in `LEVELS`."""
    why: Small = 0
    """Position in `REASONS`."""
    issuer: str = ""
    """Who recalled it: a manufacturer, an authority."""
    text: str = ""
    """What is to be done with what is left, and with who received it."""

    def __post_init__(self) -> None:
        """Refuse what names no lot."""
        if not 0 < len(self.item) <= ITEM_CHARS_MAX or not 0 < len(self.lot) <= LOT_CHARS_MAX:
            raise ValueError("lot")


LEVELS = ("unknown", "harmful", "may-harm", "unlikely-to-harm")
"""How much it can harm, by position on the wire: class I, II and III of those who recall."""
REASONS = (
    "other",
    "contaminated",
    "wrong-strength",
    "wrong-label",
    "broken-cold-chain",
    "falsified",
    "adverse-events",
    "not-effective",
)
"""By position on the wire; only ever added to at the end."""

# commands


class RecallData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of lot.recall."""

    item: str
    lot: str
    why: Annotated[str, one_of(REASONS)]
    level: Annotated[str, one_of(LEVELS)] = "unknown"
    issuer: str | None = None
    text: str | None = None


ISSUER_CHARS_MAX = 80
TEXT_CHARS_MAX = 300

# apply


def plan(command: Command, view: View) -> Plan:
    """Recall a lot; where the same is recalled already it is asked about once."""
    desk = Desk(command, view)
    data: RecallData = command.data
    item = item_code(desk, data.item, "data.item")
    lot = lot_text(data.lot, "data.lot")
    if not lot:
        raise InputError("empty", field="data.lot")
    if not command.supersedes and recalls(view, item, lot):
        desk.confirmed("recalled_already", "data.lot")
    subject = None
    if command.supersedes:
        subject, fact = desk.fact(command.supersedes[0], "supersedes")
        if not isinstance(fact.record, LotRecall) or (fact.record.item, fact.record.lot) != (
            item,
            lot,
        ):
            raise InputError("wrong_subject", field="supersedes")
    record = LotRecall(
        desk.circumstances(),
        refs(desk.named(subject)) if subject else (),
        item,
        lot,
        position(data.level, LEVELS, "data.level"),
        position(data.why, REASONS, "data.why"),
        tidy(data.issuer, "data.issuer", ISSUER_CHARS_MAX) if data.issuer else "",
        tidy(data.text, "data.text", TEXT_CHARS_MAX) if data.text else "",
    )
    new = NewFact(KindNo.LOT_RECALL, record)
    draft = Draft(Lane.URGENT, SubjectKind.LOT, subject, None, (new,))
    return Plan((draft,), tuple(desk.warnings))


def refuse(desk: Desk, item: str, lot: str) -> None:
    """Refuse to give out a lot that is recalled, saying why it is.

    Raises:
        InputError: `lot_recalled`; `allowed` names the reasons.
    """
    found = recalls(desk.view, item, lot)
    if found:
        raise InputError("lot_recalled", field="data.lot", allowed=tuple(found))


def recalls(view: View, item: str, lot: str) -> list[str]:
    """Return why a lot of an item is recalled, by any recall that holds; [] where none does."""
    return sorted({row.why for row in standing(view, item, lot)})


def standing(view: View, item: str, lot: str) -> list[RecallRow]:
    """Return the recalls of a lot of an item that hold."""
    held = view.rows_where(RecallRow, "lot", lot) if lot else ()
    return [row for row in held if row.item == item and not (row.standing or row.replaced)]


# rows


class RecallRow(Row, frozen=True, kw_only=True, gc=False):
    """One recall; it holds while it stands and nothing replaced it or took it back."""

    TABLE: ClassVar[str] = "recall"
    INDEXED: ClassVar[tuple[str, ...]] = ("item", "lot")
    recall: bytes
    """Its subject."""
    item: str
    lot: str
    level: str
    why: str
    issuer: str
    text: str


def rows(history: History) -> list[RecallRow]:
    """Return one row for each recall."""
    return [_row(history, fact) for fact in history.of_kind.get(KindNo.LOT_RECALL, ())]


def _row(history: History, fact: Fact) -> RecallRow:
    record = fact.record
    assert isinstance(record, LotRecall)
    return RecallRow(
        entry=fact.entry,
        idx=fact.index,
        kind=fact.kind,
        standing=fact.standing,
        at_ms=fact.at_ms,
        supersedes=history.supersedes(fact),
        replaced=history.replaced(fact),
        recall=bytes(history.subject),
        item=clean_text(record.item),
        lot=clean_text(record.lot),
        level=word_at(LEVELS, record.level),
        why=word_at(REASONS, record.why),
        issuer=clean_text(record.issuer),
        text=clean_text(record.text, TEXT_CHARS_MAX),
    )


def own_words(record: LotRecall) -> list[tuple[str, str]]:
    """Return what was recalled, as (catalogue key, text) pairs."""
    said = [("recalled", f"{clean_text(record.item)} ({clean_text(record.lot)})")]
    said.append(("why", word_at(REASONS, record.why)))
    said.append(("level", word_at(LEVELS, record.level)))
    for key, text in (("issuer", record.issuer), ("remark", record.text)):
        if text:
            said.append((key, clean_text(text, TEXT_CHARS_MAX)))
    return said


KIND = Kind(
    number=KindNo.LOT_RECALL,
    name="lot.recall",
    value=LotRecall,
    data=RecallData,
    plan=plan,
    example={
        "v": 1,
        "kind": "lot.recall",
        "key": "example-97",
        "data": {
            "item": "vaccine-mr-10",
            "lot": "0119X2",
            "why": "contaminated",
            "level": "harmful",
            "issuer": "manufacturer",
        },
    },
)

# merge note: two who recall one lot apart have both recalled it, and it is recalled until both are
# taken back. What was issued apart from a recall stays issued: both are kept, and whoever received
# it is found through the movements and doses that name the lot (`ledger/recalls.py`).
