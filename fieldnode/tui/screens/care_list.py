"""What pages about a patient's care share: one answer of the node, a list, forms opened from it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Hashable, Sequence
from typing import ClassVar, Generic, TypeVar

from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Page
from fieldnode.tui.screens.glass import asked_first
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import error, identity, safety_line
from protocols.errors import FieldmeshError
from protocols.live.api import BoardLine
from protocols.live.bedside import Care

Row = TypeVar("Row")


def with_care(desk: Desk, patient: str, go_on: Callable[[Care], list[Act]]) -> Ask:
    """Ask for a patient's care and go on with it; of another team a reason is asked for first."""

    def refused(failure: FieldmeshError) -> list[Act]:
        asked = asked_first(desk, patient, failure)
        said = Say(error(desk.words, failure), "bad", bell=True)
        return [said] if asked is None else [asked]

    return Ask(lambda node: node.care(patient), go_on, refused)


class CareList(Page, Generic[Row]):
    """A list out of a patient's care."""

    title: ClassVar[str] = ""
    """Catalogue key."""
    empty: ClassVar[str] = ""
    """Catalogue key of what is said where there is nothing."""
    about_marked: ClassVar[str] = ""
    """Letters of the actions that are about the marked row."""
    detail_rows: ClassVar[int] = 3

    def __init__(self, desk: Desk, head: BoardLine) -> None:
        super().__init__(desk)
        self.head = head
        self.care: Care | None = None
        self.rows: ListCore[Row] = ListCore(self.name_of)
        self._listed = 0

    @abstractmethod
    def name_of(self, row: Row) -> str:
        """Return what a row is known by."""

    @abstractmethod
    def rows_of(self, care: Care) -> Sequence[Row]:
        """Return what is listed."""

    @abstractmethod
    def columns(self) -> tuple[Column, ...]:
        """Return the columns."""

    @abstractmethod
    def cells(self, row: Row) -> list[Span]:
        """Return a row's cells."""

    @abstractmethod
    def details(self, row: Row, width: int) -> list[Line]:
        """Return all that is to say of the marked row."""

    @abstractmethod
    def act(self, letter: str, care: Care, row: Row | None) -> list[Act]:
        """Do what an action asks for."""

    def opened(self) -> list[Act]:
        """Fetch it; keys wait."""
        return [self._fetch(holds=True)]

    def resumed(self) -> list[Act]:
        """Fetch it again: what was just saved is in it."""
        return [self._fetch(holds=True)]

    def changed(self) -> list[Act]:
        """Fetch it again; the mark stays on its row."""
        return [self._fetch(holds=False)]

    def key(self, key: str) -> list[Act]:
        """Move the mark, or do something."""
        if self.rows.key(key):
            return []
        letter = self.action(key)
        if self.care is None or not letter:
            return super().key(key)
        row = self.rows.selected
        if letter in self.about_marked and row is None:
            return [Say(self.desk.words("care.none_marked"), "warn", bell=True)]
        if letter in self.about_marked and self.rows.moved:
            self.rows.moved = False
            self._listed += 1
            return [Say(self.desk.words("board.moved"), "warn", bell=True)]
        return self.act(letter, self.care, row)

    @property
    def question(self) -> Hashable | None:
        """Which of them; the first list is read before anything is done with one."""
        return self._listed if self.rows.total and self.about_marked else None

    def answers(self, item: str | Scan) -> bool:
        """What is about the marked row."""
        letter = self.action(item) if isinstance(item, str) else ""
        return bool(letter) and letter in self.about_marked

    def draw(self, size: Size) -> list[Line]:
        """Draw who it is about, the list, and the marked row in full."""
        words = self.desk.words
        top = [
            identity(words, self.head),
            safety_line(words, self.head, size.width),
            line(" ", Span(words(self.title), "title")),
        ]
        chosen = self.rows.selected
        below = [] if chosen is None else self.details(chosen, size.width)[: self.detail_rows]
        below += [()] * (self.detail_rows - len(below))
        said = words(self.empty) if self.care is not None else words("chart.loading")
        room = Size(size.width, size.height - len(top) - len(below))
        return [*top, *draw_list(self.rows, self.columns(), self.cells, room, said), *below]

    def _fetch(self, *, holds: bool) -> Ask:
        patient = self.head.patient

        def came(care: Care) -> list[Act]:
            self.care, self.head = care, care.head
            self.rows.take_all(self.rows_of(care))
            self._listed += holds
            return []

        if not holds:
            return Ask(lambda node: node.care(patient), came, lambda _: [], holds=False)
        return with_care(self.desk, patient, came)


def open_form(desk: Desk, patient: str, make: Callable[[Care], Page]) -> Ask:
    """Ask for a patient's care, then open a form that begins from it."""
    return with_care(desk, patient, lambda care: [Open(make(care))])
