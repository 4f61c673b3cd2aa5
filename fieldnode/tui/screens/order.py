"""A medicine ordered: a dose is proposed from a whole row or not at all, else only worked out."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Ask
from fieldnode.tui.cores.display import Line
from fieldnode.tui.cores.fields import Answer, Date, Field, Reason, Time
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import MARK, Item, Picked, coded
from fieldnode.tui.desk import Desk
from fieldnode.tui.occasion import DAY_CHARS, Occasion, today
from fieldnode.tui.screens.care_form import CareForm
from fieldnode.tui.screens.doses import TAKE, Dose, Duration, per_kg
from fieldnode.tui.screens.picks import frequencies, frequency_data, medicines, routes, units
from fieldnode.tui.wording import clock, value_text
from protocols.errors import FieldmeshError
from protocols.guidelines.words import word
from protocols.live.api import Recorded
from protocols.live.bedside import Care, DoseHelp, Proposal, WeightLine
from protocols.records.display import clean_text

NO_WEIGHT = "none"
"""Chosen where weights are in conflict and none is to be used."""

_TEXTS = ("indication", "strength", "form", "code", "override")


class OrderPage(CareForm):
    """One order."""

    name: ClassVar[str] = "order"
    title: ClassVar[str] = "order.title"
    saved_word: ClassVar[str] = "order.saved"
    kinds: ClassVar[tuple[str, ...]] = ("order.place",)

    def __init__(self, desk: Desk, care: Care) -> None:
        self._weights = care.weights
        fields = _fields(desk, care.weights)
        needed = next(at for at, field in enumerate(fields) if field.name == "duration")
        super().__init__(desk, FormCore(fields, optional_from=needed), care.head)
        self._help: DoseHelp | None = None

    def field_left(self, name: str) -> list[Act]:
        """Ask what is known of the medicine; a dose that was taken fills what it says."""
        if name in ("substance", "weight"):
            return [self._ask_help()]
        if name == "dose" and (taken := self._taken) is not None:
            self.form.offer("unit", MARK + "mg")
            self.form.offer("route", MARK + taken.route)
            self.form.offer("frequency", f"{MARK}times-a-day {taken.times_a_day}")
        return []

    def opened(self) -> list[Act]:
        """Ask again what is known of a medicine that a draft names."""
        again = [self._ask_help()] if "substance" in self.form.answers() else []
        return [*super().opened(), *again]

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the order, with the weight and the proposal that its dose came from."""
        unit = coded(answers["unit"])[0]
        data: dict[str, Any] = {
            "substance": answers["substance"].text.removeprefix(MARK),
            "dose": {"value": answers["dose"].text, "unit": unit},
            "route": coded(answers["route"])[0],
            "frequency": frequency_data(coded(answers["frequency"])[0]),
        }
        data |= {name: answers[name].text for name in _TEXTS if name in answers}
        if "duration" in answers:
            number, _, of = answers["duration"].text.partition(" ")
            data["duration"] = {"value": int(number), "unit": of}
        if starts := self._starts(answers):
            data["start"] = starts
        weight, taken = self._weight, self._taken
        if weight is not None and (taken or per_kg(answers["dose"].text, unit, weight.kg)):
            data["weight"] = {"value": weight.kg, "unit": "kg", "estimated": weight.estimated}
        if taken is not None and unit == "mg":
            said = {"pack": taken.pack, "version": taken.version, "row": taken.row}
            data["proposal"] = {**said, "arithmetic": taken.text}
        return {"kind": "order.place", "patient": self.patient, "data": data}

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """A day alone says nothing of the first dose."""
        if "start_day" in answers and "start" not in answers:
            return "start", Reason("order.start_needs_time")
        if len(answers.get("start_day", Answer()).text) not in (0, DAY_CHARS):
            return "start_day", Reason("when.time_needs_day")
        return None

    def _starts(self, answers: dict[str, Answer]) -> str:
        """Return the instant of the first dose; '' where none was typed: from now on."""
        time = answers["start"].text if "start" in answers else ""
        day = answers["start_day"].text if "start_day" in answers else ""
        if not time or len(day) not in (0, DAY_CHARS):
            return ""
        day = day or today(self.desk.now_ms, self.desk.zone)
        return str(Occasion(day, time).line(self.desk.zone)["at"])

    def told(self) -> list[Line]:
        """Say what speaks against it, what is proposed or why nothing is, and the arithmetic."""
        lines: list[Line] = []
        words, known = self.desk.words, self._help
        if known is not None:
            if known.against:
                named = ", ".join(value_text(words, one) for one in known.against)
                lines += self.says(words("order.against", what=named), "bad")
            if known.ordered:
                lines += self.says(words("order.already"), "warn")
            lines += self._proposed(known)
        if starts := self._starts(self.form.answers()):
            at_ms = int(datetime.fromisoformat(starts).timestamp() * 1000)
            at = clock(at_ms, self.desk.now_ms, self.desk.zone)
            lines += self.says(words("order.starts", at=at), "plain")
        return [*lines, *self._arithmetic()]

    @property
    def _taken(self) -> Proposal | None:
        """The proposal whose dose stands in the field."""
        text = self.form.text(self.form.place_of("dose"))
        proposals = self._help.proposals if self._help else ()
        return next((one for one in proposals if TAKE + one.mg == text), None)

    @property
    def _weight(self) -> WeightLine | None:
        """The weight that is used: the only one, or the one chosen for this order."""
        if len(self._weights) < 2:
            return self._weights[0] if self._weights else None
        chosen = coded(self.form.answer(self.form.place_of("weight")))[0]
        return self._weights[int(chosen) - 1] if chosen.isdecimal() else None

    def _ask_help(self) -> Ask:
        substance = self.form.answers().get("substance", Answer()).text.removeprefix(MARK)
        chosen = 0
        if len(self._weights) > 1:
            named = coded(self.form.answer(self.form.place_of("weight")))[0]
            chosen = int(named) if named.isdecimal() else 0
        if chosen:
            # Chosen among several for this order: that is the answer to the doubt.
            text = self.form.text(self.form.place_of("weight"))
            self._confirm["weights_differ"] = ("weight", text)

        def came(found: DoseHelp) -> list[Act]:
            self._help = found
            self.form.replace_field(_dose(tuple(one.mg for one in found.proposals)))
            return []

        def failed(_failure: FieldmeshError) -> list[Act]:
            self._help = None
            return []

        patient = self.patient
        # Keys wait: whether `+` takes a dose depends on the answer.
        return Ask(
            lambda node: node.dose_help(patient, substance, chosen), came, failed, drops=False
        )

    def _proposed(self, known: DoseHelp) -> list[Line]:
        words = self.desk.words
        if not known.proposals:
            lacks = ", ".join(
                words(f"lacks.{one}") if words.has(f"lacks.{one}") else clean_text(one)
                for one in known.lacks
            )
            key = f"no_dose.{known.reason}"
            said = words(key, lacks=lacks) if words.has(key) else ""
            return self.says(said, "dim") if said else []
        lines: list[Line] = []
        for at, one in enumerate(known.proposals, 1):
            sign = TAKE if len(known.proposals) == 1 else f"{TAKE}{at}"
            estimated = words("order.estimated") if one.estimated else ""
            said = words(
                "order.proposed",
                sign=sign,
                what=clean_text(word(one.words, words.languages, one.row).text),
                text=one.text,
                amount=one.amount_text,
            )
            state = "" if one.approved else words("order.not_approved")
            said = " ".join(part for part in (said, estimated, state) if part)
            lines += self.says(said, "warn" if state else "plain")
        return lines

    def _arithmetic(self) -> list[Line]:
        words, desk = self.desk.words, self.desk
        if len(self._weights) > 1 and self._weight is None:
            return self.says(words("order.weights_differ"), "warn")
        weight = self._weight
        if weight is None:
            return self.says(words("order.no_weight"), "dim")
        answers = self.form.answers()
        dose, unit = answers.get("dose", Answer()).text, answers.get("unit", Answer())
        at = clock(weight.at_ms, desk.now_ms, desk.zone)
        about = words("order.estimated") if weight.estimated else ""
        said = [words("order.weight", kg=weight.kg, at=at), about]
        worked = per_kg(dose, coded(unit)[0], weight.kg)
        if worked:
            said += [words("order.worked", text=worked), about]
        return self.says("  ".join(part for part in said if part))

    def _label(self, recorded: Recorded) -> str:
        substance = self.form.answers()["substance"].text.removeprefix(MARK)
        return f"{clean_text(substance)}  {super()._label(recorded)}"


def _dose(proposed: tuple[str, ...] = ()) -> Dose:
    hint = "order.dose_hint_proposed" if proposed else "order.dose_hint"
    return Dose("dose", "order.dose", required=True, hint=hint, proposed=proposed)


def _fields(desk: Desk, weights: tuple[WeightLine, ...]) -> tuple[Field, ...]:
    words = desk.words
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
    several: tuple[Field, ...] = ()
    if len(weights) > 1:
        items = [
            Item(str(at), str(at), _weight_words(desk, one)) for at, one in enumerate(weights, 1)
        ][:8]
        none = Item("9", NO_WEIGHT, words("order.no_weight_chosen"))
        several = (
            Picked(
                "weight",
                "obs.weight",
                required=True,
                hint="order.weight_hint",
                items=(*items, none),
            ),
        )
    often = Picked("frequency", "order.often", required=True, items=frequencies(desk))
    return (
        substance,
        *several,
        _dose(),
        Picked("unit", "order.unit", required=True, items=units(desk)),
        Picked("route", "order.route", required=True, items=routes(desk)),
        often,
        Duration("duration", "order.duration", hint="order.duration_hint"),
        Field("indication", "order.indication"),
        Field("strength", "order.strength", hint="order.strength_hint", chars_max=80),
        Field("form", "order.form", hint="order.form_hint", chars_max=80),
        Time("start", "order.start", hint="order.start_hint", whole=True),
        Date("start_day", "order.start_day", hint="order.start_day_hint"),
        Field("code", "order.code", hint="order.code_hint", chars_max=80),
        Field("override", "order.override", hint="order.override_hint"),
    )


def _weight_words(desk: Desk, one: WeightLine) -> str:
    at = clock(one.at_ms, desk.now_ms, desk.zone)
    about = desk.words("order.estimated") if one.estimated else ""
    return " ".join(part for part in (f"{one.kg} kg", about, at) if part)
