"""Registering a patient: who, as far as anybody knows, and into care."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

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
from protocols.live.api import BoardLine, Recorded

if TYPE_CHECKING:
    from fieldnode.client import Node

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
            return [self._look_at()]
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
        """Ask for them once for each name that is typed; nobody waits for the answer."""
        wanted = self._wanted
        asked = " ".join(wanted[:1])
        if asked == self._looked_for:
            return []
        self._looked_for, self._candidates = asked, ()

        def came(found: tuple[BoardLine, ...]) -> list[Act]:
            if asked == self._looked_for:
                self._candidates = found
            return []

        call = partial(_search, wanted)
        return [Ask(call, came, _not_found, holds=False)] if wanted else []

    def _look_at(self) -> Ask:
        """Show all of them; keys wait, so that it means the same however late they come."""

        def came(found: tuple[BoardLine, ...]) -> list[Act]:
            self._candidates = found
            if not found:
                return [Say(self.desk.words("candidates.none"), "warn", bell=True)]
            return [Open(CandidatesPage(self.desk, found))]

        return Ask(partial(_search, self._wanted), came)

    @property
    def _wanted(self) -> tuple[str, ...]:
        """What is searched, one after the other until somebody is found."""
        answers = self.form.answers()
        names = [answers[part].text for part in _NAMES if part in answers]
        phone = [answers["phone"].text] if "phone" in answers else []
        return tuple(dict.fromkeys([" ".join(names), *names[:1], *phone]) if names else phone)

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


async def _search(wanted: tuple[str, ...], node: Node) -> tuple[BoardLine, ...]:
    """Return whom the first question that finds anybody finds."""
    for text in wanted:
        page = await node.search(text, CANDIDATES_MAX)
        if page.lines:
            return page.lines
    return ()


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
