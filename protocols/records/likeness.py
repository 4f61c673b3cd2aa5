"""How much two records look like one person: points and why, never a verdict.

Nothing here blocks or joins anything. Whoever registers somebody is shown who looks alike, and
links two records with `patient.link`, or says that they are not one person with `patient.unlink`;
both are statements that can be taken back. What the protection scope knows is never asked
(SAFETY 18).
"""

from __future__ import annotations

from typing import NamedTuple

from protocols.guidelines.vocabulary import fold
from protocols.records.attributes import (
    Age,
    Band,
    Sex,
    age_days,
    birth_day,
    date_code,
    days_since,
)
from protocols.records.patient import PatientRow

LISTED_FROM = 40
"""Points from which two records are shown beside each other."""
POINTS_MAX = 100

DAY_MS = 86_400_000
NEAR_DAYS = 3
"""Arrivals this close are a reason of their own: one casualty written down at two doors."""

_NAME, _ONE_NAME, _TAG, _NUMBER = 45, 25, 45, 30
_BIRTH, _AGE, _SEX, _PLACE, _TIME = 25, 15, 10, 5, 5
_OTHER_SEX, _OTHER_AGE = -30, -30
"""Points of each reason; what speaks against it takes points away, for both can be wrong."""

REASONS = ("name", "one-name", "tag", "number", "born", "age", "sex", "site", "time")
"""Why two records look alike, in the order they are told."""


class Person(NamedTuple):
    """What a person is recognised by."""

    names: tuple[str, ...] = ()
    """Words of all names, folded."""
    numbers: frozenset[str] = frozenset()
    """Phones, national numbers and other marks, folded, with digits in them."""
    tag: str = ""
    """In small letters, as tags are compared."""
    sex: int = Sex.UNKNOWN
    born_day: int | None = None
    """Day of birth counted from 1970, the middle of what is known."""
    age_days: float | None = None
    loose: bool = True
    """Whether the age is an estimate, a band, or known by the year alone."""
    site: bytes | None = None
    at_ms: int = 0


class Likeness(NamedTuple):
    """How much two records look alike."""

    points: int
    """0 to `POINTS_MAX`."""
    reasons: tuple[str, ...]
    """Words of `REASONS` that hold."""


def person_of(row: PatientRow) -> Person:
    """Return what a patient's row can be recognised by."""
    born = None if not row.birth_date else birth_day(date_code(row.birth_date, "birth_date"))
    days: float | None = None
    loose = True
    if born is not None:
        days, loose = row.at_ms / DAY_MS - born, len(row.birth_date or "") < 7
    elif row.age_value is not None and row.age_unit is not None:
        age = Age(row.age_value, 0, row.age_unit)
        since = days_since(row.age_day, row.at_ms / DAY_MS)
        days, loose = age_days(age) + since, bool(row.age_estimated)
    elif row.band in _MIDDLE_YEARS:
        days = _MIDDLE_YEARS[row.band] * 365.25
    also = fold(row.also).split()
    return Person(
        names=tuple(fold(f"{row.family} {row.given}").split()),
        numbers=frozenset(word for word in also if any(char.isdigit() for char in word)),
        tag=row.tag.strip().lower(),
        sex=row.sex,
        born_day=born if len(row.birth_date or "") == 10 else None,
        age_days=days,
        loose=loose,
        site=row.site,
        at_ms=row.arrived_ms or row.at_ms,
    )


_MIDDLE_YEARS = {
    int(Band.UNDER_1): 0.5,
    int(Band.FROM_1): 3.0,
    int(Band.FROM_5): 11.0,
    int(Band.FROM_18): 40.0,
    int(Band.FROM_65): 75.0,
}


def likeness(one: Person, other: Person) -> Likeness:
    """Return how much two look like one person; the same whichever is named first."""
    points, reasons = 0, []
    for reason, gained in (
        *_by_name(one.names, other.names),
        ("tag", _TAG if one.tag and one.tag == other.tag else 0),
        ("number", _NUMBER if one.numbers & other.numbers else 0),
        *_by_age(one, other),
        ("sex", _by_sex(one.sex, other.sex)),
        ("site", _PLACE if one.site is not None and one.site == other.site else 0),
        ("time", _TIME if abs(one.at_ms - other.at_ms) <= NEAR_DAYS * DAY_MS else 0),
    ):
        points += gained
        if gained > 0:
            reasons.append(reason)
    strong = any(reason in reasons for reason in ("name", "one-name", "tag", "number"))
    found = min(max(points, 0), POINTS_MAX) if strong else 0
    return Likeness(found, tuple(reasons) if found else ())


def _by_name(ones: tuple[str, ...], others: tuple[str, ...]) -> list[tuple[str, int]]:
    """Compare names as sets of words: which is the family's is told differently everywhere."""
    few, many = sorted((set(ones), set(others)), key=lambda words: (len(words), sorted(words)))
    alike = sum(any(_same_word(word, each) for each in many) for word in few)
    if not alike:
        return []
    if alike >= 2 or (alike == len(few) == len(many)):
        return [("name", _NAME)]
    return [("one-name", _ONE_NAME)]


def _same_word(one: str, other: str) -> bool:
    """Whether two words may be one name: equal, or one letter apart when they are long enough."""
    if one == other:
        return True
    short, long = sorted((one, other), key=len)
    if len(short) < 4 or len(long) - len(short) > 1:
        return False
    at = next((i for i, (a, b) in enumerate(zip(short, long, strict=False)) if a != b), len(short))
    if len(short) < len(long):
        return short[at:] == long[at + 1 :]
    swapped = short[at : at + 2] == long[at : at + 2][::-1] and short[at + 2 :] == long[at + 2 :]
    return swapped or short[at + 1 :] == long[at + 1 :]


def _by_age(one: Person, other: Person) -> list[tuple[str, int]]:
    if one.born_day is not None and one.born_day == other.born_day:
        return [("born", _BIRTH)]
    if one.age_days is None or other.age_days is None:
        return []
    apart = abs(one.age_days - other.age_days)
    older = max(one.age_days, other.age_days, 1.0)
    near = max(0.25 if one.loose or other.loose else 0.05, 365.25 / older)
    if apart / older <= near:
        return [("age", _AGE)]
    return [("age", _OTHER_AGE)] if apart / older > 2 * near else []


def _by_sex(one: int, other: int) -> int:
    if Sex.UNKNOWN in (one, other):
        return 0
    women = (Sex.FEMALE, Sex.FEMALE_PREGNANT)
    alike = one == other or (one in women and other in women)
    return _SEX if alike else _OTHER_SEX
