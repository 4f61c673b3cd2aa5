"""What a session gives or measures beside its vaccines: how a record says so, and what is asked.

Vitamin A and deworming are medicines given, an arm is an observation: each is a record of its own
family that names its session. None is a dose of vaccine.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import date, timedelta
from typing import NamedTuple

import msgspec

from protocols.errors import InputError
from protocols.guidelines.interventions import (
    Age,
    Due,
    Intervention,
    due,
)
from protocols.guidelines.items import Items, shipped_items
from protocols.guidelines.vocabulary import fold
from protocols.ids import DocId
from protocols.records.contested import current
from protocols.records.dose import stretch
from protocols.records.dosing import day_of
from protocols.records.drawing import catalogue
from protocols.records.history import History
from protocols.records.immune import best_birth
from protocols.records.kinds import KindNo
from protocols.records.movement import Day
from protocols.records.oneperson import histories_of
from protocols.records.planning import Desk
from protocols.records.session import session_row
from protocols.records.shape import Fact, Small
from protocols.records.vaccination import (
    TIMED,
    intervention_named,
    interventions_in_use,
    is_id,
    session_of,
)
from protocols.records.vialuse import must_be_open
from protocols.records.zones import DAY_MS

# fields


class Beside(msgspec.Struct, array_like=True, frozen=True):
    """Of which session, and what it is there."""

    session: bytes | None = None
    code: str = ""
    """Of the pack of interventions."""
    day: Day | None = None
    """There; None: no clock that could be right says."""
    interval_days: Small = 0
    """Least days since the last one, as the pack had it that was worked by; 0: it has none."""

    def __post_init__(self) -> None:
        """Refuse what names no session."""
        if not (self.session and is_id(self.session) and self.code):
            raise ValueError("beside")


# commands: `session` and `intervention` in `data` of administration.record and observation.record

# apply


class Told(NamedTuple):
    """What the pack says of an intervention that is about to be written down."""

    beside: Beside
    row: Intervention
    due: Due

    def medicine(self, item: str | None) -> Age | None:
        """Return what is given at this age, of several what stores keep as `item`; None: unsure."""
        if self.due.state == "unsure":
            return None
        ages = [each for each in self.due.ages if item in (None, each.item)]
        return next(iter(ages or self.due.ages), None)


def read(
    desk: Desk, patient: DocId, session: str | None, code: str | None, *, measured: bool
) -> Told | None:
    """Return of which session and what something is, and what the pack says; None when neither.

    Args:
        desk: The command.
        patient: Whom it is about.
        session: As `data.session` has it.
        code: As `data.intervention` has it.
        measured: Whether it is an observation.

    Raises:
        InputError: `missing_field` with one of the two; `bad_id`, `not_found`, `bad_value`;
            `confirm_needed` where the session is closed.
    """
    if session is None and code is None:
        return None
    if session is None or code is None:
        lacks = "session" if session is None else "intervention"
        raise InputError("missing_field", field=f"data.{lacks}")
    row = intervention_named(interventions_in_use(desk.view), code, "data.intervention")
    if bool(row.measure) != measured:
        raise InputError("bad_value", field="data.intervention")
    held = session_row(desk.view, session_of(session, "data.session"), "data.session")
    must_be_open(desk, held)
    day = day_of(desk, held)
    histories = histories_of(desk, patient)
    on_day = desk.at_ms() // DAY_MS if day is None else day
    had = days_had(histories, row, catalogue(desk))
    told = due(row, best_birth(histories, on_day), on_day, had)
    return Told(Beside(bytes(held.id), row.code, day, row.interval_days), row, told)


def must_be_due(desk: Desk, told: Told) -> None:
    """Ask once about what is given too soon, or at an age for which the pack has none.

    Raises:
        InputError: `confirm_needed`.
    """
    state, day = told.due.state, told.due.day
    if state == "too-soon" and day is not None:
        since = (date(1970, 1, 1) + timedelta(days=day)).isoformat()
        desk.confirmed("intervention_too_soon", "data.intervention", allowed=(since,))
    if state in ("too-young", "too-old"):
        desk.confirmed("intervention_not_at_age", "data.intervention")


def days_had(histories: Sequence[History], row: Intervention, items: Items | None) -> list[int]:
    """Return the days on which a person had an intervention, in a session or elsewhere.

    Of a medicine it is every time that anybody gave it, whatever for; of what is not known to the
    day the latest it may have been.

    Args:
        histories: Of all records of the person.
        row: Of the pack.
        items: The catalogue in use; None: what came with the software.
    """
    names = _substances(row, items)
    facts = [
        fact
        for history in histories
        for kind in (KindNo.ADMINISTRATION_RECORD, KindNo.OBSERVATION_RECORD)
        for fact in current(history, kind)
    ]
    return [_day(fact) for fact in facts if _is(fact, row, names)]


def _is(fact: Fact, row: Intervention, names: Collection[str]) -> bool:
    # The kinds are read by what they have: both build on this file.
    record = fact.record
    if getattr(record, "status", 0) or getattr(record, "absent", 0):
        return False
    told: Beside | None = getattr(record, "beside", None)
    if told is not None and told.code == row.code:
        return True
    return bool(names) and fold(getattr(record, "substance", "")) in names


def _substances(row: Intervention, items: Items | None) -> set[str]:
    known = (items or shipped_items()).by_code()
    found = {fold(each.substance) for each in row.age}
    for each in row.age:
        if each.item in known:
            found.update(map(fold, known[each.item].substances))
    return found - {""}


def _day(fact: Fact) -> int:
    told: Beside | None = getattr(fact.record, "beside", None)
    if told is not None and told.day is not None:
        return told.day
    day, stated = fact.at_ms // DAY_MS, fact.record.circumstances if fact.record else None
    if stated is None or stated.at_s is None or stated.precision in (*TIMED, "day"):
        return day
    return stretch(day, stated.precision)[1]


# rows, merge note: see `intervention.py`.
