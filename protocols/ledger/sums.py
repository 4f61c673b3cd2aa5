"""What each subject comes to beside its rows: their digest, and when the newest of it happened.

Both change with every record and follow from it. Of what is written here they are kept in memory
until many are written down together: each would rewrite a page for it. A mark in the book says from
which entry on, so that what a crash takes is worked out again from there.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import NamedTuple

from protocols.ledger.store import Store
from protocols.records.shape import Fact

KEPT_MAX = 256
"""Sums kept in memory until they are written down."""
SINCE_MAX = 1024
"""Entries after which they are written down too: after a crash whomever this device wrote about
since the mark is merged again, about 0.25 s, and those of one long delivery more."""

_MARK = "sums_from"


class Sum(NamedTuple):
    """What one subject comes to."""

    digest: bytes
    """Equal wherever the same rows stand, 16 bytes."""
    newest_ms: int
    """When the latest of all that stands about it happened; of what does not stand, the first."""


def newest_of(facts: Sequence[Fact]) -> int:
    """Return when the newest of a subject's facts happened, as `Sum` says it; 0 without any."""
    standing = [fact.at_ms for fact in facts if not fact.standing]
    return max(standing) if standing else facts[0].at_ms if facts else 0


class Sums:
    """The sums that are not in the book yet. What changes them is called inside a transaction."""

    def __init__(self, store: Store) -> None:
        """Read from the book whether it may lack some that nobody keeps."""
        self._store = store
        row = store.one("SELECT value FROM meta WHERE name = ?", (_MARK,))
        self._since = int(row[0]) if row else None
        """The first entry whose subject may have another sum than the book says."""
        self._lost = self._since is not None
        """Whether an earlier run kept some, and not all of them were worked out again."""
        self._kept: dict[int, Sum] = {}
        """By subject."""
        self._read_in = store.begun if store.depth else 0
        """The transaction inside of which this was read: what was kept before it, nobody knows."""
        self._turn = 0
        self._before: dict[int, Sum | None] = {}
        """What was kept of subjects until this turn, a transaction, changed it."""
        self._lost_before = self._lost
        """Whether some were lost until then."""

    def of(self, subject: int, held: bytes) -> bytes:
        """Return the digest of a subject of which the book holds this one."""
        kept = self._kept.get(subject)
        return kept.digest if kept is not None else held

    @property
    def lost(self) -> bool:
        """Whether the book may say of some what they came to before the rows it holds of them."""
        return self._lost

    @property
    def any(self) -> bool:
        """Whether the book may lack some."""
        return self._since is not None

    def many(self, arrival: int) -> bool:
        """Whether so many are kept, or for so long, that they have to be written down.

        Args:
            arrival: The last entry there is.
        """
        long = self._since is not None and arrival - self._since >= SINCE_MAX
        return long or len(self._kept) >= KEPT_MAX

    def mark(self, arrival: int) -> None:
        """Say in the book that from this entry of this device on it may lack some."""
        if self._since is None:
            self._store.execute("INSERT INTO meta VALUES (?, ?)", (_MARK, b"%d" % arrival))
            self._since = arrival

    def keep(self, subject: int, come_to: Sum, arrival: int) -> None:
        """Keep what a subject comes to by an entry that this device has just written."""
        self.mark(arrival)
        self._change(subject, come_to)

    def write(self, sums: Sequence[tuple[int, Sum, int]]) -> None:
        """Write (subject, what it comes to, tables that hold rows of it) into the book at once.

        They wait to be merged no longer.
        """
        for subject, _, _ in sums:
            self._change(subject, None)
        self._store.executemany(
            "UPDATE subject SET rows_digest = ?, newest_ms = ?, held = ?, dirty = 0 WHERE no = ?",
            [(*come_to, held, subject) for subject, come_to, held in sums],
        )

    def undone(self) -> Sums:
        """Return these as they were before the last transaction, which failed. Outside of it."""
        old = Sums(self._store)
        if self._read_in == self._store.begun:
            return old
        before: dict[int, Sum | None] = {}
        lost = self._lost
        if self._turn == self._store.begun:
            # What was merged in it, and written down with the rest, waits again.
            before, lost = self._before, self._lost_before
        old._lost = old._lost and lost
        kept = {**self._kept, **before}
        old._kept = {no: come_to for no, come_to in kept.items() if come_to is not None}
        return old

    def _begin_turn(self) -> None:
        if self._turn != self._store.begun:
            self._turn, self._lost_before = self._store.begun, self._lost
            self._before.clear()

    def _change(self, subject: int, come_to: Sum | None) -> None:
        self._begin_turn()
        before = self._kept.pop(subject, None)
        if before is not None or come_to is not None:
            self._before.setdefault(subject, before)
        if come_to is not None:
            self._kept[subject] = come_to

    def write_down(self) -> None:
        """Write down all that are kept; nothing that an earlier run left may wait to be merged."""
        if self._since is None:
            return
        self._begin_turn()
        self._store.executemany(
            "UPDATE subject SET rows_digest = ?, newest_ms = ? WHERE no = ?",
            [(*come_to, subject) for subject, come_to in self._kept.items()],
        )
        self._store.execute("DELETE FROM meta WHERE name = ?", (_MARK,))
        self._since, self._lost = None, False
        for subject in list(self._kept):
            self._change(subject, None)

    def owed(self, feeds: Collection[int]) -> list[tuple[int, int]]:
        """Return (subject, document) of all whose sum may be neither in the book nor here.

        Those come first about whom this device wrote last.

        Args:
            feeds: Those that this device writes.
        """
        if not self._lost:
            return []
        marks = ",".join("?" * len(feeds))
        # With the plus the last entries are looked at, not all of these feeds.
        return self._store.all(
            "SELECT o.subject, o.no FROM document o JOIN ("
            " SELECT d.subject AS subject, max(e.arrival) AS newest"
            " FROM entry e JOIN document d ON d.no = e.doc"
            f" WHERE e.arrival >= ? AND +e.feed IN ({marks}) GROUP BY d.subject"
            ") w ON w.subject = o.subject ORDER BY w.newest DESC, o.no",
            (self._since, *feeds),
        )
