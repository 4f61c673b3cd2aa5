"""Words of care that have a code, from a pack: their numbers, names, words and MDS items."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence
from functools import cache, lru_cache
from typing import Literal

import msgspec

from protocols.errors import InputError, SetupError
from protocols.guidelines.pack import PackHead, Status, read_pack, shipped

LANGUAGES = ("en", "fr")
"""Every row has a word in each of these."""


class Term(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One thing that has a code."""

    number: int
    """On the wire; never changes its meaning."""
    name: str
    words: dict[str, str]
    """By language."""
    status: Status = "memory"
    source: str = ""

    def word(self, *languages: str) -> str:
        """Return the word in the first language that has one, else in English."""
        return next(filter(None, map(self.words.get, languages)), self.words["en"])


class Allergen(Term, forbid_unknown_fields=True, frozen=True):
    """A substance, or a group of them, that somebody can react to."""

    matches: tuple[str, ...] = ()
    """Names of medicines that belong to it, each offered where one is ordered."""
    spoken: tuple[str, ...] = ()
    """What else is said or sold: recognised where somebody writes it, and offered to nobody."""


class Condition(Term, forbid_unknown_fields=True, frozen=True):
    """Something that is wrong with a patient."""

    mds: int | None = None
    """Item of the minimum data set, 4 to 29; None when a person chooses the group."""
    syndrome: bool = False
    """Whether it is a group that a visit is counted under."""


class Procedure(Term, forbid_unknown_fields=True, frozen=True):
    """Something that is done to a patient."""

    mds: int | None = None
    """Item of the minimum data set, 30 to 35; None when it is none of them."""


class Fluid(Term, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """Something that goes in or comes out, in millilitres."""

    direction: Literal["in", "out"]
    ml_max: int
    """More in one record is impossible."""
    ml_unusual: int
    """More in one record is asked about once."""


class Doubt(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """From when on two records are shown side by side for a person to judge."""

    weight_percent: int
    weight_hours: int
    given_hours: int
    early_percent: int
    late_minutes: int
    """A dose that was due so long ago is late."""


class Vocabulary(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """All of them."""

    pack: PackHead
    doubt: Doubt
    allergen: tuple[Allergen, ...]
    condition: tuple[Condition, ...]
    procedure: tuple[Procedure, ...]
    fluid: tuple[Fluid, ...]
    controlled: tuple[str, ...] = ()
    """Names of medicines of which what is discarded takes a witness."""
    languages: dict[str, str] = {}
    """How far the words of each language have been checked."""

    def is_draft(self, language: str) -> bool:
        """Whether nobody has checked the words of a language."""
        return self.languages.get(language, "draft") == "draft"

    def is_controlled(self, substance: str) -> bool:
        """Whether what is discarded of a medicine, as somebody wrote it, takes a witness."""
        wanted = f" {fold(substance)} "
        return any(f" {fold(each)} " in wanted for each in self.controlled)

    def allergens_of(self, substance: str) -> tuple[str, ...]:
        """Return the names of the rows that a medicine, as somebody wrote it, belongs to.

        A row is named by its name, its words in any language, and the medicines of it.
        """
        wanted = f" {fold(substance)} "
        return tuple(
            row.name
            for row in self.allergen
            if any(
                f" {_folded(each)} " in wanted
                for each in (row.name, *row.words.values(), *row.matches, *row.spoken)
            )
        )


def number_of(room: str, name: str, field: str) -> int:
    """Return the number of a row of a room by its name.

    Raises:
        InputError: `bad_value`, listing the names.
    """
    rows = rows_of(room)
    for row in rows:
        if row.name == name:
            return row.number
    raise InputError("bad_value", field=field, allowed=tuple(row.name for row in rows))


def row_of(room: str, number: int) -> Term | None:
    """Return the row of a number on the wire, or None when this software does not know it."""
    return _by_number(room).get(number)


def name_of(room: str, number: int) -> str:
    """Return the name of a number on the wire; `#n` when this software does not know it."""
    found = _by_number(room).get(number)
    return f"#{number}" if found is None else found.name


def fold(text: str) -> str:
    """Return a text as it is compared: without case, accents and punctuation, one space between."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    kept = "".join(char for char in plain if not unicodedata.combining(char))
    return re.sub(r"[\W_]+", " ", kept).strip()


_folded = lru_cache(2048)(fold)
"""Of words of a pack, which are compared again and again; never of what somebody wrote."""


def check(pack: Vocabulary) -> list[str]:
    """Return what is wrong with a pack, one sentence each; empty when nothing is."""
    wrong = [
        f"procedure {row.name}: its MDS item is not 30 to 35"
        for row in pack.procedure
        if row.mds is not None and not 30 <= row.mds <= 35
    ]
    wrong += [
        f"condition {row.name}: its MDS item is not 4 to 29"
        for row in pack.condition
        if (row.mds is not None and not 4 <= row.mds <= 29) or (row.syndrome and row.mds is None)
    ]
    wrong += [
        f"fluid {row.name}: unusual is not below impossible"
        for row in pack.fluid
        if not 0 < row.ml_unusual < row.ml_max
    ]
    for room, rows in _rooms(pack):
        for what, keys in (
            ("number", [str(row.number) for row in rows]),
            ("name", [row.name for row in rows]),
        ):
            if len(set(keys)) < len(keys):
                wrong.append(f"{room}: two rows share a {what}")
        wrong += [f"{room} {row.name}: number below 1" for row in rows if row.number < 1]
        wrong += [
            f"{room} {row.name}: no word in {language}"
            for row in rows
            for language in LANGUAGES
            if not row.words.get(language)
        ]
    return wrong


def read_vocabulary(text: str) -> Vocabulary:
    """Return a checked pack.

    Raises:
        SetupError: `bad_pack`, with what is wrong first.
    """
    pack = read_pack(text, Vocabulary)
    wrong = check(pack)
    if wrong:
        raise SetupError("bad_pack", place=wrong[0])
    return pack


@cache
def vocabulary() -> Vocabulary:
    """Return the pack that comes with the software."""
    return shipped("vocabulary", Vocabulary)


def word(name: str, *languages: str) -> str | None:
    """Return the word for a row of any room by its name, or None when there is no such row.

    Args:
        name: Of the row, the same in every language.
        languages: Of the reader, the preferred one first; English stands behind them.
    """
    found = _by_name().get(name)
    return None if found is None else found.word(*languages)


def rows_of(room: str) -> Sequence[Term]:
    """Return the rows of a room, such as `allergen`, in the order of the pack."""
    found: Sequence[Term] = getattr(vocabulary(), room)
    return found


def _rooms(pack: Vocabulary) -> list[tuple[str, Sequence[Term]]]:
    return [
        ("allergen", pack.allergen),
        ("condition", pack.condition),
        ("procedure", pack.procedure),
        ("fluid", pack.fluid),
    ]


@cache
def _by_name() -> dict[str, Term]:
    return {row.name: row for _, rows in _rooms(vocabulary()) for row in rows}


@cache
def _by_number(room: str) -> dict[int, Term]:
    return {row.number: row for row in rows_of(room)}
