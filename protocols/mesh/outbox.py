"""What is still to be sent to one peer, and how much of it may be under way.

Lanes leave in order, urgent before routine, so what may be in flight is kept small: two frames,
or what the link carries in one round trip. The receiver's acknowledgements are the clock.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import NamedTuple

from protocols.feeds.lane import Lane
from protocols.mesh.frames import DATA_BYTES

EARLY = len(Lane)
"""The lane of urgent feeds that go before control, to who would wait long for it."""
_ORDER = (EARLY, *Lane)
_ROUTINE = frozenset((Lane.ROUTINE, Lane.BULK))
FRAME_BYTES_FIRST = 4 * 1024
"""Before the first acknowledgement nobody knows the link: four seconds of a 9.6 kbit/s radio."""
FRAME_BYTES_MIN = 1024
FRAME_MS = 2_000
"""A frame holds about this much of the link's time, so that an urgent one never waits long."""
WINDOW_FRAMES_MIN = 2
WINDOW_BYTES_MAX = 4 * 1024 * 1024
WINDOW_GROWTH = 2.0
"""Times the bytes delivered in one round trip: fills a long link in few round trips."""
RATE_MEMORY = 0.5
"""Weight of the newest delivery rate."""


class Position(NamedTuple):
    """A peer holds, or is about to hold, this entry."""

    feed: int
    """Local feed number."""
    seq: int
    hash: bytes


class Shipment(NamedTuple):
    """One data frame under way."""

    total: int
    """Bytes of data frames sent when it left, itself included."""
    sent_ms: int
    delivered: int
    """Bytes acknowledged when it left."""
    positions: tuple[Position, ...]
    beside: int = 0
    """Bytes of the frame that went before it, which nobody acknowledges: it came if this came."""


@dataclass(slots=True)
class Outbox:
    """Feeds to send by lane, and the window."""

    lanes: tuple[dict[int, None], ...] = field(default_factory=lambda: tuple({} for _ in _ORDER))
    """Per lane, and `EARLY`, the local numbers of feeds with something to send, oldest first.
    What goes early is in its own lane too."""
    listed: bool = False
    """The peer has said what it lacks: until then no routine entry leaves, for it might overtake
    control that is not known to be lacking."""
    sent: int = 0
    acknowledged: int = 0
    beside: int = 0
    """Bytes under way that are not of data frames."""
    frame_bytes: int = FRAME_BYTES_FIRST
    """Aim for the next data frame: small until the link shows that it carries more."""
    window: int = WINDOW_FRAMES_MIN * FRAME_BYTES_FIRST
    _under_way: deque[Shipment] = field(default_factory=deque)
    _trip_ms: float = 1e9
    _rate: float = 0.0
    """Bytes a millisecond."""

    def add(self, lane: int, feed: int) -> None:
        """Note that a feed has something this peer lacks."""
        self.lanes[lane].setdefault(feed)

    def done(self, lane: int, feed: int) -> None:
        """Note that all of a feed is sent."""
        self.lanes[lane].pop(feed, None)
        if lane == Lane.URGENT:
            self.lanes[EARLY].pop(feed, None)

    def keep(self, may: Callable[[int], bool]) -> None:
        """Send nothing more of feeds that may not be told of."""
        for lane, feeds in enumerate(self.lanes):
            for feed in [each for each in feeds if not may(each)]:
                self.done(lane, feed)

    def not_early(self, feed: int | None = None) -> None:
        """Let a feed, or all, go in their own lane after all."""
        for each in list(self.lanes[EARLY]) if feed is None else (feed,):
            self.lanes[EARLY].pop(each, None)

    @property
    def first(self) -> tuple[int, int] | None:
        """The most urgent (lane, feed), or None."""
        if not any(self.lanes):
            return None
        for lane in _ORDER:
            for feed in self.lanes[lane]:
                return lane, feed
        return None

    @property
    def empty(self) -> bool:
        """Whether everything has left."""
        return not any(self.lanes)

    @property
    def settled(self) -> bool:
        """Whether all has left and been acknowledged."""
        return self.empty and self.acknowledged == self.sent

    def room(self, lane: int) -> bool:
        """Whether another frame of this lane may leave now; urgent ones need not wait for room."""
        routine = lane in _ROUTINE
        if routine and not self.listed:
            return False
        under_way = self.sent - self.acknowledged + self.beside
        ahead = 0 if routine else WINDOW_FRAMES_MIN * self.frame_bytes
        return under_way < self.window + ahead

    def leave(
        self, size: int, now_ms: int, positions: tuple[Position, ...], beside: int = 0
    ) -> None:
        """Count a data frame that leaves now.

        Args:
            beside: Bytes of another frame that went right before it.
        """
        self.sent += size
        self.beside += beside
        shipment = Shipment(self.sent, now_ms, self.acknowledged, positions, beside)
        self._under_way.append(shipment)

    def doubt(self, feed: int) -> None:
        """The peer could not take what is under way of a feed: its arrival proves nothing."""
        for at, shipment in enumerate(self._under_way):
            if any(position.feed == feed for position in shipment.positions):
                sure = tuple(each for each in shipment.positions if each.feed != feed)
                self._under_way[at] = shipment._replace(positions=sure)

    def arrive(self, taken: int, now_ms: int) -> list[Position]:
        """Take an acknowledgement; return what the peer now surely holds."""
        held: list[Position] = []
        newest: Shipment | None = None
        while self._under_way and self._under_way[0].total <= taken:
            newest = self._under_way.popleft()
            held += newest.positions
            self.beside -= newest.beside
        if newest is not None:
            self.acknowledged = newest.total
            self._measure(newest, now_ms)
        return held

    def _measure(self, shipment: Shipment, now_ms: int) -> None:
        trip = max(now_ms - shipment.sent_ms, 1)
        delivered = self.acknowledged - shipment.delivered
        rate = delivered / trip
        self._trip_ms = min(self._trip_ms, trip)
        if rate > self._rate or WINDOW_FRAMES_MIN * delivered >= self.window:
            # Little that was asked of the link says nothing of how little it can carry.
            self._rate = max(rate, self._rate * (1 - RATE_MEMORY) + rate * RATE_MEMORY)
        self.frame_bytes = min(max(FRAME_BYTES_MIN, int(self._rate * FRAME_MS)), DATA_BYTES)
        self.window = WINDOW_FRAMES_MIN * self.frame_bytes
        if self.frame_bytes == DATA_BYTES:
            wanted = int(self._rate * self._trip_ms * WINDOW_GROWTH)
            self.window = min(max(self.window, wanted), WINDOW_BYTES_MAX)
