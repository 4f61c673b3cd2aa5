"""Fields of a movement: a lot, typed or taken from those of the store; whole units."""

from __future__ import annotations

from dataclasses import dataclass

from fieldnode.tui.cores.fields import NOT_MEASURED, Answer, AnswerError, Date, Field, Number
from fieldnode.tui.cores.keys import fold_digit
from fieldnode.tui.cores.picked import MARK

PICK = "+"
"""In front of the number of a lot that is taken from those listed."""
LOT_CHARS_MAX = 20
UNITS_CHARS_MAX = 9


@dataclass(frozen=True, slots=True)
class Lot(Field):
    """A lot as on the package; `+` and a digit takes one of those that the store has."""

    lots: tuple[str, ...] = ()
    chars_max: int = LOT_CHARS_MAX

    def accept(self, text: str, char: str) -> str:
        """Letters in capitals; the sign that takes a listed one, where there are any."""
        if char == PICK and not text:
            return PICK if self.lots else ""
        if text == PICK or char == MARK or len(text) >= self.chars_max:
            return ""
        folded = fold_digit(char).upper()
        return folded if len(folded) == 1 else ""

    def alone(self, text: str, char: str) -> str | None:
        """The digit of a listed lot, behind the sign."""
        digit = fold_digit(char)
        if text == PICK and digit.isdecimal() and 0 < int(digit) <= len(self.lots):
            return MARK + self.lots[int(digit) - 1]
        return None

    def is_picked(self, text: str) -> bool:
        """Whether the field holds a lot that nobody typed: one key more begins anew."""
        return text.startswith(MARK)

    def shown(self, text: str) -> str:
        """Return the lot."""
        return text.removeprefix(MARK)

    def meaning(self, text: str) -> Answer:
        """The lot."""
        if text == PICK:
            raise AnswerError("form.not_a_choice")
        return Answer(text.removeprefix(MARK))

    def settled(self, text: str, answer: Answer) -> str:
        """A lot that was taken stays marked."""
        return text if self.is_picked(text) else answer.text


@dataclass(frozen=True, slots=True)
class Whole(Number):
    """Whole units above nothing, or from nothing on. Enter behind them saves."""

    zero: bool = False
    swift: bool = True
    chars_max: int = UNITS_CHARS_MAX

    def accept(self, text: str, char: str) -> str:
        """As a number; a minus too, so that it can be refused with its reason."""
        return NOT_MEASURED if char in "-−" and not text else Number.accept(self, text, char)

    def meaning(self, text: str) -> Answer:
        """A whole number."""
        if text and not (text.isascii() and text.isdigit()):
            raise AnswerError("move.whole")
        if text and not int(text) and not self.zero:
            raise AnswerError("move.nothing")
        return Answer(str(int(text)) if text else "")

    def ends(self, text: str) -> bool:
        """Whether it was answered."""
        return self.swift and bool(text)


@dataclass(frozen=True, slots=True)
class Expiry(Date):
    """The last day of use: a day, or a month as most packages have it."""

    def meaning(self, text: str) -> Answer:
        """`2027-03` or `2027-03-31`."""
        found = Date.meaning(self, text)
        if found.text and len(found.text) < len("2027-03"):
            raise AnswerError("move.expiry_month")
        return found
