"""Doses on a card that somebody brings, one after the other: written as told, judged at once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Ask, Say
from fieldnode.tui.cores.carded import DoseNumber, newest_first, next_number, ordered
from fieldnode.tui.cores.display import Line, Size, Span, cut, fit, line
from fieldnode.tui.cores.fields import Answer, Date, Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import Item, Picked, coded
from fieldnode.tui.desk import Desk
from fieldnode.tui.occasion import Occasion, today
from fieldnode.tui.page import Hint
from fieldnode.tui.screens.form_page import texts
from fieldnode.tui.screens.undrafted import UndraftedForm
from fieldnode.tui.screens.when import WHEN_KEY
from fieldnode.tui.vaccine_words import dose_span, lot_text, vaccine_word, why
from fieldnode.tui.widgets.form_view import help_lines
from fieldnode.tui.wording import error
from protocols.errors import FieldmeshError
from protocols.live.api import BoardLine, Recorded
from protocols.live.drive import Child, GivenLine, SessionChoices
from protocols.records.movement import LOT_CHARS_MAX

ABOVE = 3
"""Rows above the fields: who it is, what to mind, the title."""
SHOWN_ALL = 99


class CardDosesForm(UndraftedForm):
    """One dose a save, and the form stays. No session counts them and no store gives them out."""

    name: ClassVar[str] = "card_doses"
    title: ClassVar[str] = "card_doses.title"
    saved_word: ClassVar[str] = "card_doses.saved"
    kinds: ClassVar[tuple[str, ...]] = ("dose.record",)

    def __init__(self, desk: Desk, head: BoardLine, session: str = "") -> None:
        """Begin with an empty dose.

        Args:
            desk: Shared by all pages.
            head: Whose card it is.
            session: Whose schedule judges them; '' = the routine one.
        """
        super().__init__(
            desk, FormCore(_fields(today(desk.now_ms, desk.zone)), optional_from=3), head
        )
        self.occasion = Occasion(paper=True)
        """When it was is a field of its own here, and the card says it."""
        self._session = session
        self._choices: SessionChoices | None = None
        self.child: Child | None = None
        """What is known of the child, as it was last told."""
        self.facts: list[str] = []
        """What was written from here, the newest last."""
        self._numbered = ""
        """The vaccine that the number of the dose was proposed for."""
        self._doubted: dict[str, str] = {}
        """What was typed when the node asked."""

    # coming and going

    def opened(self) -> list[Act]:
        """Ask what there is to choose from; keys wait, so a number means what stands beside it."""

        def came(told: SessionChoices) -> list[Act]:
            self._choices = told
            return self._offer()

        return [
            *self._ask_gate(),
            self._fetch(holds=True),
            Ask(lambda node: node.session_choices(), came),
        ]

    def resumed(self) -> list[Act]:
        """A dose may have been taken back."""
        return [self._fetch(holds=False)]

    def changed(self) -> list[Act]:
        """Others write too; nobody waits."""
        return [self._fetch(holds=False)]

    def _fetch(self, *, holds: bool) -> Ask:
        assert self.head is not None
        patient = self.head.patient

        def came(child: Child) -> list[Act]:
            self.child = child
            return self._offer()

        def failed(failure: FieldmeshError) -> list[Act]:
            return [Say(error(self.desk.words, failure), "bad", bell=True)] if holds else []

        return Ask(lambda node: node.child(patient, self._session), came, failed, holds=holds)

    def _offer(self) -> list[Act]:
        """Number the vaccines once both are known; the numbers then stay as they are."""
        field = self.form.fields[0]
        assert isinstance(field, Picked)
        if field.items or self._choices is None or self.child is None:
            return []
        named = {one.id: vaccine_word(self.desk.words, one.words) for one in self._choices.vaccines}
        codes = ordered(list(named), self.child)
        digits = len(str(len(codes)))
        items = (Item(f"{at:0{digits}d}", code, named[code]) for at, code in enumerate(codes, 1))
        self.form.replace_field(replace(field, items=tuple(items)))
        return []

    # keys

    def key(self, key: str) -> list[Act]:
        """Take one key; when it was is asked in its own field."""
        if key == WHEN_KEY:
            return [Say(self.desk.words("card_doses.day_hint"), bell=True)]
        return super().key(key)

    def field_left(self, name: str) -> list[Act]:
        """Propose the number of another vaccine's next dose."""
        code = coded(self.form.answers().get("vaccine", Answer()))[0]
        if name == "vaccine" and code != self._numbered:
            self._numbered = code
            self.form.take_back("dose")
            if code and self.child is not None:
                self.form.offer("dose", next_number(self.child, code))
        return []

    # saving

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the dose as the card has it."""
        assert self.head is not None
        data: dict[str, Any] = {"vaccine": coded(answers["vaccine"])[0], **texts(answers, ("lot",))}
        if "dose" in answers:
            data["dose"] = int(answers["dose"].text)
        at = answers["day"].text
        return {"kind": "dose.record", "patient": self.head.patient, "at": at, "data": data}

    def field_of(self, path: str) -> str:
        """The line's own time is the day here."""
        return "day" if path == "at" else super().field_of(path)

    def after_save(self, recorded: Recorded) -> list[Act]:
        """Go on with the next dose; an Enter struck twice saves nothing."""
        if not recorded.ok:
            return []
        self.facts += [fact for fact in recorded.facts or (recorded.id or "",) if fact]
        self.subject = self.desk.new_key()
        self._confirm, self._doubted, self._numbered = {}, {}, ""
        self.form.fill_all({})
        self.form.absorb_one()
        return [self._fetch(holds=True)]

    def _refused(self, recorded: Recorded) -> list[Act]:
        self._doubted = self.form.snapshot()
        return super()._refused(recorded)

    def _confirmed(self, answers: dict[str, Answer]) -> list[str]:
        # What was asked was asked of this dose and no other.
        if self.form.snapshot() != self._doubted:
            self._confirm = {}
        return super()._confirmed(answers)

    # drawing

    def stated(self) -> str:
        """Say on whose word it is written."""
        return self.desk.words("card_doses.told")

    def hints(self) -> list[Hint]:
        """Leave out the key that asks when."""
        return [one for one in super().hints() if one.keys != "Ctrl+T"]

    def told(self) -> list[Line]:
        """Say what is known by now, the newest first."""
        return self._known(80, SHOWN_ALL)

    def draw(self, size: Size) -> list[Line]:
        """Draw the form, and below it what is known in the rows that its list leaves."""
        wanted = len(help_lines(self.form, self.desk.words, size.width, SHOWN_ALL))
        fields = len(self.form.fields) + 1
        room = max(size.height - ABOVE - fields - 1 - wanted, 1)
        known = self._known(size.width, room)
        return [*super().draw(size._replace(height=size.height - len(known))), *known]

    def _known(self, width: int, most: int) -> list[Line]:
        words, child = self.desk.words, self.child
        if child is None:
            return []
        doses = newest_first(child, self.facts)
        approved = "" if child.approved else words("value.not-approved")
        label = Span(words.count("card_doses.known", len(doses)), "label")
        top = line(" ", label, "  ", Span(approved, "bad"))
        return [top, *(self._dose(one, child, width) for one in doses[: most - 1])]

    def _dose(self, one: GivenLine, child: Child, width: int) -> Line:
        words = self.desk.words
        said = dose_span(words, one)
        number = "" if one.dose is None else f" {one.dose}"
        note = f"{lot_text(words, one)} {why(words, one.rule, child.schedule)}".strip()
        return line(
            "   ",
            Span(fit(one.day or "?", 11), "value"),
            Span(fit(f"{vaccine_word(words, one.words)}{number}", 28), "value"),
            " ",
            Span(fit(said.text, 15), said.role),
            " ",
            Span(cut(note, max(width - 60, 0)), "dim"),
        )


def _fields(latest: str) -> tuple[Field, ...]:
    return (
        Picked("vaccine", "card_doses.vaccine", required=True),
        Date("day", "card_doses.day", required=True, hint="card_doses.day_hint", latest=latest),
        DoseNumber("dose", "card_doses.dose", hint="card_doses.dose_hint"),
        Field("lot", "card_doses.lot", hint="card_doses.lot_hint", chars_max=LOT_CHARS_MAX),
    )
