"""Fields of a dose: how much, for how long; and its arithmetic by weight, exactly."""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

from fieldnode.tui.cores.fields import Answer, AnswerError, Field, Number
from fieldnode.tui.cores.keys import fold_digit

TAKE = "+"
"""In front of a dose that was proposed and taken."""

IN_MG = {"mg": Fraction(1), "g": Fraction(1000), "ug": Fraction(1, 1000)}
"""Units of mass, in milligrams."""

_THOUSANDTHS = re.compile(r"0[.,][0-9]{3}", re.ASCII)
"""`0.125` is no thousand to anybody."""


@dataclass(frozen=True, slots=True)
class Dose(Number):
    """How much; `+` takes a dose that was proposed."""

    decimals: int = 2
    proposed: tuple[str, ...] = ()
    """Doses in mg that are proposed: `+` takes the only one, else `+` and its number."""

    def accept(self, text: str, char: str) -> str:
        """As a number, or the sign that takes a proposal."""
        if char == TAKE:
            return TAKE if self.proposed and not text else ""
        return "" if text.startswith(TAKE) else Number.accept(self, text, char)

    def alone(self, text: str, char: str) -> str | None:
        """The sign where one dose is proposed, its number where several are."""
        if char == TAKE and not text and len(self.proposed) == 1:
            return TAKE + self.proposed[0]
        digit = fold_digit(char)
        if text == TAKE and digit.isdecimal() and 0 < int(digit) <= len(self.proposed):
            return TAKE + self.proposed[int(digit) - 1]
        return Number.alone(self, text, char)

    def is_picked(self, text: str) -> bool:
        """Whether a proposal was taken."""
        return text.startswith(TAKE) and len(text) > 1

    def shown(self, text: str) -> str:
        """Return the number alone."""
        return text.removeprefix(TAKE)

    def meaning(self, text: str) -> Answer:
        """A number above nothing."""
        number = text.removeprefix(TAKE)
        if text and not number:
            raise AnswerError("form.not_digits")
        if _THOUSANDTHS.fullmatch(number):
            return Answer(number.replace(",", ".").rstrip("0"))
        found = Number.meaning(self, number)
        if found.text and not Decimal(found.text):
            raise AnswerError("doses.nothing")
        return found

    def settled(self, text: str, answer: Answer) -> str:
        """A dose that was taken stays marked."""
        return text if self.is_picked(text) else Number.settled(self, text, answer)


@dataclass(frozen=True, slots=True)
class Duration(Field):
    """For how long: `5` or `5 d` days, `12 h` hours."""

    chars_max: int = 6

    def accept(self, text: str, char: str) -> str:
        """Digits, then d or h."""
        folded = fold_digit(char).lower()
        if len(text) >= self.chars_max or text[-1:] in ("d", "h"):
            return ""
        if folded in ("d", "h", "j"):
            return ("d" if folded == "j" else folded) if text else ""
        return folded if folded.isdecimal() else ""

    def meaning(self, text: str) -> Answer:
        """Number and unit; days where no unit stands."""
        if not text:
            return Answer()
        number, unit = text.rstrip("dh "), text[-1:] if text[-1:] in ("d", "h") else "d"
        if not number.strip().isdecimal() or not int(number):
            raise AnswerError("form.not_digits")
        return Answer(f"{int(number)} {unit}")


def per_kg(value: str, unit: str, kg: str) -> str:
    """Return what a dose is by weight, as it is shown: `250 ÷ 12.5 = 20 mg/kg`; '' without."""
    from protocols.guidelines.doses import per_kg_text

    dose, weight = _number(value), _number(kg)
    if dose is None or weight is None or unit not in IN_MG:
        return ""
    return per_kg_text(dose * IN_MG[unit], weight)


def whole_units(dose: str, strength: str) -> tuple[str, str]:
    """Return the arithmetic of whole units, and what is discarded as it is written (SAFETY 23).

    Returns:
        '' for both where nothing can be worked out; the second is '' where nothing is left.
    """
    from protocols.guidelines.doses import units

    wanted, one = _number(dose), _number(strength)
    taken = None if wanted is None or one is None else units(wanted, one)
    if taken is None:
        return "", ""
    return taken.text, _decimal(taken.discarded) if taken.discarded else ""


def _number(text: str) -> Fraction | None:
    try:
        return Fraction(text.removeprefix(TAKE).replace(" ", ""))
    except (ValueError, ZeroDivisionError):
        return None


def _decimal(value: Fraction) -> str:
    """Return a difference of typed numbers: it has as many decimals as they had."""
    written = format(Decimal(value.numerator) / Decimal(value.denominator), "f")
    return written.rstrip("0").rstrip(".") if "." in written else written
