"""A chart of another organisation's patient: it opens for whoever says why, and that is kept."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Open
from fieldnode.tui.cores.display import Line, Size, Span, cells, line, wrap
from fieldnode.tui.cores.keys import is_text
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Action, Hint, Page
from protocols.errors import FieldmeshError
from protocols.records.display import clean_text

REASON_CHARS_MAX = 140
"""As much as the trail keeps."""
CODES = {"c": "care", "h": "handover", "t": "tracing"}
"""What the node is told, by the letter of the action."""


class GlassPage(Page):
    """Asks once for each patient and session: one key, or a reason typed."""

    name: ClassVar[str] = "glass"
    whose: ClassVar[str] = "glass.title"
    asks: ClassVar[str] = "glass.asks"
    does: ClassVar[str] = "glass.do"
    """Catalogue keys: whose patient, what is asked, what Enter does."""
    actions = (
        Action("c", "1", "glass.care"),
        Action("h", "2", "glass.handover"),
        Action("t", "3", "glass.tracing"),
        Action("o", "4", "glass.other"),
    )

    def __init__(self, desk: Desk, patient: str, teams: tuple[str, ...]) -> None:
        super().__init__(desk)
        self._patient = patient
        self._teams = teams
        self._typed: str | None = None
        """None until a reason is typed in words."""

    def key(self, key: str) -> list[Act]:
        """Say why with one key, or type it."""
        if self._typed is not None:
            return self._type(self._typed, key)
        action = self.action(key)
        if action == "o":
            self._typed = ""
            return []
        return [self._break(CODES[action])] if action else super().key(key)

    @property
    def question(self) -> Hashable | None:
        """Why this patient's chart is opened; what is typed then is no answer to it."""
        return self._patient if self._typed is None else None

    def answers(self, item: str | Scan) -> bool:
        """Any of the reasons."""
        return isinstance(item, str) and bool(self.action(item))

    def draw(self, size: Size) -> list[Line]:
        """Draw whose patient it is, what is asked, and that it is kept."""
        words = self.desk.words
        named = ", ".join(clean_text(team) for team in self._teams if team)
        whose = words(self.whose, teams=named or words("glass.unknown"))
        rows = [(), *_wrapped(whose, size, "title"), (), *_wrapped(words(self.asks), size)]
        rows.append(())
        if self._typed is None:
            reasons = self.hints()
            return rows + [line("   ", Span(r.keys, "label"), f"  {r.word}") for r in reasons]
        shown = self._typed
        while cells(shown) > size.width - 8:
            shown = shown[1:]
        rows.append(line("   [ ", Span(shown, "open"), Span(" ", "cursor"), Span(" ]")))
        return rows

    def hints(self) -> list[Hint]:
        """The reasons, or what Enter does."""
        if self._typed is None:
            return super().hints()
        return [Hint(self.desk.words("keys.enter"), self.desk.words(self.does))]

    def _type(self, typed: str, key: str) -> list[Act]:
        if key == "enter":
            return [self._break(typed.strip())] if typed.strip() else []
        if key == "escape":
            self._typed = None
        elif key == "backspace":
            self._typed = typed[:-1]
        elif is_text(key) and len(typed) < REASON_CHARS_MAX:
            self._typed = typed + key
        return []

    def _break(self, reason: str) -> Ask:
        patient = self._patient
        return Ask(lambda node: node.break_glass(patient, reason), self._opened)

    def _opened(self, _result: object) -> list[Act]:
        # The chart opens this page, and this page the chart.
        from fieldnode.tui.screens.chart import ChartPage

        return [Open(ChartPage(self.desk, self._patient), instead=True)]


def asked_first(desk: Desk, patient: str, failure: FieldmeshError) -> Act | None:
    """Return what to open when the node asks why first; None for any other refusal."""
    if failure.code != "other_team":
        return None
    teams = failure.values.get("teams")
    named = tuple(map(str, teams)) if isinstance(teams, list | tuple) else ()
    return Open(GlassPage(desk, patient, named), instead=True)


def _wrapped(text: str, size: Size, role: str = "plain") -> list[Line]:
    return [line("   ", Span(part, role)) for part in wrap(text, size.width - 6)]
