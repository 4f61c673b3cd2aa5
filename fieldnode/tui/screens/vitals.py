"""Vital signs: what was measured, what was not, and what could not be found."""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import partial
from typing import Any, ClassVar

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.acts import Act, Ask
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.fields import (
    ABSENT_MARKS,
    NOT_MEASURED,
    Answer,
    Coded,
    Field,
    Number,
    Pressure,
    Reason,
)
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.scoring import (
    LIMITS,
    MALNUTRITION,
    NEWS2,
    Scoring,
    Told,
    Whom,
    scoring,
    tell,
    whom,
)
from fieldnode.tui.screens.choices import CONSCIOUSNESS
from fieldnode.tui.screens.form_page import FormPage
from fieldnode.tui.wording import scale_chosen, span_of, unit, value_text
from protocols.errors import FieldmeshError
from protocols.guidelines.observations import Observation, Range, observations
from protocols.live.api import BoardLine
from protocols.live.guidance import PackInUse
from protocols.live.observed import Observed, Point

OPTIONAL_FROM = 7
"""Pain, weight and the like: Enter in the first empty one saves."""

SHORT_TENTHS = {"temperature": (300, 439)}
"""Three digits that mean tenths (SAFETY 5)."""

_MEASURES = ("respiratory-rate", "spo2", "oxygen", "heart-rate", "temperature")
_MORE = ("pain", "weight", "glucose", "muac", "urine")
_DAYS = {"y": 365.25, "mo": 30.4375, "w": 7.0, "d": 1.0}


class VitalsPage(FormPage):
    """One set of vital signs, taken together and written as one record."""

    name: ClassVar[str] = "vitals"
    title: ClassVar[str] = "vitals.title"
    saved_word: ClassVar[str] = "vitals.saved"
    kinds: ClassVar[tuple[str, ...]] = ("observation.record",)

    def __init__(self, desk: Desk, head: BoardLine) -> None:
        super().__init__(desk, FormCore(_fields(age_days(head.age)), optional_from=OPTIONAL_FROM))
        self.head = head
        self._sent: list[str] = []
        self._scoring: Scoring | None = None
        """The packs in use; None until they are here, and while the node is away."""
        self._classed: Classed | None = None
        """Says what an upper arm comes to; None until the pack in use is here."""
        self._news: PackInUse | None = None
        self._last: dict[str, Point] = {}
        """The last value of each observation, shown beside its field."""
        self._whom = whom(head)

    def opened(self) -> list[Act]:
        """Ask for the packs in use; what is typed does not wait for them."""

        def news(told: PackInUse) -> list[Act]:
            self._news = told
            return [Ask(lambda node: node.pack_in_use(LIMITS), limits, _unscored, holds=False)]

        def limits(told: PackInUse) -> list[Act]:
            if self._news is not None:
                self._scoring = scoring(self._news, told)
            return [ask_class(self._take_class)]

        asks = Ask(lambda node: node.pack_in_use(NEWS2), news, _unscored, holds=False)
        return [*super().opened(), asks, *self._ask_last()]

    def _take_class(self, classed: Classed) -> None:
        self._classed = classed

    def _ask_last(self) -> list[Act]:
        """Ask for the set before; nobody waits for it, and no key copies it (SAFETY 4)."""
        head = self.head
        if head is None:
            return []

        def came(found: Observed) -> list[Act]:
            self._last = {one.code: one.points[0] for one in found.series if one.points}
            # Whoever opened this from a list may have done so before the scale was chosen.
            self.head, self._whom = found.head, whom(found.head)
            return []

        return [Ask(lambda node: node.observed(head.patient), came, _unscored, holds=False)]

    def draw(self, size: Size) -> list[Line]:
        """Draw the form, and below it the score so far or why there is none."""
        below = self.told()
        return [*super().draw(Size(size.width, size.height - len(below))), *below]

    def told(self) -> list[Line]:
        """Return the score so far, or why there is none and what alerts."""
        assert self.head is not None
        told, chosen = self._told(), scale_chosen(self.desk.words, self.head)
        lines = [line(" ", Span(chosen, "title"))] if chosen else []
        if self._classed is not None:
            lines += self._classed(left_answers(self.form), self._whom, self.desk.words)
        return [*lines, (Span(" "), *told.below)] if told is not None and told.below else lines

    def beside(self) -> dict[str, Span]:
        """Return what each value adds, or how it alerts by itself."""
        told = self._told()
        scored = {} if told is None else told.beside
        found = dict(scored)
        for field in self.form.fields:
            last = self._before(field)
            if last:
                now = scored.get(field.name)
                sign = now.text if now else unit(getattr(field, "unit", "") or _SIGNS[field.name])
                shown = f"{sign}   {last}" if sign else last
                found[field.name] = Span(shown, now.role if now else "dim")
        return found

    def _before(self, field: Field) -> str:
        """Return the last value of a field with its age; '' where choices stand, or none is."""
        if isinstance(field, Coded) and field is self.form.open_field:
            return ""
        if isinstance(field, Pressure):
            upper, lower = self._last.get("systolic"), self._last.get("diastolic")
            point = upper
            # A lower one of another time is no part of this pressure: only half of it was taken.
            whole = upper and lower and upper.at_ms == lower.at_ms
            said = "/".join(_plain(self.desk, one) for one in (upper, whole and lower) if one)
        else:
            point = self._last.get(field.name)
            said = _plain(self.desk, point)
        if point is None:
            return ""
        words = self.desk.words
        ago = span_of(words, self.desk.now_ms - point.at_ms)
        mark = f" {words('observed.unaccepted')}" if point.unaccepted else ""
        return words("vitals.last", value=said, ago=ago) + mark

    def _told(self) -> Told | None:
        """Work it out from the fields that were left: half a number is none."""
        if self._scoring is None:
            return None
        return tell(self._scoring, left_answers(self.form), self._whom, self.desk.words)

    def unsigned(self) -> bool:
        """Possible and usual ranges are the observation pack's."""
        return not observations().pack.approved

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """An empty set is no record."""
        return None if answers else (self.form.fields[0].name, Reason("vitals.nothing"))

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return all values as one set, in the order of the form."""
        assert self.head is not None
        self._sent, values = [], []
        for field in self.form.fields:
            if field.name in answers:
                for value in _values(field, answers[field.name]):
                    self._sent.append(field.name)
                    values.append(value)
        data = {"set": values}
        return {"kind": "observation.record", "patient": self.head.patient, "data": data}

    def field_of(self, path: str) -> str:
        """Map `data.set.3.value` to the field that value came from."""
        found = re.match(r"data\.set\.(\d+)", path)
        place = int(found[1]) if found else len(self._sent)
        return self._sent[place] if place < len(self._sent) else ""


_SIGNS = {"pressure": "mm[Hg]", "consciousness": ""}
"""Units of what is no number field."""


def _plain(desk: Desk, point: Point | None) -> str:
    """Return a value of before without its unit, which stands in the row already."""
    if point is None:
        return ""
    return value_text(desk.words, point.absent or point.value)


def left_answers(form: FormCore) -> dict[str, Answer]:
    """Return the answers of the fields that were left: half a number is none."""
    answers = dict(form.answers())
    answers.pop(form.open_field.name, None)
    return answers


Classed = Callable[[dict[str, Answer], Whom, Catalogue], list[Line]]
"""Answers, of whom, in whose words: what an upper arm and swollen feet come to."""


def ask_class(take: Callable[[Classed], None]) -> Ask:
    """Ask for the malnutrition pack in use; without it nothing is said of an upper arm."""

    def came(told: PackInUse) -> list[Act]:
        # No start waits for guidelines.
        from fieldnode.tui.malnutrition import form_of, told_of

        take(partial(told_of, form_of(told)))
        return []

    return Ask(lambda node: node.pack_in_use(MALNUTRITION), came, _unscored, holds=False)


def _unscored(_failure: FieldmeshError) -> list[Act]:
    """No score is shown then; what is typed is saved all the same."""
    return []


def age_days(text: str) -> float | None:
    """Return an age as the board shows it in days; None when it is a band or unknown."""
    found = re.fullmatch(r"~?(\d+) (y|mo|w|d)", text)
    return int(found[1]) * _DAYS[found[2]] if found else None


def number_field(known: Observation, age: float | None) -> Number:
    """Return the field of one observation with the limits of this age."""
    rows = [row for row in known.ranges if age is None or row.days[0] <= age < row.days[1]]
    units = rows[0].units if len(rows) == 1 else ()
    unit = units[0] if units else known.units[0].ucum
    in_first = unit == known.units[0].ucum
    return Number(
        known.name,
        f"obs.{known.name}",
        absent=ABSENT_MARKS if known.unrecordable else NOT_MEASURED,
        hint=f"vitals.{known.name}_hint" if known.name in ("oxygen", "temperature", "muac") else "",
        unit=unit,
        decimals=known.decimals if in_first else 0,
        possible=_limits(rows, possible=True) if in_first else None,
        usual=_limits(rows, possible=False) if in_first else None,
        short_tenths=SHORT_TENTHS.get(known.name),
        betrays=tuple((hint.since, hint.to, f"error.{hint.code}") for hint in known.hints),
    )


def _limits(rows: list[Range], *, possible: bool) -> tuple[str, str] | None:
    """Return the widest limits of these rows; an unknown age joins them all."""
    pairs = [row.possible if possible else row.usual for row in rows]
    if not pairs:
        return None
    return min((low for low, _ in pairs), key=float), max((high for _, high in pairs), key=float)


def _fields(age: float | None) -> tuple[Field, ...]:
    pack = observations()
    numbers = {name: number_field(pack.named(name, ""), age) for name in (*_MEASURES, *_MORE)}
    upper, lower = (number_field(pack.named(name, ""), age) for name in ("systolic", "diastolic"))
    pressure = Pressure(
        "pressure",
        "obs.pressure",
        absent=ABSENT_MARKS,
        hint="vitals.pressure_hint",
        systolic=upper,
        diastolic=lower,
    )
    mind = Coded("consciousness", "obs.consciousness", absent=NOT_MEASURED, choices=CONSCIOUSNESS)
    first = (numbers["respiratory-rate"], numbers["spo2"], numbers["oxygen"], pressure)
    then = (numbers["heart-rate"], mind, numbers["temperature"])
    return (*first, *then, *(numbers[name] for name in _MORE))


def _values(field: Field, answer: Answer) -> list[dict[str, str]]:
    """Return the values one field stands for; a pressure is two."""
    if isinstance(field, Pressure):
        upper, _, lower = answer.text.partition("/")
        parts = [("systolic", upper), ("diastolic", lower)]
        if answer.absent:
            return [{"code": "systolic", "absent": answer.absent}]
        return [{"code": code, "value": text, "unit": "mm[Hg]"} for code, text in parts if text]
    if answer.absent:
        return [{"code": field.name, "absent": answer.absent}]
    value = {"code": field.name, "value": answer.text}
    return [{**value, "unit": field.unit} if isinstance(field, Number) else value]
