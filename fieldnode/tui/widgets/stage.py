"""The one widget: it shows the lines it is given and sends a terminal only those that changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from fieldnode.tui.cores.display import Line, Picture, changed_cells, line_cells, picture

LINES_KEPT = 256
"""Lines kept as they were drawn, some ten screens of them, about 10 kB each. A list that goes on by
a row is lines that were drawn already, one row higher."""


class Stage(Widget, can_focus=False):
    """Lines of spans as the terminal's whole screen."""

    DEFAULT_CSS: ClassVar[str] = "Stage { width: 100%; height: 100%; }"

    def __init__(self, styles: Mapping[str, Style]) -> None:
        super().__init__()
        self._looks = styles
        self._lines: list[Line] = []
        self._letters: dict[str, str] = {}
        self._picture = lru_cache(LINES_KEPT)(self._pictured)
        self._strip = lru_cache(LINES_KEPT)(self._drawn)

    def restyle(self, styles: Mapping[str, Style]) -> None:
        """Draw everything in other colours."""
        self._looks = styles
        self._strip.cache_clear()
        self.refresh()

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines; equal ones cost nothing."""
        before, self._lines = self._lines, list(lines)
        if len(before) != len(self._lines):
            self.refresh()
            return
        width = self.size.width
        changed = []
        for y, (old, new) in enumerate(zip(before, self._lines, strict=True)):
            if old is not new and old != new:
                first, behind = changed_cells(self._picture(old), self._picture(new), width)
                if first < behind:
                    changed.append(Region(first, y, behind - first, 1))
        if changed:
            self.refresh(*changed)

    def render_lines(self, crop: Region) -> list[Strip]:
        """Return lines as the terminal draws them.

        A widget in general has borders, padding and opacity, and looks for each of them line by
        line; the stage has none.
        """
        ground, filters = self.background_colors[1], self.get_line_filters()
        strips = [self.render_line(y) for y in crop.line_range]
        for each in filters:
            strips = [strip.apply_filter(each, ground) for strip in strips]
        first, behind = crop.column_span
        return [strip.crop(first, behind) for strip in strips]

    def render_line(self, y: int) -> Strip:
        """Return one line as the terminal draws it."""
        if y >= len(self._lines):
            return Strip.blank(self.size.width, self._looks["plain"])
        width, plain = self.size.width, self._looks["plain"]
        return self._strip(self._lines[y]).adjust_cell_length(width, plain)

    def _pictured(self, spans: Line) -> Picture:
        return picture(spans, self._letters)

    def _drawn(self, spans: Line) -> Strip:
        """Return runs of one look each: every change of look costs bytes on a slow line."""
        looks, plain = self._looks, self._looks["plain"]
        runs: list[tuple[Style, list[str]]] = []
        for text, role in spans:
            look = looks.get(role, plain)
            if runs and (runs[-1][0] is look or runs[-1][0] == look):
                runs[-1][1].append(text)
            else:
                runs.append((look, [text]))
        return Strip([Segment("".join(texts), look) for look, texts in runs], line_cells(spans))
