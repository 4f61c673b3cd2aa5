"""The medicines of one patient: what is due and late, what was given, what to know before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Open, Say
from fieldnode.tui.cores.display import Line, Span, cut, line
from fieldnode.tui.cores.fields import Answer
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import Picked
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action
from fieldnode.tui.screens.care_form import CareForm
from fieldnode.tui.screens.care_list import CareList
from fieldnode.tui.screens.give import GivePage, GiveWithoutPage
from fieldnode.tui.screens.medicine_words import (
    due,
    how_often,
    last_short,
    last_words,
    measure,
    medicine_name,
    warning,
)
from fieldnode.tui.screens.order import OrderPage
from fieldnode.tui.screens.picks import STOP_REASONS, reasons
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import clock, value_text
from protocols.live.bedside import Care, DoseLine, MedicineLine


class MedicinesPage(CareList[MedicineLine | DoseLine]):
    """Orders, late and due ones first; then what was given without one."""

    name: ClassVar[str] = "medicines"
    title: ClassVar[str] = "medicines.title"
    empty: ClassVar[str] = "medicines.empty"
    about = ("g", "s")
    detail_rows: ClassVar[int] = 5
    actions = (
        Action("g", "1", "medicines.give"),
        Action("o", "2", "medicines.order"),
        Action("s", "3", "medicines.stop"),
        Action("w", "4", "medicines.without"),
        Action("d", "5", "medicines.dispense"),
    )

    def name_of(self, row: MedicineLine | DoseLine) -> str:
        """Return the order, or the dose without one."""
        return row.order if isinstance(row, MedicineLine) else row.fact

    def rows_of(self, found: Care) -> Sequence[MedicineLine | DoseLine]:
        """Return both."""
        return (*found.medicines, *found.doses)

    def columns(self) -> tuple[Column, ...]:
        """Return when it is due, what, how often, and the last dose."""
        words = self.desk.words
        return (
            Column(words("medicines.due"), 14),
            Column(words("medicines.what"), 26),
            Column(words("medicines.how"), 25),
            Column(words("medicines.given"), 0),
        )

    def cells(self, row: MedicineLine | DoseLine) -> list[Span]:
        """Return them in words; a mark where there is something to know."""
        words, desk = self.desk.words, self.desk
        if isinstance(row, DoseLine):
            what = f"{row.substance} {measure(words, row.dose)}"
            at = clock(row.at_ms, desk.now_ms, desk.zone)
            return [
                Span(words("medicines.no_order"), "dim"),
                Span(what),
                Span(value_text(words, row.status)),
                Span(at),
            ]
        dose = measure(words, f"{row.value} {row.unit}".strip())
        mark = "! " if row.warnings else ""
        role = "dim" if row.state in ("done", "ended", "stopped") else "plain"
        return [
            due(desk, row),
            Span(f"{mark}{row.substance} {dose}", "bad" if mark else role),
            Span(f"{value_text(words, row.route)}, {how_often(desk, row)}", role),
            Span(last_short(desk, row), role),
        ]

    def details(self, row: MedicineLine | DoseLine, width: int) -> list[Line]:
        """Return what to know first, then the order, then the last dose."""
        words, desk = self.desk.words, self.desk
        if isinstance(row, DoseLine):
            at = clock(row.at_ms, desk.now_ms, desk.zone)
            route = value_text(words, row.route)
            said = words("care.said", by=row.author, at=at)
            return [line(" ", Span(cut(f"{route}  {said}".strip(), width - 2), "dim"))]
        warned = [
            line(" ", Span(cut(warning(words, one), width - 2), "bad")) for one in row.warnings
        ]
        whole = [line(" ", Span(cut(text, width - 2))) for text in self._ordered(row)]
        last = line(" ", Span(cut(last_words(desk, row), width - 2), "dim"))
        return [*warned[:2], *whole[:2], last]

    def begin(self, letter: str) -> list[Act]:
        """Order one, give one without an order, or hand one out of the store."""
        if letter == "d":
            # No start waits for the forms of stock.
            from fieldnode.tui.screens.dispense_to import handed_out

            return handed_out(self.desk, self.head)
        page = OrderPage if letter == "o" else GiveWithoutPage
        return [Open(page(self.desk, self.care))]

    def act(self, key: str, row: MedicineLine | DoseLine) -> list[Act]:
        """Give what was ordered, or stop it."""
        if not isinstance(row, MedicineLine):
            return [Say(self.desk.words("medicines.no_order_here"), "warn", bell=True)]
        if key == "g":
            return [Open(GivePage(self.desk, self.care, row))]
        return [Open(StopPage(self.desk, self.care, row))]

    def _ordered(self, row: MedicineLine) -> list[str]:
        """Return the order in full."""
        words, desk = self.desk.words, self.desk
        dose = measure(words, f"{row.value} {row.unit}".strip())
        route = value_text(words, row.route)
        first = f"{medicine_name(row)}  {dose}  {route}  {how_often(desk, row)}"
        at = clock(row.start_ms, desk.now_ms, desk.zone)
        said = [words("medicines.ordered", by=row.author, at=at)]
        if row.until_ms is not None:
            until = clock(row.until_ms, desk.now_ms, desk.zone)
            said.append(words("medicines.until", at=until))
        if row.indication:
            said.append(f"{words('field.indication')} {row.indication}")
        if row.stopped_ms is not None:
            stopped = clock(row.stopped_ms, desk.now_ms, desk.zone)
            why = value_text(words, row.stop_reason)
            said.append(words("medicines.stopped", at=stopped, why=why))
        return [first, "  ".join(said)]


class StopPage(CareForm):
    """An order stopped, with the reason."""

    name: ClassVar[str] = "stop_order"
    title: ClassVar[str] = "stop_order.title"
    saved_word: ClassVar[str] = "stop_order.saved"
    kinds: ClassVar[tuple[str, ...]] = ("order.stop",)

    def __init__(self, desk: Desk, care: Care, row: MedicineLine) -> None:
        why = Picked(
            "reason",
            "care.reason",
            required=True,
            hint="pick.hint_free",
            items=reasons(desk, STOP_REASONS),
            free=True,
            chars_max=100,
        )
        super().__init__(desk, FormCore((why,)), care.head)
        self.row = row

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the stop; a reason of the list is written as its name."""
        why = answers["reason"].text.removeprefix("=")
        data = {"order": self.row.order}
        return {"kind": "order.stop", "patient": self.patient, "data": data, "reason": why}

    def told(self) -> list[Line]:
        """Say what is stopped, and what was given of it."""
        dose = measure(self.desk.words, f"{self.row.value} {self.row.unit}".strip())
        what = f"{medicine_name(self.row)}  {dose}  {how_often(self.desk, self.row)}"
        return [*self.says(what, "title"), *self.says(last_words(self.desk, self.row), "dim")]

    def more_draft(self) -> dict[str, str]:
        """Keep which order."""
        return {"about": self.row.order}

    def field_of(self, path: str) -> str:
        """There is one."""
        return "reason"
