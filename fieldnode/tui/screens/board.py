"""The ward board: everybody in care, the most urgent first. The terminal's home."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import ClassVar

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, cut, line
from fieldnode.tui.cores.fields import Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.list import PAGE_ROWS, ListCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint, Page
from fieldnode.tui.screens.chart import ChartPage
from fieldnode.tui.screens.drafts import DraftsPage
from fieldnode.tui.screens.register import RegisterPage
from fieldnode.tui.screens.results import ResultsPage
from fieldnode.tui.screens.search import SearchPage
from fieldnode.tui.screens.triage import TriagePage
from fieldnode.tui.screens.unconfirmed import UnconfirmedPage
from fieldnode.tui.screens.vitals import VitalsPage
from fieldnode.tui.widgets.list_view import Column, draw_counts, draw_list
from fieldnode.tui.wording import TRIAGE_ROLES, TRIAGE_WORDS, age, called, sex, span_of, triage
from protocols.errors import FieldmeshError
from protocols.live.api import BoardLine, BoardPage, SharedTag, Unconfirmed
from protocols.records.display import clean_text

WIDE_CELLS = 110
"""From this width on the problem has a column too."""

CUSTODY_UNCLEAR = 3
"""From here on the custody of a row is unclear or in conflict."""

FILTER_CHARS_MAX = 40

_Then = Callable[[BoardLine], Act]


class WardPage(Page):
    """The board."""

    name: ClassVar[str] = "board"
    actions = (
        Action("n", "1", "board.new"),
        Action("v", "2", "board.vitals"),
        Action("t", "7", "board.retriage"),
        Action("/", "3", "board.filter"),
        Action("d", "4", "board.drafts"),
        Action("r", "5", "board.results"),
        Action("c", "6", "board.unconfirmed"),
    )

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._rows: ListCore[BoardLine] = ListCore(lambda row: row.patient)
        self._counts: dict[str, int] = {}
        self._shared_tags: tuple[SharedTag, ...] = ()
        self._unassigned = 0
        """Results that wait for a patient."""
        self._unconfirmed = 0
        """Triage that nobody identified wrote; asked for whoever is signed in."""
        self._sealed = False
        self._restored_ms: int | None = None
        self._filter = ""
        self._asking: FormCore | None = None
        self._came = False
        self._listed = 0
        """How often another list came in place of what was shown."""

    def opened(self) -> list[Act]:
        """Fetch the first page; keys wait for it."""
        return [self._fetch(0, holds=True), *self._ask_unconfirmed()]

    def resumed(self) -> list[Act]:
        """Fetch again what is on the screen."""
        return self.changed()

    def changed(self) -> list[Act]:
        """Rows changed: the selection stays on its patient."""
        self._rows.changed()
        pages = [self._fetch(page, holds=False) for page in self._rows.wanted()]
        return [*pages, *self._ask_unconfirmed()]

    def key(self, key: str) -> list[Act]:
        """Move, open, filter, or start something."""
        if self._asking is not None:
            return self._filter_key(self._asking, key)
        if self._rows.key(key):
            return [self._fetch(page, holds=False) for page in self._rows.wanted()]
        if key == "enter":
            return self._with_selected(lambda row: Open(ChartPage(self.desk, row.patient)))
        match self.action(key):
            case "n":
                return [Open(RegisterPage(self.desk))]
            case "v":
                return self._with_selected(lambda row: Open(VitalsPage(self.desk, row)))
            case "t":
                return self._with_selected(lambda row: Open(TriagePage(self.desk, row)))
            case "/":
                field = Field("filter", "board.filter_label", chars_max=FILTER_CHARS_MAX)
                self._asking = FormCore((field,))
                self._asking.restore({"filter": self._filter})
                return []
            case "d":
                return [Open(DraftsPage(self.desk))]
            case "r":
                return [Open(ResultsPage(self.desk))]
            case "c" if self._unconfirmed:
                return [Open(UnconfirmedPage(self.desk))]
        return []

    def scan(self, scan: Scan) -> list[Act]:
        """Look the tag up."""
        return [Open(SearchPage(self.desk, scan.text))]

    @property
    def question(self) -> Hashable | None:
        """Which of the patients listed."""
        return None if self._asking is not None else self._listed

    def answers(self, item: str | Scan) -> bool:
        """Enter, `v` and `t` are about the selected patient."""
        return item == "enter" or (isinstance(item, str) and self.action(item) in ("v", "t"))

    def draw(self, size: Size) -> list[Line]:
        """Draw counts and rows."""
        words = self.desk.words
        wide = size.width >= WIDE_CELLS
        columns = [
            Column("", 1),
            Column(words("board.triage"), 11),
            Column(words("board.code"), 12),
            Column(words("board.age"), 8),
            Column(words("board.sex"), 8),
            Column(words("board.bed"), 6),
            Column(words("board.wait"), 7),
            *([Column(words("board.problem"), size.width - 86)] if wide else []),
            Column(words("board.name"), 0),
        ]
        alerts = self._alerts(size.width)
        room = Size(size.width, size.height - 1 - len(alerts))
        empty = words("board.none_found" if self._filter else "board.empty")
        if not self._came:
            empty = words("chart.loading")
        rows = draw_list(self._rows, columns, lambda row: self._cells(row, wide), room, empty)
        return [self._top(size.width), *alerts, *rows]

    def hints(self) -> list[Hint]:
        """Put the way into a chart first."""
        if self._asking is not None:
            return [Hint(self.desk.words("keys.enter"), self.desk.words("board.apply"))]
        words = self.desk.words
        return [
            Hint(words("keys.enter"), words("board.open")),
            # The lines that count what waits name their keys; without any those do nothing.
            *(Hint(f"{one.letter}/{one.digit}", words(one.word)) for one in self.actions[:-2]),
        ]

    def _alerts(self, width: int) -> list[Line]:
        """Return a line for results without a patient, and one for a tag on several patients."""
        waiting = self.desk.words.count("board.unassigned", self._unassigned)
        found = [line(" ", Span(cut(waiting, width - 2), "warn"))] if self._unassigned else []
        if self._unconfirmed:
            told = self.desk.words.count("board.unconfirmed_waits", self._unconfirmed)
            found.append(line(" ", Span(cut(told, width - 2), "warn")))
        if self._sealed:
            found.insert(0, line(" ", Span(cut(self.desk.words("board.sealed"), width - 2), "bad")))
        if self._restored_ms is not None:
            since = span_of(self.desk.words, max(self.desk.now_ms - self._restored_ms, 0))
            text = self.desk.words("board.restored", age=since)
            found.insert(0, line(" ", Span(cut(text, width - 2), "warn")))
        if not self._shared_tags:
            return found
        first = self._shared_tags[0]
        who = ", ".join(clean_text(code) for _, code in first.carriers)
        text = self.desk.words.count(
            "board.tag_shared", len(self._shared_tags), tag=clean_text(first.tag), who=who
        )
        return [line(" ", Span(cut(text, width - 2), "bad")), *found]

    def _top(self, width: int) -> Line:
        """Return the counts by triage, or the filter while it is typed."""
        words = self.desk.words
        if self._asking is not None:
            typed = self._asking.text(0)
            label = Span(f" {words('board.filter_label')} ", "label")
            return line(label, Span(typed, "open"), Span(" ", "cursor"))
        parts = [
            Span(
                words(f"count.{TRIAGE_WORDS[category]}", n=self._counts.get(str(category), 0)),
                TRIAGE_ROLES[category],
            )
            for category in (1, 2, 3, 4, 0)
        ]
        parts.append(Span(words("count.none", n=self._counts.get("none", 0))))
        if self._filter:
            parts.insert(0, Span(words("board.filtered", text=self._filter), "warn"))
        return draw_counts(parts, width)

    def _cells(self, row: BoardLine, wide: bool) -> list[Span]:
        words = self.desk.words
        since = row.waiting_since_ms
        wait = "-" if since is None else span_of(words, self.desk.now_ms - since)
        problem = [Span(clean_text(row.problem))] if wide else []
        return [
            Span("!" if _disputed(row) else "?" if row.standing else " ", "warn"),
            triage(words, row.triage),
            Span(clean_text(row.code)),
            Span(age(words, clean_text(row.age)) or "?"),
            Span(sex(words, row.sex)),
            Span(clean_text(row.bed) or "-"),
            Span(wait),
            *problem,
            _named(words, row),
        ]

    def _filter_key(self, asking: FormCore, key: str) -> list[Act]:
        if key == "escape":
            self._asking = None
            return []
        if not asking.key(key).save:
            return []
        self._filter, self._asking = asking.answer(0).text, None
        self._rows.clear()
        return [self._fetch(0, holds=True)]

    def _with_selected(self, then: _Then) -> list[Act]:
        """Act on the selected row, unless it just took the place of another."""
        row = self._rows.selected
        if row is None:
            return [Say(self.desk.words("board.nobody"), "warn", bell=True)]
        if self._rows.moved:
            self._rows.moved = False
            self._listed += 1
            return [Say(self.desk.words("board.moved"), "warn", bell=True)]
        return [then(row)]

    def _ask_unconfirmed(self) -> list[Act]:
        """Ask how much triage waits for a person, where one is here."""
        if not self.desk.greeting.person_id:
            self._unconfirmed = 0
            return []

        def came(found: Unconfirmed) -> list[Act]:
            self._unconfirmed = found.total
            return []

        return [Ask(lambda node: node.unconfirmed(0), came, _later, holds=False)]

    def _fetch(self, page: int, *, holds: bool) -> Ask:
        offset, text = page * PAGE_ROWS, self._filter

        def came(found: BoardPage) -> list[Act]:
            if text == self._filter:
                self._came = True
                self._listed += holds
                self._rows.take(page, found.lines, found.total)
                self._counts = found.counts
                self._shared_tags = found.shared_tags
                self._unassigned = found.unassigned
                self._sealed = found.sealed
                self._restored_ms = found.restored_ms
            return []

        failed = None if holds else _later
        return Ask(lambda node: node.board(offset, PAGE_ROWS, text), came, failed, holds=holds)


def _named(words: Catalogue, row: BoardLine) -> Span:
    """Return the name, and before it that nobody knows whose patient this is (SAFETY 25)."""
    if row.custody < CUSTODY_UNCLEAR:
        return Span(called(words, row), "title")
    return Span(f"{words('chart.custody_unclear')} {called(words, row)}", "bad")


def _disputed(row: BoardLine) -> bool:
    """Whether what two people wrote apart is still to be settled."""
    return bool(row.unsettled) or row.triage_open or row.tag_shared


def _later(_failure: FieldmeshError) -> list[Act]:
    """What is shown stays, and the header says that the node is away."""
    return []
