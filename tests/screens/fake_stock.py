"""A store in memory, for screens: what `FakeNode` answers about stock."""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.errors import InputError
from protocols.guidelines.items import shipped_items
from protocols.live.shelf import (
    AccountLine,
    CodeMeaning,
    CodeRead,
    DoseItem,
    DoseStock,
    ItemName,
    ItemNames,
    LotLine,
    MoveLine,
    Shelf,
    ShelfLine,
    StockItem,
    StoreLine,
    Stores,
)

STORE = "site_0NORD"
WARD = "site_0WARDB"
DAY_MS = 86_400_000
PARACETAMOL, ORS, MORPHINE = "paracetamol-500-tab", "ors-1l-sachet", "morphine-10-amp"
AMOXICILLIN = "amoxicillin-250-tab"
TAUGHT = "]E05012345678900"
BOX = "]d201050123456789001727120010C9"
UNKNOWN = "]E04006381333931"
WRONG = "]E05012345678901"


def _day(iso: str) -> int:
    from datetime import date

    return (date.fromisoformat(iso) - date(1970, 1, 1)).days


class StockCalls:
    """The calls of `protocols/live/shelving.py`."""

    written: list[dict[str, Any]]

    def _up(self) -> None:
        raise NotImplementedError

    def begin_stock(self, now_ms: int) -> None:
        """Fill one store."""
        self.depots = [StoreLine(STORE, "Camp Nord", True, 5)]
        hour = 3_600_000

        def line(item: str, low: int, high: int, **more: Any) -> ShelfLine:
            told = {"last_ms": now_ms - hour, "counted_ms": now_ms - 2 * DAY_MS} | more
            return ShelfLine(item, item, "", low, high, **told)

        self.held = [
            line(PARACETAMOL, 64, 66, days="3", expiry_day=_day("2026-06-30"), unsettled=1,
                 marks=("low", "expiring", "unsettled")),
            line(MORPHINE, -2, -2, expiry_day=_day("2027-01-31"), marks=("negative", "out"),
                 counted_ms=None),
            line(ORS, 4200, 4200, days="116", expiry_day=_day("2028-01-31")),
            line("ceftriaxone-1g-vial", 60, 60, expiry_day=_day("2026-12-31"),
                 marks=("recalled", "held")),
            line("mr-vaccine", 110, 110, days="9", guess=True, marks=("low",)),
        ]  # fmt: skip
        self.lots_of: dict[str, tuple[LotLine, ...]] = {
            PARACETAMOL: (
                LotLine("P1", _day("2026-06-30"), 24, 26, ("expiring",), now_ms - hour),
                LotLine("P2", _day("2027-09-30"), 40, 40, (), now_ms - 3 * DAY_MS),
            ),
            MORPHINE: (LotLine("M1", _day("2027-01-31"), -2, -2, (), now_ms - hour),),
            ORS: (LotLine("A1", _day("2028-01-31"), 4200, 4200, (), now_ms - hour),),
            "ceftriaxone-1g-vial": (
                LotLine("C1", _day("2026-12-31"), 60, 60, ("recalled", "held"), now_ms - hour),
            ),
        }
        self.moved: dict[str, tuple[MoveLine, ...]] = {
            PARACETAMOL: (
                MoveLine("fct_m1", now_ms - hour, "issue", "P1", -2, "Ward B", "to-ward", "", "",
                         "J. Cho", maybe=True),
                MoveLine("fct_c1", now_ms - 2 * DAY_MS, "count", "", 66, "", "", "", "",
                         "L. Mbeki"),
                MoveLine("fct_m2", now_ms - 3 * DAY_MS, "receive", "P2", 40, "", "donation", "",
                         "", "L. Mbeki"),
                MoveLine("fct_m3", now_ms - 4 * DAY_MS, "loss", "P1", -4, "", "spilled",
                         "a box fell", "", "J. Cho", counts=False),
            ),
            MORPHINE: (
                MoveLine("fct_m4", now_ms - hour, "dispense", "M1", -6, "patient", "dose", "",
                         "A. Silva", "R. Amin", below=True),
                MoveLine("fct_m5", now_ms - 5 * hour, "issue", "M1", -6, "Ward B", "", "fire", "",
                         "J. Cho", overdrawn=True, below=True, countersigned=True),
            ),
        }  # fmt: skip
        self.moved[ORS] = (
            MoveLine("fct_d1", now_ms - hour, "expiry", "A1", 0, "", "", "carton says 2028", "",
                     "L. Mbeki", expiry_day=_day("2028-01-31")),
        )  # fmt: skip
        self.accounts: dict[str, tuple[AccountLine, ...]] = {
            MORPHINE: (
                AccountLine("dev_0FAKE", "nord-b", True, 10, 6, 4),
                AccountLine("dev_0OTHER", "nord-a", False, 4, 6, -2),
            )
        }
        self.taught = {TAUGHT: CodeRead("5012345678900", means=(CodeMeaning(ORS, 100, True),))}
        self.taught[BOX] = CodeRead(
            "05012345678900", "C9", "2027-12-31", means=(CodeMeaning(ORS, 100, True),)
        )

    async def stores(self) -> Stores:
        self._up()
        return Stores(tuple(self.depots))

    async def shelf(
        self,
        store: str,
        offset: int,
        limit: int,
        text: str = "",
        sort: str = "",
        languages: Any = ("en",),
        **said: str,
    ) -> Shelf:
        self._up()
        text = text or said.get("filter", "")
        lines = [self._named(line, languages) for line in self.held if store == STORE]
        if sort == "counted":
            lines.sort(key=lambda line: line.counted_ms or 0)
        found = [line for line in lines if text.casefold() in line.name.casefold()]
        marked: dict[str, int] = {}
        for line in lines:
            for mark in line.marks:
                marked[mark] = marked.get(mark, 0) + 1
        page = tuple(found[offset : offset + limit])
        return Shelf(store, "Camp Nord", len(found), offset, page, len(lines), marked, "ewma")

    async def stock_item(self, store: str, item: str, languages: Any) -> StockItem:
        self._up()
        known = next(one for one in _names(tuple(languages)) if one.item == item)
        empty = ShelfLine(item, known.name, known.unit, 0, 0)
        line = next((one for one in self.held if one.item == item and store == STORE), empty)
        lots = self.lots_of.get(item, ()) if store == STORE else ()
        first = next(
            (one.lot for one in lots if one.high > 0 and set(one.marks) <= {"expiring"}), ""
        )
        return StockItem(
            store, "Camp Nord", known, self._named(line, languages), lots,
            self.moved.get(item, ()), self.accounts.get(item, ()), first,
            "8.9" if line.days else "",
        )  # fmt: skip

    async def items(self, languages: Any) -> ItemNames:
        self._up()
        return ItemNames(_names(tuple(languages)))

    async def code_means(self, code: str) -> CodeRead:
        self._up()
        if code == WRONG:
            raise InputError("gs1_check_digit")
        for line in self.written:
            data = line["data"]
            if line["kind"] == "barcode.teach" and data["barcode"] == code:
                return CodeRead(code[3:], means=(CodeMeaning(data["item"], data["units"], True),))
        return self.taught.get(code, CodeRead(code[3:]))

    async def dose_stock(
        self, store: str, substance: str, value: str, unit: str, languages: Any
    ) -> DoseStock:
        self._up()
        if substance.casefold() != "amoxicillin":
            return DoseStock(store, "Camp Nord", ())
        known = next(one for one in _names(tuple(languages)) if one.item == AMOXICILLIN)
        lots = (
            LotLine("X1", _day("2026-07-31"), 30, 30, ("expiring",)),
            LotLine("X2", _day("2027-07-31"), 100, 100),
        )
        return DoseStock(
            store, "Camp Nord", (DoseItem(known, 130, 130, 2, "500 ÷ 250 = 2", "", lots, "X1"),)
        )

    async def scan(self, code: str) -> CodeRead:
        """The same over the socket."""
        return await self.code_means(code)

    def _named(self, line: ShelfLine, languages: Any) -> ShelfLine:
        known = {one.item: one for one in _names(tuple(languages))}.get(line.item)
        if known is None:
            return line
        return msgspec.structs.replace(line, name=known.name, unit=known.unit)


_KNOWN: dict[tuple[str, ...], tuple[ItemName, ...]] = {}


def _names(languages: tuple[str, ...]) -> tuple[ItemName, ...]:
    if languages not in _KNOWN:
        _KNOWN[languages] = tuple(
            ItemName(
                row.code, row.shown(languages).text, row.unit, row.packs, row.controlled,
                row.is_kit, (row.code, *row.substances),
            )
            for row in shipped_items().item
        )  # fmt: skip
    return _KNOWN[languages]
