"""F6: what somebody has to look at now, the most dangerous first."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar, NamedTuple

from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint, Page
from fieldnode.tui.screens.chart import ChartPage
from fieldnode.tui.screens.results import ResultsPage
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import called, triage
from protocols.live.api import BoardLine, BoardPage
from protocols.records.display import clean_text

LOOKED_AT = 200
"""Patients in care that are looked through, most urgent first; what a board answers at most."""


class Alert(NamedTuple):
    """One thing to look at."""

    why: str
    """Catalogue key."""
    head: BoardLine | None
    """None: results that wait for a patient."""
    waiting: int = 0


class AlertsPage(Page):
    """Alerts of patients in care; Enter opens the chart."""

    name: ClassVar[str] = "alerts"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._rows: ListCore[Alert] = ListCore(_identity)
        self._sealed = False
        self._more = False
        self._listed = 0

    def opened(self) -> list[Act]:
        """Fetch them; keys wait."""
        return [self._fetch(holds=True)]

    def resumed(self) -> list[Act]:
        """Fetch them again: one may be settled."""
        return self.opened()

    def changed(self) -> list[Act]:
        """Fetch them again; the selection stays on its alert."""
        return [self._fetch(holds=False)]

    def key(self, key: str) -> list[Act]:
        """Move, or open what the alert is about."""
        chosen = self._rows.selected
        if self._rows.key(key):
            return []
        if key != "enter" or chosen is None:
            return super().key(key)
        if self._rows.moved:
            self._rows.moved = False
            self._listed += 1
            return [Say(self.desk.words("board.moved"), "warn", bell=True)]
        if chosen.head is None:
            return [Open(ResultsPage(self.desk))]
        return [Open(ChartPage(self.desk, chosen.head.patient))]

    @property
    def question(self) -> Hashable | None:
        """Which of them."""
        return self._listed

    def answers(self, item: str | Scan) -> bool:
        """Enter is about the selected one."""
        return item == "enter"

    def draw(self, size: Size) -> list[Line]:
        """Draw one row an alert."""
        words = self.desk.words
        rows: list[Line] = [line(" ", Span(words("alerts.title"), "title"))]
        if self._sealed:
            rows.append(line(" ", Span(words("board.sealed"), "bad")))
        if self._more:
            rows.append(line(" ", Span(words("alerts.more", n=LOOKED_AT), "warn")))
        columns = (
            Column(words("alerts.why"), 30),
            Column(words("board.triage"), 11),
            Column(words("board.code"), 12),
            Column(words("board.name"), 0),
        )
        room = Size(size.width, size.height - len(rows))
        return [*rows, *draw_list(self._rows, columns, self._cells, room, words("alerts.none"))]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("board.open")), Hint("↑ ↓", "")]

    def _fetch(self, *, holds: bool) -> Ask:
        def came(page: BoardPage) -> list[Act]:
            self._rows.take_all(alerts_of(page))
            self._sealed = page.sealed
            self._more = page.total > len(page.lines)
            self._listed += holds
            return []

        return Ask(lambda node: node.board(0, LOOKED_AT), came, holds=holds)

    def _cells(self, row: Alert) -> list[Span]:
        words = self.desk.words
        if row.head is None:
            return [Span(words(row.why, n=row.waiting), "warn")]
        return [
            Span(words(row.why), "warn"),
            triage(words, row.head.triage),
            Span(clean_text(row.head.code)),
            Span(called(words, row.head), "title"),
        ]


def alerts_of(page: BoardPage) -> Sequence[Alert]:
    """Return what a board says has to be looked at: who may be in danger before what is untidy."""
    kinds = (
        ("alerts.reassess", [line for line in page.lines if line.triage_open]),
        ("alerts.tag", [line for line in page.lines if line.tag_shared]),
        ("alerts.unsettled", [line for line in page.lines if line.unsettled]),
    )
    found = [Alert(why, line) for why, lines in kinds for line in lines]
    waiting = [Alert("alerts.results", None, page.unassigned)] if page.unassigned else []
    return [*found, *waiting]


def _identity(alert: Alert) -> str:
    return f"{alert.why} {alert.head.patient if alert.head else ''}"
