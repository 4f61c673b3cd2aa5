"""Acts of persons whose licence or key came into doubt: looking at each again, saying what came."""

from __future__ import annotations

from collections.abc import Awaitable, Hashable, Sequence
from typing import ClassVar

from fieldnode.client import Node
from fieldnode.tui.acts import Act, Ask, Back, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, cells, line
from fieldnode.tui.cores.keys import is_text
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint, Page
from fieldnode.tui.screens.belonging import coded, may_not, shown_name, wrapped
from fieldnode.tui.screens.chart import ChartPage
from fieldnode.tui.screens.listing import ENTER, Fetched
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import clock
from protocols.live.belonging import ReviewDone, ReviewLine, ReviewPage
from protocols.records.display import clean_text

WHOLE_ROWS = 6
NOTE_CHARS_MAX = 100
OUTCOMES = {"k": "stands", "p": "corrected", "a": "follow_up"}
"""What the node is told, by the letter of the action."""


class ReviewsPage(Fetched[ReviewLine, ReviewPage]):
    """One row an act: those that nobody has looked at yet first. All of them go on counting."""

    name: ClassVar[str] = "reviews"
    actions = (Action("c", "1", "review.chart"),)
    about = (ENTER, "c")

    def name_of(self, row: ReviewLine) -> str:
        """Return the act."""
        return row.fact

    def ask(self, node: Node) -> Awaitable[ReviewPage]:
        """Ask for all."""
        return node.review_page()

    def rows_of(self, found: ReviewPage) -> Sequence[ReviewLine]:
        """Return all."""
        return found.lines

    def act(self, key: str, row: ReviewLine) -> list[Act]:
        """Enter says what came of an act, `c` opens the chart it stands in."""
        if key == "c":
            none = Say(self.desk.words("review.no_chart"), "warn", bell=True)
            return [Open(ChartPage(self.desk, row.patient))] if row.patient else [none]
        return self._begin(row)

    def draw(self, size: Size) -> list[Line]:
        """Draw the acts, then the whole of the selected one."""
        words, found = self.desk.words, self.found
        if found is None:
            return [line(" ", Span(words("chart.loading"), "dim"))]
        columns = (
            Column(words("chart.at"), 11),
            Column(words("chart.what"), 10),
            Column(words("board.code"), 12),
            Column(words("chart.by"), 18),
            Column(words("review.came"), 0),
        )
        title = line(" ", Span(words.count("review.title", found.waiting), "title"))
        room = Size(size.width, size.height - 1 - WHOLE_ROWS)
        drawn = self.table(columns, room, "review.none")
        row = self.rows.selected
        whole = whole_of(self.desk, row, size) if row else []
        return [title, *drawn, (), *whole[: WHOLE_ROWS - 1]]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("review.do")), *super().hints()]

    def _begin(self, row: ReviewLine) -> list[Act]:
        words, desk, found = self.desk.words, self.desk, self.found
        assert found is not None
        if found.why_not:
            return [Say(may_not(desk, found.why_not, found.ask), "warn", bell=True)]
        if not desk.greeting.person_id:
            return [Say(words("review.sign_in"), "warn", bell=True)]
        if row.person == desk.greeting.person_id:
            return [Say(words("error.own_act"), "warn", bell=True)]
        return [Open(VerdictPage(desk, row))]

    def cells(self, row: ReviewLine) -> list[Span]:
        """Return when, what, of whom, by whom, and what came of it."""
        desk, last = self.desk, row.reviews[-1] if row.reviews else None
        waits = Span(desk.words("review.waits"), "warn")
        return [
            Span(clock(row.at_ms, desk.now_ms, desk.zone)),
            Span(_acts(desk, row)),
            Span(clean_text(row.code) or "-"),
            Span(shown_name(row.person_name or "", row.person), "title"),
            waits if last is None else Span(_came(desk, last)),
        ]


class VerdictPage(Page):
    """What came of looking at one act again: one key, then a note, then Enter."""

    name: ClassVar[str] = "verdict"
    actions = (
        Action("k", "1", "review.outcome.stands"),
        Action("p", "2", "review.outcome.corrected"),
        Action("a", "3", "review.outcome.follow_up"),
    )

    def __init__(self, desk: Desk, row: ReviewLine) -> None:
        super().__init__(desk)
        self._row = row
        self._outcome = ""
        self._note = ""

    def key(self, key: str) -> list[Act]:
        """Choose, type, and Enter has it kept."""
        if not self._outcome:
            self._outcome = OUTCOMES.get(self.action(key), "")
            return [] if self._outcome else super().key(key)
        if key == "escape":
            self._outcome = self._note = ""
        elif key == "backspace":
            self._note = self._note[:-1]
        elif key == "enter":
            return [self._keep()]
        elif is_text(key) and len(self._note) < NOTE_CHARS_MAX:
            self._note += key
        return []

    @property
    def question(self) -> Hashable | None:
        """What came of it; what is typed then is no answer to it."""
        return self._row.fact if not self._outcome else None

    def answers(self, item: str | Scan) -> bool:
        """Any of the outcomes."""
        return isinstance(item, str) and bool(self.action(item))

    def draw(self, size: Size) -> list[Line]:
        """Draw the act, what can be said of it, and the note."""
        words = self.desk.words
        rows = [line(" ", Span(words("review.what_came"), "title")), ()]
        rows += [*whole_of(self.desk, self._row, size), ()]
        if not self._outcome:
            return [
                *rows,
                *(line("   ", Span(h.keys, "label"), f"  {h.word}") for h in super().hints()),
                (),
                *wrapped(words("review.counts"), size, most=3),
            ]
        shown = self._note
        while cells(shown) > size.width - 8:
            shown = shown[1:]
        said = Span(words(f"review.outcome.{self._outcome}"), "title")
        return [
            *rows,
            line("   ", said),
            (),
            line("   ", Span(words("review.note"), "label")),
            line("   [ ", Span(shown, "open"), Span(" ", "cursor"), Span(" ]")),
        ]

    def hints(self) -> list[Hint]:
        """That the outcomes listed are chosen, or what Enter does."""
        if not self._outcome:
            return [Hint("k p a / 1-3", self.desk.words("menu.choose"))]
        return [Hint(self.desk.words("keys.enter"), self.desk.words("review.keep"))]

    def _keep(self) -> Ask:
        fact, outcome, note = self._row.fact, self._outcome, self._note.strip()
        done: list[Act] = [Say(self.desk.words("review.kept"), "good"), Back()]
        return Ask(lambda node: node.review_done(fact, outcome, note), lambda _: done)


def whole_of(desk: Desk, row: ReviewLine, size: Size) -> list[Line]:
    """Return all that is known of an act: who, where, why it is listed, what came of it."""
    words = desk.words
    who = shown_name(row.person_name or "", row.person)
    where = shown_name(row.device_name, row.device)
    at = clock(row.at_ms, desk.now_ms, desk.zone)
    why = coded(words, "seal_reason", row.reason)
    said = words("review.whole", what=_acts(desk, row), who=who, device=where, at=at)
    rows = wrapped(said, size, most=2)
    rows += wrapped(words("review.why", why=why), size, most=1)
    for each in reversed(row.reviews):
        came = clock(each.at_ms, desk.now_ms, desk.zone)
        note = f" {clean_text(each.note)}" if each.note else ""
        rows += wrapped(f"{came} {_came(desk, each)}{note}", size, most=2)
    return rows


def _acts(desk: Desk, row: ReviewLine) -> str:
    return ", ".join(coded(desk.words, "kind", kind) for kind in row.kinds) or "?"


def _came(desk: Desk, done: ReviewDone) -> str:
    outcome = coded(desk.words, "review.short", done.outcome)
    return f"{outcome}: {clean_text(done.by) or clean_text(done.device_name)}"
