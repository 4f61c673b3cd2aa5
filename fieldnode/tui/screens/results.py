"""Results of devices without a certain patient: who waits, and giving one to somebody."""

from __future__ import annotations

from collections.abc import Awaitable, Hashable, Sequence
from typing import ClassVar

from fieldnode.client import Node
from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.desk import Desk, Save
from fieldnode.tui.page import Hint
from fieldnode.tui.screens.gate import ask_gate, gate_of, said_after
from fieldnode.tui.screens.listing import Fetched
from fieldnode.tui.screens.search import SearchPage
from fieldnode.tui.screens.stating import StatingPage
from fieldnode.tui.timeline import Happening, happenings, summary, when
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import code_sentence, full_identity, short_identity
from protocols.live.api import BoardLine, Recorded, Unassigned
from protocols.records.display import clean_text

RESULTS_ROWS = 100
KIND = "result.assign"


class ResultsPage(Fetched[Happening, Unassigned]):
    """What waits, the longest first; Enter looks for its patient."""

    name: ClassVar[str] = "results"

    def name_of(self, row: Happening) -> str:
        """Return the first fact."""
        return row.line.fact

    def ask(self, node: Node) -> Awaitable[Unassigned]:
        """Ask for those that wait longest."""
        return node.unassigned(RESULTS_ROWS)

    def rows_of(self, found: Unassigned) -> Sequence[Happening]:
        """Return one row a result, of however many values."""
        return happenings(found.lines)

    def act(self, _key: str, row: Happening) -> list[Act]:
        """Look for its patient."""
        return [Open(OwnerPage(self.desk, row))]

    def draw(self, size: Size) -> list[Line]:
        """Draw title, results, and the whole of the selected one."""
        words = self.desk.words
        columns = (
            Column(words("chart.at"), 11),
            Column(words("chart.by"), 12),
            Column(words("chart.what"), 0),
        )
        total = self.found.total if self.found else 0
        title = line(" ", Span(words.count("results.title", total), "title"))
        chosen = self.rows.selected
        whole = "" if chosen is None else summary(self.desk, chosen.line)
        said = [line(" ", part) for part in wrap(whole, size.width - 2)[:2]]
        room = Size(size.width, size.height - 2 - len(said))
        return [title, (), *self.table(columns, room, "results.none"), *said]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        return [Hint(self.desk.words("keys.enter"), self.desk.words("results.find"))]

    def cells(self, row: Happening) -> list[Span]:
        """Return when, by whom, and what."""
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
