"""Forms and charts speak by the packs that the node works by, in the words of those packs."""

import msgspec
import pytest

from fieldnode.text.catalogue import load
from protocols.live.api import ChartLine
from protocols.live.guidance import PackInUse
from tests.screens.fake_guidance import text_of
from tests.screens.fake_node import NOW_MS, FakeNode, ward
from tests.screens.test_pages import Person

HADDAD = ("down", "down", "enter")


def child() -> FakeNode:
    """Somebody of an age that the malnutrition pack has limits for, alone on the board."""
    node = ward()
    first = next(iter(node.patients))
    node.patients = {first: node.patients[first]}
    head = node.patients[first].head
    node.patients[first].head = msgspec.structs.replace(head, age="24 mo")
    return node


@pytest.mark.safety(8)
def test_an_upper_arm_says_its_class_where_it_is_measured_and_that_nobody_approved_it():
    person = Person(child()).press("enter", "c", "8", "r")
    person.press("down", "down", "down", "down", "down", "110", "enter")
    assert "NOT APPROVED  severe acute malnutrition: upper arm below 115 mm" in person.screen
    person.press("1")
    assert "severe acute malnutrition: upper arm" in person.screen
    person.press("escape", "v", *["down"] * 10, "120", "enter")
    assert "Swelling of both feet?" in person.screen


def other_syndromes() -> PackInUse:
    """A pack in which another organisation has a row more, and words of its own."""
    text = text_of("syndromes").replace('en = "Acute watery diarrhoea"', 'en = "Rice water"')
    assert "Rice water" in text
    return PackInUse("syndromes", "2", text, "Red Crescent", "")


def test_a_discharge_offers_the_syndromes_of_the_pack_in_use():
    node = ward()
    node.in_use["syndromes"] = other_syndromes()
    person = Person(node).press(*HADDAD, "c", "x", "1", "enter", "rice")

    assert "1 Rice water" in person.screen
    person.press("1", "enter", "enter", "enter")
    (ended,) = [one for one in node.written if one["kind"] == "encounter.close"]
    assert ended["data"]["syndrome"] == "watery-diarrhoea"


def test_a_guideline_step_stands_in_the_chart_in_the_packs_words_and_the_readers_language():
    said = (("guideline", "cholera-c 1"), ("step", "fast"), ("did", "done"))
    codes = {
        "cholera-c 1": {"en": "Cholera plan C", "fr": "Choléra plan C"},
        "fast": {"en": "Fast drip", "fr": "Perfusion rapide", "done": "x"},
    }
    node = ward()
    patient = next(iter(node.patients))
    line = ChartLine("fct_9.0", NOW_MS, NOW_MS, "guideline.step", said, "R. Amin", codes=codes)
    node.patients[patient].lines.append(line)
    shown = Person(node).press(*HADDAD).screen
    assert "Cholera plan C 1" in shown and "Fast drip" in shown and "fast" not in shown.split()
    person = Person(node)
    person.shell.desk.words = load("es:fr")
    assert "Perfusion rapide" in person.press(*HADDAD).screen
