"""Triage that nobody identified wrote: a person looks at it and stands by it (SAFETY 20)."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from functools import partial
from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Say
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk, Save
from fieldnode.tui.page import Action, Hint, Page
from fieldnode.tui.screens.gate import UNCOUNTED, ask_gate, gate_of
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import clock, code_sentence, triage
from protocols.live.api import Recorded, Unconfirmed, UnconfirmedLine
from protocols.records.display import clean_text

UNCONFIRMED_ROWS = 200
KIND = "triage.confirm"


class UnconfirmedPage(Page):
    """What waits, the oldest first: by tag, category and time, without a name."""

    name: ClassVar[str] = "unconfirmed"
    actions = (Action("a", "1", "unconfirmed.all"),)

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._rows: ListCore[UnconfirmedLine] = ListCore(lambda row: row.fact)
        self._total = 0
        self._listed = 0
        """How often another list came in place of what was shown."""
        self._keys: dict[str, str] = {}
        """By fact: sent again after a lost answer, a confirmation is answered again."""

    def opened(self) -> list[Act]:
        """Fetch them; keys wait. Whoever may not confirm is told first."""
        return [self._fetch(holds=True), *ask_gate(self.desk, (KIND,), "")]

    def resumed(self) -> list[Act]:
        """Fetch them again."""
        return [self._fetch(holds=True)]

    def changed(self) -> list[Act]:
        """Fetch them again; the selection stays on its entry."""
        return [self._fetch(holds=False)]

    def key(self, key: str) -> list[Act]:
        """Enter confirms the selected one; `a` all that are on the screen."""
        if self._rows.key(key):
            return []
        everything = self.action(key) == "a"
        if not everything and key != "enter":
            return super().key(key)
        if self._rows.moved:
            self._rows.moved = False
            self._listed += 1
            return [Say(self.desk.words("board.moved"), "warn", bell=True)]
        selected = self._rows.selected
        if selected is None:
            return []
        shown = [row for _, row in self._rows.visible() if row is not None]
        return [self._confirm(shown if everything else [selected])]

    @property
    def question(self) -> Hashable | None:
        """Which of the entries listed."""
        return self._listed if self._rows.total else None

    def answers(self, item: str | Scan) -> bool:
        """Enter and `a` confirm."""
        return item == "enter" or (isinstance(item, str) and bool(self.action(item)))

    def draw(self, size: Size) -> list[Line]:
        """Draw what is asked, and the entries."""
        words = self.desk.words
        title = line(" ", Span(words.count("unconfirmed.title", self._total), "title"))
        asks = [line(" ", part) for part in wrap(words("unconfirmed.asks"), size.width - 2)]
        columns = (
            Column(words("board.tag"), 14),
            Column(words("board.triage"), 11),
            Column(words("chart.at"), 11),
            Column(words("board.code"), 12),
            Column(words("unconfirmed.where"), 0),
        )
        room = Size(size.width, size.height - 2 - len(asks))
        drawn = draw_list(self._rows, columns, self._cells, room, words("unconfirmed.none"))
        return [title, *asks, (), *drawn]

    def hints(self) -> list[Hint]:
        """Say what Enter does, and `a`."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("unconfirmed.one")), *super().hints()]

    def _cells(self, row: UnconfirmedLine) -> list[Span]:
        desk = self.desk
        return [
            Span(clean_text(row.tag) or "-", "title"),
            triage(desk.words, row.category),
            Span(clock(row.at_ms, desk.now_ms, desk.zone)),
            Span(clean_text(row.code)),
            Span(clean_text(row.device)),
        ]

    def _fetch(self, *, holds: bool) -> Ask:
        def came(found: Unconfirmed) -> list[Act]:
            self._listed += holds
            self._total = found.total
            self._rows.take_all(found.lines)
            return []

        return Ask(lambda node: node.unconfirmed(UNCONFIRMED_ROWS), came, holds=holds)

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
        again = self._fetch(holds=True)
        if refused:
            gate = gate_of(desk, refused[0], "", lambda: [self._confirm(rows)])
            sentence = code_sentence(words, refused[0].error or "")
            return [*(gate or [Say(sentence, "bad", bell=True)]), again]
        uncounted = any(UNCOUNTED & set(answer.warnings) for answer in answers)
        said = words("unconfirmed.uncounted") if uncounted else ""
        said = said or words.count("unconfirmed.done_f8", len(facts))
        return [Say(said, "warn" if uncounted else "good"), again]
