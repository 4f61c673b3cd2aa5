"""Stores by what people call them, and all rows of one."""

from __future__ import annotations

from typing import TypeVar

from protocols.errors import InputError
from protocols.guidelines.items import Items, shipped_items
from protocols.guidelines.vocabulary import fold
from protocols.ids import SiteId
from protocols.ledger import packs
from protocols.ledger.book import Ledger
from protocols.ledger.view import BookView
from protocols.records.stock import AllotmentRow, BalanceRow, MovementRow, StockRow, StocktakeRow

STORES_TOLD = 10
"""Ids told where several sites are called alike."""

OfPair = TypeVar("OfPair", MovementRow, BalanceRow, StockRow, AllotmentRow, StocktakeRow)
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


def catalogue(ledger: Ledger) -> Items:
    """Return the catalogue of items that this node works by."""
    found = packs.works_by(ledger, "items")
    return found if isinstance(found, Items) else shipped_items()


def on_way(ledger: Ledger, store: SiteId) -> dict[str, int]:
    """Return how many units of each item were sent to a store and are still expected there."""
    found = ledger.store.all(
        "SELECT l.item, sum(max(l.sent - l.arrived - l.missing, 0)) FROM shipment s"
        " JOIN shipment_line l ON l.shipment = s.shipment"
        " WHERE s.to_store = ? AND s.cancelled_ms IS NULL GROUP BY l.item",
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
