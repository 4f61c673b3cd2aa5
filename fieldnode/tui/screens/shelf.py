"""F5: what the store of this terminal holds, what runs out first first."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Hashable
from typing import TYPE_CHECKING, ClassVar

from fieldnode.tui.acts import Act, Ask, Open
from fieldnode.tui.cores.display import Line, Size, Span, between, cells, fit_right, line, wrap
from fieldnode.tui.cores.list import PAGE_ROWS
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint, Page
from fieldnode.tui.screens.listing import FILTER, Paged
from fieldnode.tui.screens.stock_form import Room, with_room
from fieldnode.tui.screens.stores import StoresPage, settled_on, taken_up
from fieldnode.tui.stock_words import as_of, days, figure, mark_word, month, status, units_of
from fieldnode.tui.widgets.list_view import Column, draw_counts
from protocols.live.shelf import Shelf, ShelfLine, Stores
from protocols.records.display import clean_text

if TYPE_CHECKING:
    from fieldnode.client import Node

ITEM_CELLS_MIN = 24


class ShelfPage(Paged[ShelfLine, Shelf]):
    """Items of one store; Enter opens an item's card."""

    name: ClassVar[str] = "supplies"
    actions = (
        Action("r", "2", "shelf.receive"),
        Action("i", "3", "shelf.issue"),
        Action("c", "4", "shelf.count"),
        Action("m", "5", "shelf.more"),
        Action("s", "6", "shelf.send"),
        Action(FILTER, "1", "board.filter"),
        Action("o", "0", "shelf.stores"),
    )
    # In the order in which the row of actions has room for them: `m` names the rest.
    none_marked: ClassVar[str] = "shelf.none_marked"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._store = desk.store

    def name_of(self, row: ShelfLine) -> str:
        """Return the item."""
        return row.item

    @property
    def asked(self) -> Hashable:
        """The store and the filter."""
        return self._store, self.filter

    def ask(self, node: Node, offset: int) -> Awaitable[Shelf]:
        """Ask for a page of the store."""
        languages = self.desk.words.languages
        return node.shelf(self._store, offset, PAGE_ROWS, self.filter, "", languages)

    def opened(self) -> list[Act]:
        """Fetch what the store holds; which store is asked where there are several."""
        if self._store:
            return [*super().opened(), *taken_up(self.desk)]

        return [self._settle([Open(StoresPage(self.desk))])]

    def _settle(self, otherwise: list[Act]) -> Ask:
        """Take the store without asking where there is one only."""

        def came(found: Stores) -> list[Act]:
            if not settled_on(self.desk, found):
                return otherwise
            self._store = self.desk.store
            return self.anew()

        return Ask(lambda node: node.stores(), came)

    def resumed(self) -> list[Act]:
        """Fetch it again; of another store, all anew."""
        if not self.desk.store:
            # The first one may have been named meanwhile; who left the list is not sent back to it.
            return [self._settle([])]
        if self.desk.store != self._store:
            self._store = self.desk.store
            return self.anew()
        return self.changed()

    def changed(self) -> list[Act]:
        """Fetch what is in sight again."""
        return super().changed() if self._store else []

    def scrolled(self) -> list[Act]:
        """Fetch what came into sight."""
        return super().scrolled() if self._store else []

    def key(self, key: str) -> list[Act]:
        """Open what a letter or digit says."""
        letter = "" if self.filtering else self.action(key)
        match letter:
            case "o":
                return [Open(StoresPage(self.desk))]
            case "r" | "i" | "c" | "m" | "s":
                return self._begin(letter)
        return super().key(key)

    def _begin(self, letter: str) -> list[Act]:
        # No start waits for the forms of stock.
        from fieldnode.tui.screens.moves import IssuePage, ReceivePage
        from fieldnode.tui.screens.stock_count import CountsPage

        match letter:
            case "c":
                return [Open(CountsPage(self.desk) if self._store else StoresPage(self.desk))]
            case "m":
                return [Open(StockMorePage(self.desk))]
            case "s":
                from fieldnode.tui.screens.send_form import sending

                return sending(self.desk)
        form = ReceivePage if letter == "r" else IssuePage

        def go_on(room: Room) -> list[Act]:
            return [Open(form(self.desk, room))]

        return with_room(self.desk, go_on)

    def act(self, _key: str, row: ShelfLine) -> list[Act]:
        """Open the card of the marked item."""
        from fieldnode.tui.screens.stock_card import CardPage

        return [Open(CardPage(self.desk, row.item))]

    def scan(self, scan: Scan) -> list[Act]:
        """Open the card of what was scanned."""
        from fieldnode.tui.screens.stock_card import card_of_scan

        return card_of_scan(self.desk, scan)

    def draw(self, size: Size) -> list[Line]:
        """Draw the store, what is the matter in it, and its items."""
        words, found = self.desk.words, self.last
        where = words("shelf.title", store=self.desk.store_name or words("shelf.no_store"))
        total = "" if found is None else words.count("shelf.items", found.items)
        top = [between(line(" ", Span(where, "title")), line(Span(total), " "), size.width)]
        marked = found.marked if found is not None else {}
        parts = [Span(f"{mark_word(words, mark)} {n}", "warn") for mark, n in marked.items()]
        top.append(self.typed() or draw_counts(parts, size.width))
        if self.filter and not self.filtering:
            told = words("shelf.filtered", text=clean_text(self.filter), n=self.rows.total)
            top.append(line(" ", Span(told, "label")))
        room = Size(size.width, size.height - len(top) - 1)
        # An empty list of no store would look like an empty store.
        none = "shelf.none" if self._store else "shelf.none_chosen"
        return [*top, *self.table(self._columns(size.width), room, none), self._foot()]

    def _columns(self, width: int) -> tuple[Column, ...]:
        words = self.desk.words
        item = max(width - 56, ITEM_CELLS_MIN)
        return (
            Column(words("shelf.item"), item),
            Column(words("shelf.unit"), 9),
            Column(fit_right(words("shelf.have"), 11), 11),
            Column(fit_right(words("shelf.days"), 5), 5),
            Column(words("shelf.next"), 7),
            Column(words("shelf.status"), 0),
        )

    def cells(self, row: ShelfLine) -> list[Span]:
        """Return item, unit, what there is, for how long, what expires next, and its state."""
        words = self.desk.words
        short = "bad" if row.low < 0 else "plain"
        return [
            Span(clean_text(row.name), "title"),
            Span(units_of(words, row.unit, 1), "dim"),
            Span(fit_right(figure(row.low, row.high), 11), short),
            Span(fit_right(days(row), 5)),
            Span(month(row.expiry_day)),
            status(words, row),
        ]

    def _foot(self) -> Line:
        """Return how old the marked figure is."""
        row = self.rows.selected
        if row is None:
            return ()
        return line(" ", Span(f"{clean_text(row.name)}: {as_of(self.desk, row)}", "dim"))

    def hints(self) -> list[Hint]:
        """Say what Enter does; help has the rest."""
        if self.filtering:
            return super().hints()
        return [Hint(self.desk.words("keys.enter"), self.desk.words("shelf.card")), *self._short()]

    def _short(self) -> list[Hint]:
        words = self.desk.words
        found: list[Hint] = []
        for one in self.actions:
            found.append(Hint(f"{one.letter}/{one.digit}", words(one.word)))
            if sum(cells(f"  {hint.keys} {hint.word}") for hint in found) > HINT_CELLS:
                return found[:-1]
        return found


HINT_CELLS = 54
"""What the row of actions leaves beside Enter and Escape."""


BETWEEN_STORES = {"s": "shipments", "r": "recalls", "c": "cold"}
"""Lists about more than one store, by their letter."""


class StockMorePage(Page):
    """What else is done in a store, by a digit each."""

    name: ClassVar[str] = "stock_more"
    actions = (
        Action("d", "1", "shelf.dispense"),
        Action("b", "2", "shelf.return"),
        Action("l", "3", "shelf.loss"),
        Action("a", "4", "shelf.adjust"),
        Action("k", "5", "shelf.break"),
        Action("s", "6", "menu.shipments"),
        Action("r", "7", "menu.recalls"),
        Action("c", "8", "menu.cold"),
        Action("t", "9", "shelf.send_to"),
        Action("o", "0", "shelf.choose"),
    )

    def key(self, key: str) -> list[Act]:
        """Open one, in place of this list."""
        letter = self.action(key)
        if not letter:
            return super().key(key)
        from fieldnode.tui.screens import moves
        from fieldnode.tui.screens.dispense_to import DispenseToPage

        if letter in BETWEEN_STORES:
            from fieldnode.tui.screens.menu import of_supplies

            return [of_supplies(self.desk, BETWEEN_STORES[letter])]
        match letter:
            case "d":
                return [Open(DispenseToPage(self.desk), instead=True)]
            case "o":
                return [Open(StoresPage(self.desk), instead=True)]
            case "t":
                from fieldnode.tui.screens.send_form import sending

                return sending(self.desk, instead=True)
        forms: dict[str, Callable[[Desk, Room], moves.MovePage]] = {
            "b": moves.ReturnPage,
            "l": moves.LossPage,
            "a": moves.AdjustPage,
            "k": moves.BreakPage,
        }
        form = forms[letter]

        def go_on(room: Room) -> list[Act]:
            return [Open(form(self.desk, room), instead=True)]

        return with_room(self.desk, go_on)

    def draw(self, size: Size) -> list[Line]:
        """Draw one line each."""
        words = self.desk.words
        where = words("shelf.title", store=self.desk.store_name or words("shelf.no_store"))
        rows = [line(" ", Span(part, "title")) for part in wrap(where, size.width - 2)[:1]]
        listed = [
            line("   ", Span(f"{one.digit} {one.letter}", "key"), f"  {words(one.word)}")
            for one in self.actions
        ]
        return [*rows, (), *listed]

    def hints(self) -> list[Hint]:
        """The lines say what their keys do."""
        return []
