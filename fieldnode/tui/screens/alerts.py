"""F6: what somebody has to look at now, the most dangerous first."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.alerting import Alert, alerts_of
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint, Page
from fieldnode.tui.screens.beds import BedsPage
from fieldnode.tui.screens.chart import ChartPage
from fieldnode.tui.screens.offers import OffersPage
from fieldnode.tui.screens.results import ResultsPage
from fieldnode.tui.screens.shared_tag import SharedTagPage
from fieldnode.tui.screens.triage import TriagePage
from fieldnode.tui.screens.unsettled import UnsettledPage
from fieldnode.tui.screens.vitals import VitalsPage
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import called, clock, span_of, triage
from protocols.live.api import BoardPage, SharedTag
from protocols.records.display import clean_text

LOOKED_AT = 200
"""Patients in care that are looked through, most urgent first; what a board answers at most."""

SINGLES_TOLD = 3
"""Values named of one patient."""


class AlertsPage(Page):
    """Alerts of patients in care; Enter opens the chart."""

    name: ClassVar[str] = "alerts"
    actions = (Action("u", "1", "alerts.all_unsettled"), Action("o", "2", "alerts.offers"))

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._rows: ListCore[Alert] = ListCore(lambda alert: alert.identity)
        self._sealed = False
        self._more = False
        self._tags: tuple[SharedTag, ...] = ()
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
        if action := self.action(key):
            return [Open(OffersPage(self.desk) if action == "o" else UnsettledPage(self.desk))]
        if key != "enter" or chosen is None:
            return super().key(key)
        if self._rows.moved:
            self._rows.moved = False
            self._listed += 1
            return [Say(self.desk.words("board.moved"), "warn", bell=True)]
        return [Open(self._settled_on(chosen))]

    def _settled_on(self, alert: Alert) -> Page:
        """Return the page on which somebody can do something about it."""
        desk, head = self.desk, alert.head
        if head is None:
            return ResultsPage(desk)
        tags = [tag for tag in self._tags if head.patient in (who for who, _ in tag.carriers)]
        match alert.why:
            case "alerts.reassess":
                return TriagePage(desk, head)
            case "alerts.late" | "alerts.red":
                return VitalsPage(desk, head)
            case "alerts.bed":
                return BedsPage(desk, head)
            case "alerts.tag" if tags:
                return SharedTagPage(desk, head, tags)
        return ChartPage(desk, head.patient)

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
            Column(words("alerts.at"), 5),
            Column(words("board.triage"), 9),
            Column(words("board.tag"), 11),
            Column(words("alerts.why"), max(size.width - 46, 34)),
            Column(words("board.name"), 0),
        )
        room = Size(size.width, size.height - len(rows))
        return [*rows, *draw_list(self._rows, columns, self._cells, room, words("alerts.none"))]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("board.open")), *super().hints()]

    def _fetch(self, *, holds: bool) -> Ask:
        def came(page: BoardPage) -> list[Act]:
            self._rows.take_all(alerts_of(page, self.desk.now_ms))
            self._tags = page.shared_tags
            self._sealed = page.sealed
            self._more = page.total > len(page.lines)
            self._listed += holds
            return []

        return Ask(lambda node: node.board(0, LOOKED_AT), came, holds=holds)

    def _cells(self, row: Alert) -> list[Span]:
        desk, words = self.desk, self.desk.words
        said = Span(alert_text(desk, row), "warn")
        if row.head is None:
            return [Span(""), Span(""), Span(""), said]
        at = clock(row.at_ms, desk.now_ms, desk.zone) if row.at_ms else ""
        return [
            Span(at),
            triage(words, row.head.triage),
            Span(clean_text(row.head.tag) or clean_text(row.head.code)),
            said,
            Span(called(words, row.head), "title"),
        ]


def alert_text(desk: Desk, alert: Alert) -> str:
    """Return the reason in words, with what is known of it."""
    words, head = desk.words, alert.head
    if head is None:
        return words(alert.why, n=alert.waiting)
    told = {"before": head.score_before, "now": head.score}
    what = words(alert.what) if alert.what and words.has(alert.what) else ""
    if alert.why == "alerts.single":
        what = ", ".join(_single(desk, key) for key in head.alerts[:SINGLES_TOLD])
    elif alert.why == "alerts.late" and head.due_ms is not None:
        what = span_of(words, desk.now_ms - head.due_ms)
    text = words(alert.why, **told)
    return f"{text}: {what}" if what else text


def _single(desk: Desk, key: str) -> str:
    """Return `limit.heart-rate.high` as the observation and which way."""
    parts = key.split(".")
    code, way = (parts[1], parts[2]) if len(parts) > 2 else (parts[-1], parts[0])
    said = desk.words(f"short.{code}") if desk.words.has(f"short.{code}") else clean_text(code)
    crossed = f"crossed.{way}"
    return f"{said} {desk.words(crossed)}" if desk.words.has(crossed) else said
