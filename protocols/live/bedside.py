"""What a terminal is told of a patient's care: allergies, problems, medicines with what is due.

Texts are cleaned for display; codes are words of the vocabulary pack or of a closed list.
"""

from __future__ import annotations

import msgspec

from protocols.live.api import BoardLine


class AllergyLine(msgspec.Struct, frozen=True):
    """One statement about what a patient reacts to, as it is shown now."""

    fact: str
    status: str
    """`active`, `none-known` or `refuted`."""
    code: str
    """Name in the vocabulary pack, or ''."""
    text: str
    reaction: str
    severity: str
    certainty: str
    remark: str
    at_ms: int
    author: str
    used: bool
    """Whether it is what is acted on."""
    unsettled: bool
    standing: int = 0


class ConditionLine(msgspec.Struct, frozen=True):
    """One statement about what is wrong, as it is shown now."""

    fact: str
    status: str
    """`active`, `suspected`, `resolved` or `refuted`."""
    code: str
    text: str
    onset: str
    """YYYY, YYYY-MM or YYYY-MM-DD."""
    event_relation: int | None
    remark: str
    at_ms: int
    author: str
    used: bool
    unsettled: bool
    standing: int = 0


class DoseLine(msgspec.Struct, frozen=True):
    """One dose given, refused or not given."""

    fact: str
    status: str
    substance: str
    dose: str
    route: str
    reason: str
    at_ms: int
    author: str


class MedicineLine(msgspec.Struct, frozen=True):
    """One order and where it stands now; see `records/schedule.py`."""

    order: str
    """Id of the order."""
    substance: str
    form: str
    strength: str
    value: str
    """Of the dose, as typed."""
    unit: str
    """Of the dose, UCUM."""
    route: str
    way: str
    every: int
    max_a_day: int
    indication: str
    start_ms: int
    until_ms: int | None
    author: str
    state: str
    """`late`, `due`, `later`, `as-needed`, `running`, `done`, `ended` or `stopped`."""
    due_ms: int | None
    last: DoseLine | None
    last_given_ms: int | None
    given: int
    """Doses given in all."""
    given_a_day: int
    warnings: tuple[str, ...]
    """`allergy`, `given_past_stop`, `double_dose`, `ordered_twice`, `most_reached`."""
    stopped_ms: int | None = None
    stop_reason: str = ""
    controlled: bool = False
    """Whether what is discarded takes a witness."""
    standing: int = 0


class WeightLine(msgspec.Struct, frozen=True):
    """One weight that stands."""

    kg: str
    """Exactly, with a point."""
    estimated: bool
    at_ms: int


class Care(msgspec.Struct, frozen=True):
    """`care`: args patient. Of another team only once a reason was given, as for `chart`."""

    head: BoardLine
    in_care: bool
    """Whether an encounter is open."""
    allergies: tuple[AllergyLine, ...]
    """What is shown now, what is acted on first."""
    conditions: tuple[ConditionLine, ...]
    """What goes on first."""
    medicines: tuple[MedicineLine, ...]
    """Late and due ones first; stopped ones last, for a day."""
    doses: tuple[DoseLine, ...]
    """Given without an order in the last day, newest first."""
    weights: tuple[WeightLine, ...]
    """Newest first; several only while they are in conflict."""
    syndrome: str = ""
    """What the open encounter is counted under, a name of the vocabulary pack."""
    event_relation: int | None = None


class Proposal(msgspec.Struct, frozen=True):
    """A dose from one whole row of the formulary in use, with its arithmetic."""

    pack: str
    version: str
    row: str
    words: dict[str, str]
    mg: str
    text: str
    amount_text: str
    route: str
    times_a_day: int
    kg: str
    estimated: bool
    approved: bool
    memory: bool
    """Recalled, not yet checked against the source."""


class DoseHelp(msgspec.Struct, frozen=True):
    """`dose_help`: args patient, substance, weight (0 = none was chosen, else counted from 1)."""

    against: tuple[str, ...]
    """What is listed that speaks against it."""
    ordered: bool
    """Whether it is ordered already."""
    proposals: tuple[Proposal, ...]
    reason: str = ""
    """Why there is none: `no_row`, `row_incomplete`, `no_weight`, `weights_differ` and so on."""
    lacks: tuple[str, ...] = ()
    """Of an incomplete row: which fields."""
