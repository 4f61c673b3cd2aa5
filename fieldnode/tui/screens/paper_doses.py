"""Doses of another team's proof of vaccination: seen one by one, then written down as told."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk, Save
from fieldnode.tui.page import Action, Page
from fieldnode.tui.screens.gate import ask_gate, gate_of, said_after
from fieldnode.tui.screens.glass import asked_first
from fieldnode.tui.screens.search import SearchPage
from fieldnode.tui.wording import code_sentence, error
from protocols.errors import FieldmeshError
from protocols.live.api import BoardLine, Recorded
from protocols.live.proof import PaperDoses

KIND = "dose.record"


class ReceiverPage(SearchPage):
    """Whose doses they are, where the paper names nobody who is known here."""

    name: ClassVar[str] = "paper_receiver"

    def __init__(self, desk: Desk, text: str) -> None:
        super().__init__(desk)
        self._text = text

    def chosen(self, row: BoardLine) -> list[Act]:
        """Show the doses beside those of this patient."""
        return [Open(PaperDosesPage(self.desk, self._text, row.patient), instead=True)]

    def draw(self, size: Size) -> list[Line]:
        """Draw what is asked above the question."""
        top = [line(" ", Span(self.desk.words("paper_doses.whose"), "label")), ()]
        return [*top, *super().draw(Size(size.width, size.height - len(top)))]


class PaperDosesPage(Page):
    """What would be written, a line a dose; one key writes all of it or nothing."""

    name: ClassVar[str] = "paper_doses"

    def __init__(self, desk: Desk, text: str, patient: str) -> None:
        super().__init__(desk)
        self._text = text
        self._patient = patient
        self._found: PaperDoses | None = None
        self._top = 0

    @property
    def actions(self) -> tuple[Action, ...]:  # type: ignore[override]
        """Write them, where any is new."""
        new = self._found is not None and bool(self._found.lines)
        return (Action("w", "1", "paper_doses.write"),) if new else ()

    def opened(self) -> list[Act]:
        """Ask what is new, and whether whoever is here may write it."""

        def came(found: PaperDoses) -> list[Act]:
            self._found = found
            return []

        def refused(failure: FieldmeshError) -> list[Act]:
            asked = asked_first(self.desk, self._patient, failure)
            said = Say(error(self.desk.words, failure), "bad", bell=True)
            return [asked] if asked is not None else [Back(), said]

        ask = Ask(lambda node: node.paper_doses(self._text, self._patient), came, refused)
        return [ask, *ask_gate(self.desk, (KIND,), self._patient)]

    def key(self, key: str) -> list[Act]:
        """Write, or scroll."""
        if key in ("up", "down", "pageup", "pagedown"):
            self._top = max(self._top + (-1 if key.endswith("up") else 1), 0)
            return []
        return [self._write()] if self.action(key) == "w" else super().key(key)

    @property
    def question(self) -> Hashable | None:
        """Whether to write these down."""
        return self._found.patient if self._found is not None and self._found.lines else None

    def answers(self, item: str | Scan) -> bool:
        """Only the key that writes."""
        return isinstance(item, str) and bool(self.action(item))

    def draw(self, size: Size) -> list[Line]:
        """Draw whose they are, every dose with what is here already, and what the key does."""
        words, found = self.desk.words, self._found
        rows: list[Line] = [line(" ", Span(words("paper_doses.title"), "title"))]
        if found is None:
            return [*rows, line(" ", Span(words("paper_read.reading"), "dim"))]
        # No start waits for what is printed.
        from fieldnode.prints.vaccination import taking, to_take

        body: list[Line] = []
        for text in taking(words, found):
            role = "good" if text.startswith("+") else "dim" if text.startswith("-") else "plain"
            body += [line("  ", Span(part, role)) for part in wrap(text, size.width - 4)]
        foot: list[Line] = []
        if found.lines:
            foot = [(), *(line(" ", Span(p, "warn")) for p in wrap(to_take(words, found), 78))]
        room = max(size.height - len(rows) - len(foot), 1)
        self._top = min(self._top, max(len(body) - room, 0))
        return [*rows, *body[self._top : self._top + room], *foot]

    def _write(self) -> Ask:
        found = self._found
        assert found is not None

        def done(answers: list[Recorded]) -> list[Act]:
            return self._done(found, answers)

        return Ask(lambda node: node.record(found.lines, together=True), done)

    def _done(self, found: PaperDoses, answers: list[Recorded]) -> list[Act]:
        desk, words = self.desk, self.desk.words
        from fieldnode.prints.vaccination import taken

        wrong = next((each for each in answers if not each.ok), None)
        if wrong is not None:
            if gated := gate_of(desk, wrong, found.patient, lambda: [self._write()]):
                return gated
            return [Say(code_sentence(words, wrong.error or ""), "bad", bell=True)]
        said = taken(words, len(answers))
        facts = tuple(fact for each in answers for fact in each.facts)
        desk.saved(Save(said, facts, desk.now_ms, found.patient))
        return [Back(), said_after(desk, answers, said)]
