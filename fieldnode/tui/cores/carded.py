"""Doses on a card that somebody brings: the order vaccines are offered in, and which comes next."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fieldnode.tui.cores.fields import Answer, AnswerError, Field
from fieldnode.tui.cores.keys import fold_single
from protocols.live.drive import Child, GivenLine


@dataclass(frozen=True, slots=True)
class DoseNumber(Field):
    """The number of a dose, one digit; a key over the one that is proposed takes its place."""

    chars_max: int = 1

    def accept(self, text: str, char: str) -> str:
        """Nothing is typed but whole answers."""
        return ""

    def alone(self, text: str, char: str) -> str | None:
        """The digit, in any script or by its key."""
        digit = fold_single(char)
        return digit if len(digit) == 1 and digit.isdecimal() else None

    def is_picked(self, text: str) -> bool:
        """Whether a number stands there: it goes as a whole."""
        return bool(text)

    def meaning(self, text: str) -> Answer:
        """The number."""
        if text and not text.isdecimal():
            raise AnswerError("form.not_digits")
        return Answer(text)


def ordered(codes: Sequence[str], child: Child) -> list[str]:
    """Return vaccines in the order that the schedule asks for them, then those it does not count.

    Args:
        codes: All there are, each once.
        child: Whose series the schedule in use has.
    """
    counted = dict.fromkeys(code for row in child.series for code in row.vaccines)
    known = set(codes)
    first = [code for code in counted if code in known]
    return [*first, *(code for code in codes if code not in counted)]


def had(child: Child) -> list[GivenLine]:
    """Return the doses that somebody is known to have had, each once, by day."""
    return [one for one in child.doses if one.status == "given" and not (one.replaced or one.spare)]


def next_number(child: Child, vaccine: str) -> str:
    """Return the number of the next dose of a vaccine; '' where the date decides it.

    A first one may be that at birth, and of a vaccine that goes on with another one's series the
    schedule says by the date which one it is: the node then numbers it. The same past the last.
    """
    numbers = [one.dose for one in had(child) if one.vaccine == vaccine]
    known = [number for number in numbers if number is not None]
    if not known or len(known) < len(numbers):
        return ""
    number = max(known) + 1
    most = max((row.doses for row in child.series if vaccine in row.vaccines), default=0)
    return str(number) if number <= (most or 9) else ""


def newest_first(child: Child, mine: Sequence[str]) -> list[GivenLine]:
    """Return the doses that are known; those just entered (`mine`, oldest first) before others."""
    place = {fact: at for at, fact in enumerate(mine)}
    doses = had(child)[::-1]
    return sorted(doses, key=lambda one: -place.get(one.fact, -1))
