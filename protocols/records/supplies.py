"""The families of supplies gathered: what catalogue, projection and words take of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from protocols.records import allotment, breaking, lots, moving, stock, stocktake, witnessing
from protocols.records.history import History
from protocols.records.shape import Kind, Row, SubjectKind

KINDS: tuple[Kind, ...] = (
    *moving.KINDS,
    breaking.KIND,
    *stocktake.KINDS,
    allotment.KIND,
    lots.KIND_QUARANTINE,
    lots.KIND_RELEASE,
    witnessing.KIND,
)

ROW_TABLES: tuple[type[Row], ...] = stock.ROW_TABLES

PROJECT: dict[int, Callable[[History], list[Row]]] = {SubjectKind.STOCK: stock.rows}
"""The rows of each kind of subject."""

COLUMNS: dict[tuple[str, str], Callable[[Any], Any]] = stock.COLUMNS
"""How a column is told to another program, by table and column, where it is not told as it is."""


def own_words(record: Any) -> list[tuple[str, str]]:
    """Return what a record of supplies says, as (catalogue key, text) pairs; [] for any other."""
    return stock.own_words(record)
