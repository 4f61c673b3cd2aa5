"""SAFETY, *Doses and guidelines*: what no older test says of rules 8 to 12."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

import pytest

PACKS = sorted(
    (pack for pack in (files("protocols.guidelines") / "packs").iterdir()),
    key=lambda pack: pack.name,
)


def inside(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        for part in value.values():
            yield from inside(part)
    elif isinstance(value, list):
        for part in value:
            yield from inside(part)


@pytest.mark.safety(8)
@pytest.mark.parametrize("pack", PACKS, ids=lambda pack: pack.name)
def test_safety_08_no_pack_ships_approved_and_each_names_its_source_and_status(pack):
    content = tomllib.loads(pack.read_text("utf-8"))
    head = content["pack"]

    assert head["approved_by"] == ""
    assert head["source"]
    statuses = {part["status"] for part in inside(content) if "status" in part}
    assert statuses <= {"verified", "memory"}
    assert head["status"] in statuses
    assert not any(part.get("approved_by") for part in inside(content))
