"""F6: what somebody has to look at now, the most dangerous first."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import Any, ClassVar, NamedTuple

from fieldnode.client import Node
from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.alerting import SEEABLE, Alert, alerts_of, late_doses
from fieldnode.tui.cores.display import Line, Size, Span, cells, cut, line
from fieldnode.tui.desk import Desk, Save
from fieldnode.tui.page import Action, Hint, Page
from fieldnode.tui.screens.beds import BedsPage
from fieldnode.tui.screens.chart import ChartPage
from fieldnode.tui.screens.gate import gate_of, said_after
from fieldnode.tui.screens.listing import ENTER, Fetched
from fieldnode.tui.screens.offers import OffersPage
from fieldnode.tui.screens.results import ResultsPage
from fieldnode.tui.screens.shared_tag import SharedTagPage
from fieldnode.tui.screens.triage import TriagePage
from fieldnode.tui.screens.unsettled import UnsettledPage
from fieldnode.tui.screens.vitals import VitalsPage
from fieldnode.tui.supply_words import item
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import (
    called,
    clock,
    code_sentence,
    short_identity,
    span_of,
    triage,
)
from protocols.live.api import AlertSeen, BoardLine, BoardPage, Recorded
from protocols.live.consigned import SupplyAlert, SupplyAlerts
from protocols.records.display import clean_text

LOOKED_AT = 200
"""Patients in care that are looked through, most urgent first; what a board answers at most."""

KIND = "alert.ack"
WHO_CHARS, WHO_TOLD_CHARS = 10, 24
"""Of the name of whoever saw an alert, in its row and where there is more room."""

DAY_CELLS = 5
"""Of a time that is not today's: its day."""
SINGLES_TOLD = 3
"""Values named of one patient."""


class Looked(NamedTuple):
    """What alerts are looked for in."""

    board: BoardPage
    supplies: SupplyAlerts


class AlertsPage(Fetched[Alert, Looked]):
    """Alerts of patients in care and of supplies; Enter opens where they are settled."""

    name: ClassVar[str] = "alerts"
    actions = (
        Action("u", "1", "alerts.all_unsettled"),
        Action("o", "2", "alerts.offers"),
        Action("a", "3", "alerts.ack"),
    )
    about: ClassVar[tuple[str, ...]] = (ENTER, "a")

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._keys: dict[str, str] = {}
        """Idempotency keys of what is under way, by alert."""

    def name_of(self, row: Alert) -> str:
        """Return what it is about, and of whom."""
        return row.identity

    def ask(self, node: Node) -> Awaitable[Looked]:
        """Ask for the most urgent patients, and for what is the matter with supplies."""
        return _look(node)

    def rows_of(self, found: Looked) -> Sequence[Alert]:
        """Return what is to be looked at."""
        return alerts_of(found.board, self.desk.now_ms, found.supplies.lines)

    def key(self, key: str) -> list[Act]:
        """Go to all that is unsettled or offered, or to what the marked alert is about."""
        if (action := self.action(key)) and action not in self.about:
            return [Open(OffersPage(self.desk) if action == "o" else UnsettledPage(self.desk))]
        return super().key(key)

    def act(self, key: str, row: Alert) -> list[Act]:
        """Open what the alert is about, or say that it was seen."""
        return [Open(self._settled_on(row))] if key == ENTER else self._seen(row)

    def _seen(self, row: Alert) -> list[Act]:
        """Say that whoever is here has seen it; what is settled instead says so."""
        words, head = self.desk.words, row.head
        why = SEEABLE.get(row.why)
        if head is None or why is None or not row.at_ms:
            return [Say(words("alerts.to_settle"), "warn", bell=True)]
        if row.seen is not None:
            return [Say(seen_text(self.desk, row.seen), "plain")]
        name = f"{row.identity} {row.at_ms}"
        written = {
            "v": 1,
            "kind": KIND,
            "key": self._keys.setdefault(name, self.desk.new_key()),
            "patient": head.patient,
            "data": {"why": why, "of_ms": row.at_ms, "about": list(row.about)},
        }

        def done(answers: list[Recorded]) -> list[Act]:
            return self._done(row, written, answers)

        return [Ask(lambda node: node.record([written]), done)]

    def _done(self, row: Alert, written: dict[str, Any], answers: list[Recorded]) -> list[Act]:
        desk, words, recorded = self.desk, self.desk.words, answers[0]
        assert row.head is not None

        def again() -> list[Act]:
            return [Ask(lambda node: node.record([written]), lambda a: self._done(row, written, a))]

        if gated := gate_of(desk, recorded, row.head.patient, again):
            return gated
        if not recorded.ok:
            return [Say(code_sentence(words, recorded.error or ""), "bad", bell=True)]
        what = " ".join((words("alerts.seen_done"), short_identity(words, row.head)))
        desk.saved(Save(what, recorded.facts, desk.now_ms, row.head.patient))
        return [said_after(desk, answers, what), self.fetch(holds=True)]

    def _settled_on(self, alert: Alert) -> Page:
        """Return the page on which somebody can do something about it."""
        desk, head = self.desk, alert.head
        if alert.supply is not None:
            return _of_supplies(desk, alert.supply)
        if head is None:
            return ResultsPage(desk)
        shared = self.found.board.shared_tags if self.found else ()
        tags = [tag for tag in shared if head.patient in (who for who, _ in tag.carriers)]
        match alert.why:
            case "alerts.reassess":
                return TriagePage(desk, head)
            case "alerts.late" | "alerts.red":
                return VitalsPage(desk, head)
            case "alerts.dose":
                return _medicines(desk, head)
            case "alerts.bed":
                return BedsPage(desk, head)
            case "alerts.tag" if tags:
                return SharedTagPage(desk, head, tags)
        return ChartPage(desk, head.patient)

    def draw(self, size: Size) -> list[Line]:
        """Draw one row an alert."""
        words, found = self.desk.words, self.found.board if self.found else None
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
        room = Size(size.width, size.height - len(rows) - 1)
        return [*rows, *self.table(columns, room, "alerts.none"), self._marked(size.width)]

    def _marked(self, width: int) -> Line:
        """Return the marked alert whole: why, and who has seen it."""
        row = self.rows.selected
        if row is None:
            return ()
        seen = f"   {seen_text(self.desk, row.seen)}" if row.seen is not None else ""
        said = cut(self._text(row), max(width - 2 - cells(seen), 1))
        return line(" ", Span(said, "warn"), Span(seen, "title"))

    def _text(self, row: Alert) -> str:
        if row.supply is None or self.found is None:
            return alert_text(self.desk, row)
        return supply_text(self.desk, row.supply, row.why, self.found.supplies)

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("board.open")), *super().hints()]

    def cells(self, row: Alert) -> list[Span]:
        """Return since when, of whom, and why."""
        desk, words = self.desk, self.desk.words
        text = self._text(row)
        said = Span(text, "warn")
        if row.seen is not None:
            # Whoever saw it stands first: of a long reason its end is cut, and stands whole below.
            at = clock(row.seen.at_ms, desk.now_ms, desk.zone)
            said = Span(f"{clean_text(row.seen.who, WHO_CHARS)} {at}: {text}", "dim")
        if row.head is None:
            at = clock(row.at_ms, desk.now_ms, desk.zone) if row.at_ms else ""
            return [Span(at[:DAY_CELLS]), Span(""), Span(""), said]
        at = clock(row.at_ms, desk.now_ms, desk.zone) if row.at_ms else ""
        return [
            Span(at),
            triage(words, row.head.triage),
            Span(clean_text(row.head.tag) or clean_text(row.head.code)),
            said,
            Span(called(words, row.head), "title"),
        ]


async def _look(node: Node) -> Looked:
    return Looked(await node.board(0, LOOKED_AT), await node.supply_alerts())


def _medicines(desk: Desk, head: BoardLine) -> Page:
    """No start waits for the pages of care."""
    from fieldnode.tui.screens.medicines import MedicinesPage

    return MedicinesPage(desk, head)


def _of_supplies(desk: Desk, one: SupplyAlert) -> Page:
    """Return the page on which it is settled. No start waits for the pages of supplies."""
    from fieldnode.tui.screens.cold import ColdUnitPage
    from fieldnode.tui.screens.recalls import RecallsPage
    from fieldnode.tui.screens.shipments import ShipmentPage
    from fieldnode.tui.screens.stock_card import CardPage

    if one.why in ("negative", "overdraft"):
        store, _, code = one.about.partition(" ")
        return CardPage(desk, code, store)
    if one.why == "excursion":
        return ColdUnitPage(desk, one.about)
    return RecallsPage(desk) if one.why == "recall" else ShipmentPage(desk, one.about)


def seen_text(desk: Desk, seen: AlertSeen) -> str:
    """Return who saw an alert, and when."""
    at = clock(seen.at_ms, desk.now_ms, desk.zone)
    return desk.words("alerts.seen", who=clean_text(seen.who, WHO_TOLD_CHARS), at=at)


def supply_text(desk: Desk, one: SupplyAlert, why: str, found: SupplyAlerts) -> str:
    """Return what is the matter with supplies, in words."""
    words = desk.words
    place = clean_text(one.place)
    if one.why == "excursion":
        what = words("cold.cold" if one.freezing else "cold.warm")
        loose = words("alerts.lots_loose", n=one.number) if one.number else ""
        return ", ".join(filter(None, (words(why, place=place, what=what), loose)))
    if one.why == "recall":
        what = f"{item(words, found.items, one.item)} ({clean_text(one.lot)})"
        more = words("alerts.more_stores", n=one.number - 1) if one.number > 1 else ""
        return " ".join(filter(None, (words(why, place=place, what=what), more)))
    if one.why in ("negative", "overdraft", "twice"):
        return words(why, place=place, what=item(words, found.items, one.item), n=one.number)
    return words(why, place=place)


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
    elif alert.why == "alerts.dose":
        doses = late_doses(head, desk.now_ms)
        what = ", ".join(clean_text(substance) for _, substance in doses[:SINGLES_TOLD])
    text = words(alert.why, **told)
    return f"{text}: {what}" if what else text


def _single(desk: Desk, key: str) -> str:
    """Return `limit.heart-rate.high` as the observation and which way."""
    parts = key.split(".")
    code, way = (parts[1], parts[2]) if len(parts) > 2 else (parts[-1], parts[0])
    said = desk.words(f"short.{code}") if desk.words.has(f"short.{code}") else clean_text(code)
    crossed = f"crossed.{way}"
    return f"{said} {desk.words(crossed)}" if desk.words.has(crossed) else said
