"""What goes into the next data frame for one peer."""

from __future__ import annotations

from protocols.ledger.book import Ledger
from protocols.mesh.frames import DATA_BYTES, DATA_HEAD_BYTES, FRAME_BYTES_MAX
from protocols.mesh.holdings import Holdings
from protocols.mesh.outbox import EARLY, Outbox, Position
from protocols.mesh.runs import RecentRuns

SHARES = 4
"""Runs of one frame where several feeds have more to send than fits: what an entry goes on from is
in a frame nearby then, not six frames off. Each costs some 80 bytes."""


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
        feeds = sorted(self._outbox.lanes[lane], key=self._reach)
        return feeds[:1] if lane == EARLY else feeds

    def next(self, lane: int) -> tuple[bytes | None, list[Position]]:
        """Return the runs of the next frame of a lane, None for none, and how far they reach."""
        parts: list[bytes] = []
        positions: list[Position] = []
        room = self._outbox.frame_bytes
        # A slow link has short frames, and a run is seldom shorter: one to a frame, in turn.
        least = room // SHARES if room >= DATA_BYTES else room
        waiting = self._in_turn(lane)
        for at, no in enumerate(waiting, 1):
            share = min(least, room) if at < len(waiting) else room
            used, more = self._some(no, share, parts, positions)
            room -= used
            if more is None:
                break
            if not more:
                self._outbox.done(lane, no)
            if room <= 0 or (more and room < least // 2):
                break
        return (b"".join(parts) if parts else None), positions

    def _some(
        self, no: int, bytes_max: int, parts: list[bytes], positions: list[Position]
    ) -> tuple[int, bool | None]:
        """Add runs of a feed to a frame; return their bytes and whether more of it is to be sent.

        None instead where what comes next is too long for this frame.
        """
        feed, used = self._ledger.chain.by_no[no], 0
        for tip in feed.tips:
            if self._holdings.holds(feed, tip):
                continue
            after = self._holdings.after(feed, tip)
            bare = self._holdings.bare(feed)
            found = self._runs.after(feed, tip, after, bytes_max - used, bare=bare)
            if found is None:
                continue
            run, seq, entry, reached = found
            if parts and sum(map(len, parts)) + len(run) > FRAME_BYTES_MAX - DATA_HEAD_BYTES:
                return used, None
            self._reached[no] = reached
            parts.append(run)
            used += len(run)
            position = Position(no, seq, entry)
            positions.append(position)
            self._holdings.note(position)
            if entry != tip.hash or used >= bytes_max:
                return used, self._holdings.lacks(feed)
        return used, False

    def _reach(self, no: int) -> int:
        return self._reached.get(no, 0)
