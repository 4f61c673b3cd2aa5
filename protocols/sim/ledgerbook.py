"""A device's disk as its tables say it, read with plain SQL past the software under test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from protocols.ids import DeviceId, EntryHash, FeedId
from protocols.ledger.store import Store
from protocols.sim.book import Arrival, EntryName

_ARRIVALS = (
    "SELECT e.arrival, f.feed_id, e.seq, e.hash, f.device, f.lane FROM entry e"
    " JOIN feed f ON f.no = e.feed WHERE e.arrival > ? ORDER BY e.arrival"
)
_UNOPENED = (
    "SELECT f.feed_id, e.seq, e.hash, u.void, u.reason FROM unopened u"
    " JOIN entry e ON e.arrival = u.entry JOIN feed f ON f.no = e.feed"
)
_LOCAL = ("subject", "entry", "changed")
"""Columns of a row table that number things on one device only."""


class LedgerBook:
    """The book in one store."""

    def __init__(self, store: Store) -> None:
        self._store = store

    @property
    def changes(self) -> int:
        """Grows whenever anything is written; while it stands still nothing arrived."""
        changes: int = self._store.connection.total_changes
        return changes

    def arrivals(self, after: int) -> Sequence[Arrival]:
        """Return what came after this local number, in order."""
        return [
            Arrival(number, EntryName(FeedId(feed), seq, EntryHash(entry)), DeviceId(device), lane)
            for number, feed, seq, entry, device, lane in self._store.all(_ARRIVALS, (after,))
        ]

    def rows(self) -> Mapping[str, Sequence[tuple[object, ...]]]:
        """Return every row of every table, local numbers replaced by names, sorted."""
        held = self._store.one("SELECT value FROM meta WHERE name = 'row_tables'")
        return {name: self._rows_of(name) for name in held[0].decode().split()} if held else {}

    def judged(self) -> Mapping[EntryName, str]:
        """Return how each entry that is not merged is judged: `void` or `waiting`, and why."""
        return {
            EntryName(FeedId(feed), seq, EntryHash(entry)): f"{_WORDS[void]} {reason}"
            for feed, seq, entry, void, reason in self._store.all(_UNOPENED)
        }

    def content(self) -> Iterator[bytes]:
        """Yield every text and every blob the disk holds."""
        tables = self._store.all("SELECT name FROM sqlite_master WHERE type = 'table'")
        for (name,) in sorted(tables):
            for row in self._store.all(f'SELECT * FROM "{name}"'):
                for value in row:
                    if isinstance(value, str):
                        yield value.encode()
                    elif isinstance(value, bytes):
                        yield value

    def _rows_of(self, table: str) -> Sequence[tuple[object, ...]]:
        named = [column[1] for column in self._store.all(f"PRAGMA table_info({table})")]
        shared = ", ".join(f"r.{column}" for column in named if column not in _LOCAL)
        found = self._store.all(
            f"SELECT s.id, e.hash, {shared} FROM {table} r"
            " JOIN subject s ON s.no = r.subject LEFT JOIN entry e ON e.arrival = r.entry"
        )
        return sorted(found, key=repr)


_WORDS = ("waiting", "void")
