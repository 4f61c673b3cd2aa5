"""A text as a square that scanners read, for three kinds of printers."""

from __future__ import annotations

import io

import segno

PNG_SCALE = 8
"""Pixels a module: a short code is 2.5 cm wide at 203 dpi."""

_GS = b"\x1d"


def png(text: str) -> bytes:
    """Return the QR code of a text as a PNG picture; the words beside it are not in the picture."""
    out = io.BytesIO()
    segno.make_qr(text, error="m").save(out, kind="png", scale=PNG_SCALE)
    return out.getvalue()


def blocks(text: str) -> list[str]:
    """Return a QR code in block characters, two modules a sign high, with its quiet zone.

    A paper's longest text has 69 modules a side at the lowest level of correction, which a clean
    print needs no more of: 77 columns with the quiet zone, and 39 lines.
    """
    rows = [list(row) for row in segno.make_qr(text, error="l", boost_error=False).matrix_iter()]
    rows += [[0] * len(rows[0])] * (len(rows) % 2)
    signs = {(0, 0): " ", (1, 0): "▀", (0, 1): "▄", (1, 1): "█"}
    return [
        "".join(signs[bool(top), bool(low)] for top, low in zip(*pair, strict=True))
        for pair in zip(rows[::2], rows[1::2], strict=True)
    ]


def zpl(text: str, dots: int) -> str:
    """Return the fields of a QR code in ZPL II, `dots` a module; capitals, digits and hyphens."""
    return f"^BQN,2,{dots}^FDMA,{text}^FS"


def escpos(text: str, dots: int) -> bytes:
    """Return the commands of a QR code in ESC/POS, `dots` a module."""
    code = text.encode("ascii", "replace")
    size = len(code) + 3
    return b"".join(
        (
            _GS + b"(k\x04\x001A2\x00",  # model 2
            _GS + b"(k\x03\x001C" + bytes([dots]),
            _GS + b"(k\x03\x001E1",  # error correction M
            _GS + b"(k" + bytes([size % 256, size // 256]) + b"1P0" + code,
            _GS + b"(k\x03\x001Q0",
        )
    )
