"""When an order begins, and when something that runs on began."""

import msgspec
import pytest

from tests.screens.test_care import HADDAD, ill, last
from tests.screens.test_pages import Person

ORDERED = ("c", "o", "ors", "enter", "400", "enter", "1", "1", "3", "enter")


def ordering() -> Person:
    return Person(ill()).press(*HADDAD, *ORDERED)


def at(person, label):
    """Go down to a field by its label."""
    for _ in range(12):
        if f">{label}" in person.screen:
            return person
        person.press("down")
    raise AssertionError(person.screen)


def test_an_order_takes_a_first_dose_of_another_hour_a_form_and_a_code():
    person = ordering()
    at(person, "Form").press("sachet", "enter", "1805", "enter")
    assert "First dose 18:05" in person.screen
    person.press("enter") if ">of the day" not in person.screen else person.press(
        "20260521", "enter"
    )
    assert "First dose" in person.screen
    at(person, "Code").press("atc:A07CA", "enter", "enter")
    data = last(person)["data"]

    assert (data["form"], data["code"]) == ("sachet", "atc:A07CA")
    assert data["start"] == "2026-05-21T18:05:00+00:00"


def test_an_order_of_which_nothing_was_said_starts_now():
    person = ordering().press("enter", "enter")

    assert not {"start", "form", "code"} & set(last(person)["data"])


def test_a_day_without_an_hour_is_asked_about():
    person = at(ordering(), "of the day").press("20260521", "enter", "enter", "enter")

    assert "At what time of that day?" in person.screen
    assert person.node.written == []


def running() -> Person:
    node = ill()
    care = node.care_of("pat_00001")
    first = msgspec.structs.replace(care.medicines[0], way="continuous", every=0, state="running")
    node.set_care("pat_00001", medicines=(first, *care.medicines[1:]))
    return Person(node).press(*HADDAD, "m", "g")


def test_what_runs_on_says_when_it_began_and_a_dose_of_an_hour_does_not_ask():
    person = running()
    assert "Began at" in person.screen
    person.press("1", "1405", "enter", "enter")
    assert last(person)["at"] == "2026-05-20T14:05:00+00:00"
    assert "Began at" not in Person(ill()).press(*HADDAD, "m", "g").screen


def test_it_cannot_have_begun_in_an_hour_to_come_and_ctrl_t_is_not_overruled():
    person = running().press("1", "2300", "enter", "enter")
    assert "23:00 today has not come yet" in person.screen
    assert person.node.written == []
    person = running()
    person.press("ctrl+t", "20260519", "enter", "0900", "enter", "enter", "enter")
    person.press("1", "1405", "enter", "enter")
    assert "leave this empty" in person.screen
    assert person.node.written == []


@pytest.mark.safety(21)
def test_given_as_ordered_is_as_many_keys_as_before():
    person = running().press("1", "enter")

    assert last(person)["data"]["status"] == "given"
