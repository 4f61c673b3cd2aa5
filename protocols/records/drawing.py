"""What is asked before stock is moved: amounts that cannot be, lots that must stay, and doubts.

Nothing that has happened is refused: it is asked about once and then written. Only what would be
given to people from a lot that is recalled, held back or expired is refused, whoever asks.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import msgspec

from protocols.errors import InputError
from protocols.guidelines.items import PACK_UNITS_MAX, Item, Items, named
from protocols.records.balance import LotBalance, Pair, pair_of
from protocols.records.moment import IMPLAUSIBLE_BEFORE_MS
from protocols.records.movement import (
    DAY_MS,
    ISSUES,
    UNITS_MAX,
    Move,
    pair_history,
    signed_units,
)
from protocols.records.planning import Desk

LARGE_TIMES = 10
"""Over so many times the largest movement of an item is asked about once (SAFETY 24)."""

# how much


class PacksData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """So many packs of so many units each."""

    count: int | float
    size: int | float


class Amount(msgspec.Struct, frozen=True):
    """How much somebody typed."""

    units: int
    pack: tuple[int, int] | None = None
    """Packs and units in one, where it was typed so."""


def amount_of(units: int | float | None, packs: PacksData | None) -> Amount:
    """Return whole units above nothing, typed as units or as packs.

    Raises:
        InputError: `missing_field`, `not_whole`, `out_of_range`, or `packs_differ` where both are
            typed and do not come to the same.
    """
    if packs is None:
        if units is None:
            raise InputError("missing_field", field="data.units", allowed=("units", "packs"))
        return Amount(whole(units, "data.units"))
    count = whole(packs.count, "data.packs.count")
    size = whole(packs.size, "data.packs.size", PACK_UNITS_MAX)
    if count * size > UNITS_MAX:
        raise InputError("out_of_range", field="data.packs", allowed=(f"1-{UNITS_MAX}",))
    if units is not None and whole(units, "data.units") != count * size:
        raise InputError("packs_differ", field="data.units", allowed=(str(count * size),))
    return Amount(count * size, (count, size))


def whole(value: int | float, where: str, most: int = UNITS_MAX, least: int = 1) -> int:
    """Return a whole number of units.

    Raises:
        InputError: `not_whole` or `out_of_range`.
    """
    if isinstance(value, float) and not value.is_integer():
        raise InputError("not_whole", field=where)
    if not least <= value <= most:
        raise InputError("out_of_range", field=where, allowed=(f"{least}-{most}",))
    return int(value)


# what


def item_named(desk: Desk, code: str, where: str = "data.item") -> Item:
    """Return an item of the catalogue that this node works by.

    Raises:
        InputError: `unknown_item`.
    """
    return named(code.strip(), where, catalogue(desk))


def catalogue(desk: Desk) -> Items | None:
    """Return the catalogue that this node works by; None: what came with the software."""
    held = desk.view.pack("items")
    return held if isinstance(held, Items) else None


# what speaks against it


def doubts(
    desk: Desk,
    item: Item,
    move: Move,
    *,
    way: Literal["in", "out"],
    left: bool = False,
    given: bool = False,
) -> Pair:
    """Ask once about what is doubtful of a movement; refuse what must not be issued.

    Args:
        desk: Where it is planned.
        item: As the catalogue has it.
        move: What is about to be written.
        way: Whether it comes in or goes out.
        left: Whether it left before its lot was recalled or held back, as `stopped.py` judged.
        given: Whether it is in somebody already, as a person said and `stopped.py` judged: of its
            lot nothing is refused then.

    Returns:
        The pair as it is known here.

    Raises:
        InputError: as `may_be_issued`; `witness_needed`;
            `confirm_needed` with `lot_unstated`, `lot_unknown`, `beyond_stock`, `over_allotment`,
            `large_quantity` or `expired_received`; `reason_needed` beyond an allotment.
    """
    pair = pair_of(pair_history(desk, move.store, move.item))
    if item.controlled and way == "out" and not move.witness:
        raise InputError("witness_needed", field="data.witness")
    if way == "out":
        _leaving(desk, pair, move, left=left, given=given)
    elif move.expiry is not None and _over(desk, move.expiry):
        desk.confirmed("expired_received", "data.expiry")
    most = pair.largest
    if most and abs(move.units) > LARGE_TIMES * most:
        desk.confirmed("large_quantity", "data.units", allowed=(str(most),))
    return pair


def _leaving(desk: Desk, pair: Pair, move: Move, *, left: bool, given: bool) -> None:
    lot = pair.lot(move.lot)
    if move.kind in ISSUES and not given:
        may_be_issued(desk, pair, move, left=left)
    known = [each for each in pair.lots if each.lot and each.high > 0]
    if not move.lot and known:
        names = tuple(each.lot for each in pair.usable())
        desk.confirmed("lot_unstated", "data.lot", allowed=names)
    if move.lot and lot is None:
        names = tuple(each.lot for each in known)
        desk.confirmed("lot_unknown", "data.lot", allowed=names)
    elif -signed_units(move) > (pair.low if not move.lot or lot is None else lot.low):
        low, high = (pair.low, pair.high) if lot is None or not move.lot else (lot.low, lot.high)
        told = (str(low),) if low == high else (str(low), str(high))
        desk.confirmed("beyond_stock", "data.units", allowed=told)
    if move.kind in ISSUES:
        allotted(desk, pair, -signed_units(move))
        if move.lot and _sooner(pair, lot):
            desk.warn("earlier_expiry")


def may_be_issued(desk: Desk, pair: Pair, move: Move, *, left: bool = False) -> None:
    """Refuse to give out what is recalled, held back or expired, with the reason.

    Args:
        desk: Where it is planned.
        pair: What is known of the item in this store.
        move: What is about to be written.
        left: Whether it left before its lot was recalled or held back; its last day is asked.

    Raises:
        InputError: One of `REFUSALS`, `lot_quarantined` or `lot_expired`.
    """
    for refusal in () if left else REFUSALS:
        refusal(desk, move.item, move.lot)
    if not left and move.lot in pair.held_back:
        raise InputError("lot_quarantined", field="data.lot")
    lot = pair.lot(move.lot)
    days = [day for day in (move.expiry, lot.expiry if lot else None) if day is not None]
    if days and _over(desk, min(days)):
        raise InputError("lot_expired", field="data.lot")


REFUSALS: list[Callable[[Desk, str, str], None]] = []
"""What else keeps a lot of an item from being given out: (desk, item, lot), raising InputError.

A family that knows of more, such as recalls, adds itself where `supplies.py` gathers them.
"""


def _over(desk: Desk, expiry: int) -> bool:
    """Whether the last day of use is past when it happens.

    It is not asked of a clock that cannot be right; the record says that by itself.
    """
    at_ms = desk.at_ms()
    return at_ms >= IMPLAUSIBLE_BEFORE_MS and at_ms // DAY_MS > expiry


def allotted(desk: Desk, pair: Pair, units: int) -> None:
    """Ask, with a reason, when a device takes more of an item than it may.

    Raises:
        InputError: `confirm_needed` with `over_allotment`; `reason_needed`.
    """
    if not pair.grants:
        return
    account = pair.account(bytes(desk.view.device))
    left = account.left if account is not None else 0
    if units > left:
        desk.confirmed("over_allotment", "data.units", allowed=(str(max(left, 0)),))
        if not (desk.command.reason or "").strip():
            raise InputError("reason_needed", field="reason")


def _sooner(pair: Pair, lot: LotBalance | None) -> bool:
    """Whether another lot that may be there expires before this one."""
    mine = lot.expiry if lot is not None else None
    if mine is None:
        return False
    return any(
        each.expiry is not None and each.expiry < mine and each.low > 0 for each in pair.usable()
    )
