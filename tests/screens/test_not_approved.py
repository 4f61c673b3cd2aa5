"""Limits of a guideline that nobody signed say so in words wherever they are shown (SAFETY 8)."""

import pytest

from fieldnode.tui.cores.display import Size, text_of
from tests.screens.test_goldens import LANGUAGES, shell_after
from tests.screens.test_line import told
from tests.screens.test_pages import Person

WORDS = {"en": "NOT APPROVED", "fr": "NON APPROUVÉES", "pseudo": "NÖT ÀPPRÖVÉD"}
VITALS = ["down", "enter", "v"]
LONG = ["ctrl+t", *"2026-05-19", "enter", *"1405", "enter", "2", *"J. Cho-Rasmussen of team two"]


@pytest.mark.safety(8)
@pytest.mark.parametrize("size", [Size(80, 24), Size(132, 43)])
@pytest.mark.parametrize("keys", [VITALS, [*VITALS, *LONG, "enter"]], ids=["now", "stated"])
@pytest.mark.parametrize("language", LANGUAGES)
def test_vital_signs_say_that_their_limits_are_not_approved(language, keys, size):
    shown = "\n".join(map(text_of, shell_after(keys, LANGUAGES[language]).draw(size)))

    assert WORDS[language] in shown


def test_line_mode_says_so_too():
    _, said = told("", "v")

    assert "limits NOT APPROVED" in said


@pytest.mark.safety(8)
def test_a_range_is_never_on_the_screen_without_it():
    person = Person().press("enter", "v", "120", "enter")
    assert "Not possible" in person.screen
    assert "NOT APPROVED" in person.screen

    person.press(*["backspace"] * 3, "80", "enter")
    assert "Unusual: mostly" in person.screen
    assert "NOT APPROVED" in person.screen
