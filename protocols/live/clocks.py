"""What this device's clock is worth: by itself, and beside those of whom it is linked with.

Suspicion decides nothing: it is told to whoever can set a clock.
"""

from __future__ import annotations

from collections.abc import Collection

from protocols.ids import DeviceId
from protocols.ledger.peers import PeerBook
from protocols.records.moment import IMPLAUSIBLE_BEFORE_MS

CLOCKS_APART_MS = 10 * 60_000
"""Further apart than a slow greeting and a drifting clock explain, and enough to harm: the time of
a dose is taken from the clock of who gave it."""


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
    found = sorted(ahead for ahead in known if ahead is not None)
    if not found:
        return 0
    middle = min(found[(len(found) - 1) // 2], found[len(found) // 2], key=abs)
    return middle if abs(middle) > CLOCKS_APART_MS else 0
