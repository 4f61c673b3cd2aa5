"""A code of another patient was scanned over a form: nothing is filled, a person decides."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from fieldnode.tui.acts import Act, Open
from fieldnode.tui.cores.display import Line, Size, line, wrap
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint, Page
from fieldnode.tui.wording import identity
from protocols.live.api import BoardLine


class SwitchPage(Page):
    """Says whose code it was; Enter opens that chart, Escape goes on with the form."""

    name: ClassVar[str] = "switch"

    def __init__(self, desk: Desk, other: BoardLine) -> None:
        super().__init__(desk)
        self._other = other

    def key(self, key: str) -> list[Act]:
        """Switch, or stay."""
        if key != "enter":
            return super().key(key)
        # The chart opens the forms, and the forms this page.
        from fieldnode.tui.screens.chart import ChartPage

        return [Open(ChartPage(self.desk, self._other.patient), instead=True)]

    @property
    def question(self) -> Hashable | None:
        """Whose chart to go on with."""
        return self._other.patient

    def draw(self, size: Size) -> list[Line]:
        """Draw who it is and what Enter does."""
        words = self.desk.words
        asks = wrap(words("switch.asks"), size.width - 2)
        return [identity(words, self._other), (), *(line(" ", part) for part in asks)]

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        return [Hint(self.desk.words("keys.enter"), self.desk.words("switch.do"))]
