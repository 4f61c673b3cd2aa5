"""Results of devices without a certain patient: who waits, and giving one to somebody."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk, Save
from fieldnode.tui.page import Hint, Page
from fieldnode.tui.screens.gate import ask_gate, gate_of, said_after
from fieldnode.tui.screens.search import SearchPage
from fieldnode.tui.screens.stating import StatingPage
from fieldnode.tui.timeline import Happening, happenings, summary, when
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import code_sentence, full_identity, short_identity
from protocols.live.api import BoardLine, Recorded, Unassigned
from protocols.records.display import clean_text

RESULTS_ROWS = 100
KIND = "result.assign"


class ResultsPage(Page):
    """What waits, the longest first; Enter looks for its patient."""

    name: ClassVar[str] = "results"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._rows: ListCore[Happening] = ListCore(lambda row: row.line.fact)
        self._total = 0
        self._listed = 0

    def opened(self) -> list[Act]:
        """Fetch them; keys wait."""
        return [self._fetch(holds=True)]

    def resumed(self) -> list[Act]:
        """Fetch them again: one may have got its patient."""
        return [self._fetch(holds=True)]

    def changed(self) -> list[Act]:
        """Fetch them again; the selection stays on its result."""
        return [self._fetch(holds=False)]

    def key(self, key: str) -> list[Act]:
        """Choose a result, then look for its patient."""
        if self._rows.key(key):
            return []
        chosen = self._rows.selected
        if key != "enter" or chosen is None:
            return super().key(key)
        if self._rows.moved:
            self._rows.moved = False
            self._listed += 1
            return [Say(self.desk.words("board.moved"), "warn", bell=True)]
        return [Open(OwnerPage(self.desk, chosen))]

    @property
    def question(self) -> Hashable | None:
        """Which of those listed."""
        return self._listed if self._rows.total else None

    def answers(self, item: str | Scan) -> bool:
        """Enter is about the selected one."""
        return item == "enter"

    def draw(self, size: Size) -> list[Line]:
        """Draw title, results, and the whole of the selected one."""
        words = self.desk.words
        columns = (
            Column(words("chart.at"), 11),
            Column(words("chart.by"), 12),
            Column(words("chart.what"), 0),
        )
        title = line(" ", Span(words.count("results.title", self._total), "title"))
        chosen = self._rows.selected
        whole = "" if chosen is None else summary(self.desk, chosen.line)
        said = [line(" ", part) for part in wrap(whole, size.width - 2)[:2]]
        room = Size(size.width, size.height - 2 - len(said))
        drawn = draw_list(self._rows, columns, self._cells, room, words("results.none"))
        return [title, (), *drawn, *said]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        return [Hint(self.desk.words("keys.enter"), self.desk.words("results.find"))]

    def _fetch(self, *, holds: bool) -> Ask:
        def came(found: Unassigned) -> list[Act]:
            self._total = found.total
            self._listed += holds
            self._rows.take_all(happenings(found.lines))
            return []

        return Ask(lambda node: node.unassigned(RESULTS_ROWS), came, holds=holds)

    def _cells(self, row: Happening) -> list[Span]:
        return [
            Span(when(self.desk, row.line)),
            Span(clean_text(row.line.author)),
            Span(summary(self.desk, row.line, short=True), "title"),
        ]


class OwnerPage(SearchPage):
    """Whose result it is: found by name, code, tag or scan."""

    name: ClassVar[str] = "result_owner"

    def __init__(self, desk: Desk, result: Happening) -> None:
        super().__init__(desk)
        self._result = result

    def chosen(self, row: BoardLine) -> list[Act]:
        """Ask once more, with both in full."""
        return [Open(AssignPage(self.desk, self._result, row), instead=True)]

    def draw(self, size: Size) -> list[Line]:
        """Draw the result above the question."""
        said = summary(self.desk, self._result.line, short=True)
        top = [line(" ", Span(self.desk.words("results.whose"), "label"), f" {said}"), ()]
        return [*top, *super().draw(Size(size.width, size.height - len(top)))]


class AssignPage(StatingPage):
    """One result and one patient; Enter puts them together."""

    name: ClassVar[str] = "result_assign"

    def __init__(self, desk: Desk, result: Happening, head: BoardLine) -> None:
        super().__init__(desk)
        self._result = result
        self._head = head
        self._key = desk.new_key()

    def opened(self) -> list[Act]:
        """Ask whether whoever is here may give it to somebody."""
        return [*super().opened(), *ask_gate(self.desk, (KIND,), self._head.patient)]

    def key(self, key: str) -> list[Act]:
        """Enter assigns."""
        return (self.unasked() or [self._assign()]) if key == "enter" else super().key(key)

    def _assign(self) -> Ask:
        written = {
            "v": 1,
            "kind": KIND,
            "key": self._key,
            "patient": self._head.patient,
            "data": {"result": self._result.facts[0]},
            **self.circumstances(),
        }
        return Ask(lambda node: node.record([written]), self._done)

    @property
    def question(self) -> Hashable | None:
        """Whether it is this patient's."""
        return self._head.patient

    def draw(self, size: Size) -> list[Line]:
        """Draw result and patient."""
        desk, words = self.desk, self.desk.words
        said = f"{when(desk, self._result.line)}  {summary(desk, self._result.line)}"
        result = [line("  ", Span(part, "title")) for part in wrap(said, size.width - 4)[:4]]
        asks = [line("  ", part) for part in wrap(words("results.asks"), size.width - 4)]
        title = line(" ", Span(words("results.assign"), "label"))
        when_and_who = self.stated(size)
        return [title, when_and_who, *result, (), *full_identity(words, self._head), (), *asks]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("results.do")), *super().hints()]

    def _done(self, answers: list[Recorded]) -> list[Act]:
        desk, words, recorded = self.desk, self.desk.words, answers[0]
        if gated := gate_of(desk, recorded, self._head.patient, lambda: [self._assign()]):
            return gated
        if not recorded.ok:
            return [Say(code_sentence(words, recorded.error or ""), "bad", bell=True), Back()]
        label = " ".join((words("results.saved"), short_identity(words, self._head)))
        facts = recorded.facts or tuple(part for part in (recorded.id,) if part)
        desk.saved(Save(label, facts, desk.now_ms, self._head.patient))
        said = words("results.done", who=short_identity(words, self._head))
        return [said_after(desk, answers, said), Back()]
