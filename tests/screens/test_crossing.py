"""What left and what went, what is counted, and concerns that only those entrusted are shown."""

import pytest

from protocols.live.crossing import Concerns, EraseState
from tests.screens.fake_node import ward
from tests.screens.test_pages import Person


@pytest.fixture
def person() -> Person:
    return Person(ward())


def test_an_erase_names_who_confirmed_and_who_has_not_with_the_last_contact(person: Person):
    person.press("f7", "w", "x")
    for part in ("gone from 3 of 5 devices", "NOT CONFIRMED by truck 3 (last linked 05-14",
                 "Confirmed by nord-a (13:32 (1 h 00))", "A legal hold keeps 2"):  # fmt: skip
        assert part in person.screen, part
    person.press("end")
    assert "fieldnode erase request --late" in " ".join(person.screen.split())


def test_what_the_terminal_cannot_do_it_names_the_command_for(person: Person):
    person.press("f7", "2", "1")
    for command in ("fieldnode release", "fieldnode", "erase", "fieldnode hold"):
        assert command in person.screen
    person.press(*["down"] * 4)
    assert "fieldnode unhold ent_H1" in person.screen


def test_a_release_that_does_not_count_says_so_first(person: Person):
    person.press("f7", "w", "x", "down", "down")
    assert "DOES NOT COUNT: one of the two may not release" in person.screen
    person.press("up")
    assert "DOES NOT COUNT" not in person.screen
    assert "Basis: Agreement 7, article 2" in person.screen


def test_an_empty_book_says_that_nothing_left(person: Person):
    person.node.crossing = {"releases": [], "erases": EraseState((), (), 0, 0)}
    person.press("f7", "w", "x")
    assert "Nothing was released or erased" in person.screen


def test_counts_of_another_law_say_what_is_left_out(person: Person):
    person.press("f7", "w", "n")
    for part in ("here (CH)", "from KE", "pregnant", "<5", "nothing below five may be told"):
        assert part in person.screen, part


@pytest.mark.safety(18)
def test_board_search_and_chart_say_nothing_of_a_concern(person: Person):
    shown = [person.screen]
    person.press("down", "enter")
    shown.append(person.screen)
    person.press("escape", "f3", *"osei", "enter")
    shown.append(person.screen)
    person.press("escape", "f7", "w", "p")
    assert "child alone" in person.screen and "her aunt" in person.screen
    for screen in shown:
        assert "aunt" not in screen and "child alone" not in screen


@pytest.mark.safety(18)
@pytest.mark.parametrize("why", ["device", "person", "role"])
def test_who_is_not_entrusted_is_told_why_and_nothing_else(person, why):
    person.node.crossing = {"concerns": Concerns(why_not=why)}
    person.press("f7", "w", "p")
    assert "aunt" not in person.screen and "ACD" not in person.screen
    said = {"device": "not entrusted", "person": "Sign in first", "role": "Your role"}
    assert said[why] in person.screen


def test_a_concern_is_written_from_the_chart_and_keeps_no_draft(person: Person):
    person.press("down", "enter", "l", "s", "1", *"aunt in the other camp")
    assert person.node.drafts == {}
    person.press("enter")

    (line,) = person.node.written
    assert line["kind"] == "protection.record" and line["patient"] == "pat_00002"
    assert line["data"] == {"concern": "unaccompanied-child", "text": "aunt in the other camp"}
    assert person.node.drafts == {}


def test_a_form_left_half_way_leaves_nothing_behind(person: Person):
    person.press("down", "enter", "l", "s", "3", *"she said", "escape", "f9")
    assert person.node.drafts == {} and person.node.written == []
    assert "she said" not in person.screen
