"""The families of supplies gathered: what catalogue, projection and words take of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from protocols.records import (
    allotment,
    breaking,
    consigned,
    drawing,
    drawn,
    logistics,
    lots,
    movement,
    moving,
    recall,
    stock,
    stocktake,
    witnessing,
)
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.shape import Kind, Row, SubjectKind

KINDS: tuple[Kind, ...] = (
    *moving.KINDS,
    breaking.KIND,
    *stocktake.KINDS,
    allotment.KIND,
    lots.KIND_QUARANTINE,
    lots.KIND_RELEASE,
    witnessing.KIND,
    *logistics.KINDS,
)

ROW_TABLES: tuple[type[Row], ...] = (*stock.ROW_TABLES, *logistics.ROW_TABLES)

PROJECT: dict[int, Callable[[History], list[Row]]] = {
    SubjectKind.STOCK: stock.rows,
    **logistics.PROJECT,
}
"""The rows of each kind of subject."""

COLUMNS: dict[tuple[str, str], Callable[[Any], Any]] = {**stock.COLUMNS, **logistics.COLUMNS}
"""How a column is told to another program, by table and column, where it is not told as it is."""

movement.FOLLOWERS[KindNo.ADMINISTRATION_RECORD] = drawn.follow
movement.FOLLOWERS.update(consigned.FOLLOWERS)
if recall.refuse not in drawing.REFUSALS:
    drawing.REFUSALS.append(recall.refuse)


def own_words(record: Any) -> list[tuple[str, str]]:
    """Return what a record of supplies says, as (catalogue key, text) pairs; [] for any other."""
    return stock.own_words(record) or logistics.own_words(record)
