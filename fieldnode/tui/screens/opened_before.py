"""A vial of a lot that nobody may open: unless somebody says that it was opened before that."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import ClassVar

from fieldnode.tui.acts import Act, Back, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line, wrap
from fieldnode.tui.cores.drive import HAD_KEYS
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.occasion import Occasion
from fieldnode.tui.page import Action, Hint, Page
from fieldnode.tui.screens.when import WhenPage

OPENED_STOPS = ("lot_recalled", "lot_quarantined")
"""What is said of a lot from one instant on; whoever opened a vial before had no way to know."""


class OpenedBeforePage(Page):
    """No number of Enters says so: a letter, the time where none is stated, then Enter."""

    name: ClassVar[str] = "opened_before"

    def __init__(
        self,
        desk: Desk,
        what: str,
        why: str,
        stated: Occasion | None,
        say: Callable[[Occasion | None], list[Act]],
    ) -> None:
        """Say what the node refused.

        Args:
            desk: Shared by all pages.
            what: The lot.
            why: One of `OPENED_STOPS`.
            stated: When the form says that it was opened; None for nothing.
            say: Writes it, with what was stated, once a person said so.
        """
        super().__init__(desk)
        self._what, self._why, self._stated, self._say = what, why, stated, say
        self._said = False

    @property
    def actions(self) -> tuple[Action, ...]:  # type: ignore[override]
        """Say that it was opened before; once that is said, Enter writes it."""
        return () if self._said else (Action(*HAD_KEYS, "opened_before.say"),)

    def key(self, key: str) -> list[Act]:
        """Say it, then write it; Escape goes back to the form, and nothing was opened."""
        if key == "escape":
            return [Back()]
        if self._said and key == "enter":
            return [Back(), *self._say(self._stated)]
        if self.action(key) not in HAD_KEYS:
            return [Say("", bell=True)]
        if self._stated is not None:
            self._said = True
            return []
        return [Open(WhenPage(self.desk, None, self._take))]

    def _take(self, stated: Occasion) -> list[Act]:
        self._stated, self._said = stated, True
        return []

    @property
    def question(self) -> Hashable | None:
        """Whether it was opened before, and whether that is written."""
        return self._what, self._why, self._said

    def answers(self, item: str | Scan) -> bool:
        """Say so, or leave it."""
        return item != "escape"

    def draw(self, size: Size) -> list[Line]:
        """Draw what is refused, and what happens with what is said."""
        words = self.desk.words
        why = words(f"lot_stop.{self._why}")
        asks = words("opened_before.asks", what=self._what, why=why)
        rows: list[Line] = [line(" ", Span(words("vial.title"), "title")), ()]
        rows += [line(" ", Span(part, "bad")) for part in wrap(f"! {asks}", size.width - 2)]
        if self._said:
            told = wrap(words("confirm.lot_opened_already"), size.width - 2)
            rows += [(), *(line(" ", Span(part, "warn")) for part in told)]
        return rows

    def hints(self) -> list[Hint]:
        """What the keys do."""
        if not self._said:
            return super().hints()
        return [Hint(self.desk.words("keys.enter"), self.desk.words("opened_before.write"))]
