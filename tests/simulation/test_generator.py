"""Invented work: the same seed the same lines, every patient reachable by tag."""

from __future__ import annotations

import json
from itertools import islice

from protocols.sim.generator import Workload


def test_the_same_seed_writes_the_same_lines_and_another_does_not():
    first, again, other = (list(Workload(seed, "a").lines(200)) for seed in (7, 7, 8))

    assert first == again != other


def test_every_line_has_its_own_key_and_two_writers_never_share_one():
    keys = [line["key"] for name in "ab" for line in Workload(1, name).lines(200)]

    assert len(set(keys)) == 400


def test_care_is_only_ever_written_for_a_patient_registered_before():
    seen = set()
    for line in Workload(3, "a").lines(500):
        if line["kind"] == "patient.register":
            seen |= set(line["data"]["tags"])
        else:
            assert line["patient"]["tag"] in seen


def test_histories_register_everybody_and_let_other_devices_edit_each_five_times():
    lines = list(Workload(1, "h").histories(40, edits=5, devices=4))

    homes = {line["data"]["tags"][0]: device for device, line in islice(lines, 40)}
    edits = [(device, line["patient"]["tag"]) for device, line in lines[40:]]
    assert len(homes) == 40
    assert len(edits) == 200
    assert all(homes[tag] != device for device, tag in edits)


def test_a_registration_states_twenty_five_attributes():
    data = Workload(1, "a").register()["data"]

    assert (
        sum(len(value) if key in ("next_of_kin", "consent") else 1 for key, value in data.items())
        == 25
    )


def test_the_canary_is_in_names_notes_and_problems_and_nowhere_without_one():
    marked = [json.dumps(line) for line in Workload(1, "a", canary="Qan").lines(300)]
    plain = [json.dumps(line) for line in Workload(1, "a").lines(300)]

    for line in marked:
        if any(kind in line for kind in ("patient.register", "note.add", "triage.record")):
            assert "Qan" in line
    assert not any("Qan" in line for line in plain)
