"""What the ward board costs: what its ward holds, and not what the book does."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import pytest

from hq import queries
from protocols.ledger import reading
from protocols.ledger.recording import Answer
from protocols.ledger.store import Store
from tests.unit.stage import WALL_MS, Device, Line, fill, patient

STEPS_EVERY = 10
"""The database counts its steps in tens."""


@contextmanager
def steps(store: Store) -> Iterator[list[int]]:
    """Count what the database does, in tens of steps of its own machine."""
    counted = [0]

    def step() -> int:
        counted[0] += 1
        return 0

    store.connection.set_progress_handler(step, STEPS_EVERY)
    yield counted
    store.connection.set_progress_handler(None, STEPS_EVERY)


def record(device: Device, line: Line) -> list[Answer]:
    answers, _, _ = device.node._recorder.record([line], WALL_MS, device.chance.randbytes)
    assert answers[0].ok, answers
    return answers


def ward_of_one(left: int) -> Device:
    """A device with one patient in care, who came last, and others who are not."""
    ann = Device.found("ann")
    fill(ann, left)
    (awa,) = record(ann, patient("Awa") | {"key": "awa"})
    stay = {"v": 1, "kind": "encounter.open", "key": "stay", "data": {"class": "emergency"}}
    record(ann, stay | {"patient": awa.code})
    return ann


def test_a_board_costs_the_same_however_many_have_left():
    costs = []
    for left in (20, 200):
        ann = ward_of_one(left)
        with steps(ann.store) as counted:
            total, counts, rows = reading.board(ann.ledger, 0, 64)
        assert (total, counts, [row.name for row in rows]) == (1, {"none": 1}, ["Awa"])
        costs += counted

    assert costs[1] <= costs[0] + 2


@pytest.mark.parametrize("name", ["CARE", "UNSEEN", "SHARED_TAGS", "PATIENT_COUNT", "PATIENTS"])
def test_pages_ask_for_those_in_care_alone(name):
    asked: str = getattr(queries, name)
    values: Mapping[str, Any] = dict.fromkeys(re.findall(r":(\w+)", asked), 1)

    plan = Device.found("ann").store.connection.execute(f"EXPLAIN QUERY PLAN {asked}", values)

    assert any("patient_in_care" in step[3] for step in plan)
