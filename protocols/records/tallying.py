"""How doses are counted under a digit: what a dose by name is asked of its vial is asked here."""

from __future__ import annotations

import msgspec

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.records.kinds import KindNo
from protocols.records.moment import IMPLAUSIBLE_BEFORE_MS
from protocols.records.planning import Command, Desk, refs
from protocols.records.session import SessionRow, offsets_of, session_row
from protocols.records.shape import Draft, Kind, NewFact, Plan, SubjectKind, View
from protocols.records.spelling import FactText, SessionText
from protocols.records.tally import TALLY_MAX, TallyAdd
from protocols.records.vaccination import fact_named, session_of
from protocols.records.vial import vial_row
from protocols.records.vialuse import must_be_fit, must_be_open
from protocols.records.zones import local_day

# fields: see `tally.py`

# commands


class TallyData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of tally.add; a negative number takes back and needs the line's `reason`."""

    session: SessionText
    cell: int
    n: int = 1
    vial: FactText | None = None


# apply


def plan(command: Command, view: View) -> Plan:
    """Count doses under a digit of a session.

    The session's row is asked, not its records: there may be thousands of tallies.
    """
    desk = Desk(command, view)
    data: TallyData = command.data
    session = session_of(data.session, "data.session")
    held = session_row(view, session, "data.session")
    must_be_open(desk, held)
    bound = {digit: vaccine for digit, vaccine, *_ in msgspec.json.decode(held.cells)}
    if data.cell not in bound:
        raise InputError("bad_value", field="data.cell", allowed=tuple(map(str, bound)))
    if not data.n or abs(data.n) > TALLY_MAX:
        allowed = (f"1-{TALLY_MAX}", f"-{TALLY_MAX}--1")
        raise InputError("out_of_range", field="data.n", allowed=allowed)
    record = TallyAdd(
        n=data.n,
        digit=data.cell,
        vial=_vial(desk, held, data, bound[data.cell]),
        circumstances=desk.circumstances(reason_needed=data.n < 0),
        supersedes=refs(command.supersedes),
    )
    fact = NewFact(KindNo.TALLY_ADD, record)
    draft = Draft(Lane.ROUTINE, SubjectKind.SESSION, session, None, (fact,))
    return Plan((draft,), tuple(desk.warnings))


def _vial(
    desk: Desk, session: SessionRow, data: TallyData, vaccine: str
) -> tuple[bytes, int] | None:
    """Return the vial that was drawn from, once nothing is to be asked about it."""
    if data.vial is None:
        return None
    ref = fact_named(data.vial, "data.vial")
    vial = vial_row(desk.view, ref, "data.vial")
    if (vial.session, vial.vaccine) != (session.id, vaccine):
        raise InputError("other_vial", field="data.vial", allowed=(vial.vaccine,))
    if data.n > 0:
        must_be_fit(desk, vial, _day(desk, session), "data.vial", data.n)
    return bytes(ref.entry), ref.index


def _day(desk: Desk, session: SessionRow) -> int | None:
    at_ms = desk.at_ms()
    if at_ms < IMPLAUSIBLE_BEFORE_MS:
        return None
    return local_day(offsets_of(session), at_ms)


KIND = Kind(
    number=KindNo.TALLY_ADD,
    name="tally.add",
    value=TallyAdd,
    data=TallyData,
    plan=plan,
    example={
        "v": 1,
        "kind": "tally.add",
        "key": "example-54",
        "data": {"session": "$session", "cell": 1},
    },
)

# rows, merge note: see `tally.py`.
