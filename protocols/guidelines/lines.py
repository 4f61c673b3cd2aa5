"""Where in a TOML text each table, key and element stands: the standard reader does not say."""

from __future__ import annotations

import re
from collections.abc import Mapping

Path = tuple[str | int, ...]

_KEY = r"(?:[A-Za-z0-9_-]+|\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*')"
_TOKEN = re.compile(
    r"(?P<comment>#[^\n]*)|(?P<long>\"\"\"(?:[^\\]|\\.)*?\"\"\"|'''.*?''')"
    r"|(?P<text>\"(?:[^\"\\\n]|\\.)*\"|'[^'\n]*')|(?P<sign>[\[\]{}=,])|(?P<end>\n)"
    r"|(?P<space>[ \t\r]+)|(?P<bare>[^\s\[\]{}=,#\"']+)",
    re.DOTALL,
)
_TABLE = re.compile(rf"(\[\[?)\s*({_KEY}(?:\s*\.\s*{_KEY})*)\s*\]\]?")


class Lines:
    """The line of every place in one text."""

    def __init__(self, places: Mapping[Path, int]) -> None:
        self._places = places

    def at(self, path: Path) -> int:
        """Return the line of a place, counted from 1, or of the nearest place around it."""
        while path and path not in self._places:
            path = path[:-1]
        return self._places.get(path, 1)


def lines_of(text: str) -> Lines:
    """Return where everything stands in a text that is known to be TOML."""
    return Lines(_Scan(text).places)


class _Scan:
    """One pass over the tokens."""

    def __init__(self, text: str) -> None:
        self.places: dict[Path, int] = {(): 1}
        self._counts: dict[Path, int] = {}
        self._text = text
        self._at = 0
        self._line = 1
        self._table: Path = ()
        while self._at < len(text):
            self._statement()

    def _statement(self) -> None:
        header = _TABLE.match(self._text, self._at)
        if header is not None:
            self._header(header[2], several=header[1] == "[[")
            self._at = header.end()
            return
        kind, token = self._next()
        if kind in ("bare", "text"):
            self._pair(self._table, token)

    def _header(self, dotted: str, *, several: bool) -> None:
        path: Path = ()
        keys = [_plain(key) for key in re.findall(_KEY, dotted)]
        for at, key in enumerate(keys):
            path = (*path, key)
            if at == len(keys) - 1 and several:
                self._counts[path] = self._counts.get(path, -1) + 1
                self.places.setdefault(path, self._line)
            if path in self._counts:
                path = (*path, self._counts[path])
            self.places.setdefault(path, self._line)
        self._table = path

    def _pair(self, table: Path, first: str) -> None:
        """Take `key = value`, where the key has been read and may be dotted."""
        path = table
        for key in _dotted(first):
            path = (*path, key)
            self.places.setdefault(path, self._line)
        kind, token = self._skip()
        while kind == "bare" and token.startswith("."):
            for key in _dotted(token):
                path = (*path, key)
                self.places.setdefault(path, self._line)
            kind, token = self._skip()
        if token == "=":
            self._value(path)

    def _value(self, path: Path) -> None:
        kind, token = self._skip()
        if token == "[":
            self._array(path)
        elif token == "{":
            self._inline(path)

    def _array(self, path: Path) -> None:
        count = 0
        kind, token = self._skip()
        while kind and token != "]":
            place = (*path, count)
            self.places.setdefault(place, self._line)
            if token == "{":
                self._inline(place)
            elif token == "[":
                self._array(place)
            kind, token = self._skip()
            while kind and token not in (",", "]"):
                kind, token = self._skip()
            if token == ",":
                count += 1
                kind, token = self._skip()

    def _inline(self, path: Path) -> None:
        kind, token = self._skip()
        while kind and token != "}":
            if kind in ("bare", "text"):
                self._pair(path, token)
            kind, token = self._skip()

    def _skip(self) -> tuple[str, str]:
        """Return the next token that says something; ('', '') at the end."""
        while True:
            kind, token = self._next()
            if kind not in ("comment", "space", "end"):
                return kind, token

    def _next(self) -> tuple[str, str]:
        match = _TOKEN.match(self._text, self._at)
        if match is None:
            self._at += 1
            return ("other", "?") if self._at <= len(self._text) else ("", "")
        self._at = match.end()
        self._line += match[0].count("\n")
        return match.lastgroup or "", match[0]


def _dotted(token: str) -> list[str]:
    if token[:1] in "\"'":
        return [_plain(token)]
    return [part for part in token.split(".") if part]


def _plain(key: str) -> str:
    return key[1:-1] if key[:1] in "\"'" else key
