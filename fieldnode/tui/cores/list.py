"""A list of any length of which only a window is held; the selection is a row's id, not a place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Generic, TypeVar

Row = TypeVar("Row")

PAGE_ROWS = 64
"""Rows asked for at once: two screens and a bit."""

PAGES_MAX = 4
"""Pages held; the farthest from the selection is forgotten first."""


class ListCore(Generic[Row]):
    """Rows by page, one of them selected."""

    def __init__(self, identify: Callable[[Row], str]) -> None:
        self._identify = identify
        self._pages: dict[int, tuple[Row, ...]] = {}
        self._stale: set[int] = set()
        self.total = 0
        self.index = 0
        """Place of the selection, counted from 0."""
        self.top = 0
        """Place of the first row drawn."""
        self.height = 1
        """Rows that fit on the screen."""
        self.selected_id: str | None = None
        self.moved = False
        """True after the selected row left the list: the next Enter must not open another."""

    @property
    def selected(self) -> Row | None:
        """The selected row, when it is held."""
        return self.row(self.index)

    def row(self, index: int) -> Row | None:
        """The row at a place, or None while its page is not here."""
        page = self._pages.get(index // PAGE_ROWS)
        place = index % PAGE_ROWS
        return page[place] if page is not None and place < len(page) else None

    def visible(self) -> Sequence[tuple[int, Row | None]]:
        """Places and rows to draw, top first."""
        last = min(self.top + self.height, self.total)
        return [(index, self.row(index)) for index in range(self.top, last)]

    def wanted(self) -> list[int]:
        """Numbers of the pages to ask for now: on the screen, and missing or out of date."""
        first = self.top // PAGE_ROWS
        last = max(self.top + self.height - 1, 0) // PAGE_ROWS
        return [
            page
            for page in range(first, last + 1)
            if (page not in self._pages and (page == 0 or page * PAGE_ROWS < self.total))
            or page in self._stale
        ]

    def changed(self) -> None:
        """Rows changed at the source: what is held stays on screen until it is fetched again."""
        self._stale = set(self._pages)

    def clear(self) -> None:
        """Forget all rows and the selection, as for another filter."""
        self._pages.clear()
        self._stale.clear()
        self.total = self.index = self.top = 0
        self.selected_id, self.moved = None, False

    def take_all(self, rows: Sequence[Row]) -> None:
        """Hold a list that is known whole, at most `PAGES_MAX` pages of it."""
        kept = rows[: PAGE_ROWS * PAGES_MAX]
        self._pages = {}
        for start in range(0, max(len(kept), 1), PAGE_ROWS):
            self._pages[start // PAGE_ROWS] = tuple(kept[start : start + PAGE_ROWS])
        self._stale.clear()
        self.total = len(kept)
        self._follow()

    def take(self, page: int, rows: Sequence[Row], total: int) -> None:
        """Hold one page; the selection follows its row."""
        self._pages[page] = tuple(rows)
        self._stale.discard(page)
        self.total = total
        self._follow()
        self._forget_far_pages()

    def key(self, key: str) -> bool:
        """Move the selection; return whether the key was one of ours."""
        step = {
            "up": -1,
            "down": 1,
            "pageup": -max(self.height - 1, 1),
            "pagedown": max(self.height - 1, 1),
            "home": -self.total,
            "end": self.total,
        }.get(key)
        if step is None:
            return False
        self._select(self.index + step)
        return True

    def resize(self, height: int) -> None:
        """Say how many rows fit."""
        self.height = max(height, 1)
        self._scroll()

    def _select(self, index: int) -> None:
        self.index = max(0, min(index, self.total - 1))
        row = self.selected
        self.selected_id = None if row is None else self._identify(row)
        self.moved = False
        self._scroll()

    def _follow(self) -> None:
        """Find the selected row again; when it is gone, stay near and say so."""
        found = self._find(self.selected_id)
        if found is not None:
            self.index = found
        else:
            self.index = max(min(self.index, self.total - 1), 0)
            row = self.selected
            near = None if row is None else self._identify(row)
            if near != self.selected_id and (near is not None or self.total == 0):
                self.moved = self.moved or self.selected_id is not None
                self.selected_id = near
        self._scroll()

    def _find(self, wanted: str | None) -> int | None:
        if wanted is None:
            return None
        for page, rows in self._pages.items():
            for place, row in enumerate(rows):
                if self._identify(row) == wanted and page not in self._stale:
                    return page * PAGE_ROWS + place
        return None

    def _scroll(self) -> None:
        lowest = max(self.total - self.height, 0)
        if self.index < self.top:
            self.top = self.index
        elif self.index >= self.top + self.height:
            self.top = self.index - self.height + 1
        self.top = max(0, min(self.top, lowest))

    def _forget_far_pages(self) -> None:
        here = self.index // PAGE_ROWS
        for page in sorted(self._pages, key=lambda page: -abs(page - here)):
            if len(self._pages) <= PAGES_MAX:
                return
            if page not in self.wanted():
                del self._pages[page]
                self._stale.discard(page)
