"""Who somebody is, put right: only what is answered is written, about whom it was opened for."""

import pytest

from protocols.live import wards
from protocols.live.api import Asserted, Attribute
from tests.screens.fake_node import NOW_MS, ward
from tests.screens.test_line import told
from tests.screens.test_mass import counting
from tests.screens.test_pages import Person
from tests.unit.stage import WALL_MS, Stage, camp, line, patient

OPEN = ("down", "enter", "l", "i")
"""From the board to the second patient's form."""
WHOM = "pat_00003"


def at_second(*keys) -> Person:
    return Person(ward()).press(*OPEN, *keys)


def written(person):
    return [one for one in person.node.written if one["kind"] == "patient.identify"]


@pytest.mark.safety(7)
def test_somebody_found_to_be_pregnant_takes_ten_keys_from_the_chart():
    person = counting("down", "enter")
    person.strike("l", "i", "enter", "enter", "3", *["enter"] * 5)

    (line_,) = written(person)
    assert line_["data"] == {"sex": "female-pregnant"}
    assert person.struck <= 10
    assert person.shell.page.name == "chart"
    assert "SAVED HERE" in person.screen


def test_only_what_is_answered_is_said_anew():
    person = at_second(
        *"Mbeki", "enter", "tab", "tab", *"~41", "enter", "1", *"TG-77", "enter", "enter"
    )

    (line_,) = written(person)
    assert line_["data"] == {
        "family_name": "Mbeki",
        "age": {"value": "41", "unit": "y", "estimated": True},
        "tags": ["TG-77"],
    }


def test_what_stands_is_named_and_is_never_filled_in():
    node = ward()
    for known in node.patients.values():
        said = (Asserted("f1", "Okoro", "Ann", 0, 0), Asserted("f2", "Okoru", "Ben", 0, 0))
        known.attributes = (Attribute("family_name", said),)
    person = Person(node).press(*OPEN)

    assert "NOW:   ! Family name: Okoro | Okoru" in person.screen
    person.press(*["enter"] * 7)
    assert written(person) == []
    assert "Nothing is filled in yet" in person.screen


@pytest.mark.safety(17)
def test_safety_17_a_code_of_somebody_else_fills_nothing_and_a_new_one_is_the_tag():
    person = at_second(*"]C1TG-000412", "enter")
    assert person.shell.page.name == "switch"

    person = at_second(*"]C1TG-9999", "enter", "tab", "tab", "tab", "tab", "tab", "enter", "enter")
    assert [one["data"] for one in written(person)] == [{"tags": ["TG-9999"]}]


def test_an_age_says_nothing_beside_a_birth_date_that_stands():
    node = ward()
    for known in node.patients.values():
        born = (Asserted("f1", "1980-05-01", "Ann", 0, NOW_MS),)
        known.attributes = (Attribute("birth_date", born),)
    person = Person(node).press(*OPEN, "tab", "tab", "tab", *"41", "enter", "1", *["enter"] * 4)

    assert written(person) == []
    assert "it goes before an age" in person.screen


def test_a_draft_of_it_is_taken_up_again():
    person = at_second(*"Mbeki", "enter", "escape", "escape", "d", "enter")
    assert person.shell.page.name == "identify"
    person.press(*["enter"] * 8)
    assert [one["data"] for one in written(person)] == [{"family_name": "Mbeki"}]


def test_line_mode_asks_for_it_too():
    node, _ = told("+", "", "l", "i", "Mbeki", "", "3", "", "", "", "")
    found = [one for one in node.written if one["kind"] == "patient.identify"]

    assert [one["data"] for one in found] == [{"family_name": "Mbeki", "sex": "female-pregnant"}]


@pytest.mark.safety(7)
def test_safety_7_no_score_stands_anywhere_once_somebody_is_known_to_be_pregnant():
    ann, ben = camp(("ann", "ben"))
    stage = Stage()
    stage.link(ann, ben)
    whom = {
        "patient": stage.write(ann, patient("Amina", sex="female", age={"value": 25, "unit": "y"}))[
            0
        ].code
    }
    stage.write(ann, line("encounter.open", {}, **whom))
    pulse = {"set": [{"code": "heart-rate", "value": "118", "unit": "/min"}]}
    stage.write(ann, line("observation.record", pulse, **whom))
    stage.run(2_000)

    def scores():
        for device in (ann, ben):
            device.ledger.catch_up_all()
        return [wards.board(one.ledger, 0, 9, "", WALL_MS).lines[0].score for one in (ann, ben)]

    assert scores() == [2, 2]
    assert stage.write(ben, line("patient.identify", {"sex": "female-pregnant"}, **whom))[0].ok
    stage.run(2_000)
    assert scores() == [None, None]
