"""The feeds that one peer may see as headers only, because what is in them was released to it."""

from __future__ import annotations

from protocols.ids import DeviceId, Epoch, ScopeId
from protocols.ledger import showing
from protocols.ledger.authority import Authority
from protocols.ledger.book import Ledger
from protocols.ledger.chain import FeedState


class Shown:
    """Asked of roster and releases again whenever one of them has changed."""

    def __init__(self, ledger: Ledger, peer: DeviceId, epoch: Epoch) -> None:
        self._ledger = ledger
        self._peer = peer
        self._epoch = epoch
        self._asked: tuple[Authority, int, int] | None = None
        self._told: tuple[Authority, int, int] | None = None
        self._documents: dict[ScopeId, set[bytes]] = {}
        self._feeds: set[int] = set()
        """Local numbers of feeds known to be shown."""
        self._looked = -1
        """Arrival number up to which the book was searched for such feeds."""

    @property
    def any(self) -> bool:
        """Whether anything is shown to the peer."""
        self._ask()
        return bool(self._documents)

    def shows(self, feed: FeedState) -> bool:
        """Whether the peer may have the headers of a feed."""
        return self.any and feed.no in self._found()

    def feeds(self) -> list[FeedState]:
        """All of them that are here."""
        return [self._ledger.chain.by_no[no] for no in sorted(self._found())] if self.any else []

    def changed(self) -> bool:
        """Whether roster or releases have changed since last asked."""
        self._ask()
        before, self._told = self._told, self._asked
        return before != self._told

    def _ask(self) -> None:
        authority = self._ledger.authority
        now = (authority, authority.version, authority.releases.number)
        if self._asked != now:
            self._asked, self._looked = now, -1
            device, epoch = self._peer, bytes(self._epoch)
            self._documents = showing.documents_for(self._ledger, device, epoch)

    def _found(self) -> set[int]:
        """What was written since may have brought another feed into a released document."""
        last = self._ledger.chain.last_arrival
        if self._looked != last:
            self._feeds = showing.feeds_of(self._ledger, self._documents)
            self._looked = last
        return self._feeds
