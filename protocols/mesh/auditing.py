"""What this node writes into its own audit trail: at once, or together and soon."""

from __future__ import annotations

from collections.abc import Sequence

from protocols.errors import LedgerError
from protocols.ledger import audit
from protocols.ledger.audit import Event, Waiting
from protocols.ledger.book import Ledger
from protocols.mesh.door import own_control
from protocols.mesh.effects import Now
from protocols.mesh.links import Switchboard


class Auditing:
    """The trail of one device while its node runs."""

    def __init__(self, ledger: Ledger, board: Switchboard) -> None:
        self._ledger = ledger
        self._board = board
        self._waiting = Waiting()
        self._last: Now | None = None

    @property
    def at_ms(self) -> int | None:
        """When to write what waits, monotonic milliseconds; None: nothing does."""
        return self._waiting.due_ms()

    def write(self, events: Sequence[Event], now: Now) -> None:
        """Write events that must stand before they happen; durable on return.

        Raises:
            LedgerError: The disk did not take them, so nothing of it may happen.
        """
        with self._ledger.atomic():
            audit.write(self._ledger, events, now.wall_ms, now.entropy)
        self._board.grew(own_control(self._ledger))

    def note(self, event: Event, now: Now) -> None:
        """Write an event soon, together with others; the first one after a pause at once."""
        self._last = now
        self._waiting.add(event)
        self.tick(now)

    def tick(self, now: Now) -> None:
        """Write what is due; on a disk that takes nothing it waits on."""
        due_ms = self._waiting.due_ms()
        if due_ms is not None and due_ms <= now.mono_ms:
            self._flush(now)

    def forget_sessions(self) -> None:
        """Another epoch begins: what waits is written into it, where its sessions name nobody."""
        self._waiting.forget_sessions()

    def stop(self) -> None:
        """Write all that waits."""
        if self._last is not None:
            self._flush(self._last)

    def _flush(self, now: Now) -> None:
        events = self._waiting.all
        try:
            if events:
                self.write(events, now)
                self._waiting.clear()
        except LedgerError:
            # Kept; a node that cannot write it down goes on with what else it can do.
            pass
        finally:
            self._waiting.tried(now.mono_ms)
