"""What this device's clock is worth: by itself, and beside those of whom it is linked with.

Suspicion decides nothing: it is told to whoever can set a clock.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from protocols.records.moment import IMPLAUSIBLE_BEFORE_MS

if TYPE_CHECKING:  # commands say how far clocks are apart without loading the book
    from protocols.ids import DeviceId
    from protocols.ledger.peers import PeerBook

CLOCKS_APART_MS = 10 * 60_000
"""Further apart than a slow greeting and a drifting clock explain, and enough to harm: the time of
a dose is taken from the clock of who gave it."""


def is_off(ahead_ms: int | None) -> bool:
    """Return whether a clock is so far from ours that times by it may mislead; None: unknown."""
    return ahead_ms is not None and abs(ahead_ms) > CLOCKS_APART_MS


_UNITS = ((2 * 60, 1, "min"), (2 * 24 * 60, 60, "h"), (2 * 365 * 24 * 60, 24 * 60, "d"))
"""Minutes up to which a length of time is told in a unit, and the minutes of that."""
_YEAR_MIN = 365 * 24 * 60


def about(ms: int) -> tuple[int, str]:
    """Return a difference between clocks to the nearest unit people name it in.

    Returns:
        (How many, of 'min', 'h', 'd' or 'y'); which way it goes is left out.
    """
    minutes = (abs(ms) + 30_000) // 60_000
    for limit, unit_min, unit in _UNITS:
        if minutes < limit:
            return (minutes + unit_min // 2) // unit_min, unit
    return (minutes + _YEAR_MIN // 2) // _YEAR_MIN, "y"


def clock_state(now_ms: int, ahead_ms: int, apart_ms: int = 0) -> str:
    """Return what the wall clock is worth: 'ok', 'stated', 'implausible' or 'differs'.

    Args:
        now_ms: Wall clock, as far as it is known.
        ahead_ms: How much of that is a person's word; see `Now`.
        apart_ms: As `apart` has it.
    """
    if ahead_ms:
        return "stated"
    if now_ms < IMPLAUSIBLE_BEFORE_MS:
        return "implausible"
    return "differs" if apart_ms else "ok"


def apart(peers: PeerBook, linked: Collection[DeviceId]) -> int:
    """Return by how many milliseconds most linked clocks are ahead of ours; 0: they are not.

    It is the middle one that counts, and of two in the middle the nearer: one peer with a wrong
    clock makes nobody doubt theirs who is linked with others too. Of two alone nobody can tell
    whose is wrong, so both are told.
    """
    known = (peers.all[device].clock_ahead_ms for device in linked if device in peers.all)
    return middle([ahead for ahead in known if ahead is not None])


def middle(ahead_ms: Sequence[int]) -> int:
    """Return how far the middle one of these clocks is ahead of ours; 0: no further than it may."""
    found = sorted(ahead_ms)
    if not found:
        return 0
    one = min(found[(len(found) - 1) // 2], found[len(found) // 2], key=abs)
    return one if is_off(one) else 0
