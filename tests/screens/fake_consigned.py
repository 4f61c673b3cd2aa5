"""What a node in memory says of shipments, recalls and the cold chain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from protocols.errors import InputError
from protocols.guidelines.items import shipped_items
from protocols.live.consigned import (
    ColdUnit,
    ColdUnits,
    EpisodeLine,
    HeldLot,
    HeldLots,
    ItemWords,
    LimitLine,
    LotLabel,
    LotLine,
    RecallLine,
    Recalls,
    RecipientLine,
    Recipients,
    ShipmentLine,
    ShipmentPart,
    ShipmentReceipt,
    Shipments,
    ShipmentStep,
    StoreAnswer,
    SupplyAlert,
    SupplyAlerts,
)
from protocols.live.shelf import CodeMeaning, CodeRead, StoreLine

HOUR = 3_600_000
DEPOT, WARD, MILL = "ste_depot", "ste_ward", "ste_mill"
RINGER, MORPHINE, MR = "ringer-lactate-1l", "morphine-10-amp", "vaccine-mr-10"
MR_BOX, LOT_LABEL = "]d20109506000134352100119X2", "]Q310A77"
WORDS = tuple(
    ItemWords(
        row.code, dict(row.words), row.unit, row.packs, row.controlled, row.cold, bool(row.vaccine)
    )
    for row in shipped_items().item
    if row.code in (RINGER, MORPHINE, MR)
)


class ConsignedFake:
    """Calls of `fieldnode/consigned.py`, answered from what a test puts here."""

    now_ms: int

    def begin_consigned(self) -> None:
        self.consigned: list[ShipmentLine] = []
        self.recalled: list[RecallLine] = []
        self.received: list[RecipientLine] = []
        self.other_teams: tuple[str, ...] = ()
        self.reasons: list[str] = []
        """Why other teams' patients were named."""
        self.cold: list[ColdUnit] = []
        self.lots_here: list[HeldLot] = []
        self.supply_lines: list[SupplyAlert] = []

    def _up(self) -> None:
        raise NotImplementedError

    async def shipments(self, *, closed: bool = False) -> Shipments:
        self._up()
        over = () if closed else ("received", "cancelled")
        return Shipments(tuple(one for one in self.consigned if one.state not in over), WORDS)

    async def shipment(self, shipment: str) -> Shipments:
        self._up()
        return Shipments(tuple(o for o in self.consigned if o.shipment == shipment), WORDS)

    async def recalls(self) -> Recalls:
        self._up()
        return Recalls(tuple(self.recalled), WORDS)

    async def recall_patients(self, item: str, lot: str, reason: str = "") -> Recipients:
        self._up()
        if self.other_teams and not reason:
            raise InputError("other_team", field="reason", teams=self.other_teams)
        self.reasons.append(reason)
        return Recipients(len(self.received), tuple(self.received))

    async def cold_units(self) -> ColdUnits:
        self._up()
        return ColdUnits(False, tuple(self.cold), LIMITS, "coldchain 1", WORDS)

    async def lots_held(self, store: str, items: Sequence[str]) -> HeldLots:
        self._up()
        found = tuple(one for one in self.lots_here if not items or one.item in items)
        return HeldLots(found, WORDS)

    async def supply_alerts(self) -> SupplyAlerts:
        self._up()
        return SupplyAlerts(tuple(self.supply_lines), WORDS)

    async def lot_label(self, item: str, lot: str) -> LotLabel:
        self._up()
        known = next(one for one in WORDS if one.code == item)
        return LotLabel(known, lot, 20_790, f"1726120310{lot}\x1d240{item}")


SOURCE = "WHO PQS E006, alarms of 30-day temperature recorders, recalled"
LIMITS = (
    LimitLine("fridge", "freeze", True, "-0.5", 60, 0, SOURCE, "memory"),
    LimitLine("fridge", "heat", False, "8", 600, 0, SOURCE, "memory"),
    LimitLine("fridge", "heat-sum", False, "8", 1200, 30, "working value, to be agreed", "memory"),
    LimitLine("freezer", "heat", False, "-15", 60, 0, "working value, to be agreed", "memory"),
)


def a_shipment(now: int, state: str, **more: Any) -> ShipmentLine:
    """Ringer for the ward, as far as `state` says."""
    far = ("requested", "approved", "reserved", "dispatched").index(more.pop("as_far", state))
    asked = ShipmentPart(RINGER, "", None, 60, 60 if far > 0 else 0, 0, 0, 0, 0, 0, "", 0)
    lots = [
        ShipmentPart(RINGER, lot, day, 0, 0, 0 if far > 2 else n, n if far > 2 else 0, 0, 0,
                     n if far > 2 else 0, "", 0)
        for lot, day, n in (("A77", 20_790, 40), ("B02", 21_000, 20))
        if far > 1
    ]  # fmt: skip
    known = {
        "donor": DEPOT if far else "", "donor_name": "Depot" if far else "", "to": WARD,
        "to_name": "Ward North", "ours": "out", "until_ms": None, "at_ms": now - 2 * HOUR,
        "carrier": "", "text": "cholera ward", "unsettled": 0, "parts": (asked, *lots),
    } | more  # fmt: skip
    return ShipmentLine(f"doc_{state}{more.get('unsettled', '')}", state, **known)


def receipts(now: int) -> tuple[ShipmentReceipt, ...]:
    """Two people of one store, who did not know of each other."""
    return (
        ShipmentReceipt("fct_r1", now - 3 * HOUR, "R. Amin", "ward-n", "Ward North", 36, 36),
        ShipmentReceipt("fct_r2", now - 2 * HOUR, "M. Dupont", "ward-s", "Ward North", 40, 0),
    )


def came_twice(now: int) -> tuple[ShipmentStep, ...]:
    told = (
        ShipmentStep(
            each.fact, "shipment.receive", each.at_ms, each.author, each.device, False, True
        )
        for each in receipts(now)
    )
    return (*steps(now)[3:4], *told)


def steps(now: int) -> tuple[ShipmentStep, ...]:
    return tuple(
        ShipmentStep(f"fct_s{at}", kind, now - (6 - at) * HOUR, who, device, at in (0, 2, 3),
                     at != 3)
        for at, (kind, who, device) in enumerate(
            (("requisition.place", "R. Amin", "ward-n"), ("requisition.approve", "L. Mbeki", "hq"),
             ("shipment.reserve", "J. Cho", "depot-a"), ("shipment.dispatch", "J. Cho", "depot-a"),
             ("shipment.dispatch", "M. Dupont", "depot-b"))
        )
    )  # fmt: skip


def consigned_all(node: Any) -> None:
    """Fill a node with shipments of every state, a recall, and a fridge that froze."""
    now = node.now_ms
    node.depots = [
        StoreLine(DEPOT, "Depot", True, 3),
        StoreLine(WARD, "Ward North", False, 2),
        StoreLine(MILL, "Mill", False, 1),
    ]
    node.taught |= {
        MR_BOX: CodeRead("09506000134352", "0119X2", "2027-05-31", means=(CodeMeaning(MR, 10),)),
        LOT_LABEL: CodeRead("", "A77"),
    }
    way = a_shipment(now, "dispatched", since_ms=now - 3 * HOUR, carrier="car 3")
    node.consigned = [
        a_shipment(now, "requested", text="", ours="in"),
        msgspec.structs.replace(way, steps=steps(now)),
        a_shipment(now, "approved"),
        a_shipment(now, "reserved", until_ms=now + 20 * HOUR),
        a_shipment(now, "expired", as_far="approved", until_ms=now - HOUR),
        a_shipment(
            now,
            "partly",
            as_far="dispatched",
            unsettled=1,
            since_ms=now - 30 * HOUR,
            steps=came_twice(now),
            twice=receipts(now),
        ),
        a_shipment(now, "received", as_far="dispatched", ours=""),
    ]
    node.recalled = [a_recall(now)]
    node.received = [
        RecipientLine(
            "pat_00002", "ACD EFH 002", "Okoro Blessing", "vaccinated", 1, now - 5 * HOUR
        ),
        RecipientLine("pat_00004", "ACD EFH 004", "", "dispensed", 4, now - 50 * HOUR),
    ]
    node.cold = cold_units(now)
    node.lots_here = [
        HeldLot(RINGER, "A77", 20_790, 40, 40, 0, False, False, False),
        HeldLot(RINGER, "B02", 21_000, 28, 30, 5, False, False, False),
        HeldLot(RINGER, "Q7", 21_100, 12, 12, 0, True, False, False),
        HeldLot(RINGER, "R9", 21_100, 12, 12, 0, False, True, False),
    ]
    node.supply_lines = [
        SupplyAlert("excursion", "doc_fridge", now - 4 * HOUR, "fridge 1 (Depot)", number=2,
                    freezing=True, ours=True),
        SupplyAlert("recall", "doc_recall", now - 26 * HOUR, "Depot", MR, "0119X2", 2, ours=True),
        SupplyAlert("apart", "doc_partly1", now - 2 * HOUR, "Depot > Ward North", number=1),
        SupplyAlert("lapsed", "doc_expired", now - HOUR, "Depot > Ward North", ours=True),
        SupplyAlert("twice", "doc_dispatched", now - 3 * HOUR, "Ward North + Tent", MR, "0119X2",
                    30),
        SupplyAlert("asked", "doc_requested", now - HOUR, "Depot > Ward North", ours=True),
        SupplyAlert("coming", "doc_dispatched", now - HOUR, "Far depot > Depot", ours=True),
    ]  # fmt: skip


def others_received(node: Any) -> None:
    """The same, where other teams' patients received of the recalled lot."""
    consigned_all(node)
    node.other_teams = ("Red Cross",)


def a_recall(now: int) -> RecallLine:
    stores = (
        StoreAnswer(DEPOT, "Depot", 64, 66, False, 100, 20, 14, 2, now - 3 * HOUR, True),
        StoreAnswer(WARD, "Ward North", 10, 10, True, 14, 4, 0, 0, now - 28 * HOUR),
        StoreAnswer(MILL, "Mill", 0, 0, False, 20, 20, 0, 0, now - 90 * HOUR),
    )
    return RecallLine(
        "doc_recall", "fct_recall", MR, "0119X2", "harmful", "contaminated", "manufacturer",
        "Send back what is left.", now - 26 * HOUR, "L. Mbeki", 4, 2, stores,
    )  # fmt: skip


def cold_units(now: int) -> list[ColdUnit]:
    lots = (LotLine(MR, "0119X2", 64, 66, False), LotLine(MR, "0120Y1", 30, 30, False),
            LotLine(MR, "0120Y3", 5, 5, True))  # fmt: skip
    froze = EpisodeLine("freeze", True, "-0.5", now - 4 * HOUR, now - HOUR, 190, -12, True, True,
                        "memory", lots)  # fmt: skip
    warm = EpisodeLine("heat", False, "8", now - 60 * HOUR, now - 58 * HOUR, 120, 91, False, False,
                       "memory")  # fmt: skip
    return [
        ColdUnit("doc_fridge", DEPOT, "Depot", "fridge 1", "fridge", now - HOUR, -12, -12, 91, 640,
                 (warm, froze)),
        ColdUnit("doc_box", WARD, "Ward North", "cold box 2", "", now - 12 * HOUR, 41, 35, 52, 12,
                 ()),
    ]  # fmt: skip
