"""Results at the bedside: rapid tests, haemoglobin, glucose, blood group, upper arm, weight."""

from __future__ import annotations

import re
from typing import Any, ClassVar

from fieldnode.tui.acts import Act
from fieldnode.tui.cores.display import Line, Size
from fieldnode.tui.cores.fields import NOT_MEASURED, Answer, Choice, Coded, Field, Reason
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.scoring import whom
from fieldnode.tui.screens.form_page import FormPage
from fieldnode.tui.screens.vitals import (
    Classed,
    age_days,
    ask_class,
    left_answers,
    number_field,
)
from protocols.guidelines.observations import observations
from protocols.live.api import BoardLine

NUMBERS = ("haemoglobin", "glucose", "muac", "weight", "weight-estimated")
CODED = ("malaria-rdt", "cholera-rdt", "blood-group", "oedema")
ORDER = ("malaria-rdt", "cholera-rdt", "haemoglobin", "glucose", "blood-group", "muac", "oedema",
         "weight", "weight-estimated")  # fmt: skip


class PointOfCarePage(FormPage):
    """What tests and a tape gave; only what was done is written."""

    name: ClassVar[str] = "point_of_care"
    title: ClassVar[str] = "poc.title"
    saved_word: ClassVar[str] = "poc.saved"
    kinds: ClassVar[tuple[str, ...]] = ("observation.record",)

    def __init__(self, desk: Desk, head: BoardLine) -> None:
        super().__init__(desk, FormCore(_fields(age_days(head.age)), optional_from=0), head)
        self._sent: list[str] = []
        self._classed: Classed | None = None

    def opened(self) -> list[Act]:
        """Ask for the malnutrition pack; what is typed does not wait for it."""
        return [*super().opened(), ask_class(self._take_class)]

    def _take_class(self, classed: Classed) -> None:
        self._classed = classed

    def draw(self, size: Size) -> list[Line]:
        """Draw the form, and below it what upper arm and oedema come to."""
        below = self.told()
        return [*super().draw(Size(size.width, size.height - len(below))), *below]

    def told(self) -> list[Line]:
        """Return the malnutrition class, as the guideline would say it."""
        if self._classed is None or self.head is None:
            return []
        return self._classed(left_answers(self.form), whom(self.head), self.desk.words)

    def unsigned(self) -> bool:
        """Possible and usual ranges are the observation pack's."""
        return not observations().pack.approved

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """An empty form is no record; a weight is measured or estimated, not both."""
        if not answers:
            return self.form.fields[0].name, Reason("poc.nothing")
        if "weight" in answers and "weight-estimated" in answers:
            return "weight-estimated", Reason("poc.one_weight")
        return None

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the results as one set, in the order of the form."""
        assert self.head is not None
        self._sent = [field.name for field in self.form.fields if field.name in answers]
        values = [_value(self._field(name), answers[name]) for name in self._sent]
        data = {"set": values}
        return {"kind": "observation.record", "patient": self.head.patient, "data": data}

    def field_of(self, path: str) -> str:
        """Map `data.set.3.value` to the field that value came from."""
        found = re.match(r"data\.set\.(\d+)", path)
        place = int(found[1]) if found else len(self._sent)
        return self._sent[place] if place < len(self._sent) else ""

    def _field(self, name: str) -> Field:
        return next(field for field in self.form.fields if field.name == name)


def _fields(age: float | None) -> tuple[Field, ...]:
    pack = observations()
    made: dict[str, Field] = {name: number_field(pack.named(name, ""), age) for name in NUMBERS}
    for name in CODED:
        choices = tuple(
            Choice(str(at), value, f"value.{value}")
            for at, value in enumerate(pack.named(name, "").choices, 1)
        )
        made[name] = Coded(name, f"obs.{name}", absent=NOT_MEASURED, choices=choices)
    return tuple(made[name] for name in ORDER)


def _value(field: Field, answer: Answer) -> dict[str, str]:
    if answer.absent:
        return {"code": field.name, "absent": answer.absent}
    unit = getattr(field, "unit", "")
    return {"code": field.name, "value": answer.text, **({"unit": unit} if unit else {})}
