"""How far what is saved here has travelled, and which devices it meets."""

from __future__ import annotations

from typing import ClassVar

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.acts import Act, Ask, Open
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Page
from fieldnode.tui.screens.belonging import fingerprint_lines, wrapped
from fieldnode.tui.screens.kept import KeptPage
from fieldnode.tui.screens.review import ReviewsPage
from fieldnode.tui.screens.roster import MembersPage
from fieldnode.tui.screens.scopes import ScopesPage
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import clock, span_of
from protocols.live.api import PeerLine, SyncState
from protocols.records.display import clean_text

WHOLE_ROWS = 6
"""Under the list: the fingerprint of the selected one."""


class PeersPage(Page):
    """Saved here, on peers, at HQ; then one row a peer. The way to everything about trust."""

    name: ClassVar[str] = "sync"
    actions = (
        Action("r", "1", "sync.roster"),
        Action("w", "2", "sync.scopes"),
        Action("k", "3", "sync.kept"),
        Action("a", "4", "sync.reviews"),
    )

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._rows: ListCore[PeerLine] = ListCore(lambda row: row.device)

    def opened(self) -> list[Act]:
        """Fetch the state; keys wait."""
        return [self._fetch(holds=True)]

    def resumed(self) -> list[Act]:
        """Fetch it again."""
        return self.changed()

    def changed(self) -> list[Act]:
        """Fetch it again."""
        return [self._fetch(holds=False)]

    def key(self, key: str) -> list[Act]:
        """Move among the peers, or go on to who belongs."""
        if self._rows.key(key):
            return []
        match self.action(key):
            case "r":
                return [Open(MembersPage(self.desk))]
            case "w":
                return [Open(ScopesPage(self.desk))]
            case "k":
                return [Open(KeptPage(self.desk))]
            case "a":
                return [Open(ReviewsPage(self.desk))]
        return super().key(key)

    def draw(self, size: Size) -> list[Line]:
        """Draw three facts about our own entries, then the peers."""
        words, sync = self.desk.words, self.desk.sync
        if sync is None:
            return [line(" ", Span(words("chart.loading"), "dim"))]
        columns = (
            Column(words("sync.link"), 9),
            Column(words("sync.last"), 11),
            Column(words("sync.they_need"), 11),
            Column(words("sync.role"), 5),
            Column(words("roster.org"), 13),
            Column(words("sync.peer"), 0),
        )
        top, whole = self._top(sync), self._whole(size)
        room = Size(size.width, size.height - len(top) - len(whole))
        drawn = draw_list(self._rows, columns, self._cells, room, words("sync.alone"))
        return [*top, *drawn, *whole]

    def _fetch(self, *, holds: bool) -> Ask:
        def came(sync: SyncState) -> list[Act]:
            self.desk.sync = sync
            self._rows.take_all(sync.peers)
            return []

        return Ask(lambda node: node.sync(), came, holds=holds)

    def _top(self, sync: SyncState) -> list[Line]:
        words, desk = self.desk.words, self.desk
        until = sync.at_hq_until_ms
        at = clock(until, desk.now_ms, desk.zone)
        oldest = sync.oldest_unsent_ms
        waited = "" if oldest is None else span_of(words, desk.now_ms - oldest)
        rows = [
            (words("sync.device", name=clean_text(sync.name), device=sync.device[:16]), "label"),
            (words.count("sync.here", sync.own_entries), "good"),
            (words.count("sync.on_peers", sync.on_peers), "good")
            if sync.on_peers
            else (words("sync.on_no_peer"), "warn"),
            (words("sync.never_hq"), "warn")
            if until is None
            else (words("sync.hq", at=at), "good"),
        ]
        if sync.unsent:
            rows.append((words.count("sync.unsent", sync.unsent, waited=waited), "warn"))
        elif sync.on_peers:
            rows.append((words("sync.all_sent"), "good"))
        if sync.clock == "differs":
            rows.append((_differs(words, sync.apart_ms), "bad"))
        elif sync.clock != "ok":
            said = "sync.clock_stated" if sync.clock == "stated" else "sync.clock_doubtful"
            rows.append((words(said), "bad"))
        return [*(line(" ", Span(text, role)) for text, role in rows), ()]

    def _whole(self, size: Size) -> list[Line]:
        """Return how to make sure by voice that the selected one is who it should be."""
        words, row = self.desk.words, self._rows.selected
        if row is None:
            return []
        who = ", ".join(part for part in (clean_text(row.name), clean_text(row.org, 60)) if part)
        lines = [line(" ", Span(who or row.device[:16], "title"))]
        lines += fingerprint_lines(words, row.fingerprint, row.spoken, size)
        lines += wrapped(words("trust.confirm"), size, "dim", most=WHOLE_ROWS - len(lines))
        return [(), *lines]

    def _cells(self, row: PeerLine) -> list[Span]:
        words = self.desk.words
        linked = Span(words("sync.linked"), "good") if row.linked else Span("-")
        name = clean_text(row.name) or row.device[:16]
        org = Span(clean_text(row.org)) if row.trusted else Span(words("sync.not_trusted"), "bad")
        return [
            linked,
            Span(clock(row.last_contact_ms, self.desk.now_ms, self.desk.zone)),
            Span("?" if row.they_need is None else str(row.they_need)),
            Span(words("sync.hq_role") if row.role == "hq" else words("sync.node_role")),
            org,
            Span(name, "title" if row.trusted else "bad"),
        ]


def _differs(words: Catalogue, apart_ms: int) -> str:
    """Say how far the clocks of others are from this one; which is right only people know."""
    key = "sync.clock_behind" if apart_ms > 0 else "sync.clock_ahead"
    return words(key, span=span_of(words, abs(apart_ms) + 30_000))  # to the nearest minute
