"""A key about the marked row of a list is about the row that was seen, on every list there is."""

import msgspec

from tests.screens.fake_care import in_care
from tests.screens.fake_node import waiting_results, ward
from tests.screens.test_pages import Person


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
