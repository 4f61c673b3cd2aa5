"""Whose clock is off, as far as HQ knows: by how much, and which way.

A device greets with its time, and what it was ahead of HQ's by is kept. Times in records are by
the clock of who wrote them. So an age that rests on a clock that is ahead is counted as that much
older, never younger; by one that is behind, things look older than they are: it is said and left.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from hq.queries import Book
from protocols.feeds.clock import AHEAD_MS_MAX
from protocols.live.clocks import CLOCKS_APART_MS, is_off, middle

DEVICE_DAYS = 7
"""Whoever was linked within so many days has a say in whether HQ's own clock is right."""
NAMED_MAX = 3
"""Clocks that a page names one by one; the page of devices has all."""
DAY_MS = 24 * 3_600_000

OFF = """
select p.device, p.name, p.clock_ahead_ms from peer p
where p.clock_ahead_ms > :most or p.clock_ahead_ms < -:most
order by abs(p.clock_ahead_ms) desc, p.device limit 500"""

GREETED = """
select p.clock_ahead_ms from peer p
where p.clock_ahead_ms is not null and p.last_contact_ms >= :since"""


class Off(NamedTuple):
    """A device whose clock was off when it last linked."""

    device: bytes
    name: str
    ahead_ms: int
    """Below 0: it is behind."""


class Clocks(NamedTuple):
    """What is known of all clocks."""

    off: tuple[Off, ...]
    """The furthest off first."""
    own_ms: int
    """How far most devices' clocks are ahead of HQ's; 0: they agree with it."""

    @property
    def named(self) -> tuple[Off, ...]:
        """Those that a page names; where most differ from HQ's, its own is in doubt first."""
        return () if self.own_ms else self.off[:NAMED_MAX]

    @property
    def more(self) -> int:
        """How many are off beside those."""
        return 0 if self.own_ms else len(self.off) - len(self.named)


ALL_RIGHT = Clocks((), 0)


async def clocks(book: Book, now_ms: int) -> Clocks:
    """Return whose clock is off."""
    found = await book.read(OFF, {"most": CLOCKS_APART_MS})
    since = {"since": now_ms - DEVICE_DAYS * DAY_MS}
    greeted = [ahead for (ahead,) in await book.read(GREETED, since)]
    # Of two alone nobody can tell whose is wrong: the other one is named.
    own_ms = middle(greeted) if len(greeted) > 1 else 0
    return Clocks(tuple(Off(bytes(device), *rest) for device, *rest in found), own_ms)


def furthest(ahead_ms: Iterable[int | None]) -> int:
    """Return of several clocks the one that misleads most: what is ahead before what is behind.

    0: none is off.
    """
    off = [each for each in ahead_ms if each is not None and is_off(each)]
    return max((each for each in off if each > 0), default=min(off, default=0))


def not_younger(at_ms: int, ahead_ms: int) -> int:
    """Return when something written by a clock happened at the latest, by HQ's own clock."""
    return at_ms - max(ahead_ms, 0)


def followed(ahead_ms: Iterable[int | None]) -> int:
    """Return by how much entries of devices whose clocks are right may be numbered ahead.

    An entry's hybrid clock follows one that was seen, up to `AHEAD_MS_MAX`.
    """
    off = (each for each in ahead_ms if each is not None and is_off(each))
    return max((each for each in off if 0 < each <= AHEAD_MS_MAX), default=0)
