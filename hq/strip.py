"""The strip of activity beside a site: bars of records an hour, hatched where HQ knows nothing."""

from __future__ import annotations

from dataclasses import dataclass

from hq.picture import SiteLine
from hq.queries import HOUR_MS, STRIP_HOURS

BAR = 8
"""Width of one hour's bar, in the drawing's units."""
STEP = 10
HEIGHT = 32
FULL_RECORDS_MIN = 4
"""A quiet site's bars stay low: fewer records than this never fill the height."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One drawn hour."""

    x: int
    y: int
    height: int


@dataclass(frozen=True, slots=True)
class Strip:
    """What the template draws."""

    width: int
    bars: tuple[Bar, ...]
    unknown_x: int
    """From here to the right edge, HQ knows nothing."""
    records: int


def strip(site: SiteLine, read_ms: int) -> Strip:
    """Return the drawing of a site's last hours, as of the moment the picture was read."""
    width = STEP * STRIP_HOURS
    most = max(FULL_RECORDS_MIN, *site.bars)
    bars = []
    for hour, records in enumerate(site.bars):
        height = max(2, round(records * (HEIGHT - 2) / most))
        if records:
            bars.append(Bar(hour * STEP + 1, HEIGHT - height, height))
    since = read_ms - STRIP_HOURS * HOUR_MS
    known = 0 if site.known_ms is None else (site.known_ms - since) * STEP // HOUR_MS
    return Strip(width, tuple(bars), min(width, max(0, known)), sum(site.bars))
