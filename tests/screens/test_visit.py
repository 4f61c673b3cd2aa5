"""What somebody came with: picked from a list that counts, or in words; isolation; a new visit."""

import pytest

from fieldnode.text.catalogue import load
from fieldnode.tui.wording import problem
from protocols.guidelines.syndromes import complaint, shipped_syndromes
from tests.screens.fake_node import ward
from tests.screens.test_mass import counting
from tests.screens.test_pages import Person

NEW = ("n", "Diallo", "enter", "enter", "2", "34", "enter", "1", "enter", "enter", "enter")
"""A registration up to its complaint."""
VISIT = ("c", "p", "c")
"""From a chart."""


def opened(person):
    return next(one["data"] for one in person.node.written if one["kind"] == "encounter.open")


def test_a_registration_offers_the_complaints_by_number_and_keeps_what_they_count_under():
    person = Person().press(*NEW)
    assert person.page.form.open_field.name == "problem"
    assert "4 Crush injury" in person.screen
    person.press("1")
    assert "19 Acute watery diarrhoea" in person.screen
    person.press("9", "enter", "enter")

    data = opened(person)
    assert data["problem"] == data["syndrome"] == "watery-diarrhoea"
    assert "Acute watery diarrhoea" in person.screen


def test_letters_and_a_digit_pick_a_row_that_is_more_than_what_is_counted():
    person = Person().press(*NEW, "clos", "1", "enter", "enter")

    assert opened(person)["problem"] == "closed-fracture"
    assert opened(person)["syndrome"] == "injury-moderate"
    assert problem(load("fr"), "closed-fracture") == "Fracture fermée"


@pytest.mark.parametrize("said", ["fever 3 days", "fell 4 m from a roof", "cough"])
def test_own_words_stay_as_they_are_heard_and_are_asked_about_by_nobody(said):
    person = Person().press(*NEW, said, "enter", "enter")

    data = opened(person)
    assert data["problem"] == said
    assert "syndrome" not in data


@pytest.mark.safety(21)
def test_a_complaint_picked_by_its_number_costs_two_keys_more():
    def struck(*complaint):
        person = counting("n")
        person.strike(
            *"Diallo", "enter", "enter", "2", *"34", "enter", "1", "enter", "enter", "enter"
        )
        person.strike(*complaint, "enter")
        assert person.shell.page.name == "chart"
        return person.struck

    # The Enter behind a picked row is absorbed by habit; the next one saves.
    assert struck("1", "9", "enter") - struck() == 3


def test_every_row_of_the_list_reads_in_every_language_and_counts_under_an_item():
    languages = ("en", "fr", "es", "pt", "uk")
    for row in shipped_syndromes().syndrome:
        for language in languages:
            assert complaint(row.id, language), (row.id, language)
    assert complaint("pale") is None


def test_a_visit_that_goes_on_is_told_its_complaint_and_how_somebody_is_kept_apart():
    person = Person().press("enter", *VISIT, "20", "4", "1", "enter")
    (written,) = person.node.written

    assert written["kind"] == "encounter.move"
    assert written["data"] == {
        "problem": "cholera-suspected", "syndrome": "watery-diarrhoea",
        "isolation": "enteric", "event_relation": "direct",
    }  # fmt: skip


def test_a_visit_that_is_told_nothing_is_not_saved():
    person = Person().press("enter", *VISIT, "enter")

    assert person.node.written == []
    assert "Nothing is filled in" in person.screen


def test_somebody_who_comes_again_begins_a_new_visit():
    node = ward()
    for patient in node.patients:
        node.set_care(patient, in_care=False)
    person = Person(node).press("enter", *VISIT)
    assert "Enter begins a new visit" in person.screen
    person.press("28", "enter", "enter")

    (written,) = node.written
    assert written["kind"] == "encounter.open"
    assert written["data"]["syndrome"] == "fever-unknown"


def test_a_draft_of_a_visit_is_taken_up_as_the_row_that_was_picked():
    person = Person().press("enter", *VISIT, "20", "escape", "escape", "escape", "escape", "d")
    assert "Visit" in person.screen
    person.press("enter")

    assert "Cholera, suspected" in person.screen
    person.press("enter")
    assert person.node.written[0]["data"]["problem"] == "cholera-suspected"
