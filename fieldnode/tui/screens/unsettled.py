"""What people who wrote apart differ about, the greatest risk first; Enter shows the values."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint, Page
from fieldnode.tui.screens.glass import asked_first
from fieldnode.tui.screens.settle import SettlePage, about, name_of
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import called, clock, error, identity
from protocols.errors import FieldmeshError
from protocols.live.api import BoardLine
from protocols.live.dispute import Dispute, Disputes
from protocols.records.display import clean_text

LISTED_MAX = 200
"""What a node gives at once."""


class UnsettledPage(Page):
    """The list, of one patient or of everybody."""

    name: ClassVar[str] = "unsettled"

    def __init__(self, desk: Desk, head: BoardLine | None = None) -> None:
        super().__init__(desk)
        self._head = head
        self._rows: ListCore[Dispute] = ListCore(name_of)
        self._total = 0
        self._listed = 0

    def opened(self) -> list[Act]:
        """Fetch it; keys wait."""
        return [self._fetch(holds=True)]

    def resumed(self) -> list[Act]:
        """Fetch it again: one may be settled."""
        return self.opened()

    def changed(self) -> list[Act]:
        """Fetch it again; the selection stays on its line."""
        return [self._fetch(holds=False)]

    def key(self, key: str) -> list[Act]:
        """Move, or look at the values."""
        if self._rows.key(key):
            return []
        chosen = self._rows.selected
        if key != "enter" or chosen is None:
            return super().key(key)
        if self._rows.moved:
            self._rows.moved = False
            self._listed += 1
            return [Say(self.desk.words("board.moved"), "warn", bell=True)]
        return [Open(SettlePage(self.desk, chosen))] if chosen.sides else [self._look(chosen)]

    @property
    def question(self) -> Hashable | None:
        """Which of them."""
        return self._listed

    def answers(self, item: str | Scan) -> bool:
        """Enter is about the selected one."""
        return item == "enter"

    def draw(self, size: Size) -> list[Line]:
        """Draw one row each: about what, of whom, since when."""
        words = self.desk.words
        title = words("dispute.title") if self._head is None else words("dispute.of_patient")
        rows: list[Line] = [line(" ", Span(title, "title"))]
        if self._head is not None:
            rows.insert(0, identity(words, self._head))
        if self._total > self._rows.total:
            rows.append(line(" ", Span(words("dispute.more", n=self._rows.total), "warn")))
        whose = [
            Column(words("board.code"), 12),
            Column(words("chart.at"), 11),
            Column(words("board.name"), 0),
        ]
        columns = (
            Column(words("dispute.about"), 36),
            *(whose if self._head is None else []),
        )
        if self._head is not None:
            columns = (Column(words("dispute.about"), 50), Column(words("chart.at"), 0))
        room = Size(size.width, size.height - len(rows))
        return [*rows, *draw_list(self._rows, columns, self._cells, room, words("dispute.none"))]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("dispute.look")), Hint("↑ ↓", "")]

    def _cells(self, row: Dispute) -> list[Span]:
        desk, words = self.desk, self.desk.words
        at = Span(clock(row.at_ms, desk.now_ms, desk.zone))
        what = Span(about(words, row), "warn")
        if self._head is not None:
            return [what, at]
        return [what, Span(clean_text(row.head.code)), at, Span(called(words, row.head), "title")]

    def _fetch(self, *, holds: bool) -> Ask:
        head = self._head

        def came(found: Disputes) -> list[Act]:
            self._rows.take_all(found.lines)
            self._total = found.total
            self._listed += holds
            return []

        if head is None:
            return Ask(lambda node: node.unsettled(LISTED_MAX), came, holds=holds)
        return Ask(lambda node: node.disputes(head.patient), came, holds=holds)

    def _look(self, chosen: Dispute) -> Ask:
        """Fetch the values, which are part of the chart."""
        patient = chosen.head.patient

        def came(found: Disputes) -> list[Act]:
            same = next((one for one in found.lines if name_of(one) == name_of(chosen)), None)
            if same is None:
                gone = Say(self.desk.words("dispute.gone"), "warn", bell=True)
                return [gone, self._fetch(holds=True)]
            return [Open(SettlePage(self.desk, same))]

        def refused(failure: FieldmeshError) -> list[Act]:
            # Whoever has said why is in the chart then, and settles from there.
            asked = asked_first(self.desk, patient, failure)
            said = Say(error(self.desk.words, failure), "bad", bell=True)
            return [said] if asked is None else [asked]

        return Ask(lambda node: node.disputes(patient), came, refused)


def ask_unsettled(desk: Desk, head: BoardLine) -> Ask:
    """Show what is unsettled of a patient: where it is one thing, its values at once."""

    def came(found: Disputes) -> list[Act]:
        if not found.lines:
            return [Say(desk.words("chart.all_settled"), "plain")]
        if len(found.lines) == 1:
            return [Open(SettlePage(desk, found.lines[0]))]
        return [Open(UnsettledPage(desk, head))]

    return Ask(lambda node: node.disputes(head.patient), came)
