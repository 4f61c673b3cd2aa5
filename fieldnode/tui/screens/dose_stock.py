"""What a dose takes from the store of this terminal: which item and lot, how many whole units."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import Any

from fieldnode.tui.acts import Act, Ask, Say
from fieldnode.tui.cores.display import Line
from fieldnode.tui.cores.fields import Answer, Field
from fieldnode.tui.cores.picked import MARK, Item, Picked, coded
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.cores.stock_fields import Lot
from fieldnode.tui.cores.supply_fields import Whole
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.care_form import CareForm
from fieldnode.tui.screens.medicine_words import measure
from fieldnode.tui.stock_words import amount, lot_text
from protocols.live.shelf import CodeRead, DoseItem, DoseStock
from protocols.records.display import clean_text

ITEMS_MAX = 9


class FromStore(CareForm, ABC):
    """A form of a dose that draws from the store of this terminal, where one is chosen."""

    stock: DoseStock | None = None
    """What the store has of the medicine; None while it is not known."""

    @abstractmethod
    def dose_of(self) -> tuple[str, str, str]:
        """Return substance, value and unit as the form has them now; '' for what is open."""

    def opened(self) -> list[Act]:
        """Ask what the store has."""
        return [*super().opened(), *self.ask_stock()]

    def field_left(self, name: str) -> list[Act]:
        """Ask again once the dose is another one."""
        if name == "item" and self.stock is not None:
            self._offer()
        asks = self.ask_stock() if name in ("substance", "dose", "unit") else []
        return [*super().field_left(name), *asks]

    def ask_stock(self) -> list[Act]:
        """Ask what the store has of the medicine, and what the dose takes of it."""
        desk, (substance, value, unit) = self.desk, self.dose_of()
        if not desk.store or not substance:
            return []
        store, languages = desk.store, desk.words.languages
        return [
            Ask(
                lambda node: node.dose_stock(store, substance, value, unit, languages),
                self._stock_came,
            )
        ]

    def _stock_came(self, found: DoseStock) -> list[Act]:
        self.stock = found
        items = tuple(
            Item(str(at), each.known.item, clean_text(each.known.name))
            for at, each in enumerate(found.lines[:ITEMS_MAX], 1)
        )
        old = self.form.fields[self.form.place_of("item")]
        self.form.replace_field(Picked("item", old.label, hint=old.hint, items=items))
        self._offer()
        return []

    def _offer(self) -> None:
        """Offer the lot that expires first, of the item that it is taken from."""
        taken = self.taken
        old = self.form.fields[self.form.place_of("lot")]
        lots = () if taken is None else tuple(lot.lot for lot in taken.lots if lot.lot)[:ITEMS_MAX]
        self.form.replace_field(Lot("lot", old.label, hint=old.hint, lots=lots))
        now = self.form.text(self.form.place_of("lot"))
        if now.startswith(MARK) and now.removeprefix(MARK) not in lots:
            self.form.take_back("lot")
        if taken is not None and taken.first:
            self.form.offer("lot", MARK + taken.first)

    @property
    def taken(self) -> DoseItem | None:
        """The item it is taken from: the one chosen, else the only one that is there."""
        if self.stock is None:
            return None
        named = coded(self.form.answers().get("item", Answer()))[0]
        if named:
            return next((one for one in self.stock.lines if one.known.item == named), None)
        there = [one for one in self.stock.lines if one.high > 0]
        return there[0] if len(there) == 1 else None

    def drawn(self, found: dict[str, Any], answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the record with what it takes from the store."""
        taken = self.taken
        if taken is None or self.stock is None:
            return found
        data = {**found["data"], "item": taken.known.item}
        units = answers.get("units", Answer()).text
        if units or taken.units:
            data["units"] = int(units or taken.units)
        return {**found, "store": self.stock.store, "data": data}

    def scan(self, scan: Scan) -> list[Act]:
        """Take item and lot from the package that is in somebody's hand; else as every form."""
        if not self.desk.store or self.stock is None:
            return super().scan(scan)
        code = scan.symbology + scan.text

        def read(found: CodeRead) -> list[Act]:
            known = {one.known.item for one in self.stock.lines} if self.stock else set()
            items = {each.item for each in found.means}
            if not items:
                return self._unread(scan)
            if not items & known or len(items) > 1:
                # Another medicine than the one that is given: nothing is filled (SAFETY 17).
                return [Say(self.desk.words("give.other_item"), "warn", bell=True)]
            place = self.form.place
            self.form.fill("item", MARK + items.pop())
            self.form.take_back("lot")
            if found.lot:
                self.form.fill("lot", MARK + found.lot)
            self._offer()
            self.form.go_to(self.form.fields[place].name)
            return [self._put_draft()]

        return [Ask(lambda node: node.code_means(code), read)]

    def _unread(self, scan: Scan) -> list[Act]:
        # On no package: perhaps somebody wears it.
        return super().scan(scan)

    def stock_told(self) -> list[Line]:
        """Say what is taken from which store, before it is."""
        words, desk = self.desk.words, self.desk
        if not desk.store:
            return self.says(words("give.no_store"), "warn")
        if self.stock is None:
            return []
        where, taken = clean_text(self.stock.store_name), self.taken
        if taken is None:
            several = sum(one.high > 0 for one in self.stock.lines) > 1
            key = "give.which_item" if several else "give.none_there"
            return self.says(words(key, store=where), "warn")
        units = self.form.answers().get("units", Answer()).text or str(taken.units or "")
        if not units:
            return self.says(words("give.how_many", item=taken.known.name), "warn")
        what = amount(words, taken.known.unit, int(units))
        said = words("give.takes", what=what, item=clean_text(taken.known.name), store=where)
        lot = self.form.answers().get("lot", Answer()).text
        row = next((one for one in taken.lots if one.lot == lot), None)
        parts = [said, lot_text(words, row) if row else words("shelf.lot", lot=lot) if lot else ""]
        if taken.sum and not self.form.answers().get("units", Answer()).text:
            parts.append(taken.sum)
        if taken.discarded:
            parts.append(words("give.discarded", what=measure(words, taken.discarded)))
        barred = row is not None and set(row.marks) - {"expiring"}
        return self.says("  ".join(part for part in parts if part), "bad" if barred else "title")


def stock_fields(desk: Desk) -> tuple[Field, ...]:
    """Return the fields that say what is taken; none where no store is chosen."""
    if not desk.store:
        return ()
    return (
        Picked("item", "give.item", hint="give.item_hint", items=()),
        Whole("units", "move.units", hint="give.units_hint", swift=False),
    )
