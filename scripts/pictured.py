"""What a picture of the README shows, read back from it; and what HQ's pictures were drawn from.

A picture goes stale without a sound: the words of a screen change, and the README goes on showing
the old ones. `tests/screens/test_pictures.py` compares both by this.
"""

from __future__ import annotations

import hashlib
import re
import tomllib
import zlib
from html import unescape
from pathlib import Path

CELL_W, CELL_H, TEXT_Y = 9, 19, 14
"""Pixels of one cell of a drawn terminal, and of the baseline in it."""

_WORD = re.compile(r'<text x="(\d+)" y="(\d+)"[^>]*>([^<]*)</text>')
_HQ = Path(__file__).resolve().parent.parent / "hq"
_FIRST_PAGE = "picture.html"
_OTHER_PAGE = re.compile(r'\{% (?:extends|include|from) "([^"]+)"')
_KEY = re.compile(r'\bw\("([^"]+)"')
_STYLE = "page.css"

_SIGNATURE_BYTES = 8
"""At the head of every PNG."""
_CHUNK_AROUND_BYTES = 12
"""Length, type and checksum around what a chunk of a PNG holds."""
_KEYWORD = b"Drawn from\0"


def rows(svg: str) -> list[str]:
    """Return the text of a drawn terminal line by line, without blanks at the end of a line."""
    cells: dict[tuple[int, int], str] = {}
    for x, y, word in _WORD.findall(svg):
        row, column = (int(y) - TEXT_Y) // CELL_H, int(x) // CELL_W
        cells |= {(row, column + at): sign for at, sign in enumerate(unescape(word))}
    height = max((row for row, _ in cells), default=-1) + 1
    width = max((column for _, column in cells), default=-1) + 1
    drawn = ("".join(cells.get((row, at), " ") for at in range(width)) for row in range(height))
    return [line.rstrip() for line in drawn]


def drawn_from() -> str:
    """Return a digest of what HQ's first page says and how: its pages, its style, its words."""
    pages = _pages()
    style = (_HQ / "static" / _STYLE).read_text("utf-8")
    said = "\n".join(f"{key} = {text}" for key, text in _words("\n".join(pages.values())))
    whole = "\0".join([*pages, *pages.values(), style, said])
    return hashlib.sha256(whole.encode()).hexdigest()


def marked(png: bytes, digest: str) -> bytes:
    """Return a PNG that says, as text nobody sees, what it was drawn from."""
    held = _KEYWORD + digest.encode("ascii")
    body = b"tEXt" + held
    chunk = len(held).to_bytes(4, "big") + body + zlib.crc32(body).to_bytes(4, "big")
    end = len(png) - _CHUNK_AROUND_BYTES
    return png[:end] + chunk + png[end:]


def mark(png: bytes) -> str:
    """Return what a PNG says it was drawn from; '' where it says nothing."""
    at = _SIGNATURE_BYTES
    while at + _CHUNK_AROUND_BYTES <= len(png):
        length = int.from_bytes(png[at : at + 4], "big")
        held = png[at + 8 : at + 8 + length]
        if png[at + 4 : at + 8] == b"tEXt" and held.startswith(_KEYWORD):
            return held.removeprefix(_KEYWORD).decode("ascii")
        at += _CHUNK_AROUND_BYTES + length
    return ""


def _pages() -> dict[str, str]:
    """Return the first page and all that it is put together of, by name."""
    found: dict[str, str] = {}
    waiting = [_FIRST_PAGE]
    while waiting:
        name = waiting.pop()
        if name not in found:
            found[name] = (_HQ / "pages" / name).read_text("utf-8")
            waiting += _OTHER_PAGE.findall(found[name])
    return dict(sorted(found.items()))


def _words(pages: str) -> list[tuple[str, str]]:
    """Return the English words that pages name, and all of a table that they choose from."""
    named = set(_KEY.findall(pages))
    families = tuple(key for key in named if key.endswith("."))
    words = _flat(tomllib.loads((_HQ / "text" / "en.toml").read_text("utf-8")), "")
    return sorted((key, text) for key, text in words if key in named or key.startswith(families))


def _flat(table: dict[str, object], before: str) -> list[tuple[str, str]]:
    found: list[tuple[str, str]] = []
    for name, value in table.items():
        if isinstance(value, dict):
            found += _flat(value, f"{before}{name}.")
        else:
            found.append((before + name, str(value)))
    return found
