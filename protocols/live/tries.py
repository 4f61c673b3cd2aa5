"""How often a passphrase or PIN may be tried: a few times at once, then with growing waits.

Whoever takes a terminal that is locked can type; they shall not be able to type through a list.
"""

from __future__ import annotations

FREE_TRIES = 3
"""Wrong ones before the first wait: a person mistypes."""

WAIT_FIRST_MS = 30_000
WAIT_LONGEST_MS = 15 * 60_000
"""The waits double from the first to the longest."""


class Tries:
    """Wrong tries in a row on one node, whichever terminal they came from."""

    def __init__(self, wrong: int = 0, now_ms: int = 0) -> None:
        """Go on from what is known of before.

        Args:
            wrong: Tries in a row that a book remembers. The wait they earned begins anew, for a
                clock that a restart turns back must not shorten it.
            now_ms: Of a clock that never jumps.
        """
        self._wrong = wrong
        self._again_ms = now_ms + _earned_ms(wrong)

    def wait_ms(self, now_ms: int) -> int:
        """Return how long nobody may try now; 0: at once.

        Args:
            now_ms: Of a clock that never jumps.
        """
        return max(self._again_ms - now_ms, 0)

    def wrong(self, now_ms: int) -> None:
        """Count a wrong try."""
        self._wrong += 1
        self._again_ms = now_ms + _earned_ms(self._wrong)

    def right(self) -> None:
        """Forget the wrong ones."""
        self._wrong = self._again_ms = 0


def _earned_ms(wrong: int) -> int:
    over = wrong - FREE_TRIES
    return min(WAIT_FIRST_MS << min(over, 16), WAIT_LONGEST_MS) if over >= 0 else 0
