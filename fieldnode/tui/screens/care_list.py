"""What pages about a patient's care share: one answer of the node, a list, forms opened from it."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Awaitable, Callable
from typing import ClassVar, Generic, Protocol, TypeVar

from fieldnode.client import Node
from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, cut, line
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Page
from fieldnode.tui.screens.glass import asked_first
from fieldnode.tui.screens.listing import Fetched
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import clock, error, identity, safety_line
from protocols.errors import FieldmeshError
from protocols.live.api import BoardLine
from protocols.live.bedside import Care


class Statement(Protocol):
    """What somebody said of a patient."""

    @property
    def fact(self) -> str:
        """The fact."""

    @property
    def at_ms(self) -> int:
        """When, Unix milliseconds."""

    @property
    def author(self) -> str:
        """By whom."""

    @property
    def unsettled(self) -> bool:
        """Whether people differ about it."""

    @property
    def remark(self) -> str:
        """What else was written."""


Row = TypeVar("Row")
Said = TypeVar("Said", bound=Statement)


def with_care(desk: Desk, patient: str, go_on: Callable[[Care], list[Act]]) -> Ask:
    """Ask for a patient's care and go on with it; of another team a reason is asked for first."""

    def refused(failure: FieldmeshError) -> list[Act]:
        return _refused(desk, patient, failure)

    return Ask(lambda node: node.care(patient), go_on, refused)


class CareList(Fetched[Row, Care], Generic[Row]):
    """A list out of a patient's care; what an action is about is `self.care`."""

    title: ClassVar[str] = ""
    """Catalogue key."""
    empty: ClassVar[str] = ""
    """Catalogue key of what is said where there is nothing."""
    none_marked: ClassVar[str] = "care.none_marked"
    detail_rows: ClassVar[int] = 3

    def __init__(self, desk: Desk, head: BoardLine) -> None:
        super().__init__(desk)
        self.head = head

    @abstractmethod
    def columns(self) -> tuple[Column, ...]:
        """Return the columns."""

    @abstractmethod
    def details(self, row: Row, width: int) -> list[Line]:
        """Return all that is to say of the marked row."""

    @abstractmethod
    def begin(self, letter: str) -> list[Act]:
        """Do what an action asks for that is about none of the rows."""

    @property
    def care(self) -> Care:
        """What was answered; actions wait for it."""
        assert self.found is not None
        return self.found

    def ask(self, node: Node) -> Awaitable[Care]:
        """Ask for the patient's care."""
        return node.care(self.head.patient)

    def take(self, found: Care) -> None:
        """Hold it, with who it is about."""
        super().take(found)
        self.head = found.head

    def refused(self, failure: FieldmeshError) -> list[Act]:
        """Of another team's patient a reason is asked for first."""
        return _refused(self.desk, self.head.patient, failure)

    def key(self, key: str) -> list[Act]:
        """Move the mark, or do something."""
        letter = self.action(key)
        if not letter:
            return super().key(key)
        if self.found is None:
            return []
        return super().key(key) if letter in self.about else self.begin(letter)

    def draw(self, size: Size) -> list[Line]:
        """Draw who it is about, the list, and the marked row in full."""
        words = self.desk.words
        if self.gone:
            return [(), line(" ", Span(words("chart.gone"), "bad"))]
        top = [
            identity(words, self.head),
            safety_line(words, self.head, size.width),
            line(" ", Span(words(self.title), "title")),
        ]
        chosen = self.rows.selected
        below = [] if chosen is None else self.details(chosen, size.width)[: self.detail_rows]
        below += [()] * (self.detail_rows - len(below))
        said = self.empty if self.found is not None else "chart.loading"
        room = Size(size.width, size.height - len(top) - len(below))
        return [*top, *self.table(self.columns(), room, said), *below]


class SaidList(CareList[Said], Generic[Said]):
    """A list of what people said of a patient."""

    def name_of(self, row: Said) -> str:
        """Return the fact."""
        return row.fact

    def details(self, row: Said, width: int) -> list[Line]:
        """Return who said so and when, and what else was written."""
        desk, words = self.desk, self.desk.words
        at = clock(row.at_ms, desk.now_ms, desk.zone)
        said = [words("care.said", by=row.author, at=at)]
        if row.unsettled:
            said.append(words("care.unsettled"))
        rows = [line(" ", Span(cut("  ".join(said), width - 2), "dim"))]
        return [*rows, line(" ", Span(cut(row.remark, width - 2)))] if row.remark else rows


def open_form(desk: Desk, patient: str, make: Callable[[Care], Page]) -> Ask:
    """Ask for a patient's care, then open a form that begins from it."""
    return with_care(desk, patient, lambda care: [Open(make(care))])


def _refused(desk: Desk, patient: str, failure: FieldmeshError) -> list[Act]:
    asked = asked_first(desk, patient, failure)
    return [Say(error(desk.words, failure), "bad", bell=True) if asked is None else asked]
