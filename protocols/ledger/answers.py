"""What lines were answered when they were written, found again by their keys.

Answers are kept in the order they were given: in the order of their keys, which are random, each
would rewrite a page somewhere in the book, and split it now and then. Where one lies is kept in
memory until many go into the index together, as with the names of entries.
"""

from __future__ import annotations

from protocols.ledger.store import Store

KEPT_MAX = 4096
"""Places kept in memory, about 100 B each; at a start as many answers are read once more."""


class Answers:
    """The answers given so far, by slot. All calls inside a transaction."""

    def __init__(self, store: Store) -> None:
        self._store = store
        row = store.one("SELECT value FROM meta WHERE name = 'placed'")
        placed = int(row[0]) if row else 0
        self._kept: dict[int, int] = dict(
            store.all("SELECT slot, no FROM answered WHERE no > ?", (placed,))
        )
        row = store.one("SELECT max(no) FROM answered")
        # What was erased took its number with it; one that the index knows is not given again.
        self._last = max((row[0] or 0) if row else 0, placed)

    def find(self, slot: int) -> tuple[bytes, bytes] | None:
        """Return the fingerprint of the line that was answered, and the answer; None: neither."""
        no = self._kept.get(slot)
        if no is None:
            return self._store.one(
                "SELECT a.content, a.answer FROM answer_place p JOIN answered a ON a.no = p.no"
                " WHERE p.slot = ?",
                (slot,),
            )
        return self._store.one("SELECT content, answer FROM answered WHERE no = ?", (no,))

    def keep(self, slot: int, content: bytes, answer: bytes) -> None:
        """Keep the answer to a line; one transaction makes both durable."""
        self._last += 1
        self._store.execute(
            "INSERT INTO answered VALUES (?,?,?,?)", (self._last, slot, content, answer)
        )
        self._kept[slot] = self._last
        if len(self._kept) >= KEPT_MAX:
            self._write_down()

    def _write_down(self) -> None:
        self._store.executemany("INSERT INTO answer_place VALUES (?,?)", sorted(self._kept.items()))
        self._store.execute(
            "INSERT OR REPLACE INTO meta VALUES ('placed', ?)", (b"%d" % self._last,)
        )
        self._kept.clear()
