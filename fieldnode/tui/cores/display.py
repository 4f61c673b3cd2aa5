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


class Picture(NamedTuple):
    """A line as it is compared with the next one."""

    text: str
    looks: str
    """One letter a character, the same for the same role."""
    narrow: bool
    """Whether every character takes one cell, so that a place in the text is a cell."""


def picture(spans: Line, letters: dict[str, str]) -> Picture:
    """Return a line as it is compared; `letters` gives each role one, and learns new ones."""
    text = text_of(spans)
    looks = [letters.setdefault(role, chr(len(letters))) * len(part) for part, role in spans]
    narrow = text.isascii() or all(char_cells(char) == 1 for char in set(text))
    return Picture(text, "".join(looks), narrow)


def changed_cells(old: Picture, new: Picture, width: int) -> tuple[int, int]:
    """Return the first cell that differs and the one behind the last, to send only those."""
    if len(old.text) != len(new.text) or not (old.narrow and new.narrow):
        return 0, width
    found = [_differing(old.text, new.text), _differing(old.looks, new.looks)]
    differ = [each for each in found if each is not None]
    if not differ:
        return 0, 0
    return min(first for first, _ in differ), max(behind for _, behind in differ)


def _differing(one: str, two: str) -> tuple[int, int] | None:
    """Return the first place at which two texts of one length differ, and that behind the last."""
    if one == two:
        return None
    first = _shared(one, two)
    return first, len(one) - _shared(one[::-1], two[::-1])


def _shared(one: str, two: str) -> int:
    """Return how many characters two texts have in common at their beginning."""
    low, high = 0, len(one)
    while low < high:
        middle = (low + high + 1) // 2
        if one.startswith(two[:middle]):
            low = middle
        else:
            high = middle - 1
    return low


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
