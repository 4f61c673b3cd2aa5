"""A returning child without its card: found by a name as it was heard, and the age."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.child_age import ChildAge
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.fields import Answer, Field
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint
from fieldnode.tui.screens.candidates import why_alike
from fieldnode.tui.screens.fields_page import FieldsPage
from fieldnode.tui.screens.listing import ENTER, Listing
from fieldnode.tui.widgets.list_view import Column
from fieldnode.tui.wording import age, name, sex
from protocols.live.alike import Alike, AlikeLine
from protocols.live.api import BoardLine
from protocols.records.display import clean_text

Chosen = Callable[[BoardLine], list[Act]]
UNKNOWN_SEX = 9


class FindChildPage(FieldsPage):
    """Name and age; Enter looks for whoever is like that."""

    name: ClassVar[str] = "drive_find"
    title: ClassVar[str] = "drive_find.title"

    def __init__(self, desk: Desk, chosen: Chosen) -> None:
        fields = (
            Field("name", "drive.name", required=True),
            ChildAge("age", "drive.age", hint="drive.age_hint"),
        )
        super().__init__(desk, fields)
        self._chosen = chosen

    def explained(self) -> str:
        """Say that spelling does not matter much."""
        return self.desk.words("drive_find.explained")

    def done(self, answers: dict[str, Answer]) -> list[Act]:
        """Show who is like that."""
        known = {"age": answers["age"].text} if "age" in answers else {}
        names = (answers["name"].text,)

        def came(found: Alike) -> list[Act]:
            if not found.lines:
                return [Say(self.desk.words("candidates.none"), "warn", bell=True)]
            return [Open(FoundChildPage(self.desk, found.lines, self._chosen))]

        return [Ask(lambda node: node.alike(names, UNKNOWN_SEX, **known), came)]


class FoundChildPage(Listing[AlikeLine]):
    """Who it may be; Enter goes on with the marked one."""

    name: ClassVar[str] = "drive_found"

    def __init__(self, desk: Desk, found: Sequence[AlikeLine], chosen: Chosen) -> None:
        super().__init__(desk)
        self.rows.take_all(found)
        self._chosen = chosen

    def name_of(self, row: AlikeLine) -> str:
        """The patient's id."""
        return row.head.patient

    def act(self, key: str, row: AlikeLine) -> list[Act]:
        """It is this child."""
        return self._chosen(row.head) if key == ENTER else []

    def cells(self, row: AlikeLine) -> list[Span]:
        """Return who it is, and why it may be."""
        words, head = self.desk.words, row.head
        return [
            Span(clean_text(head.tag or head.code)),
            Span(age(words, clean_text(head.age)) or "?"),
            Span(sex(words, head.sex)),
            Span(name(words, head.name), "title"),
            Span(why_alike(words, row.reasons), "dim"),
        ]

    def draw(self, size: Size) -> list[Line]:
        """Draw a row for each."""
        words = self.desk.words
        columns = (
            Column(words("drive.card"), 14),
            Column(words("board.age"), 8),
            Column(words("board.sex"), 8),
            Column(words("board.name"), 24),
            Column("", 0),
        )
        title = line(" ", Span(words("drive_find.which"), "title"))
        return [
            title,
            (),
            *self.table(columns, Size(size.width, size.height - 2), "candidates.none"),
        ]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        return [Hint(self.desk.words("keys.enter"), self.desk.words("carriers.this_one"))]
