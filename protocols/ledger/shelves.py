"""What a store holds, item by item, as a screen asks it: from indexed rows, all of it at once.

Costs what the store holds, not how often something was moved: what a rate of use rests on lies
beside the balance of each item (`records/recent.py`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, NamedTuple
from weakref import WeakKeyDictionary

from protocols.guidelines.items import Items
from protocols.ids import SiteId
from protocols.ledger import stores
from protocols.ledger.book import Ledger
from protocols.records import cover as covering
from protocols.records.cover import WINDOW_DAYS, Lot
from protocols.records.movement import DAY_MS
from protocols.records.recent import changes_from

SOON_DAYS = 30
"""What expires within these days is named; the buckets of the report begin with it."""

_STANDS = "m.standing = 0 AND m.replaced = 0 AND m.double = 0"
_USES = f"""
SELECT s.subject, m.at_ms / {DAY_MS}, sum(m.units), sum(
  CASE WHEN m.type IN ('issue', 'dispense', 'return') AND m.shipment IS NULL
            AND m.why <> 'transfer' THEN -m.units ELSE 0 END)
FROM stock s CROSS JOIN movement m
WHERE s.store = ? AND m.subject = s.subject AND m.at_ms >= ? AND {_STANDS}{{}}
GROUP BY s.subject, m.at_ms / {DAY_MS}"""
"""The uses are those of `records/cover.py`; the index `movement_use` holds all it asks."""
_FOUND = f"""
SELECT s.subject, t.at_ms / {DAY_MS}, max(t.righted)
FROM stock s CROSS JOIN stocktake t
WHERE s.store = ? AND t.subject = s.subject AND t.at_ms >= ?
  AND t.standing = 0 AND t.replaced = 0{{}}
GROUP BY s.subject, t.entry, t.idx % 65536, t.at_ms / {DAY_MS}"""
"""What counts found more or less than the book (`records/righted.py`)."""
_BEFORE = f"""
SELECT s.subject FROM stock s WHERE s.store = ? AND (EXISTS (
  SELECT 1 FROM movement m WHERE m.subject = s.subject AND m.at_ms < ? AND {_STANDS})
OR EXISTS (
  SELECT 1 FROM stocktake t WHERE t.subject = s.subject AND t.at_ms < ?
  AND t.standing = 0 AND t.replaced = 0))"""


class Held(NamedTuple):
    """One lot of which something may be there, or less than nothing."""

    lot: str
    expiry_day: int | None
    low: int
    high: int
    held: bool
    """Held back in this store."""
    recalled: bool
    last_ms: int
    counted_ms: int | None

    def marks(self, today: int) -> tuple[str, ...]:
        """Return what is the matter with it; all but `expiring` keep it from being given."""
        found = ["recalled"] if self.recalled else []
        if self.held:
            found.append("held")
        if self.expiry_day is not None and self.expiry_day <= today + SOON_DAYS:
            found.append("expired" if self.expiry_day < today else "expiring")
        return tuple(found)


class Kept(NamedTuple):
    """One item in a store."""

    item: str
    low: int
    high: int
    last_ms: int
    counted_ms: int | None
    unsettled: int
    negative: int
    overdraft: int
    lots: tuple[Held, ...]
    """First those that may be given, the first to expire first."""
    rate: Fraction | None
    """Units a day."""
    guess: bool
    days: Fraction | None
    """Of cover, by the least there may be; None: nothing is used, or nothing is known."""
    marks: tuple[str, ...]
    """Of `live.shelf.MARKS`, in their order."""

    @property
    def next_expiry_day(self) -> int | None:
        """Of the lots that may be there."""
        days = [lot.expiry_day for lot in self.lots if lot.expiry_day is not None and lot.high > 0]
        return min(days, default=None)


def kept(
    ledger: Ledger, store: SiteId, catalogue: Items, now_ms: int, item: str | None = None
) -> list[Kept]:
    """Return what a store holds, what runs out first first.

    Args:
        ledger: Whose rows are read.
        store: The store.
        catalogue: For how long a delivery takes.
        now_ms: Unix milliseconds; days are those of UTC.
        item: Only this one; None: all.
    """
    gone = stores.recalled(ledger)
    asked = (now_ms // DAY_MS, gone, catalogue.pack)
    held = _KEPT.setdefault(ledger, {})
    before = held.get(bytes(store))
    # A row is worked out again once it changed, and all of them on another day.
    known = before[1] if before is not None and before[0] == asked else {}
    rows = ledger.store.all(
        "SELECT subject, changed, item, recent, low, high, last_ms, counted_ms, unsettled,"
        " negative, overdraft FROM stock WHERE store = ? AND standing = 0",
        (bytes(store),),
    )
    if item is not None:
        rows = [row for row in rows if row[2] == item]
    stale = [row for row in rows if known.get(row[0], (None,))[0] != row[1]]
    fresh = _worked_out(ledger, store, catalogue, asked[0], gone, stale)
    if item is None:
        known = {row[0]: fresh.get(row[0]) or known[row[0]] for row in rows}
    else:
        known = {**known, **fresh}
    held[bytes(store)] = (asked, known)
    return sorted((known[row[0]][1] for row in rows), key=runs_out_first)


_Worked = dict[int, tuple[int, "Kept"]]
"""By subject: the number of its last change, and what it came to."""
_KEPT: WeakKeyDictionary[Ledger, dict[bytes, tuple[Any, _Worked]]] = WeakKeyDictionary()
"""What was worked out last of each store, with the day, recalls and catalogue it was of: to work
it all out takes a second for thousands of items, and to list it again some milliseconds."""
NAMED_MAX = 300
"""Subjects asked for by name at once; more are asked for all together."""


def _worked_out(
    ledger: Ledger,
    store: SiteId,
    catalogue: Items,
    today: int,
    gone: frozenset[tuple[str, str]],
    rows: Sequence[Sequence[Any]],
) -> _Worked:
    if not rows:
        return {}
    only = tuple(row[0] for row in rows) if len(rows) <= NAMED_MAX else ()
    lots, used = _lots(ledger, store, today, gone, only), _lately(ledger, store, today, rows)
    known = catalogue.by_code()
    found = {}
    for subject, changed, code, _, *numbers in rows:
        row = known.get(code)
        plan = catalogue.reorder_of(row) if row is not None else catalogue.reorder
        soon = plan.lead_days + plan.safety_days
        of_it, changes = tuple(lots.get(code, ())), used.get(subject, ())
        found[subject] = (changed, _kept(code, numbers, of_it, changes, today, soon))
    return found


def runs_out_first(row: Kept) -> tuple[int, float, int, str]:
    """Sort by days of cover; what nobody uses comes after, what is not there first of it."""
    if row.days is not None:
        return 0, float(row.days), row.low, row.item
    return 1, 0.0, min(row.low, 1), row.item


def _kept(
    item: str,
    numbers: Sequence[int],
    lots: tuple[Held, ...],
    changes: Sequence[_Day],
    today: int,
    soon: int,
) -> Kept:
    low, high, last_ms, counted_ms, unsettled, negative, overdraft = numbers
    burned = covering.burn(changes, high, today)
    given = [
        Lot(max(lot.low, 0), lot.expiry_day)
        for lot in lots
        if not (lot.held or lot.recalled) and (lot.expiry_day is None or lot.expiry_day >= today)
    ]
    days = covering.cover(given, burned.rate, today).days
    there = {mark for lot in lots if lot.high > 0 for mark in lot.marks(today)}
    marks = {
        "negative": negative or low < 0,
        "recalled": "recalled" in there,
        "overdraft": overdraft,
        "out": high <= 0,
        "low": high > 0 and days is not None and days <= soon,
        "expired": "expired" in there,
        "expiring": "expiring" in there,
        "held": "held" in there,
        "unsettled": unsettled,
    }
    return Kept(
        item, low, high, last_ms, counted_ms, unsettled, negative, overdraft, lots,
        burned.rate, burned.guess, days, tuple(name for name, is_so in marks.items() if is_so),
    )  # fmt: skip


def _lots(
    ledger: Ledger,
    store: SiteId,
    today: int,
    gone: frozenset[tuple[str, str]],
    only: Sequence[int],
) -> Mapping[str, list[Held]]:
    found: dict[str, list[Held]] = {}
    for item, lot, expiry, low, high, held, last_ms, counted_ms in ledger.store.all(
        "SELECT item, lot, expiry_day, low, high, quarantined, last_ms, counted_ms"
        f" FROM balance WHERE store = ? AND standing = 0{_named('subject', only)}",
        (bytes(store), *only),
    ):
        row = Held(lot, expiry, low, high, bool(held), (item, lot) in gone, last_ms, counted_ms)
        found.setdefault(item, []).append(row)
    for rows in found.values():
        rows.sort(key=lambda row: _first_out(row, today))
    return found


def _first_out(row: Held, today: int) -> tuple[bool, bool, bool, int, str]:
    """Sort lots: what may be given and is there, the first to expire first; no lot comes last."""
    barred = row.held or row.recalled or (row.expiry_day is not None and row.expiry_day < today)
    return row.high <= 0, barred, row.expiry_day is None, row.expiry_day or 0, row.lot


_Day = tuple[int, int, int]
"""A `cover.Change`, as the book tells it: there are tens of thousands."""


def _named(column: str, only: Sequence[int]) -> str:
    return f" AND {column} IN ({','.join('?' * len(only))})" if only else ""


def _lately(
    ledger: Ledger, store: SiteId, today: int, rows: Sequence[Sequence[Any]]
) -> Mapping[int, Sequence[_Day]]:
    """Return what changed each item within the window that rates rest on, from its stock's row.

    Where something is dated later than today, by a clock ahead of this one, from its movements.
    """
    found: dict[int, Sequence[_Day]] = {}
    ahead: list[int] = []
    for subject, _, _, recent, *_ in rows:
        changes = changes_from(recent, today - WINDOW_DAYS, today)
        if changes is None:
            ahead.append(subject)
        else:
            found[subject] = changes
    for at in range(0, len(ahead), NAMED_MAX):
        found |= _used(ledger, store, today, ahead[at : at + NAMED_MAX])
    return found


def _used(
    ledger: Ledger, store: SiteId, today: int, only: Sequence[int]
) -> Mapping[int, list[_Day]]:
    """Return what changed each item, day by day, within the window that rates rest on."""
    since = today - WINDOW_DAYS
    raw, since_ms, named = bytes(store), since * DAY_MS, _named("s.subject", only)
    found: dict[int, list[_Day]] = {}
    for (subject,) in ledger.store.all(_BEFORE + named, (raw, since_ms, since_ms, *only)):
        # That anything was there before is all that is asked of it.
        found[subject] = [(since - 1, 0, 0)]
    for subject, day, units, used in ledger.store.all(_USES.format(named), (raw, since_ms, *only)):
        found.setdefault(subject, []).append((day, units, used))
    for subject, day, units in ledger.store.all(_FOUND.format(named), (raw, since_ms, *only)):
        found.setdefault(subject, []).append((day, units, 0))
    return found
