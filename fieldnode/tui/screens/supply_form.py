"""What forms about requests, shipments, recalls and fridges share."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import ClassVar

from fieldnode.client import Node
from fieldnode.tui.acts import Act, Ask, Say
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.cores.picked import MARK, Item
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.cores.supply_fields import Units, sum_text
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.form_page import FormPage
from fieldnode.tui.supply_words import whole
from protocols.live.api import Recorded
from protocols.live.shelf import CodeRead, ItemName, StoreLine
from protocols.records.display import clean_text

TOLD_ROWS = 6
NAMES_ALLOWED = frozenset(
    {"beyond_stock", "large_quantity", "lot_unknown", "lot_unstated", "not_sent_yet", "recalled"}
)
"""Doubts beside which the node says what it knows."""
STORES_NUMBERED = 9


class SupplyForm(FormPage):
    """A form that is about no patient: what it is about stands below its fields."""

    titled: ClassVar[str] = ""
    """Catalogue key of a draft's name in front of what it is about; '' for none."""

    def named(self) -> str:
        """Return what it is about, as drafts, SAVED and F8 name it."""
        return ""

    def told(self) -> list[Line]:
        """Return what to know below the fields."""
        return []

    def draft_label(self) -> str:
        """Return what a list of drafts says it is about."""
        return self.named()

    def _label(self, _recorded: Recorded) -> str:
        return self.named()

    def draw(self, size: Size) -> list[Line]:
        """Draw the form, and below it what to know."""
        told = self.told()[:TOLD_ROWS]
        return [*super().draw(Size(size.width, size.height - len(told))), *told]

    def says(self, text: str, role: str = "plain") -> list[Line]:
        """Return a sentence as lines."""
        return [line(" ", Span(part, role)) for part in wrap(text, 78)] if text else []

    def beside(self) -> dict[str, Span]:
        """Return beside every quantity what it comes to (SAFETY 24)."""
        found = {}
        for place, field in enumerate(self.form.fields):
            if isinstance(field, Units) and (said := self._sum(place, field.name)):
                found[field.name] = said
        return found

    def beside_units(self, _name: str) -> str:
        """Return what to know beside a quantity that is not typed yet, or behind its sum."""
        return ""

    def unit_of(self, _name: str, _count: int) -> str:
        """Return the word for so many units of a quantity; '' where it is not known."""
        return ""

    def _sum(self, place: int, name: str) -> Span | None:
        text, total = self.form.text(place), self.form.answer(place).text
        known = self.beside_units(name)
        if not total:
            return Span(known, "dim") if known else None
        unit = self.unit_of(name, int(total))
        # A quantity is shown as packs x size = units before it is saved.
        said = f"{sum_text(text, whole)} = {whole(int(total))} {unit}".rstrip()
        return Span("  ".join(filter(None, (said, known))), "title")

    def _sentence(self, recorded: Recorded, confirmable: bool) -> str:
        """Say what the node knows beside its doubt."""
        said = super()._sentence(recorded, confirmable)
        if not confirmable or recorded.confirm not in NAMES_ALLOWED or not recorded.allowed:
            return said
        known = "-".join(clean_text(one, 20) for one in recorded.allowed[:4])
        told = self.desk.words("supply.known", what=known)
        return f"{said} ({told})"


class ScannedForm(SupplyForm):
    """A form with an item and a lot that a scan fills."""

    def __init__(self, desk: Desk, form: object, items: tuple[ItemName, ...]) -> None:
        super().__init__(desk, form)  # type: ignore[arg-type]
        self.items = items

    def item_word(self, code: str) -> str:
        """Return an item's name; its code where the catalogue has none."""
        known = next((one for one in self.items if one.item == code), None)
        return clean_text(known.name if known else code)

    def scan(self, scan: Scan) -> list[Act]:
        """Ask what the code is on; keys wait."""
        code = scan.symbology + scan.text
        return [Ask(lambda node: node.code_means(code), self._read)]

    def _read(self, found: CodeRead) -> list[Act]:
        words = self.desk.words
        meant = sorted({each.item for each in found.means})
        if len(meant) > 1 or (not meant and not found.lot):
            return [Say(words("supply.code_unknown"), "warn", bell=True)]
        place = self.form.place_of("item")
        typed = self.form.answer(place).text.removeprefix(MARK)
        if typed and meant and typed != meant[0]:
            # What was typed is about another item: a scan fills nothing then (SAFETY 17).
            said = words("supply.other_item", item=self.item_word(meant[0]))
            return [Say(said, "warn", bell=True)]
        if meant:
            self.form.fill("item", MARK + meant[0])
        if found.lot and any(field.name == "lot" for field in self.form.fields):
            self.form.fill("lot", found.lot)
        return [self._put_draft()]


def item_rows(items: Iterable[ItemName]) -> tuple[Item, ...]:
    """Return the catalogue to pick from: by letters, since no list numbers it."""
    return tuple(Item("", one.item, one.name, one.also) for one in items)


def store_rows(stores: Iterable[StoreLine]) -> tuple[Item, ...]:
    """Return stores to pick from: the first ones by a digit, all of them by letters."""
    return tuple(
        Item(str(at) if at <= STORES_NUMBERED else "", one.store, one.name or one.store)
        for at, one in enumerate(stores, 1)
    )


def our_store(desk: Desk, stores: Iterable[StoreLine]) -> str:
    """Return the store chosen here, else our first one; '' where we have none (SAFETY 23)."""
    return desk.store or next((one.store for one in stores if one.ours), "")


def with_lists(
    go_on: Callable[[tuple[ItemName, ...], tuple[StoreLine, ...]], list[Act]], desk: Desk
) -> Ask:
    """Ask for catalogue and stores, and go on; keys wait."""

    async def fetch(node: Node) -> tuple[tuple[ItemName, ...], tuple[StoreLine, ...]]:
        items, stores = await node.items(desk.words.languages), await node.stores()
        return items.lines, stores.lines

    return Ask(fetch, lambda found: go_on(*found))
