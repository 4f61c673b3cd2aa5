"""Who is perhaps here already: shown beside a new registration, which they never hold up."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.acts import Act, Open
from fieldnode.tui.cores.display import Line, Size, Span, cut, line
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint, Page
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import age, name, sex, triage
from protocols.live.alike import AlikeLine
from protocols.records.display import clean_text

CANDIDATES_KEY = "ctrl+l"
BESIDE_ROWS = 2
"""Named beside the form."""


class CandidatesPage(Page):
    """The list of them; Enter opens a chart, Escape goes on with the new one."""

    name: ClassVar[str] = "candidates"

    def __init__(self, desk: Desk, found: Sequence[AlikeLine]) -> None:
        super().__init__(desk)
        self._rows: ListCore[AlikeLine] = ListCore(lambda row: row.head.patient)
        self._rows.take_all(found)

    def key(self, key: str) -> list[Act]:
        """Move, or open a chart; the form below stays as a draft."""
        if self._rows.key(key):
            return []
        chosen = self._rows.selected
        if key != "enter" or chosen is None:
            return super().key(key)
        # The chart opens many pages, some of which open this one.
        from fieldnode.tui.screens.chart import ChartPage

        return [Open(ChartPage(self.desk, chosen.head.patient), instead=True)]

    @property
    def question(self) -> Hashable | None:
        """Which of them."""
        return self._rows.total

    def answers(self, item: str | Scan) -> bool:
        """Enter opens the marked one."""
        return item == "enter"

    def draw(self, size: Size) -> list[Line]:
        """Draw them as the search does."""
        words = self.desk.words
        columns = (
            Column(words("board.triage"), 11),
            Column(words("board.code"), 12),
            Column(words("board.age"), 8),
            Column(words("board.sex"), 8),
            Column(words("board.tag"), 10),
            Column(words("board.name"), 0),
        )
        title = line(" ", Span(words("candidates.title"), "title"))
        chosen = self._rows.selected
        why = why_alike(words, chosen.reasons) if chosen else ""
        room = Size(size.width, size.height - 3)
        drawn = draw_list(self._rows, columns, self._cells, room, "")
        return [title, (), *drawn, line(" ", Span(cut(why, size.width - 2), "dim"))]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        return [Hint(self.desk.words("keys.enter"), self.desk.words("candidates.open"))]

    def _cells(self, found: AlikeLine) -> list[Span]:
        words, row = self.desk.words, found.head
        return [
            triage(words, row.triage),
            Span(clean_text(row.code)),
            Span(age(words, clean_text(row.age)) or "?"),
            Span(sex(words, row.sex)),
            Span(clean_text(row.tag) or "-"),
            Span(name(words, row.name), "title"),
        ]


def why_alike(words: Catalogue, reasons: Sequence[str]) -> str:
    """Return why two records look alike, in words."""
    said = (f"likeness.{reason}" for reason in reasons)
    return words("likeness.why", what=", ".join(words(key) for key in said if words.has(key)))


def beside(desk: Desk, found: Sequence[AlikeLine], width: int) -> list[Line]:
    """Return the rows that name the likeliest, and the key that shows all of them."""
    if not found:
        return []
    words = desk.words
    rows: list[Line] = [line(" ", Span(words.count("candidates.beside", len(found)), "warn"))]
    for one in (each.head for each in found[:BESIDE_ROWS]):
        parts = (
            clean_text(one.code),
            age(words, clean_text(one.age)) or "?",
            sex(words, one.sex),
            clean_text(one.tag),
            name(words, one.name),
        )
        text = "  ".join(part for part in parts if part)
        rows.append(line("   ", Span(cut(text, width - 4), "warn")))
    return rows
