"""The ward board: everybody in care, the most urgent first. The terminal's home."""

from __future__ import annotations

from collections.abc import Awaitable, Hashable
from typing import ClassVar

from fieldnode.client import Node
from fieldnode.text.catalogue import Catalogue
from fieldnode.tui import watching
from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.alerting import CUSTODY_UNCLEAR, Alert, alerts_of, newest
from fieldnode.tui.cores.display import Line, Size, Span, between, cells, cut, line
from fieldnode.tui.cores.list import PAGE_ROWS
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint
from fieldnode.tui.screens.alerts import alert_text, seen_text
from fieldnode.tui.screens.beds import BedsPage
from fieldnode.tui.screens.belonging import came_from, marked
from fieldnode.tui.screens.chart import ChartPage
from fieldnode.tui.screens.drafts import DraftsPage
from fieldnode.tui.screens.listing import ENTER, FILTER, Paged
from fieldnode.tui.screens.printing import PrintPage
from fieldnode.tui.screens.register import RegisterPage
from fieldnode.tui.screens.results import ResultsPage
from fieldnode.tui.screens.search import SearchPage
from fieldnode.tui.screens.triage import TriagePage
from fieldnode.tui.screens.unconfirmed import UnconfirmedPage
from fieldnode.tui.screens.vitals import VitalsPage
from fieldnode.tui.widgets.list_view import Column, draw_counts
from fieldnode.tui.wording import (
    CUSTODY,
    TRIAGE_ROLES,
    TRIAGE_WORDS,
    age,
    called,
    clock,
    problem,
    sex,
    span_of,
    triage,
)
from protocols.live.api import BoardLine, BoardPage, Unconfirmed
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

ONLY_GAPS, ONLY_CELLS_MIN = 7, 12
"""Around the filter in its line, and what is shown of it at least."""

ROOMY_ROWS = 14
"""From this height on the marked patient and the newest alert have a row each."""

_NOTHING = BoardPage(0, 0, ())


class WardPage(Paged[BoardLine, BoardPage]):
    """The board."""

    name: ClassVar[str] = "board"
    actions = (
        Action("n", "1", "board.new"),
        Action("v", "2", "board.vitals"),
        Action("t", "7", "board.retriage"),
        Action(FILTER, "3", "board.filter"),
        Action("d", "4", "board.drafts"),
        Action("r", "5", "board.results"),
        Action("c", "6", "board.unconfirmed"),
        Action("s", "8", "board.sort"),
        Action("b", "9", "board.beds"),
        Action("p", "0", "board.print"),
    )
    about = (ENTER, "v", "t", "b", "p")
    none_marked: ClassVar[str] = "board.nobody"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._unconfirmed = 0
        """Triage that nobody identified wrote; asked for whoever is signed in."""
        self._sort = SORTS[0]
        self._ward = ""
        """Only who lies there; '' for all."""
        self._wards: tuple[str, ...] = ()
        self._wide = False
        self._everybody: dict[int, BoardPage] = {}
        """Pages that are looked through for what alerts: those that no filter narrows."""
        self._alerts_found: list[Alert] = []
        self._alerts_of: tuple[dict[int, BoardPage], int] | None = None
        """The pages that these are of, and the second in which they were looked through."""

    def name_of(self, row: BoardLine) -> str:
        """Return the patient."""
        return row.patient

    @property
    def asked(self) -> Hashable:
        """Whom the filter finds, in which order, of which ward."""
        return self.filter, self._sort, self._ward

    def ask(self, node: Node, offset: int) -> Awaitable[BoardPage]:
        """Ask for them."""
        return node.board(offset, PAGE_ROWS, self.filter, self._sort, self._ward)

    def take(self, page: int, found: BoardPage) -> None:
        """Hold a page, and which wards there are."""
        super().take(page, found)
        if not self.filter:
            self._everybody = self.pages
        self._wards = found.wards or self._wards

    def opened(self) -> list[Act]:
        """Fetch the first page; keys wait for it."""
        return [*super().opened(), *self._ask_everybody(), *self._ask_unconfirmed()]

    def changed(self) -> list[Act]:
        """Fetch again what is on the screen; the mark stays on its patient."""
        return [*super().changed(), *self._ask_everybody(), *self._ask_unconfirmed()]

    def anew(self) -> list[Act]:
        """Fetch another list; what alerts stays that of everybody."""
        return [*super().anew(), *self._ask_everybody()]

    def key(self, key: str) -> list[Act]:
        """Move, open, filter, or start something."""
        if self.filtering:
            return super().key(key)
        if key in ("left", "right"):
            return self._other_ward(1 if key == "right" else -1)
        action = self.action(key)
        if action == "p" and self.rows.selected is None:
            return [Open(PrintPage(self.desk, None))]
        return self._begin(action) or super().key(key)

    def act(self, key: str, row: BoardLine) -> list[Act]:
        """Open the marked patient's chart, or start something for them."""
        match key:
            case "v":
                return [Open(VitalsPage(self.desk, row))]
            case "t":
                return [Open(TriagePage(self.desk, row))]
            case "b":
                return [Open(BedsPage(self.desk, row))]
            case "p":
                return [Open(PrintPage(self.desk, row))]
        return [Open(ChartPage(self.desk, row.patient))]

    def _begin(self, action: str) -> list[Act]:
        """Start what a letter stands for that is about nobody yet."""
        match action:
            case "n":
                return [Open(RegisterPage(self.desk))]
            case "s":
                self._sort = SORTS[(SORTS.index(self._sort) + 1) % len(SORTS)]
                return self.anew()
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

    def draw(self, size: Size) -> list[Line]:
        """Draw counts and rows."""
        self._wide = size.width >= WIDE_CELLS
        alerts = self._alerts(size.width)
        below = self._below(size)
        room = Size(size.width, size.height - 2 - len(alerts) - len(below))
        empty = "board.none_found" if self.filter or self._ward else "board.empty"
        columns = _columns(self.desk.words, size.width, wide=self._wide)
        rows = self.table(columns, room, empty if self.pages else "chart.loading")
        return [self._top(size.width), self._order(size.width), *alerts, *rows, *below]

    def hints(self) -> list[Hint]:
        """Put the way into a chart first; help has those for which 80 columns have no room."""
        words = self.desk.words
        if self.filtering:
            return super().hints()
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
        last = self.last or _NOTHING
        waiting = self.desk.words.count("board.unassigned", last.unassigned)
        found = self._only(width)
        found += [line(" ", Span(cut(waiting, width - 2), "warn"))] if last.unassigned else []
        if self._unconfirmed:
            told = self.desk.words.count("board.unconfirmed_waits", self._unconfirmed)
            found.append(line(" ", Span(cut(told, width - 2), "warn")))
        if last.sealed:
            found.insert(0, line(" ", Span(cut(self.desk.words("board.sealed"), width - 2), "bad")))
        if last.restored_ms is not None:
            since = span_of(self.desk.words, max(self.desk.now_ms - last.restored_ms, 0))
            text = self.desk.words("board.restored", age=since)
            found.insert(0, line(" ", Span(cut(text, width - 2), "warn")))
        if not last.shared_tags:
            return found
        first = last.shared_tags[0]
        who = ", ".join(clean_text(code) for _, code in first.carriers)
        text = self.desk.words.count(
            "board.tag_shared", len(last.shared_tags), tag=clean_text(first.tag), who=who
        )
        return [line(" ", Span(cut(text, width - 2), "bad")), *found]

    def _top(self, width: int) -> Line:
        """Return the counts by triage, or the filter while it is typed."""
        words, counts = self.desk.words, (self.last or _NOTHING).counts
        if self.filtering:
            return self.typed()
        parts = [
            Span(
                words(f"count.{TRIAGE_WORDS[category]}", n=counts.get(str(category), 0)),
                TRIAGE_ROLES[category],
            )
            for category in (1, 2, 3, 4, 0)
        ]
        parts.append(Span(words("count.none", n=counts.get("none", 0))))
        return draw_counts(parts, width)

    def _only(self, width: int) -> list[Line]:
        """Say whom the filter lists, and that nothing else is narrowed by it; [] without one."""
        if not self.filter:
            return []
        words = self.desk.words
        rest = words("board.filtered_rest", n=self.rows.total)
        text = words("board.filtered", text=clean_text(self.filter))
        kept = cut(text, max(width - cells(rest) - ONLY_GAPS, ONLY_CELLS_MIN))
        return [draw_counts([Span(kept, "warn"), Span(rest, "label")], width)]

    def _order(self, width: int) -> Line:
        """Say in which order, of which ward, and that nobody has signed what is scored by."""
        words = self.desk.words
        said = [Span(words("board.ordered", how=words(ORDERS[self._sort])), "label")]
        if self._ward:
            ward = words("board.in_ward", ward=clean_text(self._ward))
            said.append(Span(cut(ward, width // 3), "warn"))
        if self.last and self.last.limited:
            said.append(Span(words("board.limited", n=self.rows.total), "warn"))
        pages = (self.last, *self._everybody.values()) if self.last else ()
        if not all(page.signed for page in pages):
            said.append(Span(words("board.not_approved"), "bad"))
        return draw_counts(said, width)

    def _below(self, size: Size) -> list[Line]:
        """Return the marked patient in full, and the newest alert."""
        if size.height < ROOMY_ROWS:
            return []
        row, words = self.rows.selected, self.desk.words
        detail: Line = ()
        if row is not None:
            isolation = words(f"isolation.{row.isolation}") if watching.isolated(row) else ""
            role = "bad" if isolation else "plain"
            from_org = came_from(self.desk, row, "board.released")
            parts = (
                from_org,
                isolation,
                _place(row),
                sex(words, row.sex),
                problem(words, row.problem),
            )
            known = (called(words, row), _stay(words, row), _custody(words, row), *parts)
            shown = "   ".join(part for part in known if part)
            # Columns show the tag alone, and some papers the code alone: told where there is room.
            coded = "   ".join((shown, clean_text(row.code) if row.tag else ""))
            shown = coded if cells(coded) <= size.width - 2 else shown
            detail = line(" ", Span(cut(shown.rstrip(), size.width - 2), role))
        return [detail, self._newest(size.width)]

    def _newest(self, width: int) -> Line:
        """Return what changed last of what somebody has to look at; F6 has all of it."""
        desk, found = self.desk, self._found_alerts()
        last = newest(found)
        if last is None or last.head is None:
            return ()
        at = clock(last.at_ms, desk.now_ms, desk.zone)
        who = clean_text(last.head.tag or last.head.code)
        said, role = f"! {at} {who} {alert_text(desk, last)}", "bad"
        if last.seen is not None:
            said, role = f"{at} {who} {seen_text(desk, last.seen)}: {alert_text(desk, last)}", "dim"
        counted = desk.words("board.alerts", n=len(found))
        count = Span(f"F6 {counted} ", "warn")
        return between(line(" ", Span(cut(said, width - 20), role)), line(count), width)

    def _found_alerts(self) -> list[Alert]:
        """Return what alerts of everybody, looked through once a second and not with every key."""
        asked = (self._everybody, self.desk.now_ms // 1_000)
        if asked != self._alerts_of:
            self._alerts_of = asked
            now_ms, pages = self.desk.now_ms, self._everybody.values()
            self._alerts_found = [one for page in pages for one in alerts_of(page, now_ms)]
        return self._alerts_found

    def cells(self, row: BoardLine) -> list[Span]:
        """Return what the columns of `_columns` say of one patient."""
        words, now_ms = self.desk.words, self.desk.now_ms
        since = row.waiting_since_ms if row.in_care else None
        out = Span(words("board.outside"), "dim")
        wait = "-" if since is None else span_of(words, now_ms - since)
        doubt = "!" if _disputed(row) else "?" if row.standing else " "
        return [
            Span(doubt + ("I" if watching.isolated(row) else " "), "warn"),
            triage(words, row.triage) if row.in_care else out,
            watching.score(row),
            Span(clean_text(row.bed) or "-", "bad" if row.bed_shared else "plain"),
            Span(wait),
            watching.due(words, row, now_ms),
            Span(clean_text(row.tag) or clean_text(row.code)),
            Span(age(words, clean_text(row.age)) or "?"),
            Span(sex(words, row.sex)),
            *([Span(problem(words, row.problem))] if self._wide else []),
            _named(words, row),
        ]

    def _other_ward(self, step: int) -> list[Act]:
        """Show the next ward, or all of them again after the last."""
        wards = ("", *self._wards)
        if len(wards) < 2:
            return [Say(self.desk.words("board.no_wards"), "plain")]
        here = wards.index(self._ward) if self._ward in wards else 0
        self._ward = wards[(here + step) % len(wards)]
        return self.anew()

    def _ask_everybody(self) -> list[Act]:
        """Ask for the first of everybody in care while a filter lists others: for what alerts."""
        if not self.filter:
            return []
        sort = self._sort

        def came(found: BoardPage) -> list[Act]:
            if self.filter:
                self._everybody = {0: found}
            return []

        return [Ask(lambda node: node.board(0, PAGE_ROWS, sort=sort), came, holds=False)]

    def _ask_unconfirmed(self) -> list[Act]:
        """Ask how much triage waits for a person, where one is here."""
        if not self.desk.greeting.person_id:
            self._unconfirmed = 0
            return []

        def came(found: Unconfirmed) -> list[Act]:
            self._unconfirmed = found.total
            return []

        return [Ask(lambda node: node.unconfirmed(0), came, holds=False)]


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


def _stay(words: Catalogue, row: BoardLine) -> str:
    """Return that somebody is not in care here; '' for everybody else."""
    return "" if row.in_care else words("board.not_in_care")


def _custody(words: Catalogue, row: BoardLine) -> str:
    """Return that the patient is offered, who took over, or that it is unclear; '' for neither."""
    if not 0 < row.custody < len(CUSTODY):
        return ""
    return words(CUSTODY[row.custody], keeper=clean_text(row.keeper))


def _disputed(row: BoardLine) -> bool:
    """Whether what two people wrote apart is still to be settled."""
    return bool(row.unsettled) or row.triage_open or row.tag_shared or row.bed_shared
