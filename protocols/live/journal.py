"""What a node may write about itself: one JSON object a line, from a closed list of keys.

Each key has one shape: a printed id, a number or a code. Anything else is left out, so that no
name, note or address of a patient can reach a log, whatever a caller passes.
"""

from __future__ import annotations

import json
import queue
import re
import sys
import threading
from collections.abc import Mapping
from typing import TextIO

from protocols.live.clock import now

NAMES = ("device", "peer", "feed")
"""Keys whose value is a printed id."""
NUMBERS = ("seq", "count", "bytes", "ms")
"""Keys whose value is a whole number."""
LINES_MAX = 1024
"""Lines that wait for a slow reader; later ones are counted and dropped."""
_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}\Z")
_ID = re.compile(r"[a-z]{3}_[0-9A-HJKMNP-TV-Z]{10,60}\Z")


class Journal:
    """Writes lines from a thread of its own, so a stalled terminal never holds the node up."""

    def __init__(self, out: TextIO | None = None) -> None:
        self._out = out or sys.stderr
        self._lines: queue.Queue[str | None] = queue.Queue(LINES_MAX)
        self._dropped = 0
        self._writer = threading.Thread(target=self._write, name="journal", daemon=True)
        self._writer.start()

    def note(self, code: str, values: Mapping[str, object] | None = None) -> None:
        """Write one line about `code`; what a line may not carry is left out."""
        try:
            self._lines.put_nowait(line(code, values or {}, now().wall_ms))
        except queue.Full:
            self._dropped += 1

    def close(self, wait_s: float = 0.5) -> None:
        """Write what waits, for at most `wait_s`; a stalled reader loses the rest."""
        try:
            self._lines.put(None, timeout=wait_s)
        except queue.Full:
            return
        self._writer.join(wait_s)

    def _write(self) -> None:
        going_on = True
        while going_on:
            text = self._lines.get()
            going_on = text is not None
            dropped, self._dropped = self._dropped, 0
            if dropped:
                text = line("log_dropped", {"count": dropped}, now().wall_ms) + (text or "")
            try:
                self._out.write(text or "")
                self._out.flush()
            except (OSError, ValueError):
                return


def line(code: str, values: Mapping[str, object], wall_ms: int) -> str:
    """Return one log line, newline included."""
    kept: dict[str, int | str] = {
        "at_ms": wall_ms,
        "code": code if _CODE.match(code) else "unnamed",
    }
    for key in NAMES:
        # Ids are bytes that print as a word.
        if key in values and _ID.match(text := str(values[key])):
            kept[key] = text
    for key in NUMBERS:
        if type(number := values.get(key)) is int:
            kept[key] = number
    return json.dumps(kept, separators=(",", ":")) + "\n"
