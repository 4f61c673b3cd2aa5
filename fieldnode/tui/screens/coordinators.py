"""How old what is known of each coordinator is: what was sealed since may not have come."""

from __future__ import annotations

from typing import ClassVar

from fieldnode.tui.acts import Act, Ask
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.list import ListCore
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Page
from fieldnode.tui.screens.belonging import (
    coded,
    fingerprint_lines,
    heard,
    shown_name,
    wrapped,
)
from fieldnode.tui.widgets.list_view import Column, draw_list
from fieldnode.tui.wording import clock
from protocols.live.belonging import Belonging, CoordinatorLine
from protocols.records.display import clean_text

WHOLE_ROWS = 7


class CoordinatorsPage(Page):
    """One row for each key that certifies and seals."""

    name: ClassVar[str] = "coordinators"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._rows: ListCore[CoordinatorLine] = ListCore(lambda row: row.id)
        self._known: Belonging | None = None

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
        """Draw when each was heard of, and the organisation of the selected one."""
        words, known = self.desk.words, self._known
        if known is None:
            return [line(" ", Span(words("chart.loading"), "dim"))]
        columns = (
            Column(words("age_of.control"), 18),
            Column(words("age_of.known"), 18),
            Column(words("age_of.link"), 12),
            Column(words("roster.rank"), 12),
            Column(words("roster.name"), 0),
        )
        title = line(" ", Span(words("age_of.title"), "title"))
        top = [title, *wrapped(words("age_of.explained"), size, "dim", most=3), ()]
        room = Size(size.width, size.height - len(top) - WHOLE_ROWS)
        drawn = draw_list(self._rows, columns, self._cells, room, words("age_of.none"))
        return [*top, *drawn, *self._whole(known, size)]

    def _fetch(self, *, holds: bool) -> Ask:
        def came(known: Belonging) -> list[Act]:
            self._known = known
            self._rows.take_all(known.coordinators)
            return []

        return Ask(lambda node: node.belonging(), came, holds=holds)

    def _cells(self, row: CoordinatorLine) -> list[Span]:
        words = self.desk.words
        linked = Span(words("sync.linked"), "good") if row.linked else None
        last = clock(row.last_ms or None, self.desk.now_ms, self.desk.zone)
        here = Span(words("age_of.here"), "dim")
        name = shown_name(row.name, row.id)
        return [
            heard(self.desk, row.control_ms, short=True),
            heard(self.desk, row.known_ms, short=True),
            here if row.here else linked or Span(last),
            Span(coded(words, "rank", row.rank)),
            Span(f"! {name}" if row.sealed else name, "bad" if row.sealed else "title"),
        ]

    def _whole(self, known: Belonging, size: Size) -> list[Line]:
        """Return the organisation of the selected one with the fingerprint of its root."""
        words, row = self.desk.words, self._rows.selected
        org = next((each for each in known.orgs if row and each.name == row.org), None)
        if org is None or row is None:
            return [()] * WHOLE_ROWS
        why = coded(words, "seal_reason", row.sealed) if row.sealed else ""
        sealed = wrapped(words("roster.sealed", why=why), size, "bad") if why else []
        counts = words(
            "age_of.org",
            org=clean_text(org.name, 40),
            law=clean_text(org.jurisdiction) or "-",
            devices=org.devices,
            persons=org.persons,
            sealed=org.sealed,
        )
        lines = [
            *sealed,
            *wrapped(counts, size, "label", most=2),
            *fingerprint_lines(words, org.fingerprint, org.spoken, size),
        ]
        return [(), *lines[: WHOLE_ROWS - 1], *[()] * (WHOLE_ROWS - 1 - len(lines))]
