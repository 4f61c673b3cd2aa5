"""Whether a scanner is set as the terminal needs it: told from what it types for three codes.

Nothing here is a guess by time. A scanner that sends no Enter is seen when the next code begins.
"""

from __future__ import annotations

import re
from enum import Enum

from fieldnode.tui.cores.keys import GROUP_SEPARATOR

CARD = ("FM1", "FM2", f"FM3{GROUP_SEPARATOR}9")
"""What the three codes of the card say; the last one holds the separator of GS1 codes."""

CHARS_MAX = 256
"""Kept of what is typed; a code is far shorter."""

_prefix = re.compile(r"\][A-Za-z]\d")


class Found(Enum):
    """What is known of one setting."""

    UNKNOWN = "unknown"
    OK = "ok"
    MISSING = "missing"
    OTHER = "other"
    """Something else came in its place."""
    TWICE = "twice"
    """Enter came twice behind one code."""


class ScannerCheck:
    """Keys in, three findings out."""

    def __init__(self) -> None:
        self.prefix = self.suffix = self.separator = Found.UNKNOWN
        self.layout = Found.UNKNOWN
        """Whether digits and letters arrive as they stand in the code."""
        self.typed = ""
        """What came since the last code ended."""
        self.last = ""
        """The last whole code."""
        self._ended = False

    @property
    def good(self) -> bool:
        """Whether everything was seen to be right."""
        found = (self.prefix, self.suffix, self.separator, self.layout)
        return all(one is Found.OK for one in found)

    def key(self, key: str) -> None:
        """Take one key as the scanner, or a hand, struck it."""
        ended, self._ended = self._ended, False
        if key == "enter" and not self.typed:
            if ended:
                self.suffix = Found.TWICE
        elif key in ("enter", "tab", "down"):
            self.suffix = Found.OK if key == "enter" else Found.OTHER
            self._judge(self.typed)
            self.last, self.typed, self._ended = self.typed, "", True
        elif len(key) == 1:
            self.typed = (self.typed + key)[-CHARS_MAX:]
            self._look_for_a_second_code()

    def _look_for_a_second_code(self) -> None:
        """A code that begins before the one before it ended: no suffix is sent."""
        begins = [found.start() for found in _prefix.finditer(self.typed)]
        if len(begins) > 1:
            self.suffix = Found.MISSING
            self._judge(self.typed[: begins[1]])
            self.last, self.typed = self.typed[: begins[1]], self.typed[begins[1] :]

    def _judge(self, text: str) -> None:
        found = _prefix.match(text)
        self.prefix = Found.OK if found else Found.MISSING
        told = text[found.end() :] if found else text
        if GROUP_SEPARATOR in told:
            self.separator = Found.OK
        elif _folded(told).endswith("9") and _folded(told).startswith("fm3"):
            self.separator = Found.MISSING
        if told in CARD:
            self.layout = Found.OK
        elif told[:2].lower() == "fm" and not told.startswith(("FM1", "FM2", "FM3")):
            self.layout = Found.OTHER
        elif told.startswith("FM"):
            self.layout = Found.OK


def _folded(text: str) -> str:
    """Return letters in one case and digits as they are, the French top row's too."""
    return text.lower().translate(str.maketrans("&é\"'(è_çà-", "1234578906"))
