"""A recall arrives between a dose and its record: it is not lost, and never given by habit."""

import pytest

from protocols.live.api import Recorded
from tests.screens.fake_node import at_once
from tests.screens.test_drive import CARD, Counting, codes, saved, scan
from tests.screens.test_pages import Person

HAD = "lot_given_already"
STOPS = {
    "lot_recalled": "LOT RECALLED",
    "lot_quarantined": "LOT HELD BACK",
    "lot_expired": "LOT EXPIRED",
}


@pytest.fixture
def person() -> Counting:
    return Counting().press("f4", "enter")


def unheard(person, code="lot_recalled"):
    """The lot of the first vial of measles is stopped, which the node knows and has not told."""
    person.node.stopped = {"fct_vial1.0": code}
    return person


def stopped(person, code="lot_recalled"):
    """The same, and the node says that rows changed."""
    unheard(person, code).shell.changed()
    person.settle()
    person.look()
    return person


@pytest.mark.parametrize("code", STOPS)
def test_a_child_that_comes_after_a_recall_is_not_ticked_for_its_lot(person: Counting, code):
    stopped(person, code)
    assert f"MR-0172B 6/10 {STOPS[code]}" in person.screen
    person.press(*scan(CARD))
    assert "[ ] Measles-rubella 1" in person.screen and STOPS[code] in person.screen
    person.press("enter")

    assert codes(person) == ["bopv"]


@pytest.mark.parametrize("code", STOPS)
def test_no_number_of_enters_writes_a_dose_of_a_lot_that_was_stopped_meanwhile(
    person: Counting, code
):
    person.press(*scan(CARD))
    unheard(person, code)
    person.press(*["enter"] * 6)

    assert saved(person) == []
    assert "DO NOT GIVE IT" in person.screen
    assert "Haddad Nour" in person.screen, "and who it is about stays"


def test_the_next_card_gives_no_such_dose_either_and_does_not_come_before_it_is_settled(
    person: Counting,
):
    person.press(*scan(CARD))
    unheard(person)
    person.press(*scan("KM-7"))
    assert "DO NOT GIVE IT" in person.screen
    person.press(*scan("KM-7"))

    assert person.node.written == []
    assert "Haddad Nour" in person.screen


@pytest.mark.parametrize("key", ["g", "9", "п"])
def test_what_the_child_had_already_is_written_with_two_keys_that_are_no_habit(
    person: Counting, key
):
    person.press(*scan(CARD))
    unheard(person)
    person.press("enter", key)
    assert saved(person) == [], "one key alone is a slip"
    assert "It is written as GIVEN" in person.screen
    person.press("enter")

    assert [(one["data"]["vaccine"], one.get("confirm")) for one in saved(person)] == [
        ("mr", [HAD]),
        ("bopv", None),
    ]
    assert saved(person)[0]["data"]["vial"] == "fct_vial1.0", "of the vial that it came from"
    assert "SAVED HERE" in person.screen


def test_the_key_and_the_enter_struck_in_one_go_write_nothing(person: Counting):
    person.press(*scan(CARD))
    unheard(person)
    person.press("enter")
    person.hurry("g", "enter", "enter")

    assert saved(person) == []


def test_leaving_the_question_leaves_the_child_and_what_was_not_given_can_be_unticked(
    person: Counting,
):
    person.press(*scan(CARD))
    unheard(person)
    person.press("enter", "escape", "1", "enter")

    assert codes(person) == ["bopv"]


def test_one_who_was_ticked_by_hand_is_asked_about_too(person: Counting):
    stopped(person)
    person.press(*scan(CARD), "1", "enter")
    assert "Measles-rubella MR-0172B" in person.screen
    assert saved(person) == []


def test_the_dose_says_on_the_list_of_all_doses_that_its_lot_is_recalled(person: Counting):
    person.press(*scan(CARD))
    unheard(person)
    person.press("enter", "g", "enter", *scan(CARD), "c")

    assert "RECALLED MR-0172B" in person.screen
    assert "counts" in person.screen


def test_a_vial_opened_meanwhile_is_what_the_next_children_get(person: Counting):
    stopped(person)
    person.press(*scan("MR", "]d2"), "enter", *scan(CARD))
    assert "[x] Measles-rubella 1" in person.screen
    person.press("enter")

    assert saved(person)[0]["data"]["vial"] == "fct_new0.0"


# a child that stands while it becomes known


def ticks(person):
    """What the screen has ticked, by digit."""
    return [row[1] for row in person.screen.splitlines() if row[3:6] == "[x]"]


@pytest.mark.parametrize("code", STOPS)
@pytest.mark.parametrize("card", [scan(CARD), [*scan("KM-1"), *"22", "enter", "1"]])
def test_the_tick_of_a_child_that_stands_goes_with_a_line_that_says_why(
    person: Counting, code, card
):
    person.press(*card)
    assert ticks(person) == ["1", "2"]
    stopped(person, code)
    assert ticks(person) == ["2"]
    assert f"Measles-rubella MR-0172B: {STOPS[code]}" in person.screen
    assert "do not give it" in person.screen
    person.press("enter")

    assert codes(person) == ["bopv"]
    stopped(person.press(*card), code)
    assert "do not give it" not in person.screen, "of the next child nothing was ticked"


def test_an_enter_struck_before_the_tick_was_seen_to_go_writes_nothing(person: Counting):
    person.press(*scan(CARD))
    unheard(person).shell.changed()
    person.settle()
    person.hurry("enter")
    assert saved(person) == []


def test_what_such_a_child_had_already_is_written_of_the_vial_that_stood_there(person: Counting):
    """Though another one is open, from which the next children are given."""
    person.press(*scan("MR", "]d2"), "enter", *scan(CARD))
    stopped(person)
    # Coming back to the child asks anew what it needs, and the node would draw from the other one.
    person.press("c", "escape", "1", "enter")
    assert "DO NOT GIVE IT" in person.screen
    person.press("g", "enter", *scan("TG-000398"))

    assert saved(person)[0]["data"]["vial"] == "fct_vial1.0"
    assert saved(person)[0]["confirm"] == [HAD]


def test_such_a_child_is_given_of_another_vial_by_two_keys(person: Counting):
    person.press(*scan("MR", "]d2"), "enter", *scan(CARD))
    stopped(person)
    person.press("v")
    assert ticks(person) == ["2"], "a vial is chosen, nobody is given of it yet"
    assert "do not give it" not in person.screen
    person.press("1", "enter")

    assert saved(person)[0]["data"]["vial"] == "fct_new0.0"
    assert "confirm" not in saved(person)[0]


def test_a_vial_opened_over_such_a_child_ticks_nothing_by_itself(person: Counting):
    """Who had it of the first one is not written down as given of the second."""
    stopped(person.press(*scan(CARD)))
    person.press(*scan("MR", "]d2"), "enter")

    assert ticks(person) == ["2"]
    assert "do not give it" in person.screen


@pytest.mark.parametrize("keys", [["0"], ["c"]])
def test_the_tick_goes_also_where_another_question_or_page_stands_before_it(person: Counting, keys):
    person.press(*scan(CARD), *keys)
    stopped(person)
    person.press("escape")

    assert ticks(person) == ["2"]
    assert "do not give it" in person.screen


def test_it_goes_once_a_question_about_something_else_is_left(person: Counting):
    person.press(*scan(CARD))
    person.node.refuse["dose.record"] = Recorded(
        1, False, error="confirm_needed", confirm="dose_before_interval"
    )
    person.press("enter")
    stopped(person)
    person.press("escape")
    assert ticks(person) == ["2"]
    assert saved(person) == []


def test_an_answer_to_such_a_question_does_not_save_the_others_without_it(person: Counting):
    """It may have been given: the node refuses it, and all of this child's waits for the answer."""
    person.press(*scan(CARD))
    person.node.refuse["dose.record"] = Recorded(
        1, False, error="confirm_needed", confirm="dose_before_interval"
    )
    person.press("enter")
    stopped(person)
    del person.node.refuse["dose.record"]
    person.press("enter")

    assert saved(person) == []
    assert "DO NOT GIVE IT" in person.screen


def test_what_a_person_ticked_knowing_it_stays_ticked_when_rows_change_again(person: Counting):
    stopped(person.press(*scan(CARD)))
    person.press("1")
    stopped(person)

    assert ticks(person) == ["1", "2"]


def test_stepping_back_to_a_vial_that_was_stopped_takes_the_tick_away(person: Counting):
    person.press(*scan("MR", "]d2"), "enter", *scan(CARD))
    stopped(person)
    person.press("v", "1")
    assert ticks(person) == ["1", "2"]
    person.press("v")

    assert ticks(person) == ["2"]
    assert "do not give it" in person.screen


def test_a_refusal_is_about_the_dose_that_was_sent_though_its_tick_would_have_gone_meanwhile(
    person: Counting,
):
    """The node told of the recall between the save and its answer."""
    person.press(*scan(CARD))
    unheard(person)
    shell = person.shell
    shell.key("enter", person.now_ms)
    (save,) = shell.asks
    shell.asks.clear()
    refused = at_once(save.call(person.node))
    shell.changed()
    person.settle()
    shell.answer(save, refused)
    person.settle()
    person.look()
    assert "Measles-rubella MR-0172B" in person.screen
    person.press("g", "enter")

    assert codes(person) == ["mr", "bopv"]
    assert saved(person)[0]["confirm"] == [HAD]


@pytest.mark.parametrize("code", STOPS)
def test_crowd_mode_counts_no_dose_of_it_by_enters_and_counts_one_that_was_given(code):
    person = Person().press("f4", "k")
    person.node.stopped = {"fct_vial1.0": code}
    person.press("1", *["enter"] * 4)
    assert saved(person, "tally.add") == []
    assert "DO NOT GIVE IT" in person.screen
    person.press("9")
    assert saved(person, "tally.add") == []
    person.press("enter")

    (line,) = saved(person, "tally.add")
    assert line["confirm"] == [HAD]
    assert line["data"]["vial"] == "fct_vial1.0"


def test_crowd_mode_draws_from_another_vial_first():
    person = Person().press("f4", "enter", *scan("MR", "]d2"), "enter", "*", "3")
    person.node.stopped = {"fct_vial1.0": "lot_recalled"}
    person.shell.changed()
    person.settle()
    person.press("1")

    assert saved(person, "tally.add")[0]["data"]["vial"] == "fct_new0.0"


def test_crowd_mode_writes_what_was_given_already_of_the_vial_that_it_was_refused_of():
    """Though the node tells meanwhile that it is stopped, and another one is open."""
    person = Person().press("f4", "enter", *scan("MR", "]d2"), "enter", "*", "3")
    person.node.stopped = {"fct_vial1.0": "lot_recalled"}
    person.press("1")
    assert "Measles-rubella MR-0172B: LOT RECALLED. DO NOT GIVE IT" in person.screen
    person.shell.changed()
    person.settle()
    person.look()
    person.press("g", "enter")

    (line,) = saved(person, "tally.add")
    assert (line["data"]["vial"], line["confirm"]) == ("fct_vial1.0", [HAD])
    person.press("1")
    assert saved(person, "tally.add")[1]["data"]["vial"] == "fct_new0.0"


# a vial that was open before

OPENED = "lot_opened_already"


def refused_vial(person, code="lot_recalled"):
    """A box is scanned whose lot was stopped, and Enter asks to open it."""
    person.node.stopped = {"MR-0200": code}
    return person.press(*scan("MR", "]d2"), "enter")


@pytest.mark.parametrize("code", ["lot_recalled", "lot_quarantined"])
def test_no_number_of_enters_opens_a_vial_of_a_lot_that_is_stopped(person: Counting, code):
    refused_vial(person, code)
    assert f"MR-0200: {STOPS[code]}. DO NOT OPEN IT" in person.screen
    person.press(*["enter"] * 4)
    assert saved(person, "vial.open") == []
    person.press("escape")

    assert person.shell.page.name == "vial", "what was typed stays"
    assert "MR-0200" in person.screen


@pytest.mark.parametrize("key", ["g", "9", "п"])
def test_a_vial_that_was_open_before_says_when_and_is_written_marked(person: Counting, key):
    refused_vial(person)
    person.press(key)
    assert person.shell.page.name == "when"
    person.press(*"2026-05-20", "enter", *"1305", *["enter"] * 3)
    assert "written as OPENED BEFORE" in person.screen and saved(person, "vial.open") == []
    person.press("enter")

    (line,) = saved(person, "vial.open")
    assert line["confirm"] == [OPENED] and line["at"].startswith("2026-05-20T13:05")
    assert person.shell.page.name == "drive"
    assert "MR-0200 10/10 LOT RECALLED" in person.screen
    person.press(*scan(CARD))
    assert "1: MR-0172B" in person.screen, "nobody is given of it by itself"
    person.press("escape", "*", "2")
    assert "LOT RECALLED" in person.screen


def test_what_was_drawn_of_it_is_written_child_by_child_and_never_by_the_usual_key(
    person: Counting,
):
    refused_vial(person)
    person.press("g", *["enter"] * 5)
    person.node.patients["pat_00002"].tags = ("TG-000398",)
    person.press(*scan(CARD), "v")
    assert ticks(person) == ["2"] and "1: MR-0200 10/10 (2 of 2, v: next)" in person.screen
    person.press("1", "enter")
    assert "DO NOT GIVE IT" in person.screen
    person.press("g", "enter", *scan("TG-000398"))

    assert saved(person)[0]["data"]["vial"] == "fct_new0.0"
    assert "1: MR-0172B" in person.screen, "the next child is given of the good one"


def test_a_time_that_was_stated_before_is_not_asked_for_again(person: Counting):
    person.node.stopped = {"MR-0200": "lot_recalled"}
    person.press(*scan("MR", "]d2"), "ctrl+t", *"2026-05-20", "enter", *["enter"] * 3)
    person.press("enter", "g", "enter")

    (line,) = saved(person, "vial.open")
    assert (line["confirm"], line["at"]) == ([OPENED], "2026-05-20")


def test_what_was_said_of_one_lot_is_not_said_of_another(person: Counting):
    refused_vial(person)
    person.node.refuse["vial.open"] = Recorded(
        0, False, error="confirm_needed", confirm="lot_unknown", field="data.lot"
    )
    person.press("g", *["enter"] * 5)
    assert "no such lot" in person.screen
    del person.node.refuse["vial.open"]
    person.press("backspace", *"1", "enter")

    (line,) = saved(person, "vial.open")
    assert line["data"]["lot"] == "MR-0201"
    assert "confirm" not in line


def test_a_letter_and_an_enter_struck_in_one_go_open_nothing(person: Counting):
    refused_vial(person)
    person.hurry("g", "enter", "enter", "enter", "enter", "enter")
    assert saved(person, "vial.open") == []


def test_another_vial_is_pointed_to_only_where_one_is_open_that_may_be_used(person: Counting):
    person.press(*scan("MR", "]d2"), "enter", *scan(CARD))
    stopped(person)
    assert "From another vial: v" in person.screen
    person.node.stopped = dict.fromkeys(("fct_vial1.0", "fct_new0.0"), "lot_recalled")
    person.shell.changed()
    person.settle()
    person.look()

    assert "do not give it" in person.screen and "From another vial" not in person.screen


def test_since_when_it_is_due_is_not_said_of_the_vial_that_is_not_open(person: Counting):
    person.press(*scan(CARD))
    assert "no open vial since" not in person.screen
    assert "DUE             since 2025-10-12  no open vial" in person.screen
