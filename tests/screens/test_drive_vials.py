"""Which vial a dose is drawn from, and which are still open when a session ends."""

import pytest
from msgspec.structs import replace

from protocols.live.drive import Box
from tests.screens.test_drive import CARD, Counting, saved, scan


@pytest.fixture
def person() -> Counting:
    return Counting().press("f4", "enter")


def two_vials(person):
    """A second vial of measles is open beside the one that has six doses left."""
    person.node.patients["pat_00002"].tags = ("TG-000398",)
    return person.press(*scan("MR", "]d2"), "enter")


def test_the_vial_that_stands_is_shown_with_its_lot_and_what_is_left(person: Counting):
    person.press(*scan(CARD))
    assert "FROM   1: MR-0172B 6/10   2: P-77 2/20" in person.screen
    assert "v: next" not in person.screen, "there is none to choose"
    person.press("v")

    assert "No other open vial" in person.screen


def test_one_key_draws_from_the_next_vial_and_it_stays_for_those_who_come_after(person: Counting):
    two_vials(person).press(*scan(CARD))
    assert "1: MR-0172B 6/10 (1 of 2, v: next)" in person.screen
    person.press("v")
    assert "1: MR-0200 10/10 (2 of 2, v: next)" in person.screen
    person.press("enter", *scan("TG-000398"))
    person.shell.changed()
    person.settle()
    assert "1: MR-0200 9/10 (2 of 2, v: next)" in person.screen
    person.press("v", "enter")

    drawn = [line["data"]["vial"] for line in saved(person) if line["data"]["vaccine"] == "mr"]
    assert drawn == ["fct_new0.0", "fct_vial1.0"]


def test_a_vial_that_was_chosen_is_left_once_it_is_thrown_away_or_stopped(person: Counting):
    two_vials(person).press(*scan(CARD), "v", "escape")
    person.node.stopped = {"fct_new0.0": "lot_recalled"}
    person.shell.changed()
    person.settle()
    person.press(*scan(CARD))

    assert "1: MR-0172B 6/10 (1 of 2, v: next)" in person.screen
    person.press("enter")
    assert saved(person)[0]["data"]["vial"] == "fct_vial1.0"


def test_the_key_is_for_the_vaccine_whose_digit_was_struck_last(person: Counting):
    person.node.boxes = {"]d2OPV": Box("09506000134383", ("vaccine-bopv-20",), "P-90")}
    two_vials(person).press(*scan("OPV", "]d2"), "enter", *scan(CARD))
    assert "1: MR-0172B 6/10 (1 of 2, v: next)   2: P-77 2/20" in person.screen
    person.press("2", "2", "v")
    assert "1: MR-0172B 6/10   2: P-90 10/10 (2 of 2, v: next)" in person.screen
    person.press("enter")

    assert [line["data"]["vial"] for line in saved(person)] == ["fct_vial1.0", "fct_new1.0"]


# what a session leaves behind


def test_the_end_of_a_session_names_every_vial_that_is_still_open():
    person = Counting().press("f4", "c")
    shown = person.screen
    assert "2 VIALS STILL OPEN" in shown and "Ctrl+O" in shown
    assert "vaccine-mr-10  MR-0172B  4/10 drawn, 6 left  open since 09:42" in shown
    assert "vaccine-bopv-20  P-77  18/20 drawn, 2 left  open since 07:52" in shown

    person.press("40", "ctrl+o", "x", "3", "enter", "enter", "escape")
    assert person.shell.page.name == "session_close"
    assert "1 VIAL STILL OPEN" in person.screen
    assert "MR-0172B  4/10" not in person.screen
    assert "MR-0172B 40" in person.screen, "what was typed stands"


def test_a_vial_opened_by_others_meanwhile_is_named_too_and_a_stopped_one_says_so():
    person = Counting().press("f4", "c", "4")
    person.node.written.append(
        {"kind": "vial.open", "data": {"item": "vaccine-mr-10", "lot": "MR-9"}}
    )
    person.node.stopped = {"MR-9": "lot_recalled"}
    person.shell.changed()
    person.settle()

    assert "MR-9  0/10 drawn, 10 left  open since 14:32  LOT RECALLED" in person.screen
    assert "MR-0172B 4" in person.screen, "what is half typed stands"


def test_a_vial_past_its_limit_is_named_too_for_nobody_has_thrown_it_away():
    person = Counting()
    told = person.node.session_vials

    async def later(session):
        return [replace(vial, past=vial.lot == "P-77") for vial in await told(session)]

    person.node.session_vials = later  # type: ignore[method-assign]
    person.press("f4", "c")
    assert "2 VIALS STILL OPEN" in person.screen
    assert "P-77  18/20 drawn, 2 left  open since 07:52  PAST ITS LIMIT" in person.screen


def test_more_open_vials_than_the_screen_holds_are_counted():
    person = Counting()
    for at in range(30):
        person.node.written.append(
            {"kind": "vial.open", "data": {"item": "vaccine-mr-10", "lot": f"M-{at}"}}
        )
    person.press("f4", "c")
    shown = person.screen
    assert "32 VIALS STILL OPEN" in shown and "more: Ctrl+O" in shown
    assert "Remark" in shown and "Item, lot, doses" in shown


def test_a_session_without_an_open_vial_ends_as_before():
    person = Counting().press("f4", "v", "x", "3", "enter", "enter")
    person.press("up", "x", "3", "enter", "enter", "escape", "c")
    assert person.shell.page.name == "session_close"
    assert "STILL OPEN" not in person.screen and "Ctrl+O" not in person.screen
