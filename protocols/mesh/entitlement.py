"""What one peer may be handed: asked of the roster before anything of a feed is said or sent.

Residency is the sender's duty, on every carrier: of a scope that a peer may not hold it learns
nothing, not even that there is something to be had.
"""

from __future__ import annotations

from collections.abc import Iterable

from protocols.ids import DeviceId, Epoch, ScopeId
from protocols.ledger.authority import Authority
from protocols.ledger.book import Ledger
from protocols.ledger.chain import FeedState
from protocols.mesh.showing import Shown


class Entitlement:
    """The scopes that one peer may hold, and those whose every entry it was told of."""

    def __init__(self, ledger: Ledger, peer: DeviceId, epoch: Epoch) -> None:
        self._ledger = ledger
        self._peer = peer
        self._epoch = epoch
        self._allowed: dict[bytes, bool] = {}
        """By scope as feeds name it, an old one too: as far as anybody asked."""
        self._asked: tuple[Authority, int] = (ledger.authority, ledger.authority.version)
        self._promised: tuple[int, frozenset[bytes]] | None = None
        """A mark that was said, and the scopes it spoke of."""
        self._shown = Shown(ledger, peer, epoch)
        self._look_at_all()

    def may(self, feed: FeedState) -> bool:
        """Whether the peer may be told of a feed and handed its entries."""
        if feed.feed_id in self._ledger.chain.hollow:
            return False
        # Asked of every peer at every entry, and nearly always known.
        allowed = self._allowed.get(feed.genesis.scope)
        return self._may(feed.genesis.scope) if allowed is None else allowed

    def bare(self, feed: FeedState) -> bool:
        """Whether the peer may have a feed's headers, and not its bodies."""
        return self._shown.any and not self.may(feed) and self._shown.shows(feed)

    def tells(self, feed: FeedState) -> bool:
        """Whether the peer may be told of a feed at all."""
        return self.may(feed) or self.bare(feed)

    def shown(self) -> list[FeedState]:
        """The feeds that it may have as headers."""
        return [feed for feed in self._shown.feeds() if not self.may(feed)]

    def shown_changed(self) -> bool:
        """Whether what it is shown as headers may have changed since last asked."""
        return self._shown.changed()

    def sees_end(self, feed: FeedState) -> bool:
        """Whether the peer may see how far we hold a feed; of headers that came to us too."""
        if feed.feed_id not in self._ledger.chain.hollow:
            return self.may(feed)
        return self._may(feed.genesis.scope) or self.bare(feed)

    def _may(self, scope: bytes) -> bool:
        allowed = self._allowed.get(scope)
        if allowed is None:
            roster = self._ledger.authority.roster
            allowed = roster.may_hold(self._peer, ScopeId(scope), bytes(self._epoch))
            self._allowed[scope] = allowed
        return allowed

    def may_hear_of(self, scopes: Iterable[bytes]) -> bool:
        """Whether the peer may be told of feeds of these scopes, as feeds name them."""
        return all(map(self._may, scopes))

    def covered(self, feed: FeedState) -> bool:
        """Whether what the peer says it holds of our book speaks of this feed too."""
        return feed.genesis.scope in self._ledger.peers.all[self._peer].covers

    def uncovered(self, since: int) -> list[FeedState]:
        """Feeds that the peer may hold and may or may not have been told of.

        Args:
            since: It acknowledged all that it was told of up to here; what began later is news.
        """
        if self.whole:
            return []
        chain = self._ledger.chain
        return [
            feed
            for feed in chain.feeds.values()
            if self.may(feed) and not self.covered(feed) and chain.last_before(feed, since)
        ]

    @property
    def whole(self) -> bool:
        """Whether the peer's acknowledgements speak of every scope it may hold."""
        covers = self._ledger.peers.all[self._peer].covers
        for scope, allowed in self._allowed.items():
            if allowed and scope not in covers:
                return False
        return True

    def changed(self) -> tuple[list[FeedState], list[FeedState]]:
        """Ask the roster again if it has changed: feeds now allowed, and no longer allowed."""
        authority = self._ledger.authority
        if self._asked[0] is authority and self._asked[1] == authority.version:
            return [], []
        self._asked = (authority, authority.version)
        before, self._allowed = self._allowed, {}
        feeds = list(self._ledger.chain.feeds.values())
        granted = [f for f in feeds if self.may(f) and not before.get(f.genesis.scope)]
        withdrawn = [f for f in feeds if not self.may(f) and before.get(f.genesis.scope)]
        self._look_at_all()
        return granted, withdrawn

    def promise(self, mark: int) -> None:
        """Note that the peer is told it will hold all that it may up to this mark of ours."""
        if self._promised is None and not self.whole:
            scopes = (scope for scope, allowed in self._allowed.items() if allowed)
            self._promised = (mark, frozenset(scopes))

    def reached(self, upto: int) -> None:
        """The peer says it holds all that it was told of up to here."""
        if self._promised is not None and upto >= self._promised[0]:
            scopes = {scope for scope in self._promised[1] if self._allowed.get(scope)}
            self._ledger.peers.note_covers(self._peer, scopes)
            self._promised = None

    def _look_at_all(self) -> None:
        """Ask of every scope there is; what the peer may hold no longer is not counted as held.

        Durable before the next mark is said: entries of that scope are left out from here on, and
        would be taken for delivered if the scope were ever allowed again.
        """
        charter = self._ledger.authority.roster.charter
        for scope in charter.scopes if charter else ():
            self._may(scope.id)
        for feed in self._ledger.chain.feeds.values():
            self.may(feed)
        denied = {scope for scope, allowed in self._allowed.items() if not allowed}
        self._ledger.peers.uncover(self._peer, denied)
