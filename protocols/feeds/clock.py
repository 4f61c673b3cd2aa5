"""The hybrid logical clock: for ordering and display, never for deciding."""

from __future__ import annotations

COUNTER_BITS = 16
COUNTER_MASK = (1 << COUNTER_BITS) - 1
AHEAD_MS_MAX = 12 * 3600 * 1000
"""A clock further ahead than this does not pull ours along."""


def clock_ms(clock: int) -> int:
    """Return the wall part of a hybrid clock, Unix milliseconds."""
    return clock >> COUNTER_BITS


def tick(last: int, wall_ms: int) -> int:
    """Return the clock of the next own entry: after `last`, near `wall_ms`."""
    return max(last + 1, wall_ms << COUNTER_BITS)


def observe(last: int, seen: int, wall_ms: int) -> int:
    """Return our clock after seeing another's; one far ahead of the wall is left out."""
    if clock_ms(seen) > wall_ms + AHEAD_MS_MAX:
        return last
    return max(last, seen)
