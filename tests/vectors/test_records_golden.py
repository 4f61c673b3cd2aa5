"""The bytes of what people write down about care never change silently.

After a change that is meant, such as a new field at an end, write the file anew with

    FIELDMESH_WRITE_VECTORS=1 python -m pytest tests/vectors/test_records_golden.py

and read the difference before committing it: lines may be added, none may differ.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from protocols.records import care, immunization
from protocols.records.catalogue import decode_fact
from protocols.records.kinds import KindNo
from tests.vectors.records_samples import VALUES, samples

STORES = {*range(KindNo.STOCK_RECEIVE, KindNo.LOT_RELEASE + 1), KindNo.STOCK_SETTLE}

GOLDEN = Path(__file__).with_name("records.json")
SAMPLES = {name: raw.hex() for name, raw in samples().items()}

if os.environ.get("FIELDMESH_WRITE_VECTORS"):
    GOLDEN.write_text(json.dumps(SAMPLES, indent=1) + "\n")

HELD = {name: bytes.fromhex(text) for name, text in json.loads(GOLDEN.read_text()).items()}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_bytes_are_the_golden_ones_and_read_back(name: str) -> None:
    kind, value = VALUES[name]

    assert SAMPLES[name] == HELD[name].hex()
    assert decode_fact(kind, HELD[name]) == value


def test_every_kind_of_care_has_a_sample_and_none_is_left_out() -> None:
    assert set(HELD) == set(SAMPLES)
    assert {kind for kind, _ in VALUES.values()} >= {kind.number for kind in care.KINDS}
    assert {kind for kind, _ in VALUES.values()} >= STORES
    assert {kind for kind, _ in VALUES.values()} >= {kind.number for kind in immunization.KINDS}
