"""Taking everything back: a casualty entered by mistake leaves the board."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from protocols.ledger import reading
from protocols.ledger.book import Ledger
from protocols.ledger.founding import found_book
from protocols.ledger.recording import Answer, Recorder
from protocols.ledger.store import open_memory

AT_MS = 1_790_000_000_000


def book() -> tuple[Ledger, Recorder, Random]:
    chance = Random(1)
    ledger = found_book(
        open_memory(),
        name="Tent A",
        org="Team",
        jurisdiction="",
        hq=False,
        entropy=chance.randbytes,
        wall_ms=AT_MS,
    )
    return ledger, Recorder(ledger), chance


def write(recorder: Recorder, chance: Random, **line: Any) -> Answer:
    answers, *_ = recorder.record(
        [{"v": 1, "key": chance.randbytes(8).hex(), **line}], AT_MS, chance.randbytes
    )
    assert answers[0].ok, answers[0]
    return answers[0]


@pytest.mark.safety(19)
def test_a_casualty_taken_back_leaves_the_board():
    ledger, recorder, chance = book()
    triage = write(recorder, chance, kind="triage.record", data={"category": "red", "tag": "T1"})
    assert reading.board(ledger, 0, 50)[0] == 1

    for fact in triage.facts:
        write(recorder, chance, kind="entry.retract", data={"fact": fact}, reason="wrong tag")

    assert reading.board(ledger, 0, 50) == (0, {}, [])


def test_a_triage_taken_back_ends_the_stay_it_began_but_not_the_patient():
    ledger, recorder, chance = book()
    patient = write(recorder, chance, kind="patient.register", data={"family_name": "Haddad"})
    triage = write(
        recorder, chance, kind="triage.record", patient=patient.id, data={"category": "green"}
    )

    for fact in triage.facts:
        write(recorder, chance, kind="entry.retract", data={"fact": fact}, reason="wrong patient")

    assert reading.board(ledger, 0, 50)[0] == 0
    assert [row.name for row in reading.search(ledger, "haddad", 5)] == ["Haddad"]
