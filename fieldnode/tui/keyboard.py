"""Bytes of a keyboard to keys, where Textual's own reading would lose or invent some.

Textual takes Escape and the key after it as one *alt* key, so a quick *back, then n* arrives as
one letter on the wrong page; and it types the tail of a sequence it does not know into the field.
Here Escape is always a key of its own, and an unknown sequence is no key at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from textual import events
from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver

UNKNOWN = "unknown"
"""Name of a key that some terminal has and we do not know; no page takes it."""

_ESCAPE = "\x1b"
_control = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-Z\\^-~]|O[@-~])")
"""A whole control sequence; `ESC [ [` is where the Linux console's F1 to F5 go on."""

_report = re.compile(r"\x1b\[(?:\?\d+;\d+\$y|<?[-\d;]+[mM])")
"""What the terminal itself says: left to Textual."""


class PlainParser(XTermParser):
    """Textual's parser with Escape as a key of its own."""

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if alt:
            yield events.Key("escape", _ESCAPE)
            yield from super()._sequence_to_key_events(sequence)
        elif len(sequence) == 2 and sequence[0] == _ESCAPE and sequence[1] not in "[O":
            yield events.Key("escape", _ESCAPE)
            yield from super()._sequence_to_key_events(sequence[1])
        else:
            found = list(super()._sequence_to_key_events(sequence))
            yield from found
            if not found and _control.fullmatch(sequence) and not _report.fullmatch(sequence):
                yield events.Key(UNKNOWN, None)


class KeyboardDriver(linux_driver.LinuxDriver):
    """Textual's driver, reading keys with `PlainParser`."""


# The driver makes its parser inside a long method; this name is the one seam there is.
linux_driver.XTermParser = PlainParser  # type: ignore[attr-defined]
