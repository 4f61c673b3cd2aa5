"""Rooms whose keys are on every screen and which are not built yet: they say so."""

from __future__ import annotations

from typing import ClassVar

from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.page import Page


class ToComePage(Page):
    """Says that the room is not there, and where to write meanwhile."""

    title: ClassVar[str] = ""
    """Catalogue key."""
    meanwhile: ClassVar[str] = ""
    """Catalogue key of what to do until then."""

    def draw(self, size: Size) -> list[Line]:
        """Draw both sentences."""
        words = self.desk.words
        said = (words("to_come.not_yet"), words(self.meanwhile))
        rows: list[Line] = [line(" ", Span(words(self.title), "title")), ()]
        for text, role in zip(said, ("warn", "plain"), strict=True):
            rows += [*(line("   ", Span(part, role)) for part in wrap(text, size.width - 6)), ()]
        return rows


class SuppliesPage(ToComePage):
    """F5."""

    name: ClassVar[str] = "supplies"
    title: ClassVar[str] = "to_come.supplies"
    meanwhile: ClassVar[str] = "to_come.supplies_meanwhile"
