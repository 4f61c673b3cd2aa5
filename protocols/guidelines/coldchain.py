"""Cold chain: what readings of a unit come to, by the limits of a pack; and vaccine vial monitors.

An episode is a stretch of readings beyond a limit. A reading holds until the next one; after a gap
nobody knows, so the stretch ends with its last reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from fractions import Fraction
from functools import cache
from typing import Annotated, Literal, NamedTuple

import msgspec

from protocols.errors import SetupError
from protocols.guidelines.pack import PackHead, Status, shipped
from protocols.guidelines.words import lacking

DAY_MIN = 24 * 60
MINUTES_MAX = 60 * DAY_MIN
"""Longest duration or gap of a limit: longer is a typing error."""
DAYS_MAX = 366
"""Longest time minutes are added up over."""

DEFAULT = "fridge"
"""Class of a unit of which nobody said another: the strictest."""

Minutes = Annotated[int, msgspec.Meta(ge=0, le=MINUTES_MAX)]

# the pack


class Limit(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How far and how long."""

    id: str
    """`freeze` or `heat`, with `-sum` where minutes are added up."""
    beyond: Literal["below", "above"]
    celsius: str
    """The last temperature that is within."""
    minutes: Minutes
    """From so many on it alarms."""
    days: Annotated[int, msgspec.Meta(ge=0, le=DAYS_MAX)] = 0
    """0: of one stretch. Else minutes of all stretches in so many days are added up."""
    source: str = ""
    status: Status | None = None

    def crossed(self, tenths: int) -> bool:
        """Whether a reading in tenths of a degree Celsius is beyond it."""
        limit = Fraction(self.celsius) * 10
        return tenths < limit if self.beyond == "below" else tenths > limit


class Class(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What one class of cold may bear."""

    id: str
    """As the catalogue names it: room, cool, fridge, freezer, ultra."""
    gap_minutes: Minutes
    """A logger's reading says nothing of later than this."""
    limit: tuple[Limit, ...]
    by_hand_minutes: Annotated[int, msgspec.Meta(ge=0, le=DAY_MIN)] = 0
    """The same where somebody reads a thermometer at a round; 0: as of a logger. Two such readings
    beyond a limit, one after the other, are one stretch: nobody saw it within between them."""

    @property
    def read_by_hand(self) -> Class:
        """The same for readings that were typed."""
        gap = max(self.gap_minutes, self.by_hand_minutes)
        return msgspec.structs.replace(self, gap_minutes=gap)


class Monitor(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One stage of a vaccine vial monitor."""

    stage: int
    """1-4."""
    usable: bool
    words: dict[str, str]
    first: bool = False
    """Used before others."""


class ColdChain(
    msgspec.Struct, forbid_unknown_fields=True, frozen=True, rename={"classes": "class"}
):
    """The whole pack."""

    pack: PackHead
    classes: tuple[Class, ...]
    vvm: tuple[Monitor, ...]

    def of(self, cold: str) -> Class:
        """Return a class by its name; of one it does not know the fridge's, the strictest."""
        known = {each.id: each for each in self.classes}
        return known.get(cold) or known[DEFAULT]

    def stage(self, number: int) -> Monitor | None:
        """Return one stage of a vial monitor; None for 0, not looked at, and unknown ones."""
        return next((each for each in self.vvm if each.stage == number), None)


@cache
def shipped_coldchain() -> ColdChain:
    """Return the pack that comes with the software."""
    found = shipped("coldchain", ColdChain)
    wrong = check(found)
    if wrong:
        raise SetupError("bad_pack", place=wrong[0])
    return found


_CELSIUS = re.compile(r"-?[0-9]{1,3}(\.[0-9])?", re.ASCII)


def check(pack: ColdChain) -> list[str]:
    """Return what is wrong with a pack, one sentence each; empty when nothing is."""
    wrong = []
    names = [each.id for each in pack.classes]
    if len(set(names)) < len(names):
        wrong.append("class: stands twice")
    if DEFAULT not in names:
        wrong.append(f"class: there has to be one for {DEFAULT}")
    for each in pack.classes:
        ids = [limit.id for limit in each.limit]
        if len(set(ids)) < len(ids):
            wrong.append(f"class: {each.id}: a limit stands twice")
        for limit in each.limit:
            if not _CELSIUS.fullmatch(limit.celsius):
                wrong.append(f"class: {each.id}: {limit.id}: celsius has at most one decimal")
            if not (limit.source or pack.pack.source):
                wrong.append(f"class: {each.id}: {limit.id}: source is missing")
    stages = [each.stage for each in pack.vvm]
    if stages != list(range(1, len(stages) + 1)):
        wrong.append("vvm: stages stand in order, from 1 on")
    for monitor in pack.vvm:
        lacks = lacking(monitor.words)
        wrong += [f"vvm: {monitor.stage}: no words in {language}" for language in lacks]
    return wrong


# what readings come to


class Reading(NamedTuple):
    """One temperature."""

    minute: int
    """Since 1970-01-01 UTC."""
    tenths: int
    """Of a degree Celsius."""


class Episode(NamedTuple):
    """Readings beyond one limit."""

    limit: Limit
    since_min: int
    until_min: int
    """When it was within again, else the last reading known of it; not before `since_min`."""
    minutes: int
    """Beyond the limit; of a sum, in the days before `until_min`."""
    worst_tenths: int
    ongoing: bool
    """The newest reading is beyond."""
    alarms: bool
    """As long as the limit says, or longer."""
    status: Status

    @property
    def freezing(self) -> bool:
        """Whether it was too cold, else too warm."""
        return self.limit.beyond == "below"


def merged(runs: Iterable[Iterable[Reading]]) -> list[Reading]:
    """Return readings of several runs in order of time, each once; the same for any order."""
    return sorted({reading for run in runs for reading in run})


def episodes(
    readings: Sequence[Reading], of: Class, status: Status = "memory"
) -> tuple[Episode, ...]:
    """Return every stretch beyond a limit, in order of time, and sums that alarm.

    Args:
        readings: In order of time, each once: `merged`.
        of: What the unit's class may bear.
        status: Of the pack, for limits that state none.
    """
    found: list[Episode] = []
    for limit in of.limit:
        told = limit.status or status
        stretches = _stretches(readings, limit, of.gap_minutes, told)
        found += _sums(stretches, limit) if limit.days else stretches
    found.sort(key=lambda each: (each.since_min, each.limit.id))
    return tuple(found)


def _stretches(
    readings: Sequence[Reading], limit: Limit, gap: int, status: Status
) -> list[Episode]:
    found: list[Episode] = []
    run: list[Reading] = []

    def close(until: int, *, ongoing: bool = False) -> None:
        if not run:
            return
        minutes = until - run[0].minute
        worst = (min if limit.beyond == "below" else max)(each.tenths for each in run)
        found.append(
            Episode(
                limit, run[0].minute, until, minutes, worst, ongoing,
                minutes >= limit.minutes, status,
            )
        )  # fmt: skip
        run.clear()

    for reading in readings:
        if run and reading.minute - run[-1].minute > gap:
            close(run[-1].minute)
        if limit.crossed(reading.tenths):
            run.append(reading)
        elif run:
            close(reading.minute)
    if run:
        close(run[-1].minute, ongoing=True)
    return found


def _sums(stretches: Sequence[Episode], limit: Limit) -> list[Episode]:
    """Return the last time that the minutes of the days before alarmed, or nothing."""
    found = []
    for at, last in enumerate(stretches):
        since = last.until_min - limit.days * DAY_MIN
        held = [each for each in stretches[: at + 1] if each.until_min > since]
        minutes = sum(each.until_min - max(each.since_min, since) for each in held)
        if held and minutes >= limit.minutes:
            worst = (min if limit.beyond == "below" else max)(each.worst_tenths for each in held)
            found.append(
                last._replace(
                    since_min=max(held[0].since_min, since),
                    minutes=minutes,
                    worst_tenths=worst,
                    alarms=True,
                )
            )
    return found[-1:]
