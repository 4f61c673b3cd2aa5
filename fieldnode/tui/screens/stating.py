"""Pages without a form that write a record: when it happened and who did it is stated there too."""

from __future__ import annotations

from typing import Any

from fieldnode.tui.acts import Act, Open
from fieldnode.tui.cores.display import Line, Size, Span, cut, line
from fieldnode.tui.desk import Desk
from fieldnode.tui.occasion import Occasion
from fieldnode.tui.page import Hint, Page
from fieldnode.tui.screens.when import WHEN_KEY, WhenPage
from fieldnode.tui.wording import occasion_text


class StatingPage(Page):
    """A page where Ctrl+T says when and by whom (SAFETY 13); paper asks it first."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self.occasion: Occasion | None = None
        """When it happened and who did it, once somebody stated it."""

    def opened(self) -> list[Act]:
        """Ask first when and by whom, where paper is typed up: that stands at its top."""
        return [self._ask_when()] if self.desk.paper else []

    def key(self, key: str) -> list[Act]:
        """Take one key; Ctrl+T asks when and by whom."""
        return [self._ask_when()] if key == WHEN_KEY else super().key(key)

    def circumstances(self) -> dict[str, Any]:
        """Return what a record's line says of it; nothing for now and by whoever is here."""
        return self.occasion.line(self.desk.zone) if self.occasion else {}

    def unasked(self) -> list[Act]:
        """Ask before anything is written, where paper is typed up and nobody has said it yet."""
        return [self._ask_when()] if self.desk.paper and self.occasion is None else []

    def stated(self, size: Size) -> Line:
        """Say when it will be said to have happened and who did it: the default too."""
        said = occasion_text(self.desk.words, self.occasion, self.desk.greeting.person)
        changed = self.occasion not in (None, Occasion())
        return line(" ", Span(cut(said, size.width - 2), "warn" if changed else "dim"))

    def hints(self) -> list[Hint]:
        """Say what Ctrl+T does."""
        return [Hint("Ctrl+T", self.desk.words("keys.when"))]

    def _ask_when(self) -> Open:
        def take(stated: Occasion) -> list[Act]:
            self.occasion = stated
            return []

        return Open(WhenPage(self.desk, self.occasion, take))
