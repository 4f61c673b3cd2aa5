"""Medicines of a person who has several records: one of them speaks for all (SAFETY 12)."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.ids import PatientId
from protocols.live import answers, care
from tests.unit.care_lines import PARACETAMOL
from tests.unit.records_shelf import Shelf
from tests.unit.stage import Device, Stage, camp, line
from tests.unit.stage import patient as registered

AMOXICILLIN = {**PARACETAMOL, "substance": "amoxicillin"}
PENICILLINS = {"code": "penicillins", "severity": "severe"}
GIVEN = {"substance": "amoxicillin", "dose": {"value": "250", "unit": "mg"}, "route": "oral"}
WAYS = [("one", "other"), ("other", "one")]
"""From which record they were linked: it says the same."""


def two(link: tuple[str, str] | None = WAYS[0], relation: str = "same") -> tuple[Shelf, str, str]:
    """Somebody unknown in care, and an old record that lists penicillins."""
    shelf = Shelf()
    one = shelf.write("patient.register", {"tags": ["T1"]})
    other = shelf.write("patient.register", {"family_name": "Keita"})
    shelf.write("allergy.record", PENICILLINS, patient=other.id)
    if link is not None:
        ids = {"one": one.id, "other": other.id}
        said = {"other": ids[link[1]], "relation": relation}
        shelf.write("patient.link", said, patient=ids[link[0]])
    return shelf, one.id, other.id


@pytest.mark.safety(12)
@pytest.mark.parametrize("link", WAYS)
def test_safety_12_an_allergy_of_a_linked_record_is_asked_about_when_ordering_and_giving(link):
    shelf, unknown, _ = two(link)

    for kind, data in (("order.place", AMOXICILLIN), ("administration.record", GIVEN)):
        error = shelf.refused(kind, data, patient=unknown)
        assert (error.code, error.values["confirm"]) == ("confirm_needed", "allergy_match")
        assert error.allowed == ("penicillins",)


def test_of_a_chain_of_links_every_record_counts():
    shelf, unknown, other = two()
    third = shelf.write("patient.register", {"tags": ["T3"]})
    shelf.write("patient.link", {"other": other}, patient=third.id)

    error = shelf.refused("order.place", AMOXICILLIN, patient=third.id)
    assert error.values["confirm"] == "allergy_match"


@pytest.mark.parametrize("relation", ["mother", "child", "sibling"])
def test_the_allergy_of_a_relative_is_no_allergy_of_the_patient(relation):
    shelf, unknown, _ = two(relation=relation)
    shelf.write("order.place", AMOXICILLIN, patient=unknown)


@pytest.mark.parametrize("ways", WAYS)
def test_records_that_were_parted_again_ask_nothing_of_each_other(ways):
    shelf, unknown, other = two(WAYS[0])
    ids = {"one": unknown, "other": other}
    said = {"other": ids[ways[1]]}
    shelf.write("patient.unlink", said, patient=ids[ways[0]], reason="not her")

    shelf.write("order.place", AMOXICILLIN, patient=unknown)


def test_what_was_ordered_or_given_in_a_linked_record_is_asked_about():
    shelf, unknown, other = two()
    anyway = {"confirm": ["allergy_match"]}
    shelf.write("order.place", {**AMOXICILLIN, "override": "life"}, patient=other, **anyway)
    said = {**AMOXICILLIN, "override": "life"}
    error = shelf.refused("order.place", said, patient=unknown, **anyway)
    assert error.values["confirm"] == "ordered_already"
    shelf.write("administration.record", GIVEN, patient=other, **anyway)
    error = shelf.refused("administration.record", GIVEN, patient=unknown, **anyway)
    assert error.values["confirm"] == "given_recently"


# as terminals are told


def told(link: bool = True) -> tuple[Stage, Device, str, str]:
    (ann,) = camp(("ann",))
    stage = Stage()
    one = stage.write(ann, registered("Unknown"))[0].patient or ""
    stage.write(ann, line("order.place", AMOXICILLIN, patient=one))
    other = stage.write(ann, registered("Awa"))[0].patient or ""
    stage.write(ann, line("allergy.record", PENICILLINS, patient=other))
    if link:
        stage.write(ann, line("patient.link", {"other": one}, patient=other))
    ann.ledger.catch_up_all()
    return stage, ann, one, other


def asked(stage: Stage, ann: Device, whom: str) -> Any:
    return care.care(ann.node, stage.now(ann), {"patient": whom}, opened=lambda _: True)


def helped(stage: Stage, ann: Device, whom: str) -> Any:
    args = {"patient": whom, "substance": "amoxicillin"}
    return care.dose_help(ann.node, stage.now(ann), args, opened=lambda _: True)


def test_a_chart_and_a_dose_say_what_a_linked_record_lists():
    stage, ann, one, other = told()

    assert helped(stage, ann, one).against == ("penicillins",)
    assert helped(stage, ann, other).ordered is True
    found = asked(stage, ann, one)
    assert "allergy" in found.medicines[0].warnings
    chart = answers.chart(ann.ledger, str(PatientId.parse(one)), 0, 9, stage.now(ann).wall_ms)
    for head in (found.head, chart.head):
        assert (head.allergy, head.allergies) == (2, "penicillins")


def test_without_a_link_it_says_nothing_and_none_known_here_is_not_believed_over_a_list_there():
    stage, ann, one, other = told(link=False)
    assert helped(stage, ann, one).against == ()
    assert asked(stage, ann, one).head.allergy == 0

    stage.write(ann, line("allergy.record", {"status": "none-known"}, patient=one))
    stage.write(ann, line("patient.link", {"other": other}, patient=one))
    ann.ledger.catch_up_all()
    head = asked(stage, ann, one).head
    assert (head.allergy, head.allergies, head.allergy_open) == (2, "penicillins", True)
    # And that nobody reacts to anything in one record says nothing of another.
    assert asked(stage, ann, other).head.allergy == 2
