"""Which records of doses may be of one dose: said alike where one is written and where it is told.

Nothing of it is stored. What is doubted is compared with what is counted alone: who was given the
first and the second dose by two teams that never met had two doses, not one and not four.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from itertools import combinations
from typing import NamedTuple

from protocols.guidelines.schedules import Plan, ages_of
from protocols.ids import DocId, FactRef
from protocols.records.contested import current
from protocols.records.decision import ONE_OF, decided, decision_of
from protocols.records.dose import GIVEN, days_of, dose_of, sight
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.references import Sight, ref_of
from protocols.records.shape import Fact

# records of its own it has none: what is decided of doses is in `decision.py`


class Doubt(NamedTuple):
    """Records of doses of one person that may be of one dose, or were given too close."""

    facts: tuple[Fact, ...]
    """By day; the first is counted meanwhile, and each other one is doubted beside it."""
    why: str
    """`one-number`: two say to be the same dose; `close`: nearer than the series allows."""


class _Held(NamedTuple):
    """One dose that somebody had."""

    fact: Fact
    history: History
    days: tuple[int, int] | None


def doubts_of(histories: Sequence[History], plan: Plan) -> list[Doubt]:
    """Return records that may be of one dose and of which nobody has decided yet.

    Args:
        histories: Of one person; several where their records are linked.
        plan: The schedule that says how close doses may be.
    """
    held = sorted(
        (
            _Held(fact, history, days_of(fact))
            for history in histories
            for fact in current(history, KindNo.DOSE_RECORD)
            if dose_of(fact).status == GIVEN
        ),
        key=lambda each: ((each.days or (0,))[0], each.fact.at_ms, each.fact.ref),
    )
    if len(held) < 2:
        return []
    sights = {each.history.subject: sight(each.history) for each in held}
    said = _said(histories)
    whys = {
        (at, to): why
        for (at, one), (to, other) in combinations(enumerate(held), 2)
        if (why := _why(plan, one, other))
        and _apart(sights, one, other)
        and not _settled(said, one, other)
    }
    return [
        Doubt(
            tuple(held[at].fact for at in group),
            "one-number" if "one-number" in {whys[group[0], at] for at in group[1:]} else "close",
        )
        for group in _groups(whys)
    ]


def _apart(sights: dict[DocId, Sight], one: _Held, other: _Held) -> bool:
    if one.history is not other.history:
        return True
    return sights[one.history.subject].apart(one.fact, other.fact)


def _why(plan: Plan, one: _Held, other: _Held) -> str:
    """Say why two doses may be one, or were too close; '' when nothing says so."""
    first, second = dose_of(one.fact), dose_of(other.fact)
    if (first.series or first.vaccine) != (second.series or second.vaccine):
        return ""
    if first.dose is None or second.dose is None or first.dose == second.dose:
        return "one-number"
    if one.days is None or other.days is None:
        return "close"
    series = plan.schedule.of_id(first.series)
    spans = [
        ages_of(rule.interval).about
        for course in (series.course if series else ())
        for rule in course.dose
        if rule.interval is not None
    ]
    # Of doses of a month alone the longest that may lie between: two of one card are not doubted
    # for what the card does not say.
    near = max(one.days[1] - other.days[0], other.days[1] - one.days[0])
    return "close" if near == 0 or (spans and near < min(spans)) else ""


class _Said(NamedTuple):
    """What people decided."""

    together: list[tuple[int, frozenset[Ref]]]
    """Each verdict, and of which records."""
    spare: frozenset[Ref]
    """Records that stand for a dose that another one is kept for."""


def _said(histories: Sequence[History]) -> _Said:
    records = [
        decision_of(fact) for each in histories for fact in current(each, KindNo.DOSE_DECIDE)
    ]
    states = decided(*histories)
    return _Said(
        [(each.verdict, frozenset(each.doses)) for each in records],
        frozenset(ref for ref, state in states.items() if state == ONE_OF),
    )


def _settled(said: _Said, one: _Held, other: _Held) -> bool:
    pair = {ref_of(one.fact), ref_of(other.fact)}
    if pair & said.spare:
        return True
    return len({verdict for verdict, refs in said.together if pair <= refs}) == 1


def _groups(whys: dict[tuple[int, int], str]) -> list[list[int]]:
    """Return each dose that is counted meanwhile, with those that stand beside it.

    One that is too close to a dose that is not counted itself stands beside nothing.
    """
    groups: dict[int, list[int]] = {}
    for at in sorted({each for pair in whys for each in pair}):
        beside = [kept for kept in groups if (kept, at) in whys]
        if beside:
            groups[min(beside, key=lambda kept: (whys[kept, at] == "close", kept))].append(at)
        else:
            groups[at] = [at]
    return [group for group in groups.values() if len(group) > 1]


def spare_of(doubts: Collection[Doubt]) -> set[FactRef]:
    """Return the records that are not counted while nobody has decided."""
    return {fact.ref for each in doubts for fact in each.facts[1:]}
