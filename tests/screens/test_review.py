"""Acts of somebody whose licence came into doubt are looked at again, and that is kept."""

import pytest

from protocols.errors import InputError
from protocols.live.belonging import ReviewPage
from tests.screens.fake_node import staff, ward
from tests.screens.test_line import told
from tests.screens.test_pages import Person

AMINA = ("f9", "1", *"4817", "enter")


@pytest.fixture
def person() -> Person:
    node = ward()
    node.staff = staff()
    return Person(node).press(*AMINA)


def test_the_page_says_what_is_listed_why_and_what_came_of_it(person: Person):
    person.press("f7", "a")
    for part in ("2 WAIT", "Note", "Jun Cho", "nobody looked yet", "put right: R. Amin",
                 "Listed because: licence ended", "It goes on counting"):  # fmt: skip
        assert part in person.screen, part
    person.press("end")
    assert "dose was by weight" in person.screen


def test_a_review_takes_an_outcome_a_note_and_enter(person: Person):
    person.press("f7", "4", "enter", "2", *"by weight", "enter")

    assert person.node.trust.reviewed == [("fct_r1.0", "corrected", "by weight")]
    assert person.shell.page.name == "reviews"
    assert "1 WAITS" in person.screen
    assert "KEPT" in person.screen


def test_keys_struck_before_the_act_was_seen_say_nothing_of_it(person: Person):
    person.press("f7")
    person.hurry("a", "enter", "1", "enter")

    assert person.shell.page.name == "reviews"
    assert person.node.trust.reviewed == []


def test_a_code_that_is_scanned_there_says_nothing_of_an_act(person: Person):
    person.press("f7", "a", "enter", *"]C1TG-000412", "enter", "enter")

    assert person.shell.page.name == "verdict"
    assert person.node.trust.reviewed == []


def test_escape_takes_an_outcome_back_and_then_leaves(person: Person):
    person.press("f7", "a", "enter", "1", *"no", "escape")
    assert person.shell.page.name == "verdict"
    person.press("escape")

    assert person.shell.page.name == "reviews"
    assert person.node.trust.reviewed == []


def test_nobody_signed_in_is_asked_to_sign_in():
    person = Person(ward()).press("f7", "a", "enter")

    assert person.shell.page.name == "reviews"
    assert "Sign in first" in person.screen


def test_nobody_reviews_their_own_act():
    node = ward()
    node.staff = staff()
    person = Person(node).press("f9", "2", *"correct horse", "enter", "f7", "a", "enter")

    assert person.shell.page.name == "reviews"
    assert "did themselves" in person.screen


def test_where_this_device_may_not_review_it_says_who_may(person: Person):
    held = person.node.trust.reviews
    person.node.trust.reviews = ReviewPage(
        held.total, held.waiting, held.lines, "review_rank", ("HQ Nairobi",)
    )
    person.press("f7", "a", "enter")

    assert "HQ Nairobi" in person.screen
    assert person.shell.page.name == "reviews"


def test_c_opens_the_chart_the_act_stands_in(person: Person):
    person.press("f7", "a", "c")
    assert person.shell.page.name == "chart"
    person.press("escape", "end", "c")
    assert person.shell.page.name == "reviews"
    assert "It is in no chart." in person.screen


def test_a_refusal_of_the_node_is_said(person: Person):
    async def refuses(fact, outcome, note):
        raise InputError("not_for_review", field="fact")

    person.node.review_done = refuses  # type: ignore[method-assign]
    person.press("f7", "a", "enter", "1", "enter")

    assert "not listed for review any more" in person.screen


def test_line_mode_reviews_too():
    node = ward()
    node.staff = staff()
    told("f9", "1", "4817", "f7", "a", "", "1", "", node=node)

    assert node.trust.reviewed == [("fct_r1.0", "stands", "")]
