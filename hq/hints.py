"""Small live hints: *this part of the page changed*. The page then asks for the part itself.

So what a reader may see is decided in one place, and a hint never carries data.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from hq.queries import Book

PARTS = ("care", "sites", "latest", "devices", "results", "stock", "vaccination", "logistics")
"""Parts of pages that are fetched by themselves."""
GAP_S = 2.0
"""Least time between two hints: a busy sync must not make every page fetch all the time."""
STREAMS_MAX = 64
"""Pages that may listen at once; more are told to come back."""

_BEDSIDE = frozenset({"patient", "encounter", "triage", "observation", "note"})
_TOUCHES = {
    "care": _BEDSIDE | {"site", "peer", "tag", "triage_confirmed", "conflict", "custody", "link"},
    "results": frozenset({"observation", "peer"}),
    "sites": _BEDSIDE | {"site", "peer", "link"},
    "latest": _BEDSIDE | {"site", "peer"},
    "stock": frozenset({"stock", "balance", "movement", "stocktake", "recall", "site", "peer"}),
    "vaccination": frozenset(
        {
            "dose",
            "tally",
            "session",
            "vial",
            "aefi",
            "dose_decision",
            "link",
            "site",
            "pack_use",
            "intervention",
        }
    ),
    "logistics": frozenset(
        {"shipment", "shipment_line", "movement", "recall", "reading", "balance", "site"}
    ),
    "devices": frozenset({"peer", "feed", "entry", "receipt", "unopened"}) | _BEDSIDE,
}


@dataclass(slots=True, eq=False)
class Listener:
    """One open page."""

    parts: set[str] = field(default_factory=set)
    waiting: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self) -> list[str]:
        """Return the parts that changed since the last take, in page order."""
        taken = [part for part in PARTS if part in self.parts]
        self.parts.clear()
        self.waiting.clear()
        return taken


class Hints:
    """Collects changes of the book and tells the open pages, at most once per gap.

    Args:
        book: Whose changes to follow.
        run: Random text of this run: a page of an earlier run must fetch everything.
        gap_s: Least time between two hints, seconds.
    """

    def __init__(self, book: Book, run: str, *, gap_s: float = GAP_S) -> None:
        self._book = book
        self._run = run
        self._gap_s = gap_s
        self._changed: set[str] = set()
        self._something = asyncio.Event()
        self._listeners: set[Listener] = set()
        self.turn = 0
        """Counts hints given; what was read in one turn is current until the next."""
        self._turns: dict[str, int] = {}
        self._silent = False

    def turn_of(self, part: str) -> int:
        """Return the last turn in which a part of a page changed."""
        return self._turns.get(part, 0)

    @property
    def mark(self) -> str:
        """Names this turn; a page gives it back to learn whether it missed a hint."""
        return f"{self._run}-{self.turn}"

    def is_silent(self) -> bool:
        """Whether the book no longer tells of changes: then nothing may be called live."""
        return self._silent

    def fall_silent(self) -> None:
        """Let every listener know that nothing more will be told."""
        self._silent = True
        for listener in self._listeners:
            listener.waiting.set()

    @property
    def full(self) -> bool:
        """Whether no further page may listen."""
        return len(self._listeners) >= STREAMS_MAX

    async def follow(self) -> None:
        """Run until cancelled, or until the book no longer tells of changes."""
        telling = asyncio.create_task(self._tell())
        try:
            async for tables in self._book.changes():
                self._changed |= {part for part in PARTS if tables & _TOUCHES[part]}
                if self._changed:
                    self._something.set()
        finally:
            telling.cancel()
            self.fall_silent()

    @contextmanager
    def listen(self, seen: str) -> Iterator[Listener]:
        """Yield a listener; it starts with every part if the page was read before this turn."""
        listener = Listener()
        if seen != self.mark:
            listener.parts.update(PARTS)
            listener.waiting.set()
        self._listeners.add(listener)
        try:
            yield listener
        finally:
            self._listeners.discard(listener)

    async def _tell(self) -> None:
        while True:
            await self._something.wait()
            self._something.clear()
            changed, self._changed = self._changed, set()
            self.turn += 1
            self._turns |= dict.fromkeys(changed, self.turn)
            for listener in self._listeners:
                listener.parts |= changed
                listener.waiting.set()
            await asyncio.sleep(self._gap_s)
