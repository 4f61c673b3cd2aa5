"""Every kind of fact by number and by name, and its bytes."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec.structs import astuple

from protocols.ids import DocId
from protocols.records import (
    acceptance,
    barcode,
    care,
    confirmation,
    correction,
    counted,
    document,
    encounter,
    immunization,
    note,
    observation,
    pack,
    patient,
    protection,
    site,
    supplies,
    triage,
)
from protocols.records.nesting import too_deep
from protocols.records.projection import ROW_TABLES, project
from protocols.records.shape import Kind, Statement

__all__ = ["BY_NAME", "BY_NUMBER", "KINDS", "ROW_TABLES", "decode_fact", "encode_fact", "project"]

KINDS: tuple[Kind, ...] = (
    document.KIND,
    patient.KIND_REGISTER,
    patient.KIND_IDENTIFY,
    patient.KIND_LINK,
    patient.KIND_UNLINK,
    encounter.KIND_OPEN,
    encounter.KIND_MOVE,
    encounter.KIND_CLOSE,
    triage.KIND,
    confirmation.KIND,
    observation.KIND,
    observation.KIND_ASSIGN,
    acceptance.KIND,
    note.KIND,
    site.KIND,
    correction.KIND_RETRACT,
    correction.KIND_SETTLE,
    counted.KIND,
    protection.KIND,
    pack.KIND_PUBLISH,
    pack.KIND_APPROVE,
    pack.KIND_USE,
    barcode.KIND,
    *care.KINDS,
    *supplies.KINDS,
    *immunization.KINDS,
)
BY_NUMBER: dict[int, Kind] = {kind.number: kind for kind in KINDS}
BY_NAME: dict[str, Kind] = {kind.name: kind for kind in KINDS if kind.name}

VALUE_BYTES_MAX = 40 * 1024
"""Longest value that is read; an entry holds 48 KiB."""

_DECODE = {kind.number: msgspec.msgpack.Decoder(kind.value).decode for kind in KINDS}
_ENCODE = msgspec.msgpack.Encoder().encode


def decode_fact(kind: int, value: bytes) -> Statement | None:
    """Return a fact's value, or None when this software cannot read it; never raises."""
    reader = _DECODE.get(kind)
    if reader is None or len(value) > VALUE_BYTES_MAX or too_deep(value):
        return None
    try:
        return reader(value)
    except (msgspec.DecodeError, ValueError, RecursionError, OverflowError):
        return None


def encode_fact(kind: int, value: Statement, document: DocId | None = None) -> bytes:
    """Return a fact's value as it is signed, without trailing fields that hold their default.

    Args:
        kind: Its number; the value has that kind's type.
        value: What is written.
        document: The document it goes into; None when the entry starts one. A reference to the
            entry that started the document is shortened to an empty prefix.
    """
    assert type(value) is BY_NUMBER[kind].value
    if document is not None and value.supersedes:
        short = tuple(
            (b"" if prefix == document else prefix, index) for prefix, index in value.supersedes
        )
        value = msgspec.structs.replace(value, supersedes=short)
    return _ENCODE(_trimmed(value))


_DEFAULTS: dict[type[msgspec.Struct], tuple[Any, ...]] = {}


def _trimmed(value: Any) -> Any:
    """Return plain lists for structs, without fields at the end that hold their default."""
    if isinstance(value, msgspec.Struct):
        kind = type(value)
        defaults = _DEFAULTS.get(kind)
        if defaults is None:
            defaults = _DEFAULTS[kind] = tuple(
                field.default_factory()
                if field.default is msgspec.NODEFAULT
                and field.default_factory is not msgspec.NODEFAULT
                else field.default
                for field in msgspec.structs.fields(kind)
            )
        items = list(astuple(value))
        while items and items[-1] == defaults[len(items) - 1]:
            items.pop()
        return [_trimmed(item) for item in items]
    if isinstance(value, dict):
        return {key: _trimmed(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_trimmed(item) for item in value]
    return bytes(value) if isinstance(value, bytes) else value
