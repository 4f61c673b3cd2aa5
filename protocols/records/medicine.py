"""What orders and administrations share: routes, how often, and where a dose came from."""

from __future__ import annotations

from fractions import Fraction
from typing import Annotated

import msgspec

from protocols.errors import InputError
from protocols.records.planning import tidy
from protocols.records.shape import Small
from protocols.records.spelling import one_of
from protocols.records.wordlists import position, word_at

ROUTES = (
    "oral",
    "iv",
    "im",
    "sc",
    "io",
    "sublingual",
    "rectal",
    "vaginal",
    "inhaled",
    "nasal",
    "topical",
    "eye",
    "ear",
    "intradermal",
    "nasogastric",
    "epidural",
    "other",
)
"""By position on the wire; only ever added to at the end."""

WAYS = ("once", "times-a-day", "every-hours", "as-needed", "continuous")
"""How a frequency is meant, by position on the wire."""

ONCE, TIMES_A_DAY, EVERY_HOURS, AS_NEEDED, CONTINUOUS = range(5)

EVERY_MAX = {TIMES_A_DAY: 24, EVERY_HOURS: 24 * 31}
"""Largest number that is taken with a way; the others take none."""

A_DAY_MAX = 48
"""Doses a day that as-needed may be bounded by."""

ARITHMETIC_CHARS_MAX = 400
NAME_CHARS_MAX = 80

HOURS_A_DAY = 24


class Frequency(msgspec.Struct, array_like=True, frozen=True):
    """How often."""

    way: Small = ONCE
    """Position in `WAYS`."""
    every: Small = 0
    """Times a day, or hours between."""
    max_a_day: Small = 0
    """Of as-needed; 0 = nothing is said."""


class Proposal(msgspec.Struct, array_like=True, frozen=True):
    """The pack row a dose was proposed from, and what was shown of it."""

    pack: str = ""
    version: str = ""
    row: str = ""
    arithmetic: str = ""
    """As shown: `12.5 kg x 15 mg/kg = 187.5 mg`."""


class FrequencyData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How often, in a line."""

    way: Annotated[str, one_of(WAYS)]
    every: int | None = None
    max_a_day: int | None = None


class ProposalData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Where a dose came from, in a line."""

    pack: str
    version: str
    row: str
    arithmetic: str


def read_frequency(data: FrequencyData) -> Frequency:
    """Return a checked frequency.

    Raises:
        InputError: naming the field and what it may hold.
    """
    where = "data.frequency"
    way = position(data.way, WAYS, f"{where}.way")
    most = EVERY_MAX.get(way)
    if most is None and data.every is not None:
        raise InputError("not_taken", field=f"{where}.every", kind=f"{where}.way")
    if most is not None and not 1 <= (data.every or 0) <= most:
        raise InputError("out_of_range", field=f"{where}.every", allowed=(f"1-{most}",))
    if data.max_a_day is not None and way != AS_NEEDED:
        raise InputError("not_taken", field=f"{where}.max_a_day", kind=f"{where}.way")
    if way == AS_NEEDED and not 1 <= (data.max_a_day or 0) <= A_DAY_MAX:
        raise InputError("out_of_range", field=f"{where}.max_a_day", allowed=(f"1-{A_DAY_MAX}",))
    return Frequency(way, data.every or 0, data.max_a_day or 0)


def read_proposal(data: ProposalData) -> Proposal:
    """Return where a dose came from, tidied; every part is needed."""
    where = "data.proposal"
    return Proposal(
        tidy(data.pack, f"{where}.pack", NAME_CHARS_MAX),
        tidy(data.version, f"{where}.version", NAME_CHARS_MAX),
        tidy(data.row, f"{where}.row", NAME_CHARS_MAX),
        tidy(data.arithmetic, f"{where}.arithmetic", ARITHMETIC_CHARS_MAX),
    )


def hours_between(frequency: Frequency) -> Fraction | None:
    """Return the hours from one dose to the next; None when the order does not say.

    A dose that is given once has no next, so there is no interval that would do.
    """
    if frequency.way == TIMES_A_DAY and frequency.every:
        return Fraction(HOURS_A_DAY, frequency.every)
    if frequency.way == EVERY_HOURS and frequency.every:
        return Fraction(frequency.every)
    if frequency.way == AS_NEEDED and frequency.max_a_day:
        return Fraction(HOURS_A_DAY, frequency.max_a_day)
    return None


def frequency_text(frequency: Frequency) -> str:
    """Return a frequency in the words of the record: `times-a-day 3`, `as-needed max 4`."""
    text = word_at(WAYS, frequency.way)
    if frequency.way in EVERY_MAX:
        text = f"{text} {frequency.every}"
    return f"{text} max {frequency.max_a_day}" if frequency.max_a_day else text
