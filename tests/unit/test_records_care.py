"""Stays, triage, observations, notes and sites."""

from __future__ import annotations

import pytest

from protocols.feeds.lane import Lane
from protocols.ids import EncounterId, SiteId
from protocols.records.kinds import KindNo
from tests.unit.records_shelf import Shelf


def in_care(shelf: Shelf, **stay: str) -> str:
    patient = shelf.write("patient.register", {"tags": ["B12"]}).id
    shelf.write("encounter.open", stay, patient=patient)
    return patient


def test_a_tag_and_a_category_are_enough_for_a_new_casualty():
    shelf = Shelf()

    written = shelf.write("triage.record", {"category": "red"}, patient={"tag": "C07"})

    row = shelf.patient(written.subject)
    assert (row.tag, row.triage, row.triage_open, row.urgent) == ("C07", 1, 0, 1)
    assert row.code
    assert row.encounter == written.subject
    assert written.plan.drafts[0].lane == Lane.URGENT


def test_the_same_tag_again_is_a_new_triage_of_the_same_casualty():
    shelf = Shelf()
    first = shelf.write("triage.record", {"category": "red"}, patient={"tag": "C07"})

    again = shelf.write("triage.record", {"category": "yellow"}, patient={"tag": "C07"})

    assert again.subject == first.subject
    assert shelf.patient(first.subject).triage == 2
    assert [row.replaced for row in shelf.table(first.subject, "triage")] == [1, 0]
    assert shelf.sizes[KindNo.TRIAGE_RECORD] <= 10


@pytest.mark.safety(11)
@pytest.mark.parametrize(
    ("one", "other", "used", "reassess"),
    [
        ("green", "red", 1, 0),
        ("yellow", "green", 2, 0),
        ("expectant", "green", 3, 1),
        ("dead", "expectant", 4, 1),
        ("red", "dead", 1, 1),
    ],
)
def test_safety_11_the_cautious_category_is_used_while_two_stand(one, other, used, reassess):
    here, there = Shelf("a"), Shelf("b")
    patient = here.write("triage.record", {"category": one}, patient={"tag": "C07"})
    there.receive(here)
    here.write("triage.record", {"category": one}, patient={"tag": "C07"})
    there.write("triage.record", {"category": other}, patient={"tag": "C07"})
    here.receive(there)

    row = here.patient(patient.subject)

    assert (row.triage, row.triage_open, row.reassess) == (used, 1, reassess)
    assert row.unsettled == 1


def test_a_triage_conflict_is_settled_in_the_urgent_lane():
    here, there = Shelf("a"), Shelf("b")
    patient = here.write("triage.record", {"category": "green"}, patient={"tag": "C07"})
    there.receive(here)
    here.write("triage.record", {"category": "green"}, patient={"tag": "C07"})
    there.write("triage.record", {"category": "red"}, patient={"tag": "C07"})
    here.receive(there)

    settled = here.write(
        "conflict.settle", {"attribute": "triage", "value": "yellow"}, patient={"tag": "C07"}
    )

    row = here.patient(patient.subject)
    assert (row.triage, row.triage_open) == (2, 0)
    assert settled.plan.drafts[0].lane == Lane.URGENT


def test_a_triage_undone_leaves_the_earlier_one():
    shelf = Shelf()
    patient = shelf.write("triage.record", {"category": "red"}, patient={"tag": "C07"})
    wrong = shelf.write("triage.record", {"category": "dead"}, patient={"tag": "C07"})

    undone = shelf.write("entry.retract", {"fact": wrong.fact}, reason="wrong tag")

    assert shelf.patient(patient.subject).triage == 1
    assert undone.plan.drafts[0].lane == Lane.URGENT


def test_a_bed_can_change_without_touching_the_problem():
    shelf = Shelf()
    patient = in_care(shelf, bed="A3", problem="fell from a roof", **{"class": "emergency"})

    written = shelf.write("encounter.move", {"bed": "B1"}, patient=patient)

    row = shelf.patient(written.subject)
    assert (row.bed, row.problem, row.unsettled) == ("B1", "fell from a roof", 0)


def test_a_closed_stay_leaves_the_board():
    shelf = Shelf()
    patient = in_care(shelf)

    written = shelf.write("encounter.close", {"outcome": "discharged"}, patient=patient)

    assert shelf.patient(written.subject).closed_ms == shelf.now_ms
    assert shelf.open_encounters(shelf.patients_named(patient)[0]) == []


def test_two_different_outcomes_written_apart_are_unsettled():
    here, there = Shelf("a"), Shelf("b")
    patient = in_care(here)
    there.receive(here)
    written = here.write("encounter.close", {"outcome": "discharged"}, patient=patient)
    there.write("encounter.close", {"outcome": "died"}, patient=patient)
    here.receive(there)

    assert here.patient(written.subject).unsettled == 1


def test_a_value_keeps_its_decimals_and_its_unit():
    shelf = Shelf()
    patient = in_care(shelf)

    written = shelf.write(
        "observation.record",
        {"code": "temperature", "value": "37,20", "unit": "°C"},
        patient=patient,
    )

    (row,) = shelf.table(written.subject, "observation")
    assert (row.code, row.value, row.unit) == ("temperature", "37.2", "Cel")
    assert shelf.sizes[KindNo.OBSERVATION_RECORD] <= 20


def test_a_set_of_vitals_is_one_entry():
    shelf = Shelf()
    patient = in_care(shelf)
    vitals = [
        {"code": "heart-rate", "value": "88", "unit": "/min"},
        {"code": "systolic", "absent": "unrecordable"},
        {"code": "consciousness", "value": "voice"},
    ]

    written = shelf.write("observation.record", {"set": vitals}, patient=patient)

    rows = shelf.table(written.subject, "observation")
    assert [(row.code, row.value, row.absent) for row in rows] == [
        ("heart-rate", "88", ""),
        ("systolic", "", "unrecordable"),
        ("consciousness", "voice", ""),
    ]
    assert len({row.entry for row in rows}) == 1


@pytest.mark.safety(5)
@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        ({"code": "temperature", "value": "98.6", "unit": "Cel"}, "looks_fahrenheit", "data.value"),
        ({"code": "temperature", "value": "37", "unit": "F"}, "looks_fahrenheit", "data.unit"),
        ({"code": "temperature", "value": "46", "unit": "Cel"}, "impossible", "data.value"),
        ({"code": "weight", "value": "150", "unit": "lb"}, "unit_refused", "data.unit"),
        ({"code": "muac", "value": "11.5", "unit": "mm"}, "looks_centimetres", "data.value"),
        ({"code": "muac", "value": "11", "unit": "cm"}, "looks_centimetres", "data.unit"),
        ({"code": "glucose", "value": "5.5"}, "missing_field", "data.unit"),
        ({"code": "haemoglobin", "value": "11"}, "missing_field", "data.unit"),
        ({"code": "urine", "value": "4,200", "unit": "mL"}, "grouping_mark", "data.value"),
        ({"code": "urine", "value": "4 200", "unit": "mL"}, "grouping_mark", "data.value"),
        ({"code": "spo2", "value": "101", "unit": "%"}, "impossible", "data.value"),
        ({"code": "weight", "absent": "unrecordable"}, "bad_value", "data.absent"),
        ({"code": "heart-rate"}, "missing_field", "data.value"),
        ({"code": "mood", "value": "1", "unit": "/min"}, "bad_value", "data.code"),
        ({"code": "heart-rate", "value": 88, "unit": "/min"}, "wrong_type", "data.value"),
    ],
)
def test_safety_5_what_cannot_be_is_refused_with_the_reason(data, code, field):
    shelf = Shelf()
    patient = in_care(shelf)

    error = shelf.refused("observation.record", data, patient=patient)

    assert (error.code, error.field) == (code, field)


@pytest.mark.safety(6)
@pytest.mark.parametrize("value", ["0", "300"])
def test_safety_6_a_pulse_of_zero_is_possible_and_asked_about(value):
    shelf = Shelf()
    patient = shelf.write("patient.register", {"age": {"value": "40", "unit": "y"}}).id
    pulse = {"code": "heart-rate", "value": value, "unit": "/min"}

    error = shelf.refused("observation.record", pulse, patient=patient)
    written = shelf.write("observation.record", pulse, patient=patient, confirm=["unusual_value"])

    assert (error.code, error.allowed) == ("confirm_needed", ("35-180 /min",))
    assert written.plan.warnings == ("unusual_value",)


@pytest.mark.safety(5)
def test_a_newborn_is_weighed_in_grams():
    shelf = Shelf()
    patient = shelf.write("patient.register", {"age": {"value": "3", "unit": "d"}}).id

    kilos = {"code": "weight", "value": "3.1", "unit": "kg"}
    grams = {"code": "weight", "value": "3100", "unit": "g"}

    assert shelf.refused("observation.record", kilos, patient=patient).allowed == ("g",)
    written = shelf.write("observation.record", grams, patient=patient)
    assert shelf.table(written.subject, "observation")[0].unit == "g"


@pytest.mark.safety(15)
def test_safety_15_a_device_result_without_a_patient_waits_until_somebody_assigns_it():
    shelf = Shelf()
    patient = in_care(shelf)
    spo2 = {"code": "spo2", "value": "94", "unit": "%"}

    result = shelf.write("observation.record", spo2, source="device", patient={"tag": "Z9"})
    (row,) = shelf.table(result.subject, "observation")
    assert (row.patient, row.unassigned, row.claimed) == (None, 1, "Z9")
    assert result.plan.warnings == ("unassigned",)

    shelf.write("result.assign", {"result": result.fact}, patient=patient)
    (row,) = shelf.table(result.subject, "observation")
    assert (row.patient, row.unassigned) == (shelf.patients_named(patient)[0], 0)


@pytest.mark.safety(15)
def test_a_result_given_to_two_patients_apart_waits_again():
    here, there = Shelf("a"), Shelf("b")
    one, two = here.write("patient.register").id, here.write("patient.register").id
    spo2 = {"code": "spo2", "value": "94", "unit": "%"}
    result = here.write("observation.record", spo2, source="device")
    there.receive(here)
    here.write("result.assign", {"result": result.fact}, patient=one)
    there.write("result.assign", {"result": result.fact}, patient=two)
    here.receive(there)

    assert here.table(result.subject, "observation")[0].unassigned == 1

    here.write("result.assign", {"result": result.fact}, patient=two)
    assert here.table(result.subject, "observation")[0].unassigned == 0


def test_a_typed_observation_needs_its_patient():
    spo2 = {"code": "spo2", "value": "94", "unit": "%"}

    assert Shelf().refused("observation.record", spo2).code == "missing_field"


def test_an_observation_can_be_corrected_by_naming_it():
    shelf = Shelf()
    patient = in_care(shelf)
    wrong = shelf.write(
        "observation.record", {"code": "spo2", "value": "79", "unit": "%"}, patient=patient
    )

    shelf.write(
        "observation.record",
        {"code": "spo2", "value": "97", "unit": "%"},
        patient=patient,
        supersedes=[wrong.fact],
    )

    rows = shelf.table(wrong.subject, "observation")
    assert [(row.value, row.replaced) for row in rows] == [("79", 1), ("97", 0)]


def test_a_note_keeps_its_lines_and_loses_its_escapes():
    shelf = Shelf()
    patient = in_care(shelf)

    written = shelf.write("note.add", {"text": "Slept well.\n\x1b]0;x\x07Dry."}, patient=patient)

    (row,) = shelf.table(written.subject, "note")
    assert row.text == "Slept well.\n]0;xDry."


def test_an_addendum_names_a_fact_of_the_same_patient():
    shelf = Shelf()
    patient = in_care(shelf)
    note = shelf.write("note.add", {"text": "Slept well."}, patient=patient)
    other = shelf.write("patient.register").id

    line = {"text": "Woke at four.", "about": note.fact}
    added = shelf.write("note.add", line, patient=patient)

    assert shelf.table(added.subject, "note")[1].about == note.refs[0].entry + note.refs[
        0
    ].index.to_bytes(2)
    assert shelf.refused("note.add", line, patient=other).code == "wrong_subject"


def test_a_site_is_described_by_several_people():
    shelf = Shelf()
    site = shelf.write("site.register", {"name": "Tent 2", "type": "hospital", "beds": 40})
    name = str(SiteId(site.subject))

    position = {"north": "-3.38193", "east": "29.36142"}
    shelf.write("site.register", {"beds": 60, "position": position}, site=name)

    (row,) = shelf.table(site.subject, "site")
    assert (row.name, row.beds, row.north, row.east) == ("Tent 2", 60, -338193, 2936142)
    assert row.unsettled == 0


def test_a_stay_at_a_site_shows_the_site():
    shelf = Shelf()
    site = shelf.write("site.register", {"name": "Tent 2"})
    patient = shelf.write("patient.register").id

    stay = shelf.write("encounter.open", {"site": str(SiteId(site.subject))}, patient=patient)

    assert shelf.patient(stay.subject).site == site.subject


def test_a_named_encounter_must_be_the_patients():
    shelf = Shelf()
    one, two = in_care(shelf), shelf.write("patient.register").id
    stay = EncounterId(shelf.open_encounters(shelf.patients_named(one)[0])[0])

    error = shelf.refused("note.add", {"text": "x"}, patient=two, encounter=str(stay))

    assert error.code == "wrong_encounter"


@pytest.mark.safety(14)
def test_a_time_in_the_future_is_asked_about_once():
    shelf = Shelf()
    patient = in_care(shelf)
    line = {"patient": patient, "at": "2031-01-01T00:00Z"}

    assert shelf.refused("note.add", {"text": "x"}, **line).values["confirm"] == "future_time"
    written = shelf.write("note.add", {"text": "x"}, confirm=["future_time"], **line)

    assert shelf.table(written.subject, "note")[0].at_ms == 1_924_992_000_000


@pytest.mark.parametrize("at", ["yesterday", "2026-05-01T14:30", "2026-13-01", "", 10**18])
def test_a_time_without_a_meaning_is_refused(at):
    shelf = Shelf()
    patient = in_care(shelf)

    assert shelf.refused("note.add", {"text": "x"}, patient=patient, at=at).code == "bad_time"
