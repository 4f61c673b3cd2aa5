"""The packs of a node: which is in use, who stands by it, and what lies beside it and why."""

from __future__ import annotations

from fieldnode.tui.screens.packs import by_name
from tests.screens.fake_guidance import published_packs, shipped_packs
from tests.screens.fake_node import ward
from tests.screens.test_line import told
from tests.screens.test_pages import Person


def packs_of(node) -> Person:
    return Person(node).press("f10", "6", "0")


def test_safety_8_every_pack_that_nobody_approved_says_so():
    node = ward()

    person = packs_of(node)

    rows = [row for row in person.screen.splitlines() if "the software" in row]
    assert rows
    assert all("NOT APPROVED" in row for row in rows)


def test_the_version_in_use_who_approved_it_and_who_works_by_it_are_shown():
    node = ward()
    node.packs_here = published_packs()

    person = packs_of(node)

    assert "2 +2" in person.screen
    assert "Dr. Silva" in person.screen
    assert "8 devices work by this version: tent-0, tent-1" in person.screen
    assert "v3 (Red Cross) whoever signed it may not give packs out here" in person.screen


def test_what_cannot_be_worked_by_says_that_it_is_not_in_use():
    node = ward()
    node.packs_here = published_packs()

    person = packs_of(node).press("down")

    assert "not in use" in person.screen


def test_a_pack_is_one_line_however_many_versions_there_are():
    held = by_name(published_packs())

    assert [one.used.version for one in held[:2]] == ["2", "1"]
    assert [len(one.others) for one in held[:2]] == [2, 0]
    assert len(by_name(shipped_packs())) == len(shipped_packs())


def test_line_mode_lists_them_too():
    _, said = told("f10", "6", "0")

    assert "GUIDELINE PACKS OF THIS NODE" in said
    assert "NOT APPROVED" in said
