"""F4: vaccination sessions, the one of this terminal, and the way to everything about them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from fieldnode.tui.acts import Act, Open
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint, Page
from fieldnode.tui.screens.listing import ENTER, Fetched
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import clock
from protocols.live.drive import SessionLine, Sessions
from protocols.records.display import clean_text

if TYPE_CHECKING:
    from fieldnode.client import Node


BELOW = 2
"""Actions said below the list."""


class SessionsPage(Fetched[SessionLine, Sessions]):
    """Open sessions; Enter works in the marked one."""

    name: ClassVar[str] = "immunise"
    about: ClassVar[tuple[str, ...]] = (ENTER, "k", "v", "c")
    none_marked: ClassVar[str] = "sessions.none_open"
    actions = (
        Action("n", "1", "sessions.new"),
        Action("k", "2", "sessions.crowd"),
        Action("v", "3", "sessions.vials"),
        Action("c", "4", "sessions.close"),
        Action("o", "5", "sessions.coverage"),
        Action("d", "6", "sessions.doubles"),
    )

    async def ask(self, node: Node) -> Sessions:
        """Ask for those that are open."""
        return await node.sessions()

    def rows_of(self, found: Sessions) -> Sequence[SessionLine]:
        """All of them."""
        return found.lines

    def name_of(self, row: SessionLine) -> str:
        """Its id."""
        return row.id

    def key(self, key: str) -> list[Act]:
        """Open something that is about no session, or act on the marked one."""
        from fieldnode.tui.screens.cover import CoverPage
        from fieldnode.tui.screens.session_form import SessionForm
        from fieldnode.tui.screens.twice import TwicePage

        match self.action(key):
            case "n":
                return [Open(SessionForm(self.desk))]
            case "o":
                marked = self.rows.selected
                return [Open(CoverPage(self.desk, marked.id if marked else ""))]
            case "d":
                return [Open(TwicePage(self.desk))]
        return super().key(key)

    def act(self, key: str, row: SessionLine) -> list[Act]:
        """Work in a session, count in it, look at its vials, close it."""
        from fieldnode.tui.screens.crowd import CrowdPage
        from fieldnode.tui.screens.drive import DrivePage
        from fieldnode.tui.screens.session_form import CloseForm
        from fieldnode.tui.screens.vials import VialsPage

        self.desk.session = row.id
        pages = {ENTER: DrivePage, "k": CrowdPage, "v": VialsPage}
        if key == "c":
            return [Open(CloseForm(self.desk, row))]
        # One terminal works in one session: F4 comes back to it.
        return [Open(pages[key](self.desk, row.id), instead=key == ENTER)]

    def cells(self, row: SessionLine) -> list[Span]:
        """Return when, where, who and what."""
        at = clock(row.opened_ms, self.desk.now_ms, self.desk.zone)
        mine = self.desk.words("sessions.mine") if row.mine else ""
        return [
            Span(at),
            Span(clean_text(row.place or row.site) or "-", "title"),
            Span(" ".join(map(clean_text, (*row.vaccines, *row.interventions)))),
            Span(mine, "good"),
            Span(clean_text(row.team)),
        ]

    def draw(self, size: Size) -> list[Line]:
        """Draw a row for each session."""
        words = self.desk.words
        columns = (
            Column(words("sessions.since"), 11),
            Column(words("sessions.place"), 24),
            Column(words("sessions.vaccines"), 16),
            Column("", 6),
            Column(words("sessions.team"), 0),
        )
        title = line(" ", Span(words("sessions.title"), "title"))
        room = Size(size.width, size.height - 3)
        # What is about no session stands here: one row of keys does not hold all of them.
        low: list[Span | str] = [" "]
        for action in self.actions[-BELOW:]:
            low += [Span(f"{action.letter}/{action.digit}", "key"), f" {words(action.word)}   "]
        return [title, (), *self.table(columns, room, "sessions.none"), line(*low)]

    def hints(self) -> list[Hint]:
        """What can be done."""
        words = self.desk.words
        enter = Hint(words("keys.enter"), words("sessions.work"))
        return [enter, *super().hints()[:-BELOW]]


def leave(desk: Desk) -> list[Act]:
    """Go to the list: this terminal works in no session, and no key begins a child in one."""
    return [Open(SessionsPage(desk), instead=True)]


def immunise(desk: Desk) -> Page:
    """Return what F4 opens: the session that this terminal works in, else the list of them."""
    if not desk.session:
        return SessionsPage(desk)
    from fieldnode.tui.screens.drive import DrivePage

    return DrivePage(desk, desk.session)
