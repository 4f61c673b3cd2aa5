"""Stores on shelves: what follows from a shipment is written with it, and taken back with it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from protocols.errors import InputError
from protocols.ids import DocId, FactRef, SiteId
from protocols.records.history import History
from protocols.records.movement import FOLLOWERS, Movement, stock_subject
from protocols.records.movement import written as movement_of
from protocols.records.references import ref_of
from protocols.records.shape import SubjectKind
from protocols.records.shipping import Shipping, shipping
from tests.unit.records_shelf import Shelf, Written

ITEM = "ors-1l-sachet"
VACCINE = "vaccine-mr-10"
SURE = [
    "beyond_stock",
    "expired_received",
    "large_quantity",
    "lot_unknown",
    "lot_unstated",
    "not_sent_yet",
    "over_allotment",
    "received_elsewhere",
    "shipment_lapsed",
    "vvm_past",
]


@dataclass
class Depot(Shelf):
    """One device of a store; `home` is where it works."""

    home: str = ""
    told: list[FactRef] = field(default_factory=list)

    @property
    def home_site(self) -> SiteId | None:
        return SiteId.parse(self.home) if self.home else None

    def write(self, kind: str, data: dict[str, Any] | None = None, **line: Any) -> Written:
        made = super().write(kind, data, **line)
        for fact in [each for each in self.facts(made.subject) if each.ref in made.refs]:
            follow = FOLLOWERS.get(fact.kind)
            for move in follow(fact.record, made.subject, ref_of(fact)) if follow else ():
                pair = stock_subject(move.store, move.item)
                self._enter(movement_of(move, History(pair, self.facts(pair))), None)
        return made

    def retract(self, made: Written) -> None:
        """Take a step back, and the movements that followed from it."""
        line: dict[str, Any] = {"reason": "in error"}
        super().write("entry.retract", {"fact": made.fact}, **line)
        caused = [
            fact
            for subject, kind in list(self.kinds.items())
            if kind == SubjectKind.STOCK
            for fact in self.facts(subject)
            if isinstance(fact.record, Movement)
            and fact.record.cause == (bytes(made.refs[0].entry), made.refs[0].index)
        ]
        for fact in caused:
            super().write("entry.retract", {"fact": str(fact.ref)}, **line)

    def refuses(self, kind: str, data: dict[str, Any], **line: Any) -> str:
        try:
            self.write(kind, data, **line)
        except InputError as error:
            return str(error.values.get("confirm") or error.code)
        return ""

    def stock(self, store: str, item: str = ITEM) -> int:
        """The least that may be there."""
        pair = stock_subject(SiteId.parse(store), item)
        return sum(row.low for row in self.table(pair, "balance")) if pair in self.kinds else 0

    def shipment(self, subject: DocId) -> Shipping:
        found = shipping(History(subject, self.facts(subject)))
        assert found is not None
        return found


def stores(*names: str) -> list[Depot]:
    """One device each at a store of its own; all know all stores and nothing else."""
    depots = [Depot(name) for name in names]
    for depot in depots:
        site = depot.write("site.register", {"name": f"Store {depot.name}", "type": "store"})
        depot.home = str(SiteId(site.subject))
    meet(*depots)
    return depots


def meet(*depots: Depot) -> None:
    for one in depots:
        for other in depots:
            one.receive(other)


def fill(depot: Depot, units: int, lot: str = "L1", item: str = ITEM, **data: Any) -> Written:
    stated = {"item": item, "lot": lot, "units": units, **data}
    return depot.write("stock.receive", stated, store=depot.home, confirm=SURE)


def line(units: int, lot: str = "L1", item: str = ITEM, **more: Any) -> dict[str, Any]:
    return {"item": item, "lot": lot, "units": units, **more}
