"""Triage that nobody identified wrote waits until a person has looked at it (SAFETY 20)."""

import msgspec
import pytest

from protocols.live.api import Recorded
from tests.screens.fake_node import refusing, staff, unsigned_triage, ward
from tests.screens.test_line import told
from tests.screens.test_pages import Person


def night(many=3, signed_in=True) -> Person:
    node = ward()
    node.staff, node.unsigned = staff(), unsigned_triage(many)
    person = Person(node)
    if signed_in:
        person.press("f9", "1", *"4817", "enter")
    return person


def confirmed(person):
    return [one["data"]["triage"] for one in person.node.written if one["kind"] == "triage.confirm"]


def test_whoever_signs_in_is_told_on_the_board_and_the_lock_says_how_many():
    person = night(signed_in=False)
    assert "triage entries" not in person.screen
    person.press("f9")
    assert "3 triage entries wait for a person" in person.screen
    assert "TG-0007" not in person.screen
    person.press("1", *"4817", "enter")

    assert "3 triage entries were written by nobody signed in: c or 6" in person.screen


def test_where_nothing_waits_nobody_is_told():
    person = night(0)
    assert "signed in:" not in person.screen
    assert person.press("c").shell.page.name == "board"
    assert "wait for a person" not in person.press("f9").screen


def test_the_page_lists_tag_category_and_time_and_no_name():
    person = night().press("c")
    for part in ("3 TRIAGE ENTRIES WAIT", "TG-000701", "2 YELLOW", "13:33", "ACD EFH 001"):
        assert part in person.screen, part
    assert "Haddad" not in person.screen


def test_enter_confirms_the_selected_one():
    person = night().press("6")
    assert "3 TRIAGE" in person.screen
    person.press("down", "enter")

    assert confirmed(person) == ["fct_t2.0"]
    assert "CONFIRMED 1 entry" in person.screen
    assert "2 TRIAGE ENTRIES WAIT" in person.screen


def test_one_key_confirms_all_that_are_on_the_screen_and_no_more():
    person = night(60).press("c")
    assert "60 TRIAGE ENTRIES" in person.screen
    shown = [row.fact for _, row in person.page.rows.visible()]
    person.press("a")

    assert 10 < len(shown) < 60
    assert confirmed(person) == shown
    assert f"{60 - len(shown)} TRIAGE ENTRIES WAIT" in person.screen


def test_f8_takes_confirmations_back():
    person = night().press("c")
    assert "3 TRIAGE" in person.screen
    person.press("a", "f8", "enter")

    backs = [one["data"]["fact"] for one in person.node.written if one["kind"] == "entry.retract"]
    assert len(backs) == 3


def test_keys_struck_before_the_list_was_seen_confirm_nothing():
    person = night()
    person.hurry("c", "enter", "a")

    assert confirmed(person) == []


def test_what_somebody_else_has_confirmed_meanwhile_is_no_fault():
    person = night(1).press("c")
    person.node.refuse["triage.confirm"] = Recorded(0, False, error="already_confirmed")
    person.press("enter")

    assert person.shell.page.name == "unconfirmed"
    assert "Somebody has confirmed it already." not in person.screen


def test_a_role_that_may_not_is_told_before_it_confirms():
    person = night(signed_in=False)
    person.node.stopped = {"triage.confirm": refusing("triage.confirm", "role_refused")}
    person.press("f9", "1", *"4817", "enter", "c")

    assert person.shell.page.name == "gate"
    assert "Your role may not write this." in person.screen
    assert person.press("escape").shell.page.name == "board"


def test_a_chart_says_who_stands_by_a_triage():
    node = ward()
    lines = node.patients["pat_00001"].lines
    lines[2] = msgspec.structs.replace(lines[2], confirmed=(("A. Okoro", node.now_ms),))
    lines[1] = msgspec.structs.replace(lines[1], unconfirmed=True)
    person = Person(node).press("f3", "haddad", "enter", "enter")

    assert "(confirmed by A. Okoro 14:32)" in person.screen
    assert "(not confirmed)" in person.screen


@pytest.mark.parametrize("many", [1, 3])
def test_line_mode_confirms_too(many):
    node = ward()
    node.staff, node.unsigned = staff(), unsigned_triage(many)
    _, said = told("f9", "1", "4817", "c", "a", node=node)

    assert "signed in: c or 6" in said
    assert node.unsigned == []
