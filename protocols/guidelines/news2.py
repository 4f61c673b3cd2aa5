"""NEWS2: what each value scores, what the set adds up to, and where there is no score at all."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from itertools import pairwise
from typing import Literal, NamedTuple

import msgspec

from protocols.errors import SetupError
from protocols.guidelines.ages import AgeSpan, Side, days
from protocols.guidelines.pack import PackHead, Status, read_pack, shipped
from protocols.guidelines.readings import NOT_MEASURED, Reading, Readings

# the pack


class Band(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename={"since": "from"}):
    """Values that score alike; both ends are inclusive and left out at the ends of the scale."""

    score: int
    since: str | None = None
    to: str | None = None


class Parameter(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One observation of the score."""

    code: str
    """Its name in the pack of observations."""
    step: str = "1"
    bands: tuple[Band, ...] = ()
    """Lowest values first."""
    choices: dict[str, int] = {}
    scale: int | None = None
    """Of SpO2: which of the two scales these bands are."""
    breathes: Literal["", "air", "oxygen"] = ""
    """The bands hold only for who breathes this."""
    alert_at_zero: bool = False
    source: str = ""
    status: Status | None = None

    def score(self, reading: Reading) -> int | None:
        """Return what a value or a coded answer scores; None when it is not one of these."""
        if reading.value is None:
            return self.choices.get(reading.choice)
        found = None
        for band in self.bands:
            if band.since is None or reading.value >= Fraction(band.since):
                found = band.score
        return found


class Limits(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """Where the score holds, and what an unrecordable value means."""

    age_from: str
    pregnancy: bool
    unrecordable_score: int
    unrecordable: tuple[str, ...]
    red_score: int


class Risk(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename={"since": "from"}):
    """What a total means."""

    id: str
    since: int
    words: dict[str, str]
    response: dict[str, str]
    any_red: bool = False
    """Holds only when one parameter alone is red."""


class News2Pack(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """All of it."""

    pack: PackHead
    limits: Limits
    parameter: tuple[Parameter, ...]
    risk: tuple[Risk, ...]
    """Highest first."""
    languages: dict[str, str] = {}

    @property
    def codes(self) -> tuple[str, ...]:
        """The observations of a full set, in order."""
        return tuple(dict.fromkeys(parameter.code for parameter in self.parameter))


# the score


class Withheld(NamedTuple):
    """There is no score, and why."""

    reason: Literal["under_age", "age_unknown", "age_spans_limit", "pregnant", "nothing_measured"]


class Part(NamedTuple):
    """What one observation adds."""

    code: str
    score: int
    status: Status
    unrecordable: bool = False


class News(NamedTuple):
    """A score, or the least it can be while something is missing."""

    score: int
    missing: tuple[str, ...]
    """Observations that are not in it; with any, the score is a lower bound."""
    parts: tuple[Part, ...]
    red: tuple[str, ...]
    """Observations that alone have the red score."""
    alerts: tuple[str, ...]
    """`unrecordable.CODE`, `zero.CODE`: somebody has to look at once, whatever the total."""
    risk: Risk
    version: str
    scale: int
    """Of SpO2."""
    status: Status
    """`memory` when any part rests on a row that nobody has checked."""

    @property
    def partial(self) -> bool:
        """Whether it has to be shown as at least so much."""
        return bool(self.missing)


def applies(pack: News2Pack, age: AgeSpan, *, pregnant: bool) -> Withheld | None:
    """Return why there is no score for somebody (SAFETY 2 and 7), or None when there is one."""
    if pregnant and not pack.limits.pregnancy:
        return Withheld("pregnant")
    match age.side(days(pack.limits.age_from)):
        case Side.FROM:
            return None
        case Side.BELOW:
            return Withheld("under_age")
        case Side.SPANS:
            return Withheld("age_spans_limit" if age.known else "age_unknown")


def news2(
    pack: News2Pack, readings: Readings, age: AgeSpan, *, pregnant: bool, scale: int = 1
) -> News | Withheld:
    """Return the score of a set of observations.

    Args:
        pack: As it is in use.
        readings: By name; what is not in it was not measured. Values of devices that nobody has
            accepted must not be in it (SAFETY 15).
        age: As far as it is known.
        pregnant: As recorded.
        scale: 2 only where a clinician has chosen it for this patient and signed that (SAFETY 7).
    """
    withheld = applies(pack, age, pregnant=pregnant)
    if withheld is not None:
        return withheld
    parts, missing = [], []
    for code in pack.codes:
        part = _part(pack, code, readings, scale)
        if part is None:
            missing.append(code)
        else:
            parts.append(part)
    if not parts:
        return Withheld("nothing_measured")
    total = sum(part.score for part in parts)
    red = tuple(part.code for part in parts if part.score >= pack.limits.red_score)
    return News(
        score=total,
        missing=tuple(missing),
        parts=tuple(parts),
        red=red,
        alerts=_alerts(pack, parts, readings),
        risk=next(risk for risk in pack.risk if total >= risk.since and (red or not risk.any_red)),
        version=pack.pack.version,
        scale=scale,
        status="memory" if any(part.status == "memory" for part in parts) else "verified",
    )


def _part(pack: News2Pack, code: str, readings: Readings, scale: int) -> Part | None:
    reading = readings.get(code, NOT_MEASURED)
    if reading.unrecordable:
        if code not in pack.limits.unrecordable:
            return None
        return Part(code, pack.limits.unrecordable_score, pack.pack.status, unrecordable=True)
    scored = [
        (score, parameter.status or pack.pack.status)
        for parameter in _rows(pack, code, readings, scale)
        if (score := parameter.score(reading)) is not None
    ]
    # Scale 2 without knowing whether oxygen runs: the lower one keeps "at least" true.
    return Part(code, *min(scored)) if scored else None


def _rows(pack: News2Pack, code: str, readings: Readings, scale: int) -> list[Parameter]:
    oxygen = readings.get("oxygen", NOT_MEASURED).value
    breathes = "" if oxygen is None else "oxygen" if oxygen > 0 else "air"
    return [
        parameter
        for parameter in pack.parameter
        if parameter.code == code
        and parameter.scale in (None, scale)
        and (not parameter.breathes or not breathes or parameter.breathes == breathes)
    ]


def _alerts(pack: News2Pack, parts: Sequence[Part], readings: Readings) -> tuple[str, ...]:
    zero = {parameter.code for parameter in pack.parameter if parameter.alert_at_zero}
    return (
        *(f"unrecordable.{part.code}" for part in parts if part.unrecordable),
        *(
            f"zero.{part.code}"
            for part in parts
            if part.code in zero and readings[part.code].value == 0
        ),
    )


# reading the pack


def check(pack: News2Pack) -> list[str]:
    """Return what is wrong with a pack, one sentence each; empty when nothing is."""
    wrong = []
    for parameter in pack.parameter:
        if bool(parameter.bands) == bool(parameter.choices):
            wrong.append(f"{parameter.code}: needs either bands or choices")
        wrong += [f"{parameter.code}: {what}" for what in _band_faults(parameter)]
    if not any(risk.since <= 0 and not risk.any_red for risk in pack.risk):
        wrong.append("no risk holds for a score of 0")
    if list(pack.risk) != sorted(pack.risk, key=lambda risk: -risk.since):
        wrong.append("risks are not ordered from the highest score down")
    scales = {parameter.scale for parameter in pack.parameter if parameter.code == "spo2"}
    if scales != {1, 2}:
        wrong.append("spo2: needs scale 1 and scale 2")
    return wrong


def _band_faults(parameter: Parameter) -> list[str]:
    bands, step = parameter.bands, Fraction(parameter.step)
    wrong = []
    if bands and (bands[0].since is not None or bands[-1].to is not None):
        wrong.append("the first band begins nowhere and the last ends nowhere")
    for before, after in pairwise(bands):
        if before.to is None or after.since is None:
            wrong.append("a band inside has two ends")
        elif Fraction(before.to) + step != Fraction(after.since):
            wrong.append(f"gap or overlap between {before.to} and {after.since}")
    return wrong


def read_news2(text: str) -> News2Pack:
    """Return a checked pack.

    Raises:
        SetupError: `bad_pack`, with what is wrong first.
    """
    pack = read_pack(text, News2Pack)
    try:
        wrong = check(pack)
        days(pack.limits.age_from)
    except ValueError as error:
        raise SetupError("bad_pack", place=str(error)) from None
    if wrong:
        raise SetupError("bad_pack", place=wrong[0])
    return pack


@cache
def shipped_news2() -> News2Pack:
    """Return the pack that comes with the software."""
    return shipped("news2", News2Pack)
