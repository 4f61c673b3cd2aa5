"""Several patients carry one tag: all are shown, a person says which one this is."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar

from fieldnode.tui.acts import Act, Back
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint, Page
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import age, name, sex, triage
from protocols.live.api import BoardLine
from protocols.records.display import clean_text


class CarriersPage(Page):
    """Who carries a tag; Enter chooses, Escape chooses nobody."""

    name: ClassVar[str] = "carriers"

    def __init__(
        self,
        desk: Desk,
        tag: str,
        found: Sequence[BoardLine],
        choose: Callable[[BoardLine], list[Act]],
        leave: Callable[[], list[Act]],
    ) -> None:
        """Show who was found.

        Args:
            desk: Shared by all pages.
            tag: What they all carry.
            found: At least two.
            choose: Goes on, on this page still, with the one chosen.
            leave: Goes on, on the page below, with nobody.
        """
        super().__init__(desk)
        self._tag = tag
        self._choose, self._leave = choose, leave
        self._rows: ListCore[BoardLine] = ListCore(lambda row: row.patient)
        self._rows.take_all(found)

    def key(self, key: str) -> list[Act]:
        """Move, choose, or leave."""
        chosen = self._rows.selected
        if self._rows.key(key):
            return []
        if key == "enter" and chosen is not None:
            return self._choose(chosen)
        return [Back(), *self._leave()] if key == "escape" else []

    @property
    def question(self) -> Hashable | None:
        """Which of them it is."""
        return self._tag

    def draw(self, size: Size) -> list[Line]:
        """Draw what is asked, and the patients."""
        words = self.desk.words
        text = words("carriers.asks", tag=clean_text(self._tag))
        asks = [line(" ", Span(part, "warn")) for part in wrap(text, size.width - 2)]
        columns = (
            Column(words("board.triage"), 11),
            Column(words("board.code"), 12),
            Column(words("board.age"), 8),
            Column(words("board.sex"), 8),
            Column(words("board.bed"), 6),
            Column(words("board.name"), 0),
        )
        room = Size(size.width, size.height - len(asks) - 1)
        return [*asks, (), *draw_list(self._rows, columns, self._cells, room, "")]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("carriers.this_one")), Hint("↑ ↓", "")]

    def _cells(self, row: BoardLine) -> list[Span]:
        words = self.desk.words
        return [
            triage(words, row.triage),
            Span(clean_text(row.code)),
            Span(age(words, clean_text(row.age)) or "?"),
            Span(sex(words, row.sex)),
            Span(clean_text(row.bed) or "-"),
            Span(name(words, row.name), "title"),
        ]
