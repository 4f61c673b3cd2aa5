"""Settling what two people wrote apart: every value is shown, a person says which one holds."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar, NamedTuple

from fieldnode.tui.acts import Act, Ask, Back, Say
from fieldnode.tui.cores.display import Line, Size, Span
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint
from fieldnode.tui.screens.gate import ask_gate, gate_of, said_after
from fieldnode.tui.screens.stating import StatingPage
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import clock, code_sentence, identity, value_text
from protocols.live.api import Asserted, Attribute, BoardLine, Recorded
from protocols.records.display import clean_text

KIND = "conflict.settle"


class Standing(NamedTuple):
    """One of several values."""

    attribute: str
    value: Asserted


class SettlePage(StatingPage):
    """All values that disagree; Enter keeps the selected one."""

    name: ClassVar[str] = "settle"

    def __init__(self, desk: Desk, head: BoardLine, unsettled: Sequence[Attribute]) -> None:
        super().__init__(desk)
        self._head = head
        rows = [Standing(one.name, value) for one in unsettled for value in one.values]
        self._rows: ListCore[Standing] = ListCore(lambda row: f"{row.attribute} {row.value.fact}")
        self._rows.take_all(rows)

    def opened(self) -> list[Act]:
        """Ask whether whoever is here may settle."""
        return [*super().opened(), *ask_gate(self.desk, (KIND,), self._head.patient)]

    def key(self, key: str) -> list[Act]:
        """Choose a value, then keep it."""
        if self._rows.key(key):
            return []
        chosen = self._rows.selected
        if key != "enter" or chosen is None:
            return super().key(key)
        return self.unasked() or [self._keep(chosen)]

    @property
    def question(self) -> Hashable | None:
        """Which of the values holds."""
        return self._head.patient

    def answers(self, item: str | Scan) -> bool:
        """Enter keeps the selected value."""
        return item == "enter"

    def draw(self, size: Size) -> list[Line]:
        """Draw the values with who wrote them and when."""
        words = self.desk.words
        columns = (
            Column(words("settle.attribute"), 16),
            Column(words("chart.at"), 11),
            Column(words("chart.by"), 14),
            Column(words("settle.value"), 0),
        )
        room = Size(size.width, size.height - 2)
        drawn = draw_list(self._rows, columns, self._cells, room, words("chart.all_settled"))
        return [identity(words, self._head), self.stated(size), *drawn]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("settle.keep")), *super().hints()]

    def _cells(self, row: Standing) -> list[Span]:
        words, desk = self.desk.words, self.desk
        key = f"field.{row.attribute}"
        return [
            Span(words(key) if words.has(key) else clean_text(row.attribute)),
            Span(clock(row.value.at_ms, desk.now_ms, desk.zone)),
            Span(clean_text(row.value.author)),
            Span(value_text(words, row.value.text), "title"),
        ]

    def _keep(self, chosen: Standing) -> Ask:
        settle = {
            "v": 1,
            "kind": KIND,
            "key": self.desk.new_key(),
            "patient": self._head.patient,
            "data": {"attribute": chosen.attribute, "keep": chosen.value.fact},
            **self.circumstances(),
        }

        def again() -> list[Act]:
            return [self._keep(chosen)]

        def done(answers: list[Recorded]) -> list[Act]:
            words = self.desk.words
            if not answers[0].ok:
                refused = Say(code_sentence(words, answers[0].error or ""), "bad", bell=True)
                return gate_of(self.desk, answers[0], self._head.patient, again) or [refused]
            return [said_after(self.desk, answers, words("settle.done")), Back()]

        return Ask(lambda node: node.record([settle]), done)
