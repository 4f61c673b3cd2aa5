"""Stores by what people call them, and all rows of one."""

from __future__ import annotations

from typing import Any, TypeVar

from protocols.errors import InputError
from protocols.guidelines.items import Items, shipped_items
from protocols.guidelines.vocabulary import fold
from protocols.ids import SiteId
from protocols.ledger import packs
from protocols.ledger.book import Ledger
from protocols.ledger.view import BookView
from protocols.records import stockreports
from protocols.records.lots import LotDateRow
from protocols.records.shape import columns
from protocols.records.stock import AllotmentRow, BalanceRow, MovementRow, StockRow, StocktakeRow

STORES_TOLD = 10
"""Ids told where several sites are called alike."""

OfPair = TypeVar(
    "OfPair", MovementRow, BalanceRow, StockRow, AllotmentRow, StocktakeRow, LotDateRow
)
"""Rows that name a store and an item."""


def store_named(ledger: Ledger, text: str) -> SiteId:
    """Return a site by its id or by its name, however it is spelled.

    Raises:
        InputError: `not_found`; `ambiguous_store`, naming the ids.
    """
    wanted = fold(text)
    found = []
    for raw, name in ledger.store.all("SELECT id, name FROM site ORDER BY id"):
        site = SiteId(raw)
        if str(site) == text.strip():
            return site
        if wanted and fold(name) == wanted:
            found.append(site)
    if not found:
        raise InputError("not_found", field="store")
    if len(found) > 1:
        told = tuple(str(site) for site in found[:STORES_TOLD])
        raise InputError("ambiguous_store", field="store", allowed=told)
    return found[0]


def site_name(ledger: Ledger, raw: bytes | None) -> str:
    """Return what a site is called; its id where nothing is known of it, '' for none."""
    if raw is None:
        return ""
    found = ledger.store.all("SELECT name FROM site WHERE id = ?", (raw,))
    if found and found[0][0]:
        return str(found[0][0])
    return str(SiteId(raw)) if len(raw) == SiteId.SIZE else ""


def rows_of(
    ledger: Ledger, table: type[OfPair], store: SiteId, item: str | None, now_ms: int
) -> list[OfPair]:
    """Return the rows of a store, of one item where it is named."""
    found = BookView(ledger, now_ms).rows_where(table, "store", store)
    return [row for row in found if item in (None, row.item)]


Place = tuple[int, int, str, str, bytes, int, int]
"""Where a movement stands among those of a store: when, units with their sign turned, item, lot,
device, entry and place in it; the last two break ties."""


def movements_after(
    ledger: Ledger, store: SiteId, item: str | None, after: Place | None, limit: int
) -> list[MovementRow]:
    """Return movements of a store, the oldest first and of one instant what came in first.

    Args:
        ledger: The book.
        store: Whose.
        item: One item; None: all.
        after: Behind this place; None: from the beginning.
        limit: At most so many: no more of them are held in memory.
    """
    names = tuple(name for name, _ in columns(MovementRow))
    where, values = ["store = ?"], list[Any]([bytes(store)])
    if item is not None:
        where.append("item = ?")
        values.append(item)
    if after is not None:
        where.append(f"({_PLACE}) > (?,?,?,?,?,?,?)")
        values += after
    found = ledger.store.all(
        f"SELECT {', '.join(names)} FROM movement WHERE {' AND '.join(where)}"
        f" ORDER BY {_PLACE} LIMIT ?",
        (*values, limit),
    )
    return [MovementRow(**dict(zip(names, row, strict=True))) for row in found]


_PLACE = "at_ms, -units, item, lot, device, entry, idx"


def place_of(row: MovementRow) -> Place:
    """Return where a movement stands, to ask for what comes after it."""
    return row.at_ms, -row.units, row.item, row.lot, row.device, row.entry, row.idx


def on_card_after(
    ledger: Ledger, store: SiteId, item: str, after: stockreports.Place | None, limit: int
) -> list[MovementRow]:
    """Return movements of an item that a stock card lists, in its order; args as above."""
    names = tuple(name for name, _ in columns(MovementRow))
    behind = "" if after is None else f" AND ({_ON_CARD}) > (?,?,?,?,?,?,?,?,?)"
    found = ledger.store.all(
        f"SELECT {', '.join(names)} FROM movement WHERE store = ? AND item = ?"
        f" AND standing = 0 AND replaced = 0 AND double = 0{behind} ORDER BY {_ON_CARD} LIMIT ?",
        (bytes(store), item, *(after or ()), limit),
    )
    return [MovementRow(**dict(zip(names, row, strict=True))) for row in found]


_ON_CARD = "at_ms, -units, type, lot, device, why, coalesce(patient, x''), entry, idx"


def items_of_cards(ledger: Ledger, store: SiteId) -> list[str]:
    """Return the items of which anything was ever moved or counted in a store."""
    tables = " UNION ".join(
        f"SELECT item FROM {table} WHERE store = ?1"
        for table in ("movement", "stocktake", "lot_date")
    )
    return sorted(str(item) for (item,) in ledger.store.all(tables, (bytes(store),)))


def catalogue(ledger: Ledger) -> Items:
    """Return the catalogue of items that this node works by."""
    found = packs.works_by(ledger, "items")
    return found if isinstance(found, Items) else shipped_items()


def on_way(ledger: Ledger, store: SiteId) -> dict[str, int]:
    """Return how many units of each item were sent to a store and are still expected there."""
    found = ledger.store.all(
        "SELECT l.item, sum(max(l.sent - l.arrived - l.missing, 0)) FROM shipment s"
        " JOIN shipment_line l ON l.shipment = s.shipment"
        # What left though somebody cancelled it apart comes all the same.
        " WHERE s.to_store = ? AND s.state <> 'cancelled' GROUP BY l.item",
        (bytes(store),),
    )
    return {str(item): int(units) for item, units in found if units}


def recalled(ledger: Ledger) -> frozenset[tuple[str, str]]:
    """Return item and lot of every recall that holds."""
    return frozenset(
        (str(item), str(lot))
        for item, lot in ledger.store.all(
            "SELECT DISTINCT item, lot FROM recall WHERE standing = 0 AND replaced = 0"
        )
    )
