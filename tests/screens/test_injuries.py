"""Mass casualty: what hurt somebody and what was done already, by a digit each and none needed."""

import msgspec
import pytest

from fieldnode.text.catalogue import load
from fieldnode.tui.screens.injuries import INJURIES, TREATMENTS
from protocols.guidelines.vocabulary import rows_of
from protocols.live.api import PersonLine
from tests.screens.fake_node import ward
from tests.screens.test_mass import counting
from tests.screens.test_pages import Person

WALK = ("f2", "431", "enter", "1", "4", "2")


@pytest.mark.parametrize(("digits", "room"), [(INJURIES, "condition"), (TREATMENTS, "procedure")])
def test_every_digit_is_a_row_of_the_vocabulary_and_no_digit_two(digits, room):
    assert {name for _, name in digits} <= {row.name for row in rows_of(room)}
    assert len({digit for digit, _ in digits}) == len(digits)


@pytest.mark.safety(21)
def test_who_says_neither_strikes_as_many_keys_as_before():
    person = counting()
    person.strike("f2", *"0431", "enter", "1", "4", "2", "enter")
    (written,) = person.node.written

    assert "problem" not in written["data"]
    assert person.struck <= 10


def test_a_digit_each_writes_the_injury_and_what_was_done_in_one_commit():
    person = Person().press(*WALK, "4", "1", "enter")
    triage, done = person.node.written

    assert (triage["kind"], triage["data"]["problem"]) == ("triage.record", "burn")
    assert (done["kind"], done["data"]) == ("procedure.record", {"code": "tourniquet"})
    assert done["patient"].startswith("pat_")


def test_words_are_kept_as_typed_and_one_enter_saves_them():
    person = Person().press(*WALK, "crush leg, trapped", "enter")
    (written,) = person.node.written

    assert written["data"]["problem"] == "crush leg, trapped"


def test_what_was_done_already_is_not_asked_where_nobody_has_signed_in():
    node = ward()
    node.staff = [PersonLine(1, "per_1", "A. Silva")]
    node.greeting = msgspec.structs.replace(node.greeting, people=1, person="", person_id="")
    person = Person(node).press(*WALK)

    assert "Injury" in person.screen and "Done already" not in person.screen


def test_the_board_says_an_injury_in_the_readers_words():
    node = ward()
    first = next(iter(node.patients))
    node.patients = {first: node.patients[first]}
    known = node.patients[first]
    known.head = msgspec.structs.replace(known.head, problem="gunshot-wound")
    person = Person(node)
    assert "Gunshot wound" in person.screen
    person.shell.desk.words = load("fr")
    assert "Plaie par balle" in person.screen


def test_an_enter_behind_the_injury_saves_as_the_line_below_says():
    """Else the digits of the next tag would be what was done already for this patient."""
    person = Person().press(*WALK, "3")
    assert "Enter saves now" in person.screen
    person.press("enter", "432", "enter", "9", "1")

    (triage,) = person.node.written
    assert triage["data"]["problem"] == "injury-limb"
    assert person.shell.page.name == "guide"
