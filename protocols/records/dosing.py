"""How a dose of vaccine is recorded: doubts are asked about once, the impossible is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import msgspec

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.guidelines.schedules import Plan as Immunization
from protocols.guidelines.vaccines import Vaccine
from protocols.ids import SessionId
from protocols.records.contested import shown
from protocols.records.dose import GIVEN, STATUSES, DoseRecord, dose_of, possible_days, sight
from protocols.records.history import History, Ref
from protocols.records.immune import doubts
from protocols.records.kinds import KindNo
from protocols.records.moment import IMPLAUSIBLE_BEFORE_MS
from protocols.records.movement import lot_text
from protocols.records.oneperson import histories_of
from protocols.records.planning import Command, Desk, refs, tidy
from protocols.records.session import SessionRow, offsets_of, session_row
from protocols.records.shape import (
    Draft,
    Kind,
    NewFact,
    Plan,
    Source,
    SubjectKind,
    View,
)
from protocols.records.spelling import FactText, SessionText, one_of
from protocols.records.stopped import GIVEN_ALREADY, Taken, must_be_usable
from protocols.records.vaccination import (
    BODY_SITES,
    ROUTES,
    TIMED,
    VVM_STAGES,
    VVM_USABLE,
    fact_named,
    immunization,
    must_be_a_dose,
    read_day,
    read_vaccine,
    session_of,
)
from protocols.records.vial import VialRow, vial_row
from protocols.records.vialuse import items_of, must_be_fit, must_be_open
from protocols.records.wordlists import position
from protocols.records.zones import local_day

# fields: see `dose.py`

# commands


class DoseData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of dose.record.

    With a `vial` the lot, its diluent and the session are the vial's. What a card says was given
    elsewhere has `source` paper and its date in the line's `at`: a day, or a month or a year where
    the card has no more.
    """

    vaccine: str | None = None
    """Local code, or a CVX code that only one vaccine has; the vial's, when it is not said."""
    dose: int | None = None
    """Number in the series; the next one, when it is not said."""
    series: str | None = None
    status: Annotated[str, one_of(STATUSES)] = "given"
    session: SessionText | None = None
    vial: FactText | None = None
    lot: str | None = None
    expiry: str | None = None
    diluent_lot: str | None = None
    route: Annotated[str, one_of(("", *ROUTES))] | None = None
    """As the pack has it, when it is not said."""
    body_site: Annotated[str, one_of(BODY_SITES)] | None = None
    vvm: int | None = None
    place: str | None = None


PLACE_CHARS_MAX = 80

# apply


def plan(command: Command, view: View) -> Plan:
    """Record a dose; what speaks against it is asked once, an impossible number is refused."""
    desk = Desk(command, view)
    data: DoseData = command.data
    patient = desk.patient()
    status = position(data.status, STATUSES, "data.status")
    vial = _vial(desk, data)
    session = _session(desk, data, vial)
    by = immunization(view, session.schedule if session else None)
    named = data.vaccine if data.vaccine is not None else vial.vaccine if vial else None
    if named is None:
        raise InputError("missing_field", field="data.vaccine", allowed=("vaccine", "vial"))
    vaccine = read_vaccine(by, named, "data.vaccine")
    if vial is not None and vial.vaccine != vaccine.code:
        raise InputError("other_vial", field="data.vial", allowed=(vial.vaccine,))
    if data.dose is not None:
        must_be_a_dose(by, vaccine, data.dose, "data.dose")
    elsewhere = _elsewhere(command, data, vial)
    draft = DoseRecord(
        circumstances=desk.circumstances(),
        vaccine=vaccine.code,
        day=day_of(desk, session),
        session=None if session is None else bytes(session.id),
        cvx=vaccine.cvx,
        status=status,
        place=tidy(data.place, "data.place", PLACE_CHARS_MAX) if data.place else "",
    )
    days = possible_days(draft, desk.view.now_ms)
    if days is not None and days[0] != days[1]:
        draft = msgspec.structs.replace(draft, day=None)
    if status == GIVEN:
        draft = _of_vial(desk, draft, data, vial)
        if not elsewhere:
            _must_be_fit(desk, draft, session, vial)
    # What a person had stands in every record of theirs: the number goes on, doubts are of all.
    histories = histories_of(desk, patient)
    history = histories[0]
    ask = status == GIVEN and not elsewhere
    verdict = doubts(desk, by, histories, draft, session, ask=ask)
    series = verdict.series if data.series is None else _series(by, data.series, vaccine.code)
    number = verdict.number if data.dose is None else data.dose
    if status == GIVEN:
        _once(desk, histories, draft, series, data.dose)
    route = _route(data, vaccine)
    record = msgspec.structs.replace(
        draft,
        circumstances=desk.circumstances(),
        supersedes=refs(desk.named(patient)),
        series=series,
        dose=number,
        seen=sight(history).heads(shown(history, KindNo.DOSE_RECORD)),
        route=None if status else route,
        body_site=None
        if data.body_site is None
        else position(data.body_site, BODY_SITES, "data.body_site"),
    )
    new = (NewFact(KindNo.DOSE_RECORD, record),)
    entry = Draft(Lane.ROUTINE, SubjectKind.PATIENT, patient, None, new)
    return Plan((entry,), tuple(desk.warnings))


def _vial(desk: Desk, data: DoseData) -> VialRow | None:
    if data.vial is None:
        return None
    ref = fact_named(data.vial, "data.vial")
    return vial_row(desk.view, ref, "data.vial")


def _session(desk: Desk, data: DoseData, vial: VialRow | None) -> SessionRow | None:
    if data.session is None:
        return (
            None if vial is None else session_row(desk.view, SessionId(vial.session), "data.vial")
        )
    session = session_of(data.session, "data.session")
    if vial is not None and vial.session != session:
        raise InputError("other_vial", field="data.vial", allowed=(str(SessionId(vial.session)),))
    return session_row(desk.view, session, "data.session")


def _elsewhere(command: Command, data: DoseData, vial: VialRow | None) -> bool:
    """Whether it is what a card says: then it needs its date, and is no act to ask about."""
    words = (Source.PAPER.name.lower(), Source.IMPORT.name.lower())
    told = command.source in words and vial is None and data.session is None
    if (told or data.place) and command.at is None:
        raise InputError("missing_field", field="at")
    return told


def day_of(desk: Desk, session: SessionRow | None) -> int | None:
    """Return the day there; of a clock that cannot be right, that of the session.

    A day that was stated as such is one of the place already. Without a session nobody said where
    it was, and a time is of its day in UTC.
    """
    at_ms, stated = desk.at_ms(), desk.circumstances()
    timed = stated is None or stated.precision in TIMED
    if at_ms >= IMPLAUSIBLE_BEFORE_MS or desk.command.at is not None:
        return local_day(offsets_of(session) if session and timed else (), at_ms)
    if session is None or session.doubtful:
        return None
    return local_day(offsets_of(session), session.opened_ms)


def _of_vial(desk: Desk, draft: DoseRecord, data: DoseData, vial: VialRow | None) -> DoseRecord:
    """Return the dose with what is known of where it was drawn from."""
    if data.vvm is not None and data.vvm not in VVM_STAGES:
        raise InputError("out_of_range", field="data.vvm", allowed=("1-4",))
    if data.vvm is not None and data.vvm > VVM_USABLE:
        desk.confirmed("vvm_past", "data.vvm")
    lot, diluent_lot = (
        lot_text(data.lot, "data.lot"),
        lot_text(data.diluent_lot, "data.diluent_lot"),
    )
    expiry = None if data.expiry is None else read_day(data.expiry, "data.expiry")
    if vial is not None:
        if lot and lot != vial.lot:
            raise InputError("other_vial", field="data.lot", allowed=(vial.lot,))
        lot, diluent_lot = vial.lot, diluent_lot or vial.diluent_lot
        expiry = vial.expiry_day if expiry is None else expiry
    return msgspec.structs.replace(
        draft,
        vial=None if vial is None else _unpacked(vial.vial),
        lot=lot,
        expiry=expiry,
        diluent_lot=diluent_lot,
        vvm=data.vvm or 0,
    )


def _must_be_fit(
    desk: Desk, draft: DoseRecord, session: SessionRow | None, vial: VialRow | None
) -> None:
    """Refuse a lot that nobody may use; ask about a vial that is past its limit or was closed."""
    must_be_open(desk, session)
    if draft.lot:
        store = vial.store if vial else session.store if session else None
        # A lot that is typed names no item: whichever holds the vaccine may be the recalled one.
        for item in (vial.item,) if vial else items_of(desk, draft.vaccine) or ("",):
            taken = Taken(store, item, draft.lot, draft.expiry)
            where = "data.vial" if vial else "data.lot"
            must_be_usable(desk, taken, draft.day, where, said=GIVEN_ALREADY)
    if vial is not None:
        must_be_fit(desk, vial, draft.day, "data.vial")


def _route(data: DoseData, vaccine: Vaccine) -> int | None:
    """Return the route as said, or else as the pack has it for the vaccine.

    A word that is none is refused of a dose that was not given too: nobody is to wonder at it.
    """
    said = data.route or vaccine.route
    return position(said, ROUTES, "data.route") if said else None


def _series(by: Immunization, text: str, vaccine: str) -> str:
    known = tuple(row.id for row in by.schedule.series if by.counts(row, vaccine))
    if text not in known:
        raise InputError("bad_value", field="data.series", allowed=known)
    return text


def _once(
    desk: Desk, histories: Sequence[History], draft: DoseRecord, series: str, number: int | None
) -> None:
    """Ask about a dose that is written down already: of that day, or of the number typed."""
    for fact in (fact for one in histories for fact in shown(one, KindNo.DOSE_RECORD)):
        record = dose_of(fact)
        if record.status != GIVEN or fact.ref in desk.command.supersedes:
            continue
        same_day = record.vaccine == draft.vaccine and record.day == draft.day is not None
        same_dose = number is not None and (record.series, record.dose) == (series, number)
        if same_day or same_dose:
            desk.confirmed("dose_given_already", "data", allowed=(str(fact.ref),))
            return


def _unpacked(reference: bytes) -> Ref:
    return bytes(reference[:16]), int.from_bytes(reference[16:18])


KIND = Kind(
    number=KindNo.DOSE_RECORD,
    name="dose.record",
    value=DoseRecord,
    data=DoseData,
    plan=plan,
    example={
        "v": 1,
        "kind": "dose.record",
        "key": "example-55",
        "patient": {"tag": "B12"},
        "data": {"vaccine": "mr", "vial": "$vial", "body_site": "left-arm"},
    },
)

# rows, merge note: see `dose.py`.
