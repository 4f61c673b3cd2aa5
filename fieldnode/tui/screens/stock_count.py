"""Counting, item after item: blind, lot by lot, while others go on issuing (SAFETY 22)."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import TYPE_CHECKING, Any, ClassVar

from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, between, line, wrap
from fieldnode.tui.cores.fields import Answer, Field, Reason
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.list import PAGE_ROWS
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.cores.stock_fields import Expiry, Lot
from fieldnode.tui.cores.supply_fields import Units, sum_text
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint
from fieldnode.tui.screens.form_page import FormPage
from fieldnode.tui.screens.listing import FILTER, Paged
from fieldnode.tui.stock_words import (
    IN_GENERAL,
    amount,
    figure,
    iso_day,
    last_day,
    lot_name,
    number,
    units_of,
)
from fieldnode.tui.widgets.form_view import draw_form
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import clock
from protocols.live.api import Recorded
from protocols.live.shelf import CodeRead, LotLine, Shelf, ShelfLine, StockItem
from protocols.records.display import clean_text

if TYPE_CHECKING:
    from fieldnode.client import Node

LOTS_ASKED = 12
"""Lots of one item that a form asks for one by one."""
OTHER = "other"


class CountsPage(Paged[ShelfLine, Shelf]):
    """What to count next: what was not counted for longest, without any figure."""

    name: ClassVar[str] = "stock_counts"
    actions = (Action(FILTER, "1", "board.filter"),)

    def name_of(self, row: ShelfLine) -> str:
        """Return the item."""
        return row.item

    def ask(self, node: Node, offset: int) -> Awaitable[Shelf]:
        """Ask for what was not counted for longest."""
        languages = self.desk.words.languages
        return node.shelf(self.desk.store, offset, PAGE_ROWS, self.filter, "counted", languages)

    def resumed(self) -> list[Act]:
        """Another item is the next one now."""
        return self.anew()

    def act(self, _key: str, row: ShelfLine) -> list[Act]:
        """Count the marked item."""
        return open_count(self.desk, row.item)

    def scan(self, scan: Scan) -> list[Act]:
        """Count what was scanned, its lot first."""

        def read(found: CodeRead) -> list[Act]:
            items = {each.item for each in found.means}
            if len(items) != 1:
                return [Say(self.desk.words("shelf.code_unknown"), "warn", bell=True)]
            return open_count(self.desk, items.pop(), found.lot, found.expiry)

        return [Ask(lambda node: node.code_means(scan.symbology + scan.text), read)]

    def draw(self, size: Size) -> list[Line]:
        """Draw the store, what to do, and the items."""
        words = self.desk.words
        where = Span(words("shelf.store", store=self.desk.store_name), "label")
        top = [
            between(
                line(" ", Span(words("count_stock.title"), "title")), line(where, " "), size.width
            )
        ]
        typed = self.typed()
        asks = wrap(words("count_stock.asks"), size.width - 2)
        top += [typed] if typed else [line(" ", Span(part, "dim")) for part in asks]
        columns = (
            Column(words("shelf.item"), max(size.width - 40, 24)),
            Column(words("shelf.unit"), 12),
            Column(words("count_stock.last"), 0),
        )
        room = Size(size.width, size.height - len(top))
        return [*top, *self.table(columns, room, "shelf.none")]

    def cells(self, row: ShelfLine) -> list[Span]:
        """Return the item, its unit, and when it was counted: no figure."""
        desk, words = self.desk, self.desk.words
        never = row.counted_ms is None
        at = words("count_stock.never") if never else clock(row.counted_ms, desk.now_ms, desk.zone)
        return [
            Span(clean_text(row.name), "title"),
            Span(units_of(words, row.unit, IN_GENERAL), "dim"),
            Span(at, "warn" if never else "plain"),
        ]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        if self.filtering:
            return super().hints()
        return [Hint(self.desk.words("keys.enter"), self.desk.words("shelf.count")),
                *super().hints()]  # fmt: skip


def open_count(desk: Desk, item: str, lot: str = "", expiry: str = "") -> list[Act]:
    """Ask for the lots of an item, and count them; keys wait."""
    store, languages = desk.store, desk.words.languages

    def came(known: StockItem) -> list[Act]:
        return [Open(CountPage(desk, known, lot, expiry))]

    return [Ask(lambda node: node.stock_item(store, item, languages), came)]


class CountPage(FormPage):
    """How many are there, lot by lot. What the book says is shown once it is saved."""

    name: ClassVar[str] = "stock_count"
    title: ClassVar[str] = "count_stock.one"
    saved_word: ClassVar[str] = "kind.stock.count"
    kinds: ClassVar[tuple[str, ...]] = ("stock.count",)

    def __init__(
        self,
        desk: Desk,
        known: StockItem,
        lot: str = "",
        expiry: str = "",
        asked: tuple[str, ...] | None = None,
    ) -> None:
        """Ask for each lot that may be there.

        Args:
            desk: Shared by all pages.
            known: The item as the store has it; its figures are not shown.
            lot: The lot that was scanned: asked first.
            expiry: Of that lot, ISO day.
            asked: The lots that a draft asked for: its numbers are theirs, whatever came since.
        """
        self.known = known
        by_lot = {one.lot: one for one in known.lots}
        there = [one.lot for one in known.lots if one.high != 0 or one.low != 0]
        self.lots = [
            by_lot.get(lot, LotLine(lot, None, 0, 0))
            for lot in (there if asked is None else asked)[:LOTS_ASKED]
        ]
        self._all_asked = {one.lot for one in self.lots}.issuperset(there)
        """Whether the form has every lot that may be there: what nobody is asked for is no 0."""
        super().__init__(desk, FormCore(_fields(desk, self.lots), optional_from=len(self.lots)))
        if lot:
            self._go_to(lot, expiry)

    def _go_to(self, lot: str, expiry: str) -> bool:
        """Open the field of a lot; return whether another lot had to be written down for it."""
        for at, one in enumerate(self.lots):
            if one.lot == lot:
                self.form.go_to(_field_name(at))
                return False
        self.form.fill("lot", lot)
        if expiry:
            self.form.fill("expiry", expiry)
        self.form.go_to(OTHER)
        return True

    def scan(self, scan: Scan) -> list[Act]:
        """Open the field of the lot that was scanned; another item is counted after this one."""
        words = self.desk.words

        def read(found: CodeRead) -> list[Act]:
            items = {each.item for each in found.means}
            if items and items != {self.known.line.item}:
                return [Say(words("count_stock.other_item"), "warn", bell=True)]
            if not found.lot:
                return [Say(words("count_stock.no_lot_in_code"), "warn", bell=True)]
            if self.form.answers().get("lot", Answer()).text not in ("", found.lot):
                return [Say(words("count_stock.one_other"), "warn", bell=True)]
            self._go_to(found.lot, found.expiry)
            return [self._put_draft()]

        return [Ask(lambda node: node.code_means(scan.symbology + scan.text), read)]

    def check(self, answers: dict[str, Answer]) -> tuple[str, Reason] | None:
        """Something was counted; a lot that was found has its number."""
        counted = [name for name in answers if name.startswith("lot_") or name == OTHER]
        if ("lot" in answers or "expiry" in answers) and OTHER not in answers:
            return OTHER, Reason("form.required")
        if OTHER in answers and "lot" not in answers and not self._lotless:
            return "lot", Reason("count_stock.which_lot")
        if not counted:
            return self.form.fields[0].name, Reason("count_stock.nothing")
        return None

    @property
    def _lotless(self) -> bool:
        """Whether nothing of the item has a lot here."""
        return not any(one.lot for one in self.lots)

    def record(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return the count: of the whole item where every lot was answered."""
        lots: list[dict[str, Any]] = []
        whole = self._all_asked
        for at, one in enumerate(self.lots):
            answer = answers.get(_field_name(at))
            if answer is None:
                whole = False
                continue
            said: dict[str, Any] = {"units": int(answer.text)}
            if one.lot:
                said["lot"] = one.lot
            if one.expiry_day is not None:
                said["expiry"] = iso_day(one.expiry_day)
            lots.append(said)
        if OTHER in answers:
            said = {"units": int(answers[OTHER].text)}
            said |= {name: answers[name].text for name in ("lot", "expiry") if name in answers}
            lots.append(said)
        data = {"item": self.known.line.item, "lots": lots, "whole": whole, "blind": True}
        return {"kind": "stock.count", "store": self.known.store, "data": data}

    def after_save(self, recorded: Recorded) -> list[Act]:
        """Say what the book had said, now that it is counted; go on with the next item."""
        words, book = self.desk.words, self.known.line
        answers = self.form.answers()
        names = [*(_field_name(at) for at in range(len(self.lots))), OTHER]
        counted = sum(int(answers[name].text) for name in names if name in answers)
        places = range(len(self.lots))
        whole = self._all_asked and all(_field_name(at) in answers for at in places)
        said = "count_stock.done" if whole else "count_stock.done_part"
        # Of some lots, what the book said of them: what nobody looked for was not counted.
        asked = [one for at, one in enumerate(self.lots) if _field_name(at) in answers]
        low = book.low if whole else sum(one.low for one in asked)
        high = book.high if whole else sum(one.high for one in asked)
        text = words(
            said,
            at=clock(self.desk.now_ms, self.desk.now_ms, self.desk.zone),
            item=clean_text(book.name),
            counted=number(counted),
            book=figure(low, high),
        )
        return [Say(text, "good"), Back()]

    def draft_label(self) -> str:
        """Return the item."""
        return clean_text(self.known.line.name)

    def more_draft(self) -> dict[str, str]:
        """Keep item and store, and which lots were asked for."""
        about = {"store": self.known.store, "about_item": self.known.line.item}
        # A lot's own field is known by its place.
        return about | {"about_lots": "".join(f"{one.lot}\n" for one in self.lots)}

    def field_of(self, path: str) -> str:
        """A doubt about the whole is asked where the count stands."""
        return self.form.open_field.name

    def draw(self, size: Size) -> list[Line]:
        """Draw the item, and one row a lot."""
        words = self.desk.words
        where = Span(words("shelf.store", store=clean_text(self.known.store_name)), "label")
        name = line(" ", Span(clean_text(self.known.line.name), "title"))
        when = line(Span(self.stated(), "warn" if self._stands_out else "dim"), Span(" "))
        title = line(" ", Span(words(self.title), "title"))
        asks = [line(" ", Span(part, "dim")) for part in wrap(words("count_stock.blind"), 78)]
        top = [
            between(title, line(where, " "), size.width),
            between(name, when, size.width),
            *asks,
        ]
        room = Size(size.width, size.height - len(top))
        return [*top, *draw_form(self.form, words, room, self.beside())]

    def beside(self) -> dict[str, Span]:
        """Return expiry and unit beside each lot; of what is typed, what it comes to."""
        words, unit = self.desk.words, self.known.line.unit
        days = {OTHER: ""}
        for at, one in enumerate(self.lots):
            day = words("shelf.expires", day=last_day(one.expiry_day)) if one.expiry_day else ""
            days[_field_name(at)] = day
        found = {}
        for name, day in days.items():
            place, said, role = self.form.place_of(name), units_of(words, unit, IN_GENERAL), "dim"
            if total := self.form.answer(place).text:
                made, role = sum_text(self.form.text(place), number), "title"
                said = f"{made} = {amount(words, unit, int(total))}"
            found[name] = Span(f"{said}  {day}".strip(), role)
        return found

    def _label(self, recorded: Recorded) -> str:
        return clean_text(self.known.line.name)


def _field_name(at: int) -> str:
    return f"lot_{at}"


def _fields(desk: Desk, lots: list[LotLine]) -> tuple[Field, ...]:
    words = desk.words
    known = tuple(
        Units(
            _field_name(at),
            "shelf.no_lot",
            called=lot_name(words, one.lot),
            zero=True,
            hint="count_stock.units_hint",
        )
        for at, one in enumerate(lots)
    )
    return (
        *known,
        Lot("lot", "count_stock.other_lot", hint="count_stock.other_hint"),
        Expiry("expiry", "move.expiry", hint="move.expiry_hint"),
        Units(OTHER, "count_stock.other_units", zero=True, hint="count_stock.units_hint"),
    )
