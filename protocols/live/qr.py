"""A short text as a QR code that a terminal can draw, for a scanner that types what it reads."""

from __future__ import annotations

from collections.abc import Iterator

import segno

QUIET = 4
"""Empty modules around the code, as its standard asks; without them scanners miss it."""
_HALVES = {(True, True): " ", (True, False): "▄", (False, True): "▀", (False, False): "█"}
"""(upper, lower) dark: light is drawn, so that it reads on a dark terminal too."""


def drawn(text: str, quiet: int = QUIET) -> Iterator[str]:
    """Yield the lines of a text's QR code, two rows of modules a line.

    Args:
        text: Any characters, control characters too.
        quiet: Empty modules around it; fewer than the standard asks save room on a screen.
    """
    code = segno.make_qr(text, error="m")
    rows = [[bool(module) for module in row] for row in code.matrix_iter(border=quiet)]
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    for upper, lower in zip(rows[::2], rows[1::2], strict=True):
        yield "".join(_HALVES[pair] for pair in zip(upper, lower, strict=True))
