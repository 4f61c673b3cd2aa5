"""SAFETY, *Identity, tags, scans*: what no older test says of rules 16 to 18."""

from __future__ import annotations

import pytest

from fieldnode.tui.cores.display import Size, text_of
from protocols.live.api import BoardLine
from tests.screens.fake_node import ward
from tests.screens.test_goldens import LANGUAGES, SCREENS, shell_after, shell_on

OPEN = ["down", "down", "enter"]
"""Opens the chart of the one whose name, tag and age are all known."""
LINK = ["down", "down", "enter", "l", "n", *"okoro", "enter"]
PATIENT_SCREENS = {
    "chart": OPEN,
    "vitals": [*OPEN, "v"],
    "vitals-begun": [*OPEN, "v", *"26", "enter", "-"],
    "note": [*OPEN, "n"],
    "retriage": ["down", "down", "t"],
    "when": [*OPEN, "v", "ctrl+t"],
    "guide": ["down", "down", "t", "9"],
    "guide-question": ["down", "down", "t", "9", "2"],
    "guide-category": ["down", "down", "t", "9", "1", "1"],
    "settle": [*OPEN, "u"],
    "retract": [*OPEN, "e"],
    "links": [*OPEN, "l"],
    "link_other": LINK,
    "link_confirm": [*LINK, "enter", "1"],
    "unlink": [*LINK, "enter", "1", "enter", "x"],
}
SHARED = "shared-tag-take-off"


@pytest.mark.safety(18)
@pytest.mark.parametrize("language", ["en", "fr", "pseudo"])
@pytest.mark.parametrize("screen", [*PATIENT_SCREENS, SHARED])
def test_safety_18_name_tag_and_age_are_on_every_patient_screen(screen, language):
    words = LANGUAGES[language]
    if screen == SHARED:
        shell = shell_on(SHARED, words)
    else:
        shell = shell_after(PATIENT_SCREENS[screen], words)
    head = ward().patients["pat_00001"].head
    assert (head.name, head.tag, head.age) == ("Haddad Nour", "TG-000412", "34 y")

    shown = "\n".join(text_of(row) for row in shell.draw(Size(80, 24)))

    assert head.name in shown
    assert head.tag in shown
    assert head.code in shown
    assert "34 " in shown


OF_MANY = ("unsettled", "triage")
"""One is a list of all patients; the other is the gate's form, whose tag stands in its first field
after the name was asked about."""


def head_of(page) -> BoardLine:
    """Return whom a page is about, where it was given somebody."""
    return next((held for held in vars(page).values() if isinstance(held, BoardLine)), None)


@pytest.mark.safety(18)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_safety_18_every_screen_that_was_given_a_patient_says_who_it_is(language):
    told = set()
    for screen in SCREENS:
        shell = shell_on(screen, LANGUAGES[language])
        head = head_of(shell.page)
        if head is None or shell.page.name in OF_MANY:
            continue
        shown = "\n".join(text_of(row) for row in shell.draw(Size(80, 24)))
        assert head.name in shown, screen
        assert head.code in shown, screen
        assert head.tag in shown, screen
        assert head.age.split(" ")[0] in shown, screen
        told.add(shell.page.name)
    assert len(told) > 15
