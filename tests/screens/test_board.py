"""The board: order, wards, beds and what somebody has to look at."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldnode.text.catalogue import load
from fieldnode.tui import watching
from fieldnode.tui.alerting import OF_SUPPLIES, ORDER, alerts_of, newest
from protocols.live.api import BoardLine, BoardPage, Recorded
from tests.screens.fake_node import NOW_MS, ward
from tests.screens.test_pages import Person

EN = load("en")
MINUTE = 60_000


def changed(node, patient, **head):
    known = node.patients[f"pat_{patient:05d}"]
    known.head = msgspec.structs.replace(known.head, **head)
    return node


def beds_person(*free) -> Person:
    node = changed(ward(), 4, ward="W1", bed="B-08", tag="TG-000377")
    node.empty_beds = free or (("W1", "B-09"), ("W2", "C-01"))
    return Person(node)


def head(**more) -> BoardLine:
    return BoardLine(patient="pat_x", code="ACD EFH 001", name="Okoro", **more)


def test_one_key_goes_round_the_orders_and_the_head_says_which():
    node = changed(ward(), 5, score=7, score_least=True)
    person = Person(node)
    assert "ORDER: triage" in person.screen
    for said in ("score, highest first", "wait, longest first", "observations, soonest first"):
        person.press("s")
        assert f"ORDER: {said}" in person.screen
    person.press("8")
    assert "ORDER: triage" in person.screen


def test_by_score_the_highest_is_first_and_marked():
    person = Person(changed(ward(), 5, score=14)).press("s")
    rows = person.screen.splitlines()

    assert "Okoro" in rows[4] and "14" in rows[4]
    assert "12^" in rows[5]


def test_the_arrows_show_one_ward_after_the_other_and_all_again():
    person = Person(ward())
    assert "ONLY WARD" not in person.screen
    person.press("right")
    assert "ONLY WARD W1" in person.screen and "Osei" in person.screen
    assert "Haddad" not in person.screen
    person.press("right")
    assert "Haddad" in person.screen


def test_safety_8_scores_and_times_by_packs_nobody_signed_say_so():
    assert "NOT APPROVED" in Person(ward()).screen
    node = ward()
    node.signed = True
    assert "NOT APPROVED" not in Person(node).screen


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({}, "-"),
        ({"score": 0}, "0"),
        ({"score": 12, "trend": 1}, "12^"),
        ({"score": 3, "trend": -1}, "3v"),
        ({"score": 7, "score_least": True, "trend": 1}, ">=7^"),
        ({"alerts": ("limit.heart-rate.high",)}, "-!"),
    ],
)
def test_safety_6_a_score_says_when_it_is_the_least_it_can_be(more, says):
    assert watching.score(head(**more)).text == says


@pytest.mark.parametrize(
    ("at", "says"),
    [(-1, "1 min"), (0, "NOW"), (14, "NOW"), (15, "! 15 min"), (75, "! 1 h 15")],
)
def test_what_is_due_says_when_and_how_late(at, says):
    line = head(due_ms=NOW_MS, late_ms=NOW_MS + 15 * MINUTE)

    assert watching.due(EN, line, NOW_MS + at * MINUTE).text == says


def test_somebody_is_moved_to_the_first_free_bed_of_the_ward_in_three_keys():
    person = beds_person()
    person.press("down")
    keys = ["b", "enter"]
    person.press(*keys)

    (line,) = person.node.written
    assert line["kind"] == "encounter.move"
    assert line["patient"] == "pat_00002"
    assert line["data"] == {"bed": "B-09", "ward": "W1"}
    assert len(["down", *keys]) <= 4
    assert person.shell.page.name == "board"
    assert "SAVED" in person.screen.upper()


def test_where_somebody_lies_it_is_said_and_needs_a_second_enter():
    person = beds_person().press("down", "b", "home")
    person.hurry("enter", "enter", "enter")
    assert person.node.written == []
    assert "Osei Kwame lies there" in person.screen
    person.look()
    person.press("enter")
    assert person.node.written[0]["data"]["bed"] == "B-07"


def test_another_row_takes_the_question_away():
    person = beds_person().press("down", "b", "home", "enter", "down", "up")
    person.press("enter")

    assert person.node.written == []


def test_a_move_is_taken_back_with_f8():
    person = beds_person().press("down", "b", "enter", "f8", "enter")

    assert [one["kind"] for one in person.node.written] == ["encounter.move", "entry.retract"]


def test_a_bed_that_is_not_listed_is_written_down_with_its_ward():
    person = beds_person().press("b", "n", *"D-11", "enter", "enter")

    assert person.node.written[0]["data"] == {"bed": "D-11", "ward": "W1"}


def test_a_refused_move_is_said_and_nothing_is_lost():
    person = beds_person()
    person.node.refuse["encounter.move"] = Recorded(0, False, error="no_encounter")
    person.press("down", "b", "enter")

    assert person.shell.page.name == "beds"
    assert person.node.written == []


def test_free_beds_isolation_and_two_in_one_bed_are_on_the_beds_page():
    node = changed(changed(ward(), 4, ward="W1", bed="B-07"), 4, bed_shared=True)
    node.empty_beds = (("W2", "C-01"),)
    person = Person(node).press("b")

    assert "free 1" in person.screen
    row = next(row for row in person.screen.splitlines() if "B-07" in row and "ISOL" in row)
    assert "!I" in row


# what somebody has to look at

WORST = head(
    triage_open=True, trend=1, score=9, score_before=4, last_set_ms=NOW_MS - MINUTE, doses=3,
    due_ms=0, late_ms=1, triage=1, custody=4, tag_shared=True, bed_shared=True, unsettled=1,
    risk="allergy", late_doses=((NOW_MS - 9, "amoxicillin"),),
)  # fmt: skip


def test_every_reason_is_found_and_the_most_dangerous_is_first():
    found = [alert.why for alert in alerts_of(BoardPage(1, 0, (WORST,)), NOW_MS)]

    # The score rose, so the single value behind it is not said twice; and something was measured.
    others = {"alerts.single", "alerts.red", *OF_SUPPLIES.values()}
    assert found == [why for why in ORDER if why not in others]
    fresh = head(triage=1, alerts=("limit.spo2.low",))
    assert [one.why for one in alerts_of(BoardPage(1, 0, (fresh,)), NOW_MS)] == [
        "alerts.single",
        "alerts.red",
    ]


@given(
    st.lists(
        st.builds(
            head,
            triage=st.sampled_from([None, 0, 1, 4, 99]),
            trend=st.integers(-3, 3),
            alerts=st.lists(st.text(max_size=9), max_size=2).map(tuple),
            doses=st.integers(-9, 9),
            due_ms=st.none() | st.integers(-9, 2 * NOW_MS),
            late_ms=st.none() | st.integers(-9, 2 * NOW_MS),
            last_set_ms=st.none() | st.integers(0, 2 * NOW_MS),
            late_doses=st.lists(st.tuples(st.integers(0, 2 * NOW_MS), st.text(max_size=9))).map(
                tuple
            ),
            custody=st.integers(-1, 9),
            risk=st.text(max_size=5),
            unsettled=st.integers(0, 3),
        ),
        max_size=4,
    )
)
def test_whatever_a_board_says_alerts_are_in_order_and_the_newest_is_one_of_them(lines):
    found = alerts_of(BoardPage(len(lines), 0, tuple(lines), unassigned=1), NOW_MS)

    assert [ORDER.index(one.why) for one in found[:-1]] == sorted(
        ORDER.index(one.why) for one in found[:-1]
    )
    assert found[-1].why == "alerts.results"
    assert newest(found) in (None, *found)
    for line in lines:
        assert watching.score(line).text
        assert watching.due(EN, line, NOW_MS).text


@pytest.mark.parametrize(
    ("more", "says", "opens"),
    [
        ({"triage_open": True}, "reassess now", "retriage"),
        ({"alerts": ("limit.heart-rate.high",)}, "HR high", "chart"),
        ({"due_ms": NOW_MS - 2_400_000, "late_ms": NOW_MS - 9}, "LATE: 40 min", "vitals"),
        ({"late_doses": ((NOW_MS - 9, "morphine"), (NOW_MS + 9, "ors"))}, "Dose LATE: morphine  ",
         "medicines"),
        ({"doses": 2}, "GIVEN THOUGH STOPPED", "chart"),
        ({"doses": 1}, "PERHAPS GIVEN TWICE", "chart"),
        ({"custody": 4}, "CUSTODY UNCLEAR", "chart"),
        ({"bed_shared": True, "bed": "X"}, "One bed, several", "beds"),
        ({"unsettled": 1, "risk": "allergy"}, "settle them: allergy", "chart"),
    ],
)  # fmt: skip
def test_each_alert_says_why_and_opens_where_it_is_settled(more, says, opens):
    quiet = {"triage": 2, "score": None, "trend": 0, "unsettled": 0, "due_ms": None,
             "late_ms": None, "isolation": None}  # fmt: skip
    node = ward()
    for number in range(1, len(node.patients) + 1):
        changed(node, number, **quiet)
    changed(node, 6, **more)
    person = Person(node).press("f6")
    assert says.casefold() in person.screen.casefold()
    person.press("enter")

    assert person.shell.page.name == opens


def test_a_shared_tag_opens_where_it_is_taken_off():
    node = ward()
    node.patients["pat_00003"].tags = ("TG-000412",)
    person = Person(node).press("f6")
    rows = [row for row in person.screen.splitlines()[3:] if row.strip()]
    at = next(n for n, row in enumerate(rows) if "One tag" in row)
    person.press(*["down"] * at, "enter")

    assert person.shell.page.name == "shared_tag"


def test_the_newest_alert_stands_at_the_bottom_of_the_board():
    person = Person(ward())

    assert "! 14:28 TG-000412 RED, nothing measured yet" in person.screen
    assert "F6 alerts 4" in person.screen


# a board that a text narrows


def test_safety_5_a_filter_narrows_the_rows_and_neither_counts_nor_alerts():
    person = Person(ward())
    whole = person.screen.splitlines()
    rows = person.press("/", *"osei", "enter").screen.splitlines()

    assert (rows[1], rows[2]) == (whole[1], whole[2])
    assert "NOT APPROVED" in rows[2]
    assert "ONLY: osei" in rows[3] and "listed 1" in rows[3]
    assert rows[5][1:] == next(row[1:] for row in whole if "Osei" in row)
    assert "! 14:28 TG-000412 RED, nothing measured yet" in person.screen
    assert "F6 alerts 4" in person.screen
    person.press("/", *["backspace"] * 4, "enter")
    assert person.screen.splitlines() == whole


def test_what_changes_beside_the_listed_is_counted_and_alerts_too():
    node = ward()
    person = Person(node).press("/", *"osei", "enter")
    changed(node, 8, triage=1, alerts=("limit.heart-rate.high",), last_set_ms=NOW_MS)
    person.page.changed()
    for act in person.page.changed():
        person.shell.asks.append(act)
    person.settle()

    assert "1 RED 4" in person.screen
    assert "HR high" in person.screen and "Silva" not in person.screen


def test_a_filter_in_one_ward_says_what_alerts_of_all_in_care():
    person = Person(ward()).press("right")
    assert "F6 alerts 1" in person.screen
    person.press("/", *"osei", "enter")

    assert "ONLY WARD W1" in person.screen and "listed 1" in person.screen
    assert "F6 alerts 4" in person.screen
    assert person.press("/", *["backspace"] * 4, *"silva", "enter").page.rows.total == 0


def test_who_is_not_in_care_is_listed_by_a_filter_as_just_that():
    node = changed(ward(), 4, in_care=False, triage=1, due_ms=NOW_MS - 1, late_ms=NOW_MS - 1)
    person = Person(node)
    assert "Li Wei" not in person.screen
    person.press("/", *"li wei", "enter")

    row = next(row for row in person.screen.splitlines() if row.startswith(">"))
    assert "not here" in row and "RED" not in row and "125" not in row and "2 h" not in row
    assert "Li Wei   NOT IN CARE HERE" in person.screen
    assert alerts_of(BoardPage(1, 0, (node.patients["pat_00004"].head,)), NOW_MS) == []


def test_the_marked_patients_code_stands_below_where_the_column_shows_the_tag():
    person = Person(changed(ward(), 3, tag="TG-1"))
    (row, below) = (row for row in person.screen.splitlines() if "Osei Kwame" in row)
    code = person.node.patients["pat_00003"].head.code

    assert "TG-1" in row and code not in row
    assert below.endswith(f"crush leg   {code}")
    assert Person(ward()).screen.count(code) == 1


def test_a_code_that_has_no_room_is_left_out_and_nothing_else():
    person = Person(changed(ward(), 3, tag="TG-1", name="Osei " * 6))

    assert "ISOLATION contact   W1 B-07   male   crush" in person.screen
    assert person.node.patients["pat_00003"].head.code not in person.screen


def test_a_long_filter_is_cut_and_what_it_leaves_alone_is_said():
    person = Person(ward()).press("/", *"x" * 40, "enter")

    assert "ONLY: xxx" in person.screen and "of all in care" in person.screen
