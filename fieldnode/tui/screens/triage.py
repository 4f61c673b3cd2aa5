"""A category for one patient: what every triage form shares, and triage of somebody known again."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Ask, Open
from fieldnode.tui.ages import age_of
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.fields import Answer, Coded, Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.keys import fold_single
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.choices import CATEGORY, category_field
from fieldnode.tui.screens.form_page import texts
from fieldnode.tui.screens.tag_form import TagForm
from fieldnode.tui.wording import happened, triage, value_text
from protocols.errors import FieldmeshError
from protocols.guidelines.ages import UNKNOWN, AgeSpan
from protocols.live.api import BoardLine, Chart, ChartLine, Draft, Recorded
from protocols.live.guidance import PackInUse
from protocols.records.display import clean_text

GUIDE_KEY = "9"
"""At TRIAGE it asks to be guided; no category has it."""

HISTORY_FACTS = 120
HISTORY_ROWS = 4
"""Triages shown of those before."""

SUGGESTED = "suggested"
"""Among the stored answers: what the guide said where a person chose another category."""
INPUTS_MAX = 64

_DRAFT_GUIDED = "guided"
_DIGITS = {choice.value: choice.digit for choice in CATEGORY}


class TriageForm(TagForm):
    """A form with a category, by a person or by a guide."""

    saved_word: ClassVar[str] = "triage.saved"
    kinds: ClassVar[tuple[str, ...]] = ("triage.record",)

    def __init__(self, desk: Desk, form: FormCore, head: BoardLine | None = None) -> None:
        super().__init__(desk, form, head)
        self.guided: dict[str, Any] = {}
        """What a guide came to, as the record keeps it; empty when nobody was guided."""
        self.history: tuple[ChartLine, ...] = ()
        """Triages before this one, the newest first."""

    def take_up(self, draft: Draft) -> None:
        """Go on with a draft, and with what a guide had come to."""
        super().take_up(draft)
        if kept := draft.fields.get(_DRAFT_GUIDED):
            self.guided = json.loads(kept)

    def more_draft(self) -> dict[str, str]:
        """Keep what a guide came to."""
        return {_DRAFT_GUIDED: json.dumps(self.guided)} if self.guided else {}

    def key(self, key: str) -> list[Act]:
        """Take one key; 9 at the category asks to be guided."""
        opened = self.form.open_field
        if opened.name == "category" and len(key) == 1 and fold_single(key) == GUIDE_KEY:
            return [self._guide()]
        return super().key(key)

    def category(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the category as the record takes it, with the guide that led to it."""
        chosen = answers["category"].text
        found: dict[str, Any] = {"category": chosen}
        if not self.guided:
            return found
        kept = {name: self.guided[name] for name in ("algorithm", "version", "inputs", "alerts")}
        said = self.guided["category"]
        if said != chosen:
            inputs = dict(list(kept["inputs"].items())[: INPUTS_MAX - 1])
            # Alerts are of the category the guide gave; a person has judged otherwise.
            kept |= {"inputs": {**inputs, SUGGESTED: said}, "alerts": []}
        return found | kept

    def known_age(self) -> AgeSpan:
        """Return what is known of the age; a guide asks for the rest."""
        return UNKNOWN

    def known_pregnant(self) -> bool | None:
        """Return whether the patient is pregnant, as far as it is known."""
        return None

    def fetch_history(self, patient: str) -> Ask:
        """Ask for the triages before; nobody waits for it, and it may be refused."""

        def came(chart: Chart) -> list[Act]:
            self.history = tuple(one for one in chart.lines if one.kind == "triage.record")
            return []

        return Ask(
            lambda node: node.chart(patient, 0, HISTORY_FACTS), came, _no_history, holds=False
        )

    def history_lines(self, size: Size) -> list[Line]:
        """Return the triages before, the newest first; none are hidden without a word."""
        if not self.history or size.height < 2:
            return []
        words, desk = self.desk.words, self.desk
        shown = self.history[: min(HISTORY_ROWS, size.height - 1)]
        title = words.count("triage.history", len(self.history))
        rows: list[Line] = [line(" ", Span(title, "label"))]
        for one in shown:
            told = dict(one.summary)
            at = happened(one.at_ms, told.get("precision", ""), desk.now_ms, desk.zone)
            why = [value_text(words, text) for name, text in one.summary if name == "algorithm"]
            who = " ".join((clean_text(one.author), *why))
            marks = {1: "", 2: f"{words('chart.in_error')} "}
            mark = marks.get(one.replaced, "")
            category = triage(words, _category(told.get("triage", "")))
            rows.append(line(f"   {at}  {mark}", category, Span(f"  {who}", "dim")))
        return rows

    def _guide(self) -> Ask:
        """Ask for the version that this node works by; without an answer nobody is guided."""
        # Loaded when somebody asks: no start waits for a pack.
        from fieldnode.tui.screens.guide import GuidePage, guides_in
        from protocols.guidelines.triage import Outcome

        def take(found: Outcome) -> list[Act]:
            words = {0: "dead", 1: "red", 2: "yellow", 3: "green", 4: "expectant"}
            said = words[found.category]
            self.guided = {
                "category": said,
                "algorithm": found.algorithm,
                "version": found.version,
                "inputs": dict(found.inputs),
                "alerts": list(found.alerts),
            }
            self.form.fill("category", _DIGITS[said])
            return [self._put_draft()]

        age, pregnant = self.known_age(), self.known_pregnant()

        def came(told: PackInUse) -> list[Act]:
            pack = guides_in(told.text, told.approved_by)
            page = GuidePage(self.desk, take, pack, age=age, pregnant=pregnant)
            page.head = self.head
            return [Open(page)]

        return Ask(lambda node: node.pack_in_use("triage"), came)

    def _label(self, recorded: Recorded) -> str:
        answers = self.form.answers()
        tag = answers.get("tag")
        word = self.desk.words(f"triage.{answers['category'].text}")
        # Of somebody new the tag is what everybody sees; the code names who wears none.
        who = super()._label(recorded)
        if tag and self.head is None:
            who = self.desk.words("patient.tag", tag=tag.text)
        return " ".join(part for part in (word, who, *self.described(answers)) if part)

    def described(self, _answers: dict[str, Answer]) -> tuple[str, ...]:
        """Return more words for the line that says what was saved."""
        return ()


class TriagePage(TriageForm):
    """Somebody known, triaged again: the category, and Enter."""

    name: ClassVar[str] = "retriage"
    title: ClassVar[str] = "triage.again"

    def __init__(self, desk: Desk, head: BoardLine) -> None:
        super().__init__(desk, FormCore(_fields(), optional_from=1, swift=True), head)

    def opened(self) -> list[Act]:
        """Ask what was found before."""
        assert self.head is not None
        return [*super().opened(), self.fetch_history(self.head.patient)]

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the triage of this patient."""
        assert self.head is not None
        data = texts(answers, ("problem",)) | self.category(answers)
        return {"kind": "triage.record", "patient": self.head.patient, "data": data}

    def known_age(self) -> AgeSpan:
        """Return the age on the board."""
        return age_of(self.head) if self.head else UNKNOWN

    def known_pregnant(self) -> bool | None:
        """A sex that is known says so."""
        return pregnant_by(self.head.sex) if self.head else None

    def draw(self, size: Size) -> list[Line]:
        """Draw the form, and below it the triages before."""
        before = self.history_lines(Size(size.width, max(size.height - 9, 0)))
        return [*super().draw(Size(size.width, size.height - len(before))), *before]


def pregnant_by(sex: int) -> bool | None:
    """Return what a sex says of it: 3 is pregnant, 1 male; 2 may be, and 9 is not known."""
    return {1: False, 3: True}.get(sex)


def triage_category(*, required: bool = True) -> Coded:
    """Return the field of a category with the way to a guide."""
    found = category_field(required=required)
    return Coded(
        found.name,
        found.label,
        required=found.required,
        hint="triage.guide_hint",
        choices=found.choices,
        grave=found.grave,
    )


def _fields() -> tuple[Field, ...]:
    return (triage_category(), Field("problem", "field.problem", hint="triage.problem_hint"))


def _category(said: str) -> int | None:
    digits = {"dead": 0, "red": 1, "yellow": 2, "green": 3, "expectant": 4}
    return digits.get(said)


def _no_history(_failure: FieldmeshError) -> list[Act]:
    return []
