"""Urgent entries before control, to a peer that would wait long for control.

Control goes first where there is little of it. A newcomer of a large operation would read hundreds
of kilobytes before its first triage; for it each author's urgent feed goes early, one after the
other, behind a VOUCH frame with just what that author needs to be read and judged.
"""

from __future__ import annotations

from protocols.feeds.advance import Advance
from protocols.feeds.lane import Lane
from protocols.ids import DeviceId
from protocols.ledger import gathering
from protocols.ledger.book import Ledger
from protocols.ledger.chain import FeedState
from protocols.mesh.frames import Frame, Vouch
from protocols.mesh.holdings import Holdings
from protocols.mesh.outbox import EARLY, Outbox
from protocols.trust.statements import pack, statement_hash

CONTROL_FIRST_BYTES = 24 * 1024
"""A peer that lacks no more control than this gets it first, as it stands: twenty seconds of a
9.6 kbit/s radio."""
ENTRY_BYTES = 120
"""About what a control entry is on the wire beside its body."""


class Early:
    """Which urgent feeds go to one peer before control, and what was said of their authors."""

    def __init__(
        self,
        ledger: Ledger,
        peer: DeviceId,
        outbox: Outbox,
        holdings: Holdings,
        out: list[Frame],
    ) -> None:
        self._ledger = ledger
        self._peer = peer
        self._outbox = outbox
        self._holdings = holdings
        self._out = out
        self._left = 0
        """Bytes that may still go early: as much as the control that has to wait for them."""
        self._said: set[bytes] = set()
        """Names of what went ahead already."""
        self._vouched: dict[int, tuple[object, ...]] = {}
        """By feed: what all of this was worked out from, last time."""

    def plan(self, *, full: bool) -> None:
        """Let urgent feeds go early, where the peer never had all of ours and lacks much control.

        What it holds of others may have been erased since, and the order comes before any data:
        then nothing goes early.

        Args:
            full: The peer listed all that it holds.
        """
        lacking = [self._ledger.chain.by_no[no] for no in self._outbox.lanes[Lane.CONTROL]]
        self._left = sum(map(self._bytes_of, lacking))
        blank = full and not self._holdings.data_of_others(self._peer)
        if self._left <= CONTROL_FIRST_BYTES or not (blank or self._no_order_in(lacking)):
            return
        for no in sorted(self._outbox.lanes[Lane.URGENT]):
            self._outbox.add(EARLY, no)

    def vouch(self, no: int) -> int | None:
        """Say what vouches for the author of a feed; return the bytes, None: it has to wait.

        Asked before each frame: a seal that came meanwhile has its author wait for control.
        """
        feed = self._ledger.chain.by_no[no]
        if self._left <= 0:
            self._outbox.not_early()
            return None
        authority = self._ledger.authority
        now = (authority, authority.version, authority.keyring.version, feed.seq)
        found = Advance() if self._vouched.get(no) == now else self._news(feed)
        size = len(pack(found)) if found is not None else 0
        if found is None or size > gathering.ADVANCE_BYTES_MAX:
            self._outbox.not_early(no)
            return None
        self._vouched[no] = now
        self._said.update(_names(found))
        self._left -= self._outbox.frame_bytes
        if found == Advance():
            return 0
        self._left -= size
        self._out.append(Vouch(found))
        return size

    def _news(self, feed: FeedState) -> Advance | None:
        found = gathering.gather(self._ledger, feed, self._peer)
        return None if found is None else self._unsaid(found)

    def _unsaid(self, found: Advance) -> Advance:
        said = self._said
        return Advance(
            tuple(each for each in found.certificates if statement_hash(each) not in said),
            tuple(each for each in found.entries if each.signature not in said),
            tuple(each for each in found.envelopes if each[2] not in said),
        )

    def _bytes_of(self, feed: FeedState) -> int:
        """About how much of a feed the peer lacks, in bytes."""
        row = self._ledger.store.one(
            "SELECT coalesce(sum(length(body) + ?), 0) FROM entry WHERE feed = ? AND seq > ?",
            (ENTRY_BYTES, feed.no, self._after(feed)),
        )
        assert row is not None
        return int(row[0])

    def _no_order_in(self, lacking: list[FeedState]) -> bool:
        """Whether no erase is among the control that the peer lacks."""
        after = {feed.feed_id: self._after(feed) for feed in lacking}
        return not any(
            place.seq > after.get(place.feed, place.seq)
            for place in self._ledger.authority.erasures.places()
        )

    def _after(self, feed: FeedState) -> int:
        return min(self._holdings.after(feed, tip) for tip in feed.tips)


def _names(advance: Advance) -> set[bytes]:
    return (
        {bytes(statement_hash(each)) for each in advance.certificates}
        | {each.signature for each in advance.entries}
        | {each[2] for each in advance.envelopes}
    )
