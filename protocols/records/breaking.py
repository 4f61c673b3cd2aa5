"""Opening a kit: it is gone from stock, and what it held is there."""

from __future__ import annotations

from typing import NamedTuple

import msgspec

from protocols.errors import InputError
from protocols.guidelines.items import KIT_ITEMS_MAX, contents
from protocols.records.drawing import amount_of, doubts, item_named, may_be_issued, whole
from protocols.records.kinds import KindNo
from protocols.records.movement import Move, StockBreak, lot_text, pair_history, written
from protocols.records.moving import expiry_day
from protocols.records.planning import Command, Desk
from protocols.records.shape import Kind, Plan, View
from protocols.records.spelling import ExpiryText

# fields: `movement.StockBreak`; below 0 for the kit, above for what came out of it

# commands


class PartData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Something that was found in the kit."""

    item: str
    units: int | float
    lot: str | None = None
    expiry: ExpiryText | None = None


class BreakData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of stock.break."""

    item: str
    """The kit."""
    units: int | float = 1
    """Kits that were opened."""
    lot: str | None = None
    expiry: ExpiryText | None = None
    parts: tuple[PartData, ...] | None = None
    """What was in them, with lots as found; as the catalogue has it, when it is not said."""
    witness: str | None = None


# apply


def plan(command: Command, view: View) -> Plan:
    """Open kits: one entry for the kit and one for each thing in it, in one transaction."""
    desk = Desk(command, view)
    data: BreakData = command.data
    kit = item_named(desk, data.item)
    held = contents(kit, 1)
    store, kits = desk.store(), amount_of(data.units, None).units
    gone = Move(
        KindNo.STOCK_BREAK,
        bytes(store),
        kit.code,
        -kits,
        lot=lot_text(data.lot, "data.lot"),
        expiry=expiry_day(data.expiry, "data.expiry"),
        why="kit",
        witness=(data.witness or "").strip(),
    )
    pair = doubts(desk, kit, gone, way="out")
    may_be_issued(desk, pair, gone)
    parts = (
        [_Part(each.item, each.units * kits) for each in held]
        if data.parts is None
        else _parts(data.parts)
    )
    moves = [gone]
    for at, part in enumerate(parts):
        item = item_named(desk, part.item, f"data.parts.{at}.item")
        moves.append(
            Move(
                KindNo.STOCK_BREAK,
                bytes(store),
                item.code,
                part.units,
                lot=part.lot,
                expiry=part.expiry,
                why="kit",
                kit=kit.code,
            )
        )
    circumstances = desk.circumstances()
    drafts = tuple(
        written(move, pair_history(desk, store, move.item), circumstances) for move in moves
    )
    return Plan(drafts, tuple(desk.warnings))


class _Part(NamedTuple):
    """Something in a kit."""

    item: str
    units: int
    lot: str = ""
    expiry: int | None = None


def _parts(found: tuple[PartData, ...]) -> list[_Part]:
    if not found:
        raise InputError("empty", field="data.parts")
    if len(found) > KIT_ITEMS_MAX:
        raise InputError("too_many", field="data.parts", limit=KIT_ITEMS_MAX)
    return [
        _Part(
            each.item,
            whole(each.units, f"data.parts.{at}.units"),
            lot_text(each.lot, f"data.parts.{at}.lot"),
            expiry_day(each.expiry, f"data.parts.{at}.expiry"),
        )
        for at, each in enumerate(found)
    ]


# rows: `stock.py` has them

KIND = Kind(
    number=KindNo.STOCK_BREAK,
    name="stock.break",
    value=StockBreak,
    data=BreakData,
    plan=plan,
    example={
        "v": 1,
        "kind": "stock.break",
        "key": "example-76",
        "store": "$store",
        "data": {"item": "kit-rehydration"},
        "confirm": ["beyond_stock"],
    },
    stores=True,
)

# merge note: a kit opened twice apart is gone twice, and its balance shows it; what was in it is
# counted like any other stock. Taking the kit back does not take back what came out of it: each of
# its entries is taken back by itself, or all of them by the one who opened it.
