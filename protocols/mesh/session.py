"""One peer, one link: what it holds, what it lacks, and what passes between us.

A session never waits and never looks at a clock: it takes frames and instants, asks the ledger,
and leaves the frames to be sent in `out`. The node seals them and keeps the timers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import assert_never

from protocols.errors import PeerError
from protocols.feeds.advance import Advance
from protocols.feeds.run import Gap, Run, decode_run
from protocols.feeds.varint import put_varint
from protocols.ids import DeviceId, Epoch, FeedId, KeyId
from protocols.ledger import advancing, showing
from protocols.ledger.authority import Authority
from protocols.ledger.book import Ledger, Taken
from protocols.ledger.chain import FeedState
from protocols.mesh.ahead import Ahead
from protocols.mesh.awaiting import Awaited
from protocols.mesh.early import Early
from protocols.mesh.entitlement import Entitlement
from protocols.mesh.frames import (
    HEADS_MAX,
    Ack,
    Bye,
    Data,
    Frame,
    Have,
    Lacks,
    Ladder,
    Links,
    Mark,
    Place,
    Receipt,
    Unknown,
    Vouch,
    Want,
)
from protocols.mesh.glimpse import urgent_run
from protocols.mesh.holdings import Holdings
from protocols.mesh.offers import MarkRest, Offers
from protocols.mesh.outbox import EARLY, Outbox, Position
from protocols.mesh.packing import Packer
from protocols.mesh.places import LADDER_PLACES_MAX, end_of, place_of, rungs, start_of
from protocols.mesh.runs import RecentRuns

REFUSED_MAX = 64
"""Feeds of one session that are kept as evidence of asking for what is not to be had."""
STREAM_BYTES = 8 * 1024
"""A data frame at least this long announces more: merging waits for the end."""


class Session:
    """What passes between this node and one known peer over one link."""

    def __init__(
        self,
        ledger: Ledger,
        runs: RecentRuns,
        peer: DeviceId,
        epoch: Epoch,
        they_hold: int | None,
    ) -> None:
        self.peer = peer
        self.epoch = epoch
        """The peer's epoch: what `we hold` of it counts in."""
        self.out: list[Frame] = []
        self.stirred = True
        """Something happened here since the last pump; else there is nothing to send but `out`."""
        self.links: frozenset[DeviceId] = frozenset()
        """Devices the peer is linked to itself."""
        self.rest = MarkRest()
        """As long as it lasts our mark is said only where a frame goes anyway."""
        self.parted: frozenset[DeviceId] = frozenset()
        """Devices it was linked to and is no more, until the node has looked."""
        self.lacks: frozenset[KeyId] = frozenset()
        """Scope keys that the peer says it cannot open."""
        self.wall_ms = 0
        """The latest wall clock, set by the node before each frame."""
        self.own_ahead = False
        """The peer holds entries of our own feed that we do not: we are an older copy."""
        self.streaming = False
        """The peer is in the middle of a long delivery."""
        self.refused: dict[int, bool] = {}
        """Feeds that the peer asked for and may not hold: True until somebody was told."""
        self._ledger = ledger
        self.entitlement = Entitlement(ledger, peer, epoch)
        self._holdings = Holdings(ledger, self.entitlement, they_hold)
        self.offers = Offers(ledger, self._holdings)
        """Feeds that grew by others' entries and were not offered yet."""
        self._outbox = Outbox()
        self._packer = Packer(ledger, runs, self._outbox, self._holdings)
        self._early = Early(ledger, peer, self._outbox, self._holdings, self.out)
        self.came_whole = False
        """All that the peer had is here, its control too; whoever reads it clears it."""
        self._taken = 0
        self._told_upto = 0
        self._mark: int | None = None
        self._listed = False
        self.awaited = Awaited(ledger)
        """What the peer told us of and that is still to come."""
        self._ahead = Ahead(ledger)
        self._climbed: set[int] = set()
        self._ack_upto = 0
        self._judged_by: tuple[Authority, int, int] | None = None

    @property
    def they_hold(self) -> int | None:
        """Arrival number of ours up to which the peer holds all; None until it says."""
        return self._holdings.upto

    def begin(self) -> None:
        """Say what we hold, as soon as we know where the peer stands."""
        assert self.they_hold is not None
        heads = self._ledger.chain.changed_since(self.they_hold)
        places = [place_of(feed, tip) for feed, tip in heads if self.entitlement.may(feed)]
        full = self.they_hold == 0
        upto = self._ledger.chain.last_arrival
        while len(places) > HEADS_MAX:
            self.out.append(Have(full, 0, tuple(places[:HEADS_MAX])))
            places = places[HEADS_MAX:]
        self.out.append(Have(full, upto, tuple(places)))
        self._mark = upto

    def say_hold(self, upto: int) -> None:
        """Say what we hold of the peer, where the handshake had no room for it."""
        self.out.insert(0, Ack(0, upto))

    def take(self, frame: Frame, size: int, now_ms: int) -> Taken | None:
        """Take one frame; entries it carried are stored when this returns.

        Args:
            size: Bytes of the frame, what an acknowledgement counts.
            now_ms: Monotonic milliseconds.

        Raises:
            PeerError: The peer broke the protocol. Close the session and keep the evidence.
        """
        self.stirred = True
        self._climbed.clear()
        self.reauthorise()
        match frame:
            case Data(runs, mark):
                taken = self._take_data(runs, size)
                self._end_data(mark)
                return taken
            case Have():
                self._take_have(frame, now_ms)
            case Want(places):
                for place in places:
                    self._wanted(place)
            case Ladder(places):
                self._take_ladder(places)
            case Mark(upto):
                self._reach(upto)
            case Ack(taken, upto, mark):
                self._take_ack(taken, upto, now_ms)
                self._note_mark(mark)
            case Links(devices):
                self.parted |= self.links.difference(devices)
                self.links = frozenset(devices)
            case Lacks(keys):
                self.lacks = frozenset(keys)
            case Vouch(advance):
                self._take_advance(advance)
            case Receipt() | Bye() | Unknown():
                pass
            case _:
                assert_never(frame)
        return None

    def reauthorise(self) -> None:
        """See whether the peer may still hold what it could: stop what it may not, offer the new.

        Costs nothing while the roster stays as it is.
        """
        authority = self._ledger.authority
        judged_by = (authority, authority.version, authority.releases.number)
        if judged_by == self._judged_by:
            return
        self._judged_by, self.stirred = judged_by, True
        shown = self.entitlement.shown_changed()
        granted, withdrawn = self.entitlement.changed()
        for feed in withdrawn:
            self._outbox.done(feed.genesis.lane, feed.no)
            self.offers.drop(feed.no)
        if shown:
            self._outbox.keep(lambda no: self.entitlement.tells(self._ledger.chain.by_no[no]))
            if self._listed:
                self._offer_now(self.entitlement.shown())
        if granted and self._listed:
            self._told_upto, self._mark = 0, self._ledger.chain.last_arrival
            self._offer_now(granted)

    def _offer_now(self, feeds: Iterable[FeedState]) -> None:
        for feed in feeds:
            if self._holdings.lacks(feed):
                self.offers.add(feed.no, 0)
        if self.offers:
            self.out += self.offers.take()
            self.remark()

    def grew(self, feed: FeedState) -> None:
        """A feed grew by our own entry: push it."""
        if self.entitlement.may(feed):
            self._outbox.add(feed.genesis.lane, feed.no)
            self._mark, self.stirred = self._ledger.chain.last_arrival, True
        elif self._listed and self.entitlement.bare(feed):
            self._offer_now((feed,))

    def heard(self, feed: FeedState, offer_at: int, *, second_look: bool = False) -> None:
        """A feed grew by another's entry: offer it then, unless the peer turns out to hold it."""
        if self.offers.due_by(feed.no, offer_at):
            return
        if self.entitlement.tells(feed) and self._holdings.lacks(feed):
            self.offers.add(feed.no, offer_at, second_look=second_look)

    def offer_parted(self, offer_at: int) -> None:
        """Offer soon what waited because the peer was linked to its author, and is no more."""
        self.offers.hasten(self.parted, offer_at)
        self.parted = frozenset()

    def offer(self, now_ms: int) -> None:
        """Say what grew and may be missing there; the peer asks for what it lacks."""
        self.stirred, looking = True, bool(self.offers.second_looks)
        self.out += self.offers.take()
        if looking:
            self.rest.begin(now_ms)
        else:
            self.remark()

    def remark(self) -> None:
        """Let the peer know that it holds what it brought us itself, or it would come back."""
        self.offers.drop_held()
        if self._listed and self._outbox.empty and not self.offers:
            self._mark, self.stirred = self._ledger.chain.last_arrival, True

    def pump(self, now_ms: int) -> None:
        """Move what the window allows from the outbox into frames, most urgent first."""
        while (first := self._outbox.first) is not None and self._outbox.room(first[0]):
            vouched = self._early.vouch(self._packer.turn(EARLY)) if first[0] == EARLY else 0
            if vouched is None:
                continue
            frame, positions = self._packer.next(first[0])
            if frame is None:
                continue
            data = Data(frame, self._due_mark(riding=True))
            self.out.append(data)
            size = 1 + len(put_varint(data.mark)) + len(frame)
            self._outbox.leave(size, now_ms, tuple(positions), vouched)
        if now_ms >= self.rest.until_ms and (mark := self._due_mark()):
            self.out.append(Mark(mark))
        self.stirred = False

    def _due_mark(self, *, riding: bool = False) -> int:
        """The mark that may be said now, once; 0 while something is still to be sent.

        Behind a frame that goes anyway (`riding`) it says what was offered, too, with more to come.
        """
        if not self._listed or not self._outbox.empty:
            return 0
        mark = self.offers.upto if riding else 0
        if not self.offers and (riding or self._mark is not None):
            # All that came since has been sent or offered too, or it would still be to be.
            mark, self._mark = self._ledger.chain.last_arrival, None
            self.rest.end()
        if mark <= self._told_upto:
            return 0
        self._told_upto = mark
        self.entitlement.promise(mark)
        return mark

    @property
    def whole(self) -> bool:
        """Whether all that the peer had has been here once since it greeted."""
        return self._ack_upto > 0

    @property
    def settled(self) -> bool:
        """Whether the peer has acknowledged all that we had for it."""
        return self._outbox.settled

    # receiving

    def _take_data(self, raw: bytes, size: int) -> Taken:
        chain = self._ledger.chain
        runs: list[Run] = []
        wants: list[Place] = []
        at = 0
        while at < len(raw):
            try:
                run, at = decode_run(raw, at, chain.genesis_of, chain.prev_of)
            except Gap as gap:
                wants.append(self._asking(gap.feed))
                self.awaited.wait_for(gap.feed, None)
                at = gap.end
                continue
            if ahead := self._ahead.of(run):
                wants += map(self._asking, (*ahead, run.feed))
                self.awaited.wait_for(run.feed, None)
                continue
            runs.append(run)
        taken = showing.take(self._ledger, runs, self.wall_ms)
        for run in runs:
            last = run.lines[-1]
            feed = self._ledger.chain.feeds[run.feed]
            self._holdings.note(Position(feed.no, last.seq, last.hash))
            self.offers.noted(feed)
            self.awaited.came(run.feed)
        self._meet_own(taken)
        if wants:
            self.out.append(Want(tuple(dict.fromkeys(wants))))
        self._taken += size
        self.streaming = size >= STREAM_BYTES
        return taken

    def _take_advance(self, advance: Advance) -> None:
        """Take what goes ahead of control, as long as the peer's has never been here whole."""
        if not self._ack_upto and not self._ledger.peers.all[self.peer].we_hold:
            advancing.take(self._ledger, advance, self.peer)

    def take_urgent(self, frame: Frame) -> Taken | None:
        """Store what is urgent in a data frame whose turn is still to come.

        Nothing is acknowledged and nothing asked for: its turn comes and finds it known.
        """
        run = urgent_run(frame, self._ledger)
        return None if run is None else self._ledger.take([run], self.wall_ms)

    def _end_data(self, mark: int) -> None:
        """Acknowledge a data frame, and the mark that came with it."""
        if mark:
            self.streaming = False
            self.awaited.strike_out()
            self._note_mark(mark)
        self.out.append(Ack(self._taken, self._ack_upto, self._even()))

    def _even(self) -> int:
        """Our last arrival number when the peer now holds all of ours, else 0."""
        behind = not self._outbox.empty or self.offers or self.awaited
        # What says no more than this is not acknowledged: it cannot speak of a scope anew.
        if behind or not self._listed or not self.entitlement.whole:
            return 0
        self._told_upto = self._ledger.chain.last_arrival
        self.rest.end()
        return self._told_upto

    def _meet_own(self, taken: Taken) -> None:
        """New entries of our own feed, signed with our key, prove that we are an older copy."""
        authority = self._ledger.authority
        own = authority.device, authority.epoch
        for feed in taken.feeds:
            if (feed.genesis.device, feed.genesis.epoch) == own:
                self.own_ahead = True

    def _take_have(self, have: Have, now_ms: int) -> None:
        lacking = [place for place in have.places if self._compare(place)]
        if not self._listed:
            self._ahead.listed(lacking)
        offered = not have.upto and not have.full
        if offered and self._listed:
            self.rest.begin(now_ms)
        missing = [self._asking(place.feed) for place in lacking] if offered else []
        if missing:
            for place in lacking:
                self.awaited.wait_for(place.feed, place)
            self.out.append(Want(tuple(dict.fromkeys(missing))))
        if have.upto or not (have.full or have.places):
            self._answer(have)

    def _answer(self, have: Have) -> None:
        """The peer's list is whole: now we know what it lacks."""
        self._listed = self._outbox.listed = True
        chain = self._ledger.chain
        since = 0 if have.full else (self.they_hold or 0)
        uncovered = {} if have.full else {f.no: f for f in self.entitlement.uncovered(since)}
        for feed, tip in chain.changed_since(since):
            if not self.entitlement.may(feed) or feed.no in uncovered:
                continue
            if self._holdings.knows_none(feed) and not have.full:
                self._holdings.assume_before(feed, since)
            if not self._holdings.holds(feed, tip):
                self._outbox.add(feed.genesis.lane, feed.no)
        if not since:
            self._early.plan(full=have.full)
        self._mark = chain.last_arrival
        self._offer_now((*uncovered.values(), *self.entitlement.shown()))

    def _compare(self, place: Place) -> bool:
        """Note what the peer holds of a feed; return True when it holds something we lack."""
        feed = self._ledger.chain.feeds.get(place.feed)
        if feed is None:
            return True
        if place.seq == 0:
            return False
        full = self._ledger.chain.prev_of(place.feed, place.seq, place.stub)
        if full is not None:
            self._holdings.note(Position(feed.no, place.seq, full))
            self.offers.noted(feed)
            return False
        if not self.entitlement.may(feed):
            # It holds what it may not: what is new of it is taken, and nothing is said of ours.
            return True
        if place.seq <= feed.seq:
            self.awaited.wait_for(place.feed, place)
            self._climb(feed)
            return True
        if len(feed.tips) == 1:
            tip = feed.tips[0]
            self._holdings.note(Position(feed.no, tip.seq, tip.hash))
        return True

    def _wanted(self, place: Place) -> None:
        feed = self._ledger.chain.feeds.get(place.feed)
        if feed is None:
            return
        if not self.entitlement.tells(feed):
            # As of a feed that is not here: an answer would say that it is.
            if len(self.refused) < REFUSED_MAX:
                self.refused.setdefault(feed.no, True)
            return
        full = self._ledger.chain.prev_of(place.feed, place.seq, place.stub) if place.seq else None
        if place.seq and full is None:
            self._climb(feed)
            return
        self._holdings.reset(feed, full, place.seq)
        # It lacks what the last mark spoke of: the mark is said again behind it.
        self._told_upto = 0
        self._outbox.doubt(feed.no)
        self._outbox.add(feed.genesis.lane, feed.no)
        self._mark = self._ledger.chain.last_arrival

    def _take_ladder(self, places: tuple[Place, ...]) -> None:
        """The peer's branch left ours: send from the last entry we share, and ask for its own."""
        if not 0 < len(places) <= LADDER_PLACES_MAX:
            raise PeerError("malformed", what="ladder")
        feed = self._ledger.chain.feeds.get(places[0].feed)
        if feed is None or not self.entitlement.may(feed):
            self.out.append(Want((start_of(places[0].feed),)))
            return
        common = start_of(feed.feed_id)
        self._holdings.reset(feed)
        self._outbox.doubt(feed.no)
        for place in places:
            full = self._ledger.chain.prev_of(feed.feed_id, place.seq, place.stub)
            if place.feed == feed.feed_id and full is not None:
                common = place
                self._holdings.note(Position(feed.no, place.seq, full))
        if common != places[-1]:
            self.out.append(Want((common,)))
        self._outbox.add(feed.genesis.lane, feed.no)

    def _climb(self, feed: FeedState) -> None:
        """Send where our branch stands, once in answer to one frame."""
        if feed.no not in self._climbed:
            self._climbed.add(feed.no)
            self.out.append(Ladder(tuple(rungs(self._ledger.chain, feed))))

    def _reach(self, upto: int) -> None:
        """All of the peer's entries up to this mark have passed; say so once they are stored."""
        self.streaming = False
        self.awaited.strike_out()
        self._note_mark(upto)
        self.offers.drop_held()
        self.out.append(Ack(self._taken, self._ack_upto, self._even()))

    def _note_mark(self, upto: int) -> None:
        """We hold all of the peer's up to here, unless something asked for is still missing."""
        if upto > self._ack_upto and not self.awaited:
            self._ack_upto = upto
            self.came_whole = True
            self._ledger.peers.note_held_of(self.peer, self.epoch, upto)

    def _take_ack(self, taken: int, upto: int, now_ms: int) -> None:
        for position in self._outbox.arrive(taken, now_ms):
            self._ledger.peers.note_holds(self.peer, position.feed, position.seq)
        if upto > self._ledger.chain.last_arrival:
            upto = 0
        if self.they_hold is None:
            self._holdings.upto = upto
            self.begin()
            return
        self.entitlement.reached(upto)
        if upto > self.they_hold:
            self._holdings.upto = upto
            self._ledger.peers.note_holds_all(self.peer, upto)

    def _asking(self, feed_id: FeedId) -> Place:
        """From where to ask for a feed: from the start, where our end is not for the peer to see.

        Of its own feed the peer may know how far we hold it.
        """
        chain = self._ledger.chain
        feed = chain.feeds.get(feed_id)
        open_to_it = feed and (self.entitlement.sees_end(feed) or feed.genesis.device == self.peer)
        return end_of(chain, feed_id) if open_to_it else start_of(feed_id)
