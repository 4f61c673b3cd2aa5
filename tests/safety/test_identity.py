"""SAFETY, *Identity, tags, scans*: what no older test says of rules 16 to 18."""

from __future__ import annotations

import inspect

import pytest

from fieldnode.tui.cores.display import Size, text_of
from tests.screens.fake_node import ward
from tests.screens.test_goldens import LANGUAGES, SCREENS, shell_after, shell_on
from tests.screens.test_keys import PAGES

OPEN = ["down", "down", "enter"]
"""Opens the chart of the one whose name, tag and age are all known."""
LINK = ["down", "down", "enter", "l", "n", *"okoro", "enter"]
PATIENT_SCREENS = {
    "chart": OPEN,
    "vitals": [*OPEN, "v"],
    "vitals-begun": [*OPEN, "v", *"26", "enter", "-"],
    "note": [*OPEN, "n"],
    "retriage": ["down", "down", "t"],
    "settle": [*OPEN, "u"],
    "retract": [*OPEN, "e"],
    "links": [*OPEN, "l"],
    "link_other": LINK,
    "link_confirm": [*LINK, "enter", "1"],
    "unlink": [*LINK, "enter", "1", "enter", "x"],
}
SHARED = "shared-tag-take-off"
WITH_A_PATIENT = {
    *{shell_after(keys, LANGUAGES["en"]).page.name for keys in PATIENT_SCREENS.values()},
    "shared_tag",
    "result_assign",
}


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


@pytest.mark.safety(18)
def test_safety_18_every_page_that_is_of_a_patient_is_looked_at_above():
    of_a_patient = {
        page.name
        for page in PAGES
        if {"head", "patient"} & set(inspect.signature(page.__init__).parameters)
    }
    # Asked over a patient's page: why, before anything of the chart may be shown.
    asks_first = {"gate", "glass"}

    assert of_a_patient - asks_first <= WITH_A_PATIENT


@pytest.mark.safety(18)
@pytest.mark.parametrize("screen", SCREENS)
def test_safety_18_a_name_stands_alone_on_no_screen(screen):
    """Where somebody is named, their code or their age is on the same screen."""
    shown = "\n".join(text_of(row) for row in shell_on(screen, LANGUAGES["en"]).draw(Size(80, 24)))
    for patient in ward().patients.values():
        head = patient.head
        if head.name and head.name in shown:
            assert head.code in shown or (head.age and head.age in shown), head.name
