"""What one command costs the disk: pages that a commit writes, and one transaction of them."""

from __future__ import annotations

import os
import struct
from collections.abc import Iterator
from pathlib import Path

import pytest

from protocols.ledger.book import Ledger
from protocols.ledger.recording import Recorder
from tests.unit.folders import WALL_MS, made, opened, record
from tests.unit.stage import Line, note, patient, triage

_LOG_HEAD, _FRAME_HEAD = 32, 24
"""Bytes before the first frame of a write-ahead log, and before the page of each."""


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    ledger = opened(made(tmp_path / "node"))
    record(ledger, *range(60))
    yield ledger
    ledger.close()


def pages(ledger: Ledger, line: Line) -> int:
    """Pages that are written when a line is recorded, in the one commit there has to be."""
    store = ledger.store
    assert store.path is not None and store.checkpoint()
    (answer,), *_ = Recorder(ledger).record([line], WALL_MS, os.urandom)
    assert answer.ok, answer
    assert store.log is not None
    raw = store.path.with_name(store.path.name + "-wal").read_bytes()[: store.log.used()]
    (page,) = struct.unpack(">I", raw[8:12])
    heads = range(_LOG_HEAD, len(raw), page + _FRAME_HEAD)
    ends = [struct.unpack(">I", raw[at + 4 : at + 8])[0] > 0 for at in heads]
    assert sum(ends) == 1 and ends[-1]
    return len(ends)


def code(ledger: Ledger) -> str:
    (found,) = ledger.store.one("SELECT code FROM patient ORDER BY code LIMIT 1") or ("",)
    return str(found)


def test_one_of_many_notes_about_a_known_patient_changes_six_pages(ledger: Ledger) -> None:
    counted = sorted(pages(ledger, note(code(ledger), f"{number}")) for number in range(9))
    assert counted[4] <= 6


def test_a_registration_and_a_triage_change_few_pages(ledger: Ledger) -> None:
    begun = sorted(pages(ledger, patient(f"Binta {number}")) for number in range(9))
    triaged = sorted(pages(ledger, triage(code(ledger), "red")) for _ in range(9))
    assert begun[4] <= 16 and triaged[4] <= 9
    assert ledger.store.one("SELECT count(*) FROM subject WHERE dirty = 1") == (0,)
