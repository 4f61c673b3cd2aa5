"""Lines of a screen before any terminal: text, the role it plays, and how many cells it takes."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from protocols.records.display import clean_text

ELLIPSIS = "…"


class Span(NamedTuple):
    """A run of text in one role."""

    text: str
    role: str = "plain"
    """What it is, never how it looks; a theme maps the role to colours."""


Line = tuple[Span, ...]


class Size(NamedTuple):
    """Room for drawing, in cells."""

    width: int
    height: int


def char_cells(char: str) -> int:
    """Cells one character takes on a terminal: 0, 1 or 2."""
    if char < "\u0300":
        return 1
    if unicodedata.category(char) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(char) in "WF" else 1


def cells(text: str) -> int:
    """Cells that cleaned text takes on a terminal."""
    return len(text) if text.isascii() else sum(map(char_cells, text))


def cut(text: str, room: int) -> str:
    """Return `text` in at most `room` cells, an ellipsis in place of what is cut off."""
    if cells(text) <= room:
        return text
    kept, used = [], 0
    for char in text:
        used += char_cells(char)
        if used > room - 1:
            break
        kept.append(char)
    return "".join(kept) + ELLIPSIS if room > 0 else ""


def fit(text: str, room: int) -> str:
    """Return `text` in exactly `room` cells, text at the left."""
    shown = cut(text, room)
    return shown + " " * (room - cells(shown))


def fit_right(text: str, room: int) -> str:
    """Return `text` in exactly `room` cells, text at the right."""
    shown = cut(text, room)
    return " " * (room - cells(shown)) + shown


def line(*parts: Span | str) -> Line:
    """Return a line of spans; a bare string plays the role `plain`."""
    return tuple(part if isinstance(part, Span) else Span(part) for part in parts)


def text_of(spans: Iterable[Span]) -> str:
    """Return the words of a line."""
    return "".join(span.text for span in spans)


def line_cells(spans: Line) -> int:
    """Cells a whole line takes."""
    return sum(cells(span.text) for span in spans)


def changed_cells(old: Line, new: Line, width: int) -> tuple[int, int]:
    """Return the first cell that differs and the one behind the last, to send only those."""
    before, after = text_of(old), text_of(new)
    if len(before) != len(after) or any(char_cells(char) != 1 for char in {*before, *after}):
        return 0, width
    looks: dict[str, str] = {}
    found = [_differing(before, after), _differing(_looks(old, looks), _looks(new, looks))]
    differ = [each for each in found if each is not None]
    if not differ:
        return 0, 0
    return min(first for first, _ in differ), max(behind for _, behind in differ)


def _differing(one: str, two: str) -> tuple[int, int] | None:
    """Return the first place at which two texts of one length differ, and that behind the last."""
    if one == two:
        return None
    first = next(at for at, (was, now) in enumerate(zip(one, two, strict=True)) if was != now)
    backward = zip(reversed(one), reversed(two), strict=True)
    return first, len(one) - next(at for at, (was, now) in enumerate(backward) if was != now)


def _looks(spans: Line, known: dict[str, str]) -> str:
    """Return one letter a character, the same for the same role."""
    letters = (known.setdefault(span.role, chr(len(known))) for span in spans)
    return "".join(letter * len(span.text) for letter, span in zip(letters, spans, strict=True))


def fill(spans: Line, width: int, role: str = "plain") -> Line:
    """Return the line cut or padded to exactly `width` cells."""
    kept: list[Span] = []
    room = width
    for span in spans:
        # Pages clean what they show; this is the last door before the terminal.
        text = span.text if span.text.isprintable() else clean_text(span.text, width)
        shown = cut(text, room)
        room -= cells(shown)
        if shown:
            kept.append(Span(shown, span.role))
        if room <= 0:
            return tuple(kept)
    return (*kept, Span(" " * room, role))


def between(left: Line, right: Line, width: int, role: str = "plain") -> Line:
    """Return `left` and `right` at the two ends of a line, `role` between; `left` gives way."""
    room = max(width - line_cells(right) - 1, 0)
    return fill((*fill(left, room, role), Span(" ", role), *right), width, role)


def wrap(text: str, width: int) -> list[str]:
    """Break words into lines of at most `width` cells; longer words are cut."""
    lines: list[str] = []
    for word in text.split(" "):
        word = cut(word, width)
        if lines and cells(lines[-1]) + 1 + cells(word) <= width:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines or [""]


def column(parts: Sequence[tuple[str, int]]) -> str:
    """Return cells of a table row side by side, one space between; width 0 = the rest."""
    return " ".join(fit(text, room) if room else text for text, room in parts)
