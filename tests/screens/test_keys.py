"""The same key means the same on every page, by F and by Ctrl+G, whatever the keyboard's layout."""

import importlib
import pkgutil
import tomllib
from functools import cache
from pathlib import Path

import pytest

from fieldnode.text import catalogue
from fieldnode.text.catalogue import COMPLETE, load, pseudo
from fieldnode.tui import screens
from fieldnode.tui.cores.display import Size, line_cells, text_of
from fieldnode.tui.cores.fields import Coded, Number
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.glance import GLANCE_MS
from fieldnode.tui.cores.keys import AZERTY_DIGITS, BY_POSITION
from fieldnode.tui.page import Page
from fieldnode.tui.screens.choices import CATEGORY
from protocols.errors import FieldmeshError
from tests.screens.fake_node import at_once, ward
from tests.screens.test_goldens import LANGUAGES as WORDS
from tests.screens.test_goldens import SCREENS, shell_on
from tests.screens.test_pages import Person

ROOMS = {
    "f1": "help", "f2": "triage", "f3": "search", "f4": "immunise", "f5": "supplies",
    "f6": "alerts", "f7": "sync", "f8": "undo", "f9": "lock", "f10": "menu",
}  # fmt: skip
ON_A_LOCKED_SCREEN = ("f1", "f2", "f9")


for module in pkgutil.iter_modules(screens.__path__):
    importlib.import_module(f"{screens.__name__}.{module.name}")


def classes(of=Page):
    for one in of.__subclasses__():
        yield one
        yield from classes(one)


PAGES = sorted({one for one in classes() if one.name}, key=lambda one: one.name)


@cache
def reached():
    """Return a screen on top of which a page of each class lies; walked to once a test needs it."""
    found = {}
    for name in SCREENS:
        page = shell_on(name, WORDS["en"]).page
        found.setdefault(type(page), name)
    return found


def strike(shell, node, *keys, now_ms=10**9):
    for number, key in enumerate(keys):
        shell.key(key, now_ms + number * GLANCE_MS)
        settle(shell, node)
        shell.shown(now_ms + number * GLANCE_MS)


def settle(shell, node):
    while shell.asks:
        ask = shell.asks.pop(0)
        try:
            answer = at_once(ask.call(node))
        except FieldmeshError as failure:
            shell.fail(ask, failure)
        else:
            shell.answer(ask, answer)


def test_every_page_is_among_the_screens():
    assert {one.__name__ for one in reached()} == {one.__name__ for one in PAGES}


@pytest.mark.safety(21)
@pytest.mark.parametrize("way", ["F", "Ctrl+G"])
@pytest.mark.parametrize("page", PAGES, ids=[one.name for one in PAGES])
def test_each_key_opens_the_same_room_from_every_page(page, way):
    screen = reached()[page]
    for key, room in ROOMS.items():
        node = ward()
        shell = shell_on(screen, WORDS["en"])
        before = shell.page
        struck = [key] if way == "F" else ["ctrl+g", key[-1]]
        strike(shell, node, *struck)

        if before.name == "lock" and key not in ON_A_LOCKED_SCREEN:
            assert shell.page is before
            assert "Sign in first" in shell.said.text
        else:
            # In a session F4 is the session's screen.
            works = room == "immunise" and shell.desk.session
            assert shell.page.name == ("drive" if works else room), key


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("width", [80, 100, 132])
def test_the_row_of_keys_is_the_same_on_every_page_and_says_both_ways(language, width):
    rows = {
        text_of(shell_on(screen, WORDS[language]).draw(Size(width, 24))[-1])
        for screen in reached().values()
    }

    (row,) = rows
    assert row.startswith("F/Ctrl+G")
    assert all(f" {digit}" in row for digit in "1234567890")


@pytest.mark.safety(21)
@pytest.mark.parametrize("page", PAGES, ids=[one.name for one in PAGES])
def test_every_letter_has_a_digit_and_stands_for_one_thing(page):
    # One property depends on what is asked; its own test reads it.
    actions = page.actions if isinstance(page.actions, tuple) else ()

    assert all(one.digit.isascii() and one.digit.isdigit() for one in actions)
    assert len({one.digit for one in actions}) == len({one.letter for one in actions})
    assert len({one.letter for one in actions}) == len(actions)


@pytest.mark.parametrize("digits", ["٠١٢٣٤٥٦٧٨٩", "۰۱۲۳۴۵۶۷۸۹", "०१२३४५६७८९"])
def test_digits_of_every_script_answer_and_act(digits):
    shell, node = shell_on("board", WORDS["en"]), ward()
    strike(shell, node, digits[1])
    assert shell.page.name == "register"

    form = FormCore((Coded("c", "x", choices=CATEGORY), Number("n", "x")))
    for key in (digits[2], digits[3], digits[0]):
        form.key(key)
    assert form.snapshot() == {"c": "2", "n": "30"}


@pytest.mark.safety(21)
def test_a_letter_acts_by_the_key_it_sits_on():
    cyrillic = {latin: char for char, latin in reversed(BY_POSITION.items()) if char > "\u0400"}
    for page, letter, opened in (("board", "n", "register"), ("chart", "t", "retriage")):
        for layout in (cyrillic[letter], {"n": "ى", "t": "ف"}[letter]):
            shell, node = shell_on(page, WORDS["en"]), ward()
            strike(shell, node, layout)
            assert shell.page.name == opened


def test_the_french_top_row_is_digits_only_where_one_digit_is_the_answer():
    form = FormCore((Coded("c", "x", choices=CATEGORY), Number("n", "x")))
    french = {digit: char for char, digit in AZERTY_DIGITS.items()}
    form.key(french["1"])
    form.key(french["2"])
    form.key("enter")

    assert form.snapshot()["c"] == "1"
    assert not form.answers().get("n")


@pytest.mark.parametrize("language", COMPLETE)
def test_every_page_has_help_in_each_complete_language(language):
    words = load(language)
    told = tomllib.loads(Path(catalogue.__file__).with_name(f"help.{language}.toml").read_text())

    assert {one.name for one in PAGES} <= set(told)
    for text in told.values():
        assert all("|" in row for row in text.splitlines() if row)
    assert words.help_of("triage") == told["triage"]
    assert words.help_of("no such page") == ""


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize("page", PAGES, ids=[one.name for one in PAGES])
def test_help_is_about_the_page_it_was_asked_on_and_fits(page, language):
    node, shell = ward(), shell_on(reached()[page], WORDS[language])
    asked = shell.page.name
    strike(shell, node, "f1")

    lines = shell.draw(Size(80, 24))
    assert {line_cells(one) for one in lines} == {80}
    shown = "\n".join(map(text_of, lines))
    first = WORDS[language].help_of(asked).strip().splitlines()[0].partition("|")[2].split()
    assert " ".join(first[:4]) in " ".join(shown.split()) or asked == "help"


def test_help_says_how_long_it_is_and_how_to_go_back():
    person = Person().press("f1")
    assert "page 1 of 3" in person.screen and "PgUp" in person.screen
    assert "page 3 of 3" in person.press("enter", "enter").screen
    person.shell.key("pageup", person.now_ms)
    assert "page 2 of 3" in person.screen


def test_help_in_the_long_language_is_longer():
    assert len(pseudo().help_of("triage")) > len(load("en").help_of("triage"))
