"""What a line of each kind may hold, as a JSON Schema of the whole line."""

from __future__ import annotations

from typing import Any

import msgspec

from protocols.guidelines.observations import observations
from protocols.guidelines.vocabulary import rows_of
from protocols.records.catalogue import BY_NAME
from protocols.records.commands import LINE_VERSION, Line
from protocols.records.encounter import syndromes
from protocols.records.shape import Kind

DIALECT = "https://json-schema.org/draft/2020-12/schema"
"""Which words a schema is written in; nothing is fetched from there."""


def schemas() -> dict[str, dict[str, Any]]:
    """Return a JSON Schema of the line of each kind that a line may carry, by name."""
    return {kind.name: _of_line(kind) for kind in BY_NAME.values() if kind.data is not None}


def _of_line(kind: Kind) -> dict[str, Any]:
    (line, own), parts = msgspec.json.schema_components(
        (Line, kind.data), ref_template="#/$defs/{name}"
    )
    whole = parts.pop(_name(line))
    fields: dict[str, Any] = whole["properties"]
    fields["v"] = {"const": LINE_VERSION}
    fields["kind"] = {"const": kind.name}
    fields["data"] = own
    if not kind.stores:
        fields["store"] = {"type": "null"}
    needed = ["data"] if parts[_name(own)]["required"] else []
    found: dict[str, Any] = _listed(
        {
            "$schema": DIALECT,
            **whole,
            "title": kind.name,
            "required": [*whole["required"], *needed],
            "$defs": parts,
        }
    )
    return found


def _name(form: dict[str, Any]) -> str:
    reference: str = form["$ref"]
    return reference.rpartition("/")[2]


def _listed(form: Any) -> Any:
    """Return a schema with the rows of a room wherever only its name stands."""
    if isinstance(form, list):
        return [_listed(part) for part in form]
    if not isinstance(form, dict):
        return form
    found = {name: _listed(part) for name, part in form.items()}
    if isinstance(found.get("enum"), str):
        found["enum"] = _rows(found["enum"])
    return found


def _rows(room: str) -> list[str]:
    if room == "observation":
        known = observations().observation
        return list(dict.fromkeys(word for row in known for word in (row.name, row.loinc) if word))
    if room == "syndrome":
        return list(syndromes())
    return [row.name for row in rows_of(room)]
