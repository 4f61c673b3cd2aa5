"""Everybody who belongs, as this device knows it, and how old that knowledge is."""

from __future__ import annotations

from collections.abc import Awaitable
from typing import ClassVar

from fieldnode.client import Node
from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, cut, line
from fieldnode.tui.cores.list import PAGE_ROWS
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action
from fieldnode.tui.screens.belonging import (
    coded,
    fingerprint_lines,
    heard,
    may_not,
    several,
    shown_name,
    wrapped,
)
from fieldnode.tui.screens.coordinators import CoordinatorsPage
from fieldnode.tui.screens.listing import FILTER, Paged
from fieldnode.tui.screens.seal import SealPage
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import clock
from protocols.live.belonging import Belonging, RosterLine, RosterPage
from protocols.records.display import clean_text

WHOLE_ROWS = 7
"""Under the list: what is known of the one selected."""


class MembersPage(Paged[RosterLine, RosterPage]):
    """One row a device or person; from here a coordinator seals."""

    name: ClassVar[str] = "roster"
    actions = (
        Action("s", "1", "roster.seal"),
        Action("a", "2", "roster.age"),
        Action(FILTER, "3", "board.filter"),
    )
    about = ("s",)
    none_marked: ClassVar[str] = "roster.nobody"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._known: Belonging | None = None

    def name_of(self, row: RosterLine) -> str:
        """Return the device or person."""
        return row.id

    def ask(self, node: Node, offset: int) -> Awaitable[RosterPage]:
        """Ask for whoever the filter finds."""
        return node.roster(offset, PAGE_ROWS, self.filter)

    def opened(self) -> list[Act]:
        """Fetch the first page, and how old it is."""
        return [*super().opened(), self._look()]

    def changed(self) -> list[Act]:
        """Fetch again what is on the screen: somebody may be sealed now."""
        return [*super().changed(), self._look()]

    def key(self, key: str) -> list[Act]:
        """Look at the age; else move, seal, or filter."""
        if not self.filtering and self.action(key) == "a":
            return [Open(CoordinatorsPage(self.desk))]
        return super().key(key)

    def act(self, _key: str, row: RosterLine) -> list[Act]:
        """Begin to seal one."""
        if row.why_not:
            return [Say(may_not(self.desk, row.why_not, row.ask), "warn", bell=True)]
        return [Open(SealPage(self.desk, row))]

    def draw(self, size: Size) -> list[Line]:
        """Draw how old this is, the members, and the whole of the selected one."""
        words = self.desk.words
        columns = (
            Column("", 1),
            Column(words("roster.name"), 22),
            Column(words("roster.org"), 18),
            Column(words("roster.rank"), 14),
            Column(words("roster.roles"), 0),
        )
        room = Size(size.width, size.height - 2 - WHOLE_ROWS)
        empty = "board.none_found" if self.filter else "chart.loading"
        return [*self._top(size), *self.table(columns, room, empty), *self._whole(size)]

    def _top(self, size: Size) -> list[Line]:
        words, known = self.desk.words, self._known
        if self.filtering:
            return [self.typed(), ()]
        title = words.count("roster.title", self.rows.total)
        if self.filter:
            title += f"   {words('board.filtered', text=self.filter)}"
        first = line(" ", Span(cut(title, size.width - 2), "title"))
        if known is None:
            return [first, ()]
        if not known.control_ms:
            return [first, line(" ", Span(words("roster.alone"), "dim"))]
        at = heard(self.desk, known.control_ms)
        who = clean_text(known.control_from, 24)
        said = words("roster.as_of", at=at.text, who=who)
        return [first, line(" ", Span(cut(said, size.width - 2), at.role))]

    def cells(self, row: RosterLine) -> list[Span]:
        """Return a mark, the name, the organisation, the rank, the roles."""
        words = self.desk.words
        roles = several(words, row.roles, "roster.no_role")
        if row.sealed:
            roles = words("roster.sealed", why=coded(words, "seal_reason", row.sealed))
        elif row.seals:
            roles = words("roster.reduced", roles=roles)
        name = shown_name(row.name, row.id)
        return [
            Span("*" if row.here else "!" if row.seals else " ", "warn"),
            Span(name, "title"),
            Span(clean_text(row.org)),
            Span(coded(words, "rank", row.rank)),
            Span(roles, "bad" if row.seals else "plain"),
        ]

    def _whole(self, size: Size) -> list[Line]:
        """Return what is known of the selected one, in exactly so many lines."""
        words, row = self.desk.words, self.rows.selected
        if row is None:
            return [()] * WHOLE_ROWS
        lines = fingerprint_lines(words, row.fingerprint, row.spoken, size)
        until = clock(row.not_after_ms, self.desk.now_ms, self.desk.zone)
        heard_of = heard(self.desk, row.known_ms).text
        linked = words("sync.linked") if row.linked else heard(self.desk, row.last_ms).text
        parts = [
            words("roster.scopes", scopes=several(words, row.scopes, "roster.no_scope")),
            words("roster.until", at=until) if row.not_after_ms else "",
            words("roster.known", at=heard_of, linked=linked)
            if row.rank != "person" and not row.here
            else "",
            *(
                words(
                    "roster.sealed_since",
                    why=coded(words, "seal_reason", seal.reason),
                    at=clock(seal.since_ms, self.desk.now_ms, self.desk.zone),
                )
                for seal in row.seals
                if seal.since_ms
            ),
        ]
        said = "  ".join(part for part in parts if part)
        lines += wrapped(said, size, most=WHOLE_ROWS - 1 - len(lines))
        return [(), *lines, *[()] * (WHOLE_ROWS - 1 - len(lines))]

    def _look(self) -> Ask:
        def came(known: Belonging) -> list[Act]:
            self._known = known
            return []

        return Ask(lambda node: node.belonging(), came, holds=False)
