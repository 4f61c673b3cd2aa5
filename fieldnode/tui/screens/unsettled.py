"""What people who wrote apart differ about, the greatest risk first; Enter shows the values."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import ClassVar

from fieldnode.client import Node
from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint
from fieldnode.tui.screens.glass import asked_first
from fieldnode.tui.screens.listing import Fetched
from fieldnode.tui.screens.settle import SettlePage, about, name_of
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import called, clock, error, identity
from protocols.errors import FieldmeshError
from protocols.live.api import BoardLine
from protocols.live.dispute import Dispute, Disputes
from protocols.records.display import clean_text

LISTED_MAX = 200
"""What a node gives at once."""


class UnsettledPage(Fetched[Dispute, Disputes]):
    """The list, of one patient or of everybody."""

    name: ClassVar[str] = "unsettled"

    def __init__(self, desk: Desk, head: BoardLine | None = None) -> None:
        super().__init__(desk)
        self._head = head

    def name_of(self, row: Dispute) -> str:
        """Return what it is about, and of whom."""
        return name_of(row)

    def ask(self, node: Node) -> Awaitable[Disputes]:
        """Ask for those of the patient, or of everybody."""
        head = self._head
        return node.unsettled(LISTED_MAX) if head is None else node.disputes(head.patient)

    def rows_of(self, found: Disputes) -> Sequence[Dispute]:
        """Return all."""
        return found.lines

    def act(self, _key: str, row: Dispute) -> list[Act]:
        """Look at the values."""
        return [Open(SettlePage(self.desk, row))] if row.sides else [self._look(row)]

    def draw(self, size: Size) -> list[Line]:
        """Draw one row each: about what, of whom, since when."""
        words = self.desk.words
        title = words("dispute.title") if self._head is None else words("dispute.of_patient")
        rows: list[Line] = [line(" ", Span(title, "title"))]
        if self._head is not None:
            rows.insert(0, identity(words, self._head))
        if self.found is not None and self.found.total > self.rows.total:
            rows.append(line(" ", Span(words("dispute.more", n=self.rows.total), "warn")))
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
        return [*rows, *self.table(columns, room, "dispute.none")]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("dispute.look")), Hint("↑ ↓", "")]

    def cells(self, row: Dispute) -> list[Span]:
        """Return what it is about, of whom, since when."""
        desk, words = self.desk, self.desk.words
        at = Span(clock(row.at_ms, desk.now_ms, desk.zone))
        what = Span(about(words, row), "warn")
        if self._head is not None:
            return [what, at]
        return [what, Span(clean_text(row.head.code)), at, Span(called(words, row.head), "title")]

    def _look(self, chosen: Dispute) -> Ask:
        """Fetch the values, which are part of the chart."""
        patient = chosen.head.patient

        def came(found: Disputes) -> list[Act]:
            same = next((one for one in found.lines if name_of(one) == name_of(chosen)), None)
            if same is None:
                gone = Say(self.desk.words("dispute.gone"), "warn", bell=True)
                return [gone, self.fetch(holds=True)]
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
