"""A device's disk as its tables say it, read with plain SQL past the software under test."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from protocols.ids import DeviceId, EntryHash, FeedId
from protocols.ledger.inspection import check
from protocols.ledger.store import Store
from protocols.records.shape import SubjectKind
from protocols.sim.book import Arrival, EntryName, Shown

_ARRIVALS = "SELECT arrival, feed, seq, hash FROM entry WHERE arrival > ? ORDER BY arrival"
_UNOPENED = (
    "SELECT f.feed_id, e.seq, e.hash, u.void, u.reason FROM unopened u"
    " JOIN entry e ON e.arrival = u.entry JOIN feed f ON f.no = e.feed"
)
_SUBJECTS = (
    "SELECT DISTINCT s.id, f.scope FROM strand t JOIN document d ON d.no = t.doc"
    " JOIN subject s ON s.no = d.subject JOIN feed f ON f.no = t.feed"
)
_OPENED = (
    "SELECT f.feed_id, e.seq, e.hash, f.scope FROM strand t"
    " JOIN entry e ON e.arrival = t.entry JOIN feed f ON f.no = t.feed ORDER BY e.arrival"
)
_BARE = (
    "SELECT f.feed_id, e.seq, e.hash FROM entry e JOIN feed f ON f.no = e.feed WHERE e.body IS NULL"
)
_COUNTS = (
    "SELECT f.feed_id, e.seq, e.hash FROM entry e JOIN feed f ON f.no = e.feed"
    " JOIN document d ON d.no = e.doc JOIN subject s ON s.no = d.subject"
    f" WHERE s.kind = {SubjectKind.COUNTED:d}"
)
_KEYS = (
    "SELECT f.feed_id, e.seq, e.hash, k.key_id FROM entry e JOIN feed f ON f.no = e.feed"
    " JOIN key_name k ON k.no = e.scope_key WHERE f.lane > 0"
)
_CONTROL = (
    "SELECT f.device, e.hash, e.body FROM entry e JOIN feed f ON f.no = e.feed"
    " WHERE f.lane = 0 ORDER BY e.hash"
)
_LOCAL = ("subject", "entry", "changed")
"""Columns of a row table that number things on one device only."""


class LedgerBook:
    """The book in one store."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._feeds: dict[int, tuple[FeedId, DeviceId, int, bytes]] = {}
        """What the disk says of a feed, by its local number, as far as anything was asked of it:
        a drill looks for what has come after every call of a node."""
        self._read: tuple[int, Mapping[str, Sequence[tuple[object, ...]]]] | None = None
        """What `rows` said last, and at which `changes`."""

    @property
    def changes(self) -> int:
        """Grows whenever anything is written; while it stands still nothing arrived."""
        changes: int = self._store.connection.total_changes
        return changes

    def arrivals(self, after: int) -> Sequence[Arrival]:
        """Return what came after this local number, in order."""
        found = []
        for number, no, seq, digest in self._store.all(_ARRIVALS, (after,)):
            feed, device, lane, scope = self._feeds.get(no) or self._feed(no)
            name = EntryName(feed, seq, EntryHash(digest))
            found.append(Arrival(number, name, device, lane, scope))
        return found

    def _feed(self, no: int) -> tuple[FeedId, DeviceId, int, bytes]:
        row = self._store.one("SELECT feed_id, device, lane, scope FROM feed WHERE no = ?", (no,))
        assert row is not None
        feed_id, device, lane, scope = row
        self._feeds[no] = FeedId(feed_id), DeviceId(device), lane, scope
        return self._feeds[no]

    def rows(self) -> Mapping[str, Sequence[tuple[object, ...]]]:
        """Return every row of every table, local numbers replaced by names, sorted.

        Several checkers ask one after another: as long as nothing is written they are read once.
        """
        changes = self.changes
        if self._read is None or self._read[0] != changes:
            self._read = changes, {name: self._rows_of(name) for name in self._row_tables()}
        return self._read[1]

    def _row_tables(self) -> list[str]:
        held = self._store.one("SELECT value FROM meta WHERE name = 'row_tables'")
        return held[0].decode().split() if held else []

    def codes(self) -> Mapping[bytes, str]:
        """Return the short code of each patient."""
        if "patient" not in self._row_tables():
            return {}
        return dict(self._store.all("SELECT id, code FROM patient"))

    def judged(self) -> Mapping[EntryName, str]:
        """Return how each entry that is not merged is judged: `void` or `waiting`, and why."""
        return {
            _name(*entry): f"{_WORDS[void]} {reason}"
            for *entry, void, reason in self._store.all(_UNOPENED)
        }

    def subjects(self) -> Mapping[bytes, frozenset[bytes]]:
        """Return whom the merged documents are about, each with the scopes they lie in."""
        found: dict[bytes, set[bytes]] = {}
        for subject, scope in self._store.all(_SUBJECTS):
            found.setdefault(subject, set()).add(scope)
        return {subject: frozenset(scopes) for subject, scopes in found.items()}

    def opened(self) -> Mapping[bytes, Sequence[EntryName]]:
        """Return the entries that are readable here, by scope."""
        found: dict[bytes, list[EntryName]] = {}
        for *entry, scope in self._store.all(_OPENED):
            found.setdefault(scope, []).append(_name(*entry))
        return found

    def standings(self) -> Sequence[Shown]:
        """Return every row with whether it counts."""
        return [
            Shown(table, *row)
            for table in self._row_tables()
            for row in self._store.all(
                f"SELECT e.hash, r.standing, r.replaced FROM {table} r"
                " JOIN entry e ON e.arrival = r.entry"
            )
        ]

    def bare(self) -> frozenset[EntryName]:
        """Return the entries whose body is not here, or here no more."""
        return frozenset(_name(*entry) for entry in self._store.all(_BARE))

    def counts(self) -> frozenset[EntryName]:
        """Return the entries that tell how an encounter is counted, and nobody's name."""
        return frozenset(_name(*entry) for entry in self._store.all(_COUNTS))

    def control(self) -> Iterator[tuple[bytes, bytes, bytes]]:
        """Yield every control entry: the device that wrote it, its hash, its body."""
        yield from self._store.all(_CONTROL)

    def keys(self) -> Mapping[EntryName, bytes]:
        """Return the id of the scope key that each data entry is sealed under."""
        return {_name(*entry): key_id for *entry, key_id in self._store.all(_KEYS)}

    def problem(self) -> str:
        """Return what does not verify of chains, hashes and signatures; '' when all does."""
        return next(iter(check(self._store).problems), "")

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


def _name(feed: bytes, seq: int, digest: bytes) -> EntryName:
    return EntryName(FeedId(feed), seq, EntryHash(digest))


_WORDS = ("waiting", "void")
