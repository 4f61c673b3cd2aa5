"""Calls about stores: what they hold, one item's lots and movements, what a code is on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from fieldnode.asking import Asking
from protocols.live.shelf import CodeRead, DoseStock, ItemNames, Shelf, StockItem, Stores


class StockCalls(Protocol):
    """The calls of `protocols/live/shelving.py` as a terminal uses them."""

    async def stores(self) -> Stores:
        """Stores, our own first."""
        ...

    async def shelf(
        self, store: str, offset: int, limit: int, text: str, sort: str, languages: Sequence[str]
    ) -> Shelf:
        """One page of what a store holds."""
        ...

    async def stock_item(self, store: str, item: str, languages: Sequence[str]) -> StockItem:
        """One item in one store."""
        ...

    async def items(self, languages: Sequence[str]) -> ItemNames:
        """The catalogue, to pick from."""
        ...

    async def code_means(self, code: str) -> CodeRead:
        """What a scanned code says, and what it is on."""
        ...

    async def dose_stock(
        self, store: str, substance: str, value: str, unit: str, languages: Sequence[str]
    ) -> DoseStock:
        """Which items of a store hold a medicine, and what a dose takes of each."""
        ...


class StockClient(Asking):
    """The same over the socket."""

    async def stores(self) -> Stores:
        """See `StockCalls.stores`."""
        return await self.ask(Stores, "stores")

    async def shelf(
        self, store: str, offset: int, limit: int, text: str, sort: str, languages: Sequence[str]
    ) -> Shelf:
        """See `StockCalls.shelf`."""
        said = {"filter": text, "sort": sort, "languages": list(languages)}
        return await self.ask(Shelf, "shelf", store=store, offset=offset, limit=limit, **said)

    async def stock_item(self, store: str, item: str, languages: Sequence[str]) -> StockItem:
        """See `StockCalls.stock_item`."""
        said = {"store": store, "item": item, "languages": list(languages)}
        return await self.ask(StockItem, "stock_item", **said)

    async def items(self, languages: Sequence[str]) -> ItemNames:
        """See `StockCalls.items`."""
        return await self.ask(ItemNames, "items", languages=list(languages))

    async def code_means(self, code: str) -> CodeRead:
        """See `StockCalls.code_means`."""
        return await self.ask(CodeRead, "scan", code=code)

    async def dose_stock(
        self, store: str, substance: str, value: str, unit: str, languages: Sequence[str]
    ) -> DoseStock:
        """See `StockCalls.dose_stock`."""
        said = {"substance": substance, "value": value, "unit": unit, "languages": list(languages)}
        return await self.ask(DoseStock, "dose_stock", store=store, **said)
