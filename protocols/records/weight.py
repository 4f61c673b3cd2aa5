"""Weights that do not agree: no dose is worked out from them until a person chooses (SAFETY 9)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache, lru_cache

from protocols.guidelines.observations import observations
from protocols.guidelines.vocabulary import vocabulary
from protocols.records.acceptance import acceptances, of_device
from protocols.records.contested import Contest, Side
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.observation import ObservationRecord, in_words
from protocols.records.planning import CLOCK_DOUBTFUL
from protocols.records.shape import Fact

HOUR_MS = 3_600_000
WEIGHTS_KEPT = 1024
"""Weights remembered in kilograms, about 200 B each: 3 kg to 100 kg in tenths are as many."""

CODES = ("weight", "weight-estimated")


def contests(history: History) -> list[Contest]:
    """Return the latest weight and those taken near it that are too far from it, or nothing.

    One that was written while the clock could not be right may have been taken at any time: it is
    near. A weight that names another as replaced, and one entered in error, ends it.
    """
    known = weights(history) if KindNo.OBSERVATION_RECORD in history.of_kind else ()
    if len(known) < 2:
        return []
    doubt = vocabulary().doubt
    newest = max(known, key=lambda fact: (fact.at_ms, fact.order, fact.index))
    near = [
        fact
        for fact in known
        if (newest.at_ms - fact.at_ms <= doubt.weight_hours * HOUR_MS or _untimed(fact))
        and fact is not newest
        and _apart(kilograms(fact), kilograms(newest), doubt.weight_percent)
    ]
    if not near:
        return []
    sides = sorted((*near, newest), key=lambda fact: (fact.order, fact.index))
    return [Contest("weight", "", None, tuple(Side(_text(fact), fact, False) for fact in sides))]


def weights(history: History) -> Sequence[Fact]:
    """Return what was measured or estimated of a patient's weight and is current.

    What a device measured counts once somebody accepted it (SAFETY 15).
    """
    codes = _numbers()
    weighed = [
        fact
        for fact in history.of_kind.get(KindNo.OBSERVATION_RECORD, ())
        if isinstance(fact.record, ObservationRecord) and fact.record.code in codes
    ]
    if not weighed:
        return ()
    accepted = acceptances(history)
    return [
        fact
        for fact in weighed
        if isinstance(fact.record, ObservationRecord)
        and fact.record.mantissa is not None
        and fact.record.mantissa > 0
        and 0 <= fact.record.unit < len(codes[fact.record.code])
        and fact.standing == 0
        and not history.replaced(fact)
        and (not of_device(fact) or (fact.prefix, fact.index) in accepted)
    ]


def kilograms(fact: Fact) -> Fraction:
    """Return a weight as an exact number of kilograms."""
    record = fact.record
    assert isinstance(record, ObservationRecord)
    return _kilograms(record.code, record.unit, record.mantissa or 0, record.scale)


@lru_cache(WEIGHTS_KEPT)
def _kilograms(code: int, unit: int, mantissa: int, scale: int) -> Fraction:
    return Fraction(mantissa, 10**scale) * _numbers()[code][unit]


def is_estimated(fact: Fact) -> bool:
    """Whether a weight was estimated; a dose worked out from it says so."""
    assert isinstance(fact.record, ObservationRecord)
    return in_words(fact.record)[0] == CODES[1]


def _untimed(fact: Fact) -> bool:
    said = fact.record.circumstances if fact.record else None
    return said is not None and said.at_s is None and CLOCK_DOUBTFUL in said.confirmed


def _apart(one: Fraction, other: Fraction, percent: int) -> bool:
    # In whole numbers: a fraction is brought to its lowest terms at every step.
    ours, theirs = one.numerator * other.denominator, other.numerator * one.denominator
    return abs(ours - theirs) * 100 > percent * min(ours, theirs)


def _text(fact: Fact) -> str:
    assert isinstance(fact.record, ObservationRecord)
    name, value, unit = in_words(fact.record)
    return f"{value} {unit} {'' if name == CODES[0] else name}".strip()


@cache
def _numbers() -> dict[int, tuple[Fraction, ...]]:
    """Numbers of the codes of weight, each with the factors of its units."""
    return {
        found.number: tuple(Fraction(unit.factor) for unit in found.units)
        for found in observations().observation
        if found.name in CODES
    }
