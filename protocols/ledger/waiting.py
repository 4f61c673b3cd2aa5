"""What waits to be merged: of which subjects and documents, and how much of it is at hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from protocols.ledger.opening import Fresh
from protocols.ledger.store import Store
from protocols.ledger.sums import Sums

FRESH_MAX = 8_192
"""Opened entries kept at hand until they are merged, about 1 kB each; the rest is read again."""

Docs = dict[int, list[Fresh]]
"""New strands of a subject by document; an empty list stands for all that the book knows."""


class _Left(NamedTuple):
    """What an entry written here brought, whose rows are made later."""

    subject: int
    docs: Docs
    arrival: int


class Waiting:
    """Subjects that wait to be merged, longest first. What changes it is inside a transaction.

    Those of whom something was received are marked in the book; those of whom this device wrote
    are found by the mark of its sums.
    """

    def __init__(self, store: Store, sums: Sums) -> None:
        self._store = store
        self._sums = sums
        self._docs: dict[int, Docs] = {}
        self._left: _Left | None = None
        """What this device wrote last, where nobody has made the rows yet."""
        self._left_in: int | None = None
        """The transaction that left it, until its rows are in the book."""
        self.at_hand = 0
        """Entries kept until they are merged."""

    def __len__(self) -> int:
        """How many subjects wait."""
        return len(self._docs) + self.left

    @property
    def full(self) -> bool:
        """Whether about as much waits as is kept at hand: more is read again."""
        return self.at_hand >= FRESH_MAX // 2

    def know(self, subject: int, doc: int) -> None:
        """Let a document wait that is known to: all of it is read again."""
        self._docs.setdefault(subject, {})[doc] = []

    def touch(self, fresh: Mapping[int, Docs]) -> None:
        """Let subjects wait for their new strands."""
        new = [(subject,) for subject in fresh if subject not in self._docs]
        self._store.executemany("UPDATE subject SET dirty = 1 WHERE no = ?", new)
        for subject, docs in fresh.items():
            held = self._docs.setdefault(subject, {})
            for doc, strands in docs.items():
                earlier = held.get(doc)
                held[doc] = _joined(earlier, strands if self.at_hand < FRESH_MAX else [])
                self.at_hand += len(held[doc]) - len(earlier or ())

    def take_up(self, subject: int, docs: Docs) -> bool:
        """Add to new strands of a subject those that waited, if any did: merged, none does."""
        waited = self._docs.pop(subject, None)
        for doc, earlier in (waited or {}).items():
            self.at_hand -= len(earlier)
            docs[doc] = _joined(earlier, docs.get(doc))
        return waited is not None

    def some(self, most: int) -> list[tuple[int, Docs]]:
        """Return those that wait longest, so many at most: they wait no longer."""
        batch: list[tuple[int, Docs]] = []
        while self._docs and len(batch) < most:
            subject = next(iter(self._docs))
            batch.append((subject, self._docs[subject]))
            self.drop(subject)
        return batch

    def drop(self, subject: int) -> None:
        """Let a subject wait no longer."""
        self.at_hand -= sum(map(len, self._docs.pop(subject, {}).values()))

    # Of this device's own

    def leave(self, subject: int, docs: Docs, arrival: int) -> None:
        """Leave what an entry written here brought until `take_left`; nothing else is left."""
        assert self._left is None
        self._left, self._left_in = _Left(subject, docs, arrival), self._store.begun
        self._sums.mark(arrival)

    @property
    def left(self) -> bool:
        """Whether such waits."""
        return self._left is not None

    @property
    def left_before(self) -> bool:
        """Whether it was left before the transaction begun last, and its rows may lack."""
        return self._left_in not in (None, self._store.begun)

    def take_left(self) -> tuple[int, Docs, int | None] | None:
        """Return (subject, its new strands, the entry that brought them): it waits no longer.

        The entry is None where others waited too. `done_left` has to follow, once its rows are in
        the book.
        """
        if self._left is None:
            return None
        (subject, docs, arrival), self._left = self._left, None
        return subject, docs, None if self.take_up(subject, docs) else arrival

    def done_left(self) -> None:
        """Know that the rows of what was left are in the book."""
        self._left_in = None


def _joined(earlier: list[Fresh] | None, later: list[Fresh] | None) -> list[Fresh]:
    """Return new strands together; an empty list stands for all that the book knows."""
    if earlier is None or later is None:
        return (later if earlier is None else earlier) or []
    return [*earlier, *later] if earlier and later else []
