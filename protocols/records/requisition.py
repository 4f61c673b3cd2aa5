"""A store asks for something, and somebody approves it: both before anything is set aside."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.guidelines import items
from protocols.ids import DocId, FactRef, SiteId
from protocols.records.display import clean_text
from protocols.records.drawing import catalogue
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.movement import UNITS_MAX
from protocols.records.planning import PRECISIONS, Command, Desk, Moment, read_time, tidy
from protocols.records.shape import Draft, Kind, NewFact, Plan, SubjectKind, View
from protocols.records.shipping import (
    LINES_MAX,
    RequisitionApprove,
    RequisitionPlace,
    Shipping,
    Step,
    Wanted,
    expired,
    shipping,
    sight,
    steps,
)
from protocols.records.spelling import ShipmentText, SiteText

# fields: in `shipping.py`, which says what they come to

# commands


class WantedData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """So many units of an item."""

    item: str
    units: int


class PlaceData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of requisition.place; the line's `store` is the one that asks."""

    lines: tuple[WantedData, ...]
    donor: SiteText | None = None
    """Id of the store that is asked; none: whoever can."""
    until: Moment | None = None
    """When it is no longer needed; as `at`."""
    text: str | None = None


class ApproveData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of requisition.approve: what is not said stays as it was asked for."""

    shipment: ShipmentText
    """Id of the request, or of any record of it."""
    lines: tuple[WantedData, ...] | None = None
    donor: SiteText | None = None
    until: Moment | None = None
    """When the approval lapses if nothing was set aside by then."""


TEXT_CHARS_MAX = 200

# apply


def plan_place(command: Command, view: View) -> Plan:
    """Ask for something; a request that the line supersedes is replaced."""
    desk = Desk(command, view)
    data: PlaceData = command.data
    store = desk.store_if_any() or view.home_site or desk.store()
    donor = desk.site(data.donor, "data.donor")
    if donor == store:
        raise InputError("same_store", field="data.donor")
    subject = _named(desk)
    history = desk.history(subject) if subject else None
    record = RequisitionPlace(
        desk.circumstances(),
        tuple((bytes(ref.entry), ref.index) for ref in command.supersedes),
        heads(history),
        bytes(donor or b""),
        bytes(store),
        until(desk, data.until),
        wanted(desk, data.lines),
        tidy(data.text, "data.text", TEXT_CHARS_MAX) if data.text else "",
    )
    return step(desk, subject, KindNo.REQUISITION_PLACE, record)


def plan_approve(command: Command, view: View) -> Plan:
    """Approve a request, wholly or in part, and say who is to give it."""
    desk = Desk(command, view)
    data: ApproveData = command.data
    subject, now = found(desk, data.shipment)
    if now.state not in ("requested", "approved"):
        raise InputError("shipment_closed", field="data.shipment", allowed=(now.state,))
    if lapsed(desk, now):
        desk.confirmed("shipment_lapsed", "data.shipment")
    donor = desk.site(data.donor, "data.donor")
    if donor is not None and bytes(donor) == now.to:
        raise InputError("same_store", field="data.donor")
    lines = wanted(desk, data.lines) if data.lines is not None else _asked(now)
    record = RequisitionApprove(
        desk.circumstances(),
        tuple((bytes(ref.entry), ref.index) for ref in desk.named(subject)),
        heads(desk.history(subject)),
        bytes(donor) if donor else now.donor,
        now.to,
        until(desk, data.until),
        lines,
    )
    return step(desk, subject, KindNo.REQUISITION_APPROVE, record)


def _asked(now: Shipping) -> tuple[Wanted, ...]:
    return tuple(Wanted(line.item, line.wanted) for line in now.lines if line.wanted)


def _named(desk: Desk) -> DocId | None:
    """Return the shipment whose records a request replaces; None for a new one."""
    if not desk.command.supersedes:
        return None
    subject, _ = desk.fact(desk.command.supersedes[0], "supersedes")
    desk.named(subject)
    if shipping(desk.history(subject)) is None:
        raise InputError("not_a_shipment", field="supersedes")
    return subject


# what all steps share


def step(desk: Desk, subject: DocId | None, kind: KindNo, record: Step) -> Plan:
    """Return the plan that writes one step; without a subject it founds the shipment."""
    new = NewFact(kind, record)
    draft = Draft(Lane.ROUTINE, SubjectKind.SHIPMENT, subject, None, (new,))
    return Plan((draft,), tuple(desk.warnings))


def found(desk: Desk, text: str, where: str = "data.shipment") -> tuple[DocId, Shipping]:
    """Return a shipment by its id, or by the id of any record of it.

    Raises:
        InputError: `bad_id`, `not_found`, `not_a_shipment`.
    """
    if text.startswith(f"{DocId.PREFIX}_"):
        try:
            subject = DocId.parse(text)
        except InputError as error:
            raise error.at(where) from None
    else:
        try:
            ref = FactRef.parse(text)
        except InputError as error:
            raise error.at(where) from None
        subject, _ = desk.fact(ref, where)
    if not desk.view.facts(subject):
        raise InputError("not_found", field=where)
    now = shipping(desk.history(subject))
    if now is None:
        raise InputError("not_a_shipment", field=where)
    return subject, now


def heads(history: History | None) -> tuple[Ref, ...]:
    """Return the latest records of a shipment shown here."""
    if history is None:
        return ()
    facts = steps(history)
    return sight(facts).heads(facts)


def lapsed(desk: Desk, now: Shipping) -> bool:
    """Whether what was asked, approved or set aside is too old by this device's clock."""
    until_ms = None if now.until_s is None else now.until_s * 1000
    return expired(now.state, until_ms, desk.view.now_ms)


def until(desk: Desk, text: str | int | None, where: str = "data.until") -> int | None:
    """Return a stated end in Unix seconds; a date alone holds to its last second, UTC.

    Raises:
        InputError: `bad_time`; `in_the_past`.
    """
    if text is None:
        return None
    try:
        at_ms, precision = read_time(text)
    except InputError as error:
        raise error.at(where) from None
    if precision == "day":
        at_ms += 86_399_000
    elif precision in PRECISIONS:
        raise InputError("bad_time", field=where, allowed=("2026-05-01", "2026-05-01T14:30Z"))
    if at_ms <= desk.view.now_ms:
        raise InputError("in_the_past", field=where)
    return at_ms // 1000


def wanted(desk: Desk, lines: Sequence[WantedData]) -> tuple[Wanted, ...]:
    """Return what was asked for, each item once.

    Raises:
        InputError: `nothing_stated`, `too_many`, `unknown_item`, `twice`, `out_of_range`.
    """
    checked(lines)
    said: dict[str, int] = {}
    for at, line in enumerate(lines):
        code = item_code(desk, line.item, f"data.lines.{at}.item")
        if code in said:
            raise InputError("line_twice", field=f"data.lines.{at}.item")
        said[code] = units(line.units, f"data.lines.{at}.units")
    return tuple(Wanted(code, number) for code, number in said.items())


def checked(lines: Sequence[object]) -> None:
    """Refuse no lines, and too many."""
    if not lines:
        raise InputError("nothing_stated", field="data.lines")
    if len(lines) > LINES_MAX:
        raise InputError("too_many", field="data.lines", limit=LINES_MAX)


def item_code(desk: Desk, text: str, where: str) -> str:
    """Return the code of an item that the catalogue in use knows."""
    return items.named(text, where, catalogue(desk)).code


def units(number: int, where: str, *, least: int = 1) -> int:
    """Return whole units within bounds."""
    if not least <= number <= UNITS_MAX:
        raise InputError("out_of_range", field=where, allowed=(f"{least}-{UNITS_MAX}",))
    return number


# rows: `shipment.py` has them, for all steps


def own_words(record: RequisitionPlace | RequisitionApprove) -> list[tuple[str, str]]:
    """Return what was asked or approved, as (catalogue key, text) pairs."""
    key = "requested" if isinstance(record, RequisitionPlace) else "approved_units"
    said = [(key, ", ".join(f"{clean_text(line.item)} {line.units}" for line in record.lines))]
    if record.donor:
        said.append(("donor", str(SiteId(record.donor))))
    if isinstance(record, RequisitionPlace) and record.text:
        said.append(("remark", clean_text(record.text)))
    return said


KIND_PLACE = Kind(
    number=KindNo.REQUISITION_PLACE,
    name="requisition.place",
    value=RequisitionPlace,
    data=PlaceData,
    plan=plan_place,
    example={
        "v": 1,
        "kind": "requisition.place",
        "key": "example-91",
        "store": "$store",
        "data": {"lines": [{"item": "ors-1l-sachet", "units": 200}], "text": "cholera ward"},
    },
    stores=True,
)
KIND_APPROVE = Kind(
    number=KindNo.REQUISITION_APPROVE,
    name="requisition.approve",
    value=RequisitionApprove,
    data=ApproveData,
    plan=plan_approve,
    example={
        "v": 1,
        "kind": "requisition.approve",
        "key": "example-92",
        "data": {"shipment": "$request", "lines": [{"item": "ors-1l-sachet", "units": 150}]},
    },
)

# merge note: two requests of one need are two shipments, and each is cancelled or served by itself.
# Of two approvals written apart the smaller one of each item is used until somebody who saw both
# approves again; what is approved by nobody's clock lapses at the instant it states.
