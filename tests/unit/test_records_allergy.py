"""Allergies: nobody asked, none known, listed; and what is used while people differ."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from protocols.errors import SetupError
from protocols.guidelines.vocabulary import check, fold, read_vocabulary, vocabulary
from protocols.records.rows import to_json
from tests.unit.records_shelf import Shelf

PENICILLIN = {"code": "penicillins", "reaction": "anaphylaxis", "severity": "severe"}
NONE = {"status": "none-known"}


def known() -> tuple[Shelf, Any, str]:
    shelf = Shelf("a")
    patient = shelf.write("patient.register", {"tags": ["B12"]})
    return shelf, patient.subject, patient.id


def head(shelf: Shelf, subject: Any) -> tuple[int, str, int, int]:
    row = shelf.patient(subject)
    return row.allergy, row.allergies, row.allergy_open, row.unsettled


@pytest.mark.safety(12)
def test_safety_12_none_known_differs_from_not_asked():
    shelf, subject, patient = known()
    assert to_json(shelf.patient(subject))["allergy"] == "not-asked"

    shelf.write("allergy.record", NONE, patient=patient)

    assert to_json(shelf.patient(subject))["allergy"] == "none-known"
    assert head(shelf, subject) == (1, "", 0, 0)


def test_a_listed_allergy_replaces_none_known():
    shelf, subject, patient = known()
    shelf.write("allergy.record", NONE, patient=patient)
    shelf.write("allergy.record", PENICILLIN, patient=patient)

    assert head(shelf, subject) == (2, "penicillins", 0, 0)
    assert [(row.replaced, row.used) for row in shelf.table(subject, "allergy")] == [(1, 0), (0, 1)]


@pytest.mark.safety(12)
def test_safety_12_none_known_and_an_allergy_written_apart_stand_and_the_allergy_is_used():
    here, subject, patient = known()
    there = Shelf("b")
    there.receive(here)
    here.write("allergy.record", NONE, patient=patient)
    there.write("allergy.record", {"text": "Mango"}, patient=patient)
    here.receive(there)
    there.receive(here)

    assert here.rows(subject) == there.rows(subject)
    assert head(here, subject) == (2, "Mango", 1, 1)
    told = {row.status: (row.used, row.unsettled) for row in here.table(subject, "allergy")}
    assert told == {"active": (1, 1), "none-known": (0, 1)}

    # Whoever has seen both settles it by stating it anew.
    there.write("allergy.record", {"text": "mango "}, patient=patient)
    assert head(there, subject) == (2, "mango", 0, 0)


def test_none_known_while_one_is_listed_asks_names_it_and_wants_a_reason():
    shelf, subject, patient = known()
    shelf.write("allergy.record", PENICILLIN, patient=patient)

    asked = shelf.refused("allergy.record", NONE, patient=patient)
    assert (asked.code, asked.values["confirm"], asked.allowed) == (
        "confirm_needed",
        "allergy_listed",
        ("penicillins",),
    )
    sure = {"patient": patient, "confirm": ["allergy_listed"]}
    assert shelf.refused("allergy.record", NONE, **sure).code == "reason_needed"
    shelf.write("allergy.record", NONE, reason="mixed up with her sister", **sure)
    assert head(shelf, subject) == (1, "", 0, 0)


def test_the_more_severe_side_is_used_while_two_differ_about_one_substance():
    here, subject, patient = known()
    there = Shelf("b")
    there.receive(here)
    here.write("allergy.record", {**PENICILLIN, "severity": "mild"}, patient=patient)
    there.write("allergy.record", {"text": " PENICILLINS"}, patient=patient)
    here.receive(there)

    assert head(here, subject) == (2, "penicillins", 1, 1)
    assert [row.used for row in here.table(subject, "allergy") if row.severity == "mild"] == [1]


def test_a_refuted_allergy_needs_a_reason_and_leaves_the_head():
    shelf, subject, patient = known()
    shelf.write("allergy.record", PENICILLIN, patient=patient)
    refuted = {"code": "penicillins", "status": "refuted"}
    assert shelf.refused("allergy.record", refuted, patient=patient).code == "reason_needed"

    shelf.write("allergy.record", refuted, patient=patient, reason="took it twice since, nothing")

    # Nobody said that there is none at all.
    assert head(shelf, subject) == (0, "", 0, 0)


def test_a_listed_substance_is_used_while_somebody_apart_has_ruled_it_out():
    here, subject, patient = known()
    there = Shelf("b")
    here.write("allergy.record", {"code": "latex"}, patient=patient)
    there.receive(here)
    here.write("allergy.record", {"code": "latex"}, patient=patient)
    ruled_out = {"code": "latex", "status": "refuted", "severity": "severe"}
    there.write("allergy.record", ruled_out, patient=patient, reason="wore gloves all day")
    here.receive(there)

    assert head(here, subject) == (2, "latex", 1, 1)


def test_taking_a_record_back_brings_back_nothing_it_replaced_but_what_is_left_counts():
    shelf, subject, patient = known()
    wrong = shelf.write("allergy.record", {"code": "latex"}, patient=patient).fact
    shelf.write("allergy.record", PENICILLIN, patient=patient)
    shelf.write("entry.retract", {"fact": wrong}, reason="other patient")

    assert head(shelf, subject) == (2, "penicillins", 0, 0)
    assert [row.replaced for row in shelf.table(subject, "allergy")] == [2, 0]


@pytest.mark.parametrize(
    ("data", "code", "field"),
    [
        ({}, "missing_field", "data.code"),
        ({"text": " - "}, "missing_field", "data.code"),
        ({"status": "none-known", "code": "latex"}, "not_taken", "data.code"),
        ({"code": "dust"}, "bad_value", "data.code"),
        ({"code": "latex", "severity": "very"}, "bad_value", "data.severity"),
        ({"code": "latex", "reaction": "x"}, "bad_value", "data.reaction"),
        ({"code": "latex", "status": "x"}, "bad_value", "data.status"),
        ({"text": "x" * 81}, "too_long", "data.text"),
    ],
)
def test_what_is_no_allergy_is_refused_by_field(data, code, field):
    shelf, _, patient = known()

    refused = shelf.refused("allergy.record", data, patient=patient)

    assert (refused.code, refused.field) == (code, field)


@pytest.mark.safety(12)
@pytest.mark.parametrize(
    ("listed", "ordered"),
    [
        ("penicillin", "Amoxicillin 500 mg"),
        ("Pénicilline G", "cloxacilline"),
        ("penicillines", "amoxicilline"),
        ("ampicillin", "amoxicillin"),
        ("amoxicillin clavulanate", "amoxicillin"),
        ("Sulfamides", "cotrimoxazole"),
        ("ibuprofen", "Diclofenac"),
    ],
)
def test_safety_12_what_was_written_in_words_speaks_against_the_medicines_of_its_group(
    listed, ordered
):
    shelf, _, patient = known()
    shelf.write("allergy.record", {"text": listed}, patient=patient)
    given = {"substance": ordered, "dose": {"value": "1", "unit": "g"}, "route": "oral"}

    asked = shelf.refused("administration.record", given, patient=patient)
    assert (asked.values["confirm"], asked.allowed) == ("allergy_match", (listed,))
    shelf.write("administration.record", {**given, "substance": "quinine"}, patient=patient)


def test_the_head_names_the_most_severe_first_whoever_wrote_first():
    for first, then in (("mild", "severe"), ("severe", "mild")):
        shelf, subject, patient = known()
        for severity in (first, then):
            said = {"text": f"{severity} one", "severity": severity}
            shelf.write("allergy.record", said, patient=patient)
        assert shelf.patient(subject).allergies == "severe one; mild one"


def test_what_was_refuted_is_asked_about_no_more_and_what_does_not_stand_is_all_the_same():
    shelf, subject, patient = known()
    given = {"substance": "amoxicillin", "dose": {"value": "1", "unit": "g"}, "route": "oral"}
    shelf.write("allergy.record", PENICILLIN, patient=patient)
    refuted = {"code": "penicillins", "status": "refuted"}
    taken = shelf.write("allergy.record", refuted, patient=patient, reason="tolerated it")
    shelf.write("administration.record", given, patient=patient)

    # Written by a device whose seal is not known here yet: shown, marked, and asked about.
    shelf.write("entry.retract", {"fact": taken.fact}, patient=patient, reason="another bed")
    held = shelf.facts_by_subject[subject]
    (at,) = (at for at, fact in enumerate(held) if getattr(fact.record, "severity", 0))
    held[at] = msgspec.structs.replace(held[at], standing=3)
    given["substance"] = "ampicillin"
    error = shelf.refused("administration.record", given, patient=patient)
    assert error.values["confirm"] == "allergy_match"


def test_the_vocabulary_is_whole_unapproved_and_finds_medicines_by_their_group():
    pack = vocabulary()
    assert check(pack) == []
    assert not pack.pack.approved
    assert pack.allergens_of("Amoxicillin 250 mg") == ("penicillins",)
    assert pack.allergens_of("Amoxicillinoid") == ()
    assert fold("  Pénicilline-G ") == "penicilline g"


@pytest.mark.parametrize(
    ("medicine", "group"),
    [
        ("Co-amoxiclav 875 mg", "penicillins"),
        ("amoxicillin + clavulanic acid", "penicillins"),
        ("Augmentin", "penicillins"),
        ("Bactrim forte", "sulfonamides"),
        ("sulfa", "sulfonamides"),
        ("Acide acétylsalicylique 100 mg", "nsaids"),
    ],
)
def test_a_medicine_is_of_its_group_by_what_it_is_sold_and_spoken_of_as(medicine, group):
    assert vocabulary().allergens_of(medicine) == (group,)


def test_a_vocabulary_with_a_number_twice_is_refused():
    text = (
        '[pack]\nname="vocabulary"\nversion="1"\ntitle="x"\nsource="x"\nstatus="memory"\n'
        "[doubt]\nweight_percent=10\nweight_hours=24\ngiven_hours=4\nearly_percent=50\n"
    )
    row = '[[allergen]]\nnumber=1\nname="{}"\nwords={{en="x",fr="x"}}\n'
    with pytest.raises(SetupError):
        read_vocabulary(text + row.format("a") + row.format("b"))
