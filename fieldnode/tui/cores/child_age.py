"""The age of a child as a drive's team types it: months, unless a letter says otherwise."""

from __future__ import annotations

import re
from dataclasses import dataclass

from fieldnode.tui.cores.fields import ABOUT, ABOUT_MARKS, Answer, AnswerError, Field
from fieldnode.tui.cores.keys import action_key, fold_digit

AGE_UNITS = {"": "mo", "m": "mo", "y": "y", "a": "y", "w": "w", "s": "w", "d": "d", "j": "d"}
"""Units by the letter behind a number, in English and in French; months where there is none."""
AGE_MOST = {"mo": 48, "y": 120, "w": 60, "d": 120}
"""As the record takes them: above it the next larger unit is meant."""
_AGE = re.compile(r"(~?)(\d{1,3}) ?(mo|[a-z]?)", re.ASCII)


@dataclass(frozen=True, slots=True)
class ChildAge(Field):
    """An age in whole units, in months unless a letter behind says otherwise; `~` is a guess."""

    chars_max: int = 6

    def accept(self, text: str, char: str) -> str:
        """The mark of a guess, digits, then one letter of a unit."""
        if char in ABOUT_MARKS:
            return "" if text else ABOUT
        digit = fold_digit(char)
        if digit.isdecimal():
            free = text.removeprefix(ABOUT)
            return digit if len(free) < 3 and (not free or free.isdecimal()) else ""
        letter = action_key(char)
        ends = bool(text) and text[-1:].isdecimal()
        return letter if ends and letter in AGE_UNITS else ""

    def meaning(self, text: str) -> Answer:
        """`22 mo`, `~3 y`."""
        if not text:
            return Answer()
        found = _AGE.fullmatch(text)
        unit = "mo" if found and found[3] == "mo" else AGE_UNITS.get(found[3]) if found else None
        if found is None or unit is None:
            raise AnswerError("drive.age_hint")
        if int(found[2]) > AGE_MOST[unit]:
            raise AnswerError("drive.age_most", most=f"{AGE_MOST[unit]} {unit}")
        return Answer(f"{found[1]}{int(found[2])} {unit}")


def age_parts(text: str) -> tuple[int, str, bool]:
    """Return number, unit and whether it is a guess, of an answer of `ChildAge`."""
    value, _, unit = text.partition(" ")
    return int(value.removeprefix(ABOUT)), unit, value.startswith(ABOUT)
