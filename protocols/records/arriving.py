"""What came of a shipment, lot by lot: the second signature, given on another device."""

from __future__ import annotations

from typing import Annotated

import msgspec

from protocols.errors import InputError
from protocols.guidelines.coldchain import ColdChain, shipped_coldchain
from protocols.ids import SiteId
from protocols.records.kinds import KindNo
from protocols.records.movement import lot_text
from protocols.records.moving import expiry_day
from protocols.records.planning import Command, Desk, tidy
from protocols.records.requisition import checked, found, heads, item_code, step, units
from protocols.records.shape import Kind, Plan, View
from protocols.records.shipping import (
    DISCREPANCIES,
    Arrival,
    Key,
    Line,
    ShipmentReceive,
    Shipping,
)
from protocols.records.spelling import ExpiryText, ShipmentText, one_of
from protocols.records.wordlists import position

# fields: in `shipping.py`, which says what they come to

# commands


class ArrivalData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What came of one lot."""

    item: str
    units: int
    """That are kept; 0: nothing of it."""
    lot: str | None = None
    expiry: ExpiryText | None = None
    why: Annotated[str, one_of(DISCREPANCIES)] | None = None
    """Where `units` is not what was sent."""
    text: str | None = None
    vvm: int | None = None
    """Stage of the vial monitor, 1-4."""
    rest: bool = False
    """The rest is still on its way."""


class ReceiveData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of shipment.receive; lots that are not listed came as they were sent.

    The line's `store` is the one that took it in; none: the one it was for.
    """

    shipment: ShipmentText
    lines: tuple[ArrivalData, ...] = ()
    only: bool = False
    """Lots that are not listed are still on their way."""


TEXT_CHARS_MAX = 120

# apply


def plan_receive(command: Command, view: View) -> Plan:
    """Take in what came, lot by lot, on another device than the one that sent it."""
    desk = Desk(command, view)
    data: ReceiveData = command.data
    subject, now = found(desk, data.shipment)
    if now.state in ("received", "cancelled"):
        raise InputError("shipment_closed", field="data.shipment", allowed=(now.state,))
    if not sent(now):
        # The van was faster than the network; what the donor wrote comes later and meets this.
        desk.confirmed("not_sent_yet", "data.shipment", allowed=(now.state,))
    store = desk.store_if_any() or SiteId(now.to)
    sender = now.last[KindNo.SHIPMENT_DISPATCH].device if sent(now) else b""
    if bytes(store) != now.donor and sender == bytes(view.device):
        raise InputError("own_dispatch", field="data.shipment")
    if bytes(store) != now.to:
        desk.confirmed("received_elsewhere", "store", allowed=(str(SiteId(now.to)),))
    lines = _arrivals(desk, now, data)
    record = ShipmentReceive(
        desk.circumstances(),
        (),
        heads(desk.history(subject)),
        now.donor,
        bytes(store),
        None,
        lines,
    )
    return step(desk, subject, KindNo.SHIPMENT_RECEIVE, record)


def sent(now: Shipping) -> bool:
    """Whether it is known here that anything was sent."""
    return KindNo.SHIPMENT_DISPATCH in now.last


def _arrivals(desk: Desk, now: Shipping, data: ReceiveData) -> tuple[Arrival, ...]:
    waiting = {(line.item, line.lot): line for line in now.lines if line.transit > 0}
    said: dict[Key, Arrival] = {}
    for at, line in enumerate(data.lines):
        where = f"data.lines.{at}"
        code = item_code(desk, line.item, f"{where}.item")
        key = (code, lot_text(line.lot, f"{where}.lot"))
        if key in said:
            raise InputError("line_twice", field=where)
        said[key] = _arrival(desk, line, key, waiting.get(key), where, known=sent(now))
    if not data.only:
        for key, way in waiting.items():
            said.setdefault(key, Arrival(*key, way.transit, way.expiry, way.transit))
    checked(tuple(said.values()))
    return tuple(said.values())


def _arrival(
    desk: Desk, line: ArrivalData, key: Key, waiting: Line | None, where: str, *, known: bool
) -> Arrival:
    expected = waiting.transit if waiting else 0
    kept = units(line.units, f"{where}.units", least=0)
    if line.rest and known and kept >= expected:
        raise InputError("nothing_left", field=f"{where}.rest")
    why = position(line.why or "", DISCREPANCIES, f"{where}.why")
    if known and kept != expected and not line.rest and not why:
        raise InputError("reason_needed", field=f"{where}.why", allowed=DISCREPANCIES[1:])
    pack = desk.view.pack("coldchain")
    cold = pack if isinstance(pack, ColdChain) else shipped_coldchain()
    if line.vvm is not None and cold.stage(line.vvm) is None:
        stages = tuple(str(each.stage) for each in cold.vvm)
        raise InputError("bad_value", field=f"{where}.vvm", allowed=stages)
    monitor = cold.stage(line.vvm or 0)
    if monitor is not None and not monitor.usable and kept:
        desk.confirmed("vvm_past", f"{where}.vvm")
    expiry = expiry_day(line.expiry, f"{where}.expiry")
    return Arrival(
        *key,
        kept,
        expiry if expiry is not None else waiting.expiry if waiting else None,
        expected,
        why,
        tidy(line.text, f"{where}.text", TEXT_CHARS_MAX) if line.text else "",
        line.vvm or 0,
        int(line.rest),
    )


# rows: `consigned.py` has them, for all steps

KIND = Kind(
    number=KindNo.SHIPMENT_RECEIVE,
    name="shipment.receive",
    value=ShipmentReceive,
    data=ReceiveData,
    plan=plan_receive,
    example={
        "v": 1,
        "kind": "shipment.receive",
        "key": "example-95",
        "data": {
            "shipment": "$dispatch",
            "lines": [{"item": "ors-1l-sachet", "units": 18, "lot": "A1", "why": "damaged"}],
        },
    },
    stores=True,
)

# merge note: what two people received of one lot apart is one thing told twice; `shipment.py` says
# what counts meanwhile.
