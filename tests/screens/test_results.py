"""Results of devices wait until a person gives them to a patient (SAFETY 15)."""

import pytest

from protocols.live.api import Recorded
from tests.screens.fake_node import waiting_results, ward
from tests.screens.test_line import told
from tests.screens.test_pages import Person


@pytest.fixture
def person() -> Person:
    node = ward()
    node.waiting = waiting_results()
    return Person(node)


def test_the_board_counts_what_waits_and_names_the_key(person: Person):
    assert "2 results wait for their patients: r or 5" in person.screen
    assert "wait for" not in Person().screen


def test_a_result_is_given_to_a_patient_after_both_were_shown(person: Person):
    person.press("5", "enter")
    assert "WHOSE IS IT?" in person.screen
    person.press("haddad", "enter", "enter")
    for part in ("SpO2 88 %", "Pulse 124 /min", "Acme Ox-2", "Haddad Nour", "TG-000412", "34 y"):
        assert part in person.screen, part
    assert person.node.written == []

    person.press("enter")
    (line,) = person.node.written
    assert (line["kind"], line["patient"]) == ("result.assign", "pat_00001")
    assert line["data"] == {"result": "fct_w1.0"}
    assert person.shell.page.name == "results"
    assert "1 RESULT WAITS" in person.screen


def test_what_a_device_said_about_its_patient_is_shown(person: Person):
    person.press("r", "down")

    assert "said to be of TG-000999" in person.screen


def test_a_scan_finds_the_patient_too(person: Person):
    person.press("r", "enter", *"]C1TG-000412", "enter", "enter")

    assert "GIVE THIS RESULT TO THIS PATIENT" in person.screen
    assert "Haddad Nour" in person.screen


def test_escape_leaves_it_waiting(person: Person):
    person.press("r", "enter", "haddad", "enter", "enter", "escape")

    assert person.node.written == []
    assert "2 RESULTS WAIT" in person.screen


def test_keys_struck_before_the_patient_was_seen_give_nothing(person: Person):
    person.press("r", "enter", "haddad", "enter")
    person.hurry("enter", "enter", "enter")

    assert person.node.written == []


@pytest.mark.safety(15)
def test_giving_it_away_can_be_taken_back(person: Person):
    person.press("r", "enter", "haddad", "enter", "enter", "enter", "f8")
    assert "Result ACD EFH 001" in person.screen
    person.press("enter")

    assert person.node.written[-1]["kind"] == "entry.retract"


def test_a_refusal_is_said_and_the_result_waits(person: Person):
    refused = Recorded(0, False, error="not_unassigned", field="data.result")
    person.node.refuse["result.assign"] = refused
    person.press("r", "enter", "haddad", "enter", "enter", "enter")

    assert "has a patient already" in person.screen
    assert person.shell.page.name == "results"


def test_where_nothing_waits_the_page_says_so():
    person = Person().press("r")
    assert "Nothing waits." in person.screen
    assert person.press("enter").shell.page.name == "results"


def test_line_mode_gives_results_too():
    node = ward()
    node.waiting = waiting_results()
    _, said = told("r", "", "haddad", "", "", node=node)

    assert "2 results wait for their patients" in said
    assert node.written[0]["kind"] == "result.assign"
