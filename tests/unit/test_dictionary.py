"""The preset dictionary: what it is made of, and that nobody changed it by accident."""

import subprocess
import sys
from pathlib import Path

from protocols.feeds.dictionary import FIRST, STORED, deflate, inflate

ROOT = Path(__file__).resolve().parents[2]


def test_dictionary_is_what_its_script_makes():
    made = subprocess.run(
        [sys.executable, str(ROOT / "scripts/dictionary.py")], capture_output=True, cwd=ROOT
    )

    assert made.returncode == 0, made.stdout


def test_a_body_longer_than_the_window_comes_back():
    plain = b"".join(number.to_bytes(3) for number in range(12_000))

    assert inflate(*deflate(plain)) == plain


def test_what_would_grow_is_stored():
    plain = bytes(range(200, 216))

    assert deflate(plain) == (STORED, plain)


def test_the_frame_of_a_usual_record_costs_few_bytes():
    dependency = bytes(range(130, 146))
    plain = b"\x00\x01" + dependency + b"\x01\x20\x05\x94\xc0\x90\x03\x61"

    dictionary, packed = deflate(plain)

    assert dictionary == FIRST
    assert len(packed) < len(plain)
