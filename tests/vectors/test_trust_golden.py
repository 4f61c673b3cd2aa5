"""The bytes of trust never change silently.

After a change that is meant, and argued in protocols/README.md, write the file anew with

    FIELDMESH_WRITE_VECTORS=1 python -m pytest tests/vectors/test_trust_golden.py

and read the difference before committing it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from protocols.trust.control import Release, decode_control
from protocols.trust.release import opened_keys
from tests.unit.trust_operation import keys
from tests.vectors.trust_samples import HQ, RELEASED, TENT, samples

GOLDEN = Path(__file__).with_name("trust.json")
SAMPLES = {name: raw.hex() for name, raw in samples().items()}

if os.environ.get("FIELDMESH_WRITE_VECTORS"):
    GOLDEN.write_text(json.dumps(SAMPLES, indent=1) + "\n")


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_bytes_are_the_golden_ones(name: str) -> None:
    assert SAMPLES[name] == json.loads(GOLDEN.read_text())[name]


@pytest.mark.parametrize("reader", [TENT, HQ])
def test_the_golden_release_opens_for_its_readers_and_nobody_else(reader) -> None:
    record = decode_control(bytes.fromhex(json.loads(GOLDEN.read_text())["release_to_readers"]))
    assert isinstance(record, Release)

    assert record.sealed_keys.hex() == SAMPLES["release_sealed_keys"]
    assert opened_keys(record, reader) == RELEASED
    assert opened_keys(record, keys("person")) == {}


def test_no_golden_sample_is_left_out() -> None:
    assert set(json.loads(GOLDEN.read_text())) == set(SAMPLES)
