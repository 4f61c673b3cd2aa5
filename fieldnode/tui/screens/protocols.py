"""PROTOCOLS: the guidelines for one patient, each with its version and who approved it."""

from __future__ import annotations

from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, cut, line, wrap
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint, Page
from fieldnode.tui.screens.glass import asked_first
from fieldnode.tui.screens.protocol import ProtocolPage
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import clock, error, identity
from protocols.errors import FieldmeshError
from protocols.guidelines.words import word
from protocols.live.api import BoardLine
from protocols.live.guidance import GuidelineLine, GuidelineList
from protocols.records.display import clean_text

DETAIL_ROWS = 4
"""Rows at the bottom for the whole of the selected guideline."""
NAME_CELLS = 32
VERSION_CELLS = 10
SINCE_CELLS = 12


class ProtocolsPage(Page):
    """What was begun first, then what is for this patient, then the rest."""

    name: ClassVar[str] = "protocols"

    def __init__(self, desk: Desk, head: BoardLine) -> None:
        super().__init__(desk)
        self.head = head
        self._rows: ListCore[GuidelineLine] = ListCore(lambda row: row.name)
        self._came = False

    def opened(self) -> list[Act]:
        """Fetch them; keys wait."""
        return [self._fetch(holds=True)]

    def resumed(self) -> list[Act]:
        """Fetch them again: one may have been begun."""
        return [self._fetch(holds=True)]

    def changed(self) -> list[Act]:
        """Fetch them again; the selection stays on its line."""
        return [self._fetch(holds=False)]

    def key(self, key: str) -> list[Act]:
        """Move, or open one by Enter."""
        if self._rows.key(key):
            return []
        chosen = self._rows.selected
        if key == "enter" and chosen is not None:
            return [Open(ProtocolPage(self.desk, self.head, chosen.name))]
        return super().key(key)

    def draw(self, size: Size) -> list[Line]:
        """Draw who it is for, the list, and where the selected one comes from."""
        words = self.desk.words
        title = line(" ", Span(words("protocols.title"), "title"))
        columns = (
            Column(words("protocols.name"), NAME_CELLS),
            Column(words("protocols.version"), VERSION_CELLS),
            Column(words("protocols.since"), SINCE_CELLS),
            Column(words("protocols.approval"), 0),
        )
        empty = words("protocols.none" if self._came else "chart.loading")
        room = Size(size.width, size.height - 2 - DETAIL_ROWS)
        rows = draw_list(self._rows, columns, self._cells, room, empty)
        return [identity(words, self.head), title, *rows, *self._details(size.width)]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(words("keys.enter"), words("protocols.open"))]

    def _fetch(self, *, holds: bool) -> Ask:
        patient = self.head.patient

        def came(told: GuidelineList) -> list[Act]:
            self._came = True
            self._rows.take_all(told.lines)
            return []

        def refused(failure: FieldmeshError) -> list[Act]:
            asked = asked_first(self.desk, patient, failure)
            said = Say(error(self.desk.words, failure), "bad", bell=True)
            return [said] if asked is None else [asked]

        failed = refused if holds else None
        return Ask(lambda node: node.guidelines(patient), came, failed, holds=holds)

    def _cells(self, row: GuidelineLine) -> list[Span]:
        desk = self.desk
        since = "" if row.begun_ms is None else clock(row.begun_ms, desk.now_ms, desk.zone)
        role = "plain" if row.offered or row.begun_ms is not None else "dim"
        more = f" +{row.others}" if row.others else ""
        return [
            Span(clean_text(word(row.words, desk.words.languages).text), role),
            Span(clean_text(f"{row.version}{more}"), role),
            Span(since, role),
            self._approval(row),
        ]

    def _approval(self, row: GuidelineLine) -> Span:
        words = self.desk.words
        if not row.offered and row.begun_ms is None:
            return Span(words("protocols.not_for"), "dim")
        if row.approved_by:
            return Span(words("protocols.approved"), "good")
        return Span(words("protocols.not_approved"), "bad")

    def _details(self, width: int) -> list[Line]:
        row = self._rows.selected
        if row is None:
            return []
        words = self.desk.words
        org = clean_text(row.org) or words("protocols.shipped")
        by = clean_text(row.approved_by) or words("protocols.not_approved")
        said = words("protocols.source", source=clean_text(row.source))
        memory = [line(" ", Span(words("guide.memory"), "bad"))] if row.status == "memory" else []
        about = words("protocols.about", version=clean_text(row.version), org=org, by=by)
        return [
            line(" ", Span(cut(about, width - 2), "plain" if row.approved_by else "bad")),
            *memory,
            *(line(" ", Span(part, "dim")) for part in wrap(said, width - 2)),
        ][:DETAIL_ROWS]
