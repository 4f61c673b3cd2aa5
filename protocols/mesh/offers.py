"""What one peer is to be offered, and when: each feed has its own time, all leave together.

And how long the mark behind an offer may wait.
"""

from __future__ import annotations

from collections.abc import Iterator

from protocols.ids import DeviceId
from protocols.ledger.book import Ledger
from protocols.ledger.chain import FeedState
from protocols.mesh.frames import HEADS_MAX, Have
from protocols.mesh.holdings import Holdings
from protocols.mesh.places import place_of

MARK_RESTS_MS = 4 * 60_000
"""After an offer both sides most likely hold all there is: so long marks ride on entries."""
MARK_RESTS_MAX_MS = 30 * 60_000
"""Offers one after another put a mark off no longer than this: what it would speak of is listed
again at the next greeting."""


class MarkRest:
    """How long one mark waits for an entry to ride on."""

    def __init__(self) -> None:
        self.until_ms = 0
        """Monotonic milliseconds."""
        self._since_ms: int | None = None

    def begin(self, now_ms: int) -> None:
        """Something was offered: let what speaks of it wait, but not for ever."""
        if self._since_ms is None:
            self._since_ms = now_ms
        self.until_ms = min(now_ms + MARK_RESTS_MS, self._since_ms + MARK_RESTS_MAX_MS)

    def end(self) -> None:
        """All there is was spoken of."""
        self._since_ms = None


class Offers:
    """Feeds that grew by others' entries and were not offered to a peer yet."""

    def __init__(self, ledger: Ledger, holdings: Holdings) -> None:
        self.at_ms: int | None = None
        """When the first of them is to be offered, monotonic milliseconds."""
        self.upto = 0
        """The last arrival number when nothing was left to be offered."""
        self.second_looks: set[int] = set()
        """Those that are urgent and offered lest a line is dead: most likely they are there."""
        self._due: dict[int, int] = {}
        """Local feed number → when to offer it at the latest."""
        self._ledger = ledger
        self._holdings = holdings

    def __len__(self) -> int:
        """How many feeds are to be offered."""
        return len(self._due)

    def __iter__(self) -> Iterator[int]:
        """Yield their local numbers, oldest first."""
        return iter(self._due)

    def add(self, no: int, at_ms: int, *, second_look: bool = False) -> None:
        """Offer a feed at this time, or earlier if that was said before."""
        if second_look:
            self.second_looks.add(no)
        held = self._due.get(no)
        if held is None or at_ms < held:
            self._due[no] = at_ms
            if self.at_ms is None or at_ms < self.at_ms:
                self.at_ms = at_ms

    def due_by(self, no: int, at_ms: int) -> bool:
        """Whether a feed is offered by this time anyway."""
        return self._due.get(no, at_ms + 1) <= at_ms

    def drop(self, no: int) -> None:
        """Offer a feed no more; what is left goes at its own time."""
        if no not in self._due:
            return
        self.second_looks.discard(no)
        if self._due.pop(no) == self.at_ms:
            self.at_ms = min(self._due.values(), default=None)
        if not self._due:
            self.clear()

    def noted(self, feed: FeedState) -> None:
        """The peer has shown where it stands in a feed: who holds all of it is not offered it."""
        if feed.no in self._due and not self._holdings.lacks(feed):
            self.drop(feed.no)

    def drop_held(self) -> None:
        """Offer nothing when the peer has since said that it holds all of it."""
        by_no, lacks = self._ledger.chain.by_no, self._holdings.lacks
        for no in self._due:
            # Nearly always the first: no generator is made for it.
            if lacks(by_no[no]):
                return
        self.clear()

    def hasten(self, authors: frozenset[DeviceId], at_ms: int) -> None:
        """Offer what these devices wrote by this time."""
        by_no = self._ledger.chain.by_no
        for no in [no for no in self._due if by_no[no].genesis.device in authors]:
            self.add(no, at_ms)

    def clear(self) -> None:
        """Offer nothing of what there is."""
        self._due.clear()
        self.second_looks.clear()
        self.at_ms = None
        self.upto = self._ledger.chain.last_arrival

    def take(self) -> list[Have]:
        """Return all that may be missing there, as frames; none of it is to be offered again."""
        feeds = [self._ledger.chain.by_no[no] for no in self._due]
        self.clear()
        places = [
            place_of(feed, tip) for feed in feeds if self._holdings.lacks(feed) for tip in feed.tips
        ]
        return [
            Have(False, 0, tuple(places[start : start + HEADS_MAX]))
            for start in range(0, len(places), HEADS_MAX)
        ]
