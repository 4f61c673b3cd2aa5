"""What a running node tells its peers, and writes down of them, now and then."""

from __future__ import annotations

from protocols.ledger.book import Ledger
from protocols.mesh.effects import Changed, Now
from protocols.mesh.links import Switchboard

REMARK_MS = 60_000
"""So soon after the book grew peers are told that they hold what they brought us themselves."""
FLUSH_MS = 5 * 60_000
"""What is known of peers is written down at least this often: each time is a commit, and all that
a crash takes is that a little more is listed at the next greeting."""
SHOWN_FLUSH_MS = 60_000
"""At HQ, whose pages read it from the book; there who is met for the first time is written down at
once, or a page would say of a linked site that it never was."""
STILL_MS = 5 * 60_000
"""So often HQ notes who is linked still, or a page would take a quiet site for a silent one."""


class Keeping:
    """The timers of one node for what its peers hold."""

    def __init__(self, ledger: Ledger, board: Switchboard) -> None:
        self._ledger = ledger
        self._board = board
        self._remark_at: int | None = None
        self._flush_at: int | None = None
        self._still_at: int | None = None
        self._remarked = -1
        """The last arrival number when peers were told last."""

    def alarms(self, now: Now) -> tuple[int | None, int | None, int | None]:
        """When there is something to tell or to write down, monotonic milliseconds."""
        ledger = self._ledger
        peers = ledger.peers
        hq = ledger.authority.is_hq(ledger.authority.device)
        if not hq or not self._board.sessions():
            self._still_at = None
        elif self._still_at is None:
            self._still_at = now.mono_ms + STILL_MS
        if peers.dirty and (self._flush_at is None or peers.newly_met):
            later = FLUSH_MS if not hq else 0 if peers.newly_met else SHOWN_FLUSH_MS
            self._flush_at = min(self._flush_at or now.mono_ms + later, now.mono_ms + later)
        if self._remark_at is None and ledger.chain.last_arrival != self._remarked:
            self._remark_at = now.mono_ms + REMARK_MS
        return self._remark_at, self._flush_at, self._still_at

    def offered(self) -> None:
        """A peer was offered what grew: its mark may still have to be said."""
        self._remarked = -1

    def tick(self, now: Now) -> None:
        """Do what is due."""
        if self._remark_at is not None and self._remark_at <= now.mono_ms:
            self._remark_at, self._remarked = None, self._ledger.chain.last_arrival
            for session in self._board.sessions():
                if session.rest.until_ms <= now.mono_ms:
                    session.remark()
                else:
                    self.offered()
        if self._still_at is not None and self._still_at <= now.mono_ms:
            self._still_at, self._flush_at = None, now.mono_ms
            self._note_linked(now)
        if self._flush_at is not None and self._flush_at <= now.mono_ms:
            self._flush_at = None
            self.flush()

    def _note_linked(self, now: Now) -> None:
        """Note who is linked, and of whom all is here; pages are told."""
        for session in self._board.sessions():
            self._ledger.peers.note_linked(session.peer, now.wall_ms)
            if session.whole and not session.streaming and not session.awaited:
                self._ledger.peers.note_whole(session.peer, now.wall_ms)
        self._board.effects.append(Changed(frozenset(("peer",))))

    def flush(self) -> None:
        """Write down what is known of peers; durable on return."""
        with self._ledger.store.atomic():
            self._ledger.peers.flush()
