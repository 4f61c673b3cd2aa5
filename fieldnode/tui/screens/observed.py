"""Measurements of one patient over time, what is due and why, and the ways to write more."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from fieldnode.tui import watching
from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, cut, line
from fieldnode.tui.cores.sparkline import sparkline
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Page
from fieldnode.tui.screens.beds import BedsPage
from fieldnode.tui.screens.glass import asked_first
from fieldnode.tui.screens.intake import IntakePage
from fieldnode.tui.screens.point_of_care import PointOfCarePage
from fieldnode.tui.screens.scale import ScalePage
from fieldnode.tui.screens.vitals import VitalsPage
from fieldnode.tui.widgets.list_view import Column, table_row
from fieldnode.tui.wording import (
    error,
    identity,
    safety_line,
    scale_chosen,
    span_of,
    unit,
    value_text,
)
from protocols.errors import FieldmeshError
from protocols.guidelines.words import word
from protocols.live.api import BoardLine
from protocols.live.observed import Observed, Point, Series
from protocols.records.display import clean_text

FIRST = ("respiratory-rate", "spo2", "oxygen", "systolic", "diastolic", "heart-rate",
         "consciousness", "temperature", "pain", "glucose", "haemoglobin", "muac", "oedema",
         "weight", "weight-estimated", "urine")  # fmt: skip
"""In this order; whatever else was measured stands behind."""

LABEL_CELLS = 20
LAST_CELLS = 18
AGE_CELLS = 9
PLAIN_THEMES = ("mono", "sixteen")
"""Where blocks may not be drawn."""


class ObservedPage(Page):
    """The last value of each observation with its age, and how it went."""

    name: ClassVar[str] = "observed"
    actions = (
        Action("v", "1", "observed.vitals"),
        Action("r", "2", "observed.results"),
        Action("i", "3", "observed.intake"),
        Action("b", "4", "observed.bed"),
        Action("o", "5", "observed.scale"),
    )

    def __init__(self, desk: Desk, head: BoardLine) -> None:
        super().__init__(desk)
        self._head = head
        self._found: Observed | None = None

    def opened(self) -> list[Act]:
        """Fetch them; keys wait."""
        return [fetched(self.desk, self._head.patient, self._came)]

    def resumed(self) -> list[Act]:
        """Fetch them again: something was just written."""
        return self.opened()

    def changed(self) -> list[Act]:
        """Fetch them again."""
        return [fetched(self.desk, self._head.patient, self._came, holds=False)]

    def key(self, key: str) -> list[Act]:
        """Open a form."""
        desk, head = self.desk, self._found.head if self._found else self._head
        opened: dict[str, Callable[[], Page]] = {
            "v": lambda: VitalsPage(desk, head),
            "r": lambda: PointOfCarePage(desk, head),
            "i": lambda: IntakePage(desk, head),
            "b": lambda: BedsPage(desk, head),
            "o": lambda: ScalePage(desk, head),
        }
        opener = opened.get(self.action(key))
        return super().key(key) if opener is None else [Open(opener())]

    def draw(self, size: Size) -> list[Line]:
        """Draw who it is, what is due, and one row an observation."""
        desk, words = self.desk, self.desk.words
        if self._found is None:
            return [(), line(" ", Span(words("chart.loading"), "dim"))]
        head = self._found.head
        top = [identity(words, head), safety_line(words, head, size.width), self._due(size.width)]
        if chosen := scale_chosen(words, head):
            top.append(line(" ", Span(chosen, "title")))
        columns = (
            Column(words("observed.what"), LABEL_CELLS),
            Column(words("observed.last"), LAST_CELLS),
            Column(words("observed.ago"), AGE_CELLS),
            Column(words("observed.trend"), 0),
        )
        rows = [table_row([Span(each.title, "label") for each in columns], columns, " ")]
        room = max(size.width - LABEL_CELLS - LAST_CELLS - AGE_CELLS - 5, 1)
        plain = desk.theme in PLAIN_THEMES
        rows += [
            table_row(self._cells(each, min(room, 24), plain=plain), columns, " ")
            for each in ordered(self._found.series)
        ]
        if len(rows) == 1:
            rows.append(line("  ", Span(words("observed.none"), "dim")))
        return [*top, *rows][: size.height]

    def _came(self, found: Observed) -> list[Act]:
        self._found = found
        return []

    def _due(self, width: int) -> Line:
        """Say the score, when the next set is due, and by which row of which pack's words."""
        assert self._found is not None
        desk, words, head = self.desk, self.desk.words, self._found.head
        score, due = watching.score(head), watching.due(words, head, desk.now_ms)
        why = word(self._found.why, words.languages).text
        said = [
            Span(f"NEWS2 {score.text}", score.role),
            Span("   "),
            Span(words("observed.next", when=due.text), due.role),
        ]
        room = width - sum(len(span.text) for span in said) - 20
        if why:
            said.append(Span(f" ({cut(clean_text(why), max(room, 8))})"))
        if not self._found.signed:
            said.append(Span("   " + words("observed.not_approved"), "bad"))
        return line(" ", *said)

    def _cells(self, series: Series, width: int, *, plain: bool) -> list[Span]:
        words = self.desk.words
        key = f"obs.{series.code}"
        label = words(key) if words.has(key) else clean_text(series.code)
        last = series.points[0]
        waits = words("observed.unaccepted") if last.unaccepted else ""
        ago = span_of(words, self.desk.now_ms - last.at_ms)
        return [
            Span(label),
            Span(shown(self.desk, last), "title"),
            Span(ago),
            Span(f"{drawn(series.points, width, plain=plain)} {waits}".rstrip()),
        ]


def fetched(
    desk: Desk, patient: str, came: Callable[[Observed], list[Act]], *, holds: bool = True
) -> Ask:
    """Ask what was measured; of another team's patient a reason is asked for first."""

    def refused(failure: FieldmeshError) -> list[Act]:
        asked = asked_first(desk, patient, failure)
        said = Say(error(desk.words, failure), "bad", bell=True)
        return [said] if asked is None else [asked]

    return Ask(lambda node: node.observed(patient), came, refused, holds=holds)


def ordered(series: Sequence[Series]) -> list[Series]:
    """Return them as they are read at a bedside."""
    place = {code: at for at, code in enumerate(FIRST)}
    return sorted(
        (each for each in series if each.points), key=lambda one: place.get(one.code, len(FIRST))
    )


def shown(desk: Desk, point: Point) -> str:
    """Return a value as a person reads it, or why there is none."""
    if point.absent:
        return value_text(desk.words, point.absent)
    sign = unit(point.unit)
    return f"{value_text(desk.words, point.value)} {clean_text(sign)}".strip()


def drawn(points: Sequence[Point], width: int, *, plain: bool) -> str:
    """Return numbers over time as one row of signs; '' for words, or one value alone."""
    oldest = points[::-1]
    values = [number(one) for one in oldest]
    lost = frozenset(at for at, one in enumerate(oldest) if one.absent == "unrecordable")
    if sum(value is not None for value in values) + len(lost) < 2:
        return ""
    return sparkline(values, width, plain=plain, lost=lost)


def number(point: Point) -> float | None:
    """Return a value for a line of signs alone: nothing is decided from it."""
    try:
        return float(point.value) if not point.absent and point.value else None
    except ValueError:
        return None
