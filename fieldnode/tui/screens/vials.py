"""Vials of a session: what is left, until when, and throwing one away."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from fieldnode.tui.acts import Act, Ask, Open
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action
from fieldnode.tui.screens.listing import ENTER, Fetched
from fieldnode.tui.screens.vial_form import DiscardForm, VialForm
from fieldnode.tui.vaccine_words import WARN_MS
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import clock
from protocols.live.drive import Drive, VialLine

if TYPE_CHECKING:
    from fieldnode.client import Node


class VialsPage(Fetched[VialLine, list[VialLine]]):
    """Every vial, those in use first; Enter throws the marked one away."""

    name: ClassVar[str] = "vials"
    about: ClassVar[tuple[str, ...]] = (ENTER, "x")
    actions = (Action("n", "1", "vials.new"), Action("x", "2", "vials.discard"))

    def __init__(self, desk: Desk, session: str) -> None:
        super().__init__(desk)
        self._session = session

    async def ask(self, node: Node) -> list[VialLine]:
        """Ask for them."""
        return await node.session_vials(self._session)

    def rows_of(self, found: list[VialLine]) -> Sequence[VialLine]:
        """All of them."""
        return found

    def name_of(self, row: VialLine) -> str:
        """The record by which it was opened."""
        return row.id

    def key(self, key: str) -> list[Act]:
        """Open a new one, or act on the marked one."""
        return [self._new()] if self.action(key) == "n" else super().key(key)

    def _new(self) -> Ask:
        def came(told: Drive) -> list[Act]:
            return [Open(VialForm(self.desk, told))]

        return Ask(lambda node: node.drive(self._session), came)

    def scan(self, scan: Scan) -> list[Act]:
        """A scanned box begins a new one."""

        def came(told: Drive) -> list[Act]:
            form = VialForm(self.desk, told)
            return [Open(form), *form.scan(scan)]

        return [Ask(lambda node: node.drive(self._session), came)]

    def act(self, key: str, row: VialLine) -> list[Act]:
        """Throw the marked one away; one that was thrown away already is asked about."""
        return [Open(DiscardForm(self.desk, row))]

    def cells(self, row: VialLine) -> list[Span]:
        """Return what it is, what is left, until when."""
        words, now, zone = self.desk.words, self.desk.now_ms, self.desk.zone
        limit, role = "-", "plain"
        if row.closed:
            key = f"discard.{row.why}"
            limit = words(key) if words.has(key) else row.why
            role = "dim"
        elif row.limit_ms is not None:
            limit = clock(row.limit_ms, now, zone)
            role = "bad" if row.past else "warn" if row.limit_ms - now < WARN_MS else "plain"
        if row.stop:
            # Of an open one: until when it might be used says nothing any more, and was cut off.
            stop = words(f"lot_stop.{row.stop}")
            limit, role = f"{stop} {limit}" if row.closed else stop, "bad"
        elif row.past:
            limit = f"{limit} {words('drive.vial_past')}"
        return [
            Span(row.item, "dim" if row.closed else "title"),
            Span(row.lot),
            Span(clock(row.opened_ms, now, zone)),
            Span(f"{row.drawn}/{row.doses}"),
            Span(str(row.left)),
            Span(str(row.wasted) if row.wasted else "-"),
            Span(limit, role),
        ]

    def draw(self, size: Size) -> list[Line]:
        """Draw a row for each."""
        words = self.desk.words
        columns = (
            Column(words("vials.item"), 18),
            Column(words("vials.lot"), 12),
            Column(words("vials.opened"), 11),
            Column(words("vials.drawn"), 6),
            Column(words("vials.left"), 5),
            Column(words("vials.wasted"), 6),
            Column(words("vials.until"), 0),
        )
        title = line(" ", Span(words("vials.title"), "title"))
        return [title, (), *self.table(columns, Size(size.width, size.height - 2), "vials.none")]
