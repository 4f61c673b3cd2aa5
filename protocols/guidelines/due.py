"""When the next set of observations is due: the shortest time that anything asks for."""

from __future__ import annotations

from functools import cache
from typing import NamedTuple

import msgspec

from protocols.errors import SetupError
from protocols.guidelines.news2 import News
from protocols.guidelines.observations import observations
from protocols.guidelines.pack import PackHead, Status, read_pack, shipped
from protocols.guidelines.words import lacking

MINUTES_MAX = 7 * 24 * 60
MINUTE_MS = 60_000

# the pack


class Every(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """The longest time between two sets."""

    minutes: int
    words: dict[str, str]
    continuous: bool = False
    source: str = ""
    status: Status | None = None


class ByRisk(Every, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """By what a NEWS2 means."""

    risk: str
    from_score: int = 0


class ByCategory(Every, forbid_unknown_fields=True, frozen=True, kw_only=True):
    """By triage category, 1 to 4."""

    category: int


class Set(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What is measured each time."""

    codes: tuple[str, ...]
    first_minutes: int
    late_minutes: int


class DuePack(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """All of it."""

    pack: PackHead
    set: Set
    news: tuple[ByRisk, ...]
    """Of one risk the row with the highest score first."""
    alert: Every
    category: tuple[ByCategory, ...]
    languages: dict[str, str] = {}


# what is due


class Due(NamedTuple):
    """When the next set is due and why."""

    at_ms: int
    late: bool
    why: Every | None
    """The row that asked for the shortest time; None for the first set after arrival."""
    minutes: int
    codes: tuple[str, ...]
    status: Status
    version: str


class Standing(NamedTuple):
    """What decides how often: as far as it is known."""

    category: int | None = None
    """0 dead, 1 red, 2 yellow, 3 green, 4 expectant."""
    news: News | None = None
    alerts: bool = False
    """Whether any value alerts by itself: a single limit, or what is unrecordable."""


def due(
    pack: DuePack, standing: Standing, arrived_ms: int, last_ms: int | None, now_ms: int
) -> Due | None:
    """Return when the next set is due; None for the dead and where no row holds.

    Args:
        pack: As it is in use.
        standing: By the last set.
        arrived_ms: When care began here, Unix milliseconds.
        last_ms: When the last set was taken; None when there was none.
        now_ms: Wall clock.
    """
    if standing.category == 0:
        return None
    every = min(_rows(pack, standing), key=lambda row: row.minutes, default=None)
    if last_ms is None:
        minutes = pack.set.first_minutes
        if every is not None:
            minutes = min(minutes, every.minutes)
        return _due(pack, None, minutes, arrived_ms, now_ms)
    return None if every is None else _due(pack, every, every.minutes, last_ms, now_ms)


def _due(pack: DuePack, why: Every | None, minutes: int, since_ms: int, now_ms: int) -> Due:
    at_ms = since_ms + minutes * MINUTE_MS
    return Due(
        at_ms=at_ms,
        late=now_ms >= at_ms + pack.set.late_minutes * MINUTE_MS,
        why=why,
        minutes=minutes,
        codes=pack.set.codes,
        status=(why.status if why else None) or pack.pack.status,
        version=pack.pack.version,
    )


def _rows(pack: DuePack, standing: Standing) -> list[Every]:
    found: list[Every] = [row for row in pack.category if row.category == standing.category]
    news = standing.news
    if news is not None:
        of_risk = (
            row for row in pack.news if row.risk == news.risk.id and news.score >= row.from_score
        )
        found += [row for row in (next(of_risk, None),) if row is not None]
    if standing.alerts or (news is not None and news.alerts):
        found.append(pack.alert)
    return found


# reading the pack


def check(pack: DuePack) -> list[str]:
    """Return what is wrong with a pack, one sentence each; empty when nothing is."""
    wrong = []
    known = {found.name for found in observations().observation}
    wrong += [
        f"set: there is no observation {code}" for code in pack.set.codes if code not in known
    ]
    named: list[tuple[str, Every]] = [("alert", pack.alert)]
    named += [(f"news: row {at}", row) for at, row in enumerate(pack.news, 1)]
    named += [(f"category: row {at}", row) for at, row in enumerate(pack.category, 1)]
    for place, row in named:
        if not 1 <= row.minutes <= MINUTES_MAX:
            wrong.append(f"{place}: minutes is 1 to {MINUTES_MAX}")
        wrong += [f"{place}: no words in {each}" for each in lacking(row.words)]
    categories = [row.category for row in pack.category]
    if sorted(categories) != [1, 2, 3, 4]:
        wrong.append("category: needs one row for each of 1 to 4")
    for at, later in enumerate(pack.news[1:], 2):
        before = pack.news[at - 2]
        if before.risk == later.risk and before.from_score <= later.from_score:
            wrong.append(f"news: row {at}: scores of one risk go downward")
    if min(pack.set.first_minutes, pack.set.late_minutes) < 1:
        wrong.append("set: a time is below 1 minute")
    return wrong


def read_due(text: str) -> DuePack:
    """Return a checked pack.

    Raises:
        SetupError: `bad_pack`, with what is wrong first.
    """
    pack = read_pack(text, DuePack)
    wrong = check(pack)
    if wrong:
        raise SetupError("bad_pack", place=wrong[0])
    return pack


@cache
def shipped_due() -> DuePack:
    """Return the pack that comes with the software."""
    return shipped("due", DuePack)
