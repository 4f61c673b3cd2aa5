"""A recall arrives between a dose and its record: it is not lost, and never given by habit."""

import pytest

from tests.screens.test_drive import CARD, Counting, codes, saved, scan
from tests.screens.test_pages import Person

HAD = "lot_given_already"
STOPS = {
    "lot_recalled": "LOT RECALLED",
    "lot_quarantined": "LOT HELD BACK",
    "lot_expired": "LOT EXPIRED",
}


@pytest.fixture
def person():
    return Counting().press("f4", "enter")


def stopped(person, code="lot_recalled"):
    """The lot of the first vial of measles is stopped, and the node says that rows changed."""
    person.node.stopped = {"fct_vial1.0": code}
    person.shell.changed()
    person.settle()
    person.look()
    return person


@pytest.mark.parametrize("code", STOPS)
def test_a_child_that_comes_after_a_recall_is_not_ticked_for_its_lot(person, code):
    stopped(person, code)
    assert f"MR-0172B 6/10 {STOPS[code]}" in person.screen
    person.press(*scan(CARD))
    assert "[ ] Measles-rubella 1" in person.screen and STOPS[code] in person.screen
    person.press("enter")

    assert codes(person) == ["bopv"]


@pytest.mark.parametrize("code", STOPS)
def test_no_number_of_enters_writes_a_dose_of_a_lot_that_was_stopped_meanwhile(person, code):
    person.press(*scan(CARD))
    stopped(person, code)
    person.press(*["enter"] * 6)

    assert saved(person) == []
    assert "DO NOT GIVE IT" in person.screen
    assert "Haddad Nour" in person.screen, "and who it is about stays"


def test_the_next_card_gives_no_such_dose_either_and_does_not_come_before_it_is_settled(person):
    person.press(*scan(CARD))
    stopped(person)
    person.press(*scan("KM-7"))
    assert "DO NOT GIVE IT" in person.screen
    person.press(*scan("KM-7"))

    assert person.node.written == []
    assert "Haddad Nour" in person.screen


@pytest.mark.parametrize("key", ["g", "9", "п"])
def test_what_the_child_had_already_is_written_with_two_keys_that_are_no_habit(person, key):
    person.press(*scan(CARD))
    stopped(person)
    person.press("enter", key)
    assert saved(person) == [], "one key alone is a slip"
    assert "It is written as GIVEN" in person.screen
    person.press("enter")

    assert [(one["data"]["vaccine"], one.get("confirm")) for one in saved(person)] == [
        ("mr", [HAD]),
        ("bopv", None),
    ]
    assert saved(person)[0]["data"]["vial"] == "fct_vial1.0", "of the vial that it came from"
    assert "SAVED HERE" in person.screen


def test_the_key_and_the_enter_struck_in_one_go_write_nothing(person):
    person.press(*scan(CARD))
    stopped(person)
    person.press("enter")
    person.hurry("g", "enter", "enter")

    assert saved(person) == []


def test_leaving_the_question_leaves_the_child_and_what_was_not_given_can_be_unticked(person):
    person.press(*scan(CARD))
    stopped(person)
    person.press("enter", "escape", "1", "enter")

    assert codes(person) == ["bopv"]


def test_one_who_was_ticked_by_hand_is_asked_about_too(person):
    stopped(person)
    person.press(*scan(CARD), "1", "enter")
    assert "Measles-rubella MR-0172B" in person.screen
    assert saved(person) == []


def test_the_dose_says_on_the_list_of_all_doses_that_its_lot_is_recalled(person):
    person.press(*scan(CARD))
    stopped(person)
    person.press("enter", "g", "enter", *scan(CARD), "c")

    assert "RECALLED MR-0172B" in person.screen
    assert "counts" in person.screen


def test_a_vial_opened_meanwhile_is_what_the_next_children_get(person):
    stopped(person)
    person.press(*scan("MR", "]d2"), "enter", *scan(CARD))
    assert "[x] Measles-rubella 1" in person.screen
    person.press("enter")

    assert saved(person)[0]["data"]["vial"] == "fct_new0.0"


@pytest.mark.parametrize("code", STOPS)
def test_crowd_mode_counts_no_dose_of_it_by_enters_and_counts_one_that_was_given(code):
    person = Person().press("f4", "k")
    person.node.stopped = {"fct_vial1.0": code}
    person.press("1", *["enter"] * 4)
    assert saved(person, "tally.add") == []
    assert "DO NOT GIVE IT" in person.screen
    person.press("9")
    assert saved(person, "tally.add") == []
    person.press("enter")

    (line,) = saved(person, "tally.add")
    assert line["confirm"] == [HAD]
    assert line["data"]["vial"] == "fct_vial1.0"


def test_crowd_mode_draws_from_another_vial_first():
    person = Person().press("f4", "enter", *scan("MR", "]d2"), "enter", "*", "3")
    person.node.stopped = {"fct_vial1.0": "lot_recalled"}
    person.shell.changed()
    person.settle()
    person.press("1")

    assert saved(person, "tally.add")[0]["data"]["vial"] == "fct_new0.0"
