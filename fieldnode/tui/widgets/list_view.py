"""Drawing a list: a title row, rows, and what to say when there is none."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import NamedTuple, TypeVar

from fieldnode.tui.cores.display import Line, Size, Span, cells, cut, fill, fit, line
from fieldnode.tui.cores.list import ListCore

Row = TypeVar("Row")

ROWS_KEPT = 256
"""Rows laid out that are kept: a list that goes on by a row shows all others again."""


class Column(NamedTuple):
    """One column of a table."""

    title: str
    width: int
    """Cells; 0 for the last one, which takes the rest."""


def draw_list(
    rows: ListCore[Row],
    columns: Sequence[Column],
    cells_of: Callable[[Row], Sequence[Span]],
    size: Size,
    empty: str,
) -> list[Line]:
    """Return title and rows in exactly `size.height` lines; the selected row in reverse."""
    rows.resize(size.height - 1)
    lines = [table_row([Span(column.title, "label") for column in columns], columns, " ")]
    for index, row in rows.visible():
        spans = [Span("…", "dim")] if row is None else cells_of(row)
        chosen = index == rows.index
        drawn = table_row(spans, columns, ">" if chosen else " ")
        lines.append(_selected(fill(drawn, size.width)) if chosen else drawn)
    if rows.total == 0:
        lines.append(line("  ", Span(empty, "dim")))
    return lines + [()] * (size.height - len(lines))


def table_row(spans: Sequence[Span], columns: Sequence[Column], mark: str) -> Line:
    """Return one row: each span cut or padded to its column."""
    return _laid_out(tuple(spans), tuple(columns), mark)


@lru_cache(ROWS_KEPT)
def _laid_out(spans: tuple[Span, ...], columns: tuple[Column, ...], mark: str) -> Line:
    parts: list[Span] = [Span(mark)]
    for span, column in zip(spans, columns, strict=False):
        parts.append(Span(fit(span.text, column.width) if column.width else span.text, span.role))
        parts.append(Span(" "))
    return tuple(parts)


def draw_counts(parts: Sequence[Span], width: int) -> Line:
    """Return words side by side, as many as fit."""
    found: list[Span] = [Span(" ")]
    used = 1
    for part in parts:
        if used + cells(part.text) + 3 > width:
            break
        found += [Span(cut(part.text, width), part.role), Span("   ")]
        used += cells(part.text) + 3
    return tuple(found)


def _selected(spans: Line) -> Line:
    """Return the line as the selected one; categories keep their word and number."""
    return tuple(Span(span.text, f"select_{span.role}") for span in spans)
