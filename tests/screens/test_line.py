"""Line mode: the same records from plain lines."""

import asyncio
import itertools
from datetime import UTC

import msgspec

from fieldnode.text.catalogue import load
from fieldnode.tui.app import screen_possible
from fieldnode.tui.cores.display import Size
from fieldnode.tui.cores.glance import GLANCE_MS
from fieldnode.tui.desk import Desk
from fieldnode.tui.line import LineTerminal
from fieldnode.tui.screens import home
from fieldnode.tui.shell import Shell
from tests.screens.fake_node import NOW_MS, staff, ward


def told(*typed, tick_ms=GLANCE_MS, node=None):
    """Return the node and all that was said, prompts among it."""
    node, said, lines = node or ward(), [], iter(typed)
    numbers = iter(range(1000))
    desk = Desk(load("en"), UTC, lambda: f"key{next(numbers)}", NOW_MS, node.greeting)

    def read(prompt, _secret):
        said.append(prompt)
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    ticks = itertools.count(0, tick_ms)

    def clock():
        return next(ticks)

    shell = Shell(desk, home.page(desk), home.openers())
    assert asyncio.run(LineTerminal(shell, node, read, said.append, clock).run()) == 0
    return node, "\n".join(said)


def test_a_patient_is_registered_by_answering_prompts():
    node, said = told("n", "Diallo", "Awa", "2", "34", "1", "", "", "burns", "")

    assert "Family name" in said
    assert "1 male 2 female 3 pregnant 9 unknown" in said
    assert "SAVED HERE" in said
    assert node.written[0]["data"]["given_name"] == "Awa"
    assert node.written[1]["data"]["problem"] == "burns"


def test_a_refused_answer_is_asked_again_with_the_reason():
    node, said = told("+", "v", "999", "26")

    assert "! Not possible: between 0 and 100 /min." in said
    (draft,) = node.drafts.values()
    assert draft.fields == {"respiratory-rate": "26"}


def test_a_digit_that_is_no_answer_does_not_pass_for_an_empty_one():
    _, said = told("n", "", "", "7", "2")

    assert "! This key is no answer here." in said
    assert said.count("Sex (") == 2


def test_a_line_that_was_there_before_the_question_answers_nothing():
    node, said = told("f2", "TG-000412", "", "2", "4", "2", "", "", tick_ms=GLANCE_MS - 1)

    assert "This tag is ACD EFH 001 Haddad Nour" in said
    assert "not taken" in said
    assert node.written == []


def test_back_and_function_keys_are_lines_too():
    _, said = told("f7", "<", "f10", "0")

    assert "At HQ until" in said
    assert "Leave the terminal" in said


def test_a_screen_is_not_started_where_none_fits():
    assert screen_possible("xterm-256color", Size(80, 24))
    assert not screen_possible("dumb", Size(80, 24))
    assert not screen_possible("xterm", None)
    assert not screen_possible("xterm", Size(39, 24))
    assert screen_possible("vt100", Size(40, 12))


def test_line_mode_signs_in_by_number_and_an_unseen_pin():
    node = ward()
    node.staff = staff()
    node.greeting = msgspec.structs.replace(node.greeting, people=len(node.staff))
    node, said = told("1", "4817", "n", "Diallo", "Awa", "2", "34", "1", "", "", "", node=node)

    assert "Who is it? Number: " in said and "PIN of Amina Okoro: " in said
    assert "4817" not in said and "SAVED HERE" in said
    assert node.greeting.person == "Amina Okoro"


def test_a_lock_and_the_end_wipe_what_was_shown_and_can_be_scrolled_back_to():
    wiped, said, node = [], [], ward()
    desk = Desk(load("en"), UTC, lambda: "key", NOW_MS, node.greeting)
    lines = iter(["f9", "q"])

    def read(_prompt, _secret):
        try:
            return next(lines)
        except StopIteration:
            raise EOFError from None

    def wipe():
        wiped.append(len(said))

    shell = Shell(desk, home.page(desk), home.openers())
    clock = iter(range(0, 10**9, 1_000))
    terminal = LineTerminal(shell, node, read, said.append, lambda: next(clock), wipe)
    assert asyncio.run(terminal.run()) == 0

    # Once when it was locked, behind whatever had been shown, and once at the end.
    assert len(wiped) == 2
    shown = "\n".join(said[: wiped[0]])
    assert "Haddad" in shown
    assert "Haddad" not in "\n".join(said[wiped[0] :])


def test_a_filter_is_replaced_by_the_next_answer_and_an_empty_one_shows_all():
    _, said = told("/", "Osei", "/", "L", "/", "")
    boards = said.split("1 RED 3")[1:]

    assert "ONLY" not in boards[0] and "Li Wei" in boards[0]
    assert "ONLY: Osei   listed 1" in boards[1] and "Li Wei" not in boards[1]
    assert "ONLY: L   " in boards[2] and "Li Wei" in boards[2]
    assert "ONLY" not in boards[3] and "Osei" in boards[3] and "Li Wei" in boards[3]
