"""Fields about supplies: whole units, typed as they are or as packs; temperatures below nought."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

from fieldnode.tui.cores.fields import NOT_MEASURED, Answer, AnswerError, Number

TIMES = "x"
TIMES_SIGNS = "xX*×"
PLUS = "+"
MINUS_SIGNS = "-−"
UNITS_MOST = 10_000_000
"""Units of one quantity; more is taken for a slip of the hand."""
PACK_MOST = 1_000_000
"""Units in one pack, as catalogues have it (`PACK_UNITS_MAX`)."""
_DIGITS = re.compile(r"[0-9]+")
_TERM = re.compile(r"([0-9]+)(?:x([0-9]+))?")
_GROUPED = re.compile(r"[0-9]+(?:[.,' ][0-9]{3})+")


@dataclass(frozen=True, slots=True)
class Whole(Number):
    """Whole units above nothing, or from nothing on. Enter behind them saves."""

    zero: bool = False
    """Whether none is an answer."""
    swift: bool = True
    most: int = UNITS_MOST
    chars_max: int = 9

    def accept(self, text: str, char: str) -> str:
        """As a number; a minus too, so that it can be refused with its reason."""
        if char in MINUS_SIGNS:
            return NOT_MEASURED if len(text) < self.chars_max else ""
        return Number.accept(self, text, char)

    def meaning(self, text: str) -> Answer:
        """A whole number."""
        if not text:
            return Answer()
        if not _DIGITS.fullmatch(text):
            raise AnswerError(_why_not_whole(text, "move.whole"))
        _limited(int(text), self.zero, self.most, "move.nothing")
        return Answer(str(int(text)))

    def ends(self, text: str) -> bool:
        """Whether it was answered."""
        return self.swift and bool(text)


@dataclass(frozen=True, slots=True)
class Units(Number):
    """Whole units: `300`, `3x100` for three packs of a hundred, `43x100+7` with loose ones."""

    zero: bool = False
    """Whether none is an answer."""
    most: int = UNITS_MOST
    chars_max: int = 13

    def accept(self, text: str, char: str) -> str:
        """Digits of any script, one sign of multiplication in a term, a plus between terms.

        Anything else is kept, so that it can be refused with its reason: a letter that was
        dropped from among digits would leave another number.
        """
        if char in TIMES_SIGNS:
            term = text.rpartition(PLUS)[2]
            return TIMES if term and TIMES not in term else ""
        if char == PLUS and not text:
            return ""
        folded = NOT_MEASURED if char in MINUS_SIGNS else Number.accept(self, "", char)
        return folded if len(text) < self.chars_max else ""

    def meaning(self, text: str) -> Answer:
        """How many units it comes to."""
        if not text:
            return Answer()
        found = terms(text)
        if found is None:
            raise AnswerError(_why_not_whole(text, "supply.whole"))
        total = sum(count * size for count, size in found)
        _limited(total, self.zero, self.most, "supply.nothing")
        return Answer(str(total))

    def settled(self, text: str, _answer: Answer) -> str:
        """Packs stay as they were typed: what they come to stands beside."""
        return text


def terms(text: str) -> tuple[tuple[int, int], ...] | None:
    """Return packs and the units in one for each term of a sum; None where it is no such sum.

    Loose units are packs of one: `43x100+7` is 43 packs of 100 and 7 packs of 1.
    """
    found = [_TERM.fullmatch(part) for part in text.split(PLUS)]
    if not all(found):
        return None
    return tuple((int(one[1]), int(one[2] or 1)) for one in found if one)


def sum_text(text: str, written: Callable[[int], str]) -> str:
    """Return what a quantity is made of: `300 x 1`, `3 x 100`, `43 x 100 + 7`; '' for no sum.

    Args:
        text: As typed.
        written: A number as it is shown.
    """
    found = terms(text) or ()
    bare = len(found) > 1
    return " + ".join(
        written(count) if bare and size == 1 else f"{written(count)} x {written(size)}"
        for count, size in found
    )


def _why_not_whole(text: str, key: str) -> str:
    """Return why a text is no whole number: with three digits behind a mark, that mark."""
    return "form.grouping" if _GROUPED.fullmatch(text) else key


def _limited(number: int, zero: bool, most: int, nothing: str) -> None:
    if not number and not zero:
        raise AnswerError(nothing)
    if number > most:
        raise AnswerError("form.impossible", low="0" if zero else "1", high=str(most), unit="")


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
