"""A timeline in words: what was written together, when it happened, what it says.

The chart shows it, the sheets on paper print it.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import tzinfo
from typing import NamedTuple, Protocol

import msgspec

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.wording import happened, value_text
from protocols.guidelines.words import word
from protocols.live.api import ChartLine
from protocols.records.display import clean_text

_PLAIN = frozenset({"", "text", "value", "note", "triage"})
"""Keys whose value says enough beside the kind of the line."""


_CIRCUMSTANCES = frozenset({"precision", "by", "source", "device", "reason", "clock"})
"""What all facts of one entry share and a line says once."""


ADDENDUM = "addendum"
"""Key of the fact that a line adds to; who shows the others says which."""

_BARE = frozenset({"order", "given", "dose", "route", "often"})
"""Keys whose value stands beside what was ordered or given without a word of its own."""


_CODED = frozenset({"guideline", "step", "result"})
"""Keys whose value is a code of a guideline pack."""


class Reader(Protocol):
    """For whom it is worded: a terminal's desk, or a sheet of paper."""

    @property
    def words(self) -> Catalogue:
        """In whose language."""
        ...

    @property
    def now_ms(self) -> int:
        """When it is read, Unix milliseconds."""
        ...

    @property
    def zone(self) -> tzinfo:
        """In which times are shown."""
        ...


class Happening(NamedTuple):
    """One line of the timeline: one fact, or several that one entry wrote together."""

    line: ChartLine
    """Of the first fact, with what all of them say."""
    facts: tuple[str, ...]


def happenings(lines: Sequence[ChartLine]) -> list[Happening]:
    """Return what happened, newest first: a set taken together is one line.

    What only marks another line as entered in error is folded away; that line says so itself.
    """
    found: dict[tuple[object, ...], list[ChartLine]] = {}
    for one in lines:
        entry, _, _ = one.fact.rpartition(".")
        if one.kind != "entry.retract":
            found.setdefault((entry or one.fact, one.kind, one.replaced), []).append(one)
    return [_joined(sorted(same, key=_index)) for same in found.values()]


def _joined(same: list[ChartLine]) -> Happening:
    own = [pair for one in same for pair in one.summary if pair[0] not in _CIRCUMSTANCES]
    shared = [pair for one in same for pair in one.summary if pair[0] in _CIRCUMSTANCES]
    pairs = (*own, *dict.fromkeys(shared))
    codes = {code: words for one in same for code, words in one.codes.items()}
    line = msgspec.structs.replace(same[0], summary=pairs, codes=codes)
    return Happening(line, tuple(one.fact for one in same))


def _index(one: ChartLine) -> int:
    place = one.fact.rpartition(".")[2]
    return int(place) if place.isdecimal() else 0


def when(reader: Reader, row: ChartLine) -> str:
    """Return when a line happened, no more exactly than it was stated."""
    precision = dict(row.summary).get("precision", "")
    return happened(row.at_ms, precision, reader.now_ms, reader.zone)


def summary(reader: Reader, row: ChartLine, *, short: bool = False) -> str:
    """Return a timeline line's content in the reader's words; `short` ones for a column."""
    told = [pair for pair in row.summary if pair[0] not in ("precision", ADDENDUM)]
    parts = [_pair(reader, key, _said(reader, row, key, value), short=short) for key, value in told]
    return "  ".join(part for part in parts if part)


def _said(reader: Reader, row: ChartLine, key: str, value: str) -> str:
    """Return the words of a pack's code in the reader's languages; anything else as it is."""
    known = row.codes.get(value) if key in _CODED else None
    if known is None:
        return value
    said = clean_text(word(known, reader.words.languages, value).text)
    return f"{said} {value.rpartition(' ')[2]}" if key == "guideline" else said


def frequency(words: Catalogue, text: str) -> str:
    """Return how often in words, from the record's own: `times-a-day 3`, `as-needed max 4`."""
    way, _, number = text.partition(" ")
    number = number.removeprefix("max ")
    key = f"often.{way}"
    return words(key, n=number) if number and words.has(key) else value_text(words, way)


def _pair(reader: Reader, key: str, value: str, *, short: bool) -> str:
    words = reader.words
    plain = frequency(words, value) if key == "often" else value_text(words, value)
    if key in _PLAIN or key in _BARE:
        return plain
    for room in ("short", "obs", "field") if short else ("obs", "field"):
        if words.has(f"{room}.{key}"):
            return f"{words(f'{room}.{key}')} {plain}".strip()
    return f"{clean_text(key)} {plain}".strip()
