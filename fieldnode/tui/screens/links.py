"""Records that belong together: the same person written down twice, or a family. All reversible."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, ClassVar

from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.cores.keys import fold_single
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk, Save
from fieldnode.tui.page import Action, Hint, Page
from fieldnode.tui.screens.chart import ChartPage
from fieldnode.tui.screens.concerns import ConcernPage
from fieldnode.tui.screens.gate import ask_gate, gate_of, said_after
from fieldnode.tui.screens.identify import IdentifyPage
from fieldnode.tui.screens.search import SearchPage
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import (
    age,
    called,
    code_sentence,
    full_identity,
    identity,
    sex,
    short_identity,
)
from protocols.live.api import BoardLine, Recorded
from protocols.live.relation import RelationLine, Relations
from protocols.records.display import clean_text

LINK, UNLINK = "patient.link", "patient.unlink"

KINDS_OF = ("same", "mother", "father", "child", "sibling", "spouse", "grandparent", "aunt-uncle",
            "guardian", "other")  # fmt: skip
"""In the order of their digits, 1 to 9 and 0."""


class LinksPage(Page):
    """What is said of a record and others."""

    name: ClassVar[str] = "links"
    actions = (
        Action("n", "1", "links.new"),
        Action("x", "2", "links.take_back"),
        Action("s", "3", "links.concern"),
        Action("i", "4", "links.identify"),
    )

    def __init__(self, desk: Desk, head: BoardLine) -> None:
        super().__init__(desk)
        self._head = head
        self._rows: ListCore[RelationLine] = ListCore(
            lambda row: f"{row.other.patient} {row.relation} {row.forward}"
        )
        self._listed = 0

    def opened(self) -> list[Act]:
        """Fetch them; keys wait."""
        return [*ask_gate(self.desk, (LINK, UNLINK), self._head.patient), self._fetch(holds=True)]

    def resumed(self) -> list[Act]:
        """Fetch them again."""
        return [self._fetch(holds=True)]

    def changed(self) -> list[Act]:
        """Fetch them again; the selection stays."""
        return [self._fetch(holds=False)]

    def key(self, key: str) -> list[Act]:
        """Move, say something new, take something back, open the other's chart."""
        if self._rows.key(key):
            return []
        chosen, action = self._rows.selected, self.action(key)
        if action == "n":
            return [Open(LinkOtherPage(self.desk, self._head))]
        if action == "i":
            return [Open(IdentifyPage(self.desk, self._head), instead=True)]
        if action == "s":
            return [Open(ConcernPage(self.desk, self._head))]
        if action == "x" and chosen is not None and chosen.linked:
            return [Open(UnlinkPage(self.desk, self._head, chosen))]
        if action == "x":
            return [Say(self.desk.words("links.nothing"), "warn", bell=True)]
        if key == "enter" and chosen is not None:
            return [Open(ChartPage(self.desk, chosen.other.patient))]
        return super().key(key)

    @property
    def question(self) -> Hashable | None:
        """Which of them."""
        return self._listed

    def answers(self, item: str | Scan) -> bool:
        """Enter and `x` are about the marked one."""
        return item == "enter" or (isinstance(item, str) and self.action(item) == "x")

    def draw(self, size: Size) -> list[Line]:
        """Draw who it is about, and the others."""
        words = self.desk.words
        columns = (
            Column(words("links.how"), 26),
            Column(words("board.code"), 12),
            Column(words("board.age"), 8),
            Column(words("board.sex"), 8),
            Column(words("board.name"), 0),
        )
        title = line(" ", Span(words("links.title"), "label"))
        room = Size(size.width, size.height - 3)
        drawn = draw_list(self._rows, columns, self._cells, room, words("links.none"))
        return [identity(words, self._head), (), title, *drawn]

    def hints(self) -> list[Hint]:
        """Put the way into the chart first."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("board.open")), *super().hints()]

    def _fetch(self, *, holds: bool) -> Ask:
        def came(found: Relations) -> list[Act]:
            self._rows.take_all(found.lines)
            self._listed += holds
            return []

        return Ask(lambda node: node.relations(self._head.patient), came, holds=holds)

    def _cells(self, row: RelationLine) -> list[Span]:
        words = self.desk.words
        return [
            Span(how(self.desk, row), "plain" if row.linked and not row.disputed else "warn"),
            Span(clean_text(row.other.code)),
            Span(age(words, clean_text(row.other.age)) or "?"),
            Span(sex(words, row.other.sex)),
            Span(called(words, row.other), "title"),
        ]


class LinkOtherPage(SearchPage):
    """The other record: found by name, code, tag or scan."""

    name: ClassVar[str] = "link_other"

    def __init__(self, desk: Desk, head: BoardLine) -> None:
        super().__init__(desk)
        self._head = head

    def chosen(self, row: BoardLine) -> list[Act]:
        """Ask how they belong together, with both in full."""
        if row.patient == self._head.patient:
            return [Say(self.desk.words("error.same_patient"), "warn", bell=True)]
        return [Open(LinkPage(self.desk, self._head, row), instead=True)]

    def draw(self, size: Size) -> list[Line]:
        """Draw who it is about above the question."""
        top = [identity(self.desk.words, self._head), ()]
        return [*top, *super().draw(Size(size.width, size.height - len(top)))]


class PairPage(Page):
    """Both in full, a question, and Enter."""

    kind: ClassVar[str] = ""

    def __init__(self, desk: Desk, head: BoardLine, other: BoardLine) -> None:
        super().__init__(desk)
        self.head, self.other = head, other
        self._key = desk.new_key()

    def opened(self) -> list[Act]:
        """Ask whether whoever is here may write it."""
        return ask_gate(self.desk, (self.kind,), self.head.patient)

    def both(self) -> list[Line]:
        """Return the two of them."""
        words = self.desk.words
        return [*full_identity(words, self.head), (), *full_identity(words, self.other), ()]

    def write(
        self, relation: str, said: str, *, forward: bool = True, reason: str = "", kind: str = ""
    ) -> Ask:
        """Write the statement, of the page's kind or another; `said` names it afterwards."""
        one, two = (self.head, self.other) if forward else (self.other, self.head)
        written: dict[str, Any] = {
            "v": 1,
            "kind": kind or self.kind,
            "key": f"{self._key}-{kind}{relation}",
            "patient": one.patient,
            "data": {"other": two.patient, "relation": relation},
        }
        if reason:
            written["reason"] = reason

        def again() -> list[Act]:
            return [self.write(relation, said, forward=forward, reason=reason, kind=kind)]

        def done(answers: list[Recorded]) -> list[Act]:
            gated = gate_of(self.desk, answers[0], self.head.patient, again)
            return gated or self._done(answers, said)

        return Ask(lambda node: node.record([written]), done)

    def _done(self, answers: list[Recorded], said: str) -> list[Act]:
        desk, recorded = self.desk, answers[0]
        if not recorded.ok:
            return [Say(code_sentence(desk.words, recorded.error or ""), "bad", bell=True)]
        label = " ".join((said, short_identity(desk.words, self.other)))
        facts = recorded.facts or tuple(part for part in (recorded.id,) if part)
        desk.saved(Save(label, facts, desk.now_ms, self.head.patient))
        return [said_after(desk, answers, desk.words("links.done", what=label)), Back()]


class LinkPage(PairPage):
    """How the other record belongs to this one."""

    name: ClassVar[str] = "link_confirm"
    kind: ClassVar[str] = LINK

    def __init__(self, desk: Desk, head: BoardLine, other: BoardLine) -> None:
        super().__init__(desk, head, other)
        self.relation = ""

    def key(self, key: str) -> list[Act]:
        """A digit says how, Enter links."""
        digit = fold_single(key) if len(key) == 1 else ""
        if digit.isdecimal():
            self.relation = KINDS_OF[int(digit) - 1 if digit != "0" else 9]
            return []
        if key != "enter":
            return super().key(key)
        if not self.relation:
            return [Say(self.desk.words("links.how_first"), "warn", bell=True)]
        return [self.write(self.relation, self.desk.words(_word(self.relation)))]

    @property
    def question(self) -> Hashable | None:
        """Whether it is these two."""
        return self.head.patient, self.other.patient

    def answers(self, item: str | Scan) -> bool:
        """Enter links."""
        return item == "enter"

    def draw(self, size: Size) -> list[Line]:
        """Draw both, and the ways they may belong together."""
        words = self.desk.words
        rows: list[Line] = [*self.both(), line(" ", Span(words("links.asks"), "label"))]
        half = (len(KINDS_OF) + 1) // 2
        rows += [(*self._way(place), *self._way(place + half)) for place in range(half)]
        said = wrap(words("links.same_means"), size.width - 4)
        return [*rows, (), *(line("  ", Span(part, "dim")) for part in said)]

    def hints(self) -> list[Hint]:
        """Say what the keys do."""
        words = self.desk.words
        return [Hint("0-9", words("links.how_digit")), Hint(words("keys.enter"), words("links.do"))]

    def _way(self, place: int) -> Line:
        relation = KINDS_OF[place]
        mark = "(x)" if relation == self.relation else "( )"
        text = f" {mark} {self.desk.words(_word(relation))}"
        role = "title" if relation == self.relation else "plain"
        return line("   ", Span(str((place + 1) % 10), "key"), Span(f"{text:<32}", role))


class UnlinkPage(PairPage):
    """Taking a link back: both records stay as they are."""

    name: ClassVar[str] = "unlink"
    kind: ClassVar[str] = UNLINK

    def __init__(self, desk: Desk, head: BoardLine, said: RelationLine) -> None:
        super().__init__(desk, head, said.other)
        self._said = said

    def key(self, key: str) -> list[Act]:
        """Enter takes it back."""
        if key != "enter":
            return super().key(key)
        words, said = self.desk.words, self._said
        return [
            self.write(
                said.relation,
                words("links.off"),
                forward=said.forward,
                reason=words("links.reason"),
            )
        ]

    @property
    def question(self) -> Hashable | None:
        """Whether to take it back."""
        return self.head.patient, self.other.patient

    def answers(self, item: str | Scan) -> bool:
        """Enter takes it back."""
        return item == "enter"

    def draw(self, size: Size) -> list[Line]:
        """Draw both, what was said, and what Enter does."""
        words = self.desk.words
        rows: list[Line] = [*self.both(), line("  ", Span(how(self.desk, self._said), "title")), ()]
        said = wrap(words("links.off_asks"), size.width - 4)
        return [*rows, *(line("  ", part) for part in said)]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("links.take_back"))]


def how(desk: Desk, row: RelationLine) -> str:
    """Return how two records belong together, as seen from the first."""
    words = desk.words
    if row.disputed:
        return words("links.disputed")
    if not row.linked:
        return words("links.not")
    known = _word(row.relation)
    # A newer node may know more ways to belong together than this terminal.
    said = words(known) if words.has(known) else clean_text(row.relation)
    return said if row.forward else words("links.back", relation=said)


def _word(relation: str) -> str:
    return "links.same" if relation == "same" else f"value.{relation}"
