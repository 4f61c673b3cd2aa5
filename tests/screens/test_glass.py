"""A chart of another organisation's patient asks why, once for each patient and session."""

import pytest

from protocols.errors import LedgerError
from tests.screens.fake_node import PASSPHRASE, ward
from tests.screens.test_pages import Person


@pytest.fixture
def person() -> Person:
    node = ward()
    node.foreign = dict.fromkeys(node.patients, ("Red Cross",))
    return Person(node)


def test_one_key_says_why_and_the_chart_opens(person: Person):
    person.press("down", "enter")
    assert person.shell.page.name == "glass"
    assert "Red Cross" in person.screen and "HQ can read it" in person.screen
    # Nobody's name: whoever may not read the chart yet does not read it here.
    assert not any(name in person.screen for name in ("Haddad", "Osei"))

    person.press("1")

    assert person.shell.page.name == "chart"
    assert list(person.node.opened.values()) == ["care"]


def test_the_second_time_nothing_is_asked_until_the_terminal_was_locked(person: Person):
    person.press("down", "enter", "2", "escape", "enter")
    assert person.shell.page.name == "chart"

    person.press("f9", *PASSPHRASE, "enter", "down", "enter")
    assert person.shell.page.name == "glass"

    person.press("escape")
    assert person.shell.page.name == "board"


def test_a_reason_is_typed_in_words_and_an_empty_one_is_none(person: Person):
    person.press("down", "enter", "4", "enter", " ", "enter")
    assert person.shell.page.name == "glass"

    person.press(*"his mother asks", "enter")

    assert list(person.node.opened.values()) == ["his mother asks"]
    assert person.shell.page.name == "chart"


def test_a_key_under_way_to_the_chart_is_no_reason(person: Person):
    person.press("down")
    person.hurry("enter", "t", "1")
    assert person.shell.page.name == "glass"
    assert person.node.opened == {}


def test_a_key_struck_before_the_question_was_seen_is_no_reason(person: Person):
    person.press("down")
    person.hurry("enter")
    person.hurry("1")
    assert person.shell.page.name == "glass"
    assert person.node.opened == {}


@pytest.mark.parametrize("before", [(), ("4",), ("4", *"his")])
def test_a_code_that_is_scanned_there_is_no_reason(person: Person, before):
    person.press("down", "enter", *before, *"]C1TG-000412", "enter")
    assert person.shell.page.name == "glass"
    assert person.node.opened == {}


def test_a_chart_whose_opening_cannot_be_written_down_stays_shut(person: Person):
    person.press("down", "enter")
    person.node.down = LedgerError("disk_full")

    person.press("1")

    assert person.shell.page.name == "glass"
    assert "disk is full" in person.screen


def test_a_long_reason_is_cut_at_what_the_trail_keeps(person: Person):
    person.press("down", "enter", "4", *("x" * 300), "enter")
    assert list(person.node.opened.values()) == ["x" * 140]
