"""Signing in at a shared terminal: few keys, nothing of the one before, triage without anybody."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldnode.tui.cores.signin import DEVICE, Choice, SignIn
from protocols.errors import InputError
from protocols.live.api import Recorded
from tests.screens.fake_node import PASSPHRASE, at_once, refusing, staff, ward
from tests.screens.test_pages import Person

AMINA = "per_1AMINA000000"


def shift(**stopped) -> Person:
    """A node with people; nobody has signed in."""
    node = ward()
    node.staff = staff()
    node.stopped = stopped
    node.greeting = msgspec.structs.replace(node.greeting, people=len(node.staff))
    return Person(node)


def signed_in(**stopped) -> Person:
    return shift(**stopped).press("1", "4817", "enter")


# Keys


def test_signing_in_is_a_digit_the_pin_and_enter():
    person = shift()
    assert person.shell.page.name == "lock"
    keys = ["1", *"4817", "enter"]
    person.hurry(*keys)

    assert len(keys) == 6
    assert person.shell.page.name == "board" and "Amina Okoro" in person.screen
    assert "Signed in: Amina Okoro nurse" in person.screen


def test_who_has_no_pin_types_the_passphrase_and_the_device_has_one_too():
    person = shift().press("2", PASSPHRASE, "enter")
    assert person.node.greeting.person == "Jun Cho"

    person.press("f9", "0", PASSPHRASE, "enter")
    assert person.shell.page.name == "board"
    assert person.node.greeting.person == "" and "not identified" in person.screen


def test_a_wrong_pin_asks_again_and_says_so():
    person = shift().press("1", "9999", "enter")
    assert "That is not the PIN." in person.screen and person.shell.page.name == "lock"

    person.press("4817", "enter")
    assert person.shell.page.name == "board"


def test_tab_goes_over_to_the_passphrase_and_escape_to_somebody_else():
    person = shift().press("1", "48", "tab", PASSPHRASE, "enter")
    assert person.node.greeting.person_id == AMINA

    person.press("f9", "1", "48", "escape", "3", "907314", "enter")
    assert person.node.greeting.person == "Luis Mbeki"


def test_arrows_choose_too():
    person = shift().press("down", "enter", PASSPHRASE, "enter")
    assert person.node.greeting.person == "Jun Cho"


def test_a_pin_that_is_used_up_asks_the_passphrase():
    person = shift()

    async def login(_person, *, pin="", passphrase=""):
        raise InputError("no_pin")

    person.node.login = login  # type: ignore[method-assign]
    person.press("1", "4817", "enter")
    assert "There is no PIN any more" in person.screen
    assert "Passphrase of Amina Okoro" in person.screen


def test_how_long_to_wait_is_said():
    person = shift()
    assert "wait 30 s" in person.screen and "not certified yet" in person.screen

    async def login(_person, *, pin="", passphrase=""):
        raise InputError("too_many_tries", wait_s=60)

    person.node.login = login  # type: ignore[method-assign]
    person.press("3", "907314", "enter")
    assert "Try again in 60 seconds" in person.screen


# One after the other


def test_whoever_comes_next_sees_nothing_of_the_one_before():
    person = signed_in().press("enter", "n", "pale, sweat", "f9")
    assert "pale" not in person.screen and "Haddad" not in person.screen
    person.press("2", PASSPHRASE, "enter")

    assert person.shell.page.name == "board" and len(person.shell.pages) == 1
    person.press("f8")
    assert "nothing that could be taken back" in person.screen


def test_the_same_person_goes_on_where_they_were():
    person = signed_in().press("enter", "n", "pale, sweat", "f9", "1", "4817", "enter")

    assert person.shell.page.name == "note"
    person.press("ing", "enter")
    assert person.node.written[0]["data"]["text"] == "pale, sweating"


@pytest.mark.safety(19)
def test_what_the_one_before_saved_is_not_undone_by_the_next():
    person = signed_in().press("enter", "n", "pale", "enter", "f9", "2", PASSPHRASE, "enter", "f8")
    assert "nothing that could be taken back" in person.screen
    assert [line["kind"] for line in person.node.written] == ["note.add"]


def test_a_node_that_was_started_again_asks_who_is_here():
    person = signed_in()
    person.node.greeting = msgspec.structs.replace(person.node.greeting, person="", person_id="")
    person.shell.changed()
    person.settle()

    assert person.shell.page.name == "lock"


# Triage without anybody


@pytest.mark.safety(20)
def test_triage_goes_on_without_anybody_and_comes_back_to_the_lock():
    person = shift().press("f2", "999", "enter", "1", "4", "2", "enter", "enter")
    (line,) = person.node.written
    assert line["kind"] == "triage.record" and person.shell.page.name == "triage"

    for key in ("f3", "f7", "f8", "f10"):
        person.press(key)
        assert person.shell.page.name == "triage"
        assert "Sign in first" in person.screen
    person.press("escape")
    assert person.shell.page.name == "lock"
    assert "Haddad" not in person.screen


def test_a_page_of_before_the_lock_does_not_come_back_through_triage():
    person = signed_in().press("f3", "haddad", "enter")
    assert "Haddad" in person.screen
    person.press("f9", "f2", "f3")
    assert "Haddad" not in person.screen
    person.press("ctrl+g", "3")
    assert "Haddad" not in person.screen and person.shell.page.name == "triage"
    person.press("f9")
    assert person.shell.page.name == "lock"


# What may not be written


def test_a_licence_asks_before_the_form_opens_and_a_reason_goes_on():
    stop = refusing("note.add", "outside_practice", overridable=True)
    person = signed_in(**{"note.add": stop}).press("enter", "n")
    assert "Your licence does not cover this." in person.screen
    assert "Who may: nurse, Amina Okoro." in person.screen

    person.press("o", "enter")
    assert "Say why." in person.screen
    person.press("nobody else", "enter")
    assert person.shell.page.name == "note"
    assert person.node.trail == [(("note.add",), "nobody else", "pat_00003")]
    person.press("seen", "enter")
    assert person.node.written[0]["kind"] == "note.add"


def test_escape_leaves_the_form_that_may_not_be_written():
    stop = refusing("note.add", "outside_practice", overridable=True)
    person = signed_in(**{"note.add": stop}).press("enter", "n", "escape")

    assert person.shell.page.name == "chart" and person.node.trail == []


def test_keys_struck_ahead_do_not_override():
    stop = refusing("note.add", "outside_practice", overridable=True)
    person = signed_in(**{"note.add": stop}).press("enter")
    person.hurry("n", "o", "k", "enter")

    assert person.shell.page.name == "gate" and person.node.trail == []


def test_what_a_role_may_not_write_can_be_written_and_is_said_to_count_nowhere():
    person = signed_in(**{"note.add": refusing("note.add", "role_refused")}).press("enter", "n")
    assert "Your role may not write this." in person.screen
    assert "It counts nowhere" in person.screen

    person.press("w", "seen", "enter")
    assert person.node.written[0]["kind"] == "note.add" and person.node.trail == []


def test_a_save_that_counts_nowhere_says_so():
    person = signed_in()
    record = person.node.record

    async def marked(lines, *, together=False):
        found = await record(lines, together=together)
        return [msgspec.structs.replace(one, warnings=("role_refused",)) for one in found]

    person.node.record = marked  # type: ignore[assignment, method-assign]
    person.press("enter", "n", "seen", "enter")
    assert "BUT REFUSED" in person.screen


def test_a_licence_that_is_asked_at_the_save_keeps_the_form():
    person = signed_in()
    person.node.refuse["note.add"] = Recorded(
        1, False, error="licence_ended", kind="note.add", allowed=("nurse",)
    )
    person.press("enter", "n", "seen", "enter")
    assert "Your licence has ended." in person.screen
    person.press("escape")
    assert person.shell.page.name == "note" and "seen" in person.screen
    person.press("enter")
    del person.node.refuse["note.add"]
    person.press("o", "nobody else", "enter")

    assert person.node.written[0]["data"]["text"] == "seen"
    assert person.node.trail == [(("note.add",), "nobody else", "pat_00003")]


# Who am I


def test_who_am_i_says_licence_device_and_what_may_be_written():
    stop = refusing("note.add", "outside_practice", overridable=True)
    person = signed_in(**{"note.add": stop}).press("f10", "6", "4")

    for part in ("Amina Okoro nurse", "KE-12345", "2030-03-17", "adult wards", "Ministry of Health",
                 "nord-b", "Red Cross", "May write: ", "Only in an emergency"):  # fmt: skip
        assert part in person.screen, part


def test_a_pin_is_set_unseen_and_typed_twice():
    person = signed_in().press("f10", "6", "4", "p", PASSPHRASE, "enter", "6041", "enter")
    assert "6041" not in person.screen and PASSPHRASE not in person.screen
    person.press("6042", "enter")
    assert "not the same" in person.screen
    person.press("6041", "enter", "6041", "enter")

    assert person.node.chosen["pin"] == "6041" and person.shell.page.name == "who"


def test_an_obvious_pin_is_refused_and_only_the_pin_is_asked_again():
    person = signed_in().press("f10", "6", "4", "p", PASSPHRASE, "enter", "1234", "enter")
    person.press("1234", "enter")
    assert "Choose another" in person.screen
    person.press("6041", "enter", "6041", "enter")
    assert person.node.chosen["pin"] == "6041"


# The core


def number_of(core: SignIn) -> int | None:
    return core.chosen.number if core.chosen is not None else None


def test_two_digits_choose_where_there_are_ten():
    core = SignIn()
    core.take([Choice(number, f"p{number}", has_pin=True) for number in range(1, 13)])
    core.key("1")
    assert number_of(core) is None
    core.key("2")
    assert number_of(core) == 12
    core.back()
    core.key("0")
    core.key("3")
    assert number_of(core) == 3


@given(st.lists(st.sampled_from([*"0123456789a٣é", "enter", "tab", "escape", "backspace", "up",
                                 "down", "f3", "ctrl+g"]), max_size=40))  # fmt: skip
def test_no_keys_give_a_try_of_another_than_was_chosen(keys):
    core = SignIn()
    core.take([Choice(1, "one", has_pin=True), Choice(3, "three", has_pin=False)])
    for key in keys:
        chosen, by_pin, secret = core.chosen, core.by_pin, core.secret
        tried = core.key(key)
        if tried is not None:
            assert chosen is not None and (tried.id, tried.by_pin) == (chosen.id, by_pin)
            assert tried.secret == secret and secret
            assert not by_pin or (secret.isascii() and secret.isdigit())
        assert core.chosen in (None, DEVICE, *core.choices)
        assert core.secret == "" or core.chosen is not None


def test_keys_struck_ahead_of_the_list_choose_from_it():
    person = signed_in()
    person.hurry("f9", "1", *"4817", "enter")

    assert person.shell.page.name == "board" and person.node.unlocked


def test_a_greeting_asked_for_before_the_lock_puts_nobody_back():
    person = signed_in()
    person.shell.changed()
    hello, *others = person.shell.asks
    person.shell.asks = []
    answer = at_once(hello.call(person.node))
    person.press("f9")
    person.shell.answer(hello, answer)

    assert person.shell.desk.greeting.person == "" and others
    person.press("0", PASSPHRASE, "enter")
    assert "not identified" in person.screen
