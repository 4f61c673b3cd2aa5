"""Parts of a store's stock that are one device's to issue, so that two apart cannot issue both."""

from __future__ import annotations

import msgspec

from protocols.errors import InputError
from protocols.ids import DeviceId
from protocols.records.balance import pair_of
from protocols.records.counts import AllotmentGrant, Granted
from protocols.records.drawing import item_named, whole
from protocols.records.kinds import KindNo
from protocols.records.movement import entry_of, heads, pair_history
from protocols.records.planning import Command, Desk
from protocols.records.shape import Kind, NewFact, Plan, View
from protocols.records.spelling import DeviceText

DEVICES_MAX = 32
"""Devices in one grant."""

# fields: `counts.AllotmentGrant`

# commands


class ShareData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """So much for one device."""

    device: DeviceText
    """Its id."""
    units: int | float


class GrantData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of allotment.grant; the line's `store` says of which store."""

    item: str
    to: tuple[ShareData, ...]


# apply


def plan(command: Command, view: View) -> Plan:
    """Give some of what this device may issue to others.

    With the first grant of an item, whatever others took before anything was allotted is granted to
    them too: that they took it is known, and from then on everybody keeps to what they have.
    """
    desk = Desk(command, view)
    data: GrantData = command.data
    store, item = desk.store(), item_named(desk, data.item)
    if not data.to:
        raise InputError("empty", field="data.to")
    if len(data.to) > DEVICES_MAX:
        raise InputError("too_many", field="data.to", limit=DEVICES_MAX)
    shares = [_share(each, at) for at, each in enumerate(data.to)]
    mine = bytes(view.device)
    if any(each.device == mine for each in shares):
        raise InputError("own_device", field="data.to")
    history = pair_history(desk, store, item.code)
    pair = pair_of(history)
    if not pair.grants:
        shares += [
            Granted(each.device, -each.left)
            for each in pair.holdings
            if each.left < 0 and each.device != mine
        ]
    left = next((each.left for each in pair.holdings if each.device == mine), 0)
    if sum(each.units for each in shares) > left:
        desk.confirmed("over_allotment", "data.to", allowed=(str(max(left, 0)),))
        if not (command.reason or "").strip():
            raise InputError("reason_needed", field="reason")
    record = AllotmentGrant(
        desk.circumstances(), (), bytes(store), item.code, tuple(shares), heads(history)
    )
    draft = entry_of(store, item.code, NewFact(KindNo.ALLOTMENT_GRANT, record))
    return Plan((draft,), tuple(desk.warnings))


def _share(data: ShareData, at: int) -> Granted:
    try:
        device = DeviceId.parse(data.device)
    except InputError as error:
        raise error.at(f"data.to.{at}.device") from None
    return Granted(bytes(device), whole(data.units, f"data.to.{at}.units"))


# rows: `stock.py` has them

_ANOTHER = str(DeviceId(bytes(range(32))))

KIND = Kind(
    number=KindNo.ALLOTMENT_GRANT,
    name="allotment.grant",
    value=AllotmentGrant,
    data=GrantData,
    plan=plan,
    example={
        "v": 1,
        "kind": "allotment.grant",
        "key": "example-82",
        "store": "$store",
        "data": {"item": "ors-1l-sachet", "to": [{"device": _ANOTHER, "units": 40}]},
    },
    stores=True,
)

# merge note: a grant takes from its giver and adds to its takers, so the sum of what all may issue
# is what is there, in any order of arrival. A device knows all that it took and gave itself, and
# may not know yet of what it was given: what it thinks it has left is never more than it has. One
# that confirms that it takes more is named with the amount, on every node, until it is granted it.
