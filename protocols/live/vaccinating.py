"""Calls of the local socket about vaccination sessions: what a drive's screen is told.

Everything here runs on the node's thread and reads rows or facts; nothing is decided by it. A dose
is judged by the schedule of its session, by the packs this node works by.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec

from protocols.errors import InputError
from protocols.guidelines.immunization import (
    Born,
    Forecast,
    Rule,
    Terms,
    born_stated,
    forecast,
    next_visit,
)
from protocols.guidelines.schedules import Plan
from protocols.ids import FactRef, PatientId, SessionId
from protocols.ledger import audit, coverage, immunization, reading, stores, vials
from protocols.ledger.authors import Authors
from protocols.ledger.book import Ledger
from protocols.ledger.view import BookView
from protocols.live import lastchildren
from protocols.live.answers import board_line
from protocols.live.dosedays import day_text, dose_day
from protocols.live.drive import (
    Cell,
    Child,
    Drive,
    GiveLine,
    GivenLine,
    RuleLine,
    SeriesLine,
    SessionLine,
    Sessions,
    VaccineLine,
    VialLine,
    Words,
)
from protocols.live.members import Reader
from protocols.live.stoppedlots import recalled_lots, stop_of
from protocols.mesh.effects import Now
from protocols.mesh.node import Node
from protocols.records.display import clean_text
from protocols.records.immune import primary_series
from protocols.records.session import SessionRow, chosen_of, interventions_of, offsets_of
from protocols.records.zones import local_day

SESSIONS_MAX = 200
AGES = {"y": 130, "mo": 1_560, "w": 520, "d": 3_650}
"""Highest age of each unit that is taken."""

Opened = Callable[[PatientId], bool]

# sessions


def sessions(node: Node, now: Now, args: Mapping[str, Any]) -> Sessions:
    """`sessions`: those that are open, or all of them; see `Sessions`."""
    ledger = node.ledger
    found = [row for row in coverage.sessions(ledger) if args.get("closed") or not row.closed_ms]
    found = sorted(found, key=lambda row: (-row.opened_ms, row.id))[:SESSIONS_MAX]
    who = Authors(ledger).of_entries(row.entry for row in found)
    own = ledger.authority.device
    return Sessions(
        tuple(
            session_line(ledger, row, mine=row.entry in who and who[row.entry].device == own)
            for row in found
        )
    )


def session_line(ledger: Ledger, row: SessionRow, *, mine: bool) -> SessionLine:
    """Return one session as lists show it."""
    lots = msgspec.json.decode(row.lots)
    return SessionLine(
        id=str(SessionId(row.id)),
        place=row.place,
        site=clean_text(stores.site_name(ledger, row.site)),
        team=row.team,
        vaccines=tuple(msgspec.json.decode(row.vaccines)),
        opened_ms=row.opened_ms,
        closed_ms=row.closed_ms,
        mine=mine,
        store=clean_text(stores.site_name(ledger, row.store)),
        lots=tuple((item, lot) for item, _, lot, _ in lots),
        crowd=row.cells != "[]",
        unsettled=bool(row.unsettled),
        interventions=interventions_of(row),
    )


def session_row(ledger: Ledger, args: Mapping[str, Any]) -> SessionRow:
    """Return the session that a call is about.

    Raises:
        InputError: `bad_line`, `bad_id`, `not_found`.
    """
    named = args.get("session")
    if not isinstance(named, str):
        raise InputError("bad_line", field="args.session")
    wanted = bytes(SessionId.parse(named))
    found = BookView(ledger, 0).rows_where(SessionRow, "id", wanted)
    if not found or found[0].replaced == 2:
        raise InputError("not_found", field="args.session")
    return found[0]


# one session


def drive(node: Node, now: Now, args: Mapping[str, Any]) -> Drive:
    """`drive`: one session as its screen shows it; see `Drive`."""
    ledger = node.ledger
    row = session_row(ledger, args)
    plan = immunization.plan_in_use(ledger, row.schedule)
    counted: dict[str, int] = {}
    for each in coverage.counts(ledger, row.id):
        counted[each.vaccine] = counted.get(each.vaccine, 0) + each.doses
    of_cell = dict(
        ledger.store.all(
            "SELECT digit, sum(n) FROM tally WHERE session = ? AND standing = 0 AND replaced = 0"
            " GROUP BY digit",
            (bytes(row.id),),
        )
    )
    held = vials.vials(ledger, now.wall_ms, row.id)
    items = stores.catalogue(ledger).item
    who = Authors(ledger).of_entries([row.entry])
    mine = row.entry in who and who[row.entry].device == ledger.authority.device
    children, not_given, last_hour = lastchildren.numbers(ledger, row, now.wall_ms)
    late = lastchildren.late(ledger, row)
    head = plan.schedule.pack
    return Drive(
        session=session_line(ledger, row, mine=mine),
        vaccines=tuple(
            VaccineLine(
                code,
                words_of(plan, code),
                tuple(item.code for item in items if item.vaccine == code),
                counted.get(code, 0),
            )
            for code in msgspec.json.decode(row.vaccines)
        ),
        cells=tuple(
            Cell(digit, code, words_of(plan, code), dose, band, sex, of_cell.get(digit, 0))
            for digit, code, dose, band, sex, *_ in msgspec.json.decode(row.cells)
        ),
        vials=tuple(
            vial_line(plan, each, stop_of(ledger, each, row, now.wall_ms))
            for each in held
            if not each.closed
        ),
        children=children,
        not_given=not_given,
        wasted=sum(each.wasted for each in held),
        seconds_a_child=lastchildren.seconds(ledger, late),
        last_hour=last_hour,
        last=lastchildren.last(ledger, late),
        schedule=f"{clean_text(head.name)} {clean_text(head.version)}",
        approved=bool(head.approved_by),
    )


def vials_of(node: Node, now: Now, args: Mapping[str, Any]) -> list[VialLine]:
    """`session_vials`: every vial of a session, those in use first."""
    row = session_row(node.ledger, args)
    plan = immunization.plan_in_use(node.ledger, row.schedule)
    found = vials.vials(node.ledger, now.wall_ms, row.id)
    return [
        vial_line(plan, each, stop_of(node.ledger, each, row, now.wall_ms))
        for each in sorted(found, key=lambda one: one.closed)
    ]


def vial_line(plan: Plan, vial: vials.Vial, stop: str) -> VialLine:
    """Return one vial as it is shown, with why nobody may be given of it."""
    return VialLine(
        id=str(vial.ref),
        item=vial.item,
        vaccine=vial.vaccine,
        words=words_of(plan, vial.vaccine),
        lot=vial.lot,
        expiry=day_text(vial.expiry_day),
        opened_ms=vial.opened_ms,
        doses=vial.doses,
        drawn=vial.drawn,
        left=vial.left,
        limit_ms=vial.limit_ms,
        past=vial.past,
        closed=vial.closed,
        wasted=vial.wasted,
        why=vial.why,
        stop=stop,
    )


def words_of(plan: Plan, code: str) -> Words:
    """Return the words for a vaccine; its code where no pack knows it."""
    known = plan.vaccines.get(code)
    return known.words if known is not None else {"en": clean_text(code)}


# one child


def child(node: Node, now: Now, args: Mapping[str, Any], *, opened: Opened) -> Child:
    """`child`: what somebody known, or of an age, needs today; see `Child`."""
    ledger = node.ledger
    if ledger.authority.keyring.closed:
        raise InputError("sealed_here")
    named, row = args.get("patient"), None
    held = session_row(ledger, args) if args.get("session") else None
    schedule = held.schedule if held is not None else ""
    terms = Terms(chosen_of(held), held.campaign) if held is not None else Terms()
    today = local_day(offsets_of(held) if held is not None else (), now.wall_ms)
    plan = immunization.plan_in_use(ledger, schedule)
    if named:
        if not isinstance(named, str):
            raise InputError("bad_line", field="args.patient")
        patient = PatientId.parse(named)
        teams = () if opened(patient) else audit.other_team(ledger, patient)
        if teams:
            raise InputError("other_team", field="patient", teams=tuple(map(clean_text, teams)))
        row = reading.patient(ledger, patient)
        if row is None:
            raise InputError("not_found", field="patient")
        known = immunization.child(ledger, patient, today, schedule=schedule, terms=terms)
    else:
        born = _stated(args, today)
        known = immunization.Child(
            born, (), (), forecast((), born, today, plan, terms), None, "", "", approved=False
        )
    head, coming = plan.schedule.pack, known.next_visit
    still: tuple[str, ...] = ()
    if held is not None:
        own = _of_session(plan, held, known.due)
        coming = next_visit([each for each in own if not each.wanted], today)
        still = tuple(each.series for each in own if each.wanted)
    shown = {series.id: series.words for series in plan.schedule.series}
    return Child(
        head=None if row is None else board_line(row, now.wall_ms),
        give=_give(ledger, plan, held, known, now.wall_ms) if held is not None else (),
        series=tuple(_series(plan, each, shown) for each in known.due),
        doses=given_lines(plan, known.doses, known.spare, recalled_lots(ledger)),
        next_day=day_text(coming.day) if coming else "",
        next_series=tuple(shown.get(each, {"en": each}) for each in coming.series)
        if coming
        else (),
        next_sure=coming.sure if coming else True,
        still=tuple(shown.get(each, {"en": each}) for each in still),
        schedule=f"{clean_text(head.name)} {clean_text(head.version)}",
        approved=bool(head.approved_by),
    )


def _of_session(plan: Plan, held: SessionRow, due: Sequence[Forecast]) -> list[Forecast]:
    """Return what is said of the series that vaccines of a session are given for."""
    codes: list[str] = msgspec.json.decode(held.vaccines)
    known = plan.schedule.of_id
    return [
        each
        for each in due
        if (row := known(each.series)) is not None and any(plan.counts(row, one) for one in codes)
    ]


def _stated(args: Mapping[str, Any], today: int) -> Born:
    age, unit = args.get("age"), args.get("unit")
    if not isinstance(age, int) or isinstance(age, bool) or unit not in AGES:
        raise InputError("bad_line", field="args.age")
    if not 0 <= age <= AGES[unit]:
        raise InputError("out_of_range", field="args.age", allowed=(f"0-{AGES[unit]}",))
    return born_stated(age, unit, today, estimated=bool(args.get("estimated")))


def _give(
    ledger: Ledger, plan: Plan, held: SessionRow, known: immunization.Child, now_ms: int
) -> tuple[GiveLine, ...]:
    """Return what the schedule says of each vaccine of a session, in the session's order.

    A series is given once: where two vaccines of the session would do, the first with an open
    vial is proposed. A vial whose lot was stopped comes after all others.
    """
    usable = [
        (stop_of(ledger, vial, held, now_ms), vial)
        for vial in vials.vials(ledger, now_ms, held.id)
        if not (vial.closed or vial.past) and vial.left > 0
    ]
    open_vials: dict[str, tuple[str, str]] = {}
    for stop, vial in sorted(usable, key=lambda one: bool(one[0])):
        open_vials.setdefault(vial.vaccine, (str(vial.ref), stop))
    codes: list[str] = msgspec.json.decode(held.vaccines)
    choose = chosen_of(held)
    served: set[str] = set()
    found: dict[str, GiveLine] = {}
    for code in sorted(codes, key=lambda one: bool(open_vials.get(one, ("", "?"))[1])):
        found[code], taken = _line(plan, code, choose, known, served)
        drawn, why = open_vials.get(code, ("", ""))
        found[code] = msgspec.structs.replace(found[code], vial=drawn, stop=why)
        served |= taken
    return tuple(found[code] for code in codes)


def _line(
    plan: Plan, code: str, choose: Sequence[str], known: immunization.Child, served: set[str]
) -> tuple[GiveLine, set[str]]:
    own = [row.id for row in plan.chosen(choose) if plan.counts(row, code)]
    told = {each.series: each for each in known.due if each.series in own}
    main = told.get(primary_series(plan, code, tuple(choose)))
    wanted = {each.series: each for each in told.values() if each.wanted and code in each.vaccines}
    free = wanted.keys() - served
    shown = main
    if free and (main is None or main.series not in free):
        shown = next(each for name, each in wanted.items() if name in free)
    if shown is None:
        return GiveLine(code, words_of(plan, code), "other"), set()
    state: str = shown.state
    if free and any(wanted[name].state == "overdue" for name in free):
        state = "overdue"
    elif not free and shown.wanted:
        state = "other"
    asks = {one.id: one.words for one in plan.reasons}
    line = GiveLine(
        vaccine=code,
        words=words_of(plan, code),
        state=state,
        series=shown.series,
        number=shown.number,
        doses=shown.doses,
        day=day_text(shown.day),
        rule=_why(plan, shown),
        ask=tuple(asks[one] for one in shown.ask if one in asks),
    )
    return line, free


def _series(plan: Plan, found: Forecast, words: Mapping[str, Words]) -> SeriesLine:
    return SeriesLine(
        series=found.series,
        words=words.get(found.series, {"en": found.series}),
        state=found.state,
        number=found.number,
        doses=found.doses,
        day=day_text(found.day),
        overdue_day=day_text(found.overdue_day),
        vaccines=found.vaccines,
        rule=_why(plan, found),
        sure=found.sure,
    )


def _why(plan: Plan, found: Forecast) -> RuleLine | None:
    """Return the rule that decided: the last one told."""
    return rule_line(plan, found.rules[-1]) if found.rules else None


def rule_line(plan: Plan, rule: Rule) -> RuleLine:
    """Return what said so, for a screen."""
    against = rule.name == "contraindication"
    found = next((one.words for one in plan.reasons if against and one.id == rule.limit), None)
    return RuleLine(
        name=rule.name,
        limit=clean_text(rule.limit),
        pack=clean_text(rule.pack),
        version=clean_text(rule.version),
        source=clean_text(rule.source),
        words=found or {},
    )


def given_lines(
    plan: Plan,
    doses: Sequence[immunization.Dose],
    spare: Collection[FactRef],
    recalled: Mapping[tuple[str, str], tuple[str, ...]],
) -> tuple[GivenLine, ...]:
    """Return records of doses with what each is for the schedule, and whether its lot stands."""
    return tuple(
        GivenLine(
            fact=str(one.ref),
            vaccine=one.row.vaccine,
            words=words_of(plan, one.row.vaccine),
            dose=one.row.dose,
            day=dose_day(one.row),
            status=one.row.status,
            lot=one.row.lot,
            states=tuple((each.series, each.state) for each in one.verdicts),
            rule=next(
                (
                    rule_line(plan, each.rules[0])
                    for each in one.verdicts
                    if each.state not in ("valid", "beside") and each.rules
                ),
                None,
            ),
            place=one.row.place,
            replaced=one.row.replaced,
            spare=one.ref in spare,
            recalled=recalled.get((one.row.vaccine, one.row.lot), ()),
        )
        for one in doses
    )


READS: dict[str, Reader] = {
    "sessions": sessions,
    "drive": drive,
    "session_vials": vials_of,
}
"""What is answered of sessions; no patient is named but by the code of a card."""
OF_PATIENT: dict[str, Callable[..., object]] = {"child": child}
"""Another team's child asks for a reason first."""
