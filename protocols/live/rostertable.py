"""A table of devices and persons to be let in together: CSV as a spreadsheet writes it, or TOML."""

from __future__ import annotations

import csv
import io
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from protocols.errors import InputError
from protocols.trust.enrolment import NAME_LETTERS_MAX
from protocols.trust.granting import POSTS

ROWS_MAX = 2_000
TABLE_BYTES_MAX = 1024 * 1024
PAPERS = (
    *("profession", "authority", "licence", "licence_until", "practice", "practice_text"),
    "recognised_by",
)
"""Columns of a person's papers; what they leave empty is taken as the person asked for it."""
COLUMNS = ("request", "fingerprint", "as", "roles", "scopes", "name", "until", *PAPERS)
PERSON = "person"
SEPARATOR = ";"
"""Between several roles or scopes in one field."""


@dataclass(frozen=True, slots=True)
class Row:
    """One device to be admitted, or person to be certified."""

    request: str
    """Its request file, beside the table."""
    fingerprint: str
    """What was read aloud for it; '' = nobody compared."""
    post: str
    roles: tuple[str, ...]
    scopes: tuple[str, ...]
    name: str
    until: str
    papers: tuple[tuple[str, str], ...] = ()
    """Column and text, of a person."""


def parse_table(raw: bytes, *, toml: bool) -> list[Row]:
    """Read a table.

    Raises:
        InputError: `table_unreadable`; `table_value` with the row and column in `field`, rows
            counted from 1 below the header.
    """
    if len(raw) > TABLE_BYTES_MAX:
        raise InputError("table_unreadable")
    try:
        text = raw.decode("utf-8-sig")
        rows = _toml_rows(text) if toml else _csv_rows(text)
    except (UnicodeDecodeError, tomllib.TOMLDecodeError, csv.Error, RecursionError):
        raise InputError("table_unreadable") from None
    if not 1 <= len(rows) <= ROWS_MAX:
        raise InputError("table_value", field="rows", allowed=(f"1-{ROWS_MAX}",))
    return [_row(row, at) for at, row in enumerate(rows, 1)]


def _toml_rows(text: str) -> list[Mapping[str, object]]:
    table = tomllib.loads(text)
    found = table.get("device")
    if set(table) != {"device"} or not isinstance(found, list):
        raise InputError("table_value", field="keys", allowed=("[[device]]",))
    if not all(isinstance(each, dict) for each in found):
        raise InputError("table_value", field="keys", allowed=("[[device]]",))
    return found


def _csv_rows(text: str) -> list[Mapping[str, object]]:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    # What a row has too much stands under None, what it lacks is None.
    return [
        {str(name): said or "" for name, said in row.items()} for row in reader if any(row.values())
    ]


def _row(row: Mapping[str, object], at: int) -> Row:
    for column in row:
        if column not in COLUMNS:
            raise InputError("table_value", field=f"row {at}", allowed=COLUMNS)
    request, name = _text(row, "request", at), _text(row, "name", at)
    post = _text(row, "as", at) or "device"
    if not request:
        raise InputError("table_value", field=f"row {at} request")
    if post not in (*POSTS, PERSON):
        raise InputError("table_value", field=f"row {at} as", allowed=(*POSTS, PERSON))
    papers = tuple((each, said) for each in PAPERS if (said := _text(row, each, at)))
    # A licence beside a device, or scopes beside a person, would be taken for a promise.
    lost = [each for each, _ in papers] if post != PERSON else ["scopes"] * bool(row.get("scopes"))
    if lost:
        raise InputError("table_value", field=f"row {at} {lost[0]}")
    if len(name) > NAME_LETTERS_MAX:
        raise InputError("table_value", field=f"row {at} name", allowed=(f"1-{NAME_LETTERS_MAX}",))
    return Row(
        request=request,
        fingerprint=_text(row, "fingerprint", at),
        post=post,
        roles=_names(row, "roles", at),
        scopes=_names(row, "scopes", at),
        name=name,
        until=_text(row, "until", at),
        papers=papers,
    )


def _text(row: Mapping[str, object], column: str, at: int) -> str:
    found = row.get(column, "")
    if not isinstance(found, str):
        raise InputError("table_value", field=f"row {at} {column}")
    return found.strip()


def _names(row: Mapping[str, object], column: str, at: int) -> tuple[str, ...]:
    found = row.get(column, "")
    parts: Iterable[object] = found.split(SEPARATOR) if isinstance(found, str) else ()
    if isinstance(found, list):
        parts = found
    elif not isinstance(found, str):
        raise InputError("table_value", field=f"row {at} {column}")
    names = []
    for part in parts:
        if not isinstance(part, str):
            raise InputError("table_value", field=f"row {at} {column}")
        names.append(part.strip())
    return tuple(name for name in names if name)
