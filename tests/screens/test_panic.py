"""The panic key: from every screen, a locked one too, and never by habit."""

import pytest
from msgspec.structs import replace

from fieldnode.tui.shell import PANIC_KEY
from protocols.errors import LedgerError
from tests.screens.test_pages import Person


@pytest.fixture
def person() -> Person:
    return Person()


@pytest.mark.safety(20)
@pytest.mark.parametrize("way", [(), ("f9",), ("f2",), ("enter", "n", "pale"), ("f10",), ("f1",)])
def test_it_opens_from_every_screen_and_nines_destroy_the_key(person: Person, way):
    person.press(*way, PANIC_KEY)
    assert person.shell.page.name == "panic"
    assert not any(name in person.screen for name in ("Haddad", "Osei", "pale"))

    person.press("999", "enter")

    assert person.node.panicked and person.shell.quitting


@pytest.mark.parametrize("typed", ["", "9", "99", "9999", "998", "0999x", "111"])
def test_anything_but_three_nines_does_nothing(person: Person, typed):
    person.press(PANIC_KEY, *typed, "enter")
    assert not person.node.panicked and person.shell.page.name == "panic"

    person.press("escape")
    assert person.shell.page.name == "board"


def test_a_wrong_key_takes_the_nines_back_and_one_begins_again(person: Person):
    person.press(PANIC_KEY, *"98999", "enter")
    assert person.node.panicked


@pytest.mark.parametrize("code", ["999", "TG-000999", "0999"])
def test_a_code_that_is_scanned_there_destroys_nothing(person: Person, code):
    person.press(PANIC_KEY, *f"]C1{code}", "enter", "enter")
    assert not person.node.panicked and person.shell.page.name == "panic"


def test_digits_of_any_script_do(person: Person):
    person.press(PANIC_KEY, *"٩९9", "enter")
    assert person.node.panicked


def test_keys_under_way_to_another_screen_destroy_nothing(person: Person):
    person.hurry(PANIC_KEY, "9", "9", "9", "enter")
    assert not person.node.panicked


def test_a_locked_screen_is_locked_again_behind_it(person: Person):
    person.press("f9", PANIC_KEY, "escape")
    assert person.shell.page.name == "lock"


def test_what_exists_only_here_is_said_before(person: Person):
    person.shell.desk.sync = replace(person.shell.desk.sync, unsent=7)
    person.press(PANIC_KEY)
    assert "7 records exist only on this device" in person.screen


def test_a_key_that_cannot_be_destroyed_is_said(person: Person):
    person.press(PANIC_KEY, "999")
    person.node.down = LedgerError("disk_failed")
    person.press("enter")
    assert "disk has failed" in person.screen and not person.shell.quitting
