"""A vaccination drive as its team works: keys counted, cards and vials scanned, crowd mode."""

from typing import Self

import pytest

from protocols.live.api import Recorded
from tests.screens.fake_node import at_once
from tests.screens.test_pages import Person

CARD = "TG-000412"
"""Of a child who was here before: everything that is due has an open vial but BCG."""


def scan(text, aim="]C0"):
    return [*f"{aim}{text}", "enter"]


class Counting(Person):
    """Counts the keys a hand strikes; a scan is none."""

    struck = 0

    def strike(self, *keys) -> Self:
        self.struck += len(keys)
        return self.press(*keys)


@pytest.fixture
def person() -> Counting:
    return Counting().press("f4", "enter")


def saved(person, kind="dose.record"):
    return [line for line in person.node.written if line["kind"] == kind]


def codes(person):
    return [line["data"]["vaccine"] for line in saved(person)]


# keys, counted from the open screen to SAVED (SAFETY 21)


@pytest.mark.safety(21)
def test_a_returning_child_with_all_that_is_due_takes_at_most_two_keys_after_the_scan(
    person: Counting,
):
    person.press(*scan(CARD))
    assert "Haddad Nour" in person.screen
    assert "[x] Measles-rubella 1" in person.screen
    person.strike("enter")

    assert person.struck <= 2
    assert codes(person) == ["mr", "bopv"]
    assert {line["patient"] for line in saved(person)} == {"pat_00001"}
    assert [line["data"]["vial"] for line in saved(person)] == ["fct_vial1.0", "fct_vial2.0"]
    assert "SAVED HERE" in person.screen


@pytest.mark.safety(21)
def test_a_new_child_takes_at_most_eight_keys_after_the_scan(person: Counting):
    person.press(*scan("KM-20931"))
    person.strike(*"22", "enter", "2", "enter")

    assert person.struck <= 8
    (child,) = saved(person, "patient.register")
    age = {"value": "22", "unit": "mo"}
    assert child["data"] == {"sex": "female", "age": age, "tags": ["KM-20931"]}
    assert codes(person) == ["mr", "bopv"]


@pytest.mark.safety(17)
def test_the_next_card_saves_a_child_so_a_row_of_them_takes_no_key_at_all(person: Counting):
    person.node.patients["pat_00002"].tags = ("TG-000398",)
    person.press(*scan(CARD), *scan("TG-000398"))
    # Whose child was saved by the scan still waits for what is written on the card.
    assert "WRITE ON CARD TG-000412" in person.screen
    person.press(*scan("KM-7"))

    assert [line["patient"] for line in saved(person)] == ["pat_00001"] * 2 + ["pat_00002"] * 2
    assert "NEW CARD KM-7" in person.screen


def test_between_two_children_nothing_else_is_drawn_and_the_totals_are_asked_for_once(
    person: Counting,
):
    person.node.patients["pat_00002"].tags = ("TG-000398",)
    person.press(*scan(CARD))
    asked, shown, drive = [], [], person.node.drive

    async def counted(session):
        asked.append(session)
        return await drive(session)

    person.node.drive = counted  # type: ignore[method-assign]
    for key in scan("TG-000398"):
        person.shell.key(key, person.now_ms)
        while person.shell.asks:
            ask = person.shell.asks.pop(0)
            person.shell.answer(ask, at_once(ask.call(person.node)))
            shown.append(person.screen)
    assert len(saved(person)) == 2
    assert asked == []
    assert all("[x] Measles-rubella" in screen for screen in shown)
    assert "Haddad Nour" in shown[0] and "Haddad Nour" not in shown[-1]

    # The node says that its rows changed, whoever changed them.
    person.shell.changed()
    person.settle()
    assert len(asked) == 1


@pytest.mark.safety(21)
def test_crowd_mode_takes_one_key_a_dose():
    person = Counting().press("f4", "k")
    person.strike("1", "2", "1")

    assert person.struck == 3
    assert [line["data"]["cell"] for line in saved(person, "tally.add")] == [1, 2, 1]
    assert {line["data"]["vial"] for line in saved(person, "tally.add")} == {"fct_vial1.0"}
    assert "3/10" in person.screen


# what is ticked


def test_only_what_is_due_and_has_an_open_vial_is_ticked(person: Counting):
    person.press(*scan(CARD))

    assert "[ ] BCG 1" in person.screen and "no open vial" in person.screen
    person.press("3")
    assert "Scan one first" in person.screen
    person.press("1", "enter")
    assert codes(person) == ["bopv"]


def test_what_is_not_due_is_not_ticked_when_the_child_comes_again(person: Counting):
    person.press(*scan(CARD), "enter", *scan(CARD))

    assert "[ ] Measles-rubella 2" in person.screen
    assert "not yet" in person.screen
    person.press("enter")
    assert len(saved(person)) == 2


def test_the_next_visit_and_what_is_still_due_stand_there_after_saving(person: Counting):
    person.press(*scan(CARD), "enter")

    shown = person.screen
    assert "WRITE ON CARD TG-000412: next 2026-06-17" in shown
    assert "STILL DUE: BCG" in shown
    assert "LAST TEN" in shown and "KM-20930" in shown


@pytest.mark.safety(12)
def test_a_stop_is_written_for_what_was_ticked_and_fever_alone_is_said_to_be_none(person: Counting):
    person.press(*scan(CARD), "0", "4")
    assert "Fever alone is no reason" in person.screen
    person.press("enter")

    assert [line["data"].get("status") for line in saved(person)] == ["fever", "fever"]
    assert not any("vial" in line["data"] for line in saved(person))


def test_a_stop_can_be_taken_away_again(person: Counting):
    person.press(*scan(CARD), "0", "1", "0", "0", "enter")

    assert [line["data"].get("status") for line in saved(person)] == [None, None]


@pytest.mark.safety(1)
@pytest.mark.parametrize(
    ("typed", "age"),
    [
        ("22", {"value": "22", "unit": "mo"}),
        ("3y", {"value": "3", "unit": "y"}),
        ("3a", {"value": "3", "unit": "y"}),
        ("6w", {"value": "6", "unit": "w"}),
        ("5j", {"value": "5", "unit": "d"}),
        ("~30", {"value": "30", "unit": "mo", "estimated": True}),
    ],
)
def test_an_age_is_months_unless_a_letter_says_otherwise(person: Counting, typed, age):
    person.press(*scan("KM-1"), *typed, "enter", "1", "enter")

    assert saved(person, "patient.register")[0]["data"]["age"] == age


def test_a_name_is_optional_and_no_digit_of_it_ticks(person: Counting):
    person.press(*scan("KM-1"), *"22", "enter", "1", "n", *"Okoro", "enter", "enter")

    assert saved(person, "patient.register")[0]["data"]["family_name"] == "Okoro"
    assert codes(person) == ["mr", "bopv"]


# scans


@pytest.mark.safety(17)
def test_another_card_over_an_unfinished_child_fills_nothing(person: Counting):
    person.press(*scan("KM-1"), *"22", *scan("KM-2"))

    assert "not saved yet" in person.screen
    assert "NEW CARD KM-1" in person.screen
    assert not person.node.written


def test_a_scanned_vial_is_opened_and_what_is_due_of_it_is_ticked(person: Counting):
    person.press(*scan("MR", "]d2"), "enter")

    (vial,) = saved(person, "vial.open")
    assert vial["data"] == {
        "session": "ses_1", "item": "vaccine-mr-10", "lot": "MR-0200", "expiry": "2028-03-31",
    }  # fmt: skip
    assert "Card" in person.screen


def test_a_vial_may_be_scanned_over_a_child_who_stands(person: Counting):
    person.press(*scan(CARD), "1", *scan("MR", "]d2"), "enter")

    assert saved(person, "dose.record") == []
    assert "Haddad Nour" in person.screen
    assert "[ ] Measles-rubella 1" in person.screen


@pytest.mark.parametrize(
    ("code", "said"),
    [("OLD", "LOT EXPIRED 2026-01-31"), ("TCV", "no vaccine of this session"), ("BAD", "check")],
)
def test_a_vial_that_must_not_be_opened_is_refused_with_the_reason(person: Counting, code, said):
    person.press(*scan(code, "]d2"))

    assert said in person.screen
    assert not person.node.written
    assert person.shell.page.name == "drive"


def test_a_lot_that_the_node_refuses_stays_in_the_form_with_the_reason(person: Counting):
    person.node.refuse["vial.open"] = Recorded(0, False, error="lot_recalled", field="data.lot")
    person.press(*scan("MR", "]d2"), "enter")

    assert "RECALLED" in person.screen
    assert not person.node.written
    person.press("escape")
    assert "recalled" in person.screen
    assert person.shell.page.name == "vial"


@pytest.mark.safety(16)
def test_a_typed_card_shows_who_it_is_before_anything_is_written(person: Counting):
    person.press(*"TG-000412", "enter")

    assert "Haddad Nour" in person.screen
    assert not person.node.written


def test_a_child_without_its_card_is_found_by_name(person: Counting):
    person.press("/", *"haddad", "enter", "enter", "enter")

    assert person.shell.page.name == "drive"
    assert "Haddad Nour" in person.screen


# questions, refusals, undoing


def test_an_enter_under_way_before_the_child_was_seen_gives_nothing(person: Counting):
    person.hurry(*scan(CARD), "enter")

    assert not person.node.written
    person.look()
    person.press("enter")
    assert codes(person) == ["mr", "bopv"]


def test_what_the_node_asks_about_a_dose_is_asked_once_of_that_dose(person: Counting):
    asked = Recorded(1, False, error="confirm_needed", confirm="dose_before_interval")
    person.press(*scan(CARD))
    person.node.refuse["dose.record"] = asked
    person.press("enter")
    assert "Too soon" in person.screen
    del person.node.refuse["dose.record"]
    person.press("enter")

    assert [line.get("confirm") for line in saved(person)] == [["dose_before_interval"], None]


def test_a_question_may_be_left_and_nothing_is_written(person: Counting):
    person.press(*scan(CARD))
    person.node.refuse["dose.record"] = Recorded(
        1, False, error="confirm_needed", confirm="vial_past_limit"
    )
    person.press("enter", "escape", "escape")

    assert not person.node.written
    assert "Card" in person.screen


@pytest.mark.safety(19)
def test_the_undo_key_takes_back_all_that_one_child_got(person: Counting):
    person.press(*scan(CARD), "enter", "f8")
    assert "Measles-rubella 1, Oral polio, bivalent 1" in person.screen
    person.press("enter")

    assert len(saved(person, "entry.retract")) == 2
    assert person.shell.page.name == "drive"
    assert "6/10" in person.screen


def test_another_teams_child_is_asked_about_once_and_told_in_the_trail(person: Counting):
    person.node.foreign["pat_00001"] = ("JDR",)
    person.press(*scan(CARD))
    assert "Another team" in person.screen
    person.press("enter")

    assert person.node.opened == {"pat_00001": "care"}
    assert "[x] Measles-rubella 1" in person.screen


# crowd mode


def test_a_dose_without_an_open_vial_is_asked_about_once():
    person = Counting().press("f4", "k", "3")
    assert "No vial of BCG" in person.screen
    assert not person.node.written
    person.press("enter", "3")

    counted = saved(person, "tally.add")
    assert len(counted) == 2
    assert not any("vial" in line["data"] for line in counted)


def test_the_last_dose_of_a_vial_is_its_last():
    person = Counting().press("f4", "k", *["1"] * 7)

    vials = [line["data"].get("vial") for line in saved(person, "tally.add")]
    assert vials == ["fct_vial1.0"] * 6
    assert "No vial of Measles-rubella" in person.screen


def test_what_the_node_asks_one_after_the_other_about_a_count_is_settled_one_after_the_other():
    person = Counting().press("f4", "k")
    for code in ("session_closed", "vial_empty"):
        person.node.refuse["tally.add"] = Recorded(0, False, error="confirm_needed", confirm=code)
        person.press("enter" if code == "vial_empty" else "1")
    del person.node.refuse["tally.add"]
    person.press("enter")

    assert saved(person, "tally.add")[0]["confirm"] == ["session_closed", "vial_empty"]


@pytest.mark.safety(19)
def test_a_count_is_taken_back_by_the_undo_key():
    person = Counting().press("f4", "k", "1", "f8", "enter")

    assert saved(person, "entry.retract")[0]["data"]["fact"] == "fct_0001.0"


def test_several_counts_are_taken_off_with_a_reason():
    person = Counting().press("f4", "k", "c", "1", "enter", "2", "enter", *"twice", "enter")

    (line,) = saved(person, "tally.add")
    assert line["data"] == {"session": "ses_1", "cell": 1, "n": -2}
    assert line["reason"] == "twice"


# around it


def test_a_session_is_opened_by_numbers_and_the_drive_follows():
    person = Counting().press("f4", "n", *"1 2", "enter", *"Kome school", "ctrl+o")

    (line,) = saved(person, "session.open")
    assert line["data"]["vaccines"] == ["mr", "bopv"]
    assert line["data"]["place"] == "Kome school"
    assert line["data"]["zone"] == "+00:00"
    assert person.shell.page.name == "drive"


def test_a_session_is_not_closed_by_a_number_that_nobody_counted():
    person = Counting().press("f4", "c", "enter")
    assert "type item, lot and doses" in person.screen
    assert not person.node.written
    person.press("4", "0", "enter", "enter")

    (line,) = saved(person, "session.close")
    left = [{"item": "vaccine-mr-10", "lot": "MR-0172B", "doses": 40}]
    assert line["data"] == {"session": "ses_1", "left": left}
    assert person.shell.desk.session == ""


def test_a_reaction_names_the_doses_of_the_last_day():
    person = Counting().press("f4", "enter", *scan(CARD), "enter", *scan(CARD), "c", "a")
    person.press("3", *"07", "enter", "enter")

    (line,) = saved(person, "aefi.report")
    assert (line["data"]["severity"], line["data"]["symptoms"]) == ("serious", ["anaphylaxis"])
    assert line["data"]["doses"] == ["fct_bopv.0", "fct_mr.0"]


@pytest.mark.parametrize(("key", "verdict"), [("s", "one"), ("x", "several")])
def test_records_that_may_be_one_dose_are_decided_with_one_key(key, verdict):
    person = Counting().press("f4", "d", "enter", key)

    (line,) = saved(person, "dose.decide")
    assert line["data"]["verdict"] == verdict
    assert line["data"]["doses"] == ["fct_twice0.0", "fct_twice1.0"]


def test_what_is_left_in_a_vial_is_thrown_away_with_its_reason():
    person = Counting().press("f4", "v", "x", "3", "enter", "enter")

    (line,) = saved(person, "vial.discard")
    assert line["data"] == {"vial": "fct_vial1.0", "reason": "time-limit", "doses": 6}


def test_an_enter_struck_twice_on_the_page_before_begins_no_child():
    person = Counting().press("f4", "enter", "enter")
    assert "NEW CHILD" not in person.screen

    person.press("enter")
    assert "NEW CHILD, NO CARD" in person.screen


def test_a_session_that_was_taken_back_is_left(person: Counting):
    page = person.page
    page.session = "ses_gone"
    person.press("*", "escape")

    assert person.shell.page.name == "board"
    assert person.shell.desk.session == ""
    assert person.press("f4").shell.page.name == "immunise"


def test_coverage_says_in_words_that_sessions_have_no_site_or_no_target():
    rows = Counting().press("f4", "o").screen.splitlines()
    assert any("sessions without site" in row and "none" in row for row in rows)
    assert any("Kome" in row and "polio" in row and "none" in row for row in rows)
    assert not any(" - " in row for row in rows if "measles" in row or "polio" in row)
