"""A wristband: who this is, printed at registration, for three kinds of printers.

ZPL for band printers, ESC/POS for receipt printers, PNG for whatever prints pictures. All of them
carry the short code in a QR code, which a scanner types, and in letters, which a person says.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass

from fieldnode.prints import square
from fieldnode.prints.sheet import printable
from fieldnode.tui.cores.display import cut

TEXT_CELLS = 40
"""Of a line on a band of 25 x 200 mm."""
RECEIPT_CELLS = 32
"""Columns of a receipt printer for paper of 58 mm, in its usual font."""

_ZPL_ESCAPED = "^~_"
_ESC, _GS = b"\x1b", b"\x1d"
_RECEIPT_CODEC = "cp1252"
_RECEIPT_PAGE = 16
"""The number most printers give that code page."""


@dataclass(frozen=True, slots=True)
class Wristband:
    """What stands on one; text is cleaned for display and in the reader's words."""

    code: str
    name: str
    tag: str = ""
    about: str = ""
    """Age with its unit and sex in a word: `34 y  female`."""
    allergy: str = ""
    """What must not be given, or that nobody asked; '' prints nothing."""
    exercise: str = ""
    """What every print of a drill says; '' = real work."""

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of text, the most important first; the exercise in front of all."""
        known = "  ".join(part for part in (self.code, self.about, self.tag) if part)
        lines = (self.exercise, self.name, known, self.allergy)
        return tuple(printable(cut(text, TEXT_CELLS)) for text in lines if text)


def zpl(band: Wristband) -> bytes:
    """Return a band of 25 x 200 mm for a printer of 203 dpi (200 x 1600 dots), in ZPL II.

    Text runs along the band: rotated fields (R), whose lines stack from the right to the left.
    """
    fields = [f"^FO40,40{square.zpl(zpl_text(printable(band.code)), 5)}"]
    for number, text in enumerate(band.lines):
        across = 150 - 44 * number
        fields.append(f"^FO{across},260^A0R,40,36^FH_^FD{zpl_text(text)}^FS")
    return "\n".join(["^XA", "^CI28", "^PW200", "^LL1600", *fields, "^XZ", ""]).encode()


def escpos(band: Wristband) -> bytes:
    """Return a label for a receipt printer, in ESC/POS: text, then the QR code, then a cut."""
    return receipt(band.lines, square.escpos(band.code, 6))


def receipt(lines: Sequence[str], picture: bytes, columns: int = RECEIPT_CELLS) -> bytes:
    """Return lines, the first one large, and a picture's commands for a receipt printer.

    Such printers have one code page at a time: letters outside of Western European are printed
    without their accents, and as `?` where even that does not help. Code and tag always print.
    """
    out = [_ESC + b"@", _ESC + b"t" + bytes([_RECEIPT_PAGE])]
    for number, text in enumerate(lines):
        out.append(_GS + b"!" + bytes([0x01 if number == 0 else 0x00]))
        out.append(_receipt_text(cut(text, columns)) + b"\n")
    return b"".join([*out, picture, b"\n\n\n" + _GS + b"V\x42\x00"])


def zpl_text(text: str) -> str:
    """Return text in which nothing is a command to the printer: `^FH_` reads hex behind `_`."""
    return "".join(f"_{ord(char):02X}" if char in _ZPL_ESCAPED else char for char in text)


def _receipt_text(text: str) -> bytes:
    """Return what a code page has of a text; printable signs only."""
    out = bytearray()
    for char in text:
        plain = unicodedata.normalize("NFKD", char)[:1]
        for tried in (char, plain, "?"):
            encoded = tried.encode(_RECEIPT_CODEC, "ignore")
            if encoded and encoded >= b" ":
                out += encoded
                break
    return bytes(out)
