"""The one widget: it shows the lines it is given and sends a terminal only those that changed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.strip import Strip
from textual.widget import Widget

from fieldnode.tui.cores.display import Line, changed_cells


class Stage(Widget, can_focus=False):
    """Lines of spans as the terminal's whole screen."""

    DEFAULT_CSS: ClassVar[str] = "Stage { width: 100%; height: 100%; }"

    def __init__(self, styles: Mapping[str, Style]) -> None:
        super().__init__()
        self._looks = styles
        self._lines: list[Line] = []

    def restyle(self, styles: Mapping[str, Style]) -> None:
        """Draw everything in other colours."""
        self._looks = styles
        self.refresh()

    def show(self, lines: Sequence[Line]) -> None:
        """Show these lines; equal ones cost nothing."""
        before, self._lines = self._lines, list(lines)
        if len(before) != len(self._lines):
            self.refresh()
            return
        for y, (old, new) in enumerate(zip(before, self._lines, strict=True)):
            if old != new:
                first, behind = changed_cells(old, new, self.size.width)
                self.refresh(Region(first, y, behind - first, 1))

    def render_line(self, y: int) -> Strip:
        """Return one line as the terminal draws it."""
        if y >= len(self._lines):
            return Strip.blank(self.size.width, self._looks["plain"])
        return Strip(self._segments(self._lines[y]))

    def _segments(self, spans: Line) -> list[Segment]:
        """Return runs of one look each: every change of look costs bytes on a slow line."""
        looks, plain = self._looks, self._looks["plain"]
        runs: list[Segment] = []
        for span in spans:
            look = looks.get(span.role, plain)
            if runs and runs[-1].style == look:
                runs[-1] = Segment(runs[-1].text + span.text, look)
            else:
                runs.append(Segment(span.text, look))
        return runs
