"""Records that may be of one person: listed, never joined, and linked or told apart by people."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.ids import PatientId
from protocols.ledger.duplicates import candidates, like
from protocols.records.likeness import LISTED_FROM, Person, likeness, person_of
from tests.unit.records_shelf import Shelf
from tests.unit.stage import Device, Stage, camp, line, patient
from tests.unit.test_protection import told

AMINA = Person(("okoro", "amina"), sex=2, age_days=34 * 365.25, loose=False)

WORDS = st.sampled_from(("okoro", "okoru", "amina", "ali", "li", "mohamed", "mohammed"))
PEOPLE = st.builds(
    Person,
    names=st.lists(WORDS, max_size=3).map(tuple),
    numbers=st.frozensets(st.sampled_from(("61", "62")), max_size=2),
    tag=st.sampled_from(("", "b12")),
    sex=st.sampled_from((1, 2, 3, 9)),
    born_day=st.sampled_from((None, 5_000, 9_000)),
    age_days=st.none() | st.floats(0, 40_000),
    loose=st.booleans(),
    site=st.sampled_from((None, b"s")),
    at_ms=st.integers(0, 10**10),
)


@given(PEOPLE, PEOPLE)
def test_likeness_is_the_same_from_both_sides_and_bounded(one, other):
    found = likeness(one, other)
    assert found == likeness(other, one)
    assert 0 <= found.points <= 100
    assert likeness(one, one).points >= min(found.points, 40) or not one.names


@pytest.mark.parametrize(
    ("other", "listed"),
    [
        (AMINA, True),
        (AMINA._replace(names=("amina", "okoro")), True),
        (AMINA._replace(names=("okoru", "amina"), age_days=35 * 365.25), True),
        (AMINA._replace(names=("oroko", "anima")), False),
        (AMINA._replace(sex=1, age_days=5 * 365.25), False),
        (AMINA._replace(names=("okoro", "john"), sex=1), False),
        (Person(("amina",), tag="b12"), False),
        (AMINA._replace(names=("okoro",), sex=9), True),
        (AMINA._replace(names=("okoro",), sex=9, age_days=5 * 365.25), False),
        (AMINA._replace(age_days=5 * 365.25, sex=9), False),
        (Person((), sex=2, age_days=34 * 365.25, site=b"s"), False),
    ],
)
def test_what_is_listed(other, listed):
    assert (likeness(AMINA, other).points >= LISTED_FROM) is listed


@pytest.mark.parametrize(
    ("word", "reason"),
    [
        ("amina", "name"),
        ("amian", "name"),
        ("aminah", "name"),
        ("amin", "name"),
        ("omina", "name"),
        ("mania", "one-name"),
        ("ami", "one-name"),
        ("aminata", "one-name"),
    ],
)
def test_a_name_is_the_same_with_one_letter_more_less_other_or_swapped(word, reason):
    assert likeness(AMINA, AMINA._replace(names=("okoro", word))).reasons[0] == reason


def test_a_birthday_a_sex_and_a_place_in_common_are_no_reason_by_themselves():
    born = Person(sex=2, born_day=9_000, age_days=9_000.0, loose=False, site=b"s")
    assert likeness(born, born) == (0, ())


def test_a_tag_or_a_number_in_common_is_enough_and_a_sex_that_differs_speaks_against_it():
    tagged = Person(tag="b12", sex=1)
    assert likeness(tagged, Person(("ali",), tag="b12")).points >= LISTED_FROM
    assert likeness(tagged, Person(("ali",), tag="b12", sex=2)).points < LISTED_FROM


def test_a_row_is_recognised_by_what_it_says():
    shelf = Shelf()
    data = {
        "family_name": "N'Guessan",
        "given_name": "Aïcha",
        "phone": "+225 0701",
        "birth_date": "1991-05-17",
        "tags": ["B12"],
    }
    row = shelf.patient(shelf.write("patient.register", data).subject)

    found = person_of(row)

    assert found.names == ("n", "guessan", "aicha")
    assert {"225", "0701"} <= found.numbers
    assert (found.tag, found.loose) == ("b12", False)
    assert found.born_day is not None


def town() -> tuple[Stage, Device, dict[str, str]]:
    (ann,) = camp(("ann",))
    stage = Stage()
    codes = {}
    for key, name, more in (
        ("amina", "Amina", {"family_name": "Okoro", "sex": "female"}),
        ("twice", "Amina", {"family_name": "Okoru", "sex": "female"}),
        ("brother", "John", {"family_name": "Okoro", "sex": "male"}),
        ("other", "Wei", {"family_name": "Zhang", "sex": "female"}),
    ):
        codes[key] = stage.write(ann, patient(name, **more))[0].code or ""
    return stage, ann, codes


def listed(device: Device, code: str) -> list[str]:
    device.ledger.catch_up_all()
    (row,) = device.store.all("SELECT id FROM patient WHERE code = ?", (code,))
    return [each.row.code for each in candidates(device.ledger, row[0])]


def test_who_looks_alike_is_listed_from_both_sides_and_joined_by_nobody():
    stage, ann, codes = town()

    assert listed(ann, codes["amina"]) == [codes["twice"]]
    assert listed(ann, codes["twice"]) == [codes["amina"]]
    assert listed(ann, codes["other"]) == []
    assert ann.store.one("SELECT count(*) FROM patient") == (4,)
    sought = Person(("okoro", "amina"), sex=2)
    found = [each.row.code for each in like(ann.ledger, sought)]
    assert set(found) == {codes["amina"], codes["twice"]}
    assert like(ann.ledger, Person()) == []


@pytest.mark.parametrize("kind", ["patient.link", "patient.unlink"])
def test_linked_or_told_apart_they_are_listed_no_more_until_that_is_taken_back(kind):
    stage, ann, codes = town()
    data = {"other": codes["twice"]}
    said = stage.write(ann, line(kind, data, patient=codes["amina"], reason="asked her"))[0]
    assert listed(ann, codes["amina"]) == listed(ann, codes["twice"]) == []

    stage.write(ann, line("entry.retract", {"fact": said.facts[0]}, reason="other one"))
    assert listed(ann, codes["amina"]) == [codes["twice"]]


def test_a_tag_read_in_another_case_is_the_same_tag():
    stage, ann, _ = town()
    for tag in ("TG-12", "tg-12"):
        stage.write(ann, line("patient.register", {"tags": [tag]}, confirm=["tag_in_use"]))
    ann.ledger.catch_up_all()
    found = like(ann.ledger, Person(tag="tg-12"))
    assert {each.row.tag for each in found} == {"TG-12", "tg-12"}
    assert all(each.likeness.reasons[0] == "tag" for each in found)


@pytest.mark.safety(18)
def test_safety_18_what_the_protection_scope_knows_is_no_reason_for_anybody():
    stage, ann, pat, kim, child, _ = told()
    stage.write(ann, patient("Amina", age={"value": "6", "unit": "y"}))
    stage.run(2_000)

    rows = []
    for device in (ann, pat, kim):
        device.ledger.catch_up_all()
        (row,) = device.store.all("SELECT id FROM patient WHERE code = ?", (child,))
        rows.append([(each.row.code, each.likeness) for each in candidates(device.ledger, row[0])])
    # Who reads it and who does not are told the same, for the same reasons.
    assert rows[0] == rows[1] == rows[2] != []


FAMILY = ("mother", "child", "sibling", "guardian")


@pytest.mark.parametrize("relation", FAMILY)
def test_a_family_link_is_a_statement_of_its_own_and_can_be_taken_back(relation):
    here = Shelf("a")
    child = here.write("patient.register", {"given_name": "Ben"})
    grown = here.write("patient.register", {"given_name": "Amina"})
    data = {"other": grown.id, "relation": relation}
    here.write("patient.link", data, patient=child.id)
    (link,) = here.table(child.subject, "link")
    assert (PatientId(link.other), link.linked, link.replaced) == (grown.subject, 1, 0)

    here.write("patient.unlink", data, patient=child.id, reason="neighbour")
    rows: list[Any] = here.table(child.subject, "link")
    assert [(row.linked, row.replaced) for row in rows] == [(1, 1), (0, 0)]
    # Being of one family is not being one person.
    assert here.patient(child.subject).name == "Ben"


def test_an_unknown_patient_is_identified_later_by_a_link_that_reaches_every_node():
    here, there = Shelf("a"), Shelf("b")
    unknown = here.write("triage.record", {"category": "red"}, patient={"tag": "C07"})
    known = there.write("patient.register", {"given_name": "Amina"})
    here.receive(there)
    there.receive(here)

    here.write("patient.link", {"other": known.id}, patient=unknown.id, reason="her father came")
    there.receive(here)

    (link,) = there.table(unknown.subject, "link")
    assert (link.relation, link.linked, link.other) == (0, 1, known.subject)
    assert there.patient(unknown.subject).triage == 1
