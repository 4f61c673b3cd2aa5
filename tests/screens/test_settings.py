"""Settings: what is kept, what it does at once, and the two tests of keys and scanner."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldnode.tui.cores.scancheck import CARD, Found, ScannerCheck
from fieldnode.tui.themes import THEMES, styles
from tests.screens.fake_node import ward
from tests.screens.test_line import told
from tests.screens.test_pages import Person


@pytest.fixture
def person() -> Person:
    return Person().press("f10", "6")


def scanned(*codes, prefix="]Q1", suffix=("enter",)) -> ScannerCheck:
    check = ScannerCheck()
    for code in codes:
        for key in (*prefix, *code, *suffix):
            check.key(key)
    return check


def test_each_setting_says_what_it_is_set_to(person: Person):
    for shown in (
        "English",
        "Night: dark",
        "3 minutes",
        "TG-",
        "on: refused keys",
        "°C",
        "24 hours",
    ):
        assert shown in person.screen


def test_the_prefix_of_tags_is_kept_on_the_node_and_holds_at_once(person: Person):
    person.press("5", *["backspace"] * 3, "ZX-00", "enter")
    assert person.node.chosen["tag_prefix"] == "ZX-00"

    person.press("f2", "0431", "enter")
    assert person.page.form.snapshot()["tag"] == "ZX-000431"


def test_silence_is_kept_and_holds_at_once(person: Person):
    assert "on: refused" in person.screen
    person.press("6")

    assert person.node.chosen["sound"] == "off" and "off: everything" in person.screen
    assert not person.shell.desk.sound


def test_a_node_that_keeps_silence_says_so_to_every_terminal():
    node = ward()
    node.greeting = type(node.greeting)("dev", "nord-b", sound="off")

    assert not Person(node).shell.desk.sound


def test_nothing_in_the_settings_asks_are_you_sure(person: Person):
    for digit in ("1", "2", "3"):
        person.press(digit, "2")
        assert person.shell.page.name == "settings"


def test_every_key_is_named_and_leaves_only_by_two_escapes(person: Person):
    person.press("7", "é", "ш", "٣", "escape", "5")
    assert "is 2 where one digit is the answer" in person.screen
    assert "acts as i" in person.screen
    assert "is taken as 3" in person.screen
    assert person.press("escape", "escape").shell.page.name == "settings"
    assert person.node.written == []


@pytest.mark.parametrize("theme", THEMES)
@pytest.mark.parametrize("colour", [True, False])
def test_a_category_has_a_look_in_every_theme_and_its_word_and_number_in_all(theme, colour):
    assert {"red", "yellow", "green", "expectant", "dead"} <= set(styles(theme, colour=colour))
    shown = Person().screen
    for word in ("1 RED", "2 YELLOW", "3 GREEN", "4 EXPECTANT", "0 DEAD"):
        assert word in shown


# The scanner's card.


def test_a_scanner_that_is_set_right_is_found_right():
    check = scanned(*CARD)

    assert check.good


@pytest.mark.parametrize(
    ("name", "found", "check"),
    [
        ("prefix", Found.MISSING, scanned(*CARD, prefix="")),
        ("suffix", Found.MISSING, scanned(*CARD, suffix=())),
        ("suffix", Found.OTHER, scanned(*CARD, suffix=("tab",))),
        ("suffix", Found.TWICE, scanned(*CARD, suffix=("enter", "enter"))),
        ("separator", Found.MISSING, scanned("FM1", "FM2", "FM39")),
        ("separator", Found.MISSING, scanned("FM1", "FM2", "FM3|9")),
        ("layout", Found.OTHER, scanned("FM&", "FMé", 'FM"\x1dç')),
        ("layout", Found.OTHER, scanned("fm1", "fm2", "fm3\x1d9")),
    ],
)
def test_each_fault_of_a_scanner_is_found_and_no_other(name, found, check):
    assert getattr(check, name) is found
    others = {"prefix", "suffix", "separator", "layout"} - {name}
    assert {getattr(check, other) for other in others} <= {Found.OK, Found.UNKNOWN}


def test_a_real_code_does_as_well_as_the_card():
    check = scanned("TG-000431", "0109501101530003\x1d10AB-123")

    assert (check.prefix, check.suffix, check.separator) == (Found.OK, Found.OK, Found.OK)


def test_the_card_says_what_to_set(person: Person):
    person.press("8", *"FM1", "tab")
    shown = person.screen
    assert "send the AIM identifier in front" in shown
    assert "send Enter (CR), not Tab" in shown
    assert shown.count("█") > 50 or "▀" in shown

    person.press(*"]Q1FM3", "\x1d", "9", "enter")
    assert person.screen.count(" ok") == 4
    assert person.press("escape").shell.page.name == "settings"


def test_a_code_on_the_card_opens_nothing(person: Person):
    person.press("8", *"]C1TG-000412", "enter")

    assert person.shell.page.name == "test_card"
    assert "TG-000412" in person.screen


@given(st.lists(st.sampled_from(["enter", "tab", "up", "f", "]", "C", "1", "\x1d", "é", "\u202e"])))
def test_no_key_breaks_the_card(keys):
    check = ScannerCheck()
    for key in keys:
        check.key(key)

    assert len(check.typed) <= 256


def test_settings_work_line_by_line():
    node, said = told("f10", "6", "5", "ZX-", "6", "7", "q", "<", "<", "8", "]Q1FM1", "<")

    assert node.chosen["tag_prefix"] == "ZX-"
    assert "Test the scanner" in said and "AIM identifier" in said
