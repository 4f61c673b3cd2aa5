"""What else there is beside a drive's screen, each by a digit."""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from fieldnode.tui.acts import Act, Back, Open
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.keys import fold_single
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint, Page
from protocols.live.drive import Drive

WORDS = ("vial", "vials", "crowd", "coverage", "doubles", "close", "sessions")
"""Lines by their digits, from 1 on."""


class DriveMenuPage(Page):
    """One digit opens a page in the place of this one."""

    name: ClassVar[str] = "drive_menu"

    def __init__(self, desk: Desk, told: Drive) -> None:
        super().__init__(desk)
        self._told = told

    def key(self, key: str) -> list[Act]:
        """Open what the digit stands for."""
        digit = fold_single(key) if len(key) == 1 else ""
        if not digit.isdecimal() or not 1 <= int(digit) <= len(WORDS):
            return super().key(key)
        word = WORDS[int(digit) - 1]
        if word == "sessions":
            self.desk.session = ""
            # The drive goes with this page: one terminal works in one session.
            return [Back(), Open(self._page(word), instead=True)]
        return [Open(self._page(word), instead=True)]

    def _page(self, word: str) -> Page:
        # Each is loaded when somebody asks for it.
        from fieldnode.tui.screens.cover import CoverPage
        from fieldnode.tui.screens.crowd import CrowdPage
        from fieldnode.tui.screens.session_form import CloseForm
        from fieldnode.tui.screens.sessions import SessionsPage
        from fieldnode.tui.screens.twice import TwicePage
        from fieldnode.tui.screens.vial_form import VialForm
        from fieldnode.tui.screens.vials import VialsPage

        desk, told = self.desk, self._told
        made: dict[str, Callable[[], Page]] = {
            "vial": lambda: VialForm(desk, told),
            "vials": lambda: VialsPage(desk, told.session.id),
            "crowd": lambda: CrowdPage(desk, told.session.id),
            "coverage": lambda: CoverPage(desk, told.session.id),
            "doubles": lambda: TwicePage(desk),
            "close": lambda: CloseForm(desk, told.session),
            "sessions": lambda: SessionsPage(desk),
        }
        return made[word]()

    def draw(self, size: Size) -> list[Line]:
        """Draw a line for each digit."""
        words = self.desk.words
        rows: list[Line] = [line(" ", Span(words("drive_menu.title"), "title")), ()]
        for digit, word in enumerate(WORDS, 1):
            rows.append(line("   ", Span(str(digit), "key"), f"  {words(f'drive_menu.{word}')}"))
        return rows[: size.height]

    def hints(self) -> list[Hint]:
        """Say that digits choose."""
        return [Hint(f"1-{len(WORDS)}", self.desk.words("menu.choose"))]
