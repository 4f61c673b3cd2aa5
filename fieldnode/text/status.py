"""How far the words of a language have been checked, and by whom: each file says it of itself.

```toml
[status]
default = "draft"               # of every word that is not named below

[[status.except]]
of = ["triage", "form.saved"]   # tables or keys
state = "reviewed"
by = "Name, profession, 2026-11-20"
```
"""

from __future__ import annotations

from functools import cache
from typing import Literal, NamedTuple

import msgspec

from fieldnode.text.catalogue import said, status_table, tables

State = Literal["own words", "reviewed", "draft", "machine draft"]
"""`own words`: written with the software in this language, of which it is one of the first."""


class Excepted(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Words that another state than the default holds for."""

    of: tuple[str, ...]
    state: State
    by: str = ""
    """Who reviewed them; needed for `reviewed`, '' otherwise."""


class Status(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename={"other": "except"}):
    """What a language's file says about itself."""

    default: State
    by: str = ""
    other: tuple[Excepted, ...] = ()

    def of(self, key: str) -> tuple[State, str]:
        """Return state and reviewer of a word: as its key says, else its table, else the file."""
        table = key.partition(".")[0]
        for named in (key, table):
            for one in self.other:
                if named in one.of:
                    return one.state, one.by
        return self.default, self.by


class Part(NamedTuple):
    """One table of a language."""

    table: str
    said: int
    total: int
    states: tuple[State, ...]
    """Of the words that are there; several where they differ."""
    by: tuple[str, ...]


class Progress(NamedTuple):
    """How far a language has come."""

    percent: int
    """Of English's words, rounded down: 100 only when none is lacking."""
    states: tuple[State, ...]
    by: tuple[str, ...]
    parts: tuple[Part, ...]


def status(language: str) -> Status:
    """Return what the file of a language says of itself; `draft` where it says nothing."""
    told = status_table(language)
    return msgspec.convert(told, Status) if told else Status("draft")


@cache
def progress(language: str) -> Progress:
    """Return how far a language has come, table by table; counted once, for words do not change."""
    held = status(language)
    parts = tuple(_part(language, held, name, keys) for name, keys in tables().items())
    total, there = sum(part.total for part in parts), sum(part.said for part in parts)
    return Progress(
        there * 100 // total,
        tuple(dict.fromkeys(s for part in parts for s in part.states)) or (held.default,),
        tuple(dict.fromkeys(who for part in parts for who in part.by)),
        parts,
    )


def _part(language: str, held: Status, name: str, keys: tuple[str, ...]) -> Part:
    there = [key for key in keys if said(language, key)]
    found = [held.of(key) for key in there]
    states = tuple(dict.fromkeys(state for state, _ in found))
    return Part(name, len(there), len(keys), states, tuple(dict.fromkeys(w for _, w in found if w)))
