"""Where what is written here may go: each scope, who reads it, and what each peer gets of it."""

from __future__ import annotations

from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Open
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Page
from fieldnode.tui.screens.belonging import coded, several, shown_name, wrapped
from fieldnode.tui.screens.counts import CountsPage
from fieldnode.tui.screens.crossed import CrossedPage
from fieldnode.tui.widgets.list_view import Column, draw_list
from protocols.live.belonging import Belonging, ScopeLine, ScopePeer
from protocols.records.display import clean_text

WHOLE_ROWS = 10
HERE = {
    (True, True): "scopes.here_both",
    (True, False): "scopes.here_writes",
    (False, True): "scopes.here_reads",
    (False, False): "scopes.neither",
}
"""By whether this device writes and reads in a scope."""
GETS = {
    "reads": "scopes.peers_reads",
    "carries": "scopes.peers_carries",
    "nothing": "scopes.peers_nothing",
}


class ScopesPage(Page):
    """One row a scope; below, the peers of the selected one."""

    name: ClassVar[str] = "scopes"
    actions = (
        Action("x", "1", "scopes.crossed"),
        Action("n", "2", "scopes.counts"),
        Action("p", "3", "scopes.concerns"),
    )

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._rows: ListCore[ScopeLine] = ListCore(lambda row: row.id)
        self._came = False

    def opened(self) -> list[Act]:
        """Fetch them; keys wait."""
        return [self._fetch(holds=True)]

    def resumed(self) -> list[Act]:
        """Fetch them again."""
        return self.changed()

    def changed(self) -> list[Act]:
        """Fetch them again: a peer may be linked now."""
        return [self._fetch(holds=False)]

    def key(self, key: str) -> list[Act]:
        """Move among them, or see what left, what is counted, what is entrusted."""
        if self._rows.key(key):
            return []
        match self.action(key):
            case "x":
                return [Open(CrossedPage(self.desk))]
            case "n":
                return [Open(CountsPage(self.desk))]
            case "p":
                return [_concerns(self.desk)]
        return super().key(key)

    def draw(self, size: Size) -> list[Line]:
        """Draw the scopes, then the whole of the selected one."""
        words = self.desk.words
        columns = (
            Column("", 1),
            Column(words("scopes.sensitivity"), 13),
            Column(words("scopes.held"), 21),
            Column(words("scopes.sealed"), 16),
            Column(words("scopes.name"), 0),
        )
        title = line(" ", Span(words("scopes.title"), "title"))
        room = Size(size.width, size.height - 1 - WHOLE_ROWS)
        empty = words("scopes.none" if self._came else "chart.loading")
        return [
            title,
            *draw_list(self._rows, columns, self._cells, room, empty),
            *self._whole(size),
        ]

    def _fetch(self, *, holds: bool) -> Ask:
        def came(known: Belonging) -> list[Act]:
            self._came = True
            # What this device writes in comes first: that is what is asked about here.
            ordered = sorted(known.scopes, key=lambda each: (not each.writes, each.name, each.id))
            self._rows.take_all(ordered)
            return []

        return Ask(lambda node: node.belonging(), came, holds=holds)

    def _cells(self, row: ScopeLine) -> list[Span]:
        words = self.desk.words
        held = several(words, row.jurisdictions, "scopes.anywhere")
        may = "scopes.may_leave" if row.may_leave or not row.jurisdictions else "scopes.stays"
        return [
            Span("*" if row.writes else " ", "good"),
            Span(coded(words, "sensitivity", row.sensitivity)),
            Span(held, "plain" if row.jurisdictions else "dim"),
            Span(words(may), "plain" if row.may_leave else "warn"),
            Span(clean_text(row.name), "title"),
        ]

    def _whole(self, size: Size) -> list[Line]:
        words, row = self.desk.words, self._rows.selected
        if row is None:
            return [()] * WHOLE_ROWS
        said = HERE[row.writes, row.reads]
        readers = several(words, row.readers, "scopes.every_role")
        lines = [
            *wrapped(words(said), size, "label", most=2),
            *wrapped(words.count("scopes.read_by", row.reading, roles=readers), size, most=2),
        ]
        if not row.peers:
            lines += wrapped(words("sync.alone"), size, "dim")
        for gets, told in GETS.items():
            peers = [peer for peer in row.peers if peer.gets == gets]
            if peers:
                named = ", ".join(self._peer(peer) for peer in peers)
                role = "good" if gets == "nothing" else "plain"
                lines += wrapped(words(told, peers=named), size, role, most=2)
        return [(), *lines[: WHOLE_ROWS - 1], *[()] * (WHOLE_ROWS - 1 - len(lines))]

    def _peer(self, peer: ScopePeer) -> str:
        """Return who a peer is, and that it is linked now."""
        law = clean_text(peer.jurisdiction)
        whose = clean_text(peer.org, 24) + (f" {law}" if law else "")
        linked = f" {self.desk.words('sync.linked')}" if peer.linked else ""
        return f"{shown_name(peer.name, peer.device)} ({whose}){linked}"


def _concerns(desk: Desk) -> Open:
    # That page opens charts, and they lead back here by F7.
    from fieldnode.tui.screens.concerns import ConcernsPage

    return Open(ConcernsPage(desk))
