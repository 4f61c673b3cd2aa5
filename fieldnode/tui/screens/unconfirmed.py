"""Triage that nobody identified wrote: a person looks at it and stands by it (SAFETY 20)."""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from functools import partial
from typing import ClassVar

from fieldnode.client import Node
from fieldnode.tui.acts import Act, Ask, Say
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.desk import Desk, Save
from fieldnode.tui.page import Action, Hint
from fieldnode.tui.screens.gate import UNCOUNTED, ask_gate, gate_of
from fieldnode.tui.screens.listing import ENTER, Fetched
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import clock, code_sentence, triage
from protocols.live.api import Recorded, Unconfirmed, UnconfirmedLine
from protocols.records.display import clean_text

UNCONFIRMED_ROWS = 200
KIND = "triage.confirm"


class UnconfirmedPage(Fetched[UnconfirmedLine, Unconfirmed]):
    """What waits, the oldest first: by tag, category and time, without a name."""

    name: ClassVar[str] = "unconfirmed"
    actions = (Action("a", "1", "unconfirmed.all"),)
    about = (ENTER, "a")

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._keys: dict[str, str] = {}
        """By fact: sent again after a lost answer, a confirmation is answered again."""

    def opened(self) -> list[Act]:
        """Fetch them; keys wait. Whoever may not confirm is told first."""
        return [*super().opened(), *ask_gate(self.desk, (KIND,), "")]

    def name_of(self, row: UnconfirmedLine) -> str:
        """Return the fact."""
        return row.fact

    def ask(self, node: Node) -> Awaitable[Unconfirmed]:
        """Ask for the oldest."""
        return node.unconfirmed(UNCONFIRMED_ROWS)

    def rows_of(self, found: Unconfirmed) -> Sequence[UnconfirmedLine]:
        """Return them."""
        return found.lines

    def act(self, key: str, row: UnconfirmedLine) -> list[Act]:
        """Enter confirms the marked one; `a` all that are on the screen."""
        shown = [each for _, each in self.rows.visible() if each is not None]
        return [self._confirm([row] if key == ENTER else shown)]

    def draw(self, size: Size) -> list[Line]:
        """Draw what is asked, and the entries."""
        words, total = self.desk.words, self.found.total if self.found else 0
        title = line(" ", Span(words.count("unconfirmed.title", total), "title"))
        asks = [line(" ", part) for part in wrap(words("unconfirmed.asks"), size.width - 2)]
        columns = (
            Column(words("board.tag"), 14),
            Column(words("board.triage"), 11),
            Column(words("chart.at"), 11),
            Column(words("board.code"), 12),
            Column(words("unconfirmed.where"), 0),
        )
        room = Size(size.width, size.height - 2 - len(asks))
        return [title, *asks, (), *self.table(columns, room, "unconfirmed.none")]

    def hints(self) -> list[Hint]:
        """Say what Enter does, and `a`."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("unconfirmed.one")), *super().hints()]

    def cells(self, row: UnconfirmedLine) -> list[Span]:
        """Return tag, category, time, code and device."""
        desk = self.desk
        return [
            Span(clean_text(row.tag) or "-", "title"),
            triage(desk.words, row.category),
            Span(clock(row.at_ms, desk.now_ms, desk.zone)),
            Span(clean_text(row.code)),
            Span(clean_text(row.device)),
        ]

    def _confirm(self, rows: Sequence[UnconfirmedLine]) -> Ask:
        lines = [
            {
                "v": 1,
                "kind": KIND,
                "key": self._keys.setdefault(row.fact, self.desk.new_key()),
                "data": {"triage": row.fact},
            }
            for row in rows
        ]
        return Ask(lambda node: node.record(lines), partial(self._done, rows))

    def _done(self, rows: Sequence[UnconfirmedLine], answers: list[Recorded]) -> list[Act]:
        desk, words = self.desk, self.desk.words
        for row, answer in zip(rows, answers, strict=True):
            if answer.ok:
                self._keys.pop(row.fact, None)
        facts = tuple(fact for answer in answers if answer.ok for fact in answer.facts)
        if facts:
            done = words.count("unconfirmed.done", len(facts))
            desk.saved(Save(done, facts, desk.now_ms))
        # Somebody else may have been first: then it is confirmed, and that was wanted.
        refused = [one for one in answers if not one.ok and one.error != "already_confirmed"]
        again = self.fetch(holds=True)
        if refused:
            gate = gate_of(desk, refused[0], "", lambda: [self._confirm(rows)])
            sentence = code_sentence(words, refused[0].error or "")
            return [*(gate or [Say(sentence, "bad", bell=True)]), again]
        uncounted = any(UNCOUNTED & set(answer.warnings) for answer in answers)
        said = words("unconfirmed.uncounted") if uncounted else ""
        said = said or words.count("unconfirmed.done_f8", len(facts))
        return [Say(said, "warn" if uncounted else "good"), again]
