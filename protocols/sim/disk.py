"""The disk of a drill: a book in memory that loses power around a chosen commit."""

from __future__ import annotations

from typing import Any

from protocols.ledger.store import Store, Values, open_memory
from protocols.sim.host import PowerCutError


class Disk(Store):
    """A store whose power can fail. What was committed is kept, what was not is gone."""

    def __init__(self) -> None:
        super().__init__(open_memory().connection, None)
        self._fuse = 0
        self._after = False

    def arm(self, commits: int, *, after: bool) -> None:
        """Lose power at the commit so many from now (1 = the next); 0 = never mind."""
        self._fuse, self._after = commits, after

    def execute(self, sql: str, values: Values = ()) -> Any:
        """Run one statement, unless the power goes."""
        if self._fuse and sql == "COMMIT":
            self._fuse -= 1
            if not self._fuse:
                if self._after:
                    super().execute(sql)
                raise PowerCutError
        return super().execute(sql, values)

    def power_gone(self) -> None:
        """Forget what was not committed, and whatever was to come."""
        self._fuse = 0
        if self.connection.in_transaction:
            self.connection.execute("ROLLBACK")

    def copy(self) -> Disk:
        """Return another disk with the same bytes: a clone, or a backup."""
        other = type(self)()
        self.copy_to(other.connection)
        return other
