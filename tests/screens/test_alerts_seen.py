"""F6 and the board's lowest line: who has seen an alert, and when."""

import msgspec

from protocols.live.api import AlertSeen, Recorded
from tests.screens.fake_node import NOW_MS, FakeNode, ward
from tests.screens.test_pages import Person

MINUTE = 60_000


def alone(**head) -> FakeNode:
    """One patient in care, with nothing to look at but what is said here."""
    node = ward()
    first = next(iter(node.patients))
    node.patients = {first: node.patients[first]}
    node.waiting = []
    quiet = {"unsettled": 0, "triage": 2, "score": None, "alerts": (), "trend": 0, "due_ms": None}
    quiet |= {"late_ms": None, "last_set_ms": NOW_MS - 5 * MINUTE, "doses": 0, "risk": ""}
    known = node.patients[first].head
    node.patients[first].head = msgspec.structs.replace(known, **(quiet | head))
    return node


def test_a_key_says_that_the_marked_alert_was_seen_and_of_which_measurement():
    node = alone(alerts=("limit.heart-rate.high",))
    person = Person(node).press("f6", "a")
    (written,) = node.written

    assert written["kind"] == "alert.ack"
    assert written["patient"] == next(iter(node.patients))
    assert written["data"] == {
        "why": "single",
        "of_ms": NOW_MS - 5 * MINUTE,
        "about": ["limit.heart-rate.high"],
    }
    assert "Seen:" in person.screen
    assert "Seen:" in person.press("f8").screen


def seen_by(who="Dr Silva") -> AlertSeen:
    of_ms, about = NOW_MS - 5 * MINUTE, ("limit.heart-rate.high",)
    return AlertSeen("single", of_ms, about, who, NOW_MS - MINUTE)


def test_what_was_seen_says_by_whom_in_the_list_and_on_the_board():
    node = alone(alerts=("limit.heart-rate.high",), seen=(seen_by(),))
    person = Person(node)
    assert "seen by Dr Silva 14:31" in person.screen
    person.press("f6")
    assert "Dr Silva 14:31: VALUE ALERTS" in person.screen
    assert "VALUE ALERTS: HR high   seen by Dr Silva 14:31" in person.screen
    person.press("a")
    assert not node.written
    assert "seen by Dr Silva" in person.screen


def test_a_long_name_leaves_room_for_the_alert():
    node = alone(alerts=("limit.heart-rate.high",), seen=(seen_by("O" * 60),))
    shown = Person(node).press("f6").screen

    assert "VALUE" in shown and all(len(row) <= 80 for row in shown.splitlines())


def test_what_is_settled_is_not_seen_away():
    node = alone(unsettled=1, risk="dose")
    person = Person(node).press("f6", "a")

    assert not node.written
    assert "This goes when it is settled" in person.screen


def test_a_refusal_is_said_and_nothing_counts_as_seen():
    node = alone(alerts=("limit.heart-rate.high",))
    node.refuse["alert.ack"] = Recorded(0, False, error="not_writable")
    person = Person(node).press("f6", "3")

    assert "could not be written" in person.screen
    assert not person.shell.desk.saves


def test_a_key_typed_ahead_of_the_list_is_about_nothing():
    node = alone(alerts=("limit.heart-rate.high",))
    person = Person(node)
    person.hurry("f6", "a")

    assert not node.written
