"""What others wrote, passed on: pushed or offered to the peers that may lack it."""

from __future__ import annotations

from collections.abc import Iterable

from protocols.feeds.lane import Lane
from protocols.ids import DeviceId
from protocols.ledger.book import Ledger
from protocols.ledger.chain import FeedState
from protocols.mesh.effects import Now
from protocols.mesh.keeping import Keeping
from protocols.mesh.links import Switchboard
from protocols.mesh.session import Session

OFFER_MS = (50, 200)
"""An offer waits this long, at random, so that ten nodes do not all offer one entry."""
SUPPRESSED_OFFER_MS = (30 * 60_000, 32 * 60_000)
"""When the author is linked to the peer itself, our offer is only a safety net. At random, so that
of two who heard the same at one moment the first to offer tells the other that it need not."""
URGENT_OFFER_MS = (600, 1_200)
"""What is urgent is offered this soon even so, by the two devices whose ids are next to the peer's:
a link to the author may be dead for half a minute before anybody notices."""
URGENT_REACH = 1
"""How far apart in the ring of ids a device looks after another; 0: nobody looks."""
_URGENT = int(Lane.URGENT)


class Passing:
    """What one node offers its peers, and when."""

    def __init__(self, ledger: Ledger, board: Switchboard, keeping: Keeping) -> None:
        self._ledger = ledger
        self._board = board
        self._keeping = keeping
        self.at_ms: int | None = None
        """Before this, monotonic milliseconds, nothing is to be offered to anybody; it may well be
        later, or nothing at all."""

    def pass_on(self, source: Session, feeds: Iterable[FeedState], now: Now) -> None:
        """Offer feeds that grew by others' entries, or push what is urgent and has no other way."""
        late = now.mono_ms + now.between(SUPPRESSED_OFFER_MS)
        for session in self._board.sessions():
            if session is source:
                continue
            for feed in feeds:
                author, lane = feed.genesis.device, feed.genesis.lane
                if author == session.peer and feed.genesis.epoch == session.epoch:
                    continue
                if author in session.links:
                    if lane <= _URGENT and self.is_next_to(session, author):
                        soon = now.mono_ms + now.between(URGENT_OFFER_MS)
                        session.heard(feed, soon, second_look=True)
                    else:
                        session.heard(feed, late)
                elif lane <= _URGENT:
                    session.grew(feed)
                else:
                    session.heard(feed, now.mono_ms + now.between(OFFER_MS))
            self._mind(session)

    def is_next_to(self, session: Session, author: DeviceId) -> bool:
        """Whether we stand next to the peer, on either side, in the ring of ids of all linked.

        Of those that are linked to the peer and to us: another cannot look after it, or may never
        hear what we heard. The author has sent it already, so it is left out: somebody else has to
        have looked. Two look after each device, and of two neighbours the first to say so tells
        the other enough.
        """
        own = self._ledger.authority.device
        # Another life of the peer or of ours may have written it, and a peer may say anything.
        others = session.links.intersection(self._board.linked) - {author}
        ring = sorted({*others, session.peer, own})
        apart = (ring.index(session.peer) - ring.index(own)) % len(ring)
        return min(apart, len(ring) - apart) <= URGENT_REACH

    def parted(self, session: Session, now: Now) -> None:
        """A peer has lost devices that it was linked to: offer it soon what they wrote."""
        session.offer_parted(now.mono_ms + now.between(OFFER_MS))
        self._mind(session)

    def tick(self, now: Now) -> None:
        """Offer what is due; only here the alarm is put off or let go."""
        if self.at_ms is None or self.at_ms > now.mono_ms:
            return
        left: list[int] = []
        for session in self._board.sessions():
            at_ms = session.offers.at_ms
            if at_ms is not None and at_ms <= now.mono_ms:
                session.offer(now.mono_ms)
                self._keeping.offered()
                at_ms = session.offers.at_ms
            if at_ms is not None:
                left.append(at_ms)
        self.at_ms = min(left, default=None)

    def _mind(self, session: Session) -> None:
        """Something is to be offered to a peer: wake by then, or before."""
        at_ms, soonest = session.offers.at_ms, self.at_ms
        if at_ms is not None and (soonest is None or at_ms < soonest):
            self.at_ms = at_ms
