"""Taking something back: named first, then marked as entered in error by a signed record."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.desk import Desk, Save
from fieldnode.tui.page import Hint, Page
from fieldnode.tui.screens.gate import ask_gate, gate_of, said_after
from fieldnode.tui.wording import clock, code_sentence, full_identity
from protocols.live.api import BoardLine, Chart, Recorded

KIND = "entry.retract"


class RetractPage(Page):
    """Says what will be taken back; Enter does it."""

    name: ClassVar[str] = "retract"

    def __init__(self, desk: Desk, what: str, facts: tuple[str, ...], patient: str = "") -> None:
        super().__init__(desk)
        self._what = what
        self._patient = patient
        self._head: BoardLine | None = None
        self._facts = facts
        self._keys = tuple(desk.new_key() for _ in facts)

    def opened(self) -> list[Act]:
        """Fetch whom it is about, as they are known now; keys wait (SAFETY 18)."""
        gated = ask_gate(self.desk, (KIND,), self._patient) if self._facts else []
        if not self._patient:
            return gated

        def came(chart: Chart) -> list[Act]:
            self._head = chart.head
            return []

        return [Ask(lambda node: node.chart(self._patient, 0, 1), came), *gated]

    def key(self, key: str) -> list[Act]:
        """Enter takes it back, anything else but Escape does nothing."""
        return [self._take_back()] if key == "enter" and self._facts else super().key(key)

    @property
    def reason(self) -> str:
        """Why, for the record."""
        return self.desk.words("undo.reason")

    def _take_back(self) -> Ask:
        reason = self.reason
        lines = [
            {"v": 1, "kind": KIND, "key": own, "data": {"fact": fact}, "reason": reason}
            for own, fact in zip(self._keys, self._facts, strict=True)
        ]
        return Ask(lambda node: node.record(lines), self._done)

    @property
    def question(self) -> Hashable | None:
        """Whether to take back what is named."""
        return (self._facts, self._head is None) if self._facts else None

    def draw(self, size: Size) -> list[Line]:
        """Draw what it is about."""
        words = self.desk.words
        what = [line("  ", Span(part, "title")) for part in wrap(self._what, size.width - 4)]
        asks = wrap(words("undo.asks" if self._facts else "undo.nothing"), size.width - 4)
        who = [] if self._head is None else [*full_identity(words, self._head), ()]
        top = [line(" ", Span(words("undo.title"), "label")), (), *who, *what[:6], ()]
        return [*top, *(line("  ", part) for part in asks)]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        return (
            [Hint(self.desk.words("keys.enter"), self.desk.words("undo.do"))] if self._facts else []
        )

    def _done(self, answers: list[Recorded]) -> list[Act]:
        words = self.desk.words
        refused = [answer for answer in answers if not answer.ok]
        for one in refused:
            if gated := gate_of(self.desk, one, self._patient, lambda: [self._take_back()]):
                return gated
        kept = [one for one in refused if one.error != "already_retracted"]
        if kept:
            return [Say(code_sentence(words, kept[0].error or ""), "bad", bell=True)]
        self.taken_back()
        return [said_after(self.desk, answers, words("undo.done", what=self._what)), Back()]

    def taken_back(self) -> None:
        """Do what follows from it on this terminal."""


class UndoPage(RetractPage):
    """F8: the last save of this terminal that was not taken back yet."""

    name: ClassVar[str] = "undo"

    def __init__(self, desk: Desk) -> None:
        self._last: Save | None = desk.saves[-1] if desk.saves else None
        last = self._last
        at = "" if last is None else clock(last.at_ms, desk.now_ms, desk.zone)
        what = "" if last is None else f"{at}  {last.label}"
        facts = () if last is None else last.facts
        super().__init__(desk, what, facts, "" if last is None else last.patient)

    def resumed(self) -> list[Act]:
        """Name another save that came since, as over a page that F2 opened above this one."""
        if self.desk.saves[-1:] == ([] if self._last is None else [self._last]):
            return []
        return [Open(UndoPage(self.desk), instead=True)]

    def taken_back(self) -> None:
        """Let the next F8 name the save before it."""
        last = self._last
        self.desk.triaged -= last is not None and last.form == "triage"
        self.desk.saves = [save for save in self.desk.saves if save is not last]
