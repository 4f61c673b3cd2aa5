"""The observations that can be recorded: codes, units, ranges by age; from a pack."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache, lru_cache
from math import inf
from typing import NamedTuple

import msgspec

from protocols.errors import InputError, SetupError
from protocols.guidelines.decimals import Decimal
from protocols.guidelines.pack import PackHead, Status, half_open, read_pack, shipped

NUMBERS_KEPT = 4096
"""Numbers of packs that are remembered as read, about 200 bytes each: every value asks for them."""
_AGE_DAYS = {"d": 1.0, "w": 7.0, "mo": 30.4375, "y": 365.25}


class Unit(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A unit values may be typed in."""

    ucum: str
    factor: str = "1"
    """Times this gives the first unit of the observation."""


class Range(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename={"since": "from"}):
    """What values an age can have; in the observation's first unit."""

    since: str
    possible: tuple[str, str]
    usual: tuple[str, str]
    below: str | None = None
    units: tuple[str, ...] = ()
    """When given, only these units are taken at this age."""
    source: str = ""
    status: Status = "memory"

    @property
    def days(self) -> tuple[float, float]:
        """First day of age in the row, and the first day after it."""
        return _days(self.since), inf if self.below is None else _days(self.below)


class Hint(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename={"since": "from"}):
    """Values that betray another unit."""

    since: str
    to: str
    code: str


class Observation(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One thing that can be observed."""

    number: int
    """On the wire; never changes its meaning."""
    name: str
    loinc: str = ""
    units: tuple[Unit, ...] = ()
    choices: tuple[str, ...] = ()
    """Coded answers, by position; only ever added to at the end."""
    decimals: int = 0
    unrecordable: bool = False
    """Whether *unrecordable* is an answer of its own: no pulse to be felt."""
    ranges: tuple[Range, ...] = ()
    hints: tuple[Hint, ...] = ()
    refused_units: dict[str, str] = {}
    source: str = ""
    status: Status = "memory"


class Guess(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How far an age may be off that somebody guessed."""

    guess_percent: int = 25
    """Of the age, either way; one unit at least."""
    source: str = ""
    status: Status = "memory"


class ObservationPack(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """All of them."""

    pack: PackHead
    observation: tuple[Observation, ...]
    unit_words: dict[str, str] = {}
    refused_units: dict[str, str] = {}
    age: Guess = Guess()

    def named(self, name: str, field: str) -> Observation:
        """Return an observation by its name or LOINC code.

        Raises:
            InputError: `bad_value`, listing the names.
        """
        for found in self.observation:
            if name in (found.name, found.loinc) and name:
                return found
        raise InputError("bad_value", field=field, allowed=tuple(o.name for o in self.observation))

    def numbered(self, number: int) -> Observation | None:
        """Return an observation by its number on the wire, or None when we do not know it."""
        for found in self.observation:
            if found.number == number:
                return found
        return None

    def unit(self, observation: Observation, text: str, field: str) -> int:
        """Return the position of a typed unit in the observation's units.

        Raises:
            InputError: `unit_refused` or a code that says which unit it looks like.
        """
        allowed = tuple(unit.ucum for unit in observation.units)
        ucum = self.unit_words.get(text, text)
        if ucum in allowed:
            return allowed.index(ucum)
        code = {**self.refused_units, **observation.refused_units}.get(text, "unit_refused")
        raise InputError(code, field=field, allowed=allowed)


class Judged(NamedTuple):
    """A value inside what is possible."""

    unusual: bool
    usual: tuple[str, str]


def judge(
    observation: Observation, value: Decimal, unit: int, age_days: float | None, field: str
) -> Judged:
    """Check a value against the rows of its age; an unknown age joins all rows.

    Raises:
        InputError: `impossible` with the range, `unit_refused`, or the code of a hint.
    """
    rows = [row for row in observation.ranges if _covers(row, age_days)]
    ucum = observation.units[unit].ucum
    if len(rows) == 1 and rows[0].units and ucum not in rows[0].units:
        raise InputError("unit_refused", field="data.unit", allowed=rows[0].units)
    measured = (value, observation.units[unit].factor)
    for hint in observation.hints:
        if _between(*measured, hint.since, hint.to):
            raise InputError(hint.code, field=field, allowed=_span(observation, rows, "possible"))
    if rows and not _between(*measured, *_limits(rows, "possible")):
        raise InputError("impossible", field=field, allowed=_span(observation, rows, "possible"))
    usual = _limits(rows, "usual") if rows else ("", "")
    return Judged(bool(rows) and not _between(*measured, *usual), usual)


def check(pack: ObservationPack) -> list[str]:
    """Return what is wrong with a pack, one sentence each; empty when nothing is."""
    wrong = []
    if not 0 < pack.age.guess_percent < 100:
        wrong.append("age: guess_percent is a part of the age, 1 to 99")
    for what, keys in (
        ("number", [found.number for found in pack.observation]),
        ("name", [found.name for found in pack.observation]),
    ):
        if len(set(keys)) < len(keys):
            wrong.append(f"two observations share a {what}")
    for found in pack.observation:
        if bool(found.units) == bool(found.choices):
            wrong.append(f"{found.name}: needs either units or choices")
        rows = [row.days for row in found.ranges]
        if rows and (rows[0][0] != 0 or rows[-1][1] != inf or not half_open(rows)):
            wrong.append(f"{found.name}: ages leave a gap or overlap")
        wrong += [
            f"{found.name}: usual range is not inside the possible one"
            for row in found.ranges
            if not Fraction(row.possible[0])
            <= Fraction(row.usual[0])
            < Fraction(row.usual[1])
            <= Fraction(row.possible[1])
        ]
    return wrong


def read_observations(text: str) -> ObservationPack:
    """Return a checked pack.

    Raises:
        SetupError: `bad_pack`, with what is wrong first.
    """
    pack = read_pack(text, ObservationPack)
    wrong = check(pack)
    if wrong:
        raise SetupError("bad_pack", place=wrong[0])
    return pack


@cache
def observations() -> ObservationPack:
    """Return the pack that comes with the software."""
    return shipped("observations", ObservationPack)


@lru_cache(NUMBERS_KEPT)
def _number(text: str) -> Fraction:
    return Fraction(text)


@lru_cache(NUMBERS_KEPT)
def _days(text: str) -> float:
    number, _, unit = text.partition(" ")
    if unit not in _AGE_DAYS:
        raise SetupError("bad_pack", place=f"age {text!r}")
    return float(number) * _AGE_DAYS[unit]


def _covers(row: Range, age_days: float | None) -> bool:
    if age_days is None:
        return True
    since, below = row.days
    return since <= age_days < below


def _limits(rows: Sequence[Range], which: str) -> tuple[str, str]:
    pairs = [row.possible if which == "possible" else row.usual for row in rows]
    if len(pairs) == 1:
        return pairs[0]
    return (
        min((low for low, _ in pairs), key=_number),
        max((high for _, high in pairs), key=_number),
    )


@lru_cache(NUMBERS_KEPT)
def _between(value: Decimal, factor: str, low: str, high: str) -> bool:
    """Say whether a value lies between two numbers of the first unit."""
    return _number(low) <= value.exact * _number(factor) <= _number(high)


def _span(observation: Observation, rows: Sequence[Range], which: str) -> tuple[str, ...]:
    low, high = _limits(rows, which)
    return (f"{low}-{high} {observation.units[0].ucum}",)
