"""What a campaign gives or does beside its vaccines, and when somebody is due for it.

Vitamin A, deworming and measuring arms are counted on their own: none is a dose of vaccine, and no
schedule knows of them. Who is how old when, how much is given and how long after the last one
stands in the pack alone.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from itertools import pairwise
from typing import Literal, NamedTuple

import msgspec

from protocols.errors import InputError, SetupError
from protocols.guidelines.ages import row_days
from protocols.guidelines.calendar import length
from protocols.guidelines.decimals import read_decimal
from protocols.guidelines.observations import observations
from protocols.guidelines.pack import PackHead, Status, read_pack, shipped
from protocols.guidelines.verdicts import Born
from protocols.guidelines.words import lacking

CODE_CHARS_MAX = 20
ROWS_MAX = 9
"""Interventions in one pack: a screen has that many digits."""
SHORT_CHARS_MAX = 10
"""Of the word in a line of sums."""

Unit = Literal["mg", "g", "ug", "mL", "[iU]", "{tablet}", "{capsule}", "{drop}"]
"""UCUM."""
Route = Literal["oral", "sublingual", "im", "sc"]

State = Literal["due", "too-soon", "too-young", "too-old", "unsure"]
"""`unsure`: how old somebody is is not known well enough to say how much, or whether at all."""


class Age(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename={"since": "from"}):
    """What is given at some ages, or that something is measured then."""

    since: str
    """Youngest age."""
    below: str | None = None
    """First age that is too old."""
    substance: str = ""
    """As orders name it; '' where something is measured."""
    value: str = ""
    """How much, as text so that it stays exact."""
    unit: Unit | None = None
    route: Route | None = None
    item: str = ""
    """What stores keep of it; '' where none is listed."""
    source: str = ""
    status: Status | None = None


class Intervention(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One of them."""

    code: str
    """On the wire; never comes to mean something else."""
    words: dict[str, str]
    short: dict[str, str]
    """For a line of sums."""
    age: tuple[Age, ...]
    """By age; rows of one age are different medicines for it, the usual one first."""
    interval: str | None = None
    """Least time since the last one; None: it may be done again at any time."""
    measure: str = ""
    """Name of the observation; '' where something is given."""
    vaccines: tuple[str, ...] = ()
    """It is given together with one of these, and asked for only then; none: by itself."""
    source: str = ""
    status: Status | None = None

    @property
    def interval_days(self) -> int:
        """The interval in whole days, a month taken as 30.4375 of them; 0 for none."""
        return int(length(self.interval).about) if self.interval else 0


class Interventions(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """All of them."""

    pack: PackHead
    intervention: tuple[Intervention, ...]
    languages: dict[str, str] = {}

    def of_code(self, code: str) -> Intervention | None:
        """Return one by its code, or None when this pack does not know it."""
        return next((row for row in self.intervention if row.code == code), None)


class Due(NamedTuple):
    """What the pack says of one intervention for somebody on a day."""

    state: State
    ages: tuple[Age, ...]
    """What may be given: all medicines of the age, or where that is unsure of all it may be."""
    last: int | None = None
    """The last day on which it was had, since 1970-01-01."""
    day: int | None = None
    """From when the interval allows it again; None where none is too short."""


def due(row: Intervention, born: Born, on_day: int, had: Iterable[int] = ()) -> Due:
    """Return whether somebody is due for an intervention on a day.

    Args:
        row: Of the pack.
        born: As far as it is known.
        on_day: There, since 1970-01-01, as all days here.
        had: Days on which they had it, the latest possible one where a day is not known.
    """
    last = max((day for day in had), default=None)
    after = length(row.interval).after(last) if row.interval and last is not None else None
    ages, age_state = _of_age(row, born, on_day)
    if age_state in ("too-young", "too-old"):
        return Due(age_state, (), last)
    if after is not None and on_day < after:
        return Due("too-soon", ages, last, after)
    return Due(age_state, ages, last)


def _of_age(row: Intervention, born: Born, on_day: int) -> tuple[tuple[Age, ...], State]:
    """Return the rows that somebody's age may be in, and what that comes to."""
    possible = [each for each in row.age if _holds(each, born, on_day) is not False]
    certain = [each for each in possible if _holds(each, born, on_day)]
    if certain and len(certain) == len(possible):
        return tuple(certain), "due"
    if possible:
        return tuple(possible), "unsure"
    youngest = min((length(each.since) for each in row.age), key=lambda one: one.about)
    young = born.first > youngest.latest_before(on_day)
    return (), "too-young" if young else "too-old"


def _holds(row: Age, born: Born, on_day: int) -> bool | None:
    """Whether a row holds for somebody on a day; None where that depends on when they were born."""
    latest = length(row.since).latest_before(on_day)
    over = None if row.below is None else length(row.below).latest_before(on_day)
    if born.first > latest or (over is not None and born.last <= over):
        return False
    if born.last <= latest and (over is None or born.first > over):
        return True
    return None


# reading the pack

_CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*", re.ASCII)


def check(pack: Interventions) -> list[str]:
    """Return what is wrong with a pack, one sentence each; empty when nothing is."""
    codes = [row.code for row in pack.intervention]
    wrong = [
        f"intervention: row {at + 1}: {code} stands there twice"
        for at, code in enumerate(codes)
        if code in codes[:at]
    ]
    if len(codes) > ROWS_MAX:
        wrong.append(f"intervention: row {ROWS_MAX + 1}: at most {ROWS_MAX} interventions")
    for row in pack.intervention:
        wrong += [f"intervention: {row.code}: {what}" for what in _faults(row)]
    return wrong


def _faults(row: Intervention) -> Iterable[str]:
    if len(row.code) > CODE_CHARS_MAX or not _CODE.fullmatch(row.code):
        yield f"code is small letters, digits and -, at most {CODE_CHARS_MAX}"
    yield from (f"words are lacking in {each}" for each in lacking(row.words))
    yield from (f"short is lacking in {each}" for each in lacking(row.short))
    if any(len(each) > SHORT_CHARS_MAX for each in row.short.values()):
        yield f"short has at most {SHORT_CHARS_MAX} characters"
    if row.interval is not None:
        try:
            length(row.interval)
        except SetupError:
            yield "interval is no length of time, such as 6 mo"
    if row.measure and row.measure not in {each.name for each in observations().observation}:
        yield "measure is no observation that is known"
    if not row.age:
        yield "age is missing: at least one row"
    for at, each in enumerate(row.age, 1):
        yield from (f"age: row {at}: {what}" for what in _age_faults(each, row.measure))
    yield from _overlaps(row.age)


def _age_faults(row: Age, measure: str) -> Iterable[str]:
    try:
        first, end = row_days(row.since, row.below)
        if first >= end:
            yield "below is not after from"
    except SetupError as error:
        yield str(error.values["place"])
    told = (row.substance, row.value, row.unit, row.route)
    if measure:
        if any((*told, row.item)):
            yield "what is measured has no medicine"
        return
    if not all(told):
        yield "substance, value, unit and route have to be there"
        return
    try:
        value = read_decimal(row.value, "value")
    except InputError:
        yield "value is a number with a point"
        return
    if value.mantissa <= 0:
        yield "value is above 0"


def _overlaps(rows: Sequence[Age]) -> Iterable[str]:
    """Say which rows are of ages that overlap without being the same."""
    spans: dict[tuple[float, float], int] = {}
    for at, row in enumerate(rows, 1):
        try:
            spans.setdefault(row_days(row.since, row.below), at)
        except SetupError:
            return
    for before, after in pairwise(sorted(spans)):
        if after[0] < before[1]:
            yield f"age: row {spans[after]}: overlaps row {spans[before]}"


def read_interventions(text: str) -> Interventions:
    """Return a checked pack.

    Raises:
        SetupError: `bad_pack`, with what is wrong first.
    """
    pack = read_pack(text, Interventions)
    wrong = check(pack)
    if wrong:
        raise SetupError("bad_pack", place=wrong[0])
    return pack


@cache
def shipped_interventions() -> Interventions:
    """Return the pack that comes with the software."""
    return shipped("interventions", Interventions)
