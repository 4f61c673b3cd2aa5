"""F9: no name on the screen until the passphrase is typed; the node goes on working."""

from __future__ import annotations

from typing import ClassVar

from fieldnode.tui.acts import Act, Ask, Back, Say
from fieldnode.tui.cores.display import Line, Size, Span, line
from fieldnode.tui.cores.keys import is_text
from fieldnode.tui.desk import Desk
from fieldnode.tui.page import Hint, Page
from fieldnode.tui.wording import clock, error
from protocols.errors import FieldmeshError

PASSPHRASE_CHARS_MAX = 256
SHOWN_STARS_MAX = 32


class LockPage(Page):
    """Takes a passphrase and nothing else."""

    name: ClassVar[str] = "lock"
    scans: ClassVar[bool] = False

    def __init__(self, desk: Desk) -> None:
        super().__init__(desk)
        self._typed = ""
        self._since_ms = desk.now_ms

    def opened(self) -> list[Act]:
        """End the person's session; the screen is blank whether or not the node hears of it."""
        locking = Ask(lambda node: node.lock(), _nothing, _nothing, holds=False)
        return [Say(""), locking]

    def key(self, key: str) -> list[Act]:
        """Type, and Enter asks the node."""
        if key == "enter":
            typed, self._typed = self._typed, ""
            asked = Ask(lambda node: node.unlock(typed), self._answered, self._refused)
            return [asked] if typed else []
        if key == "backspace":
            self._typed = self._typed[:-1]
        elif key == "escape":
            self._typed = ""
        elif is_text(key) and len(self._typed) < PASSPHRASE_CHARS_MAX:
            self._typed += key
        return []

    def draw(self, _size: Size) -> list[Line]:
        """Draw since when, and a star a character."""
        words, desk = self.desk.words, self.desk
        at = clock(self._since_ms, desk.now_ms, desk.zone)
        stars = "*" * min(len(self._typed), SHOWN_STARS_MAX)
        prompt = line("   ", Span(words("lock.passphrase"), "label"), Span(" [ "))
        rows: list[Line] = [(), line("   ", Span(words("lock.title", at=at), "title")), ()]
        rows.append((*prompt, Span(stars, "open"), Span(" ", "cursor"), Span(" ]")))
        rows += [(), line("   ", words("lock.explained"))]
        if desk.drafts:
            rows += [(), line("   ", words.count("lock.drafts", len(desk.drafts)))]
        return rows

    def hints(self) -> list[Hint]:
        """Say what Enter does."""
        return [Hint(self.desk.words("keys.enter"), self.desk.words("lock.unlock"))]

    def _answered(self, opened: bool) -> list[Act]:
        if opened:
            return [Back(), Say("")]
        return [Say(self.desk.words("lock.wrong"), "bad", bell=True)]

    def _refused(self, failure: FieldmeshError) -> list[Act]:
        words = self.desk.words
        wait_s = failure.values.get("wait_s")
        if failure.code == "too_many_tries" and isinstance(wait_s, int):
            return [Say(words.count("lock.wait", wait_s), "bad", bell=True)]
        return [Say(error(words, failure), "bad", bell=True)]


def _nothing(_result: object) -> list[Act]:
    return []
