"""Registering a patient: who, as far as anybody knows, and into care."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, cut, line
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
    CandidatesPage,
    beside,
)
from fieldnode.tui.screens.chart import ChartPage
from fieldnode.tui.screens.choices import AGE_UNIT, SEX, category_field
from fieldnode.tui.screens.form_page import texts
from fieldnode.tui.screens.syndromes import COMPLAINT, Offered
from fieldnode.tui.screens.tag_form import TagForm
from protocols.errors import FieldmeshError
from protocols.live.alike import Alike, AlikeLine
from protocols.live.api import Draft, Recorded
from protocols.records.display import clean_text
from protocols.records.proof import Proof
from protocols.records.summary import Summary

if TYPE_CHECKING:
    from fieldnode.client import Node

AGE_MAX = "130"
SUBSTANCE_CHARS_MAX = 80

_NAMES = ("family_name", "given_name")
_LOOKED_FOR = (*_NAMES, "sex", "age_unit", "birth_date", "phone")
SCANNED = "scanned"
OPTIONAL_FROM = 7
REPORTED_CHARS_MAX = 240
"""Of a list on paper; a few lines to be read."""
_SEXES = {1: "male", 2: "female", 3: "female-pregnant"}
"""Digits of the minimum data set, as the form has them."""
_DIGITS = {word: digit for digit, word in _SEXES.items()}

TITLE_CELLS = 44
"""Room for title and names, beside which stands when it happened."""

_TEXTS = ("family_name", "given_name", "birth_date", "phone", "village")


class RegisterPage(TagForm):
    """One new patient; everything but the sex may be unknown."""

    name: ClassVar[str] = "register"
    title: ClassVar[str] = "register.title"
    saved_word: ClassVar[str] = "register.saved"
    kinds: ClassVar[tuple[str, ...]] = ("patient.register", "encounter.open", "triage.record")
    known_word: ClassVar[str] = "register.tag_known"

    def __init__(self, desk: Desk) -> None:
        self._offered = Offered(desk)
        super().__init__(desk, FormCore(_fields(desk, self._offered), optional_from=OPTIONAL_FROM))
        self._candidates: tuple[AlikeLine, ...] = ()
        self._looked_for: object = None
        """The question whose answers are shown beside."""
        self._source = ""
        """`scanned` where a paper's answers were offered; '' = typed."""

    def opened(self) -> list[Act]:
        """Ask which complaints the pack in use has."""
        return [*super().opened(), self._offered.ask(self.form, COMPLAINT)]

    def take_over(self, said: Summary | Proof) -> None:
        """Offer what a paper says, each answer to be read and taken with Enter.

        Nothing measured is taken over, nor a triage: whoever is here finds those (SAFETY 4). Of a
        proof of vaccination it is who it is alone: its doses are taken over apart.
        """
        born = ""
        if isinstance(said, Proof):
            born = said.born
            said = Summary(said.code, said.name, said.tag, said.sex, said.age)
        self._from_paper()
        value, _, unit = said.age.partition(" ")
        units = {choice.value: choice.digit for choice in AGE_UNIT}
        self.form.fill_all(
            {
                "family_name": said.name,
                "sex": str(said.sex) if said.sex in _SEXES else "",
                "age": value if unit in units else "",
                "age_unit": units.get(unit, ""),
                "birth_date": born,
                "tag": said.tag,
                "problem": "; ".join(said.problems)[:REPORTED_CHARS_MAX],
                "allergies": "; ".join(said.allergies)[:REPORTED_CHARS_MAX],
            }
        )

    def take_up(self, draft: Draft) -> None:
        """Go on with a draft, which knows where its answers came from."""
        if draft.fields.get("source") == SCANNED:
            self._from_paper()
        super().take_up(draft)

    def _from_paper(self) -> None:
        """Ask for allergies too: a paper says what was reported of them."""
        self._source = SCANNED
        fields = list(_fields(self.desk, self._offered))
        fields.insert(OPTIONAL_FROM + 1, _reported())
        self.form = FormCore(fields, optional_from=OPTIONAL_FROM)

    def more_draft(self) -> dict[str, str]:
        """Keep where the answers came from."""
        return {"source": self._source} if self._source else {}

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
        known = self.told()
        return [*super().draw(Size(size.width, size.height - len(known))), *known]

    def heading(self) -> str:
        """Name who it is: a list to pick from may move the names out of sight (SAFETY 18)."""
        answers = self.form.answers()
        names = (clean_text(answers[part].text) for part in _NAMES if part in answers)
        return cut("  ".join((super().heading(), " ".join(names))).rstrip(), TITLE_CELLS)

    def told(self) -> list[Line]:
        """Say in line mode too who is perhaps here already, and where answers came from."""
        said = Span(self.desk.words("paper_read.reported"), "warn")
        from_paper: list[Line] = [line(" ", said)] if self._source else []
        return [*from_paper, *beside(self.desk, self._candidates, 80)]

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
        asked = self._wanted
        if asked == self._looked_for:
            return []
        self._looked_for, self._candidates = asked, ()

        def came(found: Alike) -> list[Act]:
            if asked == self._looked_for:
                self._candidates = found.lines
            return []

        known = asked.names or asked.known
        return [Ask(partial(_alike, asked), came, _not_found, holds=False)] if known else []

    def _look_at(self) -> Ask:
        """Show all of them; keys wait, so that it means the same however late they come."""

        def came(found: Alike) -> list[Act]:
            self._candidates = found.lines
            if not found.lines:
                return [Say(self.desk.words("candidates.none"), "warn", bell=True)]
            return [Open(CandidatesPage(self.desk, found.lines))]

        return Ask(partial(_alike, self._wanted), came)

    @property
    def _wanted(self) -> _Wanted:
        """Return by what others are compared: as much as is answered so far."""
        answers = self.form.answers()
        names = tuple(answers[part].text for part in _NAMES if part in answers)
        known = texts(answers, ("phone", "birth_date", "tag"))
        if "age" in answers and "age_unit" in answers:
            unit = answers["age_unit"].text.removeprefix(ABOUT)
            known["age"] = f"{answers['age'].text} {unit}"
        sex = _DIGITS.get(answers["sex"].text, 9) if "sex" in answers else 9
        return _Wanted(names, sex, tuple(sorted(known.items())))

    def tag_answered(self, _tag: str) -> None:
        """This patient has the tag too: the node need not ask again."""
        self._confirm["tag_in_use"] = ("tag", self.form.text(self.form.place_of("tag")))

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """An age is nothing without its unit."""
        return unit_lacking(answers)

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the registration; care is opened with it."""
        return {"kind": "patient.register", "data": person_of(answers), **self._came_from()}

    def field_of(self, path: str) -> str:
        """Map the record's paths to this form's fields."""
        return person_field(path) or super().field_of(path)

    def also(self, answers: dict[str, Answer]) -> list[dict[str, Any]]:
        """Return what puts the patient on the board, in the same commit as who they are."""
        lines: list[dict[str, Any]] = []
        founded = {"patient": {"line": 1}}
        about = self._offered.said(answers[COMPLAINT]) if COMPLAINT in answers else {}
        about |= texts(answers, ("bed",))
        if about or "category" not in answers:
            opening = {"class": "emergency", **about}
            lines.append({"kind": "encounter.open", "key": "care", **founded, "data": opening})
        if "category" in answers:
            triage = {"category": answers["category"].text}
            lines.append({"kind": "triage.record", "key": "triage", **founded, "data": triage})
        reported = answers["allergies"].text.split(";") if "allergies" in answers else []
        for number, text in enumerate(filter(None, map(str.strip, reported))):
            data = {"text": text[:SUBSTANCE_CHARS_MAX]}
            source = self._came_from()
            key = f"allergy{number}"
            line = {"kind": "allergy.record", "key": key, **founded, "data": data, **source}
            lines.append(line)
        return lines

    def _came_from(self) -> dict[str, str]:
        return {"source": self._source} if self._source else {}

    def after_save(self, recorded: Recorded) -> list[Act]:
        """Go on to the chart."""
        patient = recorded.patient or recorded.id or ""
        return [Open(ChartPage(self.desk, patient), instead=True)]


def person_of(answers: dict[str, Answer]) -> dict[str, Any]:
    """Return what was answered of who somebody is, as a record says it."""
    found: dict[str, Any] = texts(answers, (*_TEXTS, "sex"))
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
    return found


def unit_lacking(answers: dict[str, Answer]) -> tuple[str, Reason] | None:
    """Return what is wrong with an age that has no unit, or with a unit that has no age."""
    if "age" in answers and "age_unit" not in answers:
        return "age_unit", Reason("register.age_needs_unit")
    return None


def person_field(path: str) -> str:
    """Return the field of who somebody is that a record's path is about; '' for none."""
    inner = path.removeprefix("data.")
    if inner.startswith("next_of_kin."):
        return f"kin_{inner.removeprefix('next_of_kin.')}"
    return "tag" if inner.startswith("tags") else ""


def person_fields(desk: Desk, *, sex_required: bool = True) -> dict[str, Field]:
    """Return the fields of who somebody is, by name, in the order they are asked."""
    fields = (
        Field("family_name", "field.family_name", hint="register.name_hint"),
        Field("given_name", "field.given_name", hint="register.name_hint"),
        Coded("sex", "field.sex", required=sex_required, choices=SEX),
        AboutNumber(
            "age", "field.age", possible=("0", AGE_MAX), hint="register.age_hint", chars_max=4
        ),
        Coded("age_unit", "field.age_unit", choices=AGE_UNIT, hint="register.unit_hint"),
        Tag("tag", "field.tag", prefix=desk.prefix, hint="register.tag_hint"),
        Date("birth_date", "field.birth_date", hint="form.date_hint"),
        Field("village", "field.village"),
        Field("phone", "field.phone", chars_max=32),
        Field("kin_name", "field.kin_name"),
        Field("kin_phone", "field.kin_phone", chars_max=32),
    )
    return {field.name: field for field in fields}


class _Wanted(NamedTuple):
    """By what others are compared."""

    names: tuple[str, ...]
    sex: int
    known: tuple[tuple[str, str], ...]


async def _alike(wanted: _Wanted, node: Node) -> Alike:
    """Return who looks like whoever is being written down, the likest first."""
    return await node.alike(wanted.names, wanted.sex, **dict(wanted.known))


def _not_found(_failure: FieldmeshError) -> list[Act]:
    """Nobody is held up by a search that cannot be made."""
    return []


def _reported() -> Field:
    return Field(
        "allergies", "field.allergies_reported", hint="paper_read.allergies_hint",
        chars_max=REPORTED_CHARS_MAX,
    )  # fmt: skip


def _fields(desk: Desk, offered: Offered) -> tuple[Field, ...]:
    first, after = _halves(list(person_fields(desk).values()))
    here = (
        category_field(required=False),
        offered.complaint(),
        Field("bed", "field.bed", chars_max=24),
    )
    return (*first, *here, *after)


def _halves(fields: list[Field]) -> tuple[list[Field], list[Field]]:
    """Return the fields up to the tag, and those after it."""
    at = 1 + next(at for at, field in enumerate(fields) if field.name == "tag")
    return fields[:at], fields[at:]
