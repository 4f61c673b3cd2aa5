"""A doubtful clock is asked about before anything else (SAFETY 14)."""

from datetime import UTC

import pytest

from fieldnode.text.catalogue import load
from fieldnode.tui.desk import Desk
from fieldnode.tui.screens import home
from fieldnode.tui.shell import Shell
from tests.screens.fake_node import NOW_MS, FakeNode, at_once, ward
from tests.screens.test_line import told
from tests.screens.test_pages import Person

EARLY_MS = 86_400_000
DAY_MS = 86_400_000


def doubtful(newest_ms=NOW_MS - DAY_MS) -> FakeNode:
    node = ward(EARLY_MS)
    node.clock, node.newest_ms = "implausible", newest_ms
    return node


def at_a_bad_clock(node=None) -> Person:
    return Person(node or doubtful())


@pytest.mark.safety(14)
def test_a_doubtful_clock_is_asked_about_first_and_digits_answer():
    person = at_a_bad_clock()
    assert "WHAT DAY AND TIME IS IT?" in person.screen

    person.press(*["backspace"] * 10, "20260520", "enter", "1432", "enter")
    assert person.shell.page.name == "board"
    assert person.node.clock == "stated"
    assert person.node.now_ms + person.node.ahead_ms == NOW_MS
    assert "CLOCK BY HAND" in person.screen.splitlines()[0]


def test_enter_confirms_the_day_that_the_book_knows():
    person = at_a_bad_clock()
    assert "[ 2026-05-19" in person.screen

    person.press("enter", "1700", "enter")
    assert person.node.now_ms + person.node.ahead_ms == NOW_MS - DAY_MS + 148 * 60_000


def test_escape_goes_on_and_the_doubt_stays_on_every_screen():
    person = at_a_bad_clock().press("escape")

    assert person.shell.page.name == "board"
    assert "CLOCK?" in person.screen.splitlines()[0]
    person.shell.changed()
    person.settle()
    assert person.shell.page.name == "board"


def test_the_time_is_asked_for_again_below_the_settings():
    person = at_a_bad_clock().press("escape")
    person.press("f10", "6", "9")

    assert "WHAT DAY AND TIME IS IT?" in person.screen


def test_a_clock_that_is_right_is_not_asked_about():
    person = Person()
    assert person.shell.page.name == "board"
    person.press("f10", "6", "9")
    assert person.shell.page.name == "settings"


def test_a_day_before_this_software_is_refused():
    person = at_a_bad_clock(doubtful(None))
    person.press("2025-12-31", "enter", "1200", "enter")

    assert "younger than that" in person.screen
    assert person.node.clock == "implausible"


def test_a_day_far_from_the_newest_entry_takes_a_second_enter():
    for day in ("2026-05-10", "2062-05-20"):
        person = at_a_bad_clock()
        person.press(*["backspace"] * 10, day, "enter", "1200", "enter")
        assert "newest entry here is of" in person.screen
        assert person.node.clock == "implausible"

        person.press("enter")
        if person.shell.page.name == "clock":
            person.press("enter")
        assert person.node.clock == "stated"


def test_keys_struck_before_the_question_was_seen_answer_nothing():
    node = doubtful()
    numbers = iter(range(100))
    desk = Desk(load("en"), UTC, lambda: f"key{next(numbers)}", EARLY_MS, node.greeting)
    shell = Shell(desk, home.page(desk), home.openers())
    shell.begin()
    for key in ("enter", *"1700", "enter"):
        shell.key(key, 0)
    while shell.asks:
        ask = shell.asks.pop(0)
        shell.answer(ask, at_once(ask.call(node)))

    assert shell.page.name == "clock"
    assert node.clock == "implausible"


@pytest.mark.safety(14)
def test_what_is_saved_after_it_is_of_the_stated_time():
    person = at_a_bad_clock().press("enter", "1700", "enter")
    person.shell.tick(EARLY_MS + 60_000)

    assert person.shell.desk.now_ms == NOW_MS - DAY_MS + 149 * 60_000


def test_line_mode_asks_first_too():
    node, said = told("", "1700", node=doubtful())

    assert said.startswith("WHAT DAY AND TIME IS IT?")
    assert node.clock == "stated"


@pytest.mark.parametrize("language", ["en", "fr", "pseudo"])
def test_a_clock_that_differs_from_those_of_peers_says_by_how_much_and_asks_nothing(language):
    node = ward()
    node.clock, node.apart_ms = "differs", 2 - DAY_MS
    person = Person(node)
    assert person.shell.page.name == "board"
    assert "CLOCK?" in person.screen.splitlines()[0]

    person.shell.desk.words = load(language)
    person.press("f7")

    (said,) = (line for line in person.screen.splitlines() if "1 d" in line or "1 j" in line)
    assert said.rstrip().endswith((".", "?", "]"))
    person.press("escape", "f10", "6")
    assert "WHAT DAY" not in person.screen
