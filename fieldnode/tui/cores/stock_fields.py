"""Fields of a movement: a lot, typed or taken from those of the store; its last day of use."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fieldnode.tui.cores.fields import Answer, AnswerError, Date, Field
from fieldnode.tui.cores.keys import fold_digit
from fieldnode.tui.cores.picked import MARK

PICK = "+"
"""In front of the number of a lot that is taken from those listed."""
LOT_CHARS_MAX = 20
_MONTH_FIRST = re.compile(r"([0-9]{1,2})-([0-9]{4})")


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
class Expiry(Date):
    """The last day of use: a day, or a month as most packages have it."""

    def meaning(self, text: str) -> Answer:
        """`2027-03` or `2027-03-31`; `03/2027` as packages print it cannot be read otherwise."""
        month_first = _MONTH_FIRST.fullmatch(text)
        written = f"{month_first[2]}-{month_first[1]:0>2}" if month_first else text
        try:
            found = Date.meaning(self, written)
        except AnswerError as refused:
            if refused.reason.key != "form.date":
                raise
            raise AnswerError("move.expiry_form") from None
        if found.text and len(found.text) < len("2027-03"):
            raise AnswerError("move.expiry_month")
        return found
