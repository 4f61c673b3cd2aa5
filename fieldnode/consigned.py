"""Calls about what happens between stores: shipments, recalls, the cold chain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from fieldnode.asking import Asking
from protocols.live.consigned import (
    ColdUnits,
    HeldLots,
    LotLabel,
    Recalls,
    Recipients,
    Shipments,
    SupplyAlerts,
)


class ConsignedCalls(Protocol):
    """The calls of `protocols/live/{consigning,supplydesk}.py` as a terminal uses them."""

    async def shipments(self, *, closed: bool = False) -> Shipments:
        """Requests and shipments that go on; `closed`: those that are over too."""
        ...

    async def shipment(self, shipment: str) -> Shipments:
        """One of them, with who did what; no line where it is not known."""
        ...

    async def recalls(self) -> Recalls:
        """Recalls that hold, with what each store answers."""
        ...

    async def recall_patients(self, item: str, lot: str, reason: str = "") -> Recipients:
        """Who is known to have received of a lot; other teams' patients take a reason."""
        ...

    async def cold_units(self) -> ColdUnits:
        """Cold-chain units with their episodes, and the limits in use."""
        ...

    async def lots_held(self, store: str, items: Sequence[str]) -> HeldLots:
        """The lots of some items in one store, first-expiry-first."""
        ...

    async def supply_alerts(self) -> SupplyAlerts:
        """What of supplies somebody has to look at."""
        ...

    async def lot_label(self, item: str, lot: str) -> LotLabel:
        """What a label of a lot says."""
        ...


class ConsignedClient(Asking):
    """The same over the socket."""

    async def shipments(self, *, closed: bool = False) -> Shipments:
        """See `ConsignedCalls.shipments`."""
        return await self.ask(Shipments, "shipments", closed=closed)

    async def shipment(self, shipment: str) -> Shipments:
        """See `ConsignedCalls.shipment`."""
        return await self.ask(Shipments, "shipments", shipment=shipment)

    async def recalls(self) -> Recalls:
        """See `ConsignedCalls.recalls`."""
        return await self.ask(Recalls, "recalls")

    async def recall_patients(self, item: str, lot: str, reason: str = "") -> Recipients:
        """See `ConsignedCalls.recall_patients`."""
        return await self.ask(Recipients, "recall_patients", item=item, lot=lot, reason=reason)

    async def cold_units(self) -> ColdUnits:
        """See `ConsignedCalls.cold_units`."""
        return await self.ask(ColdUnits, "cold_units")

    async def lots_held(self, store: str, items: Sequence[str]) -> HeldLots:
        """See `ConsignedCalls.lots_held`."""
        return await self.ask(HeldLots, "lots_held", store=store, items=list(items))

    async def supply_alerts(self) -> SupplyAlerts:
        """See `ConsignedCalls.supply_alerts`."""
        return await self.ask(SupplyAlerts, "supply_alerts")

    async def lot_label(self, item: str, lot: str) -> LotLabel:
        """See `ConsignedCalls.lot_label`."""
        return await self.ask(LotLabel, "lot_label", item=item, lot=lot)
