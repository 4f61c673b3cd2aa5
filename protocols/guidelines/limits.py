"""Limits on one value alone: what alerts where NEWS2 does not hold (SAFETY 7)."""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from functools import cache
from typing import Literal, NamedTuple

import msgspec

from protocols.errors import SetupError
from protocols.guidelines.ages import AgeSpan, row_days, row_faults
from protocols.guidelines.pack import PackHead, Status, read_pack, shipped
from protocols.guidelines.readings import NOT_MEASURED, Reading, Readings

# the pack


class Limit(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename={"since": "from"}):
    """What alerts of one observation."""

    code: str
    below: str | None = None
    """Values below this alert; this one does not."""
    above: str | None = None
    """Values above this alert; this one does not."""
    since: str | None = None
    """Values from this one on alert."""
    normal: tuple[str, ...] = ()
    """Coded answers that do not alert; every other one does."""
    source: str = ""
    status: Status | None = None

    def crossed(self, reading: Reading) -> Literal["", "low", "high", "other", "unrecordable"]:
        """Return how a reading crosses the limit; '' when it does not."""
        if reading.unrecordable:
            return "unrecordable"
        if self.normal:
            return "other" if reading.choice and reading.choice not in self.normal else ""
        value = reading.value
        if value is None:
            return ""
        if self.below is not None and value < Fraction(self.below):
            return "low"
        over = self.above is not None and value > Fraction(self.above)
        reached = self.since is not None and value >= Fraction(self.since)
        return "high" if over or reached else ""


class Group(msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename={"since": "from"}):
    """The limits of one row of ages."""

    id: str
    since: str
    limit: tuple[Limit, ...]
    below_age: str | None = None
    source: str = ""
    status: Status | None = None

    @property
    def days(self) -> tuple[float, float]:
        """First day of age in the row, and the first day after it."""
        return row_days(self.since, self.below_age)


class LimitsPack(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """All of them."""

    pack: PackHead
    group: tuple[Group, ...]
    common: tuple[Limit, ...]
    pregnancy: tuple[Limit, ...]


# the limits


class Alert(NamedTuple):
    """One value that alerts."""

    code: str
    crossed: Literal["low", "high", "other", "unrecordable"]
    limit: str
    """The limit as it stands in the pack; '' for coded answers and what is unrecordable."""
    certain: bool
    """False: whether it alerts depends on an age that is not known well enough, so look."""
    status: Status

    @property
    def key(self) -> str:
        """As it is stored with a record: `limit.heart-rate.high`."""
        return f"limit.{self.code}.{self.crossed}"


def alerts(
    pack: LimitsPack, readings: Readings, age: AgeSpan, *, pregnant: bool
) -> tuple[Alert, ...]:
    """Return every value that alerts, each once, in the order of the pack.

    An age that lies across several rows alerts where any of them does; the alert says whether all
    of them do.
    """
    groups = [pack.group[at] for at in age.meets([group.days for group in pack.group])]
    found = [_in_groups(pack, code, groups, readings) for code in _group_codes(pack)]
    always = (*pack.common, *(pack.pregnancy if pregnant else ()))
    found += [_alone(pack, limit, readings) for limit in always]
    return tuple(alert for alert in found if alert is not None)


def _group_codes(pack: LimitsPack) -> tuple[str, ...]:
    return tuple(dict.fromkeys(limit.code for group in pack.group for limit in group.limit))


def _in_groups(
    pack: LimitsPack, code: str, groups: Sequence[Group], readings: Readings
) -> Alert | None:
    found = [
        alert
        for group in groups
        for limit in group.limit
        if limit.code == code and (alert := _alone(pack, limit, readings, group.status))
    ]
    if not found:
        return None
    statuses = {alert.status for alert in found}
    return found[0]._replace(
        certain=len(found) == len(groups),
        status="memory" if "memory" in statuses else "verified",
    )


def _alone(
    pack: LimitsPack, limit: Limit, readings: Readings, of_group: Status | None = None
) -> Alert | None:
    crossed = limit.crossed(readings.get(limit.code, NOT_MEASURED))
    if not crossed:
        return None
    bound = {"low": limit.below, "high": limit.above or limit.since}.get(crossed)
    status = limit.status or of_group or pack.pack.status
    return Alert(limit.code, crossed, bound or "", True, status)


# reading the pack


def check(pack: LimitsPack) -> list[str]:
    """Return what is wrong with a pack, one sentence each; empty when nothing is."""
    wrong = [f"group: {what}" for what in row_faults([group.days for group in pack.group])]
    for limit in (*pack.common, *pack.pregnancy, *(one for g in pack.group for one in g.limit)):
        bounds = [bound for bound in (limit.below, limit.above, limit.since) if bound is not None]
        if bool(bounds) == bool(limit.normal):
            wrong.append(f"{limit.code}: needs either a bound or normal answers")
        if limit.below and limit.above and Fraction(limit.below) >= Fraction(limit.above):
            wrong.append(f"{limit.code}: below is not under above")
        wrong += [f"{limit.code}: {bound!r} is no number" for bound in bounds if not _number(bound)]
    return wrong


def _number(text: str) -> bool:
    return text.replace(".", "", 1).isdecimal() and text.isascii()


def read_limits(text: str) -> LimitsPack:
    """Return a checked pack.

    Raises:
        SetupError: `bad_pack`, with what is wrong first.
    """
    pack = read_pack(text, LimitsPack)
    try:
        wrong = check(pack)
    except ValueError as error:
        raise SetupError("bad_pack", place=str(error)) from None
    if wrong:
        raise SetupError("bad_pack", place=wrong[0])
    return pack


@cache
def shipped_limits() -> LimitsPack:
    """Return the pack that comes with the software."""
    return shipped("limits", LimitsPack)
