"""SpO2 is scored on scale 2 only where a person chose that and signed it (SAFETY 7)."""

import tomllib

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ledger import practice
from protocols.live import answers, charters, observing, wards
from protocols.live.api import BoardLine
from protocols.mesh.effects import Now
from protocols.records.answer import Answer
from protocols.records.catalogue import decode_fact
from protocols.records.kinds import KindNo
from tests.unit.people import LOGISTICIAN, enrol, founder, profile, sit, write
from tests.unit.records_shelf import Shelf
from tests.unit.stage import WALL_MS, line
from tests.unit.test_watch import looked, measured, taken

ANN, BEN, NOBODY = (7, b"anna"), (9, b"benn"), (0, b"")


def shelf_with(patient="B12"):
    shelf = Shelf()
    shelf.session = ANN
    return shelf, shelf.write("patient.register", {"tags": [patient]}).subject


def choose(shelf, scale, who=ANN):
    before, shelf.session = shelf.session, who
    done = shelf.write("observation.scale", {"scale": scale}, patient={"tag": "B12"})
    shelf.session = before
    return done


def scale_of(shelf, patient):
    return {row.scale for row in shelf.table(patient, "spo2_scale") if row.used} or {1}


def differing(shelf, patient):
    return [row for row in shelf.table(patient, "conflict") if row.of_what == "spo2-scale"]


@pytest.mark.safety(7)
@pytest.mark.parametrize(("spo2", "usual", "second"), [("91", 3, 0), ("87", 3, 1), ("98", 0, 0)])
def test_safety_7_scale_2_scores_only_where_it_was_chosen(spo2, usual, second):
    low = taken(1_000, spo2=(spo2, "%"))

    assert (looked(*low).score, looked(*low).scale) == (usual, 1)
    assert (looked(*low, scale=2).score, looked(*low, scale=2).scale) == (second, 2)


@pytest.mark.safety(7)
def test_safety_7_on_scale_2_oxygen_scores_a_high_saturation():
    on_oxygen = taken(1_000, spo2=("97", "%"), oxygen=("2", "L/min"))

    assert looked(*on_oxygen, scale=2).score > looked(*on_oxygen).score


def test_a_choice_holds_until_the_next_one_or_until_it_is_taken_back():
    shelf, patient = shelf_with()
    assert scale_of(shelf, patient) == {1}
    first = choose(shelf, 2)
    assert scale_of(shelf, patient) == {2}
    shelf.write("entry.retract", {"fact": first.fact}, reason="another patient")
    assert scale_of(shelf, patient) == {1}
    choose(shelf, 2)
    choose(shelf, 1, BEN)
    assert scale_of(shelf, patient) == {1}
    assert not differing(shelf, patient)


@pytest.mark.safety(7)
def test_safety_7_what_nobody_identified_chose_holds_nowhere():
    shelf, patient = shelf_with()
    choose(shelf, 2, NOBODY)

    assert scale_of(shelf, patient) == {1}


def test_two_who_chose_differently_apart_are_unsettled_and_scale_1_is_used_until_one_chooses():
    here, patient = shelf_with()
    there = Shelf("b")
    there.receive(here)
    choose(here, 2)
    choose(there, 1, BEN)
    here.receive(there)
    there.receive(here)

    for shelf in (here, there):
        assert scale_of(shelf, patient) == {1}
        assert {(row.value, row.used) for row in differing(shelf, patient)} == {
            ("spo2-scale-1", 1),
            ("spo2-scale-2", 0),
        }
        assert shelf.patient(patient).unsettled == 1
    choose(here, 2)
    there.receive(here)
    assert scale_of(there, patient) == {2}
    assert not differing(there, patient)


def test_one_side_is_kept_by_a_choice_of_its_own():
    here, patient = shelf_with()
    there = Shelf("b")
    there.receive(here)
    second = choose(here, 2)
    choose(there, 1, BEN)
    here.receive(there)
    data = {"attribute": "condition", "keep": second.fact}
    here.session = ANN
    here.write("conflict.settle", data, patient={"tag": "B12"}, reason="seen")

    assert scale_of(here, patient) == {2}
    assert not differing(here, patient)


def test_two_who_chose_alike_apart_have_both_chosen_and_nothing_is_unsettled():
    here, patient = shelf_with()
    there = Shelf("b")
    there.receive(here)
    choose(here, 2)
    choose(there, 2, BEN)
    here.receive(there)

    assert scale_of(here, patient) == {2}
    assert not differing(here, patient)


@given(st.integers(-9, 2**33))
def test_a_scale_that_is_neither_1_nor_2_holds_nowhere(number):
    record = decode_fact(KindNo.OBSERVATION_SCALE, msgspec.msgpack.encode([None, [], number]))

    assert (record is not None) is (0 <= number < 2**31)
    shelf, patient = shelf_with()
    choose(shelf, 2)
    last = shelf.facts_by_subject[patient][-1]
    if record is not None and number not in (1, 2):
        shelf.facts_by_subject[patient][-1] = msgspec.structs.replace(last, record=record)
        assert scale_of(shelf, patient) == {1}


# In a book


def come(ann, sitting) -> Answer:
    made, *_ = write(ann, sitting, line("patient.register", {"family_name": "Awa"}))
    more = (
        line("encounter.open", {}, patient=made.code),
        line("patient.identify", {"age": {"value": "40", "unit": "y"}}, patient=made.code),
        measured(made.code, "low", spo2=("91", "%")),
    )
    assert all(each.ok for each in write(ann, sitting, *more))
    return made


def board_line(ann) -> BoardLine:
    ann.ledger.catch_up_all()
    (found,) = wards.board(ann.ledger, 0, 9, "", WALL_MS).lines
    return found


@pytest.mark.safety(7)
def test_safety_7_board_chart_and_measurements_say_who_chose():
    ann = founder()
    enrol(ann)
    sitting = sit(ann)
    made = come(ann, sitting)
    before = board_line(ann)
    assert (before.score, before.scale2_by) == (3, "")
    (done,) = write(ann, sitting, line("observation.scale", {"scale": 2}, patient=made.code))
    after = board_line(ann)

    assert (after.score, after.scale2_by, after.scale2_ms) == (0, "Amina Okoro", WALL_MS)
    chart = answers.chart(ann.ledger, after.patient, 0, 50, WALL_MS)
    assert (chart.head.scale2_by, chart.head.score, chart.in_care) == ("Amina Okoro", 0, True)
    assert ("spo2-scale", "2") in chart.lines[0].summary
    now = Now(WALL_MS, WALL_MS, ann.chance.randbytes)
    told = observing.observed(ann.node, now, {"patient": after.patient}, opened=lambda _: True)
    assert told.head.scale2_by == "Amina Okoro"
    write(ann, sitting, line("entry.retract", {"fact": done.facts[0]}, reason="somebody else"))
    assert (board_line(ann).score, board_line(ann).scale2_by) == (3, "")


@pytest.mark.safety(7)
def test_safety_7_nobody_chooses_it_unidentified_and_no_role_that_lists_kinds_without_it():
    ann = founder()
    enrol(ann)
    enrol(ann, profile("Luis Mbeki"), (LOGISTICIAN,))
    made = come(ann, sit(ann))
    chosen = line("observation.scale", {"scale": 2}, patient=str(made.patient or made.code))
    (nobody,) = write(ann, None, chosen)
    clerk = sit(ann, 2)
    gate = practice.gate(ann.ledger, clerk, int(KindNo.OBSERVATION_SCALE), WALL_MS)
    (refused,) = write(ann, clerk, chosen)

    assert (nobody.ok, nobody.error) == (False, "person_needed")
    assert gate.reason == "role_refused"
    assert "role_refused" in refused.warnings
    assert board_line(ann).scale2_by == ""


@pytest.mark.safety(7)
def test_safety_7_the_vocabulary_of_a_charter_lets_a_clinician_choose_and_a_nurse_not():
    roles = {
        role["name"]: role["kinds"] for role in tomllib.loads(charters.TERMS.read_text())["role"]
    }

    assert roles["clinician"] == "all"
    assert [name for name, kinds in roles.items() if "observation.scale" in kinds] == []
