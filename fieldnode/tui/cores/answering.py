"""Keys to the answer of one question: a digit for a choice, digits for a number."""

from __future__ import annotations

from enum import Enum

from fieldnode.tui.cores.keys import fold_digit, fold_single
from protocols.guidelines.questions import Question

YES, NO = "1", "2"
SKIP, UNRECORDABLE = "-", "/"
NUMBER_CHARS_MAX = 6
CHOICES_ONE_DIGIT = 9
"""More choices are numbered by two digits."""


class Heard(Enum):
    """What a key was to the question."""

    NOT_MINE = 0
    GOES_ON = 1
    """A part of an answer."""
    ANSWERED = 2
    """`given` holds it."""
    NO_ANSWER = 3


class Answering:
    """What is typed of one answer."""

    def __init__(self) -> None:
        self.typed = ""
        self.marked: set[str] = set()
        """Choices taken so far where several may be."""
        self.given: object = None

    def clear(self) -> None:
        """Forget what is typed."""
        self.typed, self.marked, self.given = "", set(), None

    def back(self) -> bool:
        """Take a typed sign back; whether there was one."""
        typed, self.typed = self.typed, self.typed[:-1]
        return bool(typed)

    def key(self, asked: Question, key: str) -> Heard:
        """Take one key."""
        if not self.typed and key == SKIP and asked.skip:
            return self._gives(None)
        if not self.typed and key == UNRECORDABLE and asked.unrecordable:
            return self._gives("unrecordable")
        match asked.type:
            case "truth":
                given = {YES: True, NO: False}.get(_digit(key))
                if given is not None:
                    return self._gives(given)
                return Heard.NO_ANSWER if _digit(key).isdecimal() else Heard.NOT_MINE
            case "number":
                return self._number(key)
        if asked.type == "several" and key == "enter":
            return self._gives(sorted(self.marked))
        return self._choice(asked, key)

    def _number(self, key: str) -> Heard:
        if key == "enter":
            return self._gives(self.typed) if self.typed else Heard.NO_ANSWER
        char = "." if key == "," else fold_digit(key) if len(key) == 1 else ""
        if char not in (*"0123456789.",):
            return Heard.NOT_MINE
        if len(self.typed) >= NUMBER_CHARS_MAX:
            return Heard.NO_ANSWER
        self.typed += char
        return Heard.GOES_ON

    def _choice(self, asked: Question, key: str) -> Heard:
        digit = _digit(key)
        if not digit.isdecimal():
            return Heard.NOT_MINE
        self.typed += digit
        if len(asked.choices) > CHOICES_ONE_DIGIT and len(self.typed) < 2:
            return Heard.GOES_ON
        place, self.typed = int(self.typed) - 1, ""
        if not 0 <= place < len(asked.choices):
            return Heard.NO_ANSWER
        if asked.type == "several":
            self.marked ^= {asked.choices[place].id}
            return Heard.GOES_ON
        return self._gives(asked.choices[place].id)

    def _gives(self, given: object) -> Heard:
        self.given = given
        return Heard.ANSWERED


def _digit(key: str) -> str:
    return fold_single(key) if len(key) == 1 else ""
