"""Guided triage as one state machine: a guide's questions, one after the other, to a category.

What is asked and what follows is the pack's; here it is only which key answers what.
"""

from __future__ import annotations

from enum import Enum

from fieldnode.tui.cores.keys import fold_digit, fold_single
from protocols.errors import InputError
from protocols.guidelines.ages import UNKNOWN, AgeSpan
from protocols.guidelines.triage import Answer, Ask, Guide, Outcome, TriagePack, next_step, take

YES, NO = "1", "2"
SKIP, UNRECORDABLE = "-", "/"
NUMBER_CHARS_MAX = 6


class Came(Enum):
    """What a key led to."""

    NOTHING = 0
    LEFT = 1
    """Escape, or back beyond the first question."""
    TAKEN = 2
    """The category was accepted."""
    REFUSED = 3
    """No answer to this question; `reason` says why."""


class GuideCore:
    """One run through one guide."""

    def __init__(
        self,
        pack: TriagePack,
        guide: str = "",
        *,
        age: AgeSpan = UNKNOWN,
        pregnant: bool | None = None,
    ) -> None:
        """Begin with a guide, or by asking which one.

        Args:
            pack: In use.
            guide: Id of one of the pack's; '' asks.
            age: As far as it is known.
            pregnant: None when it is not known.
        """
        self.pack = pack
        self.guide: Guide | None = next((one for one in pack.guide if one.id == guide), None)
        self.typed = ""
        self.marked: set[str] = set()
        """Choices taken so far where several may be."""
        self.reason = ""
        """Catalogue key of why the last key was no answer; '' for none."""
        self._age, self._pregnant = age, pregnant
        self._answers: dict[str, Answer] = {}
        self._order: list[str] = []

    @property
    def step(self) -> Ask | Outcome | None:
        """The question or the category now; None while a guide is chosen."""
        if self.guide is None:
            return None
        return next_step(
            self.pack, self.guide, self._answers, age=self._age, pregnant=self._pregnant
        )

    @property
    def asked(self) -> int:
        """How many questions were answered."""
        return len(self._order)

    @property
    def wide(self) -> bool:
        """Whether choices are numbered by two digits."""
        step = self.step
        return isinstance(step, Ask) and len(step.question.choices) > 9

    def key(self, key: str) -> Came:
        """Take one key."""
        self.reason = ""
        if key == "escape":
            return Came.LEFT
        step = self.step
        if step is None:
            return self._choose_guide(key)
        if key == "backspace":
            return self._back()
        if isinstance(step, Outcome):
            return Came.TAKEN if key == "enter" else Came.NOTHING
        match step.question.type:
            case "truth":
                return self._truth(step, key)
            case "choice":
                return self._choice(step, key)
            case "several":
                return self._several(step, key)
            case "number":
                return self._number(step, key)

    def number_of(self, place: int) -> str:
        """Return the digits that stand for a choice, by its place from 0."""
        return f"{place + 1:02d}" if self.wide else str(place + 1)

    def _choose_guide(self, key: str) -> Came:
        digit = _digit(key)
        if digit.isdecimal() and 1 <= int(digit) <= len(self.pack.guide):
            self.guide = self.pack.guide[int(digit) - 1]
        elif key == "backspace":
            return Came.LEFT
        return Came.NOTHING

    def _back(self) -> Came:
        """Take a typed sign back, else the answer before, else the choice of the guide."""
        if self.typed:
            self.typed = self.typed[:-1]
        elif self._order:
            self._answers.pop(self._order.pop(), None)
            self.marked = set()
        else:
            self.guide = None
        return Came.NOTHING

    def _truth(self, step: Ask, key: str) -> Came:
        given = {YES: True, NO: False}.get(_digit(key))
        return self._refuse("guide.no_answer") if given is None else self._given(step, given)

    def _choice(self, step: Ask, key: str) -> Came:
        place = self._place(step, key)
        if place is not None:
            return self._given(step, step.question.choices[place].id)
        return Came.REFUSED if self.reason else Came.NOTHING

    def _several(self, step: Ask, key: str) -> Came:
        if key == "enter":
            return self._given(step, sorted(self.marked))
        place = self._place(step, key)
        if place is not None:
            self.marked ^= {step.question.choices[place].id}
        return Came.REFUSED if self.reason else Came.NOTHING

    def _place(self, step: Ask, key: str) -> int | None:
        """Return the place of the choice that is named now; digits gather where there are many."""
        digit = _digit(key)
        if not digit.isdecimal():
            self._refuse("guide.no_answer")
            return None
        self.typed += digit
        if self.wide and len(self.typed) < 2:
            return None
        number, self.typed = int(self.typed), ""
        if 1 <= number <= len(step.question.choices):
            return number - 1
        self._refuse("guide.no_answer")
        return None

    def _number(self, step: Ask, key: str) -> Came:
        if not self.typed and key == SKIP and step.question.skip:
            return self._given(step, None)
        if not self.typed and key == UNRECORDABLE and step.question.unrecordable:
            return self._given(step, "unrecordable")
        if key == "enter":
            return self._given(step, self.typed) if self.typed else self._refuse("guide.no_answer")
        char = "." if key == "," else fold_digit(key) if len(key) == 1 else ""
        if char not in (*"0123456789.",) or len(self.typed) >= NUMBER_CHARS_MAX:
            return self._refuse("guide.no_answer")
        self.typed += char
        return Came.NOTHING

    def _given(self, step: Ask, given: object) -> Came:
        try:
            answer = take(step.question, given)
        except InputError:
            return self._refuse("form.not_digits")
        self._answers[step.question.id] = answer
        self._order.append(step.question.id)
        self.typed, self.marked = "", set()
        return Came.NOTHING

    def _refuse(self, reason: str) -> Came:
        self.reason = reason
        return Came.REFUSED


def _digit(key: str) -> str:
    return fold_single(key) if len(key) == 1 else ""
