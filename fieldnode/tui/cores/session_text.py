"""What is typed to open a session: vaccines by number or code, targets, lots and cells in short.

`measles 300, measles/2 120`; `vaccine-mr-10 MR-0172B 2028-03`; `mr 1 2 f, mr 1 2 m`: parts are
separated by commas or semicolons. Each says by itself which part cannot be read.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any

from fieldnode.tui.cores.fields import Answer, AnswerError, Field
from fieldnode.tui.cores.keys import fold_digit
from fieldnode.tui.cores.picked import Item, Picked

TEXT_CHARS_MAX = 400
SEXES = {"m": "male", "f": "female", "p": "female-pregnant"}
_TARGET = re.compile(r"([a-z0-9-]+)(?:/([123459]))? (\d{1,8})", re.ASCII)
_LOT = re.compile(r"(\S+) (\S{1,20})(?: (\d{4}-\d\d(?:-\d\d)?))?", re.ASCII)
_LEFT = re.compile(r"(\S+) (\S{1,20}) (\d{1,6})", re.ASCII)
_CELL = re.compile(r"([a-z0-9-]+) (\d{1,2})(?: ([123459]))?(?: ([mfp]))?", re.ASCII)
_BESIDE = re.compile(r"([a-z0-9-]+)()(?: ([123459]))?(?: ([mfp]))?", re.ASCII)
"""Of what is no vaccine: it has no dose."""


@dataclass(frozen=True, slots=True)
class Many(Picked):
    """Several rows of a list, by number or code, with spaces between."""

    chars_max: int = TEXT_CHARS_MAX

    def accept(self, text: str, char: str) -> str:
        """Codes, numbers, and what stands between them."""
        folded = fold_digit(char).lower()
        taken = folded.isalnum() or folded in "- ,"
        return folded if taken and len(text) < self.chars_max else ""

    def alone(self, _text: str, _char: str) -> str | None:
        """One key is never all of it."""
        return None

    def is_picked(self, _text: str) -> bool:
        """What stands there was typed."""
        return False

    def shown(self, text: str) -> str:
        """As typed."""
        return text

    def unusual(self, _answer: Answer) -> None:
        """Nothing to ask: each is a row, or refused."""

    def meaning(self, text: str) -> Answer:
        """The codes, each once, with a space between."""
        found: dict[str, None] = {}
        for part in text.replace(",", " ").split():
            row = self._one(part)
            if row is None:
                raise AnswerError("session.no_vaccine", what=part)
            found[row.name] = None
        return Answer(" ".join(found))

    def settled(self, text: str, answer: Answer) -> str:
        """The codes."""
        return answer.text or text

    def offered(self, text: str) -> list[tuple[str, str]]:
        """What can follow: every row with its number, or those that the last part begins."""
        last = "" if not text or text[-1] in " ," else text.replace(",", " ").split()[-1]
        rows = [row for row in self.items if _begins(row, last)]
        return [(row.number, row.name) for row in rows]

    def _one(self, part: str) -> Item | None:
        return next((row for row in self.items if part in (row.number, row.name)), None)


def _begins(row: Item, part: str) -> bool:
    return row.number.startswith(part) if part.isdecimal() else row.name.startswith(part)


def parts(text: str) -> Iterator[str]:
    """Yield what stands between commas."""
    for part in re.split("[,;]", text):
        if shown := " ".join(part.split()):
            yield shown


@dataclass(frozen=True, slots=True)
class Targets(Many):
    """`measles 300`, or of one age band `measles/2 300`; its rows are the antigens there are."""

    def accept(self, text: str, char: str) -> str:
        """Any character: what is no target is kept as typed and refused with the reason."""
        return char if len(text) < self.chars_max else ""

    def meaning(self, text: str) -> Answer:
        """As typed, once every part reads."""
        known = {row.name for row in self.items}
        for one in targets(text):
            if known and one["antigen"] not in known:
                raise AnswerError("session.no_antigen", what=one["antigen"])
        return Answer(text)

    def offered(self, text: str) -> list[tuple[str, str]]:
        """Antigens that the last part begins; none behind a whole one."""
        last = re.split("[,;]", text)[-1].strip().lower()
        return [(row.name, "") for row in self.items if row.name.startswith(last)]


@dataclass(frozen=True, slots=True)
class Lots(Field):
    """`vaccine-mr-10 MR-0172B 2028-03`."""

    chars_max: int = TEXT_CHARS_MAX

    def meaning(self, text: str) -> Answer:
        """As typed, once every part reads."""
        lots(text)
        return Answer(text)


@dataclass(frozen=True, slots=True)
class Cells(Field):
    """`mr 1 2 f`: vaccine, dose, age band, sex; the digits are 1 to 9 in their order."""

    chars_max: int = TEXT_CHARS_MAX
    beside: tuple[str, ...] = ()
    """Codes of what is no vaccine: `vitamin-a 2 f` has no dose."""

    def meaning(self, text: str) -> Answer:
        """As typed, once every part reads."""
        cells(text, self.beside)
        return Answer(text)


@dataclass(frozen=True, slots=True)
class Lefts(Field):
    """`vaccine-mr-10 MR-0172B 40`: doses in vials that nobody opened."""

    chars_max: int = TEXT_CHARS_MAX

    def meaning(self, text: str) -> Answer:
        """As typed, once every part reads."""
        lefts(text)
        return Answer(text)


_GROUPED = re.compile(r" \d{1,3}(?:[.,']\d{3})+ *(?:[,;]|$)", re.ASCII)
"""A number with its thousands marked; a comma would part it in two (SAFETY 3)."""


def _no_groups(text: str) -> None:
    if _GROUPED.search(text):
        raise AnswerError("form.grouping")


def lefts(text: str) -> list[dict[str, Any]]:
    """Return what is left of lots as the record has it.

    Raises:
        AnswerError: Naming the part that does not read.
    """
    _no_groups(text)
    found = []
    for part in parts(text):
        read = _LEFT.fullmatch(part)
        if read is None:
            raise AnswerError("session.bad_left", what=part)
        found.append({"item": read[1], "lot": read[2], "doses": int(read[3])})
    return found


def targets(text: str) -> list[dict[str, Any]]:
    """Return targets as the record has them.

    Raises:
        AnswerError: Naming the part that does not read.
    """
    _no_groups(text)
    found = []
    for part in parts(text.lower()):
        read = _TARGET.fullmatch(part)
        if read is None:
            raise AnswerError("session.bad_target", what=part)
        if not int(read[3]):
            raise AnswerError("move.nothing")
        one: dict[str, Any] = {"antigen": read[1], "number": int(read[3])}
        found.append(one | ({"band": int(read[2])} if read[2] else {}))
    return found


def lots(text: str) -> list[dict[str, str]]:
    """Return lots as the record has them.

    Raises:
        AnswerError: Naming the part that does not read.
    """
    found = []
    for part in parts(text):
        read = _LOT.fullmatch(part)
        if read is None:
            raise AnswerError("session.bad_lot", what=part)
        one = {"item": read[1], "lot": read[2]}
        found.append(one | ({"expiry": read[3]} if read[3] else {}))
    return found


def cells(text: str, beside: Collection[str] = ()) -> list[dict[str, Any]]:
    """Return cells as the record has them.

    Args:
        text: As typed.
        beside: Codes of what is no vaccine.

    Raises:
        AnswerError: Naming the part that does not read, or that there are more than nine.
    """
    found = []
    for part in parts(text.lower()):
        other = part.split(" ", 1)[0] in beside
        read = (_BESIDE if other else _CELL).fullmatch(part)
        if read is None:
            raise AnswerError("session.bad_cell", what=part)
        one: dict[str, Any] = {"vaccine": read[1], "dose": int(read[2] or 0)}
        if other:
            one = {"intervention": read[1]}
        one |= {"band": int(read[3])} if read[3] else {}
        found.append(one | ({"sex": SEXES[read[4]]} if read[4] else {}))
    if len(found) > 9:
        raise AnswerError("session.many_cells")
    return found
