"""Records that may be of one dose, written by teams apart: one dose, or two, with one key."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import TYPE_CHECKING, ClassVar

from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk, Save
from fieldnode.tui.page import Action, Hint, Page
from fieldnode.tui.screens.gate import ask_gate, gate_of, said_after
from fieldnode.tui.screens.listing import ENTER, Fetched
from fieldnode.tui.vaccine_words import vaccine_word
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import age, code_sentence, full_identity, name, short_identity
from protocols.live.api import Recorded
from protocols.live.drive import DoubledDoses, DoubledLine
from protocols.records.display import clean_text

if TYPE_CHECKING:
    from fieldnode.client import Node

KIND = "dose.decide"


class TwicePage(Fetched[DoubledLine, DoubledDoses]):
    """Enter looks at the marked one."""

    name: ClassVar[str] = "twice"

    async def ask(self, node: Node) -> DoubledDoses:
        """Ask for them."""
        return await node.doubled_doses()

    def rows_of(self, found: DoubledDoses) -> Sequence[DoubledLine]:
        """All of them."""
        return found.lines

    def name_of(self, row: DoubledLine) -> str:
        """The records it is about."""
        return " ".join(one.fact for one in row.doses)

    def act(self, key: str, row: DoubledLine) -> list[Act]:
        """Look at both."""
        return [Open(DecidePage(self.desk, row))] if key == ENTER else []

    def cells(self, row: DoubledLine) -> list[Span]:
        """Return who, what and when."""
        words, head = self.desk.words, row.head
        days = " ".join(dict.fromkeys(one.day for one in row.doses))
        return [
            Span(clean_text(head.tag or head.code)),
            Span(age(words, clean_text(head.age)) or "?"),
            Span(name(words, head.name), "title"),
            Span(vaccine_word(words, row.doses[0].words)),
            Span(words(f"twice.{row.why}"), "warn"),
            Span(days),
        ]

    def draw(self, size: Size) -> list[Line]:
        """Draw a row for each."""
        words = self.desk.words
        columns = (
            Column(words("drive.card"), 14),
            Column(words("board.age"), 7),
            Column(words("board.name"), 18),
            Column(words("twice.vaccine"), 14),
            Column(words("twice.why"), 12),
            Column(words("twice.days"), 0),
        )
        title = line(" ", Span(words("twice.title"), "title"))
        return [title, (), *self.table(columns, Size(size.width, size.height - 2), "twice.none")]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        return [Hint(self.desk.words("keys.enter"), self.desk.words("twice.look"))]


class DecidePage(Page):
    """Records of one dose, or doses of their own; both stay in the history."""

    name: ClassVar[str] = "decide"
    actions = (Action("s", "1", "twice.one"), Action("x", "2", "twice.several"))

    def __init__(self, desk: Desk, row: DoubledLine) -> None:
        super().__init__(desk)
        self._row = row
        self._key = desk.new_key()

    def opened(self) -> list[Act]:
        """Ask whether whoever is here may say it."""
        return ask_gate(self.desk, (KIND,), self._row.head.patient)

    @property
    def question(self) -> Hashable | None:
        """What they are."""
        return self._key

    def answers(self, item: str | Scan) -> bool:
        """Either of the actions."""
        return isinstance(item, str) and bool(self.action(item))

    def key(self, key: str) -> list[Act]:
        """Say what they are."""
        verdict = {"s": "one", "x": "several"}.get(self.action(key))
        return [self._write(verdict)] if verdict else super().key(key)

    def _write(self, verdict: str) -> Ask:
        facts = [one.fact for one in self._row.doses]
        data = {"doses": facts, "verdict": verdict}
        made = {"v": 1, "kind": KIND, "key": f"{self._key}-{verdict}", "data": data}
        words = self.desk.words

        def came(answers: list[Recorded]) -> list[Act]:
            answer = answers[0]
            patient = self._row.head.patient
            if gated := gate_of(self.desk, answer, patient, lambda: [self._write(verdict)]):
                return gated
            if not answer.ok:
                return [Say(code_sentence(words, answer.error or ""), "bad", bell=True)]
            word = words("twice.one" if verdict == "one" else "twice.several")
            label = f"{word} {short_identity(words, self._row.head)}"
            written = answer.facts or ((answer.id,) if answer.id else ())
            self.desk.saved(Save(label, written, self.desk.now_ms, patient, self.name))
            return [said_after(self.desk, answers, words("twice.said", what=label)), Back()]

        return Ask(lambda node: node.record([made]), came)

    def draw(self, size: Size) -> list[Line]:
        """Draw who it is, each record, and what the keys mean."""
        words = self.desk.words
        rows = [*full_identity(words, self._row.head), ()]
        for one, by in zip(self._row.doses, self._row.by, strict=True):
            number = "" if one.dose is None else f" {one.dose}"
            text = f"{one.day or '?'}  {vaccine_word(words, one.words)}{number}  {one.lot}  {by}"
            rows.append(line("   ", Span(clean_text(text), "title")))
        rows.append(())
        for key in ("twice.one_means", "twice.several_means"):
            rows += [line(" ", part) for part in wrap(words(key), size.width - 2)]
        return rows[: size.height]
