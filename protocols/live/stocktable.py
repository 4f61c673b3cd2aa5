"""Tables of stock as spreadsheets write and read them: a packing list in, reports out."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b
from typing import Any, NamedTuple

from protocols.errors import InputError
from protocols.guidelines.items import PACK_UNITS_MAX, Items, named
from protocols.records.display import clean_text
from protocols.records.movement import DAY_MS, UNITS_MAX, lot_text
from protocols.records.moving import expiry_day

TABLE_BYTES_MAX = 256 * 1024
LINES_MAX = 500
"""In one receipt, which is written whole or not at all."""
COLUMNS = ("item", "lot", "expiry", "units", "packs", "pack_size")
NEEDED = ("item",)
FAULTS_MAX = 20
"""Told at once; the rest comes when these are mended."""


class Entry(NamedTuple):
    """One line of a packing list."""

    line: int
    """In the file, counted from 1."""
    item: str
    lot: str
    expiry: str
    """As typed; '' when nothing was stated."""
    units: int
    packs: tuple[int, int] | None
    """Packs and units in one, where the list says so."""
    expired: bool
    """Its last day is over."""


class Read(NamedTuple):
    """A packing list."""

    entries: tuple[Entry, ...]
    faults: tuple[InputError, ...]
    """In the order of the lines, each with its line and column; any of them refuses the whole."""


def read_list(raw: bytes, pack: Items, now_ms: int) -> Read:
    """Read a packing list or an opening balance: CSV with a line of column names.

    Commas or semicolons part the columns. `units`, or `packs` and `pack_size`, or both if they
    come to the same; empty lines are passed over.

    Args:
        raw: The file.
        pack: The catalogue in use.
        now_ms: Unix milliseconds.

    Raises:
        InputError: `table_unreadable`; `table_value` where the columns are not those of a list or
            there are no lines, or too many.
    """
    if len(raw) > TABLE_BYTES_MAX:
        raise InputError("table_unreadable")
    try:
        text = raw.decode("utf-8-sig")
        lines = [*_lines(text)]
    except (UnicodeDecodeError, csv.Error):
        raise InputError("table_unreadable") from None
    if not lines:
        raise InputError("table_value", field="line 1", allowed=COLUMNS)
    (first, names), *rest = lines
    columns = [name.strip().casefold() for name in names]
    if (
        set(columns) - set(COLUMNS)
        or set(NEEDED) - set(columns)
        or len(set(columns)) < len(columns)
    ):
        raise InputError("table_value", field=f"line {first}", allowed=COLUMNS)
    if not 1 <= len(rest) <= LINES_MAX:
        raise InputError("table_value", field="lines", allowed=(f"1-{LINES_MAX}",))
    entries: list[Entry] = []
    faults: list[InputError] = []
    for line, cells in rest:
        try:
            entries.append(_entry(line, columns, cells, pack, now_ms))
        except InputError as error:
            faults.append(error)
    return Read(tuple(entries), tuple(faults[:FAULTS_MAX]))


def _lines(text: str) -> Iterable[tuple[int, list[str]]]:
    head = text.lstrip("\r\n").partition("\n")[0]
    mark = ";" if head.count(";") > head.count(",") else ","
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=mark, strict=True)
    for cells in reader:
        if any(cell.strip() for cell in cells):
            yield reader.line_num, cells


def _entry(
    line: int, columns: Sequence[str], cells: Sequence[str], pack: Items, now_ms: int
) -> Entry:
    if len(cells) > len(columns) and any(cell.strip() for cell in cells[len(columns) :]):
        raise InputError("table_value", field=f"line {line}", allowed=tuple(columns))
    said = {name: cell.strip() for name, cell in zip(columns, cells, strict=False)}
    item = named(said.get("item", ""), f"line {line} item", pack)
    lot = lot_text(said.get("lot") or None, f"line {line} lot")
    last = expiry_day(said.get("expiry") or None, f"line {line} expiry")
    packs = None
    if said.get("packs"):
        count = _whole(said["packs"], f"line {line} packs", UNITS_MAX)
        size = _whole(said.get("pack_size", ""), f"line {line} pack_size", PACK_UNITS_MAX)
        packs = (count, size)
    elif said.get("pack_size"):
        raise InputError("missing_field", field=f"line {line} packs")
    if packs is None:
        units = _whole(said.get("units", ""), f"line {line} units", UNITS_MAX)
    else:
        units = packs[0] * packs[1]
        if units > UNITS_MAX:
            raise InputError(
                "out_of_range", field=f"line {line} packs", allowed=(f"1-{UNITS_MAX}",)
            )
        if said.get("units") and _whole(said["units"], f"line {line} units", UNITS_MAX) != units:
            raise InputError("packs_differ", field=f"line {line} units", allowed=(str(units),))
    expired = last is not None and last < now_ms // DAY_MS
    return Entry(line, item.code, lot, said.get("expiry", ""), units, packs, expired)


def _whole(text: str, where: str, most: int) -> int:
    if not text:
        raise InputError("missing_field", field=where)
    digits = text.removeprefix("-")
    if not digits.isascii() or not digits.isdecimal() or len(digits) > len(str(UNITS_MAX)):
        raise InputError("not_whole", field=where, allowed=(f"1-{most}",))
    if not 1 <= int(text) <= most:
        raise InputError("out_of_range", field=where, allowed=(f"1-{most}",))
    return int(text)


def record_lines(
    raw: bytes, entries: Iterable[Entry], store: str, why: str, more: Mapping[str, Any]
) -> list[dict[str, Any]]:
    """Return what is written for a list: one receipt a line.

    Keys follow from the file and the store, so that a file that is sent again is answered again and
    received once.

    Args:
        raw: The file.
        entries: Of `read_list`.
        store: Id of the store.
        why: Of `stock.receive`.
        more: Fields of every line, such as `reason` and `confirm`.
    """
    name = blake2b(raw + store.encode(), digest_size=12, person=b"fm-stock-list").hexdigest()
    found = []
    for entry in entries:
        data: dict[str, Any] = {"item": entry.item, "why": why}
        if entry.lot:
            data["lot"] = entry.lot
        if entry.expiry:
            data["expiry"] = entry.expiry
        if entry.packs is None:
            data["units"] = entry.units
        else:
            data["packs"] = {"count": entry.packs[0], "size": entry.packs[1]}
        found.append(
            {"v": 1, "kind": "stock.receive", "key": f"list-{name}-{entry.line}", "store": store}
            | {"source": "import", "data": data}
            | dict(more)
        )
    return found


# out


def table_text(columns: Sequence[str] | None, rows: Iterable[Sequence[str | int | None]]) -> str:
    """Return a table as CSV that a spreadsheet opens as what it says and never as a formula.

    Args:
        columns: Its first line; None: it goes on with what was said before.
        rows: Its other lines.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    if columns is not None:
        writer.writerow(columns)
    writer.writerows([[cell_text(cell) for cell in row] for row in rows])
    return out.getvalue()


FORMULA_SIGNS = ("=", "+", "-", "@", "\uff1d", "\uff0b", "\uff0d", "\uff20")
"""A cell of text that begins so is worked out by a spreadsheet; the wide ones too."""


def cell_text(cell: str | int | None) -> str:
    """Return one cell: numbers as they are, text drawn safely, an apostrophe before a formula."""
    if cell is None:
        return ""
    if isinstance(cell, int):
        return str(cell)
    shown = clean_text(cell)
    return f"'{shown}" if shown.startswith(FORMULA_SIGNS) else str(shown)
