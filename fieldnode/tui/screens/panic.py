"""Ctrl+K: throw the key away and stop the node, from any screen, a locked one too."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Back, Quit
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.cores.keys import fold_digit
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.page import Hint, Page

SAID = "999"
"""What says yes: digits, so that every keyboard has them, and nobody types them by habit."""


class PanicPage(Page):
    """Says what is lost, and does it once nines are typed and Enter struck."""

    name: ClassVar[str] = "panic"
    _typed = ""

    def key(self, key: str) -> list[Act]:
        """Type the nines; any other key takes them back, Escape leaves."""
        if key == "escape":
            return [Back()]
        if key == "enter" and self._typed == SAID:
            self._typed = ""
            return [Ask(lambda node: node.panic(), _gone)]
        digit = fold_digit(key) if len(key) == 1 else ""
        wanted = SAID.startswith(self._typed + digit) and bool(digit)
        self._typed = self._typed + digit if wanted else ""
        return []

    @property
    def question(self) -> Hashable | None:
        """Whether to throw the key away."""
        return self.name

    def answers(self, _item: str | Scan) -> bool:
        """No key that was under way to another screen counts here."""
        return True

    def draw(self, size: Size) -> list[Line]:
        """Draw what it does and what exists nowhere else."""
        words, sync = self.desk.words, self.desk.sync
        told = [words("panic.explained")]
        if sync is not None and sync.unsent:
            told.append(words.count("panic.only_here", sync.unsent))
        rows: list[Line] = [(), line("   ", Span(words("panic.title"), "bad"))]
        for text in (*told, words("panic.asks")):
            rows += [(), *(line("   ", part) for part in wrap(text, size.width - 6))]
        shown = Span(self._typed, "open")
        return [*rows, (), line("   [ ", shown, Span(" ", "cursor"), Span(" ]"))]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        words = self.desk.words
        return [Hint(f"999 {words('keys.enter')}", words("panic.do"))]


def _gone(_result: object) -> list[Act]:
    return [Quit()]
