"""What goes into the next data frame for one peer."""

from __future__ import annotations

from protocols.ledger.book import Ledger
from protocols.mesh.frames import DATA_HEAD_BYTES, FRAME_BYTES_MAX
from protocols.mesh.holdings import Holdings
from protocols.mesh.outbox import EARLY, Outbox, Position
from protocols.mesh.runs import RecentRuns


class Packer:
    """Fills data frames from the outbox of one session."""

    def __init__(
        self, ledger: Ledger, runs: RecentRuns, outbox: Outbox, holdings: Holdings
    ) -> None:
        self._ledger = ledger
        self._runs = runs
        self._outbox = outbox
        self._holdings = holdings
        self._reached: dict[int, int] = {}
        """Local feed number → arrival number of the last entry sent of it."""

    def turn(self, lane: int) -> int:
        """The local number of the feed of a lane that the next frame begins with."""
        return self._in_turn(lane)[0]

    def _in_turn(self, lane: int) -> list[int]:
        """The feeds for one frame: what came here first leaves first, frame by frame.

        Entries follow what they depend on. What goes early goes one author at a time, each behind
        what vouches for it.
        """
        feeds = sorted(self._outbox.lanes[lane], key=lambda no: self._reached.get(no, 0))
        return feeds[:1] if lane == EARLY else feeds

    def next(self, lane: int) -> tuple[bytes | None, list[Position]]:
        """Return the runs of the next frame of a lane, None for none, and how far they reach."""
        parts: list[bytes] = []
        positions: list[Position] = []
        room = self._outbox.frame_bytes
        reached = self._reached
        for no in self._in_turn(lane):
            feed = self._ledger.chain.by_no[no]
            full = False
            for tip in feed.tips:
                if self._holdings.holds(feed, tip):
                    continue
                after = self._holdings.after(feed, tip)
                found = self._runs.after(feed, tip, after, room, bare=self._holdings.bare(feed))
                if found is None:
                    continue
                run, seq, entry, reached[no] = found
                if parts and sum(map(len, parts)) + len(run) > FRAME_BYTES_MAX - DATA_HEAD_BYTES:
                    full = True
                    break
                parts.append(run)
                room -= len(run)
                position = Position(no, seq, entry)
                positions.append(position)
                self._holdings.note(position)
                full = entry != tip.hash
                if full or room <= 0:
                    break
            if not full and (room > 0 or not self._holdings.lacks(feed)):
                self._outbox.done(lane, no)
            if full or room <= 0:
                break
        return (b"".join(parts) if parts else None), positions
