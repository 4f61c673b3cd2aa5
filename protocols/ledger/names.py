"""Finding an entry by its name: the first 16 bytes of its hash, which others refer to it by.

Names are random, so an index that follows every entry rewrites a page for each. New names are
kept in memory until enough of them go into the index together, in its order: each page of it is
then written once for many.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from protocols.ledger.store import Store

KEPT_MAX = 4096
"""Names kept in memory, about 150 B each; at a start as many entries are read once more."""
ASKED_AT_ONCE = 500
"""Names looked up by one question, well below SQLite's limit of variables."""
NAME_BYTES = 16
_START_BYTES = 4


class Names:
    """Which arrival an entry's name stands for. `add` inside a transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store
        row = store.one("SELECT value FROM meta WHERE name = 'named'")
        named = int(row[0]) if row else 0
        self._kept: dict[bytes, int] = {
            digest[:NAME_BYTES]: arrival
            for digest, arrival in store.all(
                "SELECT hash, arrival FROM entry WHERE arrival > ?", (named,)
            )
        }

    def add(self, entries: Iterable[tuple[bytes, int]]) -> None:
        """Take up (hash, arrival) of entries just stored, in the order of their arrival."""
        for digest, arrival in entries:
            self._kept[digest[:NAME_BYTES]] = arrival
        if len(self._kept) >= KEPT_MAX:
            self._write_down()

    def _write_down(self) -> None:
        rows = sorted((_start(name), arrival) for name, arrival in self._kept.items())
        self._store.executemany("INSERT INTO name VALUES (?,?)", rows)
        last = max(self._kept.values())
        self._store.execute("INSERT OR REPLACE INTO meta VALUES ('named', ?)", (b"%d" % last,))
        self._kept.clear()

    def find(self, name: bytes) -> int | None:
        """Return the arrival of an entry, or None when it is not in the book."""
        return self.find_all((name,)).get(name)

    def find_all(self, names: Collection[bytes]) -> dict[bytes, int]:
        """Return name → arrival for those in the book, in few questions."""
        kept = self._kept
        found = {name: kept[name] for name in names if name in kept}
        asked = [name for name in names if name not in found]
        for start in range(0, len(asked), ASKED_AT_ONCE):
            some = set(asked[start : start + ASKED_AT_ONCE])
            for digest, arrival in self._store.all(
                "SELECT e.hash, e.arrival FROM name n JOIN entry e ON e.arrival = n.entry"
                f" WHERE n.start IN ({','.join('?' * len(some))})",
                [_start(name) for name in some],
            ):
                # Others begin with the same four bytes.
                if digest[:NAME_BYTES] in some:
                    found[digest[:NAME_BYTES]] = arrival
        return found


def _start(name: bytes) -> int:
    return int.from_bytes(name[:_START_BYTES])
