"""A label for one lot: what it is, its number, until when, and a code that a scanner types.

The code is an element string of GS1: a DataMatrix with FNC1 on label printers, a QR code whose text
begins with the separator where a printer knows no other square (`records/gs1.py` reads both).
"""

from __future__ import annotations

from dataclasses import dataclass

from fieldnode.prints import square
from fieldnode.prints.sheet import printable
from fieldnode.prints.wristband import receipt, zpl_text
from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.cores.display import cut, wrap
from fieldnode.tui.supply_words import item, last_day
from protocols.live.consigned import LotLabel
from protocols.records.display import clean_text

LINE_CELLS = 32
"""Of a line on a label of 57 x 32 mm."""
ITEM_LINES = 2
_FNC1 = "$1"
"""With `$` as the sign that leads a command in a DataMatrix of ZPL; no code of GS1 holds that."""
_SEPARATOR = "\x1d"


@dataclass(frozen=True, slots=True)
class Label:
    """What stands on one; text is cleaned for display and in the reader's words."""

    named: str
    lot: str
    expiry: str
    code: str
    """Element string with 0x1D between elements; '' prints no square."""
    item: str
    """Code of the item, by which a person types it."""
    exercise: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of text, what it is first; the exercise in front of all."""
        named = wrap(self.named, LINE_CELLS)[:ITEM_LINES]
        found = (self.exercise, *named, self.lot, self.expiry, self.item)
        return tuple(printable(cut(text, LINE_CELLS)) for text in found if text)


def label_of(words: Catalogue, told: LotLabel, exercise: str = "") -> Label:
    """Return the label of a lot in the reader's words."""
    expiry = ""
    if told.expiry_day is not None:
        expiry = words("lot_label.expiry", day=last_day(words, told.expiry_day))
    lot = words("lot_label.lot", lot=clean_text(told.lot))
    named = item(words, (told.item,), told.item.code)
    return Label(named, lot, expiry, told.code, clean_text(told.item.code), exercise)


def zpl(label: Label) -> bytes:
    """Return a label of 57 x 32 mm for a printer of 203 dpi (456 x 256 dots), in ZPL II."""
    fields, down = [], 16
    top = len(label.lines) - sum(bool(each) for each in (label.lot, label.expiry, label.item))
    for text in label.lines[:top]:
        fields.append(f"^FO16,{down}^A0N,28,24^FH_^FD{zpl_text(text)}^FS")
        down += 32
    if label.code:
        coded = label.code.replace(_SEPARATOR, _FNC1)
        fields.append(f"^FO16,{down + 8}^BXN,5,200,,,,$^FD{_FNC1}{coded}^FS")
    for text in label.lines[top:]:
        fields.append(f"^FO190,{down + 8}^A0N,26,22^FH_^FD{zpl_text(text)}^FS")
        down += 34
    return "\n".join(["^XA", "^CI28", "^PW456", "^LL256", *fields, "^XZ", ""]).encode()


def escpos(label: Label) -> bytes:
    """Return a label for a receipt printer, in ESC/POS: text, then the QR code, then a cut."""
    return receipt(label.lines, square.escpos(square_text(label), 6) if label.code else b"")


def plain(label: Label) -> bytes:
    """Return the label as text."""
    return "\n".join([*label.lines, ""]).encode()


def png(label: Label) -> bytes:
    """Return the QR code alone; of a lot that no code can hold, that of its words."""
    return square.png(square_text(label) if label.code else f"{label.item} {label.lot}")


def square_text(label: Label) -> str:
    """Return what a QR code says: a separator in front tells that elements follow."""
    return f"{_SEPARATOR}{label.code}"


KINDS = {"zpl": zpl, "escpos": escpos, "png": png, "text": plain}
"""By what a printer speaks."""
