"""What stands after a save, a taking back and the end of a session is what is."""

import pytest

from tests.screens.test_drive import CARD, Counting, saved, scan


@pytest.mark.parametrize("way", [["enter", "*"], ["k", "*"]])
def test_whoever_closes_a_session_is_not_left_in_it(way):
    """An Enter struck twice began a child in a session that was over."""
    person = Counting().press("f4", *way, "6", "4", "0", "enter", "enter")

    assert len(saved(person, "session.close")) == 1
    assert person.shell.page.name == "immunise"
    assert "NEW CHILD" not in person.screen


def test_what_to_write_on_a_card_goes_with_the_child_that_is_taken_back():
    person = Counting().press("f4", "enter", *scan(CARD), "enter")
    assert "WRITE ON CARD TG-000412" in person.screen
    person.press("f8", "enter")

    assert person.shell.page.name == "drive"
    assert "WRITE ON CARD" not in person.screen


def test_what_to_write_on_a_card_stays_over_a_vial_that_is_opened():
    person = Counting().press("f4", "enter", *scan(CARD), "enter", *scan("MR", "]d2"), "enter")

    assert person.shell.page.name == "drive"
    assert "WRITE ON CARD TG-000412" in person.screen


def test_behind_what_was_saved_stands_the_key_that_takes_it_back_whole():
    person = Counting().press("f4", "enter", *scan(CARD), "enter")
    strip = next(row for row in person.screen.splitlines() if "SAVED HERE" in row)

    assert strip.rstrip().endswith("F8 takes it back")
