"""The card of one item: its lots, its latest movements and counts, and what is done with them."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, between, cut, fit_right, line, wrap
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk, Save
from fieldnode.tui.page import Action, Hint
from fieldnode.tui.screens.gate import gate_of, said_after
from fieldnode.tui.screens.listing import Fetched
from fieldnode.tui.screens.lot_print import print_lot
from fieldnode.tui.screens.printing import PRINT_KEY
from fieldnode.tui.screens.stock_form import with_room
from fieldnode.tui.stock_words import (
    amount,
    as_of,
    days,
    figure,
    last_day,
    lot_name,
    mark_word,
    number,
    status,
    units_of,
)
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import clock, code_sentence
from protocols.live.api import Recorded
from protocols.live.shelf import CodeRead, LotLine, MoveLine, StockItem
from protocols.records.display import clean_text

if TYPE_CHECKING:
    from fieldnode.client import Node


NOT_MOVED = ("count", "expiry")
"""What a card lists that moved nothing, so nobody witnesses it."""


class CardRow(NamedTuple):
    """A lot, or something that was moved."""

    lot: LotLine | None = None
    move: MoveLine | None = None

    @property
    def name(self) -> str:
        """What it is known by."""
        return f"lot {self.lot.lot}" if self.lot else self.move.fact if self.move else ""

    @property
    def of_lot(self) -> str:
        """The lot it is about; '' for none."""
        return self.lot.lot if self.lot else self.move.lot if self.move else ""


class CardPage(Fetched[CardRow, StockItem]):
    """One item of the store of this terminal."""

    name: ClassVar[str] = "stock_card"
    actions = (
        Action("r", "1", "shelf.receive"),
        Action("i", "2", "shelf.issue"),
        Action("c", "3", "shelf.count"),
        Action("y", "4", "card.was_in"),
        Action("n", "5", "card.was_out"),
        Action("h", "6", "card.hold"),
        Action("f", "7", "card.free"),
        Action("w", "8", "card.witness"),
        Action("e", "9", "card.retract"),
        Action("t", "0", "card.allot"),
    )
    about: ClassVar[tuple[str, ...]] = ("y", "n", "h", "f", "w", "e")
    none_marked: ClassVar[str] = "shelf.none_marked"

    def __init__(self, desk: Desk, item: str, store: str = "") -> None:
        super().__init__(desk)
        self.item, self.store = item, store or desk.store
        self._keys: dict[str, str] = {}
        """Idempotency keys of what is under way, by what it is about."""

    def name_of(self, row: CardRow) -> str:
        """Return the lot, or the fact."""
        return row.name

    def ask(self, node: Node) -> Awaitable[StockItem]:
        """Ask for the item."""
        return node.stock_item(self.store, self.item, self.desk.words.languages)

    def rows_of(self, found: StockItem) -> Sequence[CardRow]:
        """Lots, then what was moved."""
        lots = [CardRow(lot=lot) for lot in found.lots]
        return [*lots, *(CardRow(move=move) for move in found.moves)]

    def key(self, key: str) -> list[Act]:
        """Open a form of this item, or act on the marked row."""
        if key == PRINT_KEY and (row := self.rows.selected) is not None:
            return self.moved() or print_lot(self.desk, self.item, row.of_lot)
        letter = self.action(key)
        if letter and letter in "richft" and self.store != self.desk.store:
            # What is written from here would be of the store of this terminal.
            return [Say(self.desk.words("card.other_store"), "warn", bell=True)]
        match letter:
            case "r" | "i":
                return self._form(letter)
            case "c":
                from fieldnode.tui.screens.stock_count import open_count

                return open_count(self.desk, self.item)
            case "t":
                from fieldnode.tui.screens.allotments import AllotmentsPage

                return [Open(AllotmentsPage(self.desk, self.item))]
        return super().key(key)

    def _form(self, letter: str) -> list[Act]:
        from fieldnode.tui.screens.moves import IssuePage, ReceivePage

        form = ReceivePage if letter == "r" else IssuePage
        return with_room(self.desk, lambda room: [Open(form(self.desk, room, self.item))])

    def act(self, key: str, row: CardRow) -> list[Act]:
        """Settle, hold back, let go, witness or take back what is marked."""
        words = self.desk.words
        if key in ("h", "f"):
            return self._hold(key, row)
        if row.move is None:
            return [Say(words("card.mark_movement"), "warn", bell=True)]
        if key == "e":
            return self._retract(row.move)
        if key in ("y", "n"):
            if not row.move.maybe:
                return [Say(words("card.nothing_open"), "plain", bell=True)]
            data: dict[str, Any] = {"movement": row.move.fact, "counted": key == "y"}
            said = words("card.said_in" if key == "y" else "card.said_out")
            return [self._write("stock.settle", data, f"{said} {self._move_label(row.move)}")]
        if row.move.type in NOT_MOVED:
            return [Say(words("card.mark_movement"), "warn", bell=True)]
        said = " ".join((words("kind.stock.witness"), self._move_label(row.move)))
        return [self._write("stock.witness", {"movement": row.move.fact}, said)]

    def _retract(self, move: MoveLine) -> list[Act]:
        from fieldnode.tui.screens.retract import RetractPage

        at = clock(move.at_ms, self.desk.now_ms, self.desk.zone)
        return [Open(RetractPage(self.desk, f"{at}  {self._move_label(move)}", (move.fact,)))]

    def _hold(self, key: str, row: CardRow) -> list[Act]:
        from fieldnode.tui.screens.lot_hold import DatePage, HoldPage, ReleasePage

        if not row.of_lot:
            return [Say(self.desk.words("card.mark_lot"), "warn", bell=True)]
        name = self.found.line.name if self.found else self.item
        marks = {
            mark
            for lot in (self.found.lots if self.found else ())
            if lot.lot == row.of_lot
            for mark in lot.marks
        }
        # What nobody holds back is let go by saying its last day anew.
        free = ReleasePage if "held" in marks else DatePage
        form = HoldPage if key == "h" else free
        return [Open(form(self.desk, self.item, name, row.of_lot))]

    def _write(self, kind: str, data: dict[str, Any], label: str) -> Ask:
        about = f"{kind} {sorted(data.items())}"
        written = {
            "v": 1,
            "kind": kind,
            "key": self._keys.setdefault(about, self.desk.new_key()),
            "data": data,
        }
        done = partial(self._done, kind, data, label)
        return Ask(lambda node: node.record([written]), done)

    def _done(
        self, kind: str, data: dict[str, Any], label: str, answers: list[Recorded]
    ) -> list[Act]:
        desk, recorded = self.desk, answers[0]
        if gated := gate_of(desk, recorded, "", lambda: [self._write(kind, data, label)]):
            return gated
        if not recorded.ok:
            self._keys.clear()
            return [Say(code_sentence(desk.words, recorded.error or ""), "bad", bell=True)]
        self._keys.clear()
        facts = recorded.facts or tuple(part for part in (recorded.id,) if part)
        desk.saved(Save(label, facts, desk.now_ms))
        return [said_after(desk, answers, label), self.fetch(holds=True)]

    def _move_label(self, move: MoveLine) -> str:
        named = self.found.known if self.found else None
        words = self.desk.words
        unit = named.unit if named else ""
        parts = [_kind(self.desk, move)]
        parts += [amount(words, unit, abs(move.units))] if move.type != "expiry" else []
        parts += [clean_text(named.name) if named else self.item]
        parts += [words("shelf.lot", lot=clean_text(move.lot))] if move.lot else []
        return "  ".join(parts)

    def draw(self, size: Size) -> list[Line]:
        """Draw the item with its figures, its lots and what was moved."""
        words, found = self.desk.words, self.found
        if found is None:
            return []
        here = found.line
        name = line(" ", Span(cut(clean_text(here.name), size.width - 30), "title"))
        store = words("shelf.store", store=clean_text(found.store_name))
        have = " ".join((figure(here.low, here.high), units_of(words, here.unit, here.high)))
        lasts = words("card.lasts", days=days(here), rate=found.rate) if here.days else ""
        lasts = lasts or words("card.no_use")
        rows = [
            between(name, line(Span(store, "label"), " "), size.width),
            line(" ", Span(have, "bad" if here.low < 0 else "title"), "   ", Span(lasts), "   ",
                 status(words, here)),
            line(" ", Span(as_of(self.desk, here), "dim")),
        ]  # fmt: skip
        if here.unsettled:
            open_now = words.count("card.unsettled", here.unsettled)
            rows += [line(" ", Span(part, "warn")) for part in wrap(open_now, size.width - 2)]
        if here.low < 0 or "negative" in here.marks:
            said = words("card.negative")
            rows += [line(" ", Span(part, "bad")) for part in wrap(said, size.width - 2)]
        columns = (
            Column(words("chart.at"), 11),
            Column(words("card.what"), 15),
            Column(words("move.lot"), 15),
            Column(fit_right(words("move.units"), 10), 10),
            Column(words("card.more"), 0),
        )
        room = Size(size.width, size.height - len(rows) - 1)
        return [*rows, *self.table(columns, room, "card.none"), self._foot(size.width)]

    def cells(self, row: CardRow) -> list[Span]:
        """Return a lot, or a movement."""
        return self._lot_cells(row.lot) if row.lot else self._move_cells(row.move)

    def _lot_cells(self, lot: LotLine) -> list[Span]:
        words = self.desk.words
        said = [words("shelf.expires", day=last_day(lot.expiry_day))] if lot.expiry_day else []
        said += [mark_word(words, mark) for mark in lot.marks]
        role = "bad" if set(lot.marks) - {"expiring"} else "warn" if lot.marks else "plain"
        return [
            Span(clock(lot.last_ms, self.desk.now_ms, self.desk.zone), "dim"),
            Span(words("card.lot"), "label"),
            Span(lot_name(words, lot.lot), "title"),
            Span(fit_right(figure(lot.low, lot.high), 10), "bad" if lot.low < 0 else "title"),
            Span("  ".join(said), role),
        ]

    def _move_cells(self, move: MoveLine | None) -> list[Span]:
        if move is None:
            return []
        desk = self.desk
        more = _move_more(desk, move)
        sign = number(move.units) if move.type == "count" else f"{move.units:+,}".replace(",", " ")
        sign = "" if move.type == "expiry" else sign
        role = "plain" if move.counts else "dim"
        return [
            Span(clock(move.at_ms, desk.now_ms, desk.zone), role),
            Span(_kind(desk, move), role),
            Span(clean_text(move.lot), role),
            Span(fit_right(sign, 10), "bad" if move.below else role),
            Span(more, "warn" if move.maybe or move.below or move.overdrawn else role),
        ]

    def _foot(self, width: int) -> Line:
        """Return all that is to say of the marked movement."""
        row = self.rows.selected
        if row is None or row.move is None:
            return ()
        move, words = row.move, self.desk.words
        parts: list[str] = [clean_text(move.author), clean_text(move.reason)]
        parts += [words("card.seen_by", who=clean_text(move.witness))] if move.witness else []
        parts += [words("card.countersigned")] if move.countersigned else []
        parts += [words("card.maybe")] if move.maybe else []
        said = "   ".join(part for part in parts if part)
        return line(" ", Span(cut(said, width - 2), "warn" if move.maybe else "dim"))

    def hints(self) -> list[Hint]:
        """What fits: what is about the marked row, where there is anything to it."""
        words, row = self.desk.words, self.rows.selected
        letters = "ric"
        if row is not None and row.move is not None:
            letters = "yn" if row.move.maybe else "e" if row.move.type in NOT_MOVED else "ew"
            letters += "ic"
        elif row is not None and row.lot is not None:
            letters = "fric" if "held" in row.lot.marks else "hfric"
        by_letter = {one.letter: one for one in self.actions}
        shown = [by_letter[letter] for letter in letters]
        date = {"f": "card.date"} if "h" in letters else {}
        return [
            Hint(f"{one.letter}/{one.digit}", words(date.get(one.letter, one.word)))
            for one in shown
        ]


def _kind(desk: Desk, move: MoveLine) -> str:
    if move.type == "expiry":
        return desk.words("card.dated")
    words, key = desk.words, f"kind.stock.{move.type}"
    return words(key) if words.has(key) else clean_text(move.type)


def _move_more(desk: Desk, move: MoveLine) -> str:
    """Return where to, why, and what is the matter with a movement; the gravest first."""
    words = desk.words
    parts = []
    if not move.counts:
        parts.append(words("card.does_not_count"))
    if move.maybe:
        parts.append(words("card.maybe_short"))
    if move.below:
        parts.append(words("card.below"))
    if move.overdrawn:
        parts.append(mark_word(words, "overdraft"))
    if move.to:
        parts.append(words("card.patient") if move.to == "patient" else clean_text(move.to))
    if move.expiry_day is not None:
        parts += [words("shelf.expires", day=last_day(move.expiry_day)), clean_text(move.reason)]
    why = f"move_why.{move.why}"
    if move.why:
        parts.append(words(why) if words.has(why) else clean_text(move.why))
    return "  ".join(parts)


def card_of_scan(desk: Desk, scan: Scan) -> list[Act]:
    """Open the card of what a code is on."""

    def read(found: CodeRead) -> list[Act]:
        items = {each.item for each in found.means}
        if len(items) == 1:
            return [Open(CardPage(desk, items.pop()))]
        return [Say(desk.words("shelf.code_unknown"), "warn", bell=True)]

    return [Ask(lambda node: node.code_means(scan.symbology + scan.text), read)]
