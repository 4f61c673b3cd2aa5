"""A card that a child brings: its doses typed one by one, and what is due worked out anew."""

import pytest

from protocols.live.api import Recorded
from tests.screens.test_drive import CARD, Counting, codes, saved, scan

MR, BOPV = "1", "2"


def at_card(*keys) -> Counting:
    """Open the form over a child that was here before, from the drive."""
    return Counting().press("f4", "enter", *scan(CARD), "d", *keys)


def dose(vaccine, day, *rest):
    """Return the keys of one dose: vaccine, day, number, lot."""
    # The Enter that ends a list's digit is taken; of what follows the last one saves.
    return [vaccine, *day, "enter", *(rest or ("enter", "enter"))]


def test_a_dose_of_a_card_is_written_as_told_with_no_session_and_no_vial():
    person = at_card(MR, *"20250314", "enter", "1", *"MR-9", "enter")

    (line,) = saved(person)
    assert (line["source"], line["at"], line["patient"]) == ("paper", "2025-03-14", "pat_00001")
    assert line["data"] == {"vaccine": "mr", "dose": 1, "lot": "MR-9"}
    assert "store" not in line
    assert person.shell.page.name == "card_doses"


@pytest.mark.parametrize("day", ["2025-04", "2025"])
def test_a_month_or_a_year_is_written_as_it_stands(day):
    person = at_card(*dose(MR, day))
    assert saved(person)[0]["at"] == day
    assert "not certain" in person.screen or "unsure" in person.screen.lower()


def test_the_form_stays_for_the_next_dose_and_proposes_its_number():
    person = at_card(*dose(MR, "20250314"), "enter", MR, *"20250914", "enter")
    assert "1 dose known" in person.screen and "2025-03-14 Measles-rubella 1" in person.screen
    assert person.page.form.text(2) == "2"
    person.press("enter", "enter")

    first, second = saved(person)
    assert "dose" not in first["data"]
    assert second["data"]["dose"] == 2
    assert first["key"] != second["key"]
    shown = person.screen
    assert shown.index("2025-09-14 Measles-rubella 2") < shown.index("2025-03-14 Measles-rubella 1")


def test_back_at_the_child_what_the_card_has_is_no_longer_ticked():
    person = Counting().press("f4", "enter", *scan(CARD))
    assert "[x] Measles-rubella 1" in person.screen
    person.press("d", *dose(MR, "20250314"), "escape")

    assert "[ ] Measles-rubella 2" in person.screen
    assert "[x] Oral polio, bivalent 1" in person.screen
    person.press("enter")
    assert codes(person) == ["mr", "bopv"]
    assert "vial" not in saved(person)[0]["data"]


def test_f8_takes_the_last_dose_back_and_the_form_is_there_again():
    person = at_card(*dose(MR, "20250314"), "enter", *dose(BOPV, "20250314"))
    assert "2 doses known" in person.screen
    person.press("f8", "enter")

    assert [one["kind"] for one in person.node.written][-1] == "entry.retract"
    assert person.shell.page.name == "card_doses"
    assert "1 dose known" in person.screen and "Oral polio, bivalent 1" not in person.screen
    person.press("escape")
    assert "[x] Oral polio, bivalent 1" in person.screen


def test_what_the_node_asks_is_answered_by_enter_and_only_for_that_dose():
    person = at_card(*dose(MR, "20250314"), "enter")
    asks = Recorded(1, False, error="confirm_needed", field="data", confirm="dose_given_already")
    person.node.refuse["dose.record"] = asks
    person.press(*dose(MR, "20250314"))
    assert "written down already" in person.screen
    assert len(saved(person)) == 1

    # Another number is another dose: nothing was settled of it.
    person.node.refuse.clear()
    person.press("up", "3", "enter", "enter")
    assert "confirm" not in saved(person)[-1]

    person.press("enter")
    person.node.refuse["dose.record"] = asks
    person.press(*dose(BOPV, "20250314"))
    person.node.refuse.clear()
    person.press("enter")
    assert saved(person)[-1]["confirm"] == ["dose_given_already"]
    person.press("enter", *dose(BOPV, "20250401"))
    assert "confirm" not in saved(person)[-1]


def test_a_day_that_has_not_come_is_refused_where_it_is_typed():
    person = at_card(MR, *"20990101", "enter")
    assert person.page.form.open_field.name == "day"
    assert saved(person) == []


def test_an_enter_struck_twice_after_a_save_changes_nothing():
    person = at_card(*dose(MR, "20250314"), "enter")
    assert len(saved(person)) == 1
    assert person.page.form.reason is None


def test_when_it_was_is_asked_in_its_own_field_also_where_paper_is_typed_up():
    person = Counting()
    person.press("f4", "enter", *scan(CARD))
    person.shell.desk.paper = True
    person.press("d", "ctrl+t")
    assert person.shell.page.name == "card_doses"
    person.press(*dose(MR, "2025"))
    assert saved(person)[0]["at"] == "2025"


def test_a_new_child_is_registered_first_and_given_nothing_by_it():
    person = Counting().press("f4", "enter", *scan("KM-77"), *"22", "enter", "2", "d")

    (child,) = saved(person, "patient.register")
    assert child["data"]["tags"] == ["KM-77"]
    assert codes(person) == []
    assert person.shell.page.name == "card_doses"
    person.press(*dose(MR, "2025-04"), "escape")
    assert "[ ] Measles-rubella 2" in person.screen
    person.press("enter")
    assert len(saved(person, "patient.register")) == 1
    assert codes(person) == ["mr", "bopv"]


def test_what_is_asked_of_a_registration_leads_on_to_the_card():
    person = Counting().press("f4", "enter", *scan("KM-77"), *"22", "enter", "2")
    asks = Recorded(1, False, error="confirm_needed", field="data", confirm="tag_in_use")
    person.node.refuse["patient.register"] = asks
    person.press("d")
    assert person.shell.page.name == "drive" and "carries this tag" in person.screen
    person.node.refuse.clear()
    person.press("enter")

    assert saved(person, "patient.register")[0]["confirm"] == ["tag_in_use"]
    assert codes(person) == []
    assert person.shell.page.name == "card_doses"


def test_it_opens_from_the_list_of_a_childs_doses_too():
    person = Counting().press("f4", "enter", *scan(CARD), "c", "d")
    assert person.shell.page.name == "card_doses"
    person.press(*dose(MR, "2025-04"), "escape")
    assert person.shell.page.name == "vaccine_card"
    assert "2025-04" in person.screen


def test_from_a_chart_too_the_doses_of_a_card_are_written_without_any_session():
    person = Counting().press("f3", *"haddad", "enter", "enter", "c")
    assert "Vaccinations" in person.screen
    person.press("5", "4", *dose(MR, "20250314"))

    (line,) = saved(person)
    assert (line["source"], line["at"], line["patient"]) == ("paper", "2025-03-14", "pat_00001")
    assert "session" not in line["data"]
    person.press("escape")
    assert person.shell.page.name == "vaccine_card" and "2025-03-14" in person.screen
    person.press("escape")
    assert person.shell.page.name == "chart"
