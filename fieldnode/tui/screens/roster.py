"""Everybody who belongs, as this device knows it, and how old that knowledge is."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, cut, line
from fieldnode.tui.cores.fields import Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.list import PAGE_ROWS, ListCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint, Page
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
from fieldnode.tui.screens.seal import SealPage
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import clock
from protocols.errors import FieldmeshError
from protocols.live.belonging import Belonging, RosterLine, RosterPage
from protocols.records.display import clean_text

FILTER_CHARS_MAX = 40
WHOLE_ROWS = 7
"""Under the list: what is known of the one selected."""


class MembersPage(Page):
    """One row a device or person; from here a coordinator seals."""

    name: ClassVar[str] = "roster"
    actions = (
        Action("s", "1", "roster.seal"),
        Action("a", "2", "roster.age"),
        Action("/", "3", "board.filter"),
    )

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._rows: ListCore[RosterLine] = ListCore(lambda row: row.id)
        self._known: Belonging | None = None
        self._filter = ""
        self._asking: FormCore | None = None
        self._listed = 0
        """How often another list came in place of what was shown."""

    def opened(self) -> list[Act]:
        """Fetch the first page; keys wait for it."""
        return [self._fetch(0, holds=True), self._look()]

    def resumed(self) -> list[Act]:
        """Fetch again what is on the screen: somebody may be sealed now."""
        return self.changed()

    def changed(self) -> list[Act]:
        """Rows changed: the selection stays on its member."""
        self._rows.changed()
        return [*(self._fetch(page, holds=False) for page in self._rows.wanted()), self._look()]

    def key(self, key: str) -> list[Act]:
        """Move, seal, look at the age, or filter."""
        if self._asking is not None:
            return self._filter_key(self._asking, key)
        if self._rows.key(key):
            return [self._fetch(page, holds=False) for page in self._rows.wanted()]
        match self.action(key):
            case "s":
                return self._seal()
            case "a":
                return [Open(CoordinatorsPage(self.desk))]
            case "/":
                field = Field("filter", "board.filter_label", chars_max=FILTER_CHARS_MAX)
                self._asking = FormCore((field,))
                self._asking.restore({"filter": self._filter})
                return []
        return super().key(key)

    @property
    def question(self) -> Hashable | None:
        """Which of the members listed."""
        return None if self._asking is not None else self._listed

    def answers(self, item: str | Scan) -> bool:
        """Sealing is about the one selected."""
        return isinstance(item, str) and self.action(item) == "s"

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
        empty = words("board.none_found" if self._filter else "chart.loading")
        drawn = draw_list(self._rows, columns, self._cells, room, empty)
        return [*self._top(size), *drawn, *self._whole(size)]

    def hints(self) -> list[Hint]:
        """What can be done; the filter's own while it is typed."""
        if self._asking is not None:
            return [Hint(self.desk.words("keys.enter"), self.desk.words("board.apply"))]
        return super().hints()

    def _top(self, size: Size) -> list[Line]:
        words, known = self.desk.words, self._known
        if self._asking is not None:
            label = Span(f" {words('board.filter_label')} ", "label")
            return [line(label, Span(self._asking.text(0), "open"), Span(" ", "cursor")), ()]
        title = words.count("roster.title", self._rows.total)
        if self._filter:
            title += f"   {words('board.filtered', text=self._filter)}"
        first = line(" ", Span(cut(title, size.width - 2), "title"))
        if known is None:
            return [first, ()]
        if not known.control_ms:
            return [first, line(" ", Span(words("roster.alone"), "dim"))]
        at = heard(self.desk, known.control_ms)
        who = clean_text(known.control_from, 24)
        said = words("roster.as_of", at=at.text, who=who)
        return [first, line(" ", Span(cut(said, size.width - 2), at.role))]

    def _cells(self, row: RosterLine) -> list[Span]:
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
        words, row = self.desk.words, self._rows.selected
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

    def _seal(self) -> list[Act]:
        """Begin to seal the selected one, unless it just took the place of another."""
        row = self._rows.selected
        if row is None:
            return [Say(self.desk.words("roster.nobody"), "warn", bell=True)]
        if self._rows.moved:
            self._rows.moved = False
            self._listed += 1
            return [Say(self.desk.words("board.moved"), "warn", bell=True)]
        if row.why_not:
            return [Say(may_not(self.desk, row.why_not, row.ask), "warn", bell=True)]
        return [Open(SealPage(self.desk, row))]

    def _filter_key(self, asking: FormCore, key: str) -> list[Act]:
        if key == "escape":
            self._asking = None
            return []
        if not asking.key(key).save:
            return []
        self._filter, self._asking = asking.answer(0).text, None
        self._rows.clear()
        return [self._fetch(0, holds=True)]

    def _fetch(self, page: int, *, holds: bool) -> Ask:
        offset, text = page * PAGE_ROWS, self._filter

        def came(found: RosterPage) -> list[Act]:
            if text == self._filter:
                self._listed += holds
                self._rows.take(page, found.lines, found.total)
            return []

        failed = None if holds else _later
        return Ask(lambda node: node.roster(offset, PAGE_ROWS, text), came, failed, holds=holds)

    def _look(self) -> Ask:
        def came(known: Belonging) -> list[Act]:
            self._known = known
            return []

        return Ask(lambda node: node.belonging(), came, _later, holds=False)


def _later(_failure: FieldmeshError) -> list[Act]:
    """What is shown stays, and the header says that the node is away."""
    return []
