"""How fast something is used, for how long it lasts, what expires before, and what to order.

Everything is worked out in whole days and exact fractions from what a store holds and what was
moved in it, so every node that holds the same says the same. Today's use is not over and counts
nowhere.

*Use* is what was issued or dispensed, less what came back; what went to another store by shipment
or transfer, losses and adjustments are none. A day on which nothing was there, from its beginning
to its end, is out of stock: it had no use because it could have none, and is left out of every
mean.

*Reference* is use in the last 28 days divided by the days among them that were in stock: average
consumption adjusted for stock-outs, as the requisition templates of OpenLMIS have it, by days
instead of months. *Rate* begins at the reference and goes through those days from the oldest on
with the exponentially weighted mean of 7 days, `s = s + (x - s) * 2 / (7 + 1)`, so that a surge
shows within days. Both are told; what is planned is planned by the rate.

*Days of cover*: lots are used in the order of their expiry, each to its last day at most. A lot
of u units whose last day is e days away gives `min(u / rate, max(0, e + 1 - t))` days, where t is
what the lots before it gave. What it cannot give expires before use.

*Order*: `rate * (lead + safety + cover)` days' worth, less what is there and will be used, less
what is on its way, rounded up to whole packs of the smallest size; due when that lasts at most
lead and safety.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from fractions import Fraction
from math import ceil, floor
from typing import NamedTuple

from protocols.guidelines.items import Item, Reorder
from protocols.records.movement import DAY_MS
from protocols.records.recent import WINDOW_DAYS as WINDOW_DAYS
from protocols.records.stock import BalanceRow, MovementRow, StocktakeRow

SPAN_DAYS = 7
"""Of the exponentially weighted mean."""
SURE_DAYS = 7
"""With fewer days in stock a rate is a guess, and is told as one."""
DAYS_MAX = 3 * 365
"""A stock that lasts longer is told as lasting this long."""

METHOD = "ewma-7-in-stock-28"
"""How rates are worked out here; told beside each."""

# what is known


class Change(NamedTuple):
    """What one day brought, of one item in one store."""

    day: int
    """Since 1970-01-01, in the days of UTC."""
    units: int
    """By which what is there changed; below 0 where it left."""
    used: int = 0
    """Of that, what was used; below 0 where it came back."""


class Lot(NamedTuple):
    """What is there of one lot and may be given."""

    units: int
    expiry_day: int | None = None
    """The last day it may be used."""


_USES = ("issue", "dispense")


def changes(
    movements: Iterable[MovementRow], counts: Iterable[StocktakeRow] = ()
) -> tuple[Change, ...]:
    """Return what changed a stock, from rows of one item in one store, in any order.

    A count that found another number than the book is a change too, on the day it was taken, also
    where a later one took its place.
    """
    found = [
        Change(row.at_ms // DAY_MS, row.units, _used(row))
        for row in movements
        if not row.standing and not row.replaced and not row.double
    ]
    taken: dict[tuple[int, int], StocktakeRow] = {}
    for row in counts:
        if not row.standing and not row.replaced:
            taken[row.entry, row.idx & 0xFFFF] = row
    found += [Change(row.at_ms // DAY_MS, row.righted) for row in taken.values()]
    return tuple(sorted(found))


def _used(row: MovementRow) -> int:
    if row.shipment is not None or row.why == "transfer":
        return 0
    return -row.units if row.type in _USES or row.type == "return" else 0


def usable(balances: Iterable[BalanceRow], today: int, *, most: bool = False) -> tuple[Lot, ...]:
    """Return the lots that may be given today, the first to expire first.

    Args:
        balances: Of one item in one store.
        today: In days since 1970-01-01.
        most: Whether what may be there counts, instead of what is there at least.
    """
    found = [
        Lot(max(row.high if most else row.low, 0), row.expiry_day)
        for row in balances
        if not row.quarantined and (row.expiry_day is None or row.expiry_day >= today)
    ]
    return tuple(sorted(found, key=_first_out))


def _first_out(lot: Lot) -> tuple[bool, int, int]:
    return lot.expiry_day is None, lot.expiry_day or 0, lot.units


# how fast


class Burn(NamedTuple):
    """How fast something is used, in units a day."""

    rate: Fraction | None
    """None: on no day of the window anything was there."""
    reference: Fraction | None
    in_stock_days: int
    out_days: int
    """Of the window, without stock."""
    used: int
    """In the window."""

    @property
    def guess(self) -> bool:
        """Whether it rests on too few days."""
        return self.in_stock_days < SURE_DAYS


def burn(moved: Sequence[Change | tuple[int, int, int]], on_hand: int, today: int) -> Burn:
    """Return how fast something was used; see above for the formulas.

    Args:
        moved: All that changed it, in any order; the window begins with the first of them.
        on_hand: What is there now, at most.
        today: In days since 1970-01-01; not over, so not in the window.
    """
    first = today
    by_day: dict[int, tuple[int, int]] = {}
    for day, units, used in moved:
        first = min(first, day)
        before = by_day.get(day)
        by_day[day] = (units, used) if before is None else (before[0] + units, before[1] + used)
    days = range(max(today - WINDOW_DAYS, first), today)
    uses = _uses(by_day, days, on_hand)
    if not uses:
        return Burn(None, None, 0, len(days), 0)
    used = sum(uses)
    reference = max(Fraction(used, len(uses)), _NOTHING)
    # The same fractions, reduced once at the end: a page asks this of thousands of items.
    top, bottom = reference.numerator, reference.denominator
    for each in uses:
        top = top * _KEEPS + each * bottom
        bottom *= _KEEPS + 1
    rate = Fraction(max(top, 0), bottom)
    return Burn(rate, reference, len(uses), len(days) - len(uses), max(used, 0))


_NOTHING = Fraction(0)
_KEEPS = (SPAN_DAYS - 1) // 2
"""`s + (x - s) * 2 / 8` is `(3 s + x) / 4`."""


def _uses(by_day: Mapping[int, tuple[int, int]], days: range, on_hand: int) -> list[int]:
    """Return what was used on each day on which anything was there, the oldest first.

    What was there at the end of a day is what is there now less all that came later.
    """
    at_end = on_hand - sum(units for day, (units, _) in by_day.items() if day >= days.stop)
    found = []
    for day in reversed(days):
        change = by_day.get(day)
        if change is None:
            if at_end > 0:
                found.append(0)
            continue
        units, used = change
        at_start = at_end - units
        if at_start > 0 or at_end > 0 or used or units:
            found.append(used)
        at_end = at_start
    return found[::-1]


# for how long


class Cover(NamedTuple):
    """For how long something lasts."""

    days: Fraction | None
    """At most `DAYS_MAX`; None: nothing is used, so it has no end."""
    out_day: int | None
    """The first day on which it may not do; None where it lasts."""
    expiring: int
    """Units that expire before they are used at this rate; without use all that expire."""


def cover(lots: Iterable[Lot], rate: Fraction | None, today: int) -> Cover:
    """Return for how long lots last; more of any of them never gives fewer days.

    Args:
        lots: What may be given, in any order.
        rate: Units a day; None or 0: nothing is used.
        today: In days since 1970-01-01, its whole use still to come.
    """
    ordered = sorted(lots, key=_first_out)
    if not rate:
        return Cover(None, None, sum(lot.units for lot in ordered if lot.expiry_day is not None))
    # In whole numbers of 1 / `most` days, with rate = most / least: a page asks this of thousands.
    most, least = rate.numerator, rate.denominator
    days, lost = 0, 0
    for lot in ordered:
        lasts = gives = max(lot.units, 0) * least
        if lot.expiry_day is not None:
            gives = min(lasts, max((lot.expiry_day + 1 - today) * most - days, 0))
        lost += lasts - gives
        days += gives
    known = days <= DAYS_MAX * most
    return Cover(
        Fraction(days, most) if known else Fraction(DAYS_MAX),
        today + days // most if known else None,
        lost // least,
    )


def expected_now(last: int, rate: Fraction | None, age_days: Fraction) -> int:
    """Return what a figure of some days ago has probably come to: last less rate times age.

    Never below 0, rounded down; the figure itself where no rate is known.
    """
    if rate is None:
        return max(last, 0)
    return max(floor(last - rate * max(age_days, Fraction(0))), 0)


# what to order


class Proposal(NamedTuple):
    """What to order, and why; a person decides."""

    units: int
    """Whole packs of it; 0: nothing."""
    packs: int
    pack_units: int
    due: bool
    """Whether it is to be ordered now: it lasts no longer than a delivery takes, with safety."""
    level: int
    """Up to which it is ordered, in units."""
    counted: int
    """What is there and will be used before it expires, and what is on its way."""


def reorder(
    burned: Burn, lots: Iterable[Lot], row: Item, plan: Reorder, on_way: int, today: int
) -> Proposal | None:
    """Return what to order; None where no rate is known, so that nothing can be proposed.

    Args:
        burned: How fast it is used.
        lots: What may be given.
        row: The item, for its packs.
        plan: Days that an order covers, takes and keeps in hand.
        on_way: Units asked for or sent and not received yet.
        today: In days since 1970-01-01.
    """
    if burned.rate is None:
        return None
    held = tuple(lots)
    lasts = cover(held, burned.rate, today)
    there = sum(lot.units for lot in held)
    if burned.rate:
        there -= lasts.expiring
    counted = there + max(on_way, 0)
    level = ceil(burned.rate * (plan.lead_days + plan.safety_days + plan.cover_days))
    pack = min(row.packs, default=row.vial_doses or 1)
    packs = ceil(Fraction(max(level - counted, 0), pack))
    soon = Fraction(plan.lead_days + plan.safety_days) * burned.rate
    return Proposal(packs * pack, packs, pack, packs > 0 and counted <= soon, level, counted)
