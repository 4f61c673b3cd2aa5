"""A dose given, refused or not given: of an order with four keys, or without an order."""

from __future__ import annotations

from typing import Any, ClassVar

from fieldnode.tui.cores.display import Line
from fieldnode.tui.cores.fields import Answer, Choice, Coded, Field, Number, Reason, Time
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import Picked, coded
from fieldnode.tui.cores.stock_fields import Lot
from fieldnode.tui.desk import Desk
from fieldnode.tui.occasion import Occasion, is_ahead, today
from fieldnode.tui.screens.care_form import CareForm
from fieldnode.tui.screens.dose_stock import FromStore, stock_fields
from fieldnode.tui.screens.doses import Dose, whole_units
from fieldnode.tui.screens.medicine_words import (
    how_often,
    last_words,
    measure,
    medicine_name,
    warning,
)
from fieldnode.tui.screens.picks import NOT_GIVEN_REASONS, medicines, reasons, routes, units
from fieldnode.tui.wording import value_text
from protocols.guidelines.vocabulary import vocabulary
from protocols.live.api import Recorded
from protocols.live.bedside import Care, MedicineLine
from protocols.records.display import clean_text

KIND = "administration.record"

STATUS = (
    Choice("1", "given", "value.given", "G"),
    Choice("2", "refused", "absent.refused", "R"),
    Choice("3", "not-given", "value.not-given", "N"),
)

CONTINUOUS = "continuous"
"""How often, of what runs on until it is stopped."""

_TEXTS = ("body_site", "lot", "witness")


class GivePage(FromStore):
    """One dose of an order: as ordered with a digit and Enter."""

    name: ClassVar[str] = "give"
    title: ClassVar[str] = "give.title"
    saved_word: ClassVar[str] = "give.saved"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, desk: Desk, care: Care, row: MedicineLine) -> None:
        super().__init__(
            desk, FormCore(_of_order(desk, row), optional_from=1, swift=True), care.head
        )
        self.row = row

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the dose; what was not said is as ordered."""
        data: dict[str, Any] = {"order": self.row.order, "status": answers["status"].text}
        given = data["status"] == "given"
        if given and "dose" in answers:
            data["dose"] = {"value": answers["dose"].text, "unit": self.row.unit}
        if given and "route" in answers:
            data["route"] = coded(answers["route"])[0]
        if given:
            data |= _taken(answers, self._dose_value, self.row.unit)
        why = answers.get("reason", Answer()).text.removeprefix("=")
        found = {"kind": KIND, "patient": self.patient, "data": data}
        if given and "started" in answers:
            day = today(self.desk.now_ms, self.desk.zone)
            found |= Occasion(day, answers["started"].text).line(self.desk.zone)
        if given:
            return self.drawn(found, answers)
        return {**found, "reason": why} if why else found

    def dose_of(self) -> tuple[str, str, str]:
        """As ordered, or as typed."""
        return self.row.substance, self._dose_value, self.row.unit

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """What was not given takes a reason; what is discarded of some medicines a witness."""
        if "started" in answers and (wrong := self._when_wrong(answers["started"].text)):
            return "started", wrong
        if answers["status"].text != "given":
            return None if "reason" in answers else ("reason", Reason("give.why"))
        return _unseen(answers, self._dose_value, controlled=self.row.controlled)

    def _when_wrong(self, time: str) -> Reason | None:
        """Return why something cannot have begun then: it is to come, or Ctrl+T says otherwise."""
        desk = self.desk
        if self.occasion is not None and self.occasion.day:
            return Reason("give.started_twice")
        if is_ahead(today(desk.now_ms, desk.zone), time, desk.now_ms, desk.zone):
            return Reason("when.not_yet", (("time", time),))
        return None

    def told(self) -> list[Line]:
        """Say what was ordered, what was last given, and what speaks against it."""
        words, row = self.desk.words, self.row
        dose = measure(words, f"{row.value} {row.unit}".strip())
        route = value_text(words, row.route)
        ordered = "  ".join((medicine_name(row), dose, route, how_often(self.desk, row)))
        lines = self.says(words("give.ordered", what=ordered), "title")
        for one in row.warnings:
            lines += self.says(warning(words, one), "bad")
        lines += self.stock_told()
        lines += self.says(last_words(self.desk, row), "dim")
        return [*lines, *_worked(self, self._dose_value, row.unit)]

    def more_draft(self) -> dict[str, str]:
        """Keep which order it is of."""
        return {"about": self.row.order}

    def field_of(self, path: str) -> str:
        """Doubts about the whole are asked where the status stands."""
        return super().field_of(path) or "status"

    @property
    def _dose_value(self) -> str:
        typed = self.form.answers().get("dose", Answer()).text
        return typed or self.row.value

    def _label(self, recorded: Recorded) -> str:
        return f"{medicine_name(self.row)}  {super()._label(recorded)}"


class GiveWithoutPage(FromStore):
    """One dose that nobody ordered here, as in an emergency."""

    name: ClassVar[str] = "give_without"
    title: ClassVar[str] = "give.without_title"
    saved_word: ClassVar[str] = "give.saved"
    kinds: ClassVar[tuple[str, ...]] = (KIND,)

    def __init__(self, desk: Desk, care: Care) -> None:
        super().__init__(desk, FormCore(_without(desk), optional_from=4), care.head)

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the dose."""
        unit = coded(answers["unit"])[0]
        data: dict[str, Any] = {
            "substance": self._substance,
            "dose": {"value": answers["dose"].text, "unit": unit},
            "route": coded(answers["route"])[0],
            **_taken(answers, answers["dose"].text, unit),
        }
        return self.drawn({"kind": KIND, "patient": self.patient, "data": data}, answers)

    def dose_of(self) -> tuple[str, str, str]:
        """As typed."""
        answers = self.form.answers()
        dose = answers.get("dose", Answer()).text
        return self._substance, dose, coded(answers.get("unit", Answer()))[0]

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """What is discarded of some medicines takes a witness."""
        controlled = vocabulary().is_controlled(self._substance)
        return _unseen(answers, answers["dose"].text, controlled=controlled)

    def told(self) -> list[Line]:
        """Say what whole units come to."""
        answers = self.form.answers()
        unit = coded(answers.get("unit", Answer()))[0]
        return [*self.stock_told(), *_worked(self, answers.get("dose", Answer()).text, unit)]

    @property
    def _substance(self) -> str:
        return self.form.answers().get("substance", Answer()).text

    def _label(self, recorded: Recorded) -> str:
        return f"{clean_text(self._substance)}  {super()._label(recorded)}"


def _taken(answers: dict[str, Answer], dose: str, unit: str) -> dict[str, Any]:
    """Return site, lot and witness, and what is left of whole units."""
    data: dict[str, Any] = {name: answers[name].text for name in _TEXTS[:2] if name in answers}
    left = whole_units(dose, answers["holds"].text)[1] if "holds" in answers else ""
    if left:
        data["discarded"] = {"value": left, "unit": unit}
        if "witness" in answers:
            data["witness"] = answers["witness"].text
    return data


def _unseen(
    answers: dict[str, Answer], dose: str, *, controlled: bool
) -> tuple[str, Reason] | None:
    left = whole_units(dose, answers["holds"].text)[1] if "holds" in answers else ""
    if left and controlled and "witness" not in answers:
        return "witness", Reason("give.witness_needed")
    return None


def _worked(page: CareForm, dose: str, unit: str) -> list[Line]:
    """Return the arithmetic of whole units."""
    holds = page.form.answers().get("holds", Answer()).text
    if not holds or not dose:
        return []
    words = page.desk.words
    text, left = whole_units(dose, holds)
    if not text:
        return []
    said = words("give.whole", text=text)
    if left:
        said += "  " + words("give.discarded", what=measure(words, f"{left} {unit}"))
    return page.says(said)


def _of_order(desk: Desk, row: MedicineLine) -> tuple[Field, ...]:
    hint = "give.dose_hint" if row.unit else ""
    # What runs on has an hour at which it began; of a dose that is its own hour.
    began = (Time("started", "give.started", hint="give.started_hint"),)
    return (
        Coded("status", "give.status", required=True, choices=STATUS, hint="give.status_hint"),
        *(began if row.way == CONTINUOUS else ()),
        Dose("dose", "give.dose", hint=hint, unit=row.unit),
        *stock_fields(desk),
        *_more(row.unit),
        Picked("route", "order.route", hint="give.route_hint", items=routes(desk)),
        Field("witness", "give.witness", hint="give.witness_hint", chars_max=80),
        Picked(
            "reason",
            "care.reason",
            hint="pick.hint_free",
            items=reasons(desk, NOT_GIVEN_REASONS),
            free=True,
            chars_max=100,
        ),
    )


def _without(desk: Desk) -> tuple[Field, ...]:
    substance = Picked(
        "substance",
        "order.substance",
        required=True,
        hint="order.substance_hint",
        items=medicines(desk),
        free=True,
        plain=True,
        chars_max=80,
    )
    return (
        substance,
        Dose("dose", "order.dose", required=True, hint="order.dose_hint"),
        Picked("unit", "order.unit", required=True, items=units(desk)),
        Picked("route", "order.route", required=True, items=routes(desk)),
        *stock_fields(desk),
        *_more(""),
        Field("witness", "give.witness", hint="give.witness_hint", chars_max=80),
    )


def _more(unit: str) -> tuple[Field, ...]:
    return (
        Number("holds", "give.holds", hint="give.holds_hint", unit=unit, decimals=2),
        Field("body_site", "give.site", chars_max=80),
        Lot("lot", "give.lot", hint="give.lot_hint"),
    )
