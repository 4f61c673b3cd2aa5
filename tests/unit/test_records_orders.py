"""Orders, stops and doses: what was asked, what is shown when people apart did both."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.records.rows import to_json
from tests.unit.care_lines import PARACETAMOL
from tests.unit.records_shelf import NOW_MS, Shelf

HOUR_MS = 3_600_000
KG40 = {"code": "weight", "value": "40", "unit": "kg"}


def in_care(name: str = "a") -> tuple[Shelf, Any, str]:
    shelf = Shelf(name)
    patient = shelf.write("patient.register", {"tags": ["B12"]})
    shelf.write("encounter.open", patient=patient.id)
    return shelf, patient.subject, patient.id


def ordered(how: dict[str, Any] | None = None) -> tuple[Shelf, Shelf, Any, str, str]:
    """Two tents that both know of an order."""
    here, subject, patient = in_care()
    order = here.write("order.place", {**PARACETAMOL, **(how or {})}, patient=patient).fact
    there = Shelf("b")
    there.receive(here)
    return here, there, subject, patient, order


def meet(*shelves: Shelf) -> None:
    for shelf in shelves:
        for other in shelves:
            shelf.receive(other)


def unsettled(shelf: Shelf, subject: Any) -> int:
    return int(shelf.patient(subject).unsettled)


@pytest.mark.safety(9)
def test_safety_9_an_order_keeps_where_its_dose_came_from():
    shelf, subject, patient = in_care()
    whole = {
        **PARACETAMOL,
        "code": "atc:N02BE01",
        "form": "tablet",
        "strength": "500 mg",
        "start": "2026-05-28T20:00Z",
        "duration": {"value": 2, "unit": "d"},
        "indication": "fever",
        "proposal": {
            "pack": "formulary",
            "version": "3",
            "row": "paracetamol-child",
            "arithmetic": "12,5 kg x 15 mg/kg = 187.5 mg",
        },
        "weight": {"value": "12,5", "unit": "kg", "estimated": True},
    }

    shelf.write("order.place", whole, patient=patient)

    (row,) = shelf.table(subject, "order_placed")
    said = to_json(row)
    assert (said["dose"], said["route"], said["way"], said["every"]) == (
        "500 mg",
        "oral",
        "times-a-day",
        4,
    )
    assert (said["pack"], said["pack_version"], said["pack_row"]) == (
        "formulary",
        "3",
        "paracetamol-child",
    )
    assert said["arithmetic"] == "12,5 kg x 15 mg/kg = 187.5 mg"
    assert (said["weight"], said["weight_estimated"]) == ("12.5 kg", True)
    assert said["start_at"] == "2026-05-28T20:00:00.000Z"
    assert said["until_at"] == "2026-05-30T20:00:00.000Z"


def test_a_dose_of_an_order_is_as_ordered_unless_it_says_otherwise():
    here, _, subject, patient, order = ordered()
    here.write("administration.record", {"order": order}, patient=patient)
    sure = {"confirm": ["given_recently"]}
    less = {"order": order, "dose": {"value": "250", "unit": "mg"}, "route": "iv", "lot": "A1"}
    here.write("administration.record", less, patient=patient, **sure)

    rows = here.table(subject, "administration")

    assert [(row.dose, row.route, row.lot) for row in rows] == [
        ("500 mg", "oral", ""),
        ("250 mg", "iv", "A1"),
    ]
    assert {to_json(row)["about"] for row in rows} == {order}
    (placed,) = here.table(subject, "order_placed")
    assert placed.given == 2
    # Written one after the other, knowing of each other: nobody doubts that they are two.
    assert [row.duplicate for row in rows] == [0, 0]


def test_a_dose_without_an_order_says_all_of_it_and_what_was_discarded_by_whose_eyes():
    shelf, subject, patient = in_care()
    data = {
        "substance": "Morphine",
        "dose": {"value": "0,5", "unit": "mg"},
        "route": "iv",
        "discarded": {"value": "9.5", "unit": "mg"},
        "witness": "J. Cho",
    }
    shelf.write("administration.record", data, patient=patient, by="A. Silva")

    (row,) = shelf.table(subject, "administration")
    assert (row.dose, row.discarded, row.witness) == ("0.5 mg", "9.5 mg", "J. Cho")


def test_refused_and_not_given_need_a_reason_and_hold_no_dose():
    here, _, subject, patient, order = ordered()
    data = {"order": order, "status": "refused"}
    assert here.refused("administration.record", data, patient=patient).code == "reason_needed"
    here.write("administration.record", data, patient=patient, reason="nausea")

    (row,) = here.table(subject, "administration")
    assert (row.status, row.dose, row.route, row.reason) == ("refused", "", "", "nausea")
    assert here.table(subject, "order_placed")[0].given == 0


def test_a_dose_given_by_two_tents_apart_is_kept_twice_and_shown_as_possibly_one():
    here, there, subject, patient, order = ordered()
    here.write("administration.record", {"order": order}, patient=patient)
    there.write("administration.record", {"order": order}, patient=patient)
    meet(here, there)

    rows = here.table(subject, "administration")
    assert [row.duplicate for row in rows] == [1, 1]
    assert here.rows(subject) == there.rows(subject)
    assert here.table(subject, "order_placed")[0].given == 2
    assert unsettled(here, subject) == 1

    # Whoever has seen both writes about it again: the mark stays, the question is answered.
    said = {"order": order, "status": "not-given"}
    here.write("administration.record", said, patient=patient, reason="given twice at noon")
    assert unsettled(here, subject) == 0
    assert [row.duplicate for row in here.table(subject, "administration")] == [1, 1, 0]


def test_a_dose_that_knew_of_the_last_knew_of_those_before_it():
    here, _, subject, patient, order = ordered()
    for _ in range(3):
        sure = {"confirm": ["given_recently"]}
        here.write("administration.record", {"order": order}, patient=patient, **sure)

    assert [row.duplicate for row in here.table(subject, "administration")] == [0, 0, 0]


@pytest.mark.parametrize(("minutes", "doubted"), [(359, 1), (360, 0), (361, 0)])
def test_doses_apart_are_doubted_only_within_the_interval_of_their_order(minutes, doubted):
    here, there, subject, patient, order = ordered()
    here.write("administration.record", {"order": order}, patient=patient)
    there.now_ms = NOW_MS + minutes * 60_000
    there.write("administration.record", {"order": order}, patient=patient)
    meet(here, there)

    assert [row.duplicate for row in here.table(subject, "administration")] == [doubted] * 2


def test_one_of_two_doses_taken_back_leaves_no_doubt():
    here, there, subject, patient, order = ordered()
    once = {"way": "once"}
    assert here.refused("order.place", {**PARACETAMOL, "frequency": {**once, "every": 1}},
                        patient=patient).field == "data.frequency.every"  # fmt: skip
    here.write("administration.record", {"order": order}, patient=patient)
    wrong = there.write("administration.record", {"order": order}, patient=patient).fact
    meet(here, there)
    here.write("entry.retract", {"fact": wrong}, reason="charted for the next bed")

    assert [row.duplicate for row in here.table(subject, "administration")] == [0, 0]
    assert unsettled(here, subject) == 0


def test_a_dose_soon_after_the_last_is_asked_about():
    here, _, subject, patient, order = ordered()
    first = here.write("administration.record", {"order": order}, patient=patient).fact
    here.now_ms = NOW_MS + 3 * HOUR_MS - 1
    asked = here.refused("administration.record", {"order": order}, patient=patient)
    assert (asked.values["confirm"], asked.allowed) == ("given_recently", (first,))
    here.now_ms = NOW_MS + 3 * HOUR_MS
    here.write("administration.record", {"order": order}, patient=patient)


def test_what_is_to_be_given_once_is_asked_about_whenever_it_is_given_again():
    here, _, subject, patient, order = ordered({"frequency": {"way": "once"}})
    here.write("administration.record", {"order": order}, patient=patient)
    here.now_ms = NOW_MS + 100 * HOUR_MS
    asked = here.refused("administration.record", {"order": order}, patient=patient)
    assert asked.values["confirm"] == "given_recently"


def test_a_stop_and_a_dose_given_apart_are_both_shown():
    here, there, subject, patient, order = ordered()
    here.write("order.stop", {"order": order}, reason="rash")
    there.write("administration.record", {"order": order}, patient=patient)
    meet(here, there)

    (row,) = here.table(subject, "order_placed")
    assert row.stopped_ms == NOW_MS
    assert (row.stop_reason, row.given, row.given_apart) == ("rash", 1, 1)
    assert here.rows(subject) == there.rows(subject)
    assert unsettled(here, subject) == 1
    # Somebody who knows of the dose stops it again: nothing is open any more.
    again = here.write("order.stop", {"order": order}, reason="rash")
    assert again.plan.warnings == ("already_stopped",)
    assert here.table(subject, "order_placed")[0].given_apart == 0
    assert unsettled(here, subject) == 0


def test_a_stop_that_knew_of_the_doses_given_leaves_nothing_open():
    here, _, subject, patient, order = ordered()
    here.write("administration.record", {"order": order}, patient=patient)
    here.write("order.stop", {"order": order}, reason="better")

    assert here.table(subject, "order_placed")[0].given_apart == 0
    assert unsettled(here, subject) == 0
    asked = here.refused("administration.record", {"order": order}, patient=patient)
    assert asked.values["confirm"] == "order_stopped"
    sure = ["order_stopped", "given_recently"]
    here.write("administration.record", {"order": order}, patient=patient, confirm=sure)
    assert here.table(subject, "administration")[-1].stopped == 1


def test_a_stop_needs_a_reason_and_one_taken_back_lets_the_order_go_on():
    here, _, subject, patient, order = ordered()
    assert here.refused("order.stop", {"order": order}).code == "reason_needed"
    stop = here.write("order.stop", {"order": order}, reason="wrong bed").fact
    here.write("entry.retract", {"fact": stop}, reason="wrong bed indeed")

    assert here.table(subject, "order_placed")[0].stopped_ms is None
    here.write("administration.record", {"order": order}, patient=patient)


def test_one_medicine_ordered_by_two_apart_is_unsettled_until_one_is_stopped():
    here, subject, patient = in_care()
    there = Shelf("b")
    there.receive(here)
    here.write("order.place", PARACETAMOL, patient=patient)
    twin = {**PARACETAMOL, "substance": " Paracétamol"}
    theirs = there.write("order.place", twin, patient=patient).fact
    meet(here, there)

    assert unsettled(here, subject) == unsettled(there, subject) == 1
    asked = here.refused("order.place", PARACETAMOL, patient=patient)
    assert asked.values["confirm"] == "ordered_already"
    here.write("order.stop", {"order": theirs}, reason="ordered twice")
    assert unsettled(here, subject) == 0


def test_an_order_corrected_by_name_is_replaced_and_asks_nothing():
    here, _, subject, patient, order = ordered()
    half = {**PARACETAMOL, "dose": {"value": "250", "unit": "mg"}}
    here.write("order.place", half, patient=patient, supersedes=[order])

    rows = here.table(subject, "order_placed")
    assert [(row.dose, row.replaced) for row in rows] == [("500 mg", 1), ("250 mg", 0)]


@pytest.mark.safety(12)
def test_safety_12_a_medicine_of_a_listed_group_is_asked_about_and_wants_a_why():
    shelf, subject, patient = in_care()
    shelf.write("allergy.record", {"code": "penicillins"}, patient=patient)
    amoxi = {**PARACETAMOL, "substance": "Amoxicillin 250 mg"}
    asked = shelf.refused("order.place", amoxi, patient=patient)
    assert (asked.values["confirm"], asked.allowed) == ("allergy_match", ("penicillins",))
    sure = {"patient": patient, "confirm": ["allergy_match"]}
    assert shelf.refused("order.place", amoxi, **sure).field == "data.override"

    why = {**amoxi, "override": "took it last month without harm"}
    order = shelf.write("order.place", why, **sure).fact
    # Who gives it is not asked what the prescriber answered.
    shelf.write("administration.record", {"order": order}, patient=patient)
    assert shelf.table(subject, "order_placed")[0].override == why["override"]


@pytest.mark.safety(9)
@pytest.mark.parametrize(("kg", "doubted"), [("44", 0), ("44.1", 1), ("36.3", 1), ("36.4", 0)])
def test_safety_9_weights_more_than_a_tenth_apart_give_no_dose_until_chosen(kg, doubted):
    here, subject, patient = in_care()
    there = Shelf("b")
    there.receive(here)
    here.write("observation.record", KG40, patient=patient)
    estimate = {"code": "weight-estimated", "value": kg, "unit": "kg"}
    there.write("observation.record", estimate, patient=patient)
    meet(here, there)
    by_weight = {**PARACETAMOL, "weight": {"value": "40", "unit": "kg"}}

    assert unsettled(here, subject) == doubted
    if not doubted:
        here.write("order.place", by_weight, patient=patient)
        return
    asked = here.refused("order.place", by_weight, patient=patient)
    assert asked.values["confirm"] == "weights_differ"
    assert set(asked.allowed) == {"40 kg", f"{kg} kg weight-estimated"}
    # A dose that nobody worked out from a weight is the prescriber's.
    here.write("order.place", {**PARACETAMOL, "substance": "ORS"}, patient=patient)
    here.write("order.place", by_weight, patient=patient, confirm=["weights_differ"])


def test_weights_are_settled_by_a_new_one_that_names_them():
    here, subject, patient = in_care()
    one = here.write("observation.record", KG40, patient=patient).fact
    two = here.write("observation.record", {**KG40, "value": "60"}, patient=patient).fact
    assert unsettled(here, subject) == 1

    again = {**KG40, "value": "58"}
    here.write("observation.record", again, patient=patient, supersedes=[one, two])
    assert unsettled(here, subject) == 0


@pytest.mark.parametrize(
    ("change", "code", "field"),
    [
        ({"dose": {"value": "0", "unit": "mg"}}, "out_of_range", "data.dose.value"),
        ({"dose": {"value": "4,200", "unit": "mg"}}, "grouping_mark", "data.dose.value"),
        ({"dose": {"value": "0,125", "unit": "mg"}}, None, None),
        ({"dose": {"value": "5", "unit": "lb"}}, "unit_refused", "data.dose.unit"),
        ({"route": "toe"}, "bad_value", "data.route"),
        ({"frequency": {"way": "often"}}, "bad_value", "data.frequency.way"),
        ({"frequency": {"way": "times-a-day"}}, "out_of_range", "data.frequency.every"),
        (
            {"frequency": {"way": "times-a-day", "every": 25}},
            "out_of_range",
            "data.frequency.every",
        ),
        ({"frequency": {"way": "as-needed"}}, "out_of_range", "data.frequency.max_a_day"),
        (
            {"frequency": {"way": "once", "max_a_day": 2}},
            "not_taken",
            "data.frequency.max_a_day",
        ),
        ({"duration": {"value": 1, "unit": "w"}}, "bad_value", "data.duration.unit"),
        ({"duration": {"value": 0, "unit": "d"}}, "out_of_range", "data.duration.value"),
        ({"start": "noon"}, "bad_time", "data.start"),
        ({"substance": "-"}, "empty", "data.substance"),
        ({"weight": {"value": "9", "unit": "lb"}}, "unit_refused", "data.weight.unit"),
    ],
)
def test_what_is_no_order_is_refused_by_field(change, code, field):
    shelf, _, patient = in_care()
    if code is None:
        # SAFETY 3: a grouping mark is refused; no thousand begins with a nought.
        shelf.write("order.place", {**PARACETAMOL, **change}, patient=patient)
        return
    refused = shelf.refused("order.place", {**PARACETAMOL, **change}, patient=patient)
    assert (refused.code, refused.field) == (code, field)


def test_what_names_no_order_is_refused():
    here, there, subject, patient, order = ordered()
    other = here.write("patient.register", {"given_name": "Other"}).id
    note = here.write("note.add", {"text": "x"}, patient=patient).fact
    for data, line, code in (
        ({"order": order}, {"patient": other}, "wrong_subject"),
        ({"order": note}, {"patient": patient}, "not_an_order"),
        ({"order": "x"}, {"patient": patient}, "bad_id"),
        ({}, {"patient": patient}, "missing_field"),
        ({"order": order, "substance": "x"}, {"patient": patient}, "not_taken"),
        ({"substance": "x"}, {"patient": patient}, "missing_field"),
        ({"order": order, "witness": "x"}, {"patient": patient}, "missing_field"),
    ):
        assert here.refused("administration.record", data, **line).code == code
