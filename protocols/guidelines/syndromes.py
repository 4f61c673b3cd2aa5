"""Complaints and syndromes, relation to the event, outcomes, procedures, with their MDS items."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache

import msgspec

from protocols.errors import InputError, SetupError
from protocols.guidelines import vocabulary
from protocols.guidelines.pack import PackHead, Status, read_pack, shipped
from protocols.guidelines.words import COMPLETE, Word, word

MDS = {
    "syndrome": range(4, 30),
    "procedure": range(30, 36),
    "outcome": range(36, 44),
    "relation": range(44, 47),
}
"""Items of the WHO EMT minimum data set that rows of a kind count under."""

EVENT_ITEMS = range(19, 23)
"""Given away by the coordination of each event, so no row of a shipped pack counts there."""


class Row(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One word that can be chosen."""

    number: int
    """On the wire; never changes its meaning."""
    id: str
    mds: int
    words: dict[str, str]
    source: str = ""
    status: Status | None = None


class Syndromes(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """All of them."""

    pack: PackHead
    syndrome: tuple[Row, ...]
    relation: tuple[Row, ...]
    outcome: tuple[Row, ...]
    procedure: tuple[Row, ...]
    languages: dict[str, str] = {}

    def rows(self, kind: str) -> tuple[Row, ...]:
        """Return the rows of `syndrome`, `relation`, `outcome` or `procedure`."""
        found: tuple[Row, ...] = getattr(self, kind)
        return found

    def is_draft(self, language: str) -> bool:
        """Whether nobody has checked the words of a language."""
        return self.languages.get(language, "draft") == "draft"


def named(rows: Sequence[Row], name: str, field: str) -> Row:
    """Return a row by its id.

    Raises:
        InputError: `bad_value`, listing the ids.
    """
    for row in rows:
        if row.id == name:
            return row
    raise InputError("bad_value", field=field, allowed=tuple(row.id for row in rows))


def numbered(rows: Sequence[Row], number: int) -> Row | None:
    """Return a row by its number on the wire, or None when we do not know it."""
    return next((row for row in rows if row.number == number), None)


def shown(row: Row, language: str | tuple[str, ...]) -> Word:
    """Return the word of a row, in English where the language has none."""
    return word(row.words, language, row.id)


def complaint(name: str, *languages: str) -> str | None:
    """Return what a complaint that was picked says: a word of care, or a row of ours.

    Args:
        name: As a record has it.
        languages: Of the reader, the preferred one first; English stands behind them.

    Returns:
        None where it is no code: then it is what somebody typed.
    """
    known = vocabulary.word(name, *languages)
    if known is not None:
        return known
    row = next((row for row in shipped_syndromes().syndrome if row.id == name), None)
    return None if row is None else shown(row, languages or "en").text


# reading the pack


def check(pack: Syndromes) -> list[str]:
    """Return what is wrong with a pack, one sentence each; empty when nothing is."""
    wrong = []
    for kind, items in MDS.items():
        rows = pack.rows(kind)
        for what, keys in (
            ("number", [str(row.number) for row in rows]),
            ("id", [row.id for row in rows]),
        ):
            wrong += [
                f"{kind}: {row.id}: shares its {what}"
                for at, row in enumerate(rows)
                if keys[at] in keys[:at]
            ]
        for row in rows:
            if row.number < 1:
                wrong.append(f"{kind}: {row.id}: number is below 1")
            if row.mds not in items:
                wrong.append(f"{kind}: {row.id}: mds is {items[0]} to {items[-1]}")
            need = {*COMPLETE, *pack.languages}
            lacking = sorted(language for language in need if not row.words.get(language))
            wrong += [f"{kind}: {row.id}: no words in {language}" for language in lacking]
    return wrong


def read_syndromes(text: str) -> Syndromes:
    """Return a checked pack.

    Raises:
        SetupError: `bad_pack`, with what is wrong first.
    """
    pack = read_pack(text, Syndromes)
    wrong = check(pack)
    if wrong:
        raise SetupError("bad_pack", place=wrong[0])
    return pack


@cache
def shipped_syndromes() -> Syndromes:
    """Return the pack that comes with the software."""
    return shipped("syndromes", Syndromes)
