"""What is set aside and what is on its way: questions that join shipments with movements.

A movement moves stock; a shipment says why and what was given up. What is on its way is what left
less what came in less what is given up as missing, all as it is held here, so the stores and the
roads together add up to what came in, whatever has arrived at this node and in whatever order.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import NamedTuple

from protocols.ids import PREFIX_BYTES, EntryPrefix, FactRef
from protocols.ledger.store import Store

SHIPMENTS_MAX = 200
"""Shipments of one answer."""


class SetAside(NamedTuple):
    """What a store set aside of a lot and has not sent."""

    store: bytes
    item: str
    lot: str
    units: int


class OnTheWay(NamedTuple):
    """What left a store and is not known to have come."""

    shipment: bytes
    item: str
    lot: str
    units: int
    """Below 0: it came, and that it was sent has not reached this node; the figure of the store
    that gave is too high by so much."""
    since_ms: int
    """When the first of it moved."""


def set_aside(store: Store, now_ms: int, donor: bytes | None = None) -> list[SetAside]:
    """Return what is set aside and has not lapsed, by store, item and lot.

    Args:
        now_ms: Unix milliseconds.
        donor: One store; None: all.
    """
    where, values = ("AND s.donor = ?", (donor,)) if donor is not None else ("", ())
    found = store.all(
        "SELECT s.donor, l.item, l.lot, sum(l.reserved) FROM shipment s"
        " JOIN shipment_line l ON l.shipment = s.shipment"
        " WHERE s.state = 'reserved' AND s.standing = 0 AND s.replaced = 0 AND l.reserved > 0"
        f" AND s.donor IS NOT NULL AND (s.until_ms IS NULL OR s.until_ms > ?) {where}"
        " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        (now_ms, *values),
    )
    return [SetAside(*row) for row in found]


def on_the_way(store: Store, shipment: bytes | None = None) -> list[OnTheWay]:
    """Return what is on its way, by shipment, item and lot; nothing where it all came.

    Args:
        shipment: One of them; None: all.
    """
    where, values = ("= ?", (shipment,)) if shipment is not None else ("IS NOT NULL", ())
    found = store.all(
        "SELECT shipment, item, lot, -sum(units), min(at_ms) FROM movement"
        f" WHERE shipment {where} AND standing = 0 AND replaced = 0 AND double = 0"
        " GROUP BY 1, 2, 3 ORDER BY 1, 2, 3",
        values,
    )
    given_up = {
        (each, item, lot): units
        for each, item, lot, units in store.all(
            f"SELECT shipment, item, lot, missing FROM shipment_line WHERE shipment {where}"
            " AND missing <> 0",
            values,
        )
    }
    ways = [
        OnTheWay(each, item, lot, units - given_up.get((each, item, lot), 0), since_ms)
        for each, item, lot, units, since_ms in found
    ]
    return [way for way in ways if way.units]


class TakenTwice(NamedTuple):
    """A lot of a shipment that several stores took in, more of it than was sent."""

    shipment: bytes
    item: str
    lot: str
    sent: int
    """As far as is known here."""
    came: int
    """In all of those stores; each counts what it took in."""
    movements: tuple[FactRef, ...]
    """By which they took it in, the first of them first: one of them is to be taken back."""


def taken_twice(store: Store, shipment: bytes | None = None) -> list[TakenTwice]:
    """Return what two stores took in apart and both count, by shipment, item and lot.

    A store knows its own movements alone, so both keep what they counted until people look.

    Args:
        shipment: One of them; None: all.
    """
    where, values = ("= ?", (shipment,)) if shipment is not None else ("IS NOT NULL", ())
    told = store.all(
        "SELECT m.shipment, m.item, m.lot, m.type, m.units, m.store, e.hash, m.idx FROM movement m"
        f" JOIN entry e ON e.arrival = m.entry WHERE m.shipment {where}"
        " AND m.standing = 0 AND m.replaced = 0 AND m.double = 0 AND (m.shipment, m.item, m.lot) IN"
        f" (SELECT shipment, item, lot FROM movement WHERE shipment {where} AND standing = 0"
        " AND replaced = 0 AND double = 0 AND type = 'receive' GROUP BY shipment, item, lot"
        " HAVING count(DISTINCT store) > 1) ORDER BY 1, 2, 3, m.at_ms, e.hash, m.idx",
        (*values, *values),
    )
    found = []
    for (shipment, item, lot), rows in groupby(told, key=lambda row: tuple(row[:3])):
        moves = list(rows)
        came = [row for row in moves if row[3] == "receive"]
        units, sent = sum(row[4] for row in came), -sum(r[4] for r in moves if r[3] == "issue")
        if units > sent:
            refs = tuple(FactRef(EntryPrefix(row[6][:PREFIX_BYTES]), row[7]) for row in came)
            found.append(TakenTwice(shipment, item, lot, sent, units, refs))
    return found


class ShipmentHead(NamedTuple):
    """One shipment in a list."""

    shipment: bytes
    state: str
    donor: bytes | None
    to_store: bytes | None
    until_ms: int | None
    requested_ms: int | None
    approved_ms: int | None
    reserved_ms: int | None
    sent_ms: int | None
    received_ms: int | None
    cancelled_ms: int | None
    carrier: str
    text: str
    lines: int
    unsettled: int


class ShipmentPart(NamedTuple):
    """One lot of a shipment, or what was asked of an item."""

    item: str
    lot: str
    expiry_day: int | None
    wanted: int
    approved: int
    reserved: int
    sent: int
    arrived: int
    missing: int
    why: str
    vvm: int


_HEAD = ", ".join(ShipmentHead._fields)
_PART = ", ".join(ShipmentPart._fields)
_OVER = "('received', 'cancelled')"


def heads(
    store: Store, stores: Sequence[bytes] = (), *, closed: bool = False, limit: int = SHIPMENTS_MAX
) -> list[ShipmentHead]:
    """Return shipments, those that go on, the newest first.

    Args:
        stores: Sent from or to one of these; none: all.
        closed: Those received and cancelled too.
        limit: At most so many.
    """
    marks = ",".join("?" * len(stores))
    where = f"AND (donor IN ({marks}) OR to_store IN ({marks}))" if stores else ""
    over = "" if closed else f"AND (state NOT IN {_OVER} OR unsettled > 0)"
    found = store.all(
        f"SELECT {_HEAD} FROM shipment WHERE standing = 0 AND replaced < 2 {where} {over}"
        " ORDER BY at_ms DESC, shipment LIMIT ?",
        (*stores, *stores, min(limit, SHIPMENTS_MAX)),
    )
    return [ShipmentHead(*row) for row in found]


def head(store: Store, shipment: bytes) -> list[ShipmentHead]:
    """Return one shipment; [] where nothing is known of it."""
    found = store.all(
        f"SELECT {_HEAD} FROM shipment WHERE shipment = ? AND standing = 0 AND replaced < 2",
        (shipment,),
    )
    return [ShipmentHead(*row) for row in found]


def parts(store: Store, shipment: bytes) -> list[ShipmentPart]:
    """Return the lines of one shipment, by item and lot."""
    found = store.all(
        f"SELECT {_PART} FROM shipment_line WHERE shipment = ? ORDER BY item, lot", (shipment,)
    )
    return [ShipmentPart(*row) for row in found]
