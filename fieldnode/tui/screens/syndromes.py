"""What a visit counts under, as a field: the rows of the syndrome pack that the node works by.

At its end it is what the visit counts under; at its beginning it is the complaint, where other
words do as well. A row is more than the minimum data set counts: what is kept is both.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.acts import Act, Ask
from fieldnode.tui.cores.fields import Answer, Reason
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import Item, Picked, coded
from fieldnode.tui.desk import Desk
from fieldnode.tui.wording import problem, value_text
from protocols.errors import FieldmeshError
from protocols.guidelines.syndromes import (
    Row,
    complaint,
    read_syndromes,
    shipped_syndromes,
    shown,
)
from protocols.guidelines.vocabulary import Condition, rows_of
from protocols.live.bedside import Care
from protocols.live.guidance import PackInUse

PACK = "syndromes"
FIELD = "syndrome"
COMPLAINT = "problem"
"""The field of what somebody came with, and what a record calls it."""

_read = lru_cache(2)(read_syndromes)
"""A form that opens does not read the same pack again."""


@dataclass(frozen=True, slots=True)
class Complaint(Picked):
    """A row, or words: nobody is asked whether the words mean a row."""

    def alone(self, text: str, char: str) -> str | None:
        """Behind a blank a digit is one of somebody's own words: `fever 3 days`."""
        # Not `super()`: a class with slots is made twice.
        return None if text.endswith(" ") else Picked.alone(self, text, char)

    def unusual(self, answer: Answer) -> Reason | None:
        """Never asked about: whoever has no time to choose writes what they hear."""
        return None


def known_of_visit(words: Catalogue, care: Care) -> list[str]:
    """Return what is said of the visit already: the complaint, and what it counts under."""
    said = []
    if care.head.problem:
        said.append(f"{words('field.problem')}: {problem(words, care.head.problem)}")
    if care.syndrome:
        said.append(f"{words('field.syndrome')}: {value_text(words, care.syndrome)}")
    return said


class Offered:
    """The rows offered in one form: of the pack in use, or, until that is known, as shipped."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._pack = shipped_syndromes()

    def field(self) -> Picked:
        """Return the field, its rows in the reader's words."""
        items = self._items()
        return Picked(FIELD, "field.syndrome", hint="discharge.syndrome_hint", items=items)

    def complaint(self) -> Complaint:
        """Return the field of what somebody came with: a row, or words."""
        items = self._items()
        return Complaint(
            COMPLAINT, "field.problem", hint="register.optional_hint", items=items, free=True
        )

    def ask(self, form: FormCore, name: str = FIELD) -> Ask:
        """Ask for the pack in use; keys wait, since letters and a digit pick one of its rows."""

        def came(told: PackInUse) -> list[Act]:
            self._pack = _read(told.text)
            form.replace_field(self.field() if name == FIELD else self.complaint())
            return []

        return Ask(lambda node: node.pack_in_use(PACK), came, _as_shipped, drops=False)

    def condition(self, answer: Answer) -> str:
        """Return the condition that a picked row is recorded as; '' where it is none."""
        name = coded(answer)[0]
        return next((_condition(row) for row in self._pack.syndrome if row.id == name), "")

    def said(self, answer: Answer) -> dict[str, str]:
        """Return a complaint as a record has it: the row with what it counts under, or words.

        A row that came with the software is its code, which each reader sees in their language; of
        another pack it is its words, since who has not the pack could not read the code.
        """
        name, text = coded(answer)
        if not name:
            return {COMPLAINT: text}
        known = complaint(name) is not None
        row = next(row for row in self._pack.syndrome if row.id == name)
        words = name if known else shown(row, self._desk.words.languages).text
        return {COMPLAINT: words, FIELD: _condition(row)}

    def _items(self) -> tuple[Item, ...]:
        languages = self._desk.words.languages
        return tuple(
            Item(str(row.number), row.id, shown(row, languages).text)
            for row in self._pack.syndrome
            if _condition(row)
        )


def _condition(row: Row) -> str:
    """Return the condition that a row is recorded as: the same one, or the first of its item."""
    known = [one for one in rows_of("condition") if isinstance(one, Condition) and one.syndrome]
    same = [one.name for one in known if one.name == row.id]
    return (same or [one.name for one in known if one.mds == row.mds] or [""])[0]


def _as_shipped(_failure: FieldmeshError) -> list[Act]:
    """Then the rows that came with the software are offered."""
    return []
