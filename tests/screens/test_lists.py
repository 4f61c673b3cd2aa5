"""A key about the marked row of a list is about the row that was seen, on every list there is."""

import msgspec
import pytest

from fieldnode.text.catalogue import load
from fieldnode.tui.cores.glance import GLANCE_MS
from tests.screens.fake_care import in_care
from tests.screens.fake_node import waiting_results, ward
from tests.screens.test_goldens import SIZE, shell_on
from tests.screens.test_pages import Person

EN = load("en")
LATER_MS = 1_000_000

LISTS = {
    "board": "enter",
    "board-results": "v",
    "alerts": "enter",
    "beds": "enter",
    "results": "enter",
    "unconfirmed": "enter",
    "offers": "enter",
    "unsettled": "enter",
    "roster": "s",
    "kept": "e",
    "reviews": "enter",
    "concerns": "enter",
    "allergies": "x",
    "problems": "r",
    "medicines": "g",
    "supplies": "enter",
    "stock-card-movement": "y",
    "stock-counts": "enter",
    "immunise": "enter",
    "vials": "x",
    "twice": "enter",
    "shipments": "enter",
    "shipment-way": "l",
    "shipment-steps": "enter",
    "recipients": "enter",
    "cold": "enter",
    "alerts-supplies": "enter",
}
"""Screens of the goldens, and a key that is about the marked row."""


def went(shell):
    """The marked row is not in the list any more, as the node lists it now."""
    rows = shell.page.rows
    shell.draw(SIZE)
    listed = [row for _, row in rows.visible()]
    assert len(listed) > 1
    rows.take_all([row for row in listed if row is not rows.selected])
    assert rows.moved


@pytest.mark.parametrize(("screen", "key"), LISTS.items())
def test_what_is_typed_ahead_of_a_row_that_took_another_ones_place_is_dropped(screen, key):
    shell = shell_on(screen, EN)
    page = shell.page
    went(shell)

    shell.key(key, LATER_MS)
    assert shell.strip.text == EN("board.moved")
    shell.key(key, LATER_MS)
    assert shell.page is page
    assert not shell.asks
    assert shell.dropped == 1

    before = shell.draw(SIZE)
    shell.shown(LATER_MS)
    shell.key(key, LATER_MS + GLANCE_MS)
    assert shell.page is not page or shell.asks or shell.draw(SIZE) != before


def test_a_result_that_took_anothers_place_is_not_given_to_anybody_unseen():
    node = ward()
    node.waiting = waiting_results()
    person = Person(node).press("r")
    node.waiting = [line for line in node.waiting if not line.fact.startswith("fct_w1")]
    person.shell.changed()
    person.settle()

    person.hurry("enter", "enter")
    assert person.shell.page.name == "results"
    person.look()
    assert person.press("enter").shell.page.name == "result_owner"


def test_an_allergy_that_took_anothers_place_is_not_ruled_out_unseen():
    node = ward()
    in_care(node)
    person = Person(node).press("f3", "haddad", "enter", "enter", "c", "a")
    care = node.care_of("pat_00001")
    rows = tuple(msgspec.structs.replace(one) for one in care.allergies)
    node.set_care("pat_00001", allergies=rows[1:])
    person.shell.changed()
    person.settle()

    person.hurry("x", "x")
    assert person.shell.page.name == "allergies"
    person.look()
    assert person.press("x").shell.page.name == "allergy_refute"
