"""Days and hours of a place: offsets from UTC as they were written down, the same on every node.

A name such as Africa/Bujumbura is resolved once, where a session is opened: another node may hold
other tables of time zones, and a day must not depend on which.
"""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Annotated
from zoneinfo import ZoneInfo

import msgspec

from protocols.errors import InputError
from protocols.records.shape import Instant

OffsetMinutes = Annotated[int, msgspec.Meta(ge=-24 * 60, le=24 * 60)]
"""Minutes that clocks there are ahead of UTC."""

Offsets = tuple[tuple[Instant, OffsetMinutes], ...]
"""(Unix seconds from which it holds, minutes), ascending; the first holds before its time too."""

AHEAD_DAYS = 400
"""Changes of the clock are written down so far ahead; no session lasts longer."""
ZONE_CHARS_MAX = 40

MINUTE_MS = 60_000
HOUR_MS = 60 * MINUTE_MS
DAY_MS = 24 * HOUR_MS


def read_zone(text: str, from_ms: int, where: str) -> Offsets:
    """Return the offsets of a zone from an instant on.

    Args:
        text: A name of the time zone database, or an offset such as `+02:00`.
        from_ms: Unix milliseconds.
        where: The field, for a refusal.

    Raises:
        InputError: `bad_zone`.
    """
    plain = re.fullmatch(r"([+-])(\d\d):(\d\d)", text, re.ASCII)
    start_s = from_ms // 1000
    if plain:
        minutes = int(plain[2]) * 60 + int(plain[3])
        if minutes > 14 * 60 or int(plain[3]) >= 60:
            raise _bad_zone(where)
        return ((start_s, minutes if plain[1] == "+" else -minutes),)
    if len(text) > ZONE_CHARS_MAX:
        raise _bad_zone(where)
    try:
        zone = ZoneInfo(text)
    except (ValueError, OSError, KeyError):
        raise _bad_zone(where) from None
    return _changes(zone, start_s)


def _bad_zone(where: str) -> InputError:
    return InputError("bad_zone", field=where, allowed=("Africa/Bujumbura", "+02:00"))


def _changes(zone: ZoneInfo, start_s: int) -> Offsets:
    """Return the offset now and every change ahead: found day by day, then to the second."""
    found = [(start_s, _minutes(zone, start_s))]
    for day in range(AHEAD_DAYS):
        low, high = start_s + day * 86_400, start_s + (day + 1) * 86_400
        after = _minutes(zone, high)
        if after == found[-1][1]:
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (low, middle) if _minutes(zone, middle) == after else (middle, high)
        found.append((high, after))
    return tuple(found)


def _minutes(zone: ZoneInfo, at_s: int) -> int:
    offset = datetime.fromtimestamp(at_s, UTC).astimezone(zone).utcoffset() or timedelta()
    return round(offset.total_seconds() / 60)


def offset_ms(offsets: Sequence[tuple[int, int]], at_ms: int) -> int:
    """Return by how much clocks there are ahead of UTC at an instant; 0 where nothing is known."""
    if len(offsets) < 2:
        return offsets[0][1] * MINUTE_MS if offsets else 0
    at = bisect_right(offsets, (at_ms // 1000, 24 * 60 + 1))
    return offsets[max(at - 1, 0)][1] * MINUTE_MS


def local_day(offsets: Sequence[tuple[int, int]], at_ms: int) -> int:
    """Return the day there, counted from 1970-01-01."""
    return (at_ms + offset_ms(offsets, at_ms)) // DAY_MS


def local_hour(offsets: Sequence[tuple[int, int]], at_ms: int) -> int:
    """Return the hour there, counted from 1970-01-01 00:00 on its clocks."""
    return (at_ms + offset_ms(offsets, at_ms)) // HOUR_MS
