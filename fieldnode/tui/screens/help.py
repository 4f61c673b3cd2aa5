"""The keys that mean the same everywhere, and how forms take answers."""

from __future__ import annotations

from typing import ClassVar

from fieldnode.tui.acts import Act
from fieldnode.tui.cores.display import Line, Size, Span, cells, fit, line, wrap
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint, Page

KEYS = (
    ("F1 … F10", "help.function_keys"),
    ("Ctrl+G 1 … 0", "help.leader"),
    ("keys.enter", "help.enter"),
    ("↑ ↓ Tab", "help.move"),
    ("keys.escape", "help.escape"),
    ("Ctrl+T", "help.when"),
    ("0 … 9", "help.digits"),
    ("-", "help.not_measured"),
    ("/", "help.unrecordable"),
    ("38.6 38,6 386", "help.decimals"),
    ("F8", "help.undo"),
    ("F9", "help.lock"),
    ("Ctrl+K", "help.panic"),
    ("! ?", "help.marks"),
    ("]C1 …", "help.scanner"),
)

KEY_CELLS = 15


class HelpPage(Page):
    """One page that scrolls."""

    name: ClassVar[str] = "help"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._top = 0
        self._bottom = 0

    def key(self, key: str) -> list[Act]:
        """Scroll, or leave."""
        steps = {"up": -1, "down": 1, "pageup": -10, "pagedown": 10}
        if key not in steps:
            return super().key(key)
        self._top = max(0, min(self._top + steps[key], self._bottom))
        return []

    def hints(self) -> list[Hint]:
        """Say that there is more."""
        return [Hint("↑ ↓", self.desk.words("help.scroll"))]

    def draw(self, size: Size) -> list[Line]:
        """Draw each key and its sentence."""
        words = self.desk.words
        lines: list[Line] = [line(" ", Span(words("help.title"), "title")), ()]
        for named, word in KEYS:
            key = words(named) if words.has(named) else named
            for place, text in enumerate(wrap(words(word), size.width - KEY_CELLS - 3)):
                label = fit(key if place == 0 else "", max(KEY_CELLS, cells(key)))
                lines.append(line(" ", Span(label, "key"), Span(f" {text}")))
        self._bottom = max(0, len(lines) - size.height)
        return lines[self._top : self._top + size.height]
