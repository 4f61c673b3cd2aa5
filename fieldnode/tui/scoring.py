"""Score and single limits beside vital signs as they are typed, by the packs that are in use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from functools import lru_cache
from typing import NamedTuple

import msgspec

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.ages import age_of
from fieldnode.tui.cores.display import Span
from fieldnode.tui.cores.fields import Answer
from fieldnode.tui.wording import unit
from protocols.guidelines.ages import AgeSpan
from protocols.guidelines.limits import Alert, LimitsPack, alerts, read_limits
from protocols.guidelines.news2 import News, News2Pack, Withheld, news2, read_news2
from protocols.guidelines.observations import observations
from protocols.guidelines.readings import Reading, Readings
from protocols.guidelines.words import word
from protocols.live.api import BoardLine
from protocols.live.guidance import PackInUse

NEWS2, LIMITS, MALNUTRITION = "news2", "limits", "malnutrition"
"""Packs that a form asks for by name."""
PRESSURE = "pressure"
"""The field that holds two observations."""


_CROSSED = {
    "low": "score.low",
    "high": "score.high",
    "other": "score.other",
    "unrecordable": "score.unrecordable",
}
_WHY = {
    "under_age": "score.why.under_age",
    "age_unknown": "score.why.age_unknown",
    "age_spans_limit": "score.why.age_spans_limit",
    "pregnant": "score.why.pregnant",
}
"""Why there is no score; where nothing is measured there is nothing to say."""


class Scoring(NamedTuple):
    """The packs that are worked by."""

    news2: News2Pack
    limits: LimitsPack


class Told(NamedTuple):
    """What stands beside and below the values."""

    beside: dict[str, Span]
    """By field."""
    below: tuple[Span, ...]
    """In one line."""


class Whom(NamedTuple):
    """What decides whether there is a score."""

    age: AgeSpan
    sex: int
    """Digit as on the board."""
    scale: int = 1
    """Of SpO2; 2 where somebody chose and signed that (SAFETY 7)."""

    @property
    def pregnant(self) -> bool:
        """Whether a pregnancy is known."""
        return self.sex == PREGNANT


PREGNANT = 3


def whom(head: BoardLine) -> Whom:
    """Return what a patient's line says of it."""
    return Whom(age_of(head), head.sex, 2 if head.scale2_by else 1)


def scoring(news: PackInUse, limits: PackInUse) -> Scoring:
    """Return the packs as guidelines take them.

    Raises:
        SetupError: `bad_pack`.
    """
    return Scoring(_news2(news.text, news.approved_by), _limits(limits.text, limits.approved_by))


def readings(answers: Mapping[str, Answer]) -> dict[str, Reading]:
    """Return typed answers as guidelines take them, a pressure as its two values."""
    found: dict[str, Reading] = {}
    for name, answer in answers.items():
        if name == PRESSURE:
            upper, _, lower = answer.text.partition("/")
            found |= _reading("systolic", upper, answer.absent)
            found |= _reading("diastolic", lower, "")
        else:
            found |= _reading(name, answer.text, answer.absent)
    return found


def tell(packs: Scoring, answers: Mapping[str, Answer], whom: Whom, words: Catalogue) -> Told:
    """Return the score part by part, or why there is none and which values alert by themselves."""
    given = readings(answers)
    found = news2(packs.news2, given, whom.age, pregnant=whom.pregnant, scale=whom.scale)
    if isinstance(found, News):
        return _scored(packs, found, words)
    crossed = alerts(packs.limits, given, whom.age, pregnant=whom.pregnant)
    return _withheld(packs, found, crossed, given, words)


def _scored(packs: Scoring, found: News, words: Catalogue) -> Told:
    beside = {
        _field(part.code): Span(
            words("score.part", n=part.score), "bad" if part.code in found.red else "dim"
        )
        for part in found.parts
    }
    key = "score.least" if found.partial else "score.whole"
    said = words(key, n=found.score, k=len(found.missing))
    risk = word(found.risk.words, words.languages).text
    if found.partial and found.risk != packs.news2.risk[0]:
        risk = words("score.at_least", risk=risk)
    role = "bad" if found.red or found.alerts else "title"
    below = [Span(said, role), Span(f"  {risk}")]
    if found.alerts:
        codes = dict.fromkeys(alert.partition(".")[2] for alert in found.alerts)
        what = ", ".join(words(f"obs.{code}") for code in codes)
        below += [Span("  "), Span(words("score.alert", what=what), "bad")]
    return Told(beside, (*below, *_caution(words, approved=packs.news2.pack.approved)))


def _withheld(
    packs: Scoring,
    found: Withheld,
    crossed: Sequence[Alert],
    given: Readings,
    words: Catalogue,
) -> Told:
    beside = {}
    for alert in crossed:
        key = _CROSSED[alert.crossed] if alert.certain else "score.perhaps"
        said = words(key, limit=f"{alert.limit} {unit(_unit(alert.code))}".strip())
        beside[_field(alert.code)] = Span(f"! {said}", "bad")
    for code, always in _always(packs.news2, given):
        beside[_field(code)] = Span(f"! {words(always)}", "bad")
    if found.reason == "nothing_measured":
        return Told(beside, ())
    below = [Span(words(_WHY[found.reason]), "plain")]
    if beside:
        below += [Span("  "), Span(words.count("score.alerts", len(beside)), "bad")]
    return Told(beside, (*below, *_caution(words, approved=packs.limits.pack.approved)))


def _always(pack: News2Pack, given: Readings) -> list[tuple[str, str]]:
    """Return what alerts at every age: what was tried and not found, and a 0 (SAFETY 6)."""
    zero = {parameter.code for parameter in pack.parameter if parameter.alert_at_zero}
    found = []
    for code, reading in given.items():
        if reading.unrecordable and code in pack.limits.unrecordable:
            found.append((code, "score.unrecordable"))
        elif reading.value == 0 and code in zero:
            found.append((code, "score.zero"))
    return found


def _caution(words: Catalogue, *, approved: bool) -> list[Span]:
    """Return what stands beside everything that nobody signed (SAFETY 8)."""
    return [] if approved else [Span(f"  {words('protocols.not_approved')}", "bad")]


def _reading(name: str, text: str, absent: str) -> dict[str, Reading]:
    known = next((each for each in observations().observation if each.name == name), None)
    if known is None:
        return {}
    if absent:
        return {name: Reading(unrecordable=True)} if absent == "unrecordable" else {}
    if known.choices:
        return {name: Reading(choice=text)} if text in known.choices else {}
    try:
        return {name: Reading(value=Fraction(text))} if text else {}
    except (ValueError, ZeroDivisionError):
        return {}


def _field(code: str) -> str:
    return PRESSURE if code in ("systolic", "diastolic") else code


def _unit(code: str) -> str:
    known = next((each for each in observations().observation if each.name == code), None)
    return known.units[0].ucum if known and known.units else ""


@lru_cache(4)
def _news2(text: str, approved_by: str) -> News2Pack:
    found = read_news2(text)
    head = msgspec.structs.replace(found.pack, approved_by=approved_by)
    return msgspec.structs.replace(found, pack=head)


@lru_cache(4)
def _limits(text: str, approved_by: str) -> LimitsPack:
    found = read_limits(text)
    head = msgspec.structs.replace(found.pack, approved_by=approved_by)
    return msgspec.structs.replace(found, pack=head)
