"""What is moved in and out of a store: the bytes that all movements share, and how one is written.

One subject is one item in one store. Its id follows from both, so that two tents that never met
write documents of one subject. Every movement names the latest records of its pair that its writer
knew of: that is the causal order, and no clock is asked.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from hashlib import blake2b
from typing import Annotated, NamedTuple

import msgspec

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.ids import DocId
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.planning import Desk, tidy
from protocols.records.references import SEEN_MAX, must_name
from protocols.records.shape import (
    Circumstances,
    Draft,
    Fact,
    NewFact,
    Small,
    Statement,
    SubjectKind,
)

ITEM_CHARS_MAX = 40
LOT_CHARS_MAX = 20
UNITS_MAX = 100_000_000
"""Units in one movement, and in all stock of one pair; more is a typing error."""
DAY_MS = 86_400_000

Units = Annotated[int, msgspec.Meta(ge=-UNITS_MAX, le=UNITS_MAX)]
Day = Annotated[int, msgspec.Meta(ge=-36_500, le=73_000)]
"""Days since 1970-01-01."""

WHY = (
    "",
    "expired",
    "damaged",
    "broken-cold-chain",
    "vvm",
    "theft",
    "spilled",
    "missing",
    "found",
    "corrected",
    "opening-balance",
    "donation",
    "bought",
    "transfer",
    "to-ward",
    "unused",
    "kit",
    "vial",
    "dose",
    "destroyed",
    "other",
)
"""Why something was moved, by position on the wire; only ever added to at the end."""

# fields


class Movement(Statement, frozen=True):
    """So many units of one lot came into a store, or left it."""

    store: bytes = b""
    """Id of the store, a site."""
    item: str = ""
    """Code of the item in the catalogue."""
    lot: str = ""
    """As on the package; '' = none was stated."""
    expiry: Day | None = None
    """The last day it may be used."""
    units: Units = 0
    """Whole units. The kind says which way they went; only an adjustment and a broken kit carry a
    sign."""
    why: Small = 0
    """Position in `WHY`."""
    other: bytes | None = None
    """The store at the other end."""
    shipment: bytes | None = None
    cause: Ref | None = None
    """The record it follows from: a dose given, a vial opened."""
    patient: bytes | None = None
    witness: str = ""
    """Who saw it, where that is needed."""
    pack: tuple[Small, Small] | None = None
    """Packs and units in one, as typed."""
    seen: tuple[Ref, ...] = ()
    """The latest records of this item in this store that its writer knew of."""
    kit: str = ""
    """The item that was opened, for what came out of a kit."""

    def __post_init__(self) -> None:
        """Refuse what moves nothing, or nowhere."""
        must_be_pair(self.store, self.item)
        if len(self.lot) > LOT_CHARS_MAX or len(self.kit) > ITEM_CHARS_MAX:
            raise ValueError("text")
        for value in (self.other, self.shipment, self.patient):
            if value is not None and len(value) != DocId.SIZE:
                raise ValueError("id")
        if not self.units or (self.units < 0 and not isinstance(self, StockAdjust | StockBreak)):
            raise ValueError("units")
        must_name(*self.seen, *((self.cause,) if self.cause else ()))


class StockReceive(Movement, frozen=True):
    """Came in from outside, or from another store."""


class StockIssue(Movement, frozen=True):
    """Went out to a ward, a team or another store, or a vial was opened."""


class StockDispense(Movement, frozen=True):
    """Went out for one patient."""


class StockReturn(Movement, frozen=True):
    """Came back unused."""


class StockLoss(Movement, frozen=True):
    """Is gone, and helped nobody."""


class StockAdjust(Movement, frozen=True):
    """What is there was found to be more or less than what is written down."""


class StockBreak(Movement, frozen=True):
    """A kit was opened: it is gone, and what it held is there."""


def must_be_pair(store: bytes, item: str) -> None:
    """Refuse what names no store and item, where a value is read.

    Raises:
        ValueError: One of them is of the wrong length.
    """
    if len(store) != DocId.SIZE or not 0 < len(item) <= ITEM_CHARS_MAX:
        raise ValueError("pair")


VALUES: dict[int, type[Movement]] = {
    KindNo.STOCK_RECEIVE: StockReceive,
    KindNo.STOCK_ISSUE: StockIssue,
    KindNo.STOCK_DISPENSE: StockDispense,
    KindNo.STOCK_RETURN: StockReturn,
    KindNo.STOCK_LOSS: StockLoss,
    KindNo.STOCK_ADJUST: StockAdjust,
    KindNo.STOCK_BREAK: StockBreak,
}
"""Every kind of movement."""

ISSUES = frozenset((KindNo.STOCK_ISSUE, KindNo.STOCK_DISPENSE))
"""Kinds by which stock is used or given on."""

SIGN: dict[int, int] = {
    KindNo.STOCK_RECEIVE: 1,
    KindNo.STOCK_RETURN: 1,
    KindNo.STOCK_ISSUE: -1,
    KindNo.STOCK_DISPENSE: -1,
    KindNo.STOCK_LOSS: -1,
}
"""1 where it adds, -1 where it takes away; the others carry their sign themselves."""


def signed(fact: Fact) -> int:
    """Return by how many units a movement changes what is there: below 0 where it takes away."""
    assert isinstance(fact.record, Movement)
    return fact.record.units * SIGN.get(fact.kind, 1)


def signed_units(move: Move) -> int:
    """Return by how many units a movement would change what is there."""
    return move.units * SIGN.get(move.kind, 1)


def stock_subject(store: bytes, item: str) -> DocId:
    """Return the subject of one item in one store: 16 bytes, the same wherever it is asked."""
    digest = blake2b(store + item.encode(), digest_size=DocId.SIZE, person=b"fm-stock-1")
    return DocId(digest.digest())


# commands: each kind's own file has them


# apply


class Move(NamedTuple):
    """One movement that somebody wants written."""

    kind: KindNo
    """A key of `VALUES`."""
    store: bytes
    item: str
    units: int
    """As the record holds it: above 0, but for an adjustment and a broken kit."""
    lot: str = ""
    expiry: int | None = None
    why: str = ""
    """One of `WHY`."""
    other: bytes | None = None
    shipment: bytes | None = None
    cause: Ref | None = None
    patient: bytes | None = None
    witness: str = ""
    pack: tuple[int, int] | None = None
    kit: str = ""


def written(
    move: Move,
    history: History,
    circumstances: Circumstances | None = None,
    supersedes: tuple[Ref, ...] = (),
) -> Draft:
    """Return the entry that writes a movement.

    Nothing is asked here: `drawing.py` has what is to be asked before stock is taken.

    Args:
        move: What was moved.
        history: All that is known of the pair, as `desk.history(stock_subject(store, item))`.
        circumstances: When and by whom; None: now, by the author.
        supersedes: Movements that it replaces.
    """
    record = VALUES[move.kind](
        circumstances,
        supersedes,
        bytes(move.store),
        move.item,
        move.lot,
        move.expiry,
        move.units,
        WHY.index(move.why),
        move.other and bytes(move.other),
        move.shipment and bytes(move.shipment),
        move.cause,
        move.patient and bytes(move.patient),
        move.witness,
        move.pack,
        heads(history),
        move.kit,
    )
    return entry_of(move.store, move.item, NewFact(move.kind, record))


def entry_of(store: bytes, item: str, *facts: NewFact, lane: Lane = Lane.ROUTINE) -> Draft:
    """Return an entry about one item in one store."""
    return Draft(lane, SubjectKind.STOCK, stock_subject(store, item), None, facts)


def pair_history(desk: Desk, store: bytes, item: str) -> History:
    """Return what is known here of one item in one store."""
    return desk.history(stock_subject(store, item))


def heads(history: History) -> tuple[Ref, ...]:
    """Return the latest records of a pair: those that no other of them had seen.

    Those that do not stand and those taken back are among them: they were seen all the same.
    """
    named: set[Ref] = set()
    facts: list[Ref] = []
    for fact in history.facts:
        seen = getattr(fact.record, "seen", None)
        if seen is not None:
            ref = (fact.prefix, fact.index)
            facts.append(ref)
            named.update([each for each in seen if each != ref] if ref in seen else seen)
    newest = [ref for ref in facts if ref not in named][-SEEN_MAX:]
    return tuple([(bytes(prefix), index) for prefix, index in newest])


def movements(history: History) -> list[Fact]:
    """Return all movements of a pair, in display order."""
    return [fact for fact in history.facts if isinstance(fact.record, Movement)]


def in_force(history: History, facts: Iterable[Fact]) -> list[Fact]:
    """Return those that count: they stand, and nobody replaced them or took them back."""
    return [fact for fact in facts if fact.standing == 0 and not history.replaced(fact)]


def lot_text(text: str | None, where: str) -> str:
    """Return a lot as it is compared: capitals, no space around it or doubled; '' for none.

    Raises:
        InputError: `too_long` or `bad_text`.
    """
    if text is None or not text.strip():
        return ""
    return tidy(" ".join(text.split()).upper(), where, LOT_CHARS_MAX)


FOLLOWERS: dict[int, Callable[[Statement, DocId, Ref], Sequence[Move]]] = {}
"""By kind, what else is written into stores in the transaction of a record that counts:
(its value, its subject, its reference) to movements, whose `cause` is that reference.

When the record is taken back, so are they (`ledger/stocking.py`). A family adds its kind where
`supplies.py` gathers them.
"""


def cause_must_move(moves: Sequence[Move]) -> None:
    """Refuse movements that the engine could not write, before anything is.

    Raises:
        InputError: `out_of_range`: nothing, or more than anybody has.
    """
    for move in moves:
        if not 0 < abs(move.units) <= UNITS_MAX:
            raise InputError("out_of_range", field="data.units", allowed=(f"1-{UNITS_MAX}",))
