"""What was typed and not saved: go on with it, or give it up."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint, Page
from fieldnode.tui.screens.form_page import FormPage
from fieldnode.tui.screens.mass import MassPage
from fieldnode.tui.screens.note import NotePage
from fieldnode.tui.screens.register import RegisterPage
from fieldnode.tui.screens.transfer import TransferPage
from fieldnode.tui.screens.triage import TriagePage
from fieldnode.tui.screens.vitals import VitalsPage
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import clock
from protocols.live.api import BoardLine, Chart, Draft
from protocols.live.bedside import Care
from protocols.records.display import clean_text

CARE_FORMS = frozenset(
    {"allergy", "allergy_none", "allergy_refute", "problem", "problem_over", "order", "give",
     "give_without", "stop_order", "procedure", "discharge", "addendum", "bed", "identify",
     "intake_form", "point_of_care", "scale", "visit"}
)  # fmt: skip
"""Forms that begin from a patient's care."""

SUPPLY_FORMS = frozenset(
    {"request", "send", "shipment_approve", "shipment_reserve", "shipment_dispatch",
     "shipment_receive", "shipment_cancel", "recall_form", "reading_form"}
)  # fmt: skip
"""Forms about requests, shipments, recalls and fridges."""

STOCK_FORMS = frozenset(
    {"stock_receive", "stock_issue", "stock_return", "stock_loss", "stock_adjust", "stock_break",
     "stock_dispense", "stock_count", "teach", "lot_hold", "lot_release", "lot_date",
     "grant"}
)  # fmt: skip
"""Forms about what a store holds."""

PROTOCOL = "protocol"
"""Drafts of answers to a guideline."""


class DraftsPage(Page):
    """The drafts the node keeps."""

    name: ClassVar[str] = "drafts"
    actions = (Action("x", "9", "drafts.drop"),)

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._rows: ListCore[Draft] = ListCore(lambda row: f"{row.form} {row.subject}")
        self._sure = False
        """True after the first `x`: the next one gives the draft up."""
        self._listed = 0
        """How often the list was fetched."""

    def opened(self) -> list[Act]:
        """Fetch them; keys wait."""
        return [Ask(lambda node: node.draft_list(), self._came)]

    def resumed(self) -> list[Act]:
        """Fetch them again."""
        return self.opened()

    def key(self, key: str) -> list[Act]:
        """Choose, go on, give up."""
        sure, self._sure = self._sure, False
        if self._rows.key(key):
            return []
        chosen = self._rows.selected
        if key == "enter" and chosen is not None:
            return self._go_on(chosen)
        if self.action(key) == "x" and chosen is not None:
            return self._give_up(chosen, sure)
        return super().key(key)

    @property
    def question(self) -> Hashable | None:
        """Which draft, out of those listed; whether to give one up."""
        return self._listed, self._sure

    def answers(self, item: str | Scan) -> bool:
        """Enter and `x` are about the selected draft."""
        return item == "enter" or (isinstance(item, str) and self.action(item) == "x")

    def draw(self, size: Size) -> list[Line]:
        """Draw what they are and since when."""
        words = self.desk.words
        columns = (
            Column(words("chart.at"), 11),
            Column(words("chart.kind"), 14),
            Column(words("drafts.whose"), 0),
        )
        title = line(" ", Span(words("drafts.title"), "title"))
        room = Size(size.width, size.height - 2)
        drawn = draw_list(self._rows, columns, self._cells, room, words("drafts.none"))
        return [title, (), *drawn]

    def hints(self) -> list[Hint]:
        """Say what Enter does first."""
        return [
            Hint(self.desk.words("keys.enter"), self.desk.words("drafts.go_on")),
            *super().hints(),
        ]

    def _came(self, drafts: list[Draft]) -> list[Act]:
        self.desk.drafts = drafts
        self._listed += 1
        self._rows.take_all(drafts)
        return []

    def _cells(self, row: Draft) -> list[Span]:
        words = self.desk.words
        key = f"form_name.{row.form}"
        return [
            Span(clock(row.at_ms, self.desk.now_ms, self.desk.zone)),
            Span(words(key) if words.has(key) else clean_text(row.form)),
            Span(clean_text(row.label) or self._first_words(row), "title"),
        ]

    def _first_words(self, row: Draft) -> str:
        """Return what a new patient's draft begins with."""
        names = ("tag", "family_name", "given_name")
        return clean_text(" ".join(row.fields[name] for name in names if name in row.fields))

    def _go_on(self, draft: Draft) -> list[Act]:
        if draft.form in STOCK_FORMS:
            # No start waits for the pages of stores.
            from fieldnode.tui.screens.stock_drafts import taken_up

            return taken_up(self.desk, draft)
        if draft.form in SUPPLY_FORMS:
            return _supplies(self.desk, draft)
        if not draft.patient:
            page = MassPage(self.desk) if draft.form == "triage" else RegisterPage(self.desk)
            return self._open(page, draft)

        if draft.form in CARE_FORMS:
            return [_care(self.desk, draft)]

        def came(chart: Chart) -> list[Act]:
            if draft.form == PROTOCOL:
                return [_protocol(self.desk, chart.head, draft)]
            return self._open(_about(self.desk, draft.form, chart.head), draft)

        return [Ask(lambda node: node.chart(draft.patient, 0, 1), came)]

    def _open(self, page: FormPage, draft: Draft) -> list[Act]:
        page.take_up(draft)
        return [Open(page, instead=True)]

    def _give_up(self, draft: Draft, sure: bool) -> list[Act]:
        if not sure:
            self._sure = True
            return [Say(self.desk.words("drafts.sure"), "warn", bell=True)]

        def dropped(_result: object) -> list[Act]:
            return [Say(self.desk.words("drafts.dropped")), *self.opened()]

        return [Ask(lambda node: node.draft_drop(draft.form, draft.subject), dropped)]


def _care(desk: Desk, draft: Draft) -> Ask:
    # No start waits for the pages of care.
    from fieldnode.tui.screens.care_drafts import care_form
    from fieldnode.tui.screens.care_list import with_care

    def go_on(care: Care) -> list[Act]:
        page = care_form(desk, draft, care)
        if page is None:
            return [Say(desk.words("drafts.gone"), "warn", bell=True)]
        page.take_up(draft)
        return [Open(page, instead=True)]

    return with_care(desk, draft.patient, go_on)


def _supplies(desk: Desk, draft: Draft) -> list[Act]:
    # No start waits for the pages of supplies.
    from fieldnode.tui.screens.supply_drafts import taken_up

    return taken_up(desk, draft)


def _protocol(desk: Desk, head: BoardLine, draft: Draft) -> Open:
    # No start waits for guidelines. The page finds its draft among those that the desk holds.
    from fieldnode.tui.screens.protocol import ProtocolPage

    return Open(ProtocolPage(desk, head, draft.fields.get("name", "")), instead=True)


def _about(desk: Desk, form: str, head: BoardLine) -> FormPage:
    match form:
        case "triage" | "retriage":
            return TriagePage(desk, head)
        case "note":
            return NotePage(desk, head)
        case "transfer":
            return TransferPage(desk, head)
    return VitalsPage(desk, head)
