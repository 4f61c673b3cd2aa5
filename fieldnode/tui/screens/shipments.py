"""What stores asked of each other: how far each has come, and how old what is known of it is."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import ClassVar

from fieldnode.client import Node
from fieldnode.tui.acts import Act, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, cut, line, wrap
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint
from fieldnode.tui.screens.listing import ENTER, Fetched
from fieldnode.tui.screens.retract import RetractPage
from fieldnode.tui.supply_words import age, coded, item, last_day, lot, some, whole
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import clock
from protocols.live.consigned import ShipmentLine, ShipmentPart, Shipments, ShipmentStep
from protocols.records.display import clean_text

BEFORE = ("requested", "approved", "reserved", "expired", "cancelled")
"""States in which nothing has left."""
WHOLE_ROWS = 2
"""Under the list: what the marked one holds."""
ASKED_FOR = {
    "a": ("requested", "approved"),
    "r": ("requested", "approved", "reserved"),
    "d": ("reserved",),
    "c": ("requested", "approved", "reserved", "dispatched", "partly"),
    "x": ("requested", "approved", "reserved"),
}
"""In which states a step can be written, by its letter; one that has lapsed is approved anew."""
SENT = "shipment.dispatch"
RECEIPTS_TOLD = 4
"""Of receipts beside each other, those that stand above the lots; `i` lists all."""
LAPSED = ("a", "x")
"""What can still be done once it has lapsed."""


def shown_parts(one: ShipmentLine) -> tuple[ShipmentPart, ...]:
    """Return the lines that say something: once it left, what left and came, lot by lot."""
    if one.state in BEFORE:
        return one.parts
    return tuple(
        part for part in one.parts if part.sent or part.arrived or part.missing or part.transit
    )


class ShipmentsPage(Fetched[ShipmentLine, Shipments]):
    """The list; Enter opens one."""

    name: ClassVar[str] = "shipments"
    actions = (
        Action("n", "1", "shipments.request"),
        Action("s", "3", "shipments.send"),
        Action("h", "2", "shipments.closed"),
    )

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._closed = False
        """Whether those that are over are listed too."""

    def name_of(self, row: ShipmentLine) -> str:
        """Return its id."""
        return row.shipment

    def ask(self, node: Node) -> Awaitable[Shipments]:
        """Ask for those that go on, or for all."""
        return node.shipments(closed=self._closed)

    def rows_of(self, found: Shipments) -> Sequence[ShipmentLine]:
        """Return all."""
        return found.lines

    def key(self, key: str) -> list[Act]:
        """Request, send, or list what is over too; else as every list."""
        match self.action(key):
            case "n":
                from fieldnode.tui.screens.request import asking

                return asking(self.desk)
            case "s":
                from fieldnode.tui.screens.send_form import sending

                return sending(self.desk)
            case "h":
                self._closed = not self._closed
                return [self.fetch(holds=True)]
        return super().key(key)

    def act(self, _key: str, row: ShipmentLine) -> list[Act]:
        """Open one."""
        return [Open(ShipmentPage(self.desk, row.shipment))]

    def draw(self, size: Size) -> list[Line]:
        """Draw one row each, and below them what the marked one holds."""
        words, found = self.desk.words, self.found
        lines = found.lines if found else ()
        ways, apart = (
            sum(bool(one.since_ms) for one in lines),
            sum(bool(o.unsettled) for o in lines),
        )
        key = "shipments.title_all" if self._closed else "shipments.title"
        title: Line = line(" ", Span(words(key), "title"))
        title += line("   ", Span(words("shipments.ways", n=ways), "plain"))
        if apart:
            title += line("   ", Span(words("shipments.apart", n=apart), "bad"))
        columns = (
            Column(words("shipments.state"), 15),
            Column(words("supply.age"), 8),
            Column(words("shipments.from"), 17),
            Column(words("shipments.to"), 17),
            Column(words("shipments.what"), 0),
        )
        room = Size(size.width, size.height - 1 - WHOLE_ROWS)
        drawn = self.table(columns, room, "shipments.none")
        row = self.rows.selected
        told = wrap(self._holds(row), size.width - 2)[:WHOLE_ROWS] if row else []
        below = [line(" ", Span(part, "plain")) for part in told]
        return [title, *drawn, *below, *[()] * (WHOLE_ROWS - len(below))]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("board.open")), *super().hints()]

    def cells(self, row: ShipmentLine) -> list[Span]:
        """Return state, how old its newest step is, from, to, and of what."""
        words = self.desk.words
        mark = "! " if row.unsettled else ""
        state = f"{mark}{coded(words, 'shipment_state', row.state)}"
        role = "bad" if row.unsettled else "warn" if row.state == "expired" else "plain"
        ours = {"in": "shipments.to_us", "out": "shipments.from_us"}.get(row.ours)
        return [
            Span(state, role),
            Span(age(words, row.at_ms, self.desk.now_ms)),
            Span(clean_text(row.donor_name) or words("shipments.whoever")),
            Span(clean_text(row.to_name)),
            Span(words(ours) if ours else "", "title"),
        ]

    def _holds(self, row: ShipmentLine) -> str:
        """Return what it is about, in words."""
        words, items = self.desk.words, self.found.items if self.found else ()
        parts = [
            f"{item(words, items, part.item)}{f' ({clean_text(part.lot)})' if part.lot else ''}"
            f" x {whole(part.sent or part.reserved or part.approved or part.wanted)}"
            for part in shown_parts(row)
            if part.sent or part.reserved or part.approved or part.wanted
        ]
        since = age(words, row.since_ms, self.desk.now_ms)
        way = words("shipments.on_way", since=since) if since else ""
        return "   ".join(filter(None, (way, "; ".join(parts))))


class ShipmentPage(Fetched[ShipmentPart, Shipments]):
    """One request or shipment, lot by lot, with what can be done next."""

    name: ClassVar[str] = "shipment"
    about: ClassVar[tuple[str, ...]] = ("l",)

    def __init__(self, desk: Desk, shipment: str) -> None:
        super().__init__(desk)
        self.shipment = shipment

    @property
    def actions(self) -> tuple[Action, ...]:  # type: ignore[override]
        """What its state lets be done; who may, the node says."""
        every = (
            Action("a", "1", "shipment.approve"),
            Action("r", "2", "shipment.reserve"),
            Action("d", "3", "shipment.send"),
            Action("c", "4", "shipment.receive"),
            Action("x", "5", "shipment.cancel"),
            Action("i", "6", "shipment.steps"),
            Action("l", "7", "lot_label.print"),
        )
        return tuple(one for one in every if one.letter == "i" or self._goes(one.letter))

    def name_of(self, row: ShipmentPart) -> str:
        """Return item and lot."""
        return f"{row.item} {row.lot}"

    def ask(self, node: Node) -> Awaitable[Shipments]:
        """Ask for this one."""
        return node.shipment(self.shipment)

    def rows_of(self, found: Shipments) -> Sequence[ShipmentPart]:
        """Return its lines."""
        return shown_parts(found.lines[0]) if found.lines else ()

    def act(self, _key: str, row: ShipmentPart) -> list[Act]:
        """Print a label of the marked lot."""
        from fieldnode.tui.screens.lot_print import print_lot

        return print_lot(self.desk, row.item, row.lot)

    @property
    def line(self) -> ShipmentLine | None:
        """The shipment as it was last told."""
        return self.found.lines[0] if self.found and self.found.lines else None

    def key(self, key: str) -> list[Act]:
        """Open the form of a step."""
        letter, found = self.action(key), self.found
        if not letter or letter in self.about or found is None or self.line is None:
            return super().key(key)
        if letter == "i":
            return [Open(StepsPage(self.desk, self.shipment))]
        from fieldnode.tui.screens.shipment_next import step

        return step(self.desk, letter, self.line, found.items)

    def draw(self, size: Size) -> list[Line]:
        """Draw between whom, how far, its lines, and the marked one whole."""
        words, one = self.desk.words, self.line
        if one is None:
            said = "chart.loading" if self.found is None else "shipment.unknown"
            return [line(" ", Span(words(said), "dim"))]
        top = self._top(one, size.width)
        room = Size(size.width, size.height - len(top) - 1)
        drawn = self.table(self._columns(one), room, "shipment.nothing")
        row = self.rows.selected
        return [*top, *drawn, line(" ", Span(self._whole(row), "plain")) if row else ()]

    def cells(self, row: ShipmentPart) -> list[Span]:
        """Return item, lot and amounts."""
        words, one = self.desk.words, self.line
        items = self.found.items if self.found else ()
        named = Span(item(words, items, row.item), "title")
        if one is not None and one.state in BEFORE:
            asked = (row.wanted, row.approved, row.reserved)
            return [named, Span(clean_text(row.lot)), *(Span(some(each)) for each in asked)]
        lacks = Span(some(row.missing), "bad" if row.missing else "plain")
        way = Span(some(row.transit), "warn" if row.transit else "plain")
        figures = (Span(some(row.sent)), Span(some(row.arrived)), lacks, way)
        return [named, Span(lot(words, row.lot) if row.sent or row.arrived else ""), *figures]

    def _goes(self, letter: str) -> bool:
        one = self.line
        if one is None:
            return False
        if letter == "l":
            # Where there are lots, and room for one word more.
            return one.state not in BEFORE
        if one.state == "expired":
            return letter in LAPSED
        if letter == "c" and self._we_sent(one):
            # The second signature is given on another device than the first.
            return False
        return one.state in ASKED_FOR[letter]

    def _we_sent(self, one: ShipmentLine) -> bool:
        """Whether this device alone said that it left, and some of it has not come."""
        sent = [step.ours for step in one.steps if step.kind == SENT and step.counts]
        return one.state in ("dispatched", "partly") and bool(sent) and all(sent)

    def _columns(self, one: ShipmentLine) -> tuple[Column, ...]:
        words = self.desk.words
        named = (Column(words("supply.item"), 27), Column(words("supply.lot"), 12))
        if one.state in BEFORE:
            asked = ("shipment.asked", "shipment.approved", "shipment.aside")
            return (*named, *(Column(words(key), 10) for key in asked))
        figures = ("shipment.sent", "shipment.came", "shipment.lacks", "shipment.way")
        return (*named, *(Column(words(key), 8) for key in figures))

    def _top(self, one: ShipmentLine, width: int) -> list[Line]:
        """Return between whom, since when, until when, and what is the matter."""
        desk, words = self.desk, self.desk.words
        ends = words(
            "shipment.ends",
            donor=clean_text(one.donor_name) or words("shipments.whoever"),
            to=clean_text(one.to_name),
        )
        state = coded(words, "shipment_state", one.state)
        at = words("shipment.since", state=state, age=age(words, one.at_ms, desk.now_ms))
        rows: list[Line] = [line(" ", Span(cut(ends, width - 2), "title")), line(" ", Span(at))]
        told = []
        if one.until_ms is not None:
            key = "shipment.lapsed" if one.state == "expired" else "shipment.until"
            told.append((words(key, at=clock(one.until_ms, desk.now_ms, desk.zone)), "warn"))
        if one.carrier:
            told.append((words("shipment.carrier", who=clean_text(one.carrier)), "plain"))
        if one.text:
            told.append((clean_text(one.text), "plain"))
        if self._we_sent(one):
            told.append((words("shipment.we_sent"), "dim"))
        if one.twice:
            told += self._twice(one)
        elif one.unsettled:
            told.append((words("shipment.unsettled"), "bad"))
        for text, role in told:
            rows += [line(" ", Span(part, role)) for part in wrap(text, width - 2)[:WHOLE_ROWS]]
        return rows

    def _twice(self, one: ShipmentLine) -> list[tuple[str, str]]:
        """Say who took it in besides whom, when, and which receipt is to be taken back."""
        desk, words = self.desk, self.desk.words
        told = [(words("shipment.twice"), "bad")]
        for each in one.twice[:RECEIPTS_TOLD]:
            said = words(
                "shipment.receipt",
                place=clean_text(each.place),
                at=clock(each.at_ms, desk.now_ms, desk.zone),
                who=f"{clean_text(each.author)} ({clean_text(each.device)})",
                n=whole(each.units),
                counts=whole(each.counts),
            )
            told.append((said, "plain"))
        if one.beyond > 0:
            return [*told, (words("shipment.twice_stores", n=whole(one.beyond)), "warn")]
        return [*told, (words("shipment.twice_here"), "warn")]

    def _whole(self, row: ShipmentPart) -> str:
        words, items = self.desk.words, self.found.items if self.found else ()
        named = f"{item(words, items, row.item)}  {clean_text(row.lot)}".strip()
        said = [named, last_day(words, row.expiry_day) if row.expiry_day is not None else ""]
        said.append(coded(words, "discrepancy", row.why))
        if row.vvm:
            said.append(words("shipment.vvm", n=row.vvm))
        return "   ".join(filter(None, said))


class StepsPage(Fetched[ShipmentStep, Shipments]):
    """Who did what of one shipment; a step entered in error is taken back here."""

    name: ClassVar[str] = "shipment_steps"

    def __init__(self, desk: Desk, shipment: str) -> None:
        super().__init__(desk)
        self._shipment = shipment

    def name_of(self, row: ShipmentStep) -> str:
        """Return the fact."""
        return row.fact

    def ask(self, node: Node) -> Awaitable[Shipments]:
        """Ask for the shipment."""
        return node.shipment(self._shipment)

    def rows_of(self, found: Shipments) -> Sequence[ShipmentStep]:
        """Return its steps."""
        return found.lines[0].steps if found.lines else ()

    def act(self, key: str, row: ShipmentStep) -> list[Act]:
        """Ask whether the marked step is to be taken back."""
        words = self.desk.words
        if key != ENTER or not row.counts:
            return [Say(words("shipment.gone_already"), "warn", bell=True)]
        what = words("shipment.step_named", what=self._said(row), who=clean_text(row.author))
        return [Open(RetractPage(self.desk, what, (row.fact,)))]

    def draw(self, size: Size) -> list[Line]:
        """Draw one row a step."""
        words = self.desk.words
        title = line(" ", Span(words("shipment.steps_title"), "title"))
        told = [
            line(" ", Span(p, "dim")) for p in wrap(words("shipment.steps_told"), size.width - 2)
        ]
        columns = (
            Column(words("chart.at"), 11),
            Column(words("shipment.step"), 16),
            Column(words("chart.by"), 20),
            Column(words("shipment.device"), 14),
            Column("", 0),
        )
        room = Size(size.width, size.height - 1 - len(told))
        return [title, *told, *self.table(columns, room, "shipment.unknown")]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("shipment.take_back")), *super().hints()]

    def cells(self, row: ShipmentStep) -> list[Span]:
        """Return when, what, by whom, where."""
        desk, role = self.desk, "plain" if row.counts else "dim"
        gone = "" if row.counts else desk.words("shipment.gone")
        if self.found and row.fact in {each.fact for each in self.found.lines[0].twice}:
            return [*self._own(row, role), Span(desk.words("shipment.beside"), "bad")]
        return [*self._own(row, role), Span(gone, "dim")]

    def _own(self, row: ShipmentStep, role: str) -> list[Span]:
        desk = self.desk
        return [
            Span(clock(row.at_ms, desk.now_ms, desk.zone), role),
            Span(self._said(row), "title" if row.counts else "dim"),
            Span(clean_text(row.author), role),
            Span(clean_text(row.device), role),
        ]

    def _said(self, row: ShipmentStep) -> str:
        return coded(self.desk.words, "kind", row.kind)
