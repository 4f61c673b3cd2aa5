"""Whether a question was on the screen, and long enough, before the key that would answer it.

Who types ahead means the keys for what usually comes next. When a question comes in between (a tag
somebody else carries, an unusual value, a refused answer), those keys were never meant for it.
"""

from __future__ import annotations

GLANCE_MS = 500
"""What a person needs at least to see a question and decide; a key struck sooner was under way.

Counted from the drawing of the question, and again from the drawing of what was dropped: whoever is
still typing has not looked up yet. Reading a name and choosing takes longer than this.
"""


class Glance:
    """Follows the question that stands and says which keys may answer it."""

    def __init__(self) -> None:
        self._question: object = None
        self._since_ms: int | None = None
        """When it was drawn, with every key dropped so far; None while it is not."""
        self._seen = False
        self._drops = False

    def ask(self, question: object) -> None:
        """Say which question stands now; None for none. Another one has not been seen."""
        if question != self._question:
            self._question = question
            self._since_ms = None
            self._seen = self._drops = False

    @property
    def waits(self) -> bool:
        """Whether a question stands that was not drawn yet as it is now."""
        return self._question is not None and self._since_ms is None and not self._seen

    def shown(self, now_ms: int) -> None:
        """The question is on the screen."""
        if self.waits:
            self._since_ms = now_ms

    def takes(self, struck_ms: int, *, answers: bool) -> bool:
        """Return whether a key may go to the page; else it was struck before anybody could see.

        Args:
            struck_ms: When it was struck, on the clock of `shown`.
            answers: Whether the question would take this key for an answer. One that does not may
                pass, until one was dropped: what follows that one counted on it.
        """
        if self._question is None or self._seen or not (answers or self._drops):
            return True
        if self._since_ms is not None and struck_ms >= self._since_ms + GLANCE_MS:
            self._seen = True
            return True
        self._drops, self._since_ms = True, None
        return False
