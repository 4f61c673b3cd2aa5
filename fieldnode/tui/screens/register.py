"""Registering a patient: who, as far as anybody knows, and into care."""

from __future__ import annotations

from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line, Size
from fieldnode.tui.cores.fields import (
    ABOUT,
    AboutNumber,
    Answer,
    Coded,
    Date,
    Field,
    Reason,
    Tag,
)
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint
from fieldnode.tui.screens.candidates import (
    CANDIDATES_KEY,
    CANDIDATES_MAX,
    CandidatesPage,
    beside,
)
from fieldnode.tui.screens.chart import ChartPage
from fieldnode.tui.screens.choices import AGE_UNIT, SEX, category_field
from fieldnode.tui.screens.form_page import texts
from fieldnode.tui.screens.tag_form import TagForm
from protocols.errors import FieldmeshError
from protocols.live.api import BoardLine, BoardPage, Recorded

AGE_MAX = "130"

_NAMES = ("family_name", "given_name")
_LOOKED_FOR = (*_NAMES, "phone")

_TEXTS = ("family_name", "given_name", "birth_date", "phone", "village")


class RegisterPage(TagForm):
    """One new patient; everything but the sex may be unknown."""

    name: ClassVar[str] = "register"
    title: ClassVar[str] = "register.title"
    saved_word: ClassVar[str] = "register.saved"
    kinds: ClassVar[tuple[str, ...]] = ("patient.register", "encounter.open", "triage.record")
    known_word: ClassVar[str] = "register.tag_known"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk, FormCore(_fields(desk), optional_from=7))
        self._candidates: tuple[BoardLine, ...] = ()
        self._looked_for = ""
        """The question whose answers are shown beside."""

    def key(self, key: str) -> list[Act]:
        """Take one key; one shows who is perhaps here already."""
        if key == CANDIDATES_KEY:
            if not self._candidates:
                return [Say(self.desk.words("candidates.none"))]
            return [Open(CandidatesPage(self.desk, self._candidates))]
        return super().key(key)

    def field_left(self, name: str) -> list[Act]:
        """Look for the same person; nobody waits for what is found."""
        acts = super().field_left(name)
        return [*acts, *self._look_for()] if name in _LOOKED_FOR else acts

    def draw(self, size: Size) -> list[Line]:
        """Draw the form, and who is perhaps here already above its keys."""
        known = beside(self.desk, self._candidates, size.width)
        return [*super().draw(Size(size.width, size.height - len(known))), *known]

    def told(self) -> list[Line]:
        """Say in line mode too who is perhaps here already."""
        return beside(self.desk, self._candidates, 80)

    def hints(self) -> list[Hint]:
        """Name the key once there is somebody to look at."""
        found = super().hints()
        return (
            [Hint("Ctrl+L", self.desk.words("candidates.look")), *found[:1], *found[2:]]
            if (self._candidates)
            else found
        )

    def _look_for(self) -> list[Act]:
        """Ask for those of this name, or of one of its parts, or of this phone."""
        answers = self.form.answers()
        names = [answers[part].text for part in _NAMES if part in answers]
        phone = answers["phone"].text if "phone" in answers else ""
        wanted = " ".join(names) or phone
        if not wanted or wanted == self._looked_for:
            return []
        self._looked_for = wanted
        return [self._ask_for(wanted, names[:1] if len(names) > 1 else [])]

    def _ask_for(self, wanted: str, else_wanted: list[str]) -> Ask:
        asked = self._looked_for

        def came(page: BoardPage) -> list[Act]:
            if asked != self._looked_for:
                return []
            if not page.lines and else_wanted:
                return [self._ask_for(else_wanted[0], [])]
            self._candidates = page.lines
            return []

        return Ask(lambda node: node.search(wanted, CANDIDATES_MAX), came, _not_found, holds=False)

    def tag_answered(self, _tag: str) -> None:
        """This patient has the tag too: the node need not ask again."""
        self._confirm["tag_in_use"] = ("tag", self.form.text(self.form.place_of("tag")))

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """An age is nothing without its unit."""
        if "age" in answers and "age_unit" not in answers:
            return "age_unit", Reason("register.age_needs_unit")
        return None

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the registration; care is opened with it."""
        found: dict[str, Any] = texts(answers, _TEXTS)
        found["sex"] = answers["sex"].text
        if "age" in answers:
            value, unit = answers["age"].text, answers["age_unit"].text
            found["age"] = {"value": value.removeprefix(ABOUT), "unit": unit.removeprefix(ABOUT)}
            if ABOUT in (value[:1], unit[:1]):
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

    def also(self, answers: dict[str, Answer]) -> list[dict[str, Any]]:
        """Return what puts the patient on the board, in the same commit as who they are."""
        lines: list[dict[str, Any]] = []
        founded = {"patient": {"line": 1}}
        about = texts(answers, ("problem", "bed"))
        if about or "category" not in answers:
            opening = {"class": "emergency", **about}
            lines.append({"kind": "encounter.open", "key": "care", **founded, "data": opening})
        if "category" in answers:
            triage = {"category": answers["category"].text}
            lines.append({"kind": "triage.record", "key": "triage", **founded, "data": triage})
        return lines

    def after_save(self, recorded: Recorded) -> list[Act]:
        """Go on to the chart."""
        patient = recorded.patient or recorded.id or ""
        return [Open(ChartPage(self.desk, patient), instead=True)]


def _not_found(_failure: FieldmeshError) -> list[Act]:
    """Nobody is held up by a search that cannot be made."""
    return []


def _fields(desk: Desk) -> tuple[Field, ...]:
    return (
        Field("family_name", "field.family_name", hint="register.name_hint"),
        Field("given_name", "field.given_name", hint="register.name_hint"),
        Coded("sex", "field.sex", required=True, choices=SEX),
        AboutNumber(
            "age", "field.age", possible=("0", AGE_MAX), hint="register.age_hint", chars_max=4
        ),
        Coded("age_unit", "field.age_unit", choices=AGE_UNIT, hint="register.unit_hint"),
        Tag("tag", "field.tag", prefix=desk.prefix, hint="register.tag_hint"),
        category_field(required=False),
        Field("problem", "field.problem", hint="register.optional_hint"),
        Field("bed", "field.bed", chars_max=24),
        Date("birth_date", "field.birth_date", hint="form.date_hint"),
        Field("village", "field.village"),
        Field("phone", "field.phone", chars_max=32),
        Field("kin_name", "field.kin_name"),
        Field("kin_phone", "field.kin_phone", chars_max=32),
    )
