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

from tests.vectors.trust_samples import samples

GOLDEN = Path(__file__).with_name("trust.json")
SAMPLES = {name: raw.hex() for name, raw in samples().items()}

if os.environ.get("FIELDMESH_WRITE_VECTORS"):
    GOLDEN.write_text(json.dumps(SAMPLES, indent=1) + "\n")


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_bytes_are_the_golden_ones(name: str) -> None:
    assert SAMPLES[name] == json.loads(GOLDEN.read_text())[name]


def test_no_golden_sample_is_left_out() -> None:
    assert set(json.loads(GOLDEN.read_text())) == set(SAMPLES)
