"""A second reader of structures that knows nothing but the tables of the pages about bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tests.vectors.second_msgpack import Refused, read, write

ROOMS = Path(__file__).resolve().parents[2] / "protocols"
CONTROL, FACTS = ROOMS / "trust" / "WIRE.md", ROOMS / "records" / "WIRE.md"

_HEADING = re.compile(r"^### (?:(\d+) )?(\w+)$")
_LINK = re.compile(r"\[(\w+)\]\(#\w+\)")
NO_DEFAULT = object()


@dataclass(frozen=True)
class Field:
    """One row of a table."""

    name: str
    holds: str
    rules: tuple[str, ...]
    left_out: str


@dataclass
class Table:
    """One structure: its fields, and what is said beside them."""

    name: str
    number: int | None
    fields: list[Field] = field(default_factory=list)
    beside: str = ""


@cache
def tables(page: Path) -> dict[str, Table]:
    """Return the structures of a page by name."""
    found: dict[str, Table] = {}
    at: Table | None = None
    for line in page.read_text().splitlines():
        heading = _HEADING.match(line)
        if heading:
            number, name = heading.groups()
            at = found[name] = Table(name, int(number) if number else None)
        elif line.startswith("#"):
            at = None
        elif at is not None and re.match(r"\| \d+ \|", line):
            cells = [each.strip() for each in line.strip("|").split("|")]
            holds, *rules = cells[2].split("; ")
            left_out = cells[3] if len(cells) == 5 else ""
            at.fields.append(Field(cells[1], holds, tuple(rules), left_out))
        elif at is not None and line.startswith("Beside that "):
            at.beside = line
    return found


class Reader:
    """Reads and writes the structures of one page.

    Args:
        strict: Every field is there, nothing follows, and there is one encoding.
    """

    def __init__(self, page: Path, *, strict: bool) -> None:
        self.tables = tables(page)
        self.strict = strict

    def read(self, name: str, raw: bytes) -> list[Any]:
        """Return all fields of a structure.

        Raises:
            Refused: `malformed`, `not_canonical`.
        """
        value = read(raw)
        found = self.structure(name, value)
        if self.strict and (write(found) != raw):
            raise Refused("not_canonical")
        return found

    def write(self, name: str, values: list[Any]) -> bytes:
        """Return the bytes of a structure, of which all fields are given."""
        return write(values if self.strict else self.trimmed(name, values))

    def named(self, name: str, value: list[Any]) -> dict[str, Any]:
        """Return the same by the names of the fields."""
        return {row.name: held for row, held in zip(self.rows(name), value, strict=True)}

    def rows(self, name: str) -> list[Field]:
        """Return the fields of a structure; of a fact value the common ones first."""
        own = self.tables[name].fields
        common = self.tables.get("Statement")
        return [*common.fields, *own] if common and name in fact_names() else own

    def structure(self, name: str, value: Any) -> list[Any]:
        """Return a structure's fields; those that were left out as they are then."""
        if not isinstance(value, list):
            raise Refused("malformed")
        rows = self.rows(name)
        if self.strict and len(value) > len(rows):
            raise Refused("malformed")
        found = []
        for row, held in zip(rows, value, strict=False):
            kept = self.fitting(row.holds, held)
            for rule in row.rules:
                if not keeps(rule, kept):
                    raise Refused("malformed")
            found.append(kept)
        for row in rows[len(value) :]:
            if self.strict:
                raise Refused("not_canonical")
            lacking = self.lacking(row)
            if lacking is NO_DEFAULT or not all(keeps(rule, lacking) for rule in row.rules):
                raise Refused("malformed")
            found.append(lacking)
        return found

    def lacking(self, row: Field) -> Any:
        """Return what a field holds that was left out."""
        return self._literal(row.holds, row.left_out) if row.left_out else NO_DEFAULT

    def trimmed(self, name: str, values: list[Any]) -> list[Any]:
        """Return a structure without what can be left out at the end, at every depth."""
        rows, held = self.rows(name), list(values)
        while held and held[-1] == self.lacking(rows[len(held) - 1]):
            held.pop()
        return [self._trim(row.holds, each) for row, each in zip(rows, held, strict=False)]

    def _trim(self, holds: str, value: Any) -> Any:
        for option in options(holds):
            if value is not None and (link := _LINK.fullmatch(option)):
                return self.trimmed(link[1], value)
            if isinstance(value, list) and (of := re.fullmatch(r"list.*? of (.+)", option)):
                return [self._trim(of[1], each) for each in value]
        return value

    def _literal(self, holds: str, text: str) -> Any:
        if text == "nil":
            return None
        if text in ("true", "false"):
            return text == "true"
        if re.fullmatch(r"-?\d+", text):
            return int(text)
        option = options(holds)[0]
        if zeros := re.fullmatch(r"(\d+) zeros", text):
            return bytes(int(zeros[1]))
        if text.startswith("["):
            link = _LINK.fullmatch(option)
            inner = [row.holds for row in self.rows(link[1])] if link else ["bytes", "int"]
            parts = text[1:-1].split(", ")
            return [self._literal(of, part) for of, part in zip(inner, parts, strict=True)]
        assert text == "empty"
        word = option.split()[0]
        return {"text": "", "bytes": b"", "list": [], "map": {}}[word]

    def fitting(self, holds: str, value: Any) -> Any:
        """Return a value as what a field holds, or refuse it."""
        for option in options(holds):
            try:
                return self._one(option, value)
            except Refused:
                continue
        raise Refused("malformed")

    def _one(self, option: str, value: Any) -> Any:
        if option.startswith("("):
            return self.fitting(option[1:-1], value)
        if link := _LINK.fullmatch(option):
            return self.structure(link[1], value)
        if of := re.fullmatch(r"list( [^ ]+)? of (.+)", option):
            _must(isinstance(value, list) and _within(of[1], len(value)))
            return [self.fitting(of[2], each) for each in value]
        if of := re.fullmatch(r"map of (\w+) to (.+)", option):
            _must(isinstance(value, dict))
            fits = self.fitting
            return {fits(of[1], key): fits(of[2], held) for key, held in value.items()}
        if option == "ref" or option.startswith("["):
            inner = ["bytes", "int"] if option == "ref" else split(option[1:-1], ", ")
            _must(isinstance(value, list) and len(value) == len(inner))
            return [self.fitting(of, each) for of, each in zip(inner, value, strict=True)]
        _must(_plain(option, value))
        return value


def _plain(option: str, value: Any) -> bool:
    word, _, bounds = option.partition(" ")
    match word:
        case "any":
            return True
        case "nil":
            return value is None
        case "bool":
            return isinstance(value, bool)
        case "bytes" | "text":
            kind = bytes if word == "bytes" else str
            return isinstance(value, kind) and _within(bounds, len(value))
        case "int" | "u16" | "u31":
            bounds = {"u16": "0..65535", "u31": "0..2^31-1"}.get(word, bounds)
            return type(value) is int and _within(bounds, value)
    return type(value) is int and value == int(option)


def _must(true: bool) -> None:
    if not true:
        raise Refused("malformed")


def _within(bounds: str | None, number: int) -> bool:
    if not bounds or not bounds.strip():
        return True
    low, dots, high = bounds.strip().partition("..")
    if not dots:
        return number == _number(low)
    return _number(low) <= number and (not high or number <= _number(high))


def _number(text: str) -> int:
    power = re.fullmatch(r"(-?)2\^(\d+)(-1)?", text)
    if power is None:
        return int(text)
    return (-1 if power[1] else 1) * 2 ** int(power[2]) - (1 if power[3] else 0)


def options(holds: str) -> list[str]:
    """Return what a field may hold, one by one."""
    return split(holds, " or ")


def split(text: str, by: str) -> list[str]:
    """Cut a text at every mark that lies in no bracket."""
    parts, depth, begin = [], 0, 0
    for at, letter in enumerate(text):
        depth += (letter in "([") - (letter in ")]")
        if depth == 0 and text.startswith(by, at):
            parts.append(text[begin:at])
            begin = at + len(by)
    return [*parts, text[begin:]]


def keeps(rule: str, value: Any) -> bool:
    """Whether a value keeps what stands behind its type."""
    if rule.endswith(", not nil"):
        return value is not None and keeps(rule.removesuffix(", not nil"), value)
    if value is None:
        return True
    if rule == "not 0":
        return bool(value != 0)
    if rule.startswith("whole"):
        refs = [value] if len(value) == 2 and isinstance(value[0], bytes) else value
        lengths = (0, 16) if rule.endswith("founding") else (16,)
        return all(len(entry) in lengths and 0 <= at <= 65535 for entry, at in refs)
    if either := re.fullmatch(r"(?:(\d+) or )?(\d+) bytes", rule):
        return str(len(value)) in either.groups()
    if rule.endswith(" long"):
        return _within(rule.removesuffix(" long"), len(value))
    return _within(rule, value)


@cache
def kinds() -> dict[int, str]:
    """Return the structure of each kind of fact."""
    rows = re.findall(
        r"^\| (\d+) \| [^|]+ \| \[(\w+)\]\(#\w+\) \|$", FACTS.read_text(), re.MULTILINE
    )
    return {int(number): name for number, name in rows}


@cache
def fact_names() -> frozenset[str]:
    """Return the structures that are values of facts, in which the common fields come first."""
    return frozenset(kinds().values())
