"""When a child had its doses, where that is not now: stated in the drive as on every form."""

import pytest

from tests.screens.test_drive import CARD, Counting, saved, scan

WHEN = ["ctrl+t", "2026-05-19", "enter", "14:05", "enter", "1", "tab", "R. Amin", "enter"]


@pytest.fixture
def person() -> Counting:
    return Counting().press("f4", "enter")


@pytest.mark.safety(13)
def test_what_a_child_had_earlier_is_written_with_its_time_and_who_gave_it(person: Counting):
    person.press(*scan(CARD), *WHEN)
    assert "2026-05-19 14:05" in person.screen and "R. Amin" in person.screen
    assert "[x] Measles-rubella 1" in person.screen
    person.press("enter")

    for line in saved(person):
        assert line["at"].startswith("2026-05-19T14:05") and line["by"] == "R. Amin"


@pytest.mark.safety(13)
def test_the_time_of_one_child_is_not_that_of_the_next(person: Counting):
    person.node.patients["pat_00002"].tags = ("TG-000398",)
    person.press(*scan(CARD), *WHEN, *scan("TG-000398"), "enter")

    assert [("at" in line) for line in saved(person)] == [True, True, False, False]


@pytest.mark.safety(13)
def test_a_new_child_and_its_doses_are_of_one_time(person: Counting):
    person.press(*scan("KM-20931"), *"22", "enter", "2", *WHEN, "enter")

    times = {line.get("at") for line in person.node.written}
    assert len(person.node.written) == 3 and len(times) == 1 and None not in times


@pytest.mark.safety(13)
def test_while_paper_is_typed_up_each_child_is_asked_when(person: Counting):
    person.shell.desk.paper = True
    person.press(*scan(CARD), "enter")
    assert person.shell.page.name == "when" and saved(person) == []
    person.press("2026-05-19", *["enter"] * 4)

    assert [(line["at"], line["source"]) for line in saved(person)] == [("2026-05-19", "paper")] * 2
    assert person.shell.page.name == "drive" and "SAVED HERE" in person.screen


@pytest.mark.safety(13)
def test_a_card_scanned_over_a_child_waits_for_the_time_and_escape_forgets_it(person: Counting):
    person.node.patients["pat_00002"].tags = ("TG-000398",)
    person.shell.desk.paper = True
    person.press(*scan(CARD), *scan("TG-000398"), "escape")
    assert "Haddad Nour" in person.screen and saved(person) == []
    person.press("enter", "2026-05-19", *["enter"] * 4)
    assert {line["patient"] for line in saved(person)} == {"pat_00001"}
    assert person.page.core.child is None, "who was scanned before Escape does not follow"
