"""What is set aside, sent or cancelled between two stores.

Only a device of the store that gives sets its stock aside and sends it; another one signs that it
came (`arriving.py`). Movements out and in follow from it, in the same transaction.
"""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from protocols.errors import InputError
from protocols.guidelines.items import named
from protocols.ids import DocId, SiteId
from protocols.records.arriving import sent
from protocols.records.attributes import PART_OF
from protocols.records.balance import pair_of
from protocols.records.consigned import ShipmentLineRow, ShipmentRow
from protocols.records.drawing import allotted, catalogue, doubts, may_be_issued
from protocols.records.history import Ref
from protocols.records.kinds import KindNo
from protocols.records.movement import Move, lot_text, pair_history
from protocols.records.moving import WITNESS_CHARS_MAX, expiry_day
from protocols.records.planning import Command, Desk, Moment, tidy
from protocols.records.requisition import (
    checked,
    found,
    heads,
    item_code,
    lapsed,
    step,
    units,
    until,
)
from protocols.records.shape import Kind, Plan, View
from protocols.records.shipping import (
    CARRIER_CHARS_MAX,
    Key,
    Parcel,
    ShipmentCancel,
    ShipmentDispatch,
    ShipmentReserve,
    Shipping,
    expired,
)
from protocols.records.spelling import ExpiryText, ShipmentText, SiteText

# fields: in `shipping.py`, which says what they come to

# commands


class ParcelData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """So many units of one lot."""

    item: str
    units: int
    lot: str | None = None
    expiry: ExpiryText | None = None
    """The last day, as `2027-03-31`; `2027-03` for the end of that month."""


class ReserveData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of shipment.reserve; the line's `store` is the one that gives."""

    lines: tuple[ParcelData, ...]
    shipment: ShipmentText | None = None
    """Id of the request; none: nobody asked, and `to` says for whom it is."""
    to: SiteText | None = None
    until: Moment | None = None
    """When it is free again if it was not sent by then."""


class DispatchData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of shipment.dispatch; without lines what was set aside is sent."""

    shipment: ShipmentText | None = None
    to: SiteText | None = None
    lines: tuple[ParcelData, ...] = ()
    carrier: str | None = None
    witness: str | None = None
    """Who saw it leave; needed where any of it is controlled."""


class CancelData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of shipment.cancel; the line's `reason` says why."""

    shipment: ShipmentText


# apply


def plan_reserve(command: Command, view: View) -> Plan:
    """Set stock aside, on a device of the store that gives."""
    desk = Desk(command, view)
    data: ReserveData = command.data
    subject, now, donor, to = _ends(desk, data.shipment, data.to)
    if now is not None and lapsed(desk, now):
        raise InputError("shipment_expired", field="data.shipment")
    lines = _dated(desk, donor, _parcels(desk, data.lines))
    _must_be_donors(desk, donor, [line.item for line in lines])
    for line in lines:
        _must_be_free(desk, donor, subject, line)
    record = ShipmentReserve(
        desk.circumstances(),
        _replaced(desk, subject),
        heads(desk.history(subject) if subject else None),
        donor,
        to,
        until(desk, data.until),
        lines,
    )
    return step(desk, subject, KindNo.SHIPMENT_RESERVE, record)


def plan_dispatch(command: Command, view: View) -> Plan:
    """Send it: from now on it is on its way."""
    desk = Desk(command, view)
    data: DispatchData = command.data
    subject, now, donor, to = _ends(desk, data.shipment, data.to, leaves=True)
    if now is not None and lapsed(desk, now):
        desk.confirmed("shipment_lapsed", "data.shipment")
    if data.lines:
        lines = _dated(desk, donor, _parcels(desk, data.lines))
    else:
        lines = _dated(desk, donor, _set_aside(now), anew=True)
    _must_be_donors(desk, donor, [line.item for line in lines])
    witness = tidy(data.witness, "data.witness", WITNESS_CHARS_MAX) if data.witness else ""
    aside = {(line.item, line.lot): line.reserved for line in (now.lines if now else ())}
    sums: dict[str, int] = {}
    for line in lines:
        item = named(line.item, "data.lines", catalogue(desk))
        pair = doubts(desk, item, _move(donor, line, witness), way="out")
        if line.units > aside.get((line.item, line.lot), 0):
            # What others were promised is not sent elsewhere without a question.
            _must_be_free(desk, donor, subject, line)
        sums[line.item] = sums.get(line.item, 0) + line.units
        # Lots of one item come from one allotment.
        allotted(desk, pair, sums[line.item])
    record = ShipmentDispatch(
        desk.circumstances(),
        (),
        heads(desk.history(subject) if subject else None),
        donor,
        to,
        None,
        lines,
        tidy(data.carrier, "data.carrier", CARRIER_CHARS_MAX) if data.carrier else "",
        witness,
    )
    return step(desk, subject, KindNo.SHIPMENT_DISPATCH, record)


def plan_cancel(command: Command, view: View) -> Plan:
    """Nothing will be sent; what is on its way is received where it turns up, or back at home."""
    desk = Desk(command, view)
    subject, now = found(desk, command.data.shipment)
    if now.state not in ("requested", "approved", "reserved"):
        raise InputError("shipment_closed", field="data.shipment", allowed=(now.state,))
    record = ShipmentCancel(
        desk.circumstances(reason_needed=True),
        (),
        heads(desk.history(subject)),
        now.donor,
        now.to,
    )
    return step(desk, subject, KindNo.SHIPMENT_CANCEL, record)


def _ends(
    desk: Desk, named: str | None, to: str | None, *, leaves: bool = False
) -> tuple[DocId | None, Shipping | None, bytes, bytes]:
    """Return the shipment, how it stands, the store that gives and the one it is for.

    Args:
        leaves: It is sent; that may be written down after somebody wrote that it came.
    """
    receiver = desk.site(to, "data.to")
    if named is None:
        if receiver is None:
            raise InputError("missing_field", field="data.to", allowed=("to", "shipment"))
        donor = desk.store_if_any() or desk.view.home_site or desk.store()
        subject, now = None, None
    else:
        subject, now = found(desk, named)
        late = leaves and now.state in ("partly", "received") and not sent(now)
        if now.state not in ("requested", "approved", "reserved") and not late:
            raise InputError("shipment_closed", field="data.shipment", allowed=(now.state,))
        if receiver is not None and bytes(receiver) != now.to:
            raise InputError("other_store", field="data.to", allowed=(str(SiteId(now.to)),))
        receiver = SiteId(now.to)
        stated = desk.store_if_any()
        if stated is not None and now.donor and bytes(stated) != now.donor:
            raise InputError("other_store", field="store", allowed=(str(SiteId(now.donor)),))
        donor = stated or (SiteId(now.donor) if now.donor else desk.view.home_site or desk.store())
    if donor == receiver:
        raise InputError("same_store", field="data.to")
    return subject, now, bytes(donor), bytes(receiver)


def _must_be_donors(desk: Desk, donor: bytes, codes: Sequence[str]) -> None:
    """Refuse a device that does not work at the store: nobody promises another's stock.

    It works there where that is its own site or a part of it, or where it moved or counted any of
    these items there before.

    Raises:
        InputError: `not_the_donor`.
    """
    here, above = desk.view.home_site, [donor]
    while above[-1] and above[-1] not in above[:-1]:
        if here is not None and above[-1] == bytes(here):
            return
        said = desk.history(DocId(above[-1])).now.get((None, PART_OF), [])
        above.append(bytes(said[-1].value) if said and said[-1].value else b"")
    own = bytes(desk.view.device)
    for code in codes:
        history = pair_history(desk, donor, code)
        if any(fact.device == own and hasattr(fact.record, "seen") for fact in history.facts):
            return
        if any(account.device == own for account in pair_of(history).accounts):
            return
    raise InputError("not_the_donor", field="store", allowed=(str(SiteId(donor)),))


def _must_be_free(desk: Desk, donor: bytes, subject: DocId | None, line: Parcel) -> None:
    """Refuse what must not be given; ask where less is there than is to be set aside in all."""
    pair = pair_of(pair_history(desk, donor, line.item))
    may_be_issued(desk, pair, _move(donor, line))
    held = pair.lot(line.lot)
    free = (held.high if held else 0) - _reserved(desk, donor, subject, line)
    if line.units > free:
        desk.confirmed("beyond_stock", "data.units", allowed=(str(max(free, 0)),))


def _reserved(desk: Desk, donor: bytes, subject: DocId | None, line: Parcel) -> int:
    """Return how much of a lot is set aside for other shipments, as far as it is known here."""
    now_ms, total = desk.view.now_ms, 0
    for row in desk.view.rows_where(ShipmentRow, "donor", donor):
        if row.state != "reserved" or row.shipment == subject:
            continue
        if not expired(row.state, row.until_ms, now_ms):
            lines = desk.view.rows_where(ShipmentLineRow, "shipment", row.shipment)
            same = (each for each in lines if (each.item, each.lot) == (line.item, line.lot))
            total += sum(each.reserved for each in same)
    return total


def _move(donor: bytes, line: Parcel, witness: str = "") -> Move:
    kind = KindNo.STOCK_ISSUE
    return Move(
        kind, donor, line.item, line.units, line.lot, line.expiry, "transfer", witness=witness
    )


def _replaced(desk: Desk, subject: DocId | None) -> tuple[Ref, ...]:
    """Return the records of this shipment that the person named as replaced."""
    if subject is None:
        if desk.command.supersedes:
            raise InputError("not_taken", field="supersedes", kind="shipment.cancel")
        return ()
    return tuple((bytes(ref.entry), ref.index) for ref in desk.named(subject))


def _parcels(desk: Desk, lines: Sequence[ParcelData]) -> tuple[Parcel, ...]:
    checked(lines)
    said: dict[Key, Parcel] = {}
    for at, line in enumerate(lines):
        where = f"data.lines.{at}"
        code = item_code(desk, line.item, f"{where}.item")
        lot = lot_text(line.lot, f"{where}.lot")
        if (code, lot) in said:
            raise InputError("line_twice", field=where)
        expiry = expiry_day(line.expiry, f"{where}.expiry")
        said[code, lot] = Parcel(code, lot, units(line.units, f"{where}.units"), expiry)
    return tuple(said.values())


def _dated(
    desk: Desk, donor: bytes, lines: Sequence[Parcel], *, anew: bool = False
) -> tuple[Parcel, ...]:
    """Return lines with the last day of use that the store that gives knows of, where none is said.

    What was set aside takes the day as it is known now: it may have been corrected since.
    Whoever takes the lot in would refuse to give it out after that day only if it came along.
    """
    found = []
    for line in lines:
        known = None
        if (anew or line.expiry is None) and line.lot:
            known = pair_of(pair_history(desk, donor, line.item)).lot(line.lot)
        day = known.expiry if known and known.expiry is not None else line.expiry
        found.append(msgspec.structs.replace(line, expiry=day))
    return tuple(found)


def _set_aside(now: Shipping | None) -> tuple[Parcel, ...]:
    lines = now.lines if now else ()
    kept = tuple(
        Parcel(line.item, line.lot, line.reserved, line.expiry) for line in lines if line.reserved
    )
    if not kept:
        raise InputError("missing_field", field="data.lines")
    return kept


# rows: `consigned.py` has them, for all steps

KIND_RESERVE = Kind(
    number=KindNo.SHIPMENT_RESERVE,
    name="shipment.reserve",
    value=ShipmentReserve,
    data=ReserveData,
    plan=plan_reserve,
    example={
        "v": 1,
        "kind": "shipment.reserve",
        "key": "example-93",
        "store": "$store",
        "data": {
            "to": "$ward",
            "lines": [{"item": "ors-1l-sachet", "units": 20, "lot": "A1"}],
        },
        "confirm": ["beyond_stock"],
    },
    stores=True,
)
KIND_DISPATCH = Kind(
    number=KindNo.SHIPMENT_DISPATCH,
    name="shipment.dispatch",
    value=ShipmentDispatch,
    data=DispatchData,
    plan=plan_dispatch,
    example={
        "v": 1,
        "kind": "shipment.dispatch",
        "key": "example-94",
        "store": "$store",
        "data": {
            "to": "$ward",
            "lines": [{"item": "ors-1l-sachet", "units": 20, "lot": "A1"}],
            "carrier": "car 3",
        },
        "confirm": ["beyond_stock"],
    },
    stores=True,
)
KIND_CANCEL = Kind(
    number=KindNo.SHIPMENT_CANCEL,
    name="shipment.cancel",
    value=ShipmentCancel,
    data=CancelData,
    plan=plan_cancel,
    example={
        "v": 1,
        "kind": "shipment.cancel",
        "key": "example-96",
        "data": {"shipment": "$request"},
        "reason": "came from another store",
    },
)

# merge note: steps are only ever added. What two people sent or received of one lot apart is one
# thing told twice: both records are kept and shown, both movements too, and one of them counts, the
# one with fewer units, until the other is taken back as entered in error (then its movement goes
# with it) or somebody who has seen both records what came on top. A cancellation beside a
# dispatch does not bring anything back: it is on its way. What is on its way is counted from the
# movements themselves, out less in less what is given up as missing, so that stores and roads
# together always add up to what came in.
