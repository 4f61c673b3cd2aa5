"""Rows kept by the facts they were made of.

A subject is written about again and again, and most of its thousands of rows are as they were.
"""

from __future__ import annotations

from typing import Any, Generic

from protocols.records.shape import Fact, RowType

MADE_MAX = 16_384
"""Rows of one kind kept at hand, about 1 kB each."""


class Made(Generic[RowType]):
    """Rows of one kind by the identity of their fact, which is held too and so is nobody else's.

    The same fact of the same book is the same object while the book has it at hand.
    """

    def __init__(self) -> None:
        """Begin with none."""
        self._held: dict[int, tuple[Fact, Any, RowType]] = {}

    def find(self, fact: Fact, judged: Any) -> RowType | None:
        """Return the row of a fact; None unless it was made with the same judgement.

        Args:
            fact: What the row is of.
            judged: Everything else that is in the row.
        """
        held = self._held.get(id(fact))
        if held is None or held[0] is not fact or held[1] != judged:
            return None
        return held[2]

    def keep(self, fact: Fact, judged: Any, row: RowType) -> RowType:
        """Keep the row of a fact, and return it."""
        if len(self._held) >= MADE_MAX:
            self._held.clear()
        self._held[id(fact)] = (fact, judged, row)
        return row
