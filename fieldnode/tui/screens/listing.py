"""Pages that list rows of which one is marked: what is done is about the row that was seen.

A list changes while somebody looks at it. So a key about the marked row does nothing once another
row has taken its place: it says so, and whatever was typed ahead of that is dropped as well.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Awaitable, Hashable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Protocol, TypeVar

from fieldnode.tui.acts import Act, Ask, Say
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.fields import Field
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.list import PAGE_ROWS, ListCore
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint, Page
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import error
from protocols.errors import FieldmeshError

if TYPE_CHECKING:
    from fieldnode.client import Node

ENTER = "enter"
FILTER = "/"
"""Letter of the action that narrows a list of many pages."""
FILTER_CHARS_MAX = 40


GONE = frozenset({"not_found", "sealed_here", "other_team"})
"""Refusals after which nothing that is shown may stay: erased, or not for this device any more."""


class Portion(Protocol):
    """One page of a list of any length, as a node answers it."""

    @property
    def lines(self) -> Sequence[Any]:
        """The rows."""

    @property
    def total(self) -> int:
        """How many there are in all."""


Row = TypeVar("Row")
Found = TypeVar("Found")
Part = TypeVar("Part", bound=Portion)


class Listing(Page, ABC, Generic[Row]):
    """Rows, one of them marked. A page says what they are known by, and what its keys do."""

    about: ClassVar[tuple[str, ...]] = (ENTER,)
    """Keys that are about the marked row: `enter`, and letters of actions."""
    none_marked: ClassVar[str] = ""
    """Catalogue key of what such a key says where no row is marked; '' for nothing."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.rows: ListCore[Row] = ListCore(self.name_of)
        self._listed = 0
        """How often another list came in place of what was shown."""

    @abstractmethod
    def name_of(self, row: Row) -> str:
        """Return what a row is known by, wherever it stands."""

    @abstractmethod
    def cells(self, row: Row) -> list[Span]:
        """Return a row's cells."""

    def act(self, _key: str, _row: Row) -> list[Act]:
        """Do what a key of `about` means for the marked row."""
        return []

    def key(self, key: str) -> list[Act]:
        """Move the mark, or do something about the marked row."""
        if self.rows.key(key):
            return self.scrolled()
        struck = self._struck(key)
        if struck not in self.about:
            return super().key(key)
        if (row := self.rows.selected) is not None:
            return self.moved() or self.act(struck, row)
        none = self.none_marked
        return [Say(self.desk.words(none), "warn", bell=True)] if none else []

    def moved(self) -> list[Act]:
        """Say, once, that another row took the marked one's place; [] where none did."""
        if not self.rows.moved:
            return []
        self.rows.moved = False
        self._listed += 1
        return [Say(self.desk.words("board.moved"), "warn", bell=True)]

    def scrolled(self) -> list[Act]:
        """Ask for what came into sight."""
        return []

    @property
    def question(self) -> Hashable | None:
        """Which of the rows listed."""
        return self._listed if self.rows.total and self.about else None

    def answers(self, item: str | Scan) -> bool:
        """Whatever is about the marked row."""
        return isinstance(item, str) and self._struck(item) in self.about

    def table(self, columns: Sequence[Column], room: Size, empty: str) -> list[Line]:
        """Return titles and rows in exactly `room`; `empty` is the catalogue key of no rows."""
        return draw_list(self.rows, columns, self.cells, room, self.desk.words(empty))

    def _struck(self, key: str) -> str:
        return key if key == ENTER else self.action(key)


class Fetched(Listing[Row], Generic[Row, Found]):
    """A list that one answer of the node holds whole; fetched again when it may be another."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.found: Found | None = None
        """The last answer; None before the first."""
        self.gone = False
        """Whether the node said since that there is no such thing, or that it is not for us."""

    @abstractmethod
    def ask(self, node: Node) -> Awaitable[Found]:
        """Ask the node."""

    @abstractmethod
    def rows_of(self, found: Found) -> Sequence[Row]:
        """Return the rows of an answer."""

    def take(self, found: Found) -> None:
        """Hold an answer; the mark stays on its row."""
        self.found, self.gone = found, False
        self.rows.take_all(self.rows_of(found))

    def refused(self, failure: FieldmeshError) -> list[Act]:
        """Say why there is no list."""
        return [Say(error(self.desk.words, failure), "bad", bell=True)]

    def opened(self) -> list[Act]:
        """Fetch it; keys wait."""
        return [self.fetch(holds=True)]

    def resumed(self) -> list[Act]:
        """Fetch it again: what was done from here may show in it."""
        return [self.fetch(holds=True)]

    def changed(self) -> list[Act]:
        """Fetch it again; nobody waits, and where the node is away what is shown stays.

        What was erased meanwhile does not.
        """
        return [self.fetch(holds=False)]

    def fetch(self, *, holds: bool) -> Ask:
        """Return the call; a list that keys waited for is another one to choose from."""

        def came(found: Found) -> list[Act]:
            self.take(found)
            self._listed += holds
            return []

        def refused(failure: FieldmeshError) -> list[Act]:
            if failure.code in GONE:
                self.found, self.gone = None, True
                self.rows.take_all(())
            if holds:
                return self.refused(failure)
            said = error(self.desk.words, failure)
            return [Say(said, "bad", bell=True)] if failure.code in GONE else []

        return Ask(self.ask, came, refused, holds=holds)


class Paged(Listing[Row], Generic[Row, Part]):
    """A list of any length, asked for a page at a time, that a typed text narrows."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.filter = ""
        self._asking: FormCore | None = None
        """The filter while it is typed."""
        self.pages: dict[int, Part] = {}
        """As they came, for what they say beside their rows."""
        self.last: Part | None = None
        """The one that came last, of whatever was asked for."""

    @abstractmethod
    def ask(self, node: Node, offset: int) -> Awaitable[Part]:
        """Ask the node for `PAGE_ROWS` rows."""

    def take(self, page: int, found: Part) -> None:
        """Hold a page; the mark stays on its row. The first page begins anew."""
        self.rows.take(page, found.lines, found.total)
        self.pages = {**self.pages, page: found} if page else {0: found}
        self.last = found

    @property
    def asked(self) -> Hashable:
        """What is asked for: a page that comes for something else is dropped."""
        return self.filter

    @property
    def filtering(self) -> bool:
        """Whether the filter is being typed."""
        return self._asking is not None

    def opened(self) -> list[Act]:
        """Fetch the first page; keys wait for it."""
        return [self.fetch(0, holds=True)]

    def resumed(self) -> list[Act]:
        """Fetch again what is on the screen."""
        return self.changed()

    def changed(self) -> list[Act]:
        """Fetch again what is on the screen; the mark stays on its row, and nobody waits."""
        self.rows.changed()
        return self.scrolled()

    def scrolled(self) -> list[Act]:
        """Ask for the pages in sight that are missing or out of date."""
        return [self.fetch(page, holds=False) for page in self.rows.wanted()]

    def anew(self) -> list[Act]:
        """Fetch another list; nothing stays marked by its place alone."""
        self.rows.clear()
        self.pages = {}
        return [self.fetch(0, holds=True)]

    def key(self, key: str) -> list[Act]:
        """Type the filter, or begin to; else as every list."""
        if self._asking is not None:
            return self._filter_key(self._asking, key)
        if self.action(key) != FILTER:
            return super().key(key)
        field = Field("filter", "board.filter_label", chars_max=FILTER_CHARS_MAX)
        self._asking = FormCore((field,))
        self._asking.restore({"filter": self.filter})
        return []

    @property
    def question(self) -> Hashable | None:
        """Which of the rows listed; while the filter is typed, none."""
        return None if self.filtering else super().question

    @property
    def closes(self) -> bool:
        """Whether a filter is typed: Escape leaves it, and the page stays."""
        return self.filtering

    def hints(self) -> list[Hint]:
        """What can be done; the filter's own while it is typed."""
        if self.filtering:
            return [Hint(self.desk.words("keys.enter"), self.desk.words("board.apply"))]
        return super().hints()

    def typed(self) -> Line:
        """Return the filter as it is typed; () where none is."""
        if self._asking is None:
            return ()
        label = Span(f" {self.desk.words('board.filter_label')} ", "label")
        return line(label, Span(self._asking.text(0), "open"), Span(" ", "cursor"))

    def fetch(self, page: int, *, holds: bool) -> Ask:
        """Return the call for a page; one that keys waited for is another list to choose from."""
        asked, offset = self.asked, page * PAGE_ROWS

        def came(found: Part) -> list[Act]:
            if asked == self.asked:
                self._listed += holds
                self.take(page, found)
            return []

        return Ask(lambda node: self.ask(node, offset), came, holds=holds)

    def _filter_key(self, asking: FormCore, key: str) -> list[Act]:
        if key == "escape":
            self._asking = None
            return []
        if not asking.key(key).save:
            return []
        self.filter, self._asking = asking.answer(0).text, None
        return self.anew()
