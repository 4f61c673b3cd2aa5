"""Shipments as rows and in words, and the movements that follow from sending and receiving."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from protocols.ids import DocId, SiteId
from protocols.records.display import clean_text
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.movement import Move
from protocols.records.shape import Row, Statement
from protocols.records.shipping import (
    DISCREPANCIES,
    Arrival,
    Line,
    Parcel,
    ShipmentCancel,
    ShipmentDispatch,
    ShipmentReceive,
    ShipmentReserve,
    Shipping,
    shipping,
    steps,
)
from protocols.records.wordlists import word_at

# fields, commands, apply: `requisition.py`, `shipment.py` and `arriving.py` have them

# what follows from it


def follow_dispatch(value: Statement, subject: DocId, cause: Ref) -> Sequence[Move]:
    """Return the movements out of the store that gives."""
    assert isinstance(value, ShipmentDispatch)
    return [
        Move(
            KindNo.STOCK_ISSUE,
            value.donor,
            line.item,
            line.units,
            line.lot,
            line.expiry,
            "transfer",
            other=value.to,
            shipment=subject,
            cause=cause,
            witness=value.witness,
        )
        for line in value.lines
        if line.units
    ]


def follow_receive(value: Statement, subject: DocId, cause: Ref) -> Sequence[Move]:
    """Return the movements into the store that took it in."""
    assert isinstance(value, ShipmentReceive)
    return [
        Move(
            KindNo.STOCK_RECEIVE,
            value.to,
            line.item,
            line.units,
            line.lot,
            line.expiry,
            "transfer",
            other=value.donor or None,
            shipment=subject,
            cause=cause,
        )
        for line in value.lines
        if line.units
    ]


FOLLOWERS: dict[int, Callable[[Statement, DocId, Ref], Sequence[Move]]] = {
    KindNo.SHIPMENT_DISPATCH: follow_dispatch,
    KindNo.SHIPMENT_RECEIVE: follow_receive,
}

# rows


class ShipmentRow(Row, frozen=True, kw_only=True, gc=False):
    """One shipment as it stands; whether it has lapsed is asked with the time of asking."""

    TABLE: ClassVar[str] = "shipment"
    INDEXED: ClassVar[tuple[str, ...]] = ("shipment", "donor", "to_store")
    shipment: bytes
    """Its id: what commands name."""
    state: str
    """One of `shipping.STATES`."""
    donor: bytes | None
    to_store: bytes | None
    until_ms: int | None
    """When what was asked, approved or set aside lapses; None: never, or it was sent."""
    requested_ms: int | None
    approved_ms: int | None
    reserved_ms: int | None
    sent_ms: int | None
    received_ms: int | None
    cancelled_ms: int | None
    carrier: str
    text: str
    """What the request says, or why it was cancelled."""
    lines: int
    unsettled: int
    """What was written apart and counts only once; see `shipping.Shipping`."""


class ShipmentLineRow(Row, frozen=True, kw_only=True, gc=False):
    """One lot of a shipment, or what was asked of an item."""

    TABLE: ClassVar[str] = "shipment_line"
    INDEXED: ClassVar[tuple[str, ...]] = ("shipment", "item")
    shipment: bytes
    item: str
    lot: str
    """'' for what was asked and approved, of whatever lot."""
    expiry_day: int | None
    wanted: int
    approved: int
    reserved: int
    sent: int
    arrived: int
    missing: int
    """Sent and not expected any more; below 0: more came."""
    why: str
    vvm: int


def rows(history: History) -> list[Row]:
    """Return the shipment's one row and one for each lot; none while nothing readable is known."""
    now = shipping(history)
    if now is None:
        return []
    facts = steps(history)
    counting = [fact for fact in facts if fact.standing == 0 and history.replaced(fact) < 2]
    first = (counting or facts)[0]
    common: dict[str, Any] = {
        "entry": facts[0].entry,
        "kind": first.kind,
        "standing": first.standing,
        "at_ms": first.at_ms,
        "replaced": 0 if counting else history.replaced(first),
        "shipment": bytes(history.subject),
    }
    whole = ShipmentRow(
        idx=facts[0].index,
        state=now.state,
        donor=now.donor or None,
        to_store=now.to or None,
        until_ms=None if now.until_s is None else now.until_s * 1000,
        requested_ms=_at(now, KindNo.REQUISITION_PLACE),
        approved_ms=_at(now, KindNo.REQUISITION_APPROVE),
        reserved_ms=_at(now, KindNo.SHIPMENT_RESERVE),
        sent_ms=_at(now, KindNo.SHIPMENT_DISPATCH),
        received_ms=_at(now, KindNo.SHIPMENT_RECEIVE),
        cancelled_ms=_at(now, KindNo.SHIPMENT_CANCEL),
        carrier=clean_text(_of(now, KindNo.SHIPMENT_DISPATCH, "carrier")),
        text=_text(now),
        lines=len(now.lines),
        unsettled=now.unsettled,
        **common,
    )
    return [whole, *(_line_row(at, line, common) for at, line in enumerate(now.lines, 1))]


def _at(now: Shipping, kind: int) -> int | None:
    fact = now.last.get(kind)
    return None if fact is None else fact.at_ms


def _of(now: Shipping, kind: int, name: str) -> str:
    fact = now.last.get(kind)
    return "" if fact is None else str(getattr(fact.record, name))


def _text(now: Shipping) -> str:
    cancel = now.last.get(KindNo.SHIPMENT_CANCEL)
    stated = cancel.record.circumstances if cancel and cancel.record else None
    return clean_text(stated.reason if stated else _of(now, KindNo.REQUISITION_PLACE, "text"))


def _line_row(number: int, line: Line, common: dict[str, Any]) -> ShipmentLineRow:
    return ShipmentLineRow(
        # Several lines stem from one record, so their number is part of the key.
        idx=number << 16,
        item=clean_text(line.item),
        lot=clean_text(line.lot),
        expiry_day=line.expiry,
        wanted=line.wanted,
        approved=line.approved,
        reserved=line.reserved,
        sent=line.sent,
        arrived=line.arrived,
        missing=line.missing,
        why=word_at(DISCREPANCIES, line.why),
        vvm=line.vvm,
        **common,
    )


def own_words(
    record: ShipmentReserve | ShipmentDispatch | ShipmentReceive | ShipmentCancel,
) -> list[tuple[str, str]]:
    """Return what was set aside, sent or received, as (catalogue key, text) pairs."""
    if isinstance(record, ShipmentCancel):
        return [("cancelled", "1")]
    key = {ShipmentReserve: "reserved", ShipmentDispatch: "dispatched"}.get(type(record), "arrived")
    said = [(key, ", ".join(map(_words, record.lines)))]
    if record.to:
        said.append(("to_store", str(SiteId(record.to))))
    if isinstance(record, ShipmentDispatch) and record.carrier:
        said.append(("carrier", clean_text(record.carrier)))
    return said


def _words(line: Parcel | Arrival) -> str:
    lot = f" ({clean_text(line.lot)})" if line.lot else ""
    text = f"{clean_text(line.item)}{lot} {line.units}"
    if not isinstance(line, Arrival) or line.units == line.sent:
        return text
    why = word_at(DISCREPANCIES, line.why)
    return " ".join(filter(None, (f"{text} / {line.sent}", why, clean_text(line.text))))


# merge note: in `shipment.py`
