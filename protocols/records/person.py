"""A person's particulars: from the words of a JSON line to checked attribute values."""

from __future__ import annotations

import re
from typing import Annotated, Any

import msgspec
from msgspec import UNSET, UnsetType

from protocols.errors import InputError
from protocols.records import attributes as names
from protocols.records.attributes import BY_NAME, Age, AgeUnit
from protocols.records.moment import IMPLAUSIBLE_BEFORE_MS
from protocols.records.planning import Desk, tidy
from protocols.records.spelling import SPACE, DateText, one_of, shaped

TEXT_CHARS = {"address": 200, "marks": 300, "phone": 32, "nationality": 32, "language": 32}
"""Longest text of an attribute, in characters; 120 where not listed."""

TAGS_MAX = 16
TAG_CHARS_MAX = 64

_PATTERNS = {
    "nationality": (re.compile("[A-Z]{3}"), ("ISO 3166 code of three letters",)),
    "language": (re.compile("[a-z]{2,3}"), ("ISO 639 code of two or three letters",)),
    "phone": (re.compile(r"\+?[0-9 ()/.-]{3,32}"), ("+257 61 23 45 67",)),
}
_AGE_MAX = {"y": 130, "mo": 48, "w": 60, "d": 120}
"""Largest value of an age in each unit; above it the next larger unit is meant."""


_AGE = f"^{SPACE}[0-9]{{1,3}}{SPACE}$"
_UNITS = {word: unit for unit, word in names.AGE_WORDS.items()}
_BANDS = tuple(str(int(band)) for band in names.Band)

DisplacementText = Annotated[str, names.word_of(names.Displacement)]
BandText = Annotated[str | int, one_of((*_BANDS, *names.Band))]
"""What `band_code` takes."""


class AgeData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """An age with its unit."""

    value: Annotated[str | int, shaped(_AGE, minimum=0, maximum=max(_AGE_MAX.values()))]
    unit: Annotated[str, one_of(_UNITS)]
    estimated: bool = False


class NationalIdData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """A number somebody's state or agency gave."""

    value: str
    system: str = ""


class KinData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Whom to call."""

    name: str | None = None
    relation: Annotated[str, names.word_of(names.Relation)] | None = None
    phone: Annotated[str, shaped(_typed("phone"))] | None = None


class ConsentData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the patient, or who speaks for them, agreed to."""

    treat: Annotated[str, names.word_of(names.Consent)] | None = None
    share: Annotated[str, names.word_of(names.Consent)] | None = None


class PersonData(msgspec.Struct, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """`data` of patient.register and patient.identify; null clears, in patient.identify only."""

    family_name: str | None | UnsetType = UNSET
    given_name: str | None | UnsetType = UNSET
    other_names: str | None | UnsetType = UNSET
    mother_name: str | None | UnsetType = UNSET
    sex: Annotated[str, names.word_of(names.Sex)] | None | UnsetType = UNSET
    birth_date: DateText | None | UnsetType = UNSET
    age: AgeData | None | UnsetType = UNSET
    band: BandText | None | UnsetType = UNSET
    tags: list[str] | None | UnsetType = UNSET
    phone: Annotated[str, shaped(_typed("phone"))] | None | UnsetType = UNSET
    village: str | None | UnsetType = UNSET
    district: str | None | UnsetType = UNSET
    address: str | None | UnsetType = UNSET
    nationality: Annotated[str, shaped(_typed("nationality"))] | None | UnsetType = UNSET
    language: Annotated[str, shaped(_typed("language"))] | None | UnsetType = UNSET
    national_id: NationalIdData | None | UnsetType = UNSET
    occupation: str | None | UnsetType = UNSET
    next_of_kin: KinData | None | UnsetType = UNSET
    consent: ConsentData | None | UnsetType = UNSET
    guardian: str | None | UnsetType = UNSET
    marks: str | None | UnsetType = UNSET
    household: str | None | UnsetType = UNSET
    displacement: DisplacementText | None | UnsetType = UNSET


def statements(desk: Desk, fields: dict[str, Any]) -> dict[int, Any]:
    """Return attribute number to checked value, for the fields of a person that a line carried.

    Raises:
        InputError: naming the field and what it may hold.
    """
    found: dict[int, Any] = {}
    for name, value in fields.items():
        if name == "next_of_kin":
            found |= _parts(desk, "kin", name, value)
        elif name == "consent":
            found |= _parts(desk, "consent", name, value)
        else:
            attribute = BY_NAME[name]
            found[attribute.number] = None if value is None else _checked(desk, name, value)
    return found


def _parts(desk: Desk, prefix: str, field: str, value: Any) -> dict[int, Any]:
    """Spread a nested object over its attributes; null clears them all."""
    parts = ("name", "relation", "phone") if prefix == "kin" else ("treat", "share")
    if value is None:
        return {BY_NAME[f"{prefix}_{part}"].number: None for part in parts}
    return {
        BY_NAME[f"{prefix}_{part}"].number: _checked(desk, f"{prefix}_{part}", said, field, part)
        for part in parts
        if (said := getattr(value, part)) is not None
    }


def _checked(desk: Desk, name: str, value: Any, field: str = "", part: str = "") -> Any:
    where = f"data.{field}.{part}" if field else f"data.{name}"
    attribute = BY_NAME[name]
    if name == "band":
        return band_code(value, where)
    if name == "age":
        return age_value(desk, value)
    if name == "birth_date":
        return _birth_date(desk, value, where)
    if name == "tags":
        return tag_list(value, where)
    if name == "national_id":
        number = tidy(value.value, f"{where}.value", 64)
        return (value.system and tidy(value.system, f"{where}.system", 64), number)
    if attribute.words is not None:
        return names.code(attribute.words, value, where)
    text = tidy(value, where, TEXT_CHARS.get((part and f"{part}") or name, 120))
    pattern = _PATTERNS.get(part or name)
    if pattern and not pattern[0].fullmatch(text):
        raise InputError("bad_value", field=where, allowed=pattern[1])
    return text


def _typed(name: str) -> str:
    """Return how a text of `_PATTERNS` is spelled in a line, where space around it is cut off."""
    # The sign for kelvin is a K once the text is in NFC.
    pattern = _PATTERNS[name][0].pattern.replace("A-Z", "A-Z\u212a")
    return f"^{SPACE}(?:{pattern}){SPACE}$"


def band_code(value: str | int, where: str) -> int:
    """Return an age band from its MDS digit, as number or text."""
    if str(value) not in _BANDS:
        raise InputError("bad_value", field=where, allowed=_BANDS)
    return int(value)


def tag_list(tags: list[str], where: str) -> tuple[str, ...]:
    """Return tags tidied, each once."""
    if len(tags) > TAGS_MAX:
        raise InputError("too_many", field=where, limit=TAGS_MAX)
    found = tuple(dict.fromkeys(tidy(tag, where, TAG_CHARS_MAX) for tag in tags))
    if not found:
        raise InputError("empty", field=where)
    return found


def age_value(desk: Desk, data: AgeData) -> Age:
    """An age always carries a unit (SAFETY 1)."""
    if data.unit not in _UNITS:
        raise InputError("bad_value", field="data.age.unit", allowed=tuple(_UNITS))
    text = str(data.value).strip()
    if not (text.isascii() and text.isdecimal() and len(text) <= 3):
        raise InputError("bad_number", field="data.age.value", allowed=("whole number",))
    if int(text) > _AGE_MAX[data.unit]:
        raise InputError(
            "out_of_range", field="data.age.value", allowed=(f"0-{_AGE_MAX[data.unit]}",)
        )
    unit = AgeUnit(_UNITS[data.unit])
    return Age(int(text), _day_stated(desk), int(unit), int(data.estimated))


def _day_stated(desk: Desk) -> int:
    """Return the day on which something is stated; 0 where only a clock that cannot be right says.

    Before 1970 there is no day: an age of then has none either.
    """
    if desk.command.at is None and desk.view.now_ms < IMPLAUSIBLE_BEFORE_MS:
        return 0
    return max(desk.at_ms() // 86_400_000, 0)


def _birth_date(desk: Desk, text: str, where: str) -> int:
    """A date ahead of a clock that can be right is asked about, or refused (SAFETY 14)."""
    stored = names.date_code(text.strip(), where)
    if desk.view.now_ms < IMPLAUSIBLE_BEFORE_MS:
        return stored
    days_ahead = names.first_day(stored) - desk.view.now_ms // 86_400_000
    if days_ahead > 1:
        raise InputError("future_date", field=where)
    # A day ahead is still today somewhere on earth, so a person may say that it is right.
    if days_ahead > 0:
        desk.confirmed("future_time", where)
    return stored
