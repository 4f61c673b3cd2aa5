"""A sheet of plain text: lines in pages, each with what it is, how old it is and its number.

Any printer takes it, any screen shows it, and it can be read in a hundred years.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from fieldnode.text.catalogue import Catalogue
from fieldnode.tui.cores.display import cells, cut, fit

WIDTH = 80
"""Columns of A4 upright at ten characters an inch."""
LINES = 60
"""Lines a page; a printer has six an inch and keeps margins."""
FORM_FEED = "\f"


@dataclass(frozen=True, slots=True)
class Head:
    """What stands at the top of every page; text is cleaned for display."""

    title: str
    place: str
    printed: str
    """When, as a person reads it, with the day."""
    by: str
    exercise: str = ""


Block = Sequence[str]
"""Lines that stay together: one patient, one paragraph."""


def pages(words: Catalogue, head: Head, blocks: Sequence[Block]) -> str:
    """Return the whole sheet; a block is broken only where it is longer than a page."""
    top = _top(words, head)
    room = LINES - len(top) - 2
    filled: list[list[str]] = [[]]
    for block in blocks:
        for start in range(0, max(len(block), 1), room):
            piece = [printable(cut(text, WIDTH)).rstrip() for text in block[start : start + room]]
            if len(filled[-1]) + len(piece) > room:
                filled.append([])
            filled[-1] += piece
    shown = []
    for number, body in enumerate(filled, 1):
        foot = words("print.page", page=number, pages=len(filled))
        empty = [""] * (room - len(body))
        shown.append("\n".join([*top, *body, *empty, "", _ends(head.exercise, foot)]))
    return f"\n{FORM_FEED}".join(shown) + "\n"


def ruled(label: str, width: int = WIDTH) -> str:
    """Return a label and a line to write on."""
    shown = cut(label, width - 8)
    return f"{shown} {'_' * (width - cells(shown) - 1)}"


def printable(text: str) -> str:
    """Return cleaned text with `?` for signs that nothing here knows how to draw."""
    return text if text.isprintable() else "".join(c if c.isprintable() else "?" for c in text)


def _top(words: Catalogue, head: Head) -> list[str]:
    by = words("print.by", by=head.by) if head.by else ""
    top = [
        _ends(head.title, head.exercise),
        _ends(head.place, words("print.at", at=head.printed)),
        _ends(words("print.ages"), by),
        "-" * WIDTH,
    ]
    return [printable(text).rstrip() for text in top]


def _ends(left: str, right: str) -> str:
    """Return two texts at the two ends of a line; the left one gives way."""
    right = cut(right, WIDTH // 2)
    return fit(left, WIDTH - cells(right) - 1) + " " + right
