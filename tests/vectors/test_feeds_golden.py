"""The bytes of feeds and frames never change silently.

After a change that is meant, and argued in protocols/README.md, write the file anew with

    FIELDMESH_WRITE_VECTORS=1 python -m pytest tests/vectors/test_feeds_golden.py

and read the difference before committing it.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from protocols.feeds.dictionary import FIRST, inflate
from protocols.feeds.entry import HEADER, open_body
from protocols.feeds.feed import decode_genesis
from protocols.feeds.run import decode_run
from protocols.mesh.frames import decode_frame, encode_frame
from tests.vectors.feeds_samples import DEFLATED, DEFLATED_MEANS, KEY, PLAIN, samples

GOLDEN = Path(__file__).with_name("feeds.json")
SAMPLES = {name: raw.hex() for name, raw in samples().items()}

if os.environ.get("FIELDMESH_WRITE_VECTORS"):
    GOLDEN.write_text(json.dumps(SAMPLES, indent=1) + "\n")

HELD = {name: bytes.fromhex(text) for name, text in json.loads(GOLDEN.read_text()).items()}


@pytest.mark.parametrize("name", sorted(SAMPLES))
def test_the_bytes_are_the_golden_ones(name: str) -> None:
    assert SAMPLES[name] == HELD[name].hex()


def test_no_golden_sample_is_left_out() -> None:
    assert set(HELD) == set(SAMPLES)


def test_the_golden_bytes_read_back() -> None:
    for name in ("run", "run without bodies", "control run"):
        run, end = decode_run(HELD[name], 0, lambda _: None, lambda *_: None)
        assert end == len(HELD[name]) and run.lines[0].seq == 1
    genesis = decode_genesis(HELD["genesis"])
    before = HELD["entry hash"]
    run, _ = decode_run(
        HELD["run from the middle"], 0, lambda _: genesis, lambda _, seq, stub: before
    )
    assert run.lines[-1].signature == HELD["signature"]
    assert open_body(HELD["header"], HELD["sealed body"], KEY) == PLAIN
    assert HEADER.unpack(HELD["header"])[4] == 1
    for name, raw in HELD.items():
        if name.startswith("frame "):
            assert encode_frame(decode_frame(raw)) == raw


def test_what_another_compressor_made_means_the_same() -> None:
    assert inflate(FIRST, DEFLATED) == DEFLATED_MEANS
