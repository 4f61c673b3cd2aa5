"""One line of a chart entered in error: it takes a reason before it is marked."""

from __future__ import annotations

from typing import ClassVar

from fieldnode.tui.acts import Act, Say
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.page import Action, Hint
from fieldnode.tui.screens.retract import RetractPage


class InErrorPage(RetractPage):
    """A digit says why, Enter marks it; F8 alone takes back what was just saved without asking."""

    name: ClassVar[str] = "in_error"
    actions = (
        Action("p", "1", "in_error.patient"),
        Action("v", "2", "in_error.value"),
        Action("d", "3", "in_error.twice"),
        Action("n", "4", "in_error.never"),
        Action("o", "5", "in_error.other"),
    )
    _why = ""
    """Catalogue key of the reason; '' until somebody chose one."""

    def key(self, key: str) -> list[Act]:
        """Take the reason, then Enter."""
        letter = self.action(key)
        if letter:
            self._why = next(one.word for one in self.actions if one.letter == letter)
            return []
        if key == "enter" and not self._why:
            return [Say(self.desk.words("in_error.why_first"), "warn", bell=True)]
        return super().key(key)

    @property
    def reason(self) -> str:
        """What was chosen, in words."""
        return self.desk.words(self._why) if self._why else ""

    def draw(self, size: Size) -> list[Line]:
        """Draw what it is about, and the reasons."""
        words = self.desk.words
        rows: list[Line] = [(), line(" ", Span(words("in_error.why"), "label"))]
        for one in self.actions:
            chosen = one.word == self._why
            text = f"{'>' if chosen else ' '} {one.digit} {words(one.word)}"
            rows.append(line("  ", Span(text, "select_title" if chosen else "plain")))
        return [*super().draw(size), *rows]

    def hints(self) -> list[Hint]:
        """The rows say what their digits mean."""
        why = Hint("1-5", self.desk.words("in_error.hint"))
        return [why, Hint(self.desk.words("keys.enter"), self.desk.words("in_error.do"))]
