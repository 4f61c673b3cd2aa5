"""Shipments, recalls and cold-chain readings gathered, for `supplies.py`."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from protocols.ids import DocId, SiteId
from protocols.records import arriving, consigned, reading, recall, requisition, shipment
from protocols.records.history import History
from protocols.records.shape import Kind, Row, SubjectKind
from protocols.records.shipping import (
    RequisitionApprove,
    RequisitionPlace,
    ShipmentCancel,
    ShipmentDispatch,
    ShipmentReceive,
    ShipmentReserve,
)

KINDS: tuple[Kind, ...] = (
    recall.KIND,
    requisition.KIND_PLACE,
    requisition.KIND_APPROVE,
    shipment.KIND_RESERVE,
    shipment.KIND_DISPATCH,
    arriving.KIND,
    shipment.KIND_CANCEL,
    reading.KIND,
)

ROW_TABLES: tuple[type[Row], ...] = (
    consigned.ShipmentRow,
    consigned.ShipmentLineRow,
    recall.RecallRow,
    reading.ReadingRow,
)

PROJECT: dict[int, Callable[[History], list[Row]]] = {
    SubjectKind.SHIPMENT: consigned.rows,
    SubjectKind.LOT: lambda history: [*recall.rows(history)],
    SubjectKind.COLD: lambda history: [*reading.rows(history)],
}


def _site(raw: bytes | None) -> str | None:
    return None if raw is None or len(raw) != SiteId.SIZE else str(SiteId(raw))


def _subject(raw: bytes) -> str:
    return str(DocId(raw))


COLUMNS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("shipment", "shipment"): _subject,
    ("shipment", "donor"): _site,
    ("shipment", "to_store"): _site,
    ("shipment_line", "shipment"): _subject,
    ("recall", "recall"): _subject,
    ("reading", "unit_id"): _subject,
    ("reading", "store"): _site,
    ("reading", "source"): str,
    ("reading", "run"): lambda raw: [
        [each.minute, each.tenths] for each in reading.readings_in(raw)
    ],
}

_SAID: dict[type, Callable[[Any], list[tuple[str, str]]]] = {
    RequisitionPlace: requisition.own_words,
    RequisitionApprove: requisition.own_words,
    ShipmentReserve: consigned.own_words,
    ShipmentDispatch: consigned.own_words,
    ShipmentReceive: consigned.own_words,
    ShipmentCancel: consigned.own_words,
    recall.LotRecall: recall.own_words,
    reading.ReadingRecord: reading.own_words,
}


def own_words(record: Any) -> list[tuple[str, str]]:
    """Return what such a record says, as (catalogue key, text) pairs; [] for any other."""
    say = _SAID.get(type(record))
    return [] if say is None else say(record)
