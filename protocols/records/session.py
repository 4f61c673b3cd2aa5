"""A vaccination session: where, by whom, with what, for how many; `closing.py` ends it.

What a digit of crowd mode stands for is bound when the session opens and never changes: whoever
needs other cells opens another session.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Annotated, Any, ClassVar

import msgspec

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.guidelines.interventions import ROWS_MAX
from protocols.guidelines.schedules import Plan as Immunization
from protocols.ids import SessionId
from protocols.records.attributes import Band, Sex, code, word_of
from protocols.records.closing import SessionClose
from protocols.records.contested import current
from protocols.records.display import clean_text
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.movement import Day
from protocols.records.planning import Command, Desk, tidy
from protocols.records.shape import (
    Draft,
    Fact,
    Kind,
    NewFact,
    Plan,
    Row,
    Small,
    Statement,
    SubjectKind,
    View,
)
from protocols.records.spelling import DayText, one_of
from protocols.records.vaccination import (
    Lot,
    LotData,
    clock_doubtful,
    immunization,
    intervention_named,
    interventions_in_use,
    is_id,
    must_be_a_dose,
    read_antigen,
    read_day,
    read_lot,
    read_vaccine,
)
from protocols.records.zones import Offsets, read_zone

# fields


class Target(msgspec.Struct, array_like=True, frozen=True):
    """So many are to be vaccinated against something."""

    antigen: str = ""
    """Name in the vaccine pack."""
    number: Small = 0
    band: Small = 0
    """Age band; 0 = all of them."""


class Cell(msgspec.Struct, array_like=True, frozen=True):
    """What one digit counts: doses of a vaccine, or what is given or done beside them."""

    digit: Small = 0
    vaccine: str = ""
    """'' where it counts an intervention."""
    dose: Small = 0
    """Number in its series; 0 is the dose before the first, as at birth."""
    band: Small = int(Band.UNKNOWN)
    sex: Small = int(Sex.UNKNOWN)
    intervention: str = ""
    """Code in the pack of interventions; never a dose, and in no coverage."""


class SessionOpen(Statement, frozen=True):
    """A team begins to vaccinate at a place."""

    site: bytes | None = None
    place: str = ""
    team: tuple[str, ...] = ()
    zone: str = ""
    """As it was named; for people."""
    offsets: Offsets = ()
    """What it comes to; its days are counted by this. Empty: UTC."""
    vaccines: tuple[str, ...] = ()
    """Codes in the vaccine pack."""
    targets: tuple[Target, ...] = ()
    lots: tuple[Lot, ...] = ()
    """Taken along."""
    store: bytes | None = None
    """The site whose stock its vials come from."""
    cells: tuple[Cell, ...] = ()
    schedule: str = ""
    """Name of the pack its doses are judged by; '' = the routine one."""
    choose: tuple[str, ...] = ()
    """Series of that pack that are worked by though they are optional."""
    campaign: Day | None = None
    """First day of the campaign; doses before it do not count towards a campaign's series."""
    interventions: tuple[str, ...] = ()
    """Codes in the pack of interventions: what it gives or does beside its vaccines."""

    def __post_init__(self) -> None:
        """Refuse what is no site's id."""
        if not (is_id(self.site) and is_id(self.store)):
            raise ValueError("site")


# commands


class TargetData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One of `data.targets`."""

    antigen: str
    number: int
    band: Annotated[int, one_of(Band)] | None = None
    """Digit of an age band; none = all."""


class CellData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One of `data.cells`; the digits are 1 to 9 in their order unless they are named."""

    vaccine: str | None = None
    dose: int = 1
    band: Annotated[int, one_of(Band)] | None = None
    sex: Annotated[str, word_of(Sex)] | None = None
    digit: int | None = None
    intervention: str | None = None
    """In the place of a vaccine and a dose."""


class OpenData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of session.open; the line's `site` is where, its `store` what it draws from."""

    vaccines: list[str] = []
    """None where only `interventions` are given."""
    place: str | None = None
    team: list[str] = []
    zone: str | None = None
    """A time zone, as `Africa/Bujumbura` or `+02:00`."""
    targets: list[TargetData] = []
    lots: list[LotData] = []
    cells: list[CellData] = []
    schedule: str | None = None
    """Name of a schedule pack, such as `schedule-outbreak`."""
    choose: list[str] = []
    """Ids of its optional series."""
    campaign: DayText | None = None
    """First day of the campaign, YYYY-MM-DD."""
    interventions: list[str] = []
    """Codes in the pack of interventions, such as `vitamin-a`."""


CELLS_MAX = 9
VACCINES_MAX = 24
TARGETS_MAX = 64
LOTS_MAX = 64
TEAM_MAX = 24
NAME_CHARS_MAX = 60
PLACE_CHARS_MAX = 120
NUMBER_MAX = 10_000_000

# apply


def plan(command: Command, view: View) -> Plan:
    """A new session; it founds its own subject."""
    desk = Desk(command, view)
    data: OpenData = command.data
    _must_fit(data)
    site = desk.site(command.site, "site") or view.home_site
    store = desk.store_if_any()
    by = immunization(view, data.schedule, "data.schedule")
    vaccines = [
        read_vaccine(by, text, f"data.vaccines.{at}").code for at, text in enumerate(data.vaccines)
    ]
    beside = _interventions(view, data)
    record = SessionOpen(
        circumstances=desk.circumstances(),
        site=None if site is None else bytes(site),
        place=tidy(data.place, "data.place", PLACE_CHARS_MAX) if data.place else "",
        team=tuple(
            tidy(name, f"data.team.{at}", NAME_CHARS_MAX) for at, name in enumerate(data.team)
        ),
        zone=data.zone or "",
        offsets=read_zone(data.zone, desk.at_ms(), "data.zone") if data.zone else (),
        vaccines=tuple(dict.fromkeys(vaccines)),
        targets=tuple(_target(by, each, at) for at, each in enumerate(data.targets)),
        lots=tuple(read_lot(view, each, f"data.lots.{at}") for at, each in enumerate(data.lots)),
        store=None if store is None else bytes(store),
        cells=_cells(by, beside, data.cells),
        schedule=data.schedule or "",
        choose=_chosen(by, data.choose),
        campaign=None if data.campaign is None else read_day(data.campaign, "data.campaign"),
        interventions=beside,
    )
    fact = NewFact(KindNo.SESSION_OPEN, record)
    draft = Draft(Lane.ROUTINE, SubjectKind.SESSION, None, None, (fact,))
    return Plan((draft,), tuple(desk.warnings))


def session_row(view: View, session: SessionId, where: str) -> SessionRow:
    """Return a session that is known here.

    Raises:
        InputError: `not_found`: there is none, or it was entered in error.
    """
    found = view.rows_where(SessionRow, "id", session)
    if not found or found[0].replaced == 2:
        raise InputError("not_found", field=where)
    return found[0]


def _must_fit(data: OpenData) -> None:
    if not (data.vaccines or data.interventions):
        raise InputError("empty", field="data.vaccines")
    for name, items, limit in (
        ("vaccines", data.vaccines, VACCINES_MAX),
        ("targets", data.targets, TARGETS_MAX),
        ("lots", data.lots, LOTS_MAX),
        ("cells", data.cells, CELLS_MAX),
        ("team", data.team, TEAM_MAX),
        ("choose", data.choose, VACCINES_MAX),
        ("interventions", data.interventions, ROWS_MAX),
    ):
        if len(items) > limit:
            raise InputError("too_many", field=f"data.{name}", limit=limit)


def _chosen(plan: Immunization, names: Sequence[str]) -> tuple[str, ...]:
    known = tuple(row.id for row in plan.schedule.series)
    for at, name in enumerate(names):
        if name not in known:
            raise InputError("bad_value", field=f"data.choose.{at}", allowed=known)
    return tuple(dict.fromkeys(names))


def _target(plan: Immunization, data: TargetData, at: int) -> Target:
    where = f"data.targets.{at}"
    _within(data.number, NUMBER_MAX, f"{where}.number")
    antigen = read_antigen(plan, data.antigen, f"{where}.antigen")
    return Target(antigen, data.number, _band(data.band, where) or 0)


def _interventions(view: View, data: OpenData) -> tuple[str, ...]:
    pack = interventions_in_use(view)
    return tuple(
        dict.fromkeys(
            intervention_named(pack, code, f"data.interventions.{at}").code
            for at, code in enumerate(data.interventions)
        )
    )


def _cells(
    plan: Immunization, beside: Sequence[str], cells: Sequence[CellData]
) -> tuple[Cell, ...]:
    found: dict[int, Cell] = {}
    for at, each in enumerate(cells):
        where = f"data.cells.{at}"
        digit = at + 1 if each.digit is None else each.digit
        if not 1 <= digit <= CELLS_MAX:
            raise InputError("out_of_range", field=f"{where}.digit", allowed=(f"1-{CELLS_MAX}",))
        if digit in found:
            raise InputError("digit_twice", field=f"{where}.digit")
        counted = _counted(plan, beside, each, where)
        sex = Sex.UNKNOWN if each.sex is None else code(Sex, each.sex, f"{where}.sex")
        band = _band(each.band, where) or int(Band.UNKNOWN)
        found[digit] = msgspec.structs.replace(counted, digit=digit, band=band, sex=int(sex))
    return tuple(found[digit] for digit in sorted(found))


def _counted(plan: Immunization, beside: Sequence[str], cell: CellData, where: str) -> Cell:
    """Return what a cell counts: doses of a vaccine, or an intervention of the session."""
    if cell.intervention is None:
        if cell.vaccine is None:
            allowed = ("vaccine", "intervention")
            raise InputError("missing_field", field=f"{where}.vaccine", allowed=allowed)
        vaccine = read_vaccine(plan, cell.vaccine, f"{where}.vaccine")
        must_be_a_dose(plan, vaccine, cell.dose, f"{where}.dose")
        return Cell(vaccine=vaccine.code, dose=cell.dose)
    if cell.vaccine is not None:
        raise InputError("not_taken", field=f"{where}.vaccine", kind=f"{where}.intervention")
    if cell.intervention not in beside:
        raise InputError("bad_value", field=f"{where}.intervention", allowed=tuple(beside))
    return Cell(intervention=cell.intervention)


def _band(digit: int | None, where: str) -> int | None:
    if digit is not None and digit not in set(Band):
        raise InputError("bad_value", field=f"{where}.band", allowed=_BANDS)
    return digit


def _within(number: int, most: int, where: str) -> None:
    if not 0 <= number <= most:
        raise InputError("out_of_range", field=where, allowed=(f"0-{most}",))


_BANDS = tuple(str(int(band)) for band in Band)

# rows


class SessionRow(Row, frozen=True, kw_only=True, gc=False):
    """One session as it is known now."""

    TABLE: ClassVar[str] = "session"
    INDEXED: ClassVar[tuple[str, ...]] = ("id", "site")
    id: bytes
    site: bytes | None
    place: str
    team: str
    """Names, each on its own."""
    zone: str
    offsets: str
    """JSON of `zones.Offsets`: its days are counted by these."""
    vaccines: str
    """JSON, a list of codes."""
    targets: str
    """JSON, a list of [antigen, number, band]; band 0 = all."""
    lots: str
    """JSON, a list of [item, vaccine, lot, expiry day]."""
    cells: str
    """JSON, a list of [digit, vaccine, dose, band, sex]; behind these the code of an intervention,
    where it counts one."""
    store: bytes | None
    schedule: str
    choose: str
    """JSON, a list of ids of series."""
    campaign: int | None
    """First day of the campaign, days since 1970-01-01."""
    opened_ms: int
    closed_ms: int | None = None
    left: str = "[]"
    """JSON, a list of [item, lot, doses]; of the latest close."""
    text: str = ""
    doubtful: int = 0
    """1: the clock it was opened by could not be right."""
    unsettled: int = 0
    """1 while it was closed apart with different things left."""
    interventions: str = "[]"
    """JSON, a list of codes."""


def rows(history: History) -> list[SessionRow]:
    """Return the session's one row, or none while it is not known how it began."""
    opened = opening_of(history)
    if opened is None:
        return []
    record = opened.record
    assert isinstance(record, SessionOpen)
    closing = current(history, KindNo.SESSION_CLOSE)
    last = max(closing, key=lambda fact: (fact.order, fact.index), default=None)
    ending: Any = last.record if last is not None else SessionClose()
    return [
        SessionRow(
            entry=opened.entry,
            idx=opened.index,
            kind=opened.kind,
            standing=opened.standing,
            at_ms=opened.at_ms,
            supersedes=history.supersedes(opened),
            replaced=history.replaced(opened),
            id=history.subject,
            site=record.site,
            place=clean_text(record.place),
            team=", ".join(map(clean_text, record.team)),
            zone=clean_text(record.zone),
            offsets=_json(record.offsets),
            vaccines=_json([clean_text(code) for code in record.vaccines]),
            targets=_json([(clean_text(t.antigen), t.number, t.band) for t in record.targets]),
            lots=_json([_of_lot(lot) for lot in record.lots]),
            cells=_json([_of_cell(cell) for cell in record.cells]),
            store=record.store,
            schedule=clean_text(record.schedule),
            choose=_json([clean_text(name) for name in record.choose]),
            campaign=record.campaign,
            opened_ms=opened.at_ms,
            closed_ms=None if last is None else last.at_ms,
            left=_json([(clean_text(x.item), clean_text(x.lot), x.doses) for x in ending.left]),
            text=clean_text(ending.text),
            doubtful=int(clock_doubtful(opened)),
            unsettled=int(len({fact.record.left for fact in closing}) > 1),  # type: ignore[union-attr]
            interventions=_json([clean_text(code) for code in record.interventions]),
        )
    ]


@lru_cache(256)
def _offsets(text: str) -> tuple[tuple[int, int], ...]:
    return msgspec.json.decode(text, type=tuple[tuple[int, int], ...])


def offsets_of(row: SessionRow) -> tuple[tuple[int, int], ...]:
    """Return by what the days of a session are counted, for `zones.local_day`."""
    return _offsets(row.offsets)


@lru_cache(256)
def _names(text: str) -> tuple[str, ...]:
    return msgspec.json.decode(text, type=tuple[str, ...])


def chosen_of(row: SessionRow) -> tuple[str, ...]:
    """Return the series that a session works by though they are optional."""
    return _names(row.choose)


def interventions_of(row: SessionRow) -> tuple[str, ...]:
    """Return the codes of what a session gives or does beside its vaccines."""
    return _names(row.interventions)


def opening_of(history: History) -> Fact | None:
    """Return the fact that founded the session, whoever else says to have opened it."""
    facts = history.of_kind.get(KindNo.SESSION_OPEN, ())
    founded = (fact for fact in facts if bytes(fact.prefix) == history.subject)
    return next(founded, facts[0] if facts else None)


def cells_of(history: History) -> dict[int, Cell]:
    """Return what each digit counts in this session."""
    opened = opening_of(history)
    record = opened.record if opened is not None else None
    return {cell.digit: cell for cell in record.cells} if isinstance(record, SessionOpen) else {}


def _of_lot(lot: Lot) -> tuple[str, str, str, int | None]:
    return clean_text(lot.item), clean_text(lot.vaccine), clean_text(lot.lot), lot.expiry


def _of_cell(cell: Cell) -> tuple[int | str, ...]:
    beside = (clean_text(cell.intervention),) if cell.intervention else ()
    return cell.digit, clean_text(cell.vaccine), cell.dose, cell.band, cell.sex, *beside


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def own_words(record: SessionOpen) -> list[tuple[str, str]]:
    """Return what an opening says, as (catalogue key, text) pairs."""
    cells = " ".join(
        f"{cell.digit}={clean_text(cell.intervention)}"
        if cell.intervention
        else f"{cell.digit}={clean_text(cell.vaccine)}-{cell.dose}"
        for cell in record.cells
    )
    targets = " ".join(f"{clean_text(each.antigen)} {each.number}" for each in record.targets)
    said = (
        ("session", clean_text(record.place)),
        ("team", ", ".join(map(clean_text, record.team))),
        ("vaccines", " ".join(map(clean_text, (*record.vaccines, *record.interventions)))),
        ("target", targets),
        ("cells", cells),
    )
    return [said[0], *((key, text) for key, text in said[1:] if text)]


KIND = Kind(
    number=KindNo.SESSION_OPEN,
    name="session.open",
    value=SessionOpen,
    data=OpenData,
    plan=plan,
    stores=True,
    example={
        "v": 1,
        "kind": "session.open",
        "key": "example-50",
        "data": {
            "place": "Kome school",
            "team": ["R. Amin", "J. Cho"],
            "zone": "Africa/Bujumbura",
            "vaccines": ["mr"],
            "targets": [{"antigen": "measles", "number": 300, "band": 2}],
            "lots": [{"item": "vaccine-mr-10", "lot": "MR-0172B", "expiry": "2028-03"}],
            "cells": [
                {"vaccine": "mr", "dose": 1, "band": 2, "sex": "female"},
                {"vaccine": "mr", "dose": 1, "band": 2, "sex": "male"},
            ],
        },
    },
)
# merge note: a session is founded once, and nothing of what it was opened with changes. How it is
# closed apart: `closing.py`.
