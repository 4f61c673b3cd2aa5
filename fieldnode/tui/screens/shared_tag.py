"""One tag on several patients: the way to take it off the one who does not wear it."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Back, Say
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk, Save
from fieldnode.tui.page import Hint
from fieldnode.tui.screens.gate import ask_gate, gate_of, said_after
from fieldnode.tui.screens.stating import StatingPage
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import code_sentence, identity, short_identity
from protocols.live.api import BoardLine, Recorded, SharedTag
from protocols.records.display import clean_text

KIND = "patient.identify"


class SharedTagPage(StatingPage):
    """Tags of one patient that others carry too; Enter takes the selected one off this patient."""

    name: ClassVar[str] = "shared_tag"

    def __init__(self, desk: Desk, head: BoardLine, shared: Sequence[SharedTag]) -> None:
        super().__init__(desk)
        self._head = head
        self._rows: ListCore[SharedTag] = ListCore(lambda row: row.tag)
        self._rows.take_all(shared)
        self._key = desk.new_key()

    def opened(self) -> list[Act]:
        """Ask whether whoever is here may take a tag off."""
        return [*super().opened(), *ask_gate(self.desk, (KIND,), self._head.patient)]

    def key(self, key: str) -> list[Act]:
        """Choose a tag, then take it off."""
        if self._rows.key(key):
            return []
        chosen = self._rows.selected
        if key != "enter" or chosen is None:
            return super().key(key)
        key = f"{self._key}-{self._rows.index}"
        return self.unasked() or [self._take_off(chosen, key)]

    @property
    def question(self) -> Hashable | None:
        """Whether this patient is the one who does not wear it."""
        return self._head.patient

    def answers(self, item: str | Scan) -> bool:
        """Enter takes the selected tag off."""
        return item == "enter"

    def draw(self, size: Size) -> list[Line]:
        """Draw who it is, what Enter does, and who else carries each tag."""
        words = self.desk.words
        asks = [line(" ", part) for part in wrap(words("shared_tag.asks"), size.width - 2)]
        columns = (Column(words("board.tag"), 24), Column(words("shared_tag.also"), 0))
        room = Size(size.width, size.height - len(asks) - 2)
        drawn = draw_list(self._rows, columns, self._cells, room, words("chart.all_settled"))
        return [identity(words, self._head), *asks, self.stated(size), *drawn]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("shared_tag.take_off")), *super().hints()]

    def _cells(self, row: SharedTag) -> list[Span]:
        return [Span(clean_text(row.tag), "title"), Span(others(row, self._head.patient))]

    def _take_off(self, chosen: SharedTag, key: str) -> Ask:
        written = {
            "v": 1,
            "kind": KIND,
            "key": key,
            "patient": self._head.patient,
            "data": {"drop_tags": [chosen.tag]},
            **self.circumstances(),
        }

        def again() -> list[Act]:
            return [self._take_off(chosen, key)]

        def done(answers: list[Recorded]) -> list[Act]:
            gated = gate_of(self.desk, answers[0], self._head.patient, again)
            return gated or self._done(answers)

        return Ask(lambda node: node.record([written]), done)

    def _done(self, answers: list[Recorded]) -> list[Act]:
        words, recorded = self.desk.words, answers[0]
        if not recorded.ok:
            return [Say(code_sentence(words, recorded.error or ""), "bad", bell=True)]
        label = " ".join((words("shared_tag.off"), short_identity(words, self._head)))
        facts = recorded.facts or tuple(part for part in (recorded.id,) if part)
        self.desk.saved(Save(label, facts, self.desk.now_ms))
        return [said_after(self.desk, answers, words("shared_tag.done")), Back()]


def others(shared: SharedTag, patient: str) -> str:
    """Return the codes of those who carry the tag, without one of them."""
    return ", ".join(clean_text(code) for who, code in shared.carriers if who != patient)
