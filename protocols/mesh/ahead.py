"""Orders before data: what a peer listed of control comes before its routine entries are taken."""

from __future__ import annotations

from collections.abc import Iterable

from protocols.feeds.feed import decode_genesis
from protocols.feeds.lane import Lane
from protocols.feeds.run import Run
from protocols.ids import FeedId
from protocols.ledger.book import Ledger
from protocols.mesh.awaiting import AWAITED_MAX
from protocols.mesh.frames import Place


class Ahead:
    """Control of one peer that it listed when it greeted, and that is still to come.

    An erase has to be here before what is merged next to what it erases. Every sender puts control
    first; who does not has its routine entries left on the wire once and asked for again behind
    the control. Once only: whoever cannot send what it listed keeps nothing else from anybody.
    What is urgent is taken at any time: no list that a peer makes holds back a red triage.
    """

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._lacking: dict[FeedId, Place] = {}
        self._left: set[FeedId] = set()

    def listed(self, places: Iterable[Place]) -> None:
        """The peer lists entries that are not here."""
        for place in places:
            feed = self._ledger.chain.feeds.get(place.feed)
            if feed is not None and feed.genesis.lane == Lane.CONTROL:
                self._lacking[place.feed] = place

    def of(self, run: Run) -> list[FeedId]:
        """Return the control feeds that have to come before a run; none when it is to be taken."""
        if not self._lacking or run.feed in self._left or len(self._left) >= AWAITED_MAX:
            return []
        genesis = decode_genesis(run.genesis) if run.genesis else None
        held = genesis or self._ledger.chain.genesis_of(run.feed)
        if held is None or held.lane <= Lane.URGENT or not self._lacks():
            return []
        self._left.add(run.feed)
        return list(self._lacking)

    def _lacks(self) -> bool:
        prev_of = self._ledger.chain.prev_of
        self._lacking = {
            feed: place
            for feed, place in self._lacking.items()
            if prev_of(feed, place.seq, place.stub) is None
        }
        return bool(self._lacking)
