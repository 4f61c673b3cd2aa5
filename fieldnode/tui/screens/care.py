"""Every page about one patient's care by its digit: the chart's own row has no room for all."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from fieldnode.tui.acts import Act, Open, Say
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint, Page
from fieldnode.tui.screens.allergies import AllergiesPage
from fieldnode.tui.screens.care_list import open_form
from fieldnode.tui.screens.discharge import DischargePage
from fieldnode.tui.screens.medicines import MedicinesPage
from fieldnode.tui.screens.note import AddendumPage
from fieldnode.tui.screens.observed import ObservedPage
from fieldnode.tui.screens.order import OrderPage
from fieldnode.tui.screens.printing import PrintPage
from fieldnode.tui.screens.problems import ProblemsPage
from fieldnode.tui.screens.procedure import ProcedurePage
from fieldnode.tui.screens.vaccine_card import CardPage as VaccinesPage
from fieldnode.tui.wording import identity, safety_line
from protocols.live.api import BoardLine


class CarePage(Page):
    """The pages, one a line."""

    name: ClassVar[str] = "care"
    actions = (
        Action("a", "1", "care.allergies"),
        Action("p", "2", "care.problems"),
        Action("m", "3", "care.medicines"),
        Action("o", "4", "care.order"),
        Action("v", "5", "care.vaccines"),
        Action("d", "6", "care.procedure"),
        Action("n", "7", "care.addendum"),
        Action("i", "8", "care.observed"),
        Action("x", "9", "care.discharge"),
        Action("k", "0", "care.print"),
    )

    def __init__(self, desk: Desk, head: BoardLine, marked: tuple[str, str] = ("", "")) -> None:
        """List them.

        Args:
            desk: Shared by all pages.
            head: Whose care it is.
            marked: Fact and words of the chart's marked line; '' for none.
        """
        super().__init__(desk)
        self._head, self._marked = head, marked

    def key(self, key: str) -> list[Act]:
        """Open one, in place of this list: Escape leads back to the chart."""
        letter = self.action(key)
        opener = self.openers().get(letter)
        return super().key(key) if opener is None else opener()

    def openers(self) -> dict[str, Callable[[], list[Act]]]:
        """Return what each letter opens."""
        desk, head = self.desk, self._head
        return {
            "a": lambda: [Open(AllergiesPage(desk, head), instead=True)],
            "p": lambda: [Open(ProblemsPage(desk, head), instead=True)],
            "m": lambda: [Open(MedicinesPage(desk, head), instead=True)],
            "o": lambda: [open_form(desk, head.patient, lambda care: OrderPage(desk, care))],
            "v": lambda: [Open(VaccinesPage(desk, head), instead=True)],
            "d": lambda: [Open(ProcedurePage(desk, head), instead=True)],
            "k": lambda: [Open(PrintPage(desk, head), instead=True)],
            "i": lambda: [Open(ObservedPage(desk, head), instead=True)],
            "n": self._addendum,
            "x": lambda: [open_form(desk, head.patient, lambda care: DischargePage(desk, care))],
        }

    def _addendum(self) -> list[Act]:
        about, what = self._marked
        if not about:
            return [Say(self.desk.words("care.no_line"), "warn", bell=True)]
        return [Open(AddendumPage(self.desk, self._head, about, what), instead=True)]

    def draw(self, size: Size) -> list[Line]:
        """Draw who it is about, and the pages."""
        words = self.desk.words
        top = [
            identity(words, self._head),
            safety_line(words, self._head, size.width),
            line(" ", Span(words("care.title"), "title")),
        ]
        rows = [
            line("   ", Span(f"{action.digit} {action.letter}", "key"), f"  {words(action.word)}")
            for action in self.actions
        ]
        return [*top, (), *rows]

    def hints(self) -> list[Hint]:
        """The lines say what their keys do."""
        return []
