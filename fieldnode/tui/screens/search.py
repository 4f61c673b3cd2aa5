"""Finding a patient by name, code or tag. Letters always go into the question."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.cores.fields import Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.list import PAGE_ROWS, ListCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint, Page
from fieldnode.tui.screens.belonging import marked
from fieldnode.tui.screens.chart import ChartPage
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import age, name, sex, triage
from protocols.errors import FieldmeshError
from protocols.live.api import BoardLine, BoardPage
from protocols.records.display import clean_text

QUESTION_CHARS_MAX = 64

_MOVES = frozenset({"up", "down", "pageup", "pagedown"})


LOOK_FROM_CHARS = 2
"""From so many characters on what they find is shown while they are typed."""


class SearchPage(Page):
    """A question and its answers, shown as it is typed; one Enter asks, the next one opens.

    What is shown belongs to what stands in the field, or nothing is shown: one call is under way at
    most, and an answer to what was typed before is dropped. It is to be looked at: only what Enter
    asked for, or an arrow was struck in, can be opened, so no Enter struck ahead opens anybody.
    """

    name: ClassVar[str] = "search"

    def __init__(self, desk: Desk, text: str = "") -> None:
        super().__init__(desk)
        self._form = FormCore(
            (Field("text", "search.label", chars_max=QUESTION_CHARS_MAX),), hurry=False
        )
        self._form.restore({"text": text[:QUESTION_CHARS_MAX]})
        self._rows: ListCore[BoardLine] = ListCore(lambda row: row.patient)
        self._asked: str | None = None
        """The question that Enter asked, as long as it stands in the field."""
        self._shown: str | None = None
        """The question whose answers are shown; never another one than stands in the field."""
        self._looking = False
        """Whether a call for what is being typed is under way."""
        self._came = 0
        """How often answers came."""

    def opened(self) -> list[Act]:
        """Ask at once when a scan brought the question."""
        return [self._ask()] if self._question else []

    def key(self, key: str) -> list[Act]:
        """Type, ask, choose, open."""
        if key in _MOVES:
            return self._moved(key)
        if key != "enter":
            if key != "escape" and self._form.key(key).taken:
                return self._typed()
            return super().key(key)
        if self._question != self._asked:
            return [self._ask()] if self._question else []
        chosen = self._rows.selected
        if chosen is None:
            return [Say(self.desk.words("search.none"), "warn", bell=True)]
        return self.chosen(chosen)

    def changed(self) -> list[Act]:
        """Look again while it is typed; what Enter asked for stays as it was seen."""
        if self._asked is not None or self._shown is None:
            return []
        self._shown = None
        return self._look()

    def _moved(self, key: str) -> list[Act]:
        """Move the mark; whoever does that has seen the list and chooses from it."""
        if self._rows.total and self._asked is None:
            self._asked = self._shown
            self._came += 1
        self._rows.key(key)
        return []

    def _typed(self) -> list[Act]:
        """Show nothing of another question, and look for this one."""
        if self._question == self._shown:
            return []
        self._rows.clear()
        self._asked = self._shown = None
        return self._look()

    def _look(self) -> list[Act]:
        """Ask for what stands in the field; nobody waits, and never two at once."""
        question = self._question
        if self._looking or len(question) < LOOK_FROM_CHARS or question == self._shown:
            return []
        self._looking = True

        def came(page: BoardPage) -> list[Act]:
            self._looking = False
            if question != self._question:
                return self._look()
            if self._asked is None:
                self._show(question, page)
            return []

        def failed(_failure: FieldmeshError) -> list[Act]:
            self._looking = False
            return []

        return [Ask(lambda node: node.search(question, PAGE_ROWS), came, failed, holds=False)]

    def _show(self, question: str, page: BoardPage) -> None:
        self._rows.clear()
        self._rows.take_all(page.lines)
        self._shown = question

    def chosen(self, row: BoardLine) -> list[Act]:
        """Go on with the patient that was found."""
        return [Open(ChartPage(self.desk, row.patient))]

    def scan(self, scan: Scan) -> list[Act]:
        """Ask for the code that was scanned."""
        self._form.restore({"text": scan.text[:QUESTION_CHARS_MAX]})
        return [self._ask()]

    @property
    def question(self) -> Hashable | None:
        """Which of those found."""
        return self._came if self._rows.total else None

    def answers(self, item: str | Scan) -> bool:
        """Enter opens the selected patient, once the question is the one that was asked."""
        return item == "enter" and self._question == self._asked

    def draw(self, size: Size) -> list[Line]:
        """Draw the question and what was found."""
        words = self.desk.words
        text, at = self._form.text(0), self._form.cursor
        question = line(
            Span(f" {words('search.label')} ", "label"),
            Span(text[:at], "open"),
            Span(text[at : at + 1] or " ", "cursor"),
            Span(text[at + 1 :], "open"),
        )
        columns = (
            Column(words("board.triage"), 11),
            Column(words("board.code"), 12),
            Column(words("board.age"), 8),
            Column(words("board.sex"), 8),
            Column(words("board.tag"), 10),
            Column(words("board.name"), 0),
        )
        room = Size(size.width, size.height - 2)
        if self._shown is None:
            how = wrap(words("search.how"), size.width - 2)
            return [question, (), *(line(" ", Span(part, "dim")) for part in how)]
        drawn = draw_list(self._rows, columns, self._cells, room, words("search.none"))
        return [question, (), *drawn]

    def hints(self) -> list[Hint]:
        """Say what Enter does now."""
        words = self.desk.words
        asked = self._asked is not None and self._question == self._asked
        return [
            Hint(words("keys.enter"), words("board.open" if asked else "search.ask")),
            Hint("↑ ↓", ""),
        ]

    @property
    def _question(self) -> str:
        return self._form.answer(0).text

    def _ask(self) -> Ask:
        question = self._question

        def came(page: BoardPage) -> list[Act]:
            self._show(question, page)
            self._asked = question
            self._came += 1
            return []

        return Ask(lambda node: node.search(question, PAGE_ROWS), came)

    def _cells(self, row: BoardLine) -> list[Span]:
        words = self.desk.words
        return [
            triage(words, row.triage),
            Span(clean_text(row.code)),
            Span(age(words, clean_text(row.age)) or "?"),
            Span(sex(words, row.sex)),
            Span(clean_text(row.tag) or "-"),
            Span(marked(words, row, name(words, row.name)), "title"),
        ]
