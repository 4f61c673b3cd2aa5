"""Fields about supplies: units typed as they are or as packs, temperatures below nought."""

from __future__ import annotations

from dataclasses import dataclass

from fieldnode.tui.cores.fields import NOT_MEASURED, Answer, AnswerError, Number
from fieldnode.tui.cores.keys import fold_digit

TIMES = "x"
TIMES_SIGNS = "xX*×"
MINUS_SIGNS = "-−"


@dataclass(frozen=True, slots=True)
class Units(Number):
    """Whole units: `300`, or `3x100` for three packs of a hundred."""

    zero: bool = False
    """Whether none is an answer."""
    most: int = 10_000_000
    chars_max: int = 13

    def accept(self, text: str, char: str) -> str:
        """Digits of any script, and one sign of multiplication between them."""
        if char in TIMES_SIGNS:
            return TIMES if text and TIMES not in text else ""
        folded = fold_digit(char)
        # A minus, a point and a comma are taken, so that they can be refused with their reason.
        taken = folded.isdecimal() or folded in "-.,"
        return folded if taken and len(text) < self.chars_max else ""

    def meaning(self, text: str) -> Answer:
        """How many units it comes to."""
        if not text:
            return Answer()
        parts = text.split(TIMES)
        if not all(part.isascii() and part.isdecimal() for part in parts):
            raise AnswerError("supply.whole")
        total = 1
        for part in parts:
            total *= int(part)
        if not total and not self.zero:
            raise AnswerError("supply.nothing")
        if total > self.most:
            raise AnswerError("form.impossible", low="1", high=str(self.most), unit="")
        return Answer(str(total))

    def settled(self, text: str, _answer: Answer) -> str:
        """Packs stay as they were typed: what they come to stands beside."""
        return text


def packs(text: str) -> tuple[int, int] | None:
    """Return packs and units in one, where a text says them; else None."""
    count, sign, size = text.partition(TIMES)
    if not sign or not count.isdecimal() or not size.isdecimal():
        return None
    return int(count), int(size)


@dataclass(frozen=True, slots=True)
class Celsius(Number):
    """A temperature of a fridge or freezer, below nought too."""

    def accept(self, text: str, char: str) -> str:
        """As a number, a minus in front."""
        if char in MINUS_SIGNS:
            return "" if text else NOT_MEASURED
        return Number.accept(self, text, char)

    def meaning(self, text: str) -> Answer:
        """The number in canonical form, its sign kept."""
        below = text.startswith(NOT_MEASURED)
        number = text.removeprefix(NOT_MEASURED)
        if text and not number:
            raise AnswerError("form.not_digits")
        found = Number.meaning(self, number)
        return Answer(f"-{found.text}") if below and found.text not in ("", "0") else found
