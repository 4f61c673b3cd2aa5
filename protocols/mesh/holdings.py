"""What one peer is known to hold of each feed here."""

from __future__ import annotations

from protocols.feeds.lane import Lane
from protocols.ids import DeviceId
from protocols.ledger.book import Ledger
from protocols.ledger.chain import FeedState, Tip
from protocols.mesh.entitlement import Entitlement
from protocols.mesh.outbox import Position

PLACES_MAX = 64
"""Places kept of one feed: a link may stay up for months. Of more the lowest go: what both sides of
a later fork share below them is found as at a first contact."""


class Holdings:
    """Where one peer stands in our feeds, by what it listed, took and acknowledged."""

    def __init__(self, ledger: Ledger, entitlement: Entitlement, upto: int | None) -> None:
        self.upto = upto
        """Arrival number of ours up to which the peer holds all it may; None until it says."""
        self._ledger = ledger
        self._entitlement = entitlement
        self._held: dict[int, dict[bytes, int]] = {}

    def bare(self, feed: FeedState) -> bool:
        """Whether the peer may have a feed's headers, and not its bodies."""
        return self._entitlement.bare(feed)

    def note(self, position: Position) -> None:
        """The peer holds, or is about to hold, an entry and all before it."""
        held = self._held.setdefault(position.feed, {})
        held[position.hash] = position.seq
        if len(held) > PLACES_MAX:
            feed = self._ledger.chain.by_no.get(position.feed)
            kept = {tip.hash for tip in feed.tips} if feed and len(feed.tips) > 1 else set()
            if kept:
                # Not the end of a branch, nor the place just noted, be it the lowest: a short
                # branch would leave again and again behind a long one.
                kept.add(position.hash)
            # Of a long feed this is done at every entry; the lowest is nearly always the first.
            lowest = min(seq for entry, seq in held.items() if entry not in kept)
            gone = (entry for entry, seq in held.items() if seq == lowest and entry not in kept)
            del held[next(gone)]

    def reset(self, feed: FeedState, entry: bytes | None = None, seq: int = 0) -> None:
        """The peer says where it stands in a feed, whatever we thought."""
        self._held[feed.no] = {entry: seq} if entry else {}

    def knows_none(self, feed: FeedState) -> bool:
        """Whether nothing was said of a feed in this session."""
        return feed.no not in self._held

    def data_of_others(self, peer: DeviceId) -> bool:
        """Whether the peer said that it holds entries of others that are not control."""
        feeds = (self._ledger.chain.by_no[no] for no, held in self._held.items() if held)
        return any(
            feed.genesis.lane != Lane.CONTROL and feed.genesis.device != peer for feed in feeds
        )

    def assume_before(self, feed: FeedState, since: int) -> None:
        """The peer held all of ours up to `since`: work out where that is in this feed."""
        found = self._ledger.chain.last_before(feed, since)
        self._held[feed.no] = {found[1]: found[0]} if found else {}

    def holds(self, feed: FeedState, tip: Tip) -> bool:
        """Whether the peer holds a branch to its end."""
        return tip.hash in self._held.get(feed.no, ())

    def lacks(self, feed: FeedState) -> bool:
        """Whether there is a branch that the peer is not known to hold to its end."""
        held = self._held.get(feed.no, ())
        tips = feed.tips
        if len(tips) == 1:
            return tips[0].hash not in held
        return any(tip.hash not in held for tip in tips)

    def after(self, feed: FeedState, tip: Tip) -> int:
        """Place on a branch up to which the peer holds it."""
        held = self._held.get(feed.no)
        if held is None:
            since = self.upto or 0
            self.assume_before(feed, since if self._entitlement.covered(feed) else 0)
            held = self._held[feed.no]
        if len(feed.tips) == 1:
            return max(held.values(), default=0)
        seqs = sorted(set(held.values()))
        on_branch = self._ledger.chain.places(feed, tip, seqs) if seqs else []
        return max((seq for seq, entry in on_branch if entry in held), default=0)
