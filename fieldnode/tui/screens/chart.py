"""One patient: who, what is not settled, and everything that happened, newest first."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from fieldnode.tui import watching
from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, cells, cut, fill, line, wrap
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint, Page
from fieldnode.tui.screens.accepting import accept, waits
from fieldnode.tui.screens.belonging import came_from
from fieldnode.tui.screens.glass import asked_first
from fieldnode.tui.screens.in_error import InErrorPage
from fieldnode.tui.screens.listing import GONE
from fieldnode.tui.screens.note import NotePage
from fieldnode.tui.screens.printing import PRINT_KEY, print_wristband
from fieldnode.tui.screens.shared_tag import SharedTagPage, others
from fieldnode.tui.screens.transfer import TransferToPage
from fieldnode.tui.screens.triage import TriagePage
from fieldnode.tui.screens.unsettled import ask_unsettled
from fieldnode.tui.screens.vitals import VitalsPage
from fieldnode.tui.timeline import ADDENDUM, Happening, happenings, summary, when
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import clock, error, identity, safety_line, scale_chosen, value_text
from protocols.errors import FieldmeshError
from protocols.live.api import Attribute, Chart, ChartLine
from protocols.records.display import clean_text

ATTRIBUTE_ROWS = 4
"""Rows for what is known about the person, the unsettled first."""

ALERT_ROWS = 2
"""Rows for tags that somebody else carries too."""

DETAIL_ROWS = 4
"""Rows at the bottom for the whole of the selected line."""

AUTHOR_CELLS = 10
AT_CELLS = 11
KIND_CELLS = 9
SAVED_CELLS = 5

FACTS_FIRST = 120
"""Facts fetched at first: about fifteen sets of vital signs."""

FACTS_MAX = 500
"""Facts fetched once the person has gone to the end of those; the most the node gives."""


ALSO = (
    Action("m", "8", "chart.medicines"),
    Action("p", "7", "chart.protocols"),
    Action("r", "0", "chart.transfer"),
    Action("l", "6", "chart.links"),
)
"""Actions that the bar has no room for: their keys stand in a row of their own above it."""


class ChartPage(Page):
    """The chart of one patient."""

    name: ClassVar[str] = "chart"
    actions = (
        Action("v", "1", "chart.vitals"),
        Action("t", "2", "chart.triage"),
        Action("n", "3", "chart.note"),
        Action("e", "4", "chart.error"),
        Action("u", "5", "chart.settle"),
        Action("c", "9", "chart.care"),
        *ALSO,
    )

    def __init__(self, desk: Desk, patient: str) -> None:
        super().__init__(desk)
        self._patient = patient
        self._chart: Chart | None = None
        self._rows: ListCore[Happening] = ListCore(lambda row: row.line.fact)
        self._limit = FACTS_FIRST
        self._gone = False
        """Whether the node said since that there is no such patient, or none for this device."""

    def opened(self) -> list[Act]:
        """Fetch the chart; keys wait for it."""
        return [self._fetch(holds=True)]

    def resumed(self) -> list[Act]:
        """Fetch it again: what was just saved is its first line."""
        self._rows.clear()
        return [self._fetch(holds=True)]

    def changed(self) -> list[Act]:
        """Fetch it again; the selection stays on its line."""
        return [self._fetch(holds=False)]

    def key(self, key: str) -> list[Act]:
        """Move in the timeline, or start something for this patient."""
        chart = self._chart
        if chart is None:
            return super().key(key)
        if self._rows.key(key):
            return self._fetch_older(chart)
        if key == PRINT_KEY:
            return print_wristband(self.desk, chart.head)
        if key == "enter" and waits(self._rows.selected):
            return accept(self.desk, chart.head, self._rows.selected)
        opener = self._openers(chart).get(self.action(key))
        return super().key(key) if opener is None else opener()

    def _openers(self, chart: Chart) -> dict[str, Callable[[], list[Act]]]:
        """Return what each letter does."""
        desk, head = self.desk, chart.head
        return {
            "v": lambda: [Open(VitalsPage(desk, head))],
            "t": lambda: [Open(TriagePage(desk, head))],
            "n": lambda: [Open(NotePage(desk, head))],
            "l": lambda: [_links(desk, chart)],
            "r": lambda: [Open(TransferToPage(desk, head))],
            "p": lambda: [_protocols(desk, chart)],
            "m": lambda: [_medicines(desk, chart)],
            "c": lambda: [_care(desk, chart, self._marked())],
            "e": lambda: self._entered_in_error(chart),
            "u": lambda: self._settle(chart),
        }

    def draw(self, size: Size) -> list[Line]:
        """Draw who it is, what is known, and the timeline."""
        words = self.desk.words
        if self._chart is None:
            said = Span(words("chart.gone"), "bad") if self._gone else None
            return [(), line(" ", said or Span(words("chart.loading"), "dim"))]
        alerts = self._shared_tags(size.width)
        safety = safety_line(words, self._chart.head, size.width)
        came = came_from(self.desk, self._chart.head)
        alerts += [line(" ", Span(part, "warn")) for part in wrap(came, size.width - 2) if came]
        attributes = self._attributes(size.width)
        top = [identity(words, self._chart.head), safety, *self._score(), *alerts, *attributes]
        columns = (
            Column(words("chart.at"), AT_CELLS),
            Column(words("chart.kind"), KIND_CELLS),
            Column(words("chart.saved"), SAVED_CELLS),
            Column(words("chart.by"), AUTHOR_CELLS),
            Column(words("chart.what"), 0),
        )
        room = Size(size.width, size.height - len(top) - DETAIL_ROWS - 1)
        rows = draw_list(self._rows, columns, self._cells, room, words("chart.empty"))
        details = self._details(size.width)
        details += [()] * (DETAIL_ROWS - len(details))
        return [*top, *rows, *details, self._also(size.width)]

    def hints(self) -> list[Hint]:
        """Return what the bar has room for; the rest stands in the row above it."""
        also = {self.desk.words(action.word) for action in ALSO}
        return [hint for hint in super().hints() if hint.word not in also]

    def _score(self) -> list[Line]:
        """Return how the patient does, and by whose choice SpO2 is scored on scale 2."""
        assert self._chart is not None
        desk, words, head = self.desk, self.desk.words, self._chart.head
        spans: list[Span] = []
        if self._chart.in_care and head.last_set_ms is not None:
            score, due = watching.score(head), watching.due(words, head, desk.now_ms)
            spans += [Span(f"NEWS2 {score.text}", score.role)]
            if head.due_ms is not None:
                spans += [Span("   "), Span(words("observed.next", when=due.text), due.role)]
            if not self._chart.signed:
                spans += [Span("   "), Span(words("observed.not_approved"), "bad")]
        if chosen := scale_chosen(words, head):
            spans += [Span("   " if spans else ""), Span(chosen, "title")]
        return [line(" ", *spans)] if spans else []

    def _also(self, width: int) -> Line:
        """Return keys that the bar has no room for."""
        spans: list[Span] = []
        for action in ALSO:
            gap = "  " if spans else " "
            spans += [Span(gap), Span(f"{action.letter}/{action.digit}", "key")]
            spans += [Span(f" {self.desk.words(action.word)}")]
        return fill(tuple(spans), width)

    def _fetch(self, *, holds: bool) -> Ask:
        patient, limit = self._patient, self._limit

        def came(chart: Chart) -> list[Act]:
            self._chart, self._gone = chart, False
            self._rows.take_all(happenings(chart.lines))
            return []

        def refused(failure: FieldmeshError) -> list[Act]:
            self._gone = self._gone or failure.code in GONE
            if not (holds or self._gone):
                # The node is away: what is shown is what was known last.
                return []
            self._chart = None
            # Another page may stand here by now: only keys that wait are answered by one more.
            asked = asked_first(self.desk, patient, failure) if holds else None
            said = Say(error(self.desk.words, failure), "bad", bell=True)
            return [said] if asked is None else [asked]

        return Ask(lambda node: node.chart(patient, 0, limit), came, refused, holds=holds)

    def _fetch_older(self, chart: Chart) -> list[Act]:
        """Ask for more when the end of what is here is selected."""
        at_end = self._rows.index + 1 >= self._rows.total
        if not at_end or self._limit >= min(chart.total, FACTS_MAX):
            return []
        self._limit = FACTS_MAX
        return [self._fetch(holds=False)]

    def _shared_tags(self, width: int) -> list[Line]:
        """Return an alert for each tag that somebody else carries too, until it is off one."""
        assert self._chart is not None
        patient = self._chart.head.patient
        texts = [
            self.desk.words("chart.tag_shared", tag=clean_text(one.tag), who=others(one, patient))
            for one in self._chart.shared_tags
        ]
        return [line(" ", Span(cut(text, width - 2), "bad")) for text in texts[:ALERT_ROWS]]

    def _attributes(self, width: int) -> list[Line]:
        """Return what is known, values that disagree first and marked."""
        assert self._chart is not None
        known = sorted(self._chart.attributes, key=lambda one: len(one.values) < 2)
        parts = [
            (self._attribute(one), "warn" if len(one.values) > 1 else "plain") for one in known
        ]
        rows: list[Line] = []
        for role in ("warn", "plain"):
            rows += _rows_of([part for part, of in parts if of == role and part], role, width)
        return rows[:ATTRIBUTE_ROWS]

    def _attribute(self, one: Attribute) -> str:
        words = self.desk.words
        key = f"field.{one.name}"
        title = words(key) if words.has(key) else clean_text(one.name)
        values = list(dict.fromkeys(value_text(words, value.text) for value in one.values))
        mark = "! " if len(values) > 1 else ""
        return f"{mark}{title}: {' | '.join(values)}"

    def _cells(self, happening: Happening) -> list[Span]:
        words, row = self.desk.words, happening.line
        kind_key = f"kind.{row.kind}"
        kind = words(kind_key) if words.has(kind_key) else clean_text(row.kind)
        role = "dim" if row.replaced else "plain"
        return [
            Span(when(self.desk, row), role),
            Span(kind, role),
            Span(words(f"saved.{row.saved}") if words.has(f"saved.{row.saved}") else "?", role),
            Span(_author(row), role),
            Span(self._what(row, short=True), role),
        ]

    def _what(self, row: ChartLine, *, short: bool = False) -> str:
        """Return the line's content, with what became of it in front."""
        words = self.desk.words
        marks = {1: words("chart.corrected"), 2: words("chart.in_error")}
        before = [marks[row.replaced]] if row.replaced in marks else []
        if row.standing:
            before.append(words("chart.not_standing"))
        if row.unconfirmed:
            before.append(words("chart.unconfirmed"))
        said = summary(self.desk, row, short=short)
        return " ".join([*before, said, *self._adds_to(row), *self._stood_by(row)])

    def _adds_to(self, row: ChartLine) -> list[str]:
        """Return what an addendum adds to: the line as it is here, or that it is earlier."""
        desk = self.desk
        about = dict(row.summary).get(ADDENDUM, "")
        if not about or self._chart is None:
            return []
        known = next((one for one in self._chart.lines if one.fact == about), None)
        what = desk.words("chart.adds_earlier")
        if known is not None:
            key = f"kind.{known.kind}"
            kind = desk.words(key) if desk.words.has(key) else clean_text(known.kind)
            what = f"{kind} {when(desk, known)}"
        return [desk.words("chart.adds_to", what=what)]

    def _stood_by(self, row: ChartLine) -> list[str]:
        """Return who stands by a triage that nobody identified wrote, and since when."""
        desk = self.desk
        return [
            desk.words("chart.confirmed", who=clean_text(who), at=clock(at, desk.now_ms, desk.zone))
            for who, at in row.confirmed
        ]

    def _details(self, width: int) -> list[Line]:
        """Return who wrote the selected line, when, how far it has travelled, and all it says."""
        chosen = self._rows.selected
        if chosen is None:
            return []
        row = chosen.line
        how = self.desk.words("accept.how") + " " if waits(chosen) else ""
        said = wrap(how + self._what(row), width - 2)[: DETAIL_ROWS - 1]
        return [
            line(" ", Span(self._provenance(row), "dim")),
            *(line(" ", Span(part)) for part in said),
        ]

    def _provenance(self, row: ChartLine) -> str:
        desk, words = self.desk, self.desk.words
        return words(
            "chart.line",
            by=_written_by(row),
            at=when(desk, row),
            recorded=clock(row.recorded_ms, desk.now_ms, desk.zone),
            saved=words(f"saved_long.{row.saved}") if words.has(f"saved_long.{row.saved}") else "?",
        )

    def _marked(self) -> tuple[str, str]:
        """Return the marked line's first fact, and the line in words; '' for none."""
        chosen = self._rows.selected
        if chosen is None:
            return "", ""
        row = chosen.line
        return row.fact, f"{when(self.desk, row)} {summary(self.desk, row, short=True)}"

    def _entered_in_error(self, chart: Chart) -> list[Act]:
        chosen = self._rows.selected
        if chosen is None or chosen.line.replaced == 2:
            return [Say(self.desk.words("chart.no_line"), "warn", bell=True)]
        row = chosen.line
        what = f"{when(self.desk, row)} {summary(self.desk, row, short=True)}"
        return [Open(InErrorPage(self.desk, what, chosen.facts, chart.head.patient))]

    def _settle(self, chart: Chart) -> list[Act]:
        if chart.shared_tags:
            return [Open(SharedTagPage(self.desk, chart.head, chart.shared_tags))]
        return [ask_unsettled(self.desk, chart.head)]


def _links(desk: Desk, chart: Chart) -> Open:
    # That page finds the other patient, and what finds patients opens charts.
    from fieldnode.tui.screens.links import LinksPage

    return Open(LinksPage(desk, chart.head))


def _medicines(desk: Desk, chart: Chart) -> Open:
    # No start waits for the pages of care.
    from fieldnode.tui.screens.medicines import MedicinesPage

    return Open(MedicinesPage(desk, chart.head))


def _care(desk: Desk, chart: Chart, marked: tuple[str, str]) -> Open:
    from fieldnode.tui.screens.care import CarePage

    return Open(CarePage(desk, chart.head, marked))


def _protocols(desk: Desk, chart: Chart) -> Open:
    # No start waits for guidelines.
    from fieldnode.tui.screens.protocols import ProtocolsPage

    return Open(ProtocolsPage(desk, chart.head))


def _rows_of(parts: Sequence[str], role: str, width: int) -> list[Line]:
    """Return parts side by side, as many to a row as fit whole."""
    rows: list[str] = []
    for part in parts:
        if rows and cells(rows[-1]) + 3 + cells(part) <= width - 2:
            rows[-1] += f"   {part}"
        else:
            rows.append(cut(part, width - 2))
    return [line(" ", Span(row, role)) for row in rows]


def _author(row: ChartLine) -> str:
    """Return who wrote a line; of somebody nobody here knows yet, the device with a mark."""
    return clean_text(row.author) + ("?" if row.unknown else "")


def _written_by(row: ChartLine) -> str:
    """Return the person with their profession, and the device where that is another name."""
    who = _author(row)
    if row.profession:
        who += f", {clean_text(row.profession)}"
    elsewhere = row.device and row.device != row.author
    return f"{who} ({clean_text(row.device)})" if elsewhere else who
