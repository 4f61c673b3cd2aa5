"""Counting what is on the shelf while others go on issuing, and settling what that leaves open."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from protocols.errors import InputError
from protocols.ids import FactRef
from protocols.records.balance import LotBalance, Open, Pair, pair_of
from protocols.records.counts import Counted, StockCount, StockSettle
from protocols.records.drawing import LARGE_TIMES, item_named, whole
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.movement import (
    UNITS_MAX,
    Movement,
    entry_of,
    heads,
    in_force,
    lot_text,
    pair_history,
    signed,
)
from protocols.records.moving import expiry_day
from protocols.records.planning import Command, Desk, refs
from protocols.records.references import ref_of
from protocols.records.shape import Fact, Kind, NewFact, Plan, View
from protocols.records.spelling import ExpiryText, FactText
from protocols.records.stated import until
from protocols.records.witnessing import movement_named

LOTS_MAX = 200
"""Lots of one item in one count."""

# fields: `counts.StockCount` and `counts.StockSettle`

# commands


class CountedData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One lot that was counted."""

    units: int | float
    """Whole units, 0 too."""
    lot: str | None = None
    """None: without a lot."""
    expiry: ExpiryText | None = None


class CountData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of stock.count; the line's `store` says where."""

    item: str
    lots: tuple[CountedData, ...] = ()
    """Empty: nothing was there."""
    whole: bool = True
    """False: only these lots were looked for."""
    blind: bool = False
    """Whether it was counted without seeing the book."""


class SettleData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of stock.settle."""

    movement: FactText
    """Id of the movement."""
    counted: bool
    """Whether it was in the count already."""
    count: FactText | None = None
    """Id of the count; all counts that leave it open, when it is not said."""


# apply


def plan_count(command: Command, view: View) -> Plan:
    """Write down what is there; what its writer knew of is in it."""
    desk = Desk(command, view)
    data: CountData = command.data
    store, item = desk.store(), item_named(desk, data.item)
    if not data.lots and not data.whole:
        raise InputError("empty", field="data.lots")
    if len(data.lots) > LOTS_MAX:
        raise InputError("too_many", field="data.lots", limit=LOTS_MAX)
    lots = tuple(_counted(each, at) for at, each in enumerate(data.lots))
    history = pair_history(desk, store, item.code)
    pair = pair_of(history)
    most = max(pair.largest, pair.high)
    if most > 0 and sum(each.units for each in lots) > LARGE_TIMES * most:
        desk.confirmed("large_quantity", "data.lots", allowed=(str(most),))
    looked_for = {each.lot for each in lots}
    book = [each for each in pair.lots if data.whole or each.lot in looked_for]
    said = desk.circumstances()
    # Of a count that is written down later the book is what it was when the shelf was looked at.
    since_ms = until(said)
    moved = 0 if since_ms is None else _moved_since(pair, since_ms, book)
    record = StockCount(
        said,
        (),
        bytes(store),
        item.code,
        lots,
        int(data.whole),
        int(data.blind),
        sum(each.low for each in book) - moved,
        sum(each.high for each in book) - moved,
        heads(history),
    )
    draft = entry_of(store, item.code, NewFact(KindNo.STOCK_COUNT, record))
    return Plan((draft,), tuple(desk.warnings))


def _moved_since(pair: Pair, at_ms: int, book: Sequence[LotBalance]) -> int:
    """Return by how much lots changed from an instant on; 0 where one was counted since."""
    if any(fact.at_ms >= at_ms for lot in book for fact in lot.counts):
        return 0
    names = {lot.lot for lot in book}
    return sum(
        signed(fact)
        for fact in pair.moves
        if fact.at_ms >= at_ms and isinstance(fact.record, Movement) and fact.record.lot in names
    )


def _counted(data: CountedData, at: int) -> Counted:
    where = f"data.lots.{at}"
    return Counted(
        lot_text(data.lot, f"{where}.lot"),
        expiry_day(data.expiry, f"{where}.expiry"),
        whole(data.units, f"{where}.units", UNITS_MAX, 0),
    )


def plan_settle(command: Command, view: View) -> Plan:
    """Say whether a movement was in a count; said anew, it replaces what was said before."""
    desk = Desk(command, view)
    data: SettleData = command.data
    fact, record = movement_named(desk, data.movement, "data.movement")
    history = pair_history(desk, record.store, record.item)
    pair = pair_of(history)
    counts = _counts(desk, pair, history, fact)
    if not counts:
        raise InputError("nothing_to_settle", field="data.movement")
    before = settled(history, fact)
    circumstances, seen = desk.circumstances(), heads(history)
    facts = [
        NewFact(
            KindNo.STOCK_SETTLE,
            StockSettle(
                circumstances,
                refs(each.ref for each in before if _of(each).count == ref_of(count)),
                record.store,
                record.item,
                ref_of(fact),
                ref_of(count),
                int(data.counted),
                seen,
            ),
        )
        for count in counts
    ]
    draft = entry_of(record.store, record.item, *facts)
    return Plan((draft,), tuple(desk.warnings))


def _counts(desk: Desk, pair: Pair, history: History, fact: Fact) -> list[Fact]:
    """Return the counts to settle a movement for: those that leave it open, or left it open."""
    text = desk.command.data.count
    opened = [each for each in pair.opened if ref_of(each.movement) == ref_of(fact)]
    known = {ref_of(each): each for each in pair.counts}
    spoken = [known[ref] for each in settled(history, fact) if (ref := _of(each).count) in known]
    found = {ref_of(each): each for each in [*spoken, *map(_by, opened)]}
    if text is None:
        return list(found.values())
    try:
        wanted = FactRef.parse(text)
    except InputError as error:
        raise error.at("data.count") from None
    return [each for each in found.values() if each.ref == wanted]


def _by(opened: Open) -> Fact:
    return opened.by


def settled(history: History, movement: Fact) -> list[Fact]:
    """Return what people say about whether a movement was counted, and nobody replaced."""
    found = in_force(history, history.of_kind.get(KindNo.STOCK_SETTLE, ()))
    return [fact for fact in found if _of(fact).movement == ref_of(movement)]


def _of(fact: Fact) -> StockSettle:
    assert isinstance(fact.record, StockSettle)
    return fact.record


# rows: `stock.py` has them

KIND_COUNT = Kind(
    number=KindNo.STOCK_COUNT,
    name="stock.count",
    value=StockCount,
    data=CountData,
    plan=plan_count,
    example={
        "v": 1,
        "kind": "stock.count",
        "key": "example-80",
        "store": "$store",
        "data": {"item": "ors-1l-sachet", "lots": [{"lot": "A1047", "units": 166}]},
    },
    stores=True,
)
KIND_SETTLE = Kind(
    number=KindNo.STOCK_SETTLE,
    name="stock.settle",
    value=StockSettle,
    data=SettleData,
    plan=plan_settle,
    example={
        "v": 1,
        "kind": "stock.settle",
        "key": "example-81",
        "data": {"movement": "$maybe", "counted": True},
    },
)
KINDS = (KIND_COUNT, KIND_SETTLE)

# merge note: a count replaces what it had seen. Two counts made apart both stand, and the balance
# is the range over both until somebody who knows of both counts again or takes one back. Two people
# who settle one movement apart and differ leave it open.
