"""The ward board: everybody in care, the most urgent first. The terminal's home."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import ClassVar

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui import watching
from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.alerting import CUSTODY_UNCLEAR, alerts_of, newest
from fieldnode.tui.cores.display import Line, Size, Span, between, cells, cut, line
from fieldnode.tui.cores.fields import Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.list import PAGE_ROWS, ListCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint, Page
from fieldnode.tui.screens.alerts import alert_text
from fieldnode.tui.screens.beds import BedsPage
from fieldnode.tui.screens.belonging import came_from, marked
from fieldnode.tui.screens.chart import ChartPage
from fieldnode.tui.screens.drafts import DraftsPage
from fieldnode.tui.screens.printing import PrintPage
from fieldnode.tui.screens.register import RegisterPage
from fieldnode.tui.screens.results import ResultsPage
from fieldnode.tui.screens.search import SearchPage
from fieldnode.tui.screens.triage import TriagePage
from fieldnode.tui.screens.unconfirmed import UnconfirmedPage
from fieldnode.tui.screens.vitals import VitalsPage
from fieldnode.tui.widgets.list_view import Column, draw_counts, draw_list
from fieldnode.tui.wording import (
    CUSTODY,
    TRIAGE_ROLES,
    TRIAGE_WORDS,
    age,
    called,
    clock,
    sex,
    span_of,
    triage,
)
from protocols.errors import FieldmeshError
from protocols.live.api import BoardLine, BoardPage, SharedTag, Unconfirmed
from protocols.records.display import clean_text

WIDE_CELLS = 110
"""From this width on the problem has a column too."""

ORDERS = {
    "triage": "board.by.triage",
    "score": "board.by.score",
    "wait": "board.by.wait",
    "due": "board.by.due",
}
SORTS = tuple(ORDERS)
"""One key goes round them."""

HINTED = "nvtbs/d"
"""What the action bar names, as far as there is room; lines that count what waits name theirs."""
HINT_CELLS = 79

ROOMY_ROWS = 14
"""From this height on the marked patient and the newest alert have a row each."""

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
        Action("s", "8", "board.sort"),
        Action("b", "9", "board.beds"),
        Action("p", "0", "board.print"),
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
        self._sort = SORTS[0]
        self._ward = ""
        """Only who lies there; '' for all."""
        self._wards: tuple[str, ...] = ()
        self._limited = False
        self._signed = True
        self._pages: dict[int, BoardPage] = {}
        """As they came, for the newest alert."""
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
        if key in ("left", "right"):
            return self._other_ward(1 if key == "right" else -1)
        if key == "enter":
            return self._with_selected(lambda row: Open(ChartPage(self.desk, row.patient)))
        return self._begin(self.action(key))

    def _begin(self, action: str) -> list[Act]:
        """Start what a letter stands for."""
        match action:
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
            case "s":
                self._sort = SORTS[(SORTS.index(self._sort) + 1) % len(SORTS)]
                return self._anew()
            case "b":
                return self._with_selected(lambda row: Open(BedsPage(self.desk, row)))
            case "p":
                return [Open(PrintPage(self.desk, self._rows.selected))]
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
        """Enter, `v`, `t` and `b` are about the selected patient."""
        return item == "enter" or (isinstance(item, str) and self.action(item) in tuple("vtbp"))

    def draw(self, size: Size) -> list[Line]:
        """Draw counts and rows."""
        words = self.desk.words
        wide = size.width >= WIDE_CELLS
        alerts = self._alerts(size.width)
        below = self._below(size)
        room = Size(size.width, size.height - 2 - len(alerts) - len(below))
        empty = words("board.none_found" if self._filter or self._ward else "board.empty")
        if not self._came:
            empty = words("chart.loading")
        columns = _columns(words, size.width, wide=wide)
        rows = draw_list(self._rows, columns, lambda row: self._cells(row, wide), room, empty)
        return [self._top(size.width), self._order(size.width), *alerts, *rows, *below]

    def hints(self) -> list[Hint]:
        """Put the way into a chart first; help has those for which 80 columns have no room."""
        words = self.desk.words
        if self._asking is not None:
            return [Hint(words("keys.enter"), words("board.apply"))]
        shown = [Hint(words("keys.enter"), words("board.open"))]
        by_letter = {one.letter: one for one in self.actions}
        for letter in HINTED:
            one = by_letter[letter]
            shown.append(Hint(f"{one.letter}/{one.digit}", words(one.word)))
            if sum(cells(f"  {hint.keys} {hint.word}") for hint in shown) > HINT_CELLS:
                return shown[:-1]
        return shown

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

    def _order(self, width: int) -> Line:
        """Say in which order, of which ward, and that nobody has signed what is scored by."""
        words = self.desk.words
        said = [Span(words("board.ordered", how=words(ORDERS[self._sort])), "label")]
        if self._ward:
            ward = words("board.in_ward", ward=clean_text(self._ward))
            said.append(Span(cut(ward, width // 3), "warn"))
        if self._limited:
            said.append(Span(words("board.limited", n=self._rows.total), "warn"))
        if not self._signed:
            said.append(Span(words("board.not_approved"), "bad"))
        return draw_counts(said, width)

    def _below(self, size: Size) -> list[Line]:
        """Return the marked patient in full, and the newest alert."""
        if size.height < ROOMY_ROWS:
            return []
        row, words = self._rows.selected, self.desk.words
        detail: Line = ()
        if row is not None:
            isolation = words(f"isolation.{row.isolation}") if watching.isolated(row) else ""
            role = "bad" if isolation else "plain"
            from_org = came_from(self.desk, row, "board.released")
            parts = (from_org, isolation, _place(row), sex(words, row.sex), clean_text(row.problem))
            known = (called(words, row), _custody(words, row), *parts)
            shown = "   ".join(part for part in known if part)
            detail = line(" ", Span(cut(shown, size.width - 2), role))
        return [detail, self._newest(size.width)]

    def _newest(self, width: int) -> Line:
        """Return what changed last of what somebody has to look at; F6 has all of it."""
        desk = self.desk
        found = [one for page in self._pages.values() for one in alerts_of(page, desk.now_ms)]
        last = newest(found)
        if last is None or last.head is None:
            return ()
        at = clock(last.at_ms, desk.now_ms, desk.zone)
        who = clean_text(last.head.tag or last.head.code)
        said = f"! {at} {who} {alert_text(desk, last)}"
        counted = desk.words("board.alerts", n=len(found))
        count = Span(f"F6 {counted} ", "warn")
        return between(line(" ", Span(cut(said, width - 20), "bad")), line(count), width)

    def _cells(self, row: BoardLine, wide: bool) -> list[Span]:
        words, now_ms = self.desk.words, self.desk.now_ms
        since = row.waiting_since_ms
        wait = "-" if since is None else span_of(words, now_ms - since)
        doubt = "!" if _disputed(row) else "?" if row.standing else " "
        return [
            Span(doubt + ("I" if watching.isolated(row) else " "), "warn"),
            triage(words, row.triage),
            watching.score(row),
            Span(clean_text(row.bed) or "-", "bad" if row.bed_shared else "plain"),
            Span(wait),
            watching.due(words, row, now_ms),
            Span(clean_text(row.tag) or clean_text(row.code)),
            Span(age(words, clean_text(row.age)) or "?"),
            Span(sex(words, row.sex)),
            *([Span(clean_text(row.problem))] if wide else []),
            _named(words, row),
        ]

    def _other_ward(self, step: int) -> list[Act]:
        """Show the next ward, or all of them again after the last."""
        wards = ("", *self._wards)
        if len(wards) < 2:
            return [Say(self.desk.words("board.no_wards"), "plain")]
        here = wards.index(self._ward) if self._ward in wards else 0
        self._ward = wards[(here + step) % len(wards)]
        return self._anew()

    def _anew(self) -> list[Act]:
        """Fetch another order or ward; nobody stays marked by their place alone."""
        self._rows.clear()
        self._pages.clear()
        self._came = False
        return [self._fetch(0, holds=True)]

    def _filter_key(self, asking: FormCore, key: str) -> list[Act]:
        if key == "escape":
            self._asking = None
            return []
        if not asking.key(key).save:
            return []
        self._filter, self._asking = asking.answer(0).text, None
        return self._anew()

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
        offset, asked = page * PAGE_ROWS, (self._filter, self._sort, self._ward)

        def came(found: BoardPage) -> list[Act]:
            if asked == (self._filter, self._sort, self._ward):
                self._came = True
                self._listed += holds
                self._rows.take(page, found.lines, found.total)
                self._counts = found.counts
                self._shared_tags = found.shared_tags
                self._unassigned = found.unassigned
                self._sealed = found.sealed
                self._restored_ms = found.restored_ms
                self._wards, self._limited = found.wards or self._wards, found.limited
                self._signed = found.signed
                self._pages = {**self._pages, page: found} if page else {0: found}
            return []

        failed = None if holds else _later
        return Ask(lambda node: node.board(offset, PAGE_ROWS, *asked), came, failed, holds=holds)


def _columns(words: Catalogue, width: int, *, wide: bool) -> list[Column]:
    """Return the columns for a width; the name is last, so a width fault moves nothing else."""
    return [
        Column("", 2),
        Column(words("board.triage"), 11 if wide else 9),
        Column(words("board.score"), 5),
        Column(words("board.bed"), 7 if wide else 5),
        Column(words("board.wait"), 6),
        Column(words("board.due"), 8),
        Column(words("board.tag"), 12 if wide else 11),
        Column(words("board.age"), 7),
        Column(words("board.sex"), 8 if wide else 6),
        *([Column(words("board.problem"), width - 90)] if wide else []),
        Column(words("board.name"), 0),
    ]


def _place(row: BoardLine) -> str:
    return " ".join(clean_text(part) for part in (row.ward, row.bed) if part)


def _named(words: Catalogue, row: BoardLine) -> Span:
    """Return the name, and before it that nobody knows whose patient this is (SAFETY 25)."""
    if row.custody < CUSTODY_UNCLEAR:
        return Span(marked(words, row, called(words, row)), "title")
    return Span(f"{words('chart.custody_unclear')} {called(words, row)}", "bad")


def _custody(words: Catalogue, row: BoardLine) -> str:
    """Return that the patient is offered, who took over, or that it is unclear; '' for neither."""
    if not 0 < row.custody < len(CUSTODY):
        return ""
    return words(CUSTODY[row.custody], keeper=clean_text(row.keeper))


def _disputed(row: BoardLine) -> bool:
    """Whether what two people wrote apart is still to be settled."""
    return bool(row.unsettled) or row.triage_open or row.tag_shared or row.bed_shared


def _later(_failure: FieldmeshError) -> list[Act]:
    """What is shown stays, and the header says that the node is away."""
    return []
