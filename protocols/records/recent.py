"""What lately changed one item in one store, day by day, small enough to lie beside its balance.

A stock screen works out a rate of use for every item it could list. From its movements it would
read tens of thousands of rows the first time; from here it reads one row for each item.

Kept are the days of the four weeks up to the newest change, and the first day of all. So whoever
asks on the newest day or later finds all that `cover.burn` asks for; whoever asks as of an earlier
day has to read the movements.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import msgspec

from protocols.records.movement import DAY_MS

if TYPE_CHECKING:
    from protocols.records.stock import MovementRow, StocktakeRow

WINDOW_DAYS = 28
"""Of the reference: four weeks, so that every weekday is in it alike."""

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(list[int]).decode
_USES = frozenset(("issue", "dispense", "return"))


def recent(movements: Iterable[MovementRow], counts: Sequence[StocktakeRow] = ()) -> bytes:
    """Return what lately changed a stock, from all rows of one item in one store.

    As `cover.changes` has it: a count that found another number than the book is a change too.

    Returns:
        Days since 1970 of the newest and of the first change, then for each day of the window on
        which something changed how long before the newest, units, and how many were used.
    """
    days: dict[int, list[int]] = {}
    for row in movements:
        if row.standing or row.replaced or row.double:
            continue
        held = days.setdefault(row.at_ms // DAY_MS, [0, 0])
        held[0] += row.units
        if row.type in _USES and row.shipment is None and row.why != "transfer":
            held[1] -= row.units
    firsts = [*days]
    taken = {
        (each.entry, each.idx & 0xFFFF): each
        for each in counts
        if not (each.standing or each.replaced)
    }
    for each in taken.values():
        day = each.at_ms // DAY_MS
        firsts.append(day)
        days.setdefault(day, [0, 0])[0] += each.righted
    if not firsts:
        return b""
    newest = max(firsts)
    told = [newest, min(firsts)]
    for day in sorted(days, reverse=True):
        if newest - day <= WINDOW_DAYS:
            told += (newest - day, *days[day])
    return _encode(told)


def days_of(raw: bytes) -> list[tuple[int, int, int]]:
    """Return (day, units, used) for each day that is kept, the newest first."""
    if not raw:
        return []
    newest, _, *told = _decode(raw)
    parts = zip(told[::3], told[1::3], told[2::3], strict=True)
    return [(newest - ago, units, used) for ago, units, used in parts]


def changes_from(raw: bytes, since: int, today: int) -> list[tuple[int, int, int]] | None:
    """Return what changed a stock from a day on, as `cover.burn` takes it.

    Args:
        raw: What `recent` said.
        since: A day; that anything was there before is told as one change of nothing before it.
        today: In days since 1970-01-01, `WINDOW_DAYS` after `since` at most.

    Returns:
        (day, units, used); None where the newest change is later than today, so that not all that
        is asked for is in it.
    """
    if not raw:
        return []
    newest, first, *told = _decode(raw)
    if newest > today:
        return None
    found = [(since - 1, 0, 0)] if first < since else []
    for ago, units, used in zip(told[::3], told[1::3], told[2::3], strict=True):
        if newest - ago < since:
            break
        found.append((newest - ago, units, used))
    return found
