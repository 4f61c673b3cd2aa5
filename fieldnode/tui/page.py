"""What every page is: keys and answers in, acts out, and lines drawn on demand."""

from __future__ import annotations

from collections.abc import Hashable
from typing import ClassVar, NamedTuple

from fieldnode.tui.acts import Act, Back
from fieldnode.tui.cores.display import Line, Size
from fieldnode.tui.cores.keys import action_key
from fieldnode.tui.cores.scan import Scan
from fieldnode.tui.desk import Desk


class Action(NamedTuple):
    """One thing a page can do, under a letter and under a digit."""

    letter: str
    digit: str
    word: str
    """Catalogue key."""


class Hint(NamedTuple):
    """A key and its word in the action bar."""

    keys: str
    word: str
    stays: bool = False
    """The way back: it is whole, and never what a narrow bar leaves out."""


class Page:
    """One screen. By itself it takes Escape and draws nothing."""

    name: ClassVar[str] = ""
    """Names its help and its place in the catalogue."""
    actions: ClassVar[tuple[Action, ...]] = ()
    scans: ClassVar[bool] = True
    """Whether a scanner may speak here; where a secret is typed it may not."""

    def __init__(self, desk: Desk) -> None:
        self.desk = desk

    def opened(self) -> list[Act]:
        """Come on top for the first time."""
        return []

    def resumed(self) -> list[Act]:
        """Come on top again."""
        return []

    def changed(self) -> list[Act]:
        """Rows changed at the node while this page is on top."""
        return []

    def left(self) -> list[Act]:
        """Another page comes on top, or this one goes."""
        return []

    @property
    def question(self) -> Hashable | None:
        """Name the question that stands; None for none.

        Another name is another question: only a key struck after it was seen answers it.
        """
        return None

    @property
    def closes(self) -> bool:
        """Whether Escape closes something within the page, such as a filter that is typed."""
        return False

    def answers(self, _item: str | Scan) -> bool:
        """Whether the question that stands would take this key or code for an answer."""
        return True

    def key(self, key: str) -> list[Act]:
        """Take one key."""
        return [Back()] if key == "escape" else []

    def scan(self, _scan: Scan) -> list[Act]:
        """Take one whole code."""
        return []

    def draw(self, _size: Size) -> list[Line]:
        """Return the lines of the body, at most `size.height`."""
        return []

    def hints(self) -> list[Hint]:
        """Return what the action bar says."""
        words = self.desk.words
        return [
            Hint(f"{action.letter}/{action.digit}", words(action.word)) for action in self.actions
        ]

    def action(self, key: str) -> str:
        """Return the letter of the action a key stands for, or ''."""
        struck = action_key(key)
        for action in self.actions:
            if struck in (action.letter, action.digit):
                return action.letter
        return ""
