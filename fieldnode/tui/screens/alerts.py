"""F6: what somebody has to look at now, the most dangerous first."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import ClassVar

from fieldnode.client import Node
from fieldnode.tui.acts import Act, Open
from fieldnode.tui.alerting import Alert, alerts_of
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint, Page
from fieldnode.tui.screens.beds import BedsPage
from fieldnode.tui.screens.chart import ChartPage
from fieldnode.tui.screens.listing import Fetched
from fieldnode.tui.screens.offers import OffersPage
from fieldnode.tui.screens.results import ResultsPage
from fieldnode.tui.screens.shared_tag import SharedTagPage
from fieldnode.tui.screens.triage import TriagePage
from fieldnode.tui.screens.unsettled import UnsettledPage
from fieldnode.tui.screens.vitals import VitalsPage
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import called, clock, span_of, triage
from protocols.live.api import BoardPage
from protocols.records.display import clean_text

LOOKED_AT = 200
"""Patients in care that are looked through, most urgent first; what a board answers at most."""

SINGLES_TOLD = 3
"""Values named of one patient."""


class AlertsPage(Fetched[Alert, BoardPage]):
    """Alerts of patients in care; Enter opens the chart."""

    name: ClassVar[str] = "alerts"
    actions = (Action("u", "1", "alerts.all_unsettled"), Action("o", "2", "alerts.offers"))

    def name_of(self, row: Alert) -> str:
        """Return what it is about, and of whom."""
        return row.identity

    def ask(self, node: Node) -> Awaitable[BoardPage]:
        """Ask for the most urgent patients."""
        return node.board(0, LOOKED_AT)

    def rows_of(self, found: BoardPage) -> Sequence[Alert]:
        """Return what is to be looked at."""
        return alerts_of(found, self.desk.now_ms)

    def key(self, key: str) -> list[Act]:
        """Go to all that is unsettled or offered, or to what the marked alert is about."""
        if action := self.action(key):
            return [Open(OffersPage(self.desk) if action == "o" else UnsettledPage(self.desk))]
        return super().key(key)

    def act(self, _key: str, row: Alert) -> list[Act]:
        """Open what the alert is about."""
        return [Open(self._settled_on(row))]

    def _settled_on(self, alert: Alert) -> Page:
        """Return the page on which somebody can do something about it."""
        desk, head = self.desk, alert.head
        if head is None:
            return ResultsPage(desk)
        shared = self.found.shared_tags if self.found else ()
        tags = [tag for tag in shared if head.patient in (who for who, _ in tag.carriers)]
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

    def draw(self, size: Size) -> list[Line]:
        """Draw one row an alert."""
        words, found = self.desk.words, self.found
        rows: list[Line] = [line(" ", Span(words("alerts.title"), "title"))]
        if found is not None and found.sealed:
            rows.append(line(" ", Span(words("board.sealed"), "bad")))
        if found is not None and found.total > len(found.lines):
            rows.append(line(" ", Span(words("alerts.more", n=LOOKED_AT), "warn")))
        columns = (
            Column(words("alerts.at"), 5),
            Column(words("board.triage"), 9),
            Column(words("board.tag"), 11),
            Column(words("alerts.why"), max(size.width - 46, 34)),
            Column(words("board.name"), 0),
        )
        room = Size(size.width, size.height - len(rows))
        return [*rows, *self.table(columns, room, "alerts.none")]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("board.open")), *super().hints()]

    def cells(self, row: Alert) -> list[Span]:
        """Return since when, of whom, and why."""
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
