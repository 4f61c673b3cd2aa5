"""Conditions, and what an encounter is about: syndrome, relation to the event, ward, isolation."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.guidelines.vocabulary import vocabulary
from protocols.records.rows import attributes, to_json
from tests.unit.records_shelf import Shelf


def in_care(name: str = "a", **stay: str) -> tuple[Shelf, Any, str]:
    shelf = Shelf(name)
    patient = shelf.write("patient.register", {"tags": ["B12"]})
    shelf.write("encounter.open", stay, patient=patient.id)
    return shelf, patient.subject, patient.id


def meet(*shelves: Shelf) -> None:
    for shelf in shelves:
        for other in shelves:
            shelf.receive(other)


@pytest.mark.parametrize("onset", ["2026", "2026-04", "2026-04-30"])
def test_a_condition_keeps_its_item_of_the_data_set_and_how_exactly_its_onset_is_known(onset):
    shelf, subject, patient = in_care()
    data = {"code": "cholera-suspected", "onset": onset, "event_relation": "indirect"}
    shelf.write("condition.record", data, patient=patient)

    (row,) = shelf.table(subject, "condition")
    said = to_json(row)
    assert (said["code"], said["mds"], said["onset"]) == ("cholera-suspected", 10, onset)
    assert (said["status"], said["event_relation"], said["used"]) == ("active", "indirect", True)


def test_stating_a_condition_anew_replaces_what_is_shown_of_it_and_nothing_else():
    shelf, subject, patient = in_care()
    shelf.write("condition.record", {"code": "burn"}, patient=patient)
    shelf.write("condition.record", {"text": "Lumbago"}, patient=patient)
    shelf.write("condition.record", {"text": " burn ", "status": "resolved"}, patient=patient)

    rows = shelf.table(subject, "condition")
    assert [(row.status, row.replaced, row.used) for row in rows] == [
        ("active", 1, 0),
        ("active", 0, 1),
        ("resolved", 0, 1),
    ]
    assert shelf.patient(subject).unsettled == 0


@pytest.mark.parametrize(
    ("one", "other", "used"),
    [
        ("active", "resolved", "active"),
        ("refuted", "suspected", "suspected"),
        ("resolved", "refuted", "resolved"),
        ("suspected", "active", "active"),
    ],
)
def test_a_condition_goes_on_while_two_differ_and_is_settled_by_who_has_seen_both(one, other, used):
    here, subject, patient = in_care()
    there = Shelf("b")
    there.receive(here)
    here.write("condition.record", {"code": "malaria", "status": one}, patient=patient)
    there.write("condition.record", {"code": "malaria", "status": other}, patient=patient)
    meet(here, there)

    assert here.rows(subject) == there.rows(subject)
    assert [row.status for row in here.table(subject, "condition") if row.used] == [used]
    assert here.patient(subject).unsettled == 1
    here.write("condition.record", {"code": "malaria", "status": "refuted"}, patient=patient)
    assert here.patient(subject).unsettled == 0


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        ({}, "missing_field", "data.code"),
        ({"code": "hiccup"}, "bad_value", "data.code"),
        ({"code": "burn", "status": "gone"}, "bad_value", "data.status"),
        ({"code": "burn", "onset": "May"}, "bad_date", "data.onset"),
        ({"code": "burn", "onset": "2027"}, "future_date", "data.onset"),
        ({"code": "burn", "event_relation": "x"}, "bad_value", "data.event_relation"),
    ],
)
def test_what_is_no_condition_is_refused_by_field(data, code, field):
    shelf, _, patient = in_care()
    refused = shelf.refused("condition.record", data, patient=patient)
    assert (refused.code, refused.field) == (code, field)


@pytest.mark.safety(14)
def test_safety_14_an_onset_is_taken_while_the_clock_cannot_be_right():
    shelf, subject, patient = in_care()
    shelf.now_ms = 0
    shelf.write("condition.record", {"code": "burn", "onset": "2026-05"}, patient=patient)
    assert shelf.table(subject, "condition")[0].onset == "2026-05"


def test_an_encounter_says_what_it_is_about_and_where():
    about = {"syndrome": "watery-diarrhoea", "event_relation": "direct"}
    shelf, subject, patient = in_care(**about, ward="CTC", bed="4", isolation="enteric")

    (stay,) = shelf.table(subject, "encounter")
    said = to_json(stay)
    assert (said["syndrome"], said["event_relation"]) == ("watery-diarrhoea", "direct")
    assert (said["ward"], said["bed"], said["isolation"]) == ("CTC", "4", "enteric")
    row = to_json(shelf.patient(subject))
    assert (row["ward"], row["isolation"]) == ("CTC", "enteric")
    told = {each.name for each in attributes(shelf.history(subject))}
    assert {"syndrome", "event_relation", "ward", "isolation"} <= told


def test_the_stricter_isolation_is_kept_while_two_stand():
    here, subject, patient = in_care(isolation="contact")
    there = Shelf("b")
    there.receive(here)
    here.write("encounter.move", {"isolation": "none"}, patient=patient)
    there.write("encounter.move", {"isolation": "airborne"}, patient=patient)
    meet(here, there)

    assert to_json(here.patient(subject))["isolation"] == "airborne"
    assert here.patient(subject).unsettled == there.patient(subject).unsettled == 1
    settled = {"attribute": "isolation", "value": "droplet"}
    here.write("conflict.settle", settled, patient=patient)
    assert to_json(here.patient(subject))["isolation"] == "droplet"
    assert here.patient(subject).unsettled == 0


def test_what_a_visit_is_counted_under_can_be_said_at_its_end_and_replaces_what_was_said():
    shelf, subject, patient = in_care(syndrome="fever-unknown")
    end = {
        "outcome": "referred",
        "syndrome": "respiratory-infection",
        "event_relation": "unrelated",
    }
    shelf.write("encounter.close", end, patient=patient)

    (stay,) = shelf.table(subject, "encounter")
    said = to_json(stay)
    assert (said["outcome"], said["syndrome"], said["event_relation"]) == (
        "referred",
        "respiratory-infection",
        "unrelated",
    )
    assert stay.unsettled == 0


def test_a_condition_that_is_no_syndrome_is_not_one():
    shelf, _, patient = in_care()
    refused = shelf.refused("encounter.move", {"syndrome": "burn"}, patient=patient)
    assert (refused.code, refused.field) == ("bad_value", "data.syndrome")
    assert "watery-diarrhoea" in refused.allowed and "burn" not in refused.allowed


def test_every_item_of_the_data_set_has_exactly_one_syndrome():
    items = [row.mds for row in vocabulary().condition if row.syndrome]
    assert sorted(items) == list(range(4, 30))
