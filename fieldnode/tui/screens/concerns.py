"""Concerns for somebody's safety: the list for whoever is entitled, and the form for one.

Boards, searches and charts say nothing of them (SAFETY 18); this is the one place that does.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, ClassVar

from fieldnode.client import Node
from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.fields import Answer, Choice, Coded, Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint
from fieldnode.tui.screens.belonging import coded, wrapped
from fieldnode.tui.screens.care_form import CareForm
from fieldnode.tui.screens.chart import ChartPage
from fieldnode.tui.screens.listing import Fetched
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import clock
from protocols.live.api import BoardLine
from protocols.live.crossing import ConcernLine, Concerns
from protocols.records.display import clean_text

WHOLE_ROWS = 6
TEXT_CHARS_MAX = 500
CONCERNS = (
    Choice("1", "unaccompanied-child", "concern.unaccompanied-child"),
    Choice("2", "separated-child", "concern.separated-child"),
    Choice("3", "sexual-violence", "concern.sexual-violence"),
    Choice("4", "intimate-partner-violence", "concern.intimate-partner-violence"),
    Choice("5", "other-violence", "concern.other-violence"),
    Choice("9", "other", "concern.other"),
)


class ConcernsPage(Fetched[ConcernLine, Concerns]):
    """One row a concern, the newest first; to who is not entitled, why not."""

    name: ClassVar[str] = "concerns"

    def name_of(self, row: ConcernLine) -> str:
        """Return the fact."""
        return row.fact

    def ask(self, node: Node) -> Awaitable[Concerns]:
        """Ask for what whoever is here may read."""
        return node.concerns()

    def rows_of(self, found: Concerns) -> Sequence[ConcernLine]:
        """Return all."""
        return found.lines

    def resumed(self) -> list[Act]:
        """Fetch them again: somebody else may sit here now."""
        self.rows.clear()
        self.found = None
        return super().resumed()

    def act(self, _key: str, row: ConcernLine) -> list[Act]:
        """Open the chart."""
        if not row.code:
            return [Say(self.desk.words("concerns.unknown"), "warn", bell=True)]
        return [Open(ChartPage(self.desk, row.patient))]

    def draw(self, size: Size) -> list[Line]:
        """Draw the concerns, then the whole of the selected one."""
        words, found = self.desk.words, self.found
        title = line(" ", Span(words("concerns.title"), "title"))
        if found is None:
            return [title, (), line(" ", Span(words("chart.loading"), "dim"))]
        if found.why_not:
            said = coded(words, "concerns_why", found.why_not)
            return [title, (), *wrapped(said, size, "warn", most=5)]
        columns = (
            Column(words("chart.at"), 11),
            Column(words("concerns.what"), 26),
            Column(words("board.code"), 12),
            Column(words("chart.by"), 12),
            Column(words("board.name"), 0),
        )
        room = Size(size.width, size.height - 2 - WHOLE_ROWS)
        drawn = self.table(columns, room, "concerns.none")
        row = self.rows.selected
        whole = wrapped(clean_text(row.text, TEXT_CHARS_MAX), size, most=WHOLE_ROWS) if row else []
        return [title, *drawn, (), *whole, *[()] * (WHOLE_ROWS - len(whole))]

    def hints(self) -> list[Hint]:
        """Say what Enter does, where there is something to open."""
        if not self.rows.total:
            return []
        return [Hint(self.desk.words("keys.enter"), self.desk.words("board.open"))]

    def cells(self, row: ConcernLine) -> list[Span]:
        """Return when, what, of whom, by whom."""
        words, desk = self.desk.words, self.desk
        gone = words("chart.in_error") + " " if row.replaced == 2 else ""
        role = "dim" if row.replaced else "plain"
        return [
            Span(clock(row.at_ms, desk.now_ms, desk.zone), role),
            Span(gone + coded(words, "concern", row.concern), role),
            Span(clean_text(row.code) or "-", role),
            Span(clean_text(row.author), role),
            Span(clean_text(row.name), "title"),
        ]


class ConcernPage(CareForm):
    """One concern for one patient, from the chart."""

    name: ClassVar[str] = "concern"
    title: ClassVar[str] = "concerns.form"
    saved_word: ClassVar[str] = "concerns.saved"
    kinds: ClassVar[tuple[str, ...]] = ("protection.record",)

    def __init__(self, desk: Desk, head: BoardLine) -> None:
        concern = Coded("concern", "concerns.what", required=True, choices=CONCERNS)
        text = Field("text", "concerns.text", hint="note.hint", chars_max=TEXT_CHARS_MAX)
        super().__init__(desk, FormCore((concern, text)), head)

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the concern."""
        found: dict[str, Any] = {"concern": answers["concern"].text}
        if "text" in answers and answers["text"].text.strip():
            found["text"] = answers["text"].text
        return {"kind": "protection.record", "patient": self.patient, "data": found}

    def _put_draft(self) -> Ask:
        """Keep nothing: drafts are listed for whoever sits here next and is not identified."""
        return Ask(_nothing, _no_acts, holds=False)

    def told(self) -> list[Line]:
        """Say who will read it."""
        return self.says(self.desk.words("concerns.who_reads"), "dim")


async def _nothing(_node: Node) -> None:
    return None


def _no_acts(_result: object) -> list[Act]:
    return []
