"""A form about one item in the store of this terminal: a scan fills it, and says what it is not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar, NamedTuple

from fieldnode.client import Node
from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, between, cells, line, wrap
from fieldnode.tui.cores.fields import Answer, Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.picked import MARK, Item, Picked, coded
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.cores.stock_fields import Lot
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens.form_page import FormPage
from fieldnode.tui.stock_words import amount, as_of, figure, last_day, lot_text, number, units_of
from fieldnode.tui.widgets.form_view import draw_form
from protocols.live.api import BoardLine, BoardPage, Recorded
from protocols.live.shelf import CodeRead, ItemName, StockItem, StoreLine
from protocols.records.display import clean_text

TOLD_ROWS = 7
TOLD_CELLS = 78
LOTS_TOLD = 9
"""Lots that a digit behind `+` takes."""
FIELDS_SCANNED = ("lot", "expiry", "size")


class Room(NamedTuple):
    """What every form of stock begins from."""

    store: str
    store_name: str
    items: tuple[ItemName, ...]
    """The catalogue."""
    stores: tuple[StoreLine, ...]

    def named(self, code: str) -> ItemName | None:
        """Return an item of the catalogue."""
        return next((item for item in self.items if item.item == code), None)


def with_room(
    desk: Desk, go_on: Callable[[Room], list[Act]], where: tuple[str, str] | None = None
) -> list[Act]:
    """Ask for catalogue and stores, and go on in the store chosen here; keys wait.

    Args:
        desk: Shared by all pages.
        go_on: What to do with them.
        where: Id and name of another store, as that of a draft.
    """
    from fieldnode.tui.screens.stores import StoresPage

    store, name = where or (desk.store, desk.store_name)
    if not store:
        return [Open(StoresPage(desk))]

    async def fetch(node: Node) -> Room:
        items, stores = await node.items(desk.words.languages), await node.stores()
        return Room(store, name, items.lines, stores.lines)

    return [Ask(fetch, go_on)]


def item_field(room: Room) -> Picked:
    """Return the field that names an item: by letters, or by a scan."""
    items = tuple(Item("", each.item, each.name, each.also) for each in room.items)
    return Picked("item", "move.item", required=True, hint="move.item_hint", items=items)


class StockForm(FormPage):
    """One record about an item of a store."""

    offers_first: ClassVar[bool] = False
    """Whether the lot that expires first is chosen before anybody types."""
    tells_book: ClassVar[bool] = True
    """Whether what the book says of it is shown."""
    behind_scan: ClassVar[str] = "units"
    """The field that a scan opens."""

    def __init__(
        self,
        desk: Desk,
        room: Room,
        form: FormCore,
        head: BoardLine | None = None,
        item: str = "",
    ) -> None:
        super().__init__(desk, form, head)
        self.room, self.preset = room, item
        self.known: StockItem | None = None
        """The item as this store has it; None while none is named."""
        if item:
            self.form.fill("item", MARK + item)

    # what it is about

    @property
    def item(self) -> str:
        """Code of the item named; '' for none."""
        return coded(self.form.answer(self.form.place_of("item")))[0]

    @property
    def item_name(self) -> ItemName | None:
        """The item named, as the catalogue has it."""
        return self.room.named(self.item)

    def opened(self) -> list[Act]:
        """Look the item up that it was opened for."""
        return [*super().opened(), *self._look()]

    def resumed(self) -> list[Act]:
        """Look it up again: what was done meanwhile may have changed it."""
        return self._look()

    def field_left(self, name: str) -> list[Act]:
        """Look up an item that was named."""
        return self._look() if name == "item" else []

    def _look(self) -> list[Act]:
        code = self.item
        if not code or (self.known is not None and self.known.line.item == code):
            return []
        store, languages = self.room.store, self.desk.words.languages
        return [Ask(lambda node: node.stock_item(store, code, languages), self._came)]

    def _came(self, known: StockItem) -> list[Act]:
        before, self.known = self.known, known
        if not any(field.name == "lot" for field in self.form.fields):
            return self.came(known)
        lots = tuple(lot.lot for lot in known.lots if lot.lot and lot.high > 0)[:LOTS_TOLD]
        old = self.form.fields[self.form.place_of("lot")]
        self.form.replace_field(
            Lot("lot", old.label, hint=old.hint, required=old.required, lots=lots)
        )
        if before is not None and before.line.item != known.line.item:
            self.form.take_back("lot")
        if self.offers_first and known.first and "lot" not in self.form.answers():
            self.form.offer("lot", MARK + known.first)
            if self.form.open_field.name == "lot":
                # Nothing is left to say there; what is typed next is the quantity.
                self.form.go_to(self.behind_scan)
        return self.came(known)

    def came(self, _known: StockItem) -> list[Act]:
        """Do what else the item calls for."""
        return []

    # scans

    def scan(self, scan: Scan) -> list[Act]:
        """Ask what the code is on; keys wait."""
        code = scan.symbology + scan.text
        return [Ask(lambda node: node.code_means(code), lambda found: self._read(found, code))]

    def _read(self, found: CodeRead, code: str) -> list[Act]:
        words = self.desk.words
        meanings = {(each.item, each.units) for each in found.means}
        if found.code and not meanings:
            return [Ask(lambda node: node.tagged(found.code), lambda who: self._unknown(code, who))]
        if len({item for item, _ in meanings}) > 1:
            names = ", ".join(self._name(item) for item in sorted({item for item, _ in meanings}))
            return [Say(words("move.code_several", names=names), "warn", bell=True)]
        mine = next((item for item, _ in meanings), self.item)
        if self.item and mine != self.item:
            # What was typed is of another item: a scan saves nothing and fills nothing (SAFETY 17).
            return [Say(words("move.other_item", item=self._name(mine)), "warn", bell=True)]
        size = max((units for _, units in meanings), default=1)
        said = {"lot": found.lot, "expiry": found.expiry, "size": str(size) if size > 1 else ""}
        self._fill(mine, said)
        asks = self._look() if self.item else []
        told = Say(words("move.scanned", what=self._name(self.item), lot=found.lot or "-"))
        if found.separator_lost:
            told = Say(words("move.separator_lost"), "warn", bell=True)
        return [*asks, told, self._put_draft()]

    def _fill(self, item: str, said: dict[str, str]) -> None:
        """Put what a code says into the fields there are for it, and open what it cannot say."""
        names = {field.name for field in self.form.fields}
        if item:
            self.form.fill("item", MARK + item)
        for name in FIELDS_SCANNED:
            if name in names and said[name]:
                self.form.fill(name, MARK + said[name] if name == "lot" else said[name])
        self.form.go_to(self.behind_scan if self.item else "item")

    def _unknown(self, code: str, carriers: BoardPage) -> list[Act]:
        """Offer to teach a code that nobody knows; a patient's tag is none."""
        from fieldnode.tui.screens.teach import TeachPage

        if carriers.lines:
            return [Say(self.desk.words("scan.not_here"), "warn", bell=True)]

        def taught() -> list[Act]:
            return self.scan(Scan(code[:3], code[3:]))

        return [
            self._put_draft(),
            Open(TeachPage(self.desk, self.room, code, taught, self.item)),
            Say("", bell=True),
        ]

    def _name(self, code: str) -> str:
        named = self.room.named(code)
        return clean_text(named.name if named else code)

    # saving

    def base(self, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return item, lot, expiry, quantity and the like as a movement's data has them."""
        data: dict[str, Any] = {"item": coded(answers["item"])[0]}
        for name in ("lot", "expiry", "witness"):
            if name in answers:
                data[name] = answers[name].text
        if "units" in answers:
            data |= self._quantity(answers)
        for name in ("why", "other"):
            if name in answers:
                data[name] = coded(answers[name])[0]
        return data

    def _quantity(self, answers: dict[str, Answer]) -> dict[str, Any]:
        count = int(answers["units"].text)
        if "size" in answers:
            return {"packs": {"count": count, "size": int(answers["size"].text)}}
        return {"units": count}

    def line_of(self, kind: str, answers: dict[str, Answer]) -> dict[str, Any]:
        """Return a whole record of this store."""
        found: dict[str, Any] = {"kind": kind, "store": self.room.store, "data": self.base(answers)}
        if "reason" in answers:
            found["reason"] = answers["reason"].text
        return found

    @property
    def units(self) -> int:
        """Units that the fields come to; 0 while they say nothing."""
        answers = self.form.answers()
        count = answers.get("units", Answer()).text
        size = answers.get("size", Answer()).text
        return int(count) * int(size or 1) if count else 0

    def _label(self, recorded: Recorded) -> str:
        lot = self.form.answers().get("lot", Answer()).text
        named = self.item_name
        what = amount(self.desk.words, named.unit if named else "", self.units)
        # The name comes last: of a long line its end is cut.
        parts = [what if self.units else ""]
        if lot:
            parts.append(self.desk.words("shelf.lot", lot=clean_text(lot)))
        parts.append(self._name(self.item))
        who = super()._label(recorded)
        return "  ".join(part for part in (*parts, who) if part)

    def draft_label(self) -> str:
        """Return the item, and whom it is about."""
        return "  ".join(part for part in (self._name(self.item), super().draft_label()) if part)

    def more_draft(self) -> dict[str, str]:
        """Keep the store that it is about."""
        return {"store": self.room.store, "store_name": self.room.store_name}

    # drawing

    def draw(self, size: Size) -> list[Line]:
        """Draw the title with the store, the form, and what to know below it."""
        words = self.desk.words
        told = self.told()[:TOLD_ROWS]
        if self.head is not None:
            own = super().draw(Size(size.width, size.height - len(told) - 1))
            return [*own, *told, self._store_line(size.width)]
        where = Span(words("shelf.store", store=clean_text(self.room.store_name)), "label")
        title = line(" ", Span(words(self.title), "title"))
        when = line(Span(self.stated(), "warn" if self._stands_out else "dim"), Span(" "))
        top = [between(title, line(where, " "), size.width), between((), when, size.width)]
        room = Size(size.width, size.height - len(top) - len(told))
        return [*top, *draw_form(self.form, words, room, self.beside()), *told]

    def _store_line(self, width: int) -> Line:
        where = self.desk.words("shelf.store", store=clean_text(self.room.store_name))
        return between((), line(Span(where, "label"), " "), width)

    def told(self) -> list[Line]:
        """Say what the quantity comes to, what is there, and which lot goes first."""
        rows = self._sum()
        if self.known is not None and self.tells_book:
            rows += self._book(self.known)
        return rows

    def _sum(self) -> list[Line]:
        """Return packs × size = units, as it will be saved (SAFETY 24)."""
        named, words = self.item_name, self.desk.words
        if not self.units or named is None:
            return []
        answers = self.form.answers()
        count, size = int(answers["units"].text), int(answers.get("size", Answer("1")).text or "1")
        total = amount(words, named.unit, self.units)
        said = words("move.sum", count=number(count), size=number(size), total=total)
        return self.says(said, "title")

    def _book(self, known: StockItem) -> list[Line]:
        words, here = self.desk.words, known.line
        have = f"{figure(here.low, here.high)} {units_of(words, here.unit, here.high)}"
        there = words("move.there", have=have)
        rows = self.says(f"{there}  {as_of(self.desk, here)}", "dim")
        rows += self._advice(known)
        lots = [lot for lot in known.lots if lot.lot and lot.high > 0][:LOTS_TOLD]
        told = [f"+{at} {lot_text(words, lot)}" for at, lot in enumerate(lots, 1)]
        return [*rows, *abreast(told)]

    def _advice(self, known: StockItem) -> list[Line]:
        """Say, in one line, that another lot would go first."""
        mine = self.form.answers().get("lot", Answer()).text
        first = next((lot for lot in known.lots if lot.lot == known.first), None)
        if not self.offers_first or first is None or not mine or mine == first.lot:
            return []
        day = last_day(first.expiry_day)
        return self.says(self.desk.words("move.goes_first", lot=first.lot, day=day), "warn")

    def says(self, text: str, role: str = "plain") -> list[Line]:
        """Return a sentence as lines."""
        return [line(" ", Span(part, role)) for part in wrap(text, TOLD_CELLS)]


def abreast(parts: Sequence[str]) -> list[Line]:
    """Return parts side by side, none of them broken in its midst."""
    rows: list[str] = []
    for part in parts:
        if rows and cells(rows[-1]) + 3 + cells(part) <= TOLD_CELLS:
            rows[-1] += f"   {part}"
        else:
            rows.append(part)
    return [line(" ", Span(row, "dim")) for row in rows]


def plain(name: str, label: str, hint: str = "", chars: int = 80) -> Field:
    """Return a line of text."""
    return Field(name, label, hint=hint, chars_max=chars)
