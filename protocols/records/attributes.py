"""What can be said about a patient or an encounter and changed later: numbers, words, types.

The number is on the wire and never changes meaning. Several people may state the same attribute
apart; all statements that nothing supersedes are current, and different ones are unsettled.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from enum import IntEnum
from typing import Any, NamedTuple

import msgspec
from msgspec import Meta
from msgspec.structs import force_setattr

from protocols.errors import InputError
from protocols.guidelines.vocabulary import name_of
from protocols.ids import SiteId
from protocols.records.display import clean_text
from protocols.records.shape import Small, Statement
from protocols.records.spelling import any_case

ENCOUNTER_FIRST = 64
"""Attributes from here on belong to one encounter, the lower ones to the patient."""

SITE_FIRST = 96
"""Attributes from here on belong to a site."""

WHOLE_FIRST = 128
"""128 + kind number stands for a fact of that kind as a whole, where it is replaced as a whole."""


INT_MAX = 2**31 - 1
"""Largest number an attribute holds."""


class Sex(IntEnum):
    """Digits of the WHO EMT minimum data set."""

    MALE = 1
    FEMALE = 2
    FEMALE_PREGNANT = 3
    UNKNOWN = 9


class Band(IntEnum):
    """Age bands of the WHO EMT minimum data set, half-open in years."""

    UNDER_1 = 1
    FROM_1 = 2
    FROM_5 = 3
    FROM_18 = 4
    FROM_65 = 5
    UNKNOWN = 9


class Category(IntEnum):
    """Triage categories that every algorithm maps to."""

    DEAD = 0
    RED = 1
    YELLOW = 2
    GREEN = 3
    EXPECTANT = 4


class Relation(IntEnum):
    """How somebody is related to the patient."""

    OTHER = 0
    MOTHER = 1
    FATHER = 2
    SPOUSE = 3
    SIBLING = 4
    CHILD = 5
    GRANDPARENT = 6
    AUNT_UNCLE = 7
    GUARDIAN = 8
    FRIEND = 9
    NEIGHBOUR = 10


class Consent(IntEnum):
    """What the patient, or who speaks for them, agreed to."""

    NO = 0
    YES = 1
    IMPLIED = 2
    """Could not be asked: emergency."""
    UNKNOWN = 9


class Displacement(IntEnum):
    """Where the patient stands towards the place of care."""

    RESIDENT = 1
    DISPLACED = 2
    REFUGEE = 3
    RETURNEE = 4
    MIGRANT = 5
    UNKNOWN = 9


class EncounterClass(IntEnum):
    """HL7 v3 ActCode classes in use: EMER, AMB, IMP, OBSENC, HH, FLD."""

    EMERGENCY = 1
    AMBULATORY = 2
    INPATIENT = 3
    OBSERVATION = 4
    HOME = 5
    FIELD = 6


class EventRelation(IntEnum):
    """How what is wrong is related to the event: items 44 to 46 of the WHO EMT minimum data set."""

    UNKNOWN = 0
    DIRECT = 1
    INDIRECT = 2
    UNRELATED = 3


class Isolation(IntEnum):
    """How somebody is kept apart."""

    NONE = 0
    CONTACT = 1
    DROPLET = 2
    AIRBORNE = 3
    ENTERIC = 4
    PROTECTIVE = 5
    """To be kept from what others carry."""
    STRICT = 6
    """All of these, as for haemorrhagic fever."""


class SiteType(IntEnum):
    """What stands at a site."""

    OTHER = 0
    HOSPITAL = 1
    CLINIC = 2
    MOBILE_TEAM = 3
    STORE = 4
    VACCINATION_POST = 5
    COLLECTION_POINT = 6
    HEADQUARTERS = 7
    PHARMACY = 8
    WARD = 9
    AMBULANCE = 10


class AgeUnit(IntEnum):
    """Unit of a stated age."""

    YEARS = 0
    MONTHS = 1
    WEEKS = 2
    DAYS = 3


class Age(msgspec.Struct, array_like=True, frozen=True):
    """An age as somebody stated it."""

    value: Small
    day: Small = 0
    """The day it was stated, counted from 1970-01-01; 0: no clock that could be right said it."""
    unit: Small = AgeUnit.YEARS
    """An `AgeUnit`."""
    estimated: Small = 0
    """1: it was."""


class Restated(Statement, frozen=True):
    """Some attributes, stated anew; the shape of every kind that only does that."""

    values: dict[int, Any] = msgspec.field(default_factory=dict)
    """Attribute number to value; None = stated to be empty."""

    def __post_init__(self) -> None:
        """Give each value its attribute's type; raises ValueError when it has another."""
        checked = {number: typed(number, value) for number, value in self.values.items()}
        force_setattr(self, "values", checked)

    def asserts(self) -> Sequence[tuple[int, Any]]:
        """Return the attributes stated."""
        return tuple(self.values.items())


BAND_YEARS: dict[int, str] = {1: "<1 y", 2: "1-4 y", 3: "5-17 y", 4: "18-64 y", 5: "65+ y"}
AGE_WORDS: dict[int, str] = {
    AgeUnit.YEARS: "y",
    AgeUnit.MONTHS: "mo",
    AgeUnit.WEEKS: "w",
    AgeUnit.DAYS: "d",
}
_DAYS: dict[int, float] = {
    AgeUnit.YEARS: 365.25,
    AgeUnit.MONTHS: 30.4375,
    AgeUnit.WEEKS: 7.0,
    AgeUnit.DAYS: 1.0,
}

_DATE_ZERO = date(1880, 1, 1)
_DATE_ZERO_DAY = (_DATE_ZERO - date(1970, 1, 1)).days
_DATE_LIMIT = 2_000_000
"""Full birth dates are days from here: two bytes until 2059."""


class Attribute(NamedTuple):
    """One attribute: its number on the wire and its name in JSON, rows and catalogues."""

    number: int
    name: str
    type: Any
    """What a value must read as: str, int, Age or a tuple of text."""
    words: type[IntEnum] | None = None
    """The words of a coded value."""
    several: bool = False
    """A set of identifiers: different values stand side by side and are no conflict."""


TEXTS = tuple[str, ...]

ATTRIBUTES: tuple[Attribute, ...] = (
    Attribute(0, "family_name", str),
    Attribute(1, "given_name", str),
    Attribute(2, "sex", int, Sex),
    Attribute(3, "birth_date", int),
    Attribute(4, "age", Age),
    Attribute(5, "band", int, Band),
    Attribute(6, "tags", TEXTS, several=True),
    Attribute(7, "phone", str),
    Attribute(8, "village", str),
    Attribute(9, "district", str),
    Attribute(10, "address", str),
    Attribute(11, "nationality", str),
    Attribute(12, "language", str),
    Attribute(13, "national_id", TEXTS),
    Attribute(14, "occupation", str),
    Attribute(15, "kin_name", str),
    Attribute(16, "kin_relation", int, Relation),
    Attribute(17, "kin_phone", str),
    Attribute(18, "consent_treat", int, Consent),
    Attribute(19, "consent_share", int, Consent),
    Attribute(20, "guardian", str),
    Attribute(21, "marks", str),
    Attribute(22, "other_names", str),
    Attribute(23, "mother_name", str),
    Attribute(24, "household", str),
    Attribute(25, "displacement", int, Displacement),
    Attribute(64, "triage", int, Category),
    Attribute(65, "bed", str),
    Attribute(66, "site", bytes),
    Attribute(67, "class", int, EncounterClass),
    Attribute(68, "problem", str),
    Attribute(69, "syndrome", int),
    Attribute(70, "event_relation", int, EventRelation),
    Attribute(71, "ward", str),
    Attribute(72, "isolation", int, Isolation),
    Attribute(96, "name", str),
    Attribute(97, "type", int, SiteType),
    Attribute(98, "jurisdiction", str),
    Attribute(99, "place", str),
    Attribute(100, "beds", int),
    Attribute(101, "position", tuple[int, int]),
    Attribute(102, "part_of", bytes),
)
BY_NUMBER = {attribute.number: attribute for attribute in ATTRIBUTES}
BY_NAME = {attribute.name: attribute for attribute in ATTRIBUTES}
SEVERAL = frozenset(attribute.number for attribute in ATTRIBUTES if attribute.several)

FAMILY_NAME, GIVEN_NAME, SEX, BIRTH_DATE, AGE, BAND, TAGS = range(7)
TRIAGE, BED, SITE, CLASS, PROBLEM = range(64, 69)
SYNDROME, EVENT_RELATION, WARD, ISOLATION = range(69, 73)
SITE_NAME, SITE_TYPE, JURISDICTION, PLACE, BEDS, POSITION, PART_OF = range(96, 103)


def typed(number: int, value: Any) -> Any:
    """Return the value as its attribute holds it; unknown attributes pass as they are.

    Raises:
        ValueError: when it does not read as that type.
    """
    if not 0 <= number < WHOLE_FIRST:
        raise ValueError("attribute")
    known = BY_NUMBER.get(number)
    if known is None or value is None:
        return _hashable(value)
    kept = (
        value
        if type(value) is known.type
        else msgspec.convert(value, known.type, builtin_types=(bytes,))
    )
    for part in kept if isinstance(kept, tuple) else (kept,):
        if isinstance(part, int) and abs(part) > INT_MAX:
            raise ValueError("size")
    return kept


def words_of(number: int, value: Any) -> str:
    """Return the value as one line of text: codes as words, ages with their unit."""
    known = BY_NUMBER.get(number)
    if value is None:
        return ""
    if known is None:
        return "?"
    if number == BAND:
        return BAND_YEARS.get(value, "?")
    if number == SYNDROME:
        return name_of("condition", value)
    if known.words is not None:
        return word(known.words, value)
    match value:
        case Age():
            return age_text(value)
        case bytes():
            return str(SiteId(value)) if len(value) == SiteId.SIZE else "?"
        case tuple():
            return clean_text(" ".join(str(part) for part in value))
        case int():
            return date_text(value) if number == BIRTH_DATE else str(value)
    return clean_text(str(value))


def word(words: type[IntEnum], value: int) -> str:
    """Return the word of a code, or the digit when this software does not know it."""
    try:
        return words(value).name.lower().replace("_", "-")
    except ValueError:
        return str(value)


def words(of: type[IntEnum]) -> tuple[str, ...]:
    """Return all words of a code, in the order of their digits."""
    return tuple(member.name.lower().replace("_", "-") for member in of)


def word_of(of: type[IntEnum]) -> Meta:
    """Return that a field of a line holds a word of a code, as `code` takes it."""
    return any_case(words(of))


def code(of: type[IntEnum], text: str, field: str) -> int:
    """Return the digit of a word.

    Raises:
        InputError: `bad_value`, naming the words that would do.
    """
    for member in of:
        if member.name.lower().replace("_", "-") == text.lower():
            return int(member)
    raise InputError("bad_value", field=field, allowed=words(of))


def date_code(text: str, field: str) -> int:
    """Return `YYYY`, `YYYY-MM` or `YYYY-MM-DD` as the number that is stored.

    Raises:
        InputError: `bad_date` when it is none of these, or before 1880.
    """
    allowed = ("YYYY", "YYYY-MM", "YYYY-MM-DD")
    try:
        spelled = text.split("-")
        if [len(part) for part in spelled] not in ([4], [4, 2], [4, 2, 2]):
            raise ValueError
        if not all(part.isascii() and part.isdecimal() for part in spelled):
            raise ValueError
        parts = [int(part) for part in spelled]
        whole = date(parts[0], *[*parts, 1, 1][1:3])
    except (ValueError, IndexError, TypeError):
        raise InputError("bad_date", field=field, allowed=allowed) from None
    if whole < _DATE_ZERO:
        raise InputError("bad_date", field=field, allowed=allowed)
    if len(parts) == 3:
        return (whole - _DATE_ZERO).days
    return -(whole.year * 13 + (whole.month if len(parts) == 2 else 0))


def date_text(stored: int) -> str:
    """Return the date with the precision it was stated in; '' when it is no date."""
    if stored >= 0:
        return (_DATE_ZERO + timedelta(days=stored)).isoformat() if stored < _DATE_LIMIT else ""
    year, month = divmod(-stored, 13)
    if not 1 <= year <= 9999:
        return ""
    return f"{year:04d}-{month:02d}" if month else f"{year:04d}"


def birth_day(stored: int) -> int | None:
    """Return a stored birth date as a day counted from 1970, the middle of what it leaves open."""
    if stored >= 0:
        return stored + _DATE_ZERO_DAY if stored < _DATE_LIMIT else None
    text = date_text(stored)
    try:
        parts = [int(part) for part in text.split("-")] if text else []
        middle = {1: (7, 1), 2: (15,)}[len(parts)]
        return (date(*parts, *middle) - date(1970, 1, 1)).days
    except (ValueError, KeyError):
        return None


def first_day(stored: int) -> int:
    """Return the first day, counted from 1970, that a stored birth date can mean."""
    text = date_text(stored)
    return (date.fromisoformat((text + "-01-01")[:10]) - date(1970, 1, 1)).days


def age_text(age: Age) -> str:
    """Return an age with its unit, `~` in front when estimated: `34 y`, `~22 mo`."""
    unit = AGE_WORDS.get(age.unit, "?")
    return f"{'~' if age.estimated else ''}{age.value} {unit}"


def age_days(age: Age) -> float:
    """Return a stated age in days."""
    return age.value * _DAYS.get(age.unit, 365.25)


def days_since(stated: int | None, day: float) -> float:
    """Return the days that passed since an age was stated, 0 or more.

    Nobody has grown 56 years older because it was written down by a clock that stood in 1970: of
    an age that was stated on no known day, none are counted (SAFETY 14).

    Args:
        stated: The day of that, as `Age.day` holds it; None or 0: nobody knows.
        day: Counted from 1970-01-01.
    """
    return max(day - stated, 0) if stated else 0


def band_of(days: float) -> Band:
    """Return the age band of an age in days (WHO EMT minimum data set)."""
    years = days / 365.25
    for limit, band in ((1, Band.UNDER_1), (5, Band.FROM_1), (18, Band.FROM_5), (65, Band.FROM_18)):
        if years < limit:
            return band
    return Band.FROM_65


def _hashable(value: Any) -> Any:
    """Keep a value of an attribute we do not know, in a form that can be compared."""
    if isinstance(value, list | tuple):
        return tuple(_hashable(part) for part in value)
    return value if isinstance(value, str | int | bytes | float | None) else repr(value)
