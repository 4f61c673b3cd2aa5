"""Registering a patient: who, as far as anybody knows, and into care."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.fields import Answer, Coded, Date, Field, Number, Reason, Tag
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.chart import ChartPage
from fieldnode.tui.screens.choices import AGE_UNIT, SEX, category_field
from fieldnode.tui.screens.form_page import FormPage, texts
from fieldnode.tui.wording import code_sentence, error
from protocols.errors import FieldmeshError
from protocols.live.api import Recorded

AGE_MAX = "130"

_TEXTS = ("family_name", "given_name", "birth_date", "phone", "village")


class RegisterPage(FormPage):
    """One new patient; everything but the sex may be unknown."""

    name: ClassVar[str] = "register"
    title: ClassVar[str] = "register.title"
    saved_word: ClassVar[str] = "register.saved"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, FormCore(_fields(desk), optional_from=7))

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """An age is nothing without its unit."""
        if "age" in answers and "age_unit" not in answers:
            return "age_unit", Reason("register.age_needs_unit")
        return None

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the registration; care is opened after it."""
        found: dict[str, Any] = texts(answers, _TEXTS)
        found["sex"] = answers["sex"].text
        if "age" in answers:
            unit = answers["age_unit"].text
            found["age"] = {"value": answers["age"].text, "unit": unit.removeprefix("~")}
            if unit.startswith("~"):
                found["age"]["estimated"] = True
        if "tag" in answers:
            found["tags"] = [answers["tag"].text]
        kin = {"name": answers.get("kin_name"), "phone": answers.get("kin_phone")}
        known = {part: answer.text for part, answer in kin.items() if answer}
        if known:
            found["next_of_kin"] = known
        return {"kind": "patient.register", "data": found}

    def field_of(self, path: str) -> str:
        """Map the record's paths to this form's fields."""
        inner = path.removeprefix("data.")
        if inner.startswith("next_of_kin."):
            return f"kin_{inner.removeprefix('next_of_kin.')}"
        return "tag" if inner.startswith("tags") else super().field_of(path)

    def after_save(self, recorded: Recorded) -> list[Act]:
        """Open care for the new patient, then the chart."""
        patient = recorded.patient or recorded.id or ""
        lines = self._care(patient)
        chart = Open(ChartPage(self.desk, patient), instead=True)

        def opened(answers: list[Recorded]) -> list[Act]:
            self._joined(answers)
            refused = [answer for answer in answers if not answer.ok]
            why = code_sentence(self.desk.words, refused[0].error or "") if refused else ""
            return [*([self._no_care(why)] if refused else []), chart]

        def failed(failure: FieldmeshError) -> list[Act]:
            return [self._no_care(error(self.desk.words, failure)), chart]

        return [Ask(lambda node: node.record(lines), opened, failed)]

    def _joined(self, answers: list[Recorded]) -> None:
        """Let one F8 take back the registration and what put the patient on the board."""
        last = self.desk.saves[-1]
        care = tuple(fact for answer in answers for fact in (answer.facts or (answer.id or "",)))
        known = (*last.facts, *(fact for fact in care if fact))
        self.desk.saves = [*self.desk.saves[:-1], replace(last, facts=known)]

    def _care(self, patient: str) -> list[dict[str, Any]]:
        """Return the lines that put the patient on the board."""
        answers = self.form.answers()
        lines: list[dict[str, Any]] = []
        base = {"v": 1, "patient": patient}
        about = texts(answers, ("problem", "bed"))
        if about or "category" not in answers:
            opening = {"class": "emergency", **about}
            key = self.desk.new_key()
            lines.append({**base, "kind": "encounter.open", "key": key, "data": opening})
        if "category" in answers:
            triage = {"category": answers["category"].text}
            key = self.desk.new_key()
            lines.append({**base, "kind": "triage.record", "key": key, "data": triage})
        return lines

    def _no_care(self, why: str) -> Say:
        return Say(self.desk.words("register.no_care", why=why), "bad", bell=True)


def _fields(desk: Desk) -> tuple[Field, ...]:
    return (
        Field("family_name", "field.family_name", hint="register.name_hint"),
        Field("given_name", "field.given_name", hint="register.name_hint"),
        Coded("sex", "field.sex", required=True, choices=SEX),
        Number("age", "field.age", possible=("0", AGE_MAX), hint="register.age_hint", chars_max=3),
        Coded("age_unit", "field.age_unit", choices=AGE_UNIT, hint="register.unit_hint"),
        Tag("tag", "field.tag", prefix=desk.greeting.tag_prefix, hint="register.tag_hint"),
        category_field(required=False),
        Field("problem", "field.problem", hint="register.optional_hint"),
        Field("bed", "field.bed", chars_max=24),
        Date("birth_date", "field.birth_date", hint="form.date_hint"),
        Field("village", "field.village"),
        Field("phone", "field.phone", chars_max=32),
        Field("kin_name", "field.kin_name"),
        Field("kin_phone", "field.kin_phone", chars_max=32),
    )
