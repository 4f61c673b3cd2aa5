"""An answer picked from a list by its number or by its letters, or typed in somebody's own words.

Where nothing or digits stand, digits are the number of a row: one that begins no other row's number
is the whole answer. Behind letters, a digit picks one of the rows that they find. So what is struck
means what stands beside it on the screen, and the same at any speed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from fieldnode.tui.cores.fields import Answer, AnswerError, Field, Reason
from fieldnode.tui.cores.keys import fold_digit
from protocols.guidelines.vocabulary import fold

MARK = "="
"""In front of the name of a row that was picked, in the field and in its draft."""

SHOWN_MAX = 9
"""Rows that letters find and a digit picks."""

SHORTEST = 2
"""Letters from which on words in the midst of a row are looked at too."""


class Item(NamedTuple):
    """One row to pick from."""

    number: str
    """Digits that pick it; '' for one that only letters find."""
    name: str
    """As in the record."""
    word: str
    """In the reader's language."""
    also: tuple[str, ...] = ()
    """Other words that find it; typed whole they are somebody's own words, not this row."""


@dataclass(frozen=True, slots=True)
class Picked(Field):
    """One of a list; where it is `free`, other words do as well."""

    items: tuple[Item, ...] = ()
    free: bool = False
    plain: bool = False
    """Whether a row that was picked answers with its word, as somebody would have typed it."""

    def accept(self, text: str, char: str) -> str:
        """Digits that begin a number, letters; any character behind letters that find nothing."""
        digit = fold_digit(char)
        if not text or text.isdecimal():
            if digit.isdecimal():
                begins = self._numbered(text + digit) or self._valued(text + digit)
                return digit if begins else ""
            if text:
                return ""
        return char if len(text) < self.chars_max and char != MARK else ""

    def alone(self, text: str, char: str) -> str | None:
        """A digit that leaves one row only."""
        if not text and char in self.absent:
            return char
        # Not the French top row: its é begins a word here.
        digit = fold_digit(char)
        if not digit.isdecimal():
            return None
        if not text or text.isdecimal():
            numbered = self._numbered(text + digit)
            return MARK + numbered[0].name if len(numbered) == 1 else None
        found = self.found(text)
        at = int(digit) - 1
        return MARK + found[at].name if 0 <= at < len(found) else None

    def is_picked(self, text: str) -> bool:
        """Whether the field holds a row: one key more begins anew."""
        return text.startswith(MARK)

    def meaning(self, text: str) -> Answer:
        """The row, marked; or the words as they were typed."""
        if not text:
            return Answer()
        row = self.row(text)
        if row is not None:
            return Answer(row.word if self.plain else MARK + row.name)
        if text.startswith(MARK) or text.isdecimal() or not self.free:
            raise AnswerError("pick.none")
        return Answer(text)

    def unusual(self, answer: Answer) -> Reason | None:
        """Own words while the list has rows that begin so: they may mean one of those."""
        text = answer.text
        if not text or text.startswith(MARK) or self.row(text) is not None:
            return None
        if any(fold(text) == fold(word) for item in self.items for word in item.also):
            return None
        return Reason("pick.own_words") if self.found(text) else None

    def settled(self, text: str, answer: Answer) -> str:
        """A row that was typed whole is the row."""
        row = self.row(text)
        return MARK + row.name if row is not None else answer.text or text

    def row(self, text: str) -> Item | None:
        """Return the row that a text is: picked, by its number, or by its whole word."""
        if text.startswith(MARK):
            return next((item for item in self.items if item.name == text[len(MARK) :]), None)
        if text.isdecimal():
            # Who ends a number of two digits after its one says which is meant: 2 and Enter is 02.
            meant = self._valued(text)
            return meant[0] if len(meant) == 1 else None
        wanted = fold(text)
        same = [item for item in self.items if wanted and wanted in map(fold, item[1:3])]
        return same[0] if len(same) == 1 else None

    def found(self, text: str) -> tuple[Item, ...]:
        """Return the rows that letters find, those that begin so first."""
        wanted = fold(text)
        if not wanted or text.startswith(MARK) or text.isdecimal():
            return ()
        first = [item for item in self.items if fold(item.word).startswith(wanted)]
        if len(wanted) >= SHORTEST:
            inside = f" {wanted}"
            first += [
                item
                for item in self.items
                if item not in first
                and any(inside in f" {fold(word)}" for word in (item.word, *item.also))
            ]
        return tuple(first[:SHOWN_MAX])

    def offered(self, text: str) -> list[tuple[str, str]]:
        """Return what the next digits pick: digit or number, and the word."""
        if text and not text.isdecimal():
            rows = self.found(text)
            return [(str(at), item.word) for at, item in enumerate(rows, 1)]
        numbered = self._numbered(text) or self._valued(text)
        return [(item.number, item.word) for item in numbered]

    def shown(self, text: str) -> str:
        """Return what stands in the field: the word of a row, or what was typed."""
        row = self.row(text) if text.startswith(MARK) else None
        return text if row is None else row.word

    def _valued(self, digits: str) -> list[Item]:
        """Return the row of a number typed without its zeros; [] for no digits."""
        if not digits:
            return []
        return [item for item in self.items if item.number and int(item.number) == int(digits)]

    def _numbered(self, digits: str) -> list[Item]:
        return [item for item in self.items if item.number and item.number.startswith(digits)]


def coded(answer: Answer) -> tuple[str, str]:
    """Return what was picked: the name of a row, or '' and somebody's own words."""
    if answer.text.startswith(MARK):
        return answer.text[len(MARK) :], ""
    return "", answer.text
