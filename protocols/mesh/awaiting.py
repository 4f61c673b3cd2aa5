"""What was asked of one peer and is still to come: until then no mark of it is reached."""

from __future__ import annotations

from protocols.errors import PeerError
from protocols.ids import FeedId
from protocols.ledger.book import Ledger
from protocols.mesh.frames import Place
from protocols.mesh.places import start_of

AWAITED_MAX = 4096
"""Feeds that one peer may have us waiting for; beyond this it makes them up."""
_ANY = start_of(FeedId.zero())


class Awaited:
    """Feeds that the peer said it holds more of, or sent with a gap, and that we asked for."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._places: dict[FeedId, Place | None] = {}
        """None: until any run of the feed could be chained."""

    def __bool__(self) -> bool:
        """Whether something is still to come."""
        return bool(self._places)

    def wait_for(self, feed: FeedId, place: Place | None) -> None:
        """Wait for an entry of a feed, or for any run of it that can be chained.

        Raises:
            PeerError: `too_many`.
        """
        if len(self._places) >= AWAITED_MAX and feed not in self._places:
            raise PeerError("too_many", what="feeds")
        self._places[feed] = place

    def came(self, feed: FeedId) -> None:
        """A run of a feed could be chained."""
        if self._places.get(feed, _ANY) is None:
            del self._places[feed]

    def strike_out(self) -> None:
        """Strike out what was asked for and is here by now."""
        for feed, place in list(self._places.items()):
            if place and self._ledger.chain.prev_of(feed, place.seq, place.stub) is not None:
                del self._places[feed]
