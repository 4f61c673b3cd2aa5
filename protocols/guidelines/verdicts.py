"""What goes into judging doses and what comes out: the words that `immunization` speaks in."""

from __future__ import annotations

from typing import Literal, NamedTuple

from protocols.guidelines.pack import Status

RuleName = Literal[
    "dose",
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
    "date-unsure",
]
"""What a sentence on a screen is chosen by; closed, the words are the screen's."""

DoseState = Literal["valid", "invalid", "unsure", "beside", "uncounted"]
"""`beside`: a valid dose 0, with which no series goes on. `uncounted`: nothing here judges it."""

DueState = Literal["due", "overdue", "not-yet", "contraindicated", "complete", "too-old", "unsure"]
"""`unsure`: depends on a birth that is not known well enough; ask the age, or wait for `day`."""


class Born(NamedTuple):
    """A birth as a stretch of days, both included; one day twice where it is known."""

    first: int
    last: int


NEW = "new"
"""Key of a dose that is about to be given: it comes after all that were given on that day."""


class Given(NamedTuple):
    """One dose that somebody had."""

    key: str
    """The caller's own name of it; orders two of one day, and answers carry it."""
    vaccine: str
    """Local code; a code that no pack knows is told as such."""
    day: int
    until: int | None = None
    """The last day it may have been, where a card has only a month or a year; None: `day`."""


class Barred(NamedTuple):
    """A reason against some vaccines that holds for a person."""

    reason: str
    """Of `vaccines.REASONS`; another one bars nothing."""
    vaccine: str = ""
    """The one that caused it, for an allergy; '' = not known, so it may be any."""


class Terms(NamedTuple):
    """What is asked for beside the doses."""

    choose: tuple[str, ...] = ()
    """Optional series, and series instead of the first of their like."""
    campaign_day: int | None = None
    """First day of the campaign; None = there is none, and all doses count."""
    barred: tuple[Barred, ...] = ()
    """What speaks against vaccines for this person."""
    live_days: tuple[int, ...] = ()
    """When they may have had injected live vaccines that are not among the doses: what comes keeps
    its distance from these too."""


AS_THE_PACK_HAS_IT = Terms()


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
    status: Status
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
    """Of a valid dose the rule it met, of any other every rule it fails or may fail."""


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
