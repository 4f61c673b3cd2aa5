"""What a terminal is told of vaccination sessions, for both ends. Texts are cleaned for display.

Days are ISO dates; '' is a day that nobody knows. Words are by language code, from the packs.
"""

from __future__ import annotations

import re

import msgspec

from protocols.live.api import BoardLine

AIM = re.compile(r"^\][A-Za-z]\d", re.ASCII)
"""What a scanner puts in front of a code."""
_ONLY_BOX = re.compile(r"\](d2|Q3|e0|J1|E0|E4|I0|I1)|(\][A-Za-z]\d)?01\d{14}", re.ASCII)
"""Of GS1 and of shops; a card begins otherwise."""


def is_box(code: str) -> bool:
    """Whether a code, with its AIM identifier, can only be one of a package and is no card."""
    return bool(_ONLY_BOX.match(code)) or "\x1d" in code


Words = dict[str, str]
"""A word by language code; English is always there."""


class Cell(msgspec.Struct, frozen=True):
    """What one digit of crowd mode counts."""

    digit: int
    vaccine: str
    words: Words
    dose: int
    band: int
    sex: int
    counted: int = 0
    """Doses so far, by whomever."""
    intervention: str = ""
    """Code of what it counts that is no dose; then there is no vaccine."""


class SessionLine(msgspec.Struct, frozen=True):
    """One vaccination session."""

    id: str
    place: str
    site: str
    """Name; '' for none."""
    team: str
    vaccines: tuple[str, ...]
    opened_ms: int
    closed_ms: int | None
    mine: bool
    """Whether this device opened it."""
    store: str = ""
    """Name of the store that its vials come from."""
    lots: tuple[tuple[str, str], ...] = ()
    """Item and lot of what it took along."""
    crowd: bool = False
    """Whether it counts by digits."""
    unsettled: bool = False
    interventions: tuple[str, ...] = ()
    """Codes of what it gives or measures beside its vaccines."""


class Sessions(msgspec.Struct, frozen=True):
    """`sessions`: args closed (true: those too). The latest opened first."""

    lines: tuple[SessionLine, ...]


class VialLine(msgspec.Struct, frozen=True):
    """One vial of a session, and what became of its doses."""

    id: str
    item: str
    vaccine: str
    words: Words
    lot: str
    expiry: str
    opened_ms: int
    doses: int
    drawn: int
    left: int
    limit_ms: int | None
    """Until when it may be used; None: nobody knows."""
    past: bool
    closed: bool
    wasted: int = 0
    why: str = ""
    stop: str = ""
    """Why nobody may be given of it today: `lot_recalled`, `lot_quarantined`, `lot_expired`."""


class VaccineLine(msgspec.Struct, frozen=True):
    """One vaccine of a session."""

    code: str
    words: Words
    items: tuple[str, ...] = ()
    """Codes of the stock items that hold it."""
    given: int = 0
    """Doses that count, by name and in tallies."""


class LastLine(msgspec.Struct, frozen=True):
    """One child of a session, as the last ten are shown."""

    patient: str
    tag: str
    code: str
    at_ms: int
    given: tuple[tuple[str, int | None], ...]
    """Vaccine and its number in the series; an intervention has none."""
    status: str = "given"
    """Else why nothing was given."""


class BesideSum(msgspec.Struct, frozen=True):
    """What a session gave or measured of one intervention; none of it is a dose."""

    code: str
    words: Words
    short: Words
    """For a line of sums."""
    number: int = 0
    """By name and in tallies."""
    twice: int = 0
    """Of these, records that may be of one."""
    items: tuple[str, ...] = ()
    """What stores keep of it."""
    stops: tuple[tuple[str, str, str], ...] = ()
    """Item, lot and why nobody may be given of that lot out of the session's store, as of
    `VialLine`."""


class Drive(msgspec.Struct, frozen=True):
    """`drive`: args session. One session as its screen shows it.

    Raises `bad_id`, `not_found`.
    """

    session: SessionLine
    vaccines: tuple[VaccineLine, ...]
    cells: tuple[Cell, ...]
    vials: tuple[VialLine, ...]
    """Those in use, the first opened first."""
    children: int = 0
    not_given: int = 0
    """Records of doses that were not given, whyever."""
    wasted: int = 0
    seconds_a_child: int | None = None
    """Over the last children of this device; None before the second."""
    last_hour: int = 0
    last: tuple[LastLine, ...] = ()
    """The newest first, at most ten."""
    schedule: str = ""
    """Name and version of the pack that forecasts."""
    approved: bool = False
    beside: tuple[BesideSum, ...] = ()
    """Its interventions, in the session's order."""


class RuleLine(msgspec.Struct, frozen=True):
    """What said so."""

    name: str
    limit: str
    pack: str
    version: str
    source: str = ""
    words: Words = {}
    """For `limit`, where that is the id of a reason against a vaccine."""


class GiveLine(msgspec.Struct, frozen=True):
    """One vaccine of a session, and what the schedule says of it for a child."""

    vaccine: str
    words: Words
    state: str
    """`due`, `overdue`, `not-yet`, `contraindicated`, `complete`, `too-old`, `unsure`, or
    `other` where another vaccine of the session is given for it, or no series counts it."""
    series: str = ""
    number: int = 0
    doses: int = 0
    day: str = ""
    """From when it is due."""
    vial: str = ""
    """The open vial it is drawn from; '' while there is none."""
    rule: RuleLine | None = None
    ask: tuple[Words, ...] = ()
    """Reasons to ask about before it is given."""
    stop: str = ""
    """Why nobody may be given of that vial, as of `VialLine`; it is the only one then."""

    @property
    def wanted(self) -> bool:
        """Whether it is to be given today."""
        return self.state in ("due", "overdue")


class SeriesLine(msgspec.Struct, frozen=True):
    """What one series of the schedule needs."""

    series: str
    words: Words
    state: str
    number: int
    doses: int
    day: str = ""
    overdue_day: str = ""
    vaccines: tuple[str, ...] = ()
    rule: RuleLine | None = None
    sure: bool = True


class GivenLine(msgspec.Struct, frozen=True):
    """One record of a dose."""

    fact: str
    vaccine: str
    words: Words
    dose: int | None
    day: str
    status: str
    lot: str
    states: tuple[tuple[str, str], ...] = ()
    """Series, and what the dose is for it: `valid`, `invalid`, `unsure`, `beside`, `uncounted`."""
    rule: RuleLine | None = None
    """Why it does not count, where it does not."""
    place: str = ""
    replaced: int = 0
    spare: bool = False
    """Whether it stands beside another record of the same dose."""
    recalled: tuple[str, ...] = ()
    """Why its lot is recalled."""


class MedicineLine(msgspec.Struct, frozen=True):
    """What is given of an intervention at this age, and where it is taken from."""

    substance: str
    value: str
    unit: str
    """UCUM."""
    route: str
    item: str = ""
    lot: str = ""
    """'' where no store has it: then nothing is taken from any."""
    store: str = ""
    """Id."""


class BesideLine(msgspec.Struct, frozen=True):
    """One intervention of a session, and what the pack says of it for a child."""

    code: str
    words: Words
    state: str
    """`due`, `too-soon`, `too-young`, `too-old`, `unsure` where the age spans a limit, or
    `not-with` where none of the vaccines is due that it is given with."""
    last: str = ""
    """The last day on which they had it."""
    day: str = ""
    """From when the interval allows it again."""
    interval: str = ""
    """As the pack has it."""
    medicine: MedicineLine | None = None
    maybe: tuple[str, ...] = ()
    """Where the age spans a limit, how much it may be."""
    measure: str = ""
    """Name of the observation; '' where something is given."""
    stop: str = ""
    """Why nobody may be given of what the session's store has of it, as of `VialLine`: it has
    nothing else."""


class Child(msgspec.Struct, frozen=True):
    """`child`: args patient, session (id, or '' for none).

    Of somebody new: args age, unit (y, mo, w, d), estimated, session. Raises `bad_id`,
    `not_found`, `sealed_here`, `bad_line`; `other_team`, as for a chart.
    """

    head: BoardLine | None
    """None of somebody new."""
    give: tuple[GiveLine, ...] = ()
    """The vaccines of the session."""
    series: tuple[SeriesLine, ...] = ()
    """All that the schedule has."""
    doses: tuple[GivenLine, ...] = ()
    """By day."""
    next_day: str = ""
    """The first day on which something is due, as the card says it; with a session the first one
    after today, of what its vaccines are for."""
    next_series: tuple[Words, ...] = ()
    next_sure: bool = True
    still: tuple[Words, ...] = ()
    """Due today, of the series that the session's vaccines are for."""
    schedule: str = ""
    approved: bool = False
    beside: tuple[BesideLine, ...] = ()
    """The interventions of the session."""
    beside_pack: str = ""
    """Name and version of the pack that said so."""
    beside_approved: bool = False


class Box(msgspec.Struct, frozen=True):
    """`vial_code`: args code, with the AIM identifier. What a code on a vial or its box means.

    [] where the code says nothing of either. Raises as `scan` for a code of GS1 that cannot be
    read.
    """

    code: str
    items: tuple[str, ...]
    """Stock items; none where nobody taught the code."""
    lot: str = ""
    expiry: str = ""
    vaccine: str = ""
    """Of the first item; '' where it is none."""
    separator_lost: bool = False


class Choice(msgspec.Struct, frozen=True):
    """One row to choose from when a session opens."""

    id: str
    words: Words


class SessionChoices(msgspec.Struct, frozen=True):
    """`session_choices`: no args."""

    vaccines: tuple[Choice, ...]
    items: tuple[tuple[str, str, Words, int, tuple[str, ...]], ...]
    """Item, vaccine, words, doses in a vial, diluents."""
    sites: tuple[Choice, ...]
    schedules: tuple[str, ...]
    antigens: tuple[str, ...]
    interventions: tuple[Choice, ...] = ()


class CoverLine(msgspec.Struct, frozen=True):
    """Doses of an antigen at a site in a band, against what was to be given."""

    site: str
    antigen: str
    band: int
    doses: int
    target: int | None


class SeriesSum(msgspec.Struct, frozen=True):
    """One series over all children known here."""

    series: str
    words: Words
    children: int
    none: int
    """Under five years, without any dose of it that is written down here."""
    began: int = 0
    finished: int = 0


class Coverage(msgspec.Struct, frozen=True):
    """`vaccination_coverage`: args session for the pace, or ''."""

    lines: tuple[CoverLine, ...]
    series: tuple[SeriesSum, ...]
    by_hour: tuple[tuple[int, int, int], ...] = ()
    """Hour there since 1970, children by name, doses tallied."""
    last_hour: int = 0
    wasted: tuple[tuple[str, int, int], ...] = ()
    """Vaccine, doses opened, doses wasted."""
    beside: tuple[BesideSum, ...] = ()
    """What is no dose: of the session, or without one of all of them."""


class DoubledLine(msgspec.Struct, frozen=True):
    """Records that may be of one dose."""

    head: BoardLine
    series: str
    why: str
    doses: tuple[GivenLine, ...]
    by: tuple[str, ...]
    """Who wrote each."""


class DoubledDoses(msgspec.Struct, frozen=True):
    """`doubled_doses`: no args; the earliest first."""

    lines: tuple[DoubledLine, ...]
