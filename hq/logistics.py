"""The page of what moves and what is wrong with it: requests and shipments, recalls, cold units.

The answers are the ledger's own (its `shipments`, `recalls` and `coldunits`), asked over the pages'
connection. Nothing is decided here: whoever stands there does that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from aiohttp import web

from hq import stockbook
from hq.clocks import clocks, furthest, not_younger
from hq.desk import DESK
from hq.queries import Book
from hq.registry import Supplies
from hq.shown import iso
from hq.stores import Names, names_of
from hq.tables import Cell, csv_answer
from protocols.guidelines.coldchain import Episode
from protocols.ids import DocId, SiteId
from protocols.ledger import coldunits, recalls, shipments
from protocols.ledger.coldunits import MINUTE_MS, Affected, Unit
from protocols.ledger.recalls import Answer, Recall
from protocols.ledger.shipments import OnTheWay, ShipmentHead, ShipmentPart
from protocols.ledger.store import Store
from protocols.records.shipping import EXPIRED, expired

EPISODES_MAX = 20
"""Episodes that alarm, of one unit, the newest."""
LISTED_MAX = 100
"""Shipments, recalls and units that are listed; more is said."""


class Moving(NamedTuple):
    """One request or shipment that is not over."""

    head: ShipmentHead
    state: str
    """As of now: what lapsed is `expired`."""
    parts: tuple[ShipmentPart, ...]
    ways: Mapping[tuple[str, str], int]
    """Units on their way, by item and lot."""
    ahead_ms: int
    """How far the clock is off that misleads most of those who write at either end."""

    @property
    def since_ms(self) -> int | None:
        """When the last step of it was taken, at the latest where a clock there is ahead."""
        head = self.head
        steps = (
            head.requested_ms, head.approved_ms, head.reserved_ms, head.sent_ms, head.received_ms,
        )  # fmt: skip
        last = max((at for at in steps if at is not None), default=None)
        return None if last is None else not_younger(last, self.ahead_ms)


class Recalled(NamedTuple):
    """One recall and what every store says to it."""

    recall: Recall
    answers: tuple[Answer, ...]
    on_the_way: int


class Cold(NamedTuple):
    """One cold-chain unit, and its episodes that alarm, the newest first."""

    unit: Unit
    newest_ms: int
    alarms: tuple[tuple[Episode, tuple[Affected, ...]], ...]


class Logistics(NamedTuple):
    """All that the page says."""

    moving: tuple[Moving, ...]
    recalled: tuple[Recalled, ...]
    cold: tuple[Cold, ...]
    approved: bool
    """Whether a clinical lead stands by the limits of temperature."""
    more: bool
    """Whether more is going on than is listed."""


async def read_logistics(book: Book, packs: Supplies, now_ms: int) -> Logistics:
    """Read all of it over the pages' connection."""
    ahead = await stockbook.ahead(book)
    return await book.ask(lambda store: _read(store, packs, ahead, now_ms))


def _read(store: Store, packs: Supplies, ahead: Mapping[bytes, int], now_ms: int) -> Logistics:
    heads = shipments.heads(store, limit=LISTED_MAX + 1)
    held = recalls.recalls(store, LISTED_MAX + 1)
    units = coldunits.units_of(store, packs.cold)
    return Logistics(
        tuple(_moving(store, head, ahead, now_ms) for head in heads[:LISTED_MAX]),
        tuple(_recalled(store, each, ahead) for each in held[:LISTED_MAX]),
        tuple(
            sorted((_cold(store, packs, unit, ahead) for unit in units[:LISTED_MAX]), key=_worst)
        ),
        packs.cold.pack.approved,
        max(len(heads), len(held), len(units)) > LISTED_MAX,
    )


def _moving(store: Store, head: ShipmentHead, ahead: Mapping[bytes, int], now_ms: int) -> Moving:
    ways: Sequence[OnTheWay] = shipments.on_the_way(store, head.shipment)
    lapsed = expired(head.state, head.until_ms, now_ms)
    return Moving(
        head,
        EXPIRED if lapsed else head.state,
        tuple(shipments.parts(store, head.shipment)),
        {(way.item, way.lot): way.units for way in ways},
        furthest(ahead.get(end or b"") for end in (head.donor, head.to_store)),
    )


def _recalled(store: Store, recall: Recall, ahead: Mapping[bytes, int]) -> Recalled:
    answers = recalls.answers(store, recall.item, recall.lot)
    moved = store.all(
        "SELECT DISTINCT m.shipment FROM movement m WHERE m.subject IN"
        " (SELECT b.subject FROM balance b WHERE b.item = ? AND b.lot = ?)"
        " AND m.lot = ? AND m.shipment IS NOT NULL",
        (recall.item, recall.lot, recall.lot),
    )
    ways = (way for (each,) in moved for way in shipments.on_the_way(store, each))
    lot = (recall.item, recall.lot)
    said = [
        each._replace(last_ms=not_younger(each.last_ms, ahead.get(bytes(each.store), 0)))
        for each in answers
    ]
    return Recalled(
        recall, tuple(said), sum(way.units for way in ways if (way.item, way.lot) == lot)
    )


def _cold(store: Store, packs: Supplies, unit: Unit, ahead: Mapping[bytes, int]) -> Cold:
    alarms = [each for each in unit.episodes if each.alarms][-EPISODES_MAX:]
    return Cold(
        unit,
        not_younger(unit.newest.minute * MINUTE_MS, ahead.get(bytes(unit.store or b""), 0)),
        tuple(
            (each, tuple(coldunits.affected_by(store, packs.items, packs.cold, unit, each)))
            for each in reversed(alarms)
        ),
    )


def _worst(cold: Cold) -> tuple[bool, bool, int]:
    ongoing = any(episode.ongoing for episode, _ in cold.alarms)
    return not ongoing, not cold.alarms, cold.newest_ms


async def logistics_page(request: web.Request) -> web.StreamResponse:
    """Three short lists."""
    return await _page(request, "logistics.html")


async def logistics_part(request: web.Request) -> web.StreamResponse:
    """The same without what surrounds it."""
    return await _page(request, "part_logistics.html")


async def _page(request: web.Request, template: str) -> web.StreamResponse:
    found, names = await _asked(request)
    desk = request.app[DESK]
    return desk.page(
        request,
        template,
        found=found,
        names=names,
        minute=MINUTE_MS,
        listed=LISTED_MAX,
        clocks=await clocks(desk.book, desk.now()),
    )


async def _asked(request: web.Request) -> tuple[Logistics, Names]:
    desk = request.app[DESK]
    packs = await desk.registry.supplies()
    found = await read_logistics(desk.book, packs, desk.now())
    return found, await names_of(desk, desk.speak(request).language)


async def logistics_csv(request: web.Request) -> web.StreamResponse:
    """One of the lists as a table."""
    table = request.path.rpartition("/")[2].removesuffix(".csv")
    found, names = await _asked(request)
    heads, rows = _TABLES[table]
    return await csv_answer(request, table, heads, rows(found, names))


_Rows = Iterator[tuple[Cell, ...]]


def _shipment_rows(found: Logistics, names: Names) -> _Rows:
    for each in found.moving:
        head = each.head
        for part in each.parts:
            yield (
                str(DocId(head.shipment)), each.state, *_store(head.donor, names),
                *_store(head.to_store, names), iso(each.since_ms), iso(head.until_ms),
                head.carrier, part.item, part.lot, part.wanted, part.approved, part.reserved,
                part.sent, part.arrived, part.missing, each.ways.get((part.item, part.lot), 0),
                head.unsettled,
            )  # fmt: skip


def _recall_rows(found: Logistics, names: Names) -> _Rows:
    for each in found.recalled:
        said = each.recall
        for store in each.answers:
            yield (
                said.item, said.lot, said.why, said.level, iso(said.at_ms),
                *_store(store.store, names), store.low, store.high, int(store.quarantined),
                store.received, store.gave, store.sent, store.lost, iso(store.last_ms),
            )  # fmt: skip


def _cold_rows(found: Logistics, names: Names) -> _Rows:
    for each in found.cold:
        unit = each.unit
        first: tuple[Cell, ...] = (
            *_store(unit.store, names), unit.unit, unit.cold, unit.newest.tenths / 10,
            iso(each.newest_ms),
        )  # fmt: skip
        if not each.alarms:
            yield (*first, "", "", "", "", "", "", "")
        for episode, lots in each.alarms:
            yield (
                *first, episode.limit.id, iso(episode.since_min * MINUTE_MS),
                iso(episode.until_min * MINUTE_MS), episode.minutes, episode.worst_tenths / 10,
                int(episode.ongoing), " ".join(f"{lot.item}:{lot.lot}" for lot in lots),
            )  # fmt: skip


def _store(store: bytes | None, names: Names) -> tuple[str, str]:
    return (str(SiteId(store)), names.sites.get(store, "")) if store else ("", "")


_TABLES = {
    "shipments": (
        ("shipment", "state", "from", "from_name", "to", "to_name", "since", "until", "carrier",
         "item", "lot", "wanted", "approved", "reserved", "sent", "arrived", "missing",
         "on_the_way", "unsettled"),
        _shipment_rows,
    ),
    "recalls": (
        ("item", "lot", "why", "level", "recalled_at", "site", "site_name", "holds_low",
         "holds_high", "held_back", "received", "gave", "sent_on", "lost", "as_of"),
        _recall_rows,
    ),
    "cold": (
        ("site", "site_name", "unit", "class", "celsius", "read_at", "limit", "since", "until",
         "minutes", "worst_celsius", "ongoing", "lots_that_may_be_harmed"),
        _cold_rows,
    ),
}  # fmt: skip

ROUTES = (
    web.get("/logistics", logistics_page, name="logistics"),
    *(web.get(f"/logistics/{table}.csv", logistics_csv, name=f"{table}_csv") for table in _TABLES),
)
