"""Which doses count, and what is due: by a schedule pack, for a birth that is known or is not.

Days are whole numbers since 1970-01-01, in the calendar of the place. A birth is a stretch of days;
whatever differs between two days of it is said to be unsure and is never guessed (SAFETY 2). What
counts for a series is judged in the order the doses were given, so an interrupted series goes on
where it stopped. Nothing here reads a clock: `on_day` is given.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from math import inf
from typing import Literal, NamedTuple

from protocols.guidelines.ages import AgeSpan
from protocols.guidelines.schedules import Plan, Series
from protocols.guidelines.vaccines import Reason, Vaccine, VaccineKind

LIFE_DAYS = 130 * 366
"""Nobody was born earlier: where an age is not known at all, a birth lies within so many days."""

RuleName = Literal[
    "dose",
    "dose-zero",
    "min-age",
    "interval",
    "max-age",
    "live-spacing",
    "same-day",
    "vaccine",
    "complete",
    "other-series",
    "unknown-vaccine",
    "contraindication",
    "before-campaign",
    "before-birth",
    "birth-unsure",
]
"""What a sentence on a screen is chosen by; closed, the words are the screen's."""

DoseState = Literal["valid", "invalid", "unsure", "beside", "uncounted"]
"""`beside`: a valid dose 0, that no series goes on with. `uncounted`: nothing here judges it."""

DueState = Literal[
    "due", "overdue", "not-yet", "contraindicated", "complete", "too-old", "unsure"
]
"""`unsure`: depends on a birth that is not known well enough; ask the age, or wait for `day`."""


class Born(NamedTuple):
    """A birth as a stretch of days, both included; one day twice where it is known."""

    first: int
    last: int


class Given(NamedTuple):
    """One dose that somebody had."""

    key: str
    """The caller's own name of it; orders two of one day, and answers carry it."""
    vaccine: str
    """Local code; a code that no pack knows is told as such."""
    day: int


class Barred(NamedTuple):
    """A reason against some vaccines that holds for a person."""

    reason: str
    """Of `vaccines.REASONS`; another one bars nothing."""
    vaccine: str = ""
    """The one that caused it, for an allergy; '' = not known, so it may be any."""


class Rule(NamedTuple):
    """What said so, and in which pack."""

    name: RuleName
    series: str
    number: int
    """Of the dose; 0 for one beside the series."""
    limit: str
    """As the pack has it, such as `9 mo` or `28 d`; a reason's id; or ''."""
    pack: str
    version: str
    status: Literal["verified", "memory"]
    source: str


class Verdict(NamedTuple):
    """What one dose is for one series."""

    key: str
    vaccine: str
    day: int
    series: str
    """'' where it counts for none."""
    state: DoseState
    number: int
    """In the series; where it is not certain, the lowest it may be. 0 = counts as none."""
    rules: tuple[Rule, ...]
    """Of a valid dose the rule it met, of any other every rule it may fail."""


class Forecast(NamedTuple):
    """What one series needs."""

    series: str
    state: DueState
    number: int
    """The dose that comes next, where unsure the lowest; the last one where complete."""
    doses: int
    """Of the course."""
    day: int | None
    """From when it is due, whatever the birth; None where nothing comes or no day is sure."""
    overdue_day: int | None
    vaccines: tuple[str, ...]
    """Codes that may be given for it, the usual one first."""
    rules: tuple[Rule, ...]
    may: tuple[DueState, ...] = ()
    """Of `unsure` what it may be."""
    sure: bool = True
    """False: another day of birth would give another dose number or another day."""
    ask: tuple[str, ...] = ()
    """Reasons to ask about before it is given."""

    @property
    def wanted(self) -> bool:
        """Whether it is to be given on the day asked about."""
        return self.state in ("due", "overdue")


class NextVisit(NamedTuple):
    """What a child's card says."""

    day: int
    series: tuple[str, ...]
    """What is due by then."""
    sure: bool


def born_on(day: int) -> Born:
    """Return a birth whose day is known."""
    return Born(day, day)


def born_of_age(age: AgeSpan, on_day: int) -> Born:
    """Return the birth of somebody whose age on a day is known as far as `age` says."""
    first = on_day - LIFE_DAYS if age.below == inf else on_day - int(age.below)
    if age.below != inf and int(age.below) == age.below:
        first += 1
    last = on_day - int(-(-age.since // 1))
    return Born(min(first, last), last) if age.exact_days is None else Born(last, last)


def validate(
    doses: Iterable[Given],
    born: Born,
    plan: Plan,
    choose: Collection[str] = (),
    campaign_day: int | None = None,
) -> tuple[Verdict, ...]:
    """Return what each dose is for each series it belongs to, in the order they were given.

    Args:
        doses: In any order.
        born: As far as it is known.
        plan: The schedule and the vaccines, as they are in use.
        choose: Optional series, and series instead of the first of their like.
        campaign_day: First day of the campaign; None = there is none, and all doses count.
    """
    raise NotImplementedError


def forecast(
    doses: Iterable[Given],
    born: Born,
    on_day: int,
    plan: Plan,
    barred: Collection[Barred] = (),
    choose: Collection[str] = (),
    campaign_day: int | None = None,
) -> tuple[Forecast, ...]:
    """Return what each series needs on a day, in the order of the pack.

    What is given today counts, wherever it stands; a dose dated later counts as given too, since a
    wrong clock is likelier than a second dose is harmless.
    """
    raise NotImplementedError


def next_visit(found: Sequence[Forecast], on_day: int) -> NextVisit | None:
    """Return the first day on which anything is due that is not in `found` as due; None if none.

    Ask with the doses of today among those given: what was left out today is due on `on_day`.
    """
    raise NotImplementedError
