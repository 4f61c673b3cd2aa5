"""F1: what the page below is for and what its keys do, then what holds on every page."""

from __future__ import annotations

from collections.abc import Iterable
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
    """One page that scrolls: first about where help was asked for."""

    name: ClassVar[str] = "help"

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._about = desk.asked_from
        self._top = 0
        self._bottom = 0
        self._height = 1

    def key(self, key: str) -> list[Act]:
        """Scroll, or leave."""
        page = max(self._height - 1, 1)
        steps = {"up": -1, "down": 1, "pageup": -page, "pagedown": page, "enter": page, " ": page}
        if key not in steps:
            return super().key(key)
        self._top = max(0, min(self._top + steps[key], self._bottom))
        return []

    def hints(self) -> list[Hint]:
        """Say how long it is, and how to go on and back."""
        page = max(self._height - 1, 1)
        here, of = 1 - -self._top // page, 1 - -self._bottom // page
        return [Hint("↑ ↓ PgUp PgDn", self.desk.words("help.page", here=here, of=of))]

    def draw(self, size: Size) -> list[Line]:
        """Draw each key and its sentence."""
        words = self.desk.words
        known = [(words(named) if words.has(named) else named, words(word)) for named, word in KEYS]
        if words.draft:
            known.append((f"{words.language}~", words("help.draft_words")))
        lines: list[Line] = []
        if self._own:
            lines += [line(" ", Span(words("help.here"), "title")), *_rows(self._own, size), ()]
        lines += [line(" ", Span(words("help.title"), "title")), *_rows(known, size)]
        self._height = size.height
        self._bottom = max(0, len(lines) - size.height)
        self._top = min(self._top, self._bottom)
        return lines[self._top : self._top + size.height]

    @property
    def _own(self) -> list[tuple[str, str]]:
        """Return key and sentence for each line about the page below."""
        told = self.desk.words.help_of(self._about)
        pairs = [text.partition("|") for text in told.splitlines() if text.strip()]
        return [(named.strip(), said.strip()) for named, _, said in pairs]


def _rows(pairs: Iterable[tuple[str, str]], size: Size) -> list[Line]:
    """Return each key with its sentence beside it; a sentence without a key takes the width."""
    found: list[Line] = []
    for named, said in pairs:
        if not named:
            found += [line(" ", Span(part)) for part in wrap(said, size.width - 2)]
            continue
        for place, text in enumerate(wrap(said, size.width - KEY_CELLS - 3)):
            label = fit(named if place == 0 else "", max(KEY_CELLS, cells(named)))
            found.append(line(" ", Span(label, "key"), Span(f" {text}")))
    return found
