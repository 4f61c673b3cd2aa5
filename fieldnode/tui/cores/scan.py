"""Telling a scanner from a hand by bytes alone: `]`, a letter, a digit … Enter.

Scanners are set to send the AIM identifier in front and Enter behind. Whatever lies between
belongs to the code, the group separator too. Time decides one thing only: `expire` gives back a
prefix that never became one.
"""

from __future__ import annotations

from typing import NamedTuple

from fieldnode.tui.cores.keys import GROUP_SEPARATOR

SCAN_CHARS_MAX = 640
"""Longest code taken: a signed paper has 600; a DataMatrix on a drug box holds under 150."""
PAPER_MARK, PAPER_CHARS_MIN = "FM", 100
"""How a signed paper begins, and less than its signature alone takes: a tag may begin so too."""

PREFIX_WAIT_MS = 300
"""How long an unfinished prefix is held back from the form."""

_PREFIX_CHARS = 3


class Scan(NamedTuple):
    """One whole code."""

    symbology: str
    """The AIM identifier, for instance `]C1`."""
    text: str
    """What the code says; fields of a GS1 code are separated by 0x1D."""

    @property
    def is_paper(self) -> bool:
        """Whether it is a signed paper and no tag."""
        return len(self.text) >= PAPER_CHARS_MIN and self.text[:2].upper() == PAPER_MARK


class ScanGate:
    """Stands in front of every screen and lets keys through, or hands out scans."""

    def __init__(self) -> None:
        self._held = ""

    @property
    def collecting(self) -> bool:
        """Whether a whole prefix came and the code is being read."""
        return len(self._held) >= _PREFIX_CHARS

    @property
    def waiting(self) -> bool:
        """Whether an unfinished prefix is held: the driver arms one timer for `expire`."""
        return 0 < len(self._held) < _PREFIX_CHARS

    def key(self, key: str) -> list[str | Scan]:
        """Take one key; return what passes, in order."""
        if self.collecting:
            return self._collect(key)
        if len(key) == 1 and self._continues(key):
            self._held += key
            return []
        held = self.give_back()
        if held and key == "]":
            self._held = key
            return [*held]
        return [*held, key]

    def give_back(self) -> list[str]:
        """Return the held characters as keys and forget them."""
        held, self._held = list(self._held), ""
        return held

    def expire(self) -> list[str]:
        """Return an unfinished prefix as keys; a code being read stays."""
        return self.give_back() if self.waiting else []

    def _continues(self, char: str) -> bool:
        """Whether the held characters and this one still are the start of an AIM identifier."""
        place = len(self._held)
        if place == 0:
            return char == "]"
        if place == 1:
            return char.isascii() and char.isalpha()
        return char.isascii() and char.isdigit()

    def _collect(self, key: str) -> list[str | Scan]:
        if key == "enter":
            held = "".join(self.give_back())
            return [Scan(held[:_PREFIX_CHARS], held[_PREFIX_CHARS:])]
        if key == "escape":
            return [*self.give_back()]
        if len(key) != 1 or len(self._held) >= _PREFIX_CHARS + SCAN_CHARS_MAX:
            return []
        if key.isprintable() or key == GROUP_SEPARATOR:
            self._held += key
        return []
