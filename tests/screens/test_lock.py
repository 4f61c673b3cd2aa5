"""An idle terminal blanks its names; what was typed stays (SAFETY 20)."""

import asyncio
import threading
from datetime import UTC
from typing import Any

import pytest

from fieldnode.text.catalogue import load
from fieldnode.tui.app import Driver
from fieldnode.tui.desk import Desk
from fieldnode.tui.line import LineTerminal
from fieldnode.tui.occasion import Occasion
from fieldnode.tui.screens import home
from fieldnode.tui.shell import Shell
from protocols.errors import InputError
from tests.screens.fake_between import PAPER, a_proof
from tests.screens.fake_node import NOW_MS, PASSPHRASE, FakeNode, at_once, ward
from tests.screens.test_pages import Person
from tests.screens.test_sign_in import signed_in

MINUTE_MS = 60_000


@pytest.fixture
def person() -> Person:
    return Person()


def idle(person, for_ms):
    person.shell.idle(for_ms)
    person.settle()
    person.look()
    return person


@pytest.mark.safety(20)
def test_a_terminal_locks_when_nobody_typed_for_as_long_as_it_is_set(person: Person):
    idle(person, 3 * MINUTE_MS - 1)
    assert person.shell.page.name == "board"

    idle(person, 3 * MINUTE_MS)
    assert person.shell.page.name == "lock"
    assert not person.node.unlocked
    for name in ("Haddad", "Osei", "ACD EFH", "TG-000412"):
        assert name not in person.screen


def test_what_is_half_typed_is_on_the_node_before_the_screen_locks(person: Person):
    person.press("enter", "n", "pale, sweat")
    idle(person, 3 * MINUTE_MS)
    (draft,) = person.node.drafts.values()
    assert draft.fields == {"text": "pale, sweat"}

    person.press(*PASSPHRASE, "enter")
    person.press("d", "enter", "ing", "enter")
    assert person.node.written[0]["data"]["text"] == "pale, sweating"


@pytest.mark.safety(20)
@pytest.mark.parametrize("away", ["f9", "idle"])
def test_where_nobody_is_identified_an_unlocked_screen_begins_at_the_board(person: Person, away):
    """A passphrase of the device says nothing of who typed it: it may be another hand."""
    person.press("enter")
    assert person.shell.page.name == "chart"
    person.press("f9") if away == "f9" else idle(person, 3 * MINUTE_MS)
    person.press(*PASSPHRASE, "enter")
    assert person.shell.page.name == "board"

    # Else these would be a note and another category in the chart of somebody else.
    person.press("n", "Diallo", "enter", "enter", "3")
    assert person.shell.page.name == "register"
    assert person.node.written == []


def test_neither_what_was_saved_nor_lost_keys_stay_on_a_locked_screen(person: Person):
    person.press("enter", "n", "pale", "enter")
    assert "Osei" in person.screen
    person.shell.lost = [*"Osei"]
    idle(person, 3 * MINUTE_MS)

    assert "Osei" not in person.screen
    assert "pale" not in person.screen


def test_a_locked_terminal_does_not_lock_again(person: Person):
    idle(person, 3 * MINUTE_MS)
    idle(person, 30 * MINUTE_MS)
    person.press(*PASSPHRASE, "enter")

    assert person.shell.page.name == "board"


def test_the_time_is_chosen_below_the_settings(person: Person):
    person.press("f10", "6", "3", "5")
    assert person.node.chosen == {"lock_after": "30"}

    idle(person, 29 * MINUTE_MS)
    assert person.shell.page.name != "lock"
    idle(person, 30 * MINUTE_MS)
    assert person.shell.page.name == "lock"


def test_too_many_wrong_passphrases_say_how_long_to_wait(person: Person):
    async def unlock(_passphrase):
        raise InputError("too_many_tries", wait_s=60)

    person.node.unlock = unlock  # type: ignore[method-assign]
    person.press("f9", "guess", "enter")

    assert "Try again in 60 seconds" in person.screen
    assert person.shell.page.name == "lock"


class Silent:
    """A node that is followed and never changes."""

    def __init__(self, node):
        self._node = node

    def __getattr__(self, name):
        return getattr(self._node, name)

    async def changes(self):
        await asyncio.Event().wait()
        yield frozenset()

    async def close(self):
        pass


def silent(node: FakeNode) -> Any:
    return Silent(node)


def shell_of(node) -> Shell:
    numbers = iter(range(100))
    desk = Desk(load("en"), UTC, lambda: f"key{next(numbers)}", NOW_MS, node.greeting)
    return Shell(desk, home.page(desk), home.openers())


def test_a_machine_that_slept_shows_no_names_to_the_first_key():
    clock = [0]

    async def woken():
        shell, came = shell_of(ward()), asyncio.Event()

        def show():
            if not shell.busy:
                came.set()

        driver = Driver(shell, silent(ward()), show, lambda: clock[0])
        driver.start()
        await asyncio.wait_for(came.wait(), 10)
        driver.key("down", 0)
        assert shell.page.name == "board"
        clock[0] += 3 * MINUTE_MS
        driver.key("enter", 0)
        await driver.last_word()
        return shell.page.name

    assert asyncio.run(woken()) == "lock"


def test_an_idle_terminal_locks_without_any_key():
    async def left_alone():
        clock, drawn = [0], asyncio.Event()
        shell = shell_of(ward())

        def show():
            if shell.page.name == "lock":
                drawn.set()

        driver = Driver(shell, silent(ward()), show, lambda: clock[0])
        clock[0] += 3 * MINUTE_MS
        driver.start()
        await asyncio.wait_for(drawn.wait(), 10)
        await driver.last_word()

    asyncio.run(left_alone())


def test_line_mode_blanks_itself_and_takes_the_next_line_for_nobody():
    node, said = ward(), []
    locked = threading.Event()
    answers = iter(["", "n", "typed too late", PASSPHRASE, "", "3", "pale"])

    class Soon(LineTerminal):
        def idle_s(self):
            return 0.01 if waiting else 60.0

    waiting = []

    def read(prompt, secret):
        said.append(prompt)
        answer = next(answers, None)
        if answer is None:
            raise EOFError
        if answer == "typed too late":
            assert locked.wait(10)
            waiting.clear()
        elif answer == PASSPHRASE:
            assert secret
        elif answer == "n":
            waiting.append(True)
        return answer

    def write(text):
        said.append(text)
        if text.startswith("LOCKED: nobody typed"):
            locked.set()

    ticks = iter(range(0, 10_000_000, 1000))
    terminal = Soon(shell_of(node), node, read, write, lambda: next(ticks))
    asyncio.run(terminal.run())

    assert locked.is_set()
    after = said[
        said.index("LOCKED: nobody typed for a while. Press Enter, then type the passphrase.") :
    ]
    assert not any("Osei" in text for text in after[: after.index("Passphrase: ")])
    assert "* That is not the passphrase. Type it again." not in said
    assert "typed too late" not in str(node.written)
    assert node.written[0]["data"]["text"] == "pale"


def on_its_way(*keys):
    """Strike keys; the node has not answered the last of them when the screen locks itself."""
    person = signed_in().press(*keys[:-1])
    person.shell.key(keys[-1], person.now_ms)
    (late,) = (ask for ask in person.shell.asks if ask.holds)
    person.shell.asks.clear()
    return idle(person, 3 * MINUTE_MS), late


@pytest.mark.safety(20)
@pytest.mark.parametrize(
    ("keys", "after"),
    [(("enter", "n", "pale", "enter"), "chart"), (("enter", "c", "o"), "order")],
)
def test_what_the_node_answers_after_the_screen_locked_is_seen_by_the_same_person_alone(
    keys, after
):
    """A lid was closed while the node was asked: its answer comes after the lock."""
    person, late = on_its_way(*keys)
    person.shell.answer(late, at_once(late.call(person.node)))
    person.settle()
    person.look()
    assert person.shell.page.name == "lock"
    assert not [name for name in ("Osei", "EFH", "pale") if name in person.screen]

    person.press("1", "4817", "enter")
    assert person.shell.page.name == after and "Osei" in person.screen
    assert [save.form for save in person.shell.desk.saves] == ["note"] * (after == "chart")

    person, late = on_its_way(*keys)
    person.shell.answer(late, at_once(late.call(person.node)))
    person.press("2", PASSPHRASE, "enter")
    assert person.shell.page.name == "board" and len(person.shell.pages) == 1
    person.press("enter", "escape")
    assert person.shell.page.name == "board" and not person.shell.desk.saves


@pytest.mark.safety(20)
def test_a_paper_scanned_over_the_triage_of_a_locked_terminal_opens_nothing():
    """What a paper says of somebody is for whoever is signed in."""
    person = signed_in()
    person.node.paper = a_proof(NOW_MS, "holds", "")
    person.press("f9", "f2", *f"]Q3{PAPER}", "enter")
    assert [page.name for page in person.shell.pages][-2:] == ["lock", "triage"]
    assert "Diallo" not in person.screen and "Signed by" not in person.screen


@pytest.mark.safety(13)
def test_whoever_comes_next_does_not_type_up_the_papers_of_the_one_before():
    person = signed_in()
    person.shell.desk.paper, person.shell.desk.last_paper = True, Occasion("2026-05-19", "14:05")
    person.press("f9", "2", PASSPHRASE, "enter")
    assert not person.shell.desk.paper and person.shell.desk.last_paper is None

    person.press("enter", "n", "pale", "enter")
    (written,) = person.node.written
    assert not {"at", "by", "source"} & written.keys()


@pytest.mark.safety(20)
def test_what_waits_for_a_page_waits_until_that_page_is_on_top():
    """Triage without anybody lies between: the save that came meanwhile leaves its own form."""
    person, late = on_its_way("enter", "n", "pale", "enter")
    person.press("f2", "f9")
    person.shell.answer(late, at_once(late.call(person.node)))
    person.press("1", "4817", "enter")
    assert person.shell.page.name == "triage"

    person.press("escape")
    assert person.shell.page.name == "chart"
    assert [one["kind"] for one in person.node.written] == ["note.add"]


@pytest.mark.safety(20)
def test_keys_that_waited_when_the_screen_locked_are_not_typed_into_the_lock():
    person = signed_in()
    for key in ("enter", "1", *"4817"):
        person.shell.key(key, person.now_ms)
    idle(person, 3 * MINUTE_MS)

    lock = person.page
    assert lock.name == "lock" and lock.core.chosen is None and not lock.core.secret
    assert person.node.greeting.person == ""
