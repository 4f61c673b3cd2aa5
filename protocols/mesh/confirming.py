"""After an erase: the file is written anew, and everybody is told that all of it is gone here."""

from __future__ import annotations

from protocols.errors import LedgerError
from protocols.ledger import remembered
from protocols.ledger.book import Ledger
from protocols.mesh.door import own_control
from protocols.mesh.effects import Now
from protocols.mesh.links import Switchboard
from protocols.trust.control import EPOCHS_MAX, Confirmation

SETTLE_MS = 2_000
"""Several erases that come together are wiped once: the whole file is written for it."""
RETRY_MS = 60_000
"""After a reader or a full disk was in the way."""


class Confirming:
    """Wipes and confirms what one node has erased."""

    def __init__(self, ledger: Ledger, board: Switchboard) -> None:
        self._ledger = ledger
        self._board = board
        self._at_ms: int | None = None

    def alarm(self, now: Now) -> int | None:
        """When there is something to do, monotonic milliseconds."""
        if not self._ledger.eraser.unsettled:
            self._at_ms = None
        elif self._at_ms is None:
            self._at_ms = now.mono_ms + SETTLE_MS
        return self._at_ms

    def tick(self, now: Now) -> None:
        """Do what is due, unless something more pressing waits."""
        if self._at_ms is None or self._at_ms > now.mono_ms:
            return
        self._at_ms = now.mono_ms + SETTLE_MS
        if self._ledger.behind:
            return
        try:
            self._settle(now)
        except LedgerError:
            self._at_ms = now.mono_ms + RETRY_MS

    def _settle(self, now: Now) -> None:
        eraser = self._ledger.eraser
        if eraser.unwiped and not eraser.wipe():
            self._at_ms = now.mono_ms + RETRY_MS
            return
        remembered.keep(self._ledger)
        erases = eraser.to_confirm()
        with self._ledger.atomic():
            for at in range(0, len(erases), EPOCHS_MAX):
                said = Confirmation(tuple(bytes(each) for each in erases[at : at + EPOCHS_MAX]))
                self._ledger.write_control(said, now.wall_ms)
            eraser.settled()
        if erases:
            self._board.grew(own_control(self._ledger))
