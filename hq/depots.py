"""What all stores hold, as far as HQ knows: item by item, how old, for how long, and what is wrong.

A line is one item in one store; nothing is added up over stores, for their figures are of different
age. How fast it is used and for how long it lasts are worked out as `protocols.records.cover` says,
*as of when HQ last knew the store*: the later of its newest record and of when HQ last held all
that whoever wrote there had. What happened since is not known, so a store that fell silent is not
taken for one that uses nothing. Days of cover are by the least there may be, without lots held back
or recalled.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from hq import stockbook
from hq.clocks import not_younger
from hq.hints import Hints
from hq.queries import Book
from hq.shown import AHEAD_MS, DAY_MS, MINUTE_MS
from hq.stockbook import Held, LotRow, Stock, Uses
from protocols.records import cover as covering
from protocols.records.cover import WINDOW_DAYS, Burn, Change, Cover, Lot

KEPT_MS = MINUTE_MS
"""Lines are read anew after a minute even if nothing changed: days go by."""
WHOLE_MS = 10 * MINUTE_MS
"""What was used is read anew of all items this often, whatever changed."""
SILENT_DAYS_MAX = 14
"""Of a store not known for longer no days of cover are told: they would be a guess."""
SOON_DAYS = 30
"""What expires within these days is named; the buckets of the report begin with it."""


@dataclass(frozen=True, slots=True)
class Line:
    """One item in one store."""

    stock: Stock
    today: int
    """The day of asking, since 1970-01-01."""
    as_of: int | None
    """The day up to which HQ knows the store; None: only times ahead of HQ's clock tell."""
    lots: tuple[LotRow, ...]
    usable: int
    """The least there may be of what may be given today."""
    quarantined: int
    """Units held back, the most there may be; so are the next three."""
    recalled: int
    expired: int
    expiring: int
    """Within `SOON_DAYS`, not expired yet."""
    burn: Burn | None
    """None: the store is silent for too long, or nobody knows since when."""
    lasts: Cover | None
    days: Fraction | None
    """Days of cover left from today on; None: nothing is used, or it is not known."""
    apart: int
    """Movements of it that do not stand."""
    ahead_ms: int
    """How far a clock that is written by there is off."""

    @property
    def last_ms(self) -> int:
        """When its newest record happened, at the latest where a clock there is ahead."""
        return not_younger(self.stock.last_ms, self.ahead_ms)

    @property
    def counted_ms(self) -> int | None:
        """When it was counted last, in the same way; None: it never was."""
        at_ms = self.stock.counted_ms
        return None if at_ms is None else not_younger(at_ms, self.ahead_ms)

    @property
    def silent_days(self) -> int | None:
        """Whole days that went by since the store was known; None: nobody knows how many."""
        return None if self.as_of is None else self.today - self.as_of

    @property
    def expected(self) -> int | None:
        """What has probably become of the least there was; None where it was known today."""
        if not self.silent_days or self.burn is None or not self.burn.rate:
            return None
        return covering.expected_now(self.stock.low, self.burn.rate, Fraction(self.silent_days))

    @property
    def marks(self) -> frozenset[str]:
        """What is wrong with it, by the names that the filter has."""
        row = self.stock
        found = {
            "out": row.high <= 0,
            "negative": row.negative or row.low < 0,
            "overdraft": row.overdraft,
            "unsettled": row.unsettled,
            "quarantined": self.quarantined,
            "recalled": self.recalled,
            "expired": self.expired,
            "expiring": self.expiring,
            "apart": self.apart,
            "silent": self.burn is None,
        }
        return frozenset(name for name, is_so in found.items() if is_so)


MARKS = (
    "out", "negative", "overdraft", "recalled", "expired", "expiring", "quarantined", "unsettled",
    "apart", "silent",
)  # fmt: skip
"""What lines can be chosen by, the gravest first."""


@dataclass(frozen=True, slots=True)
class Lines:
    """All of them, read at one moment."""

    read_ms: int
    turn: int
    lines: tuple[Line, ...]
    """What runs out first first."""
    known: Mapping[bytes, int]
    """Up to when HQ knows each store."""
    apart: Mapping[tuple[bytes, str], int]
    """What does not stand, by store and item."""
    ahead: Mapping[bytes, int]
    """How far a clock that is written by in a store is off, where one is."""

    def undated(self) -> list[bytes]:
        """Return the stores of which nobody can say up to when they are known."""
        return sorted({line.stock.store for line in self.lines} - self.known.keys())

    def unheld(self) -> list[tuple[bytes, str, int]]:
        """Return (store, item, movements) of which nothing counts: no line says it."""
        known = {(line.stock.store, line.stock.item) for line in self.lines}
        return sorted((*pair, n) for pair, n in self.apart.items() if pair not in known)


class Depots:
    """Reads the stores once per turn of the hints, however many pages ask.

    What was used is read again only of items that changed, and all of it every `WHOLE_MS`.
    """

    def __init__(self, book: Book, hints: Hints) -> None:
        self._book = book
        self._hints = hints
        self._lock = asyncio.Lock()
        self.forget()

    def forget(self) -> None:
        """Keep nothing of what was read."""
        self._kept: Lines | None = None
        self._used: Uses = {}
        self._changed: dict[int, int] = {}
        self._since = self._whole_ms = 0
        self._made: dict[int, tuple[_Asked, Line]] = {}

    async def now(self, now_ms: int) -> Lines:
        """Return all lines as of now."""
        async with self._lock:
            kept, turn = self._kept, self._hints.turn_of("stock")
            if kept and kept.turn == turn and 0 <= now_ms - kept.read_ms < KEPT_MS:
                return kept
            self._kept = await self._read(now_ms, turn)
            return self._kept

    async def read_ahead(self, now_ms: int) -> None:
        """Read what was used, so that the first page takes no longer than any other."""
        async with self._lock:
            await self._read(now_ms, 0)

    async def _read(self, now_ms: int, turn: int) -> Lines:
        held = await stockbook.held(self._book)
        today, known = now_ms // DAY_MS, _known(held, now_ms)
        as_of = {store: min(at_ms // DAY_MS, today) for store, at_ms in known.items()}
        spoken = [day for day in as_of.values() if today - day <= SILENT_DAYS_MAX]
        await self._read_uses(held, min(spoken, default=today) - WINDOW_DAYS, now_ms)
        lines = await asyncio.to_thread(self._lines, held, as_of, today)
        ordered = tuple(sorted(lines, key=runs_out_first))
        return Lines(now_ms, turn, ordered, known, held.apart, held.ahead)

    async def _read_uses(self, held: Held, since_day: int, now_ms: int) -> None:
        now_is = {row.subject: row.changed for row in held.stock}
        changed = [each for each, at in now_is.items() if self._changed.get(each) != at]
        whole = since_day != self._since or not 0 <= now_ms - self._whole_ms < WHOLE_MS
        if whole or len(changed) > stockbook.SUBJECTS_MAX:
            self._used = await stockbook.uses(self._book, since_day)
            self._since, self._whole_ms = since_day, now_ms
        elif changed:
            fresh = await stockbook.uses(self._book, since_day, changed)
            self._used |= {each: fresh.get(each, []) for each in changed}
        self._changed = now_is

    def _lines(self, held: Held, as_of: Mapping[bytes, int], today: int) -> list[Line]:
        """Work out each line of which anything changed."""
        lines = []
        made = self._made
        self._made = {}
        for row in held.stock:
            lots = tuple(held.lots.get(row.subject, ()))
            gone = frozenset(lot.lot for lot in lots if (row.item, lot.lot) in held.recalled)
            used = tuple(self._used.get(row.subject, ()))
            apart = held.apart.get((row.store, row.item), 0)
            ahead_ms = held.ahead.get(row.store, 0)
            since = as_of.get(row.store)
            asked = _Asked(row, lots, gone, used, since, today, apart, ahead_ms)
            old = made.get(row.subject)
            line = old[1] if old and old[0] == asked else _line(asked)
            self._made[row.subject] = (asked, line)
            lines.append(line)
        return lines


def runs_out_first(line: Line) -> tuple[int, float, int, str, bytes]:
    """Sort by days of cover; then what is not known, then what nobody uses, by name."""
    row = line.stock
    if line.days is not None:
        return 0, float(line.days), row.low, row.item, row.store
    rank = 1 if line.burn is None else 2
    # Without use what is least there comes first only where it is nothing at all.
    return rank, 0.0, min(row.low, 1), row.item, row.store


def _known(held: Held, now_ms: int) -> dict[bytes, int]:
    """Return up to when each store is known; a time that lies ahead of ours says nothing."""
    found: dict[bytes, int] = {}
    ahead = held.ahead
    told = [(row.store, not_younger(row.last_ms, ahead.get(row.store, 0))) for row in held.stock]
    for store, at_ms in (*told, *held.linked.items()):
        if at_ms <= now_ms + AHEAD_MS:
            found[store] = max(found.get(store, 0), at_ms)
    return found


class _Asked(NamedTuple):
    """All that a line is worked out from: where it is the same, so is the line."""

    row: Stock
    lots: tuple[LotRow, ...]
    gone: frozenset[str]
    """Lots that are recalled."""
    used: tuple[tuple[int, int, int], ...]
    as_of: int | None
    today: int
    apart: int
    ahead_ms: int


def _line(asked: _Asked) -> Line:
    row, lots, gone, used, as_of, today, apart, ahead_ms = asked
    burn = lasts = days = None
    good = [lot for lot in lots if lot.lot not in gone]
    given = _usable(good, today if as_of is None else as_of)
    if as_of is not None and today - as_of <= SILENT_DAYS_MAX:
        burn = covering.burn([Change(*each) for each in used], row.high, as_of)
        lasts = covering.cover(given, burn.rate, as_of)
        if lasts.days is not None:
            days = max(lasts.days - (today - as_of), Fraction(0))
    dated = [(lot, lot.expiry_day - today) for lot in lots if lot.expiry_day is not None]
    return Line(
        stock=row,
        today=today,
        as_of=as_of,
        lots=lots,
        usable=sum(lot.units for lot in _usable(good, today)),
        quarantined=_units(lot for lot in lots if lot.quarantined),
        recalled=_units(lot for lot in lots if lot.lot in gone),
        expired=_units(lot for lot, left in dated if left < 0),
        expiring=_units(lot for lot, left in dated if 0 <= left <= SOON_DAYS),
        burn=burn,
        lasts=lasts,
        days=days,
        apart=apart,
        ahead_ms=ahead_ms,
    )


def _usable(lots: Iterable[LotRow], as_of: int) -> tuple[Lot, ...]:
    """As `cover.usable` has it, of rows that hold less."""
    return tuple(
        Lot(max(lot.low, 0), lot.expiry_day)
        for lot in lots
        if not lot.quarantined and (lot.expiry_day is None or lot.expiry_day >= as_of)
    )


def _units(lots: Iterable[LotRow]) -> int:
    return sum(max(lot.high, 0) for lot in lots)
