"""What sessions, vials, doses and tallies share: vaccines and lots by name, and closed lists."""

from __future__ import annotations

import re
from datetime import date, timedelta
from functools import lru_cache
from typing import NamedTuple

import msgspec

from protocols.errors import InputError
from protocols.guidelines import items, schedules
from protocols.guidelines.interventions import (
    Intervention,
    Interventions,
    shipped_interventions,
)
from protocols.guidelines.items import Items
from protocols.guidelines.schedules import ROUTINE, Schedule
from protocols.guidelines.schedules import Plan as Immunization
from protocols.guidelines.vaccines import Vaccine, Vaccines
from protocols.ids import DocId, FactRef, SessionId
from protocols.records.moment import IMPLAUSIBLE_BEFORE_MS
from protocols.records.movement import Day, lot_text
from protocols.records.planning import CLOCK_DOUBTFUL
from protocols.records.shape import Fact, View
from protocols.records.spelling import DayText
from protocols.records.zones import Offsets, local_day

BODY_SITES = (
    "other",
    "left-arm",
    "right-arm",
    "left-thigh",
    "right-thigh",
    "mouth",
    "left-buttock",
    "right-buttock",
    "wound",
)
"""Where a vaccine went, by position on the wire; only ever added to at the end."""

ROUTES = ("other", "im", "sc", "id", "oral", "nasal")
"""How, by position on the wire; the words of the vaccines pack."""

VVM_STAGES = (1, 2, 3, 4)
"""Stage of the vial's monitor; from 3 on it is past its point of discard."""
VVM_USABLE = 2

CODE_CHARS_MAX = 20
DOSE_MAX = 12
"""Above any number in a series; what a series has is asked of its pack."""


class Lot(msgspec.Struct, array_like=True, frozen=True):
    """A lot of a vaccine that a session has with it."""

    item: str = ""
    """Code in the catalogue."""
    vaccine: str = ""
    lot: str = ""
    expiry: Day | None = None


class LotData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One of `data.lots` of a session."""

    item: str
    lot: str
    expiry: DayText | None = None


def immunization(view: View, name: str | None = None, where: str = "data.schedule") -> Immunization:
    """Return a schedule in use with the vaccines in use.

    Args:
        view: The book.
        name: Of the pack; None or '' is the routine one.
        where: The field, for a refusal.

    Raises:
        InputError: `bad_value`: there is no schedule of this name.
    """
    schedule, vaccines = view.pack(name or ROUTINE), view.pack("vaccines")
    if not isinstance(schedule, Schedule) or not isinstance(vaccines, Vaccines):
        raise InputError("bad_value", field=where, allowed=(ROUTINE, schedules.OUTBREAK))
    return _joined(_Same(schedule), _Same(vaccines))


class _Same:
    """A pack by which object it is: packs in use are read once."""

    __slots__ = ("pack",)

    def __init__(self, pack: Schedule | Vaccines) -> None:
        self.pack = pack

    def __hash__(self) -> int:
        return id(self.pack)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Same) and other.pack is self.pack


@lru_cache(16)
def _joined(schedule: _Same, vaccines: _Same) -> Immunization:
    assert isinstance(schedule.pack, Schedule)
    assert isinstance(vaccines.pack, Vaccines)
    return schedules.plan(schedule.pack, vaccines.pack)


def read_vaccine(plan: Immunization, text: str, where: str) -> Vaccine:
    """Return a vaccine by its local code, or by a CVX code that only one has.

    Raises:
        InputError: `unknown_vaccine`, naming those there are.
    """
    known = plan.vaccines.get(text)
    if known is None and text.isdecimal():
        same = [row for row in plan.vaccines.values() if row.cvx == text]
        known = same[0] if len(same) == 1 else None
    if known is None:
        raise InputError("unknown_vaccine", field=where, allowed=tuple(sorted(plan.vaccines)))
    return known


def read_antigen(plan: Immunization, text: str, where: str) -> str:
    """Return an antigen that some vaccine gives.

    Raises:
        InputError: `bad_value`.
    """
    known = sorted({name for row in plan.vaccines.values() for name in row.antigens})
    if text not in known:
        raise InputError("bad_value", field=where, allowed=tuple(known))
    return text


def interventions_in_use(view: View) -> Interventions:
    """Return the pack of interventions that this node works by."""
    held = view.pack("interventions")
    return held if isinstance(held, Interventions) else shipped_interventions()


def intervention_named(pack: Interventions, code: str, where: str) -> Intervention:
    """Return an intervention by its code.

    Raises:
        InputError: `bad_value`, naming those there are.
    """
    found = pack.of_code(code)
    if found is None:
        known = tuple(row.code for row in pack.intervention)
        raise InputError("bad_value", field=where, allowed=known)
    return found


def vaccine_item(view: View, text: str, where: str) -> items.Item:
    """Return a vaccine as stores keep it.

    Raises:
        InputError: `unknown_item`, or `not_a_vaccine`.
    """
    pack = view.pack("items")
    assert pack is None or isinstance(pack, Items)
    found = items.named(text, where, pack)
    if not found.vaccine:
        raise InputError("not_a_vaccine", field=where)
    return found


def read_lot(view: View, data: LotData, where: str) -> Lot:
    """Return one lot of a vaccine."""
    item = vaccine_item(view, data.item, f"{where}.item")
    lot = lot_text(data.lot, f"{where}.lot")
    if not lot:
        raise InputError("empty", field=f"{where}.lot")
    expiry = None if data.expiry is None else read_day(data.expiry, f"{where}.expiry")
    return Lot(item.code, item.vaccine, lot, expiry)


def must_be_a_dose(plan: Immunization, vaccine: Vaccine, number: int, where: str) -> None:
    """Refuse a number that no series of a vaccine has.

    Raises:
        InputError: `impossible`, naming the numbers there are.
    """
    numbers = dose_numbers(plan, vaccine)
    if number not in (numbers or range(DOSE_MAX + 1)):
        told = f"{min(numbers)}-{max(numbers)}" if numbers else f"0-{DOSE_MAX}"
        raise InputError("impossible", field=where, allowed=(told,))


def dose_numbers(plan: Immunization, vaccine: Vaccine) -> set[int]:
    """Return the numbers that doses of a vaccine have in its series; {} where it has none."""
    return {
        dose.number
        for series in plan.schedule.series
        if plan.counts(series, vaccine.code)
        for course in series.course
        for dose in course.dose
    }


def read_day(text: str, where: str) -> int:
    """Return a day, counted from 1970-01-01; of a month alone the last one, as on a package.

    Raises:
        InputError: `bad_date`.
    """
    shape = text.strip()
    try:
        if re.fullmatch(r"\d{4}-\d\d", shape, re.ASCII):
            first = date.fromisoformat(f"{shape}-01")
            found = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        elif re.fullmatch(r"\d{4}-\d\d-\d\d", shape, re.ASCII):
            found = date.fromisoformat(shape)
        else:
            raise ValueError
    except (ValueError, OverflowError):
        raise InputError("bad_date", field=where, allowed=("YYYY-MM", "YYYY-MM-DD")) from None
    day = (found - date(1970, 1, 1)).days
    if not 0 <= day <= LAST_DAY:
        raise InputError("bad_date", field=where, allowed=("YYYY-MM", "YYYY-MM-DD"))
    return day


LAST_DAY = 73_000
"""The end of `movement.Day`, in the year 2169."""


def session_of(text: str, where: str) -> SessionId:
    """Return the id of a session.

    Raises:
        InputError: `bad_id`.
    """
    try:
        return SessionId.parse(text)
    except InputError as error:
        raise error.at(where) from None


def fact_named(text: str, where: str) -> FactRef:
    """Return the id of a fact.

    Raises:
        InputError: `bad_id`.
    """
    try:
        return FactRef.parse(text)
    except InputError as error:
        raise error.at(where) from None


def clock_doubtful(fact: Fact) -> bool:
    """Whether the time of a record cannot be right."""
    stated = fact.record.circumstances if fact.record else None
    marked = stated is not None and CLOCK_DOUBTFUL in stated.confirmed
    timed = stated is not None and stated.at_s is not None
    return (marked and not timed) or fact.at_ms < IMPLAUSIBLE_BEFORE_MS


TIMED = ("", "hour")
"""Precisions with which a time of day is known; a day stated alone is one of the place already."""


class Span(NamedTuple):
    """A session on the clock: what was done in it was done between its opening and its close."""

    offsets: Offsets
    opened_ms: int | None
    """None: no clock that could be right says when."""
    closed_ms: int | None

    def moment(self, at_ms: int, *, doubtful: bool) -> int | None:
        """Return when something of the session was done, Unix milliseconds; None: nobody knows.

        What a clock says that cannot be right is counted when the session opened, and what lies
        outside the session at its nearer end.
        """
        if doubtful:
            return self.opened_ms
        if self.opened_ms is None or self.closed_ms is None or self.closed_ms < self.opened_ms:
            return at_ms
        return min(max(at_ms, self.opened_ms), self.closed_ms)

    def day_of(self, at_ms: int, *, doubtful: bool) -> int | None:
        """Return the day there on which something was done, counted from 1970-01-01."""
        found = self.moment(at_ms, doubtful=doubtful)
        return None if found is None else local_day(self.offsets, found)


def is_id(raw: bytes | None) -> bool:
    """Whether this can be an id of a subject, or is none at all."""
    return raw is None or len(raw) == DocId.SIZE
