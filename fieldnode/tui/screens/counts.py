"""How many encounters there are, law by law; of another law nothing below five is told."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import ClassVar, NamedTuple

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.acts import Act, Ask
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Page
from fieldnode.tui.screens.belonging import coded, wrapped
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import value_text
from protocols.live.crossing import CountLine
from protocols.records.display import clean_text

FEW = "<5"
"""Stands for whatever is left out: below five, or from which one below five could be worked out."""


class Row(NamedTuple):
    """One number, or the line above several."""

    id: str
    by: str
    value: str
    number: str
    role: str


class CountsPage(Page):
    """One block a law: the total, then each property by itself."""

    name: ClassVar[str] = "counts"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._rows: ListCore[Row] = ListCore(lambda row: row.id)
        self._came = False

    def opened(self) -> list[Act]:
        """Fetch them; keys wait."""
        return [self._fetch(holds=True)]

    def resumed(self) -> list[Act]:
        """Fetch them again."""
        return self.changed()

    def changed(self) -> list[Act]:
        """Fetch them again."""
        return [self._fetch(holds=False)]

    def key(self, key: str) -> list[Act]:
        """Move among them."""
        return [] if self._rows.key(key) else super().key(key)

    def draw(self, size: Size) -> list[Line]:
        """Draw the numbers, and what is left out."""
        words = self.desk.words
        columns = (
            Column(words("counts.by"), 18),
            Column(words("counts.value"), 40),
            Column(words("counts.count"), 0),
        )
        title = line(" ", Span(words("counts.title"), "title"))
        how = wrapped(words("counts.few", few=FEW), size, "dim", most=3)
        room = Size(size.width, size.height - 2 - len(how))
        empty = words("counts.none" if self._came else "chart.loading")
        return [title, *draw_list(self._rows, columns, _cells, room, empty), (), *how]

    def _fetch(self, *, holds: bool) -> Ask:
        def came(found: list[CountLine]) -> list[Act]:
            self._came = True
            self._rows.take_all(list(_rows(self.desk, found)))
            return []

        return Ask(lambda node: node.counts(), came, holds=holds)


def _rows(desk: Desk, found: Sequence[CountLine]) -> Iterator[Row]:
    words = desk.words
    for law in found:
        named = clean_text(law.jurisdiction) or words("counts.no_law")
        said = words("counts.home" if law.home else "counts.away", law=named)
        yield Row(law.jurisdiction, said, "", _shown(law.total), "title")
        for name, values in law.by.items():
            by = coded(words, "counted_by", name)
            if values is None:
                untold = words("counts.untold")
                yield Row(f"{law.jurisdiction} {name}", by, untold, FEW, "dim")
            for value, count in values or ():
                shown = _said(words, value)
                place = f"{law.jurisdiction} {name} {value}"
                yield Row(place, by, shown, _shown(count), "dim" if count is None else "plain")
                by = ""


def _said(words: Catalogue, value: str) -> str:
    key = f"counted.{value}"
    return words(key) if words.has(key) else value_text(words, value)


def _shown(count: int | None) -> str:
    return FEW if count is None else str(count)


def _cells(row: Row) -> list[Span]:
    return [
        Span(row.by, "title" if row.role == "title" else "label"),
        Span(row.value),
        Span(row.number, row.role),
    ]
