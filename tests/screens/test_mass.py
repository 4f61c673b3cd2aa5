"""Mass-casualty triage as a gate works: keys counted, scans, known tags, guides, counts."""

import asyncio
from typing import Self

import pytest

from fieldnode.tui.cores.display import Size, text_of
from protocols.errors import InputError
from tests.screens.fake_node import ward
from tests.screens.test_line import told
from tests.screens.test_pages import Person

SCAN = [*"]C1TG-000431", "enter"]


def scan(tag):
    return [*f"]C1{tag}", "enter"]


@pytest.fixture
def person() -> Person:
    return Person()


class Counting(Person):
    """Counts the keys a hand strikes; a scan is none."""

    struck = 0

    def strike(self, *keys) -> Self:
        self.struck += len(keys)
        return self.press(*keys)


def counting(*before, node=None) -> Counting:
    return Counting(node).press(*before)


def saved(person):
    return [line for line in person.node.written if line["kind"] == "triage.record"]


# SAFETY 21: counted from the open form to SAVED.


@pytest.mark.safety(21)
def test_a_casualty_by_scan_takes_at_most_four_keys():
    person = counting("f2", *SCAN)
    person.strike("1", "4", "2", "enter")

    assert person.struck <= 4
    (line,) = saved(person)
    assert line["data"] == {"tag": "TG-000431", "category": "red", "sex": "female", "band": 4}
    assert "SAVED HERE" in person.screen


@pytest.mark.safety(21)
def test_a_casualty_by_typing_takes_at_most_nine_keys():
    person = counting("f2")
    person.strike(*"0431", "enter", "1", "4", "2", "enter")

    assert person.struck <= 9
    assert saved(person)[0]["data"]["tag"] == "TG-0431"


@pytest.mark.safety(21)
@pytest.mark.parametrize("way", ["board", "chart"])
def test_triage_again_takes_at_most_three_keys_from_where_the_patient_is_seen(way):
    person = counting(*([] if way == "board" else ["enter"]))
    person.strike("t", "2", "enter")

    assert person.struck <= 3
    (line,) = saved(person)
    assert (line["patient"], line["data"]) == ("pat_00003", {"category": "yellow"})


@pytest.mark.safety(16, 21)
def test_a_known_tag_is_triaged_again_with_at_most_three_keys():
    person = counting("f2", *scan("TG-000412"))
    assert "This tag is ACD EFH 001 Haddad Nour, 34 y, female, before: 1 RED" in person.screen
    person.strike("enter", "2", "enter")

    assert person.struck <= 3
    (line,) = saved(person)
    assert (line["patient"], line["data"]["category"]) == ("pat_00001", "yellow")


@pytest.mark.safety(17)
def test_a_scan_over_a_complete_form_saves_it_so_a_row_of_casualties_takes_three_keys_each(
    person: Person,
):
    person.press("f2", *scan("TG-1"), "1", "4", "2", *scan("TG-2"), "3", "2", "1", *scan("TG-3"))

    assert [line["data"]["tag"] for line in saved(person)] == ["TG-1", "TG-2"]
    assert person.page.form.snapshot() == {"tag": "TG-3"}


# SAFETY 2: the digits of categories, bands and sexes.


@pytest.mark.safety(2)
@pytest.mark.parametrize(
    ("digit", "word"), [*zip("12340", ["red", "yellow", "green", "expectant", "dead"], strict=True)]
)
def test_categories_have_their_digits(person: Person, digit, word):
    person.press("f2", "9", "enter", digit, "9", "9", "enter")
    if word == "dead":
        person.press("enter")

    assert saved(person)[0]["data"]["category"] == word


@pytest.mark.safety(2)
@pytest.mark.parametrize("band", "123459")
def test_age_bands_are_those_of_the_minimum_data_set(person: Person, band):
    person.press("f2", "9", "enter", "1", band, "9", "enter")

    assert saved(person)[0]["data"]["band"] == int(band)


@pytest.mark.safety(2)
@pytest.mark.parametrize(
    ("digit", "word"),
    [("1", "male"), ("2", "female"), ("3", "female-pregnant"), ("9", "unknown")],
)
def test_sexes_have_their_digits(person: Person, digit, word):
    person.press("f2", "9", "enter", "1", "4", digit, "enter")

    assert saved(person)[0]["data"]["sex"] == word


# SAFETY 16 and 17: tags and scans.


@pytest.mark.safety(17)
@pytest.mark.parametrize("answered", [[], ["1"], ["1", "4"]])
def test_a_scan_over_an_unfinished_form_saves_and_fills_nothing(person: Person, answered):
    person.press("f2", *scan("TG-1"), *answered, *scan("TG-2"))

    assert saved(person) == []
    assert person.page.form.snapshot()["tag"] == "TG-1"
    assert "TG-1 is not saved yet" in person.screen
    assert "needed before saving" in person.screen


def test_dead_asks_one_extra_enter_by_scan_too(person: Person):
    person.press("f2", *scan("TG-1"), "0", "4", "2", *scan("TG-2"))
    assert saved(person) == []
    assert "DEAD: press Enter once more" in person.screen

    person.press("enter")
    assert saved(person)[0]["data"]["category"] == "dead"
    assert person.page.form.snapshot() == {}


def test_the_same_tag_scanned_twice_changes_nothing(person: Person):
    person.press("f2", *scan("TG-1"), "1", *scan("TG-1"))

    assert person.page.form.snapshot() == {"tag": "TG-1", "category": "1"}


def test_a_known_tag_that_is_replaced_by_another_needs_age_and_sex_again(person: Person):
    person.press("f2", *scan("TG-000412"), "enter", "2", "up", "up", "backspace", "9", "enter")
    person.press("2", "enter", "enter", "enter", "enter")
    assert saved(person) == []

    person.press("4", "1", "enter")
    assert "patient" not in saved(person)[0]


@pytest.mark.safety(16)
def test_the_terminal_completes_digits_like_the_last_tag_that_was_scanned():
    node = ward()
    node.greeting = type(node.greeting)("dev", "nord-b")
    person = Person(node).press("f2", *scan("ZX-00770431"), "1", "4", "2", "enter")
    person.press(*"0432", "enter", "1", "4", "2", "enter")

    assert [line["data"]["tag"] for line in saved(person)] == ["ZX-00770431", "ZX-00770432"]


def test_an_enter_struck_twice_after_a_save_does_not_pass_the_next_tag_by(person: Person):
    person.press("f2", *"431", "enter", "1", "4", "2", "enter", "enter", *"0432", "enter")

    assert person.page.form.snapshot() == {"tag": "TG-0432"}


def test_whoever_works_without_tags_passes_them_with_one_enter(person: Person):
    for _ in range(2):
        person.press(*(["f2"] if not person.node.written else []), "enter", "1", "4", "2", "enter")

    assert len(saved(person)) == 2
    assert all("tag" not in line["data"] for line in saved(person))


def test_an_injury_may_be_typed_before_the_enter_that_saves(person: Person):
    person.press("f2", *"431", "enter", "1", "4", "2", *"crush leg", "enter")

    assert saved(person)[0]["data"]["problem"] == "crush leg"


def test_nothing_is_guessed_what_is_not_answered_is_asked(person: Person):
    person.press("f2", *"431", "enter", "1", "enter", "enter", "enter", "enter")
    assert "This is needed before saving" in person.screen
    assert saved(person) == []


# The head, the last saves, what was found before.


def test_the_head_counts_and_the_last_saves_stand_below_with_the_way_back(person: Person):
    person.press("f2", *"431", "enter", "1", "4", "2", "enter", *"432", "enter", "3", "9", "9")
    person.press("enter")

    shown = person.screen
    assert "1 RED 4" in shown and "3 GREEN 2" in shown
    assert "TOTAL 9" in shown and "last minute 2" in shown and "you 2" in shown
    assert "since 14:05, 27 min" in shown
    rows = [row for row in shown.splitlines() if row.startswith(" 14:32  Triage")]
    assert [row.split()[4] for row in rows] == ["TG-432", "TG-431"]
    assert "F8 takes it back" in rows[0] and "F8" not in rows[1]


def test_what_is_taken_back_is_counted_no_more(person: Person):
    person.press("f2", *"431", "enter", "1", "4", "2", "enter", "f8", "enter", "escape")

    assert person.node.written[-1]["kind"] == "entry.retract"
    person.press("f2")
    assert "you 0" in person.screen
    assert "Triage RED tag TG-431" not in person.screen.split("F/Ctrl+G")[0].split("Injury")[1]


def test_of_somebody_known_what_was_found_before_is_shown_and_stays(person: Person):
    person.press("f2", *scan("TG-000412"), "enter")
    shown = person.screen
    assert "KNOWN TAG, BEFORE:  1 RED" in shown
    assert "BEFORE: 2 triages" in shown
    assert "14:02  1 RED  J. Cho" in shown and "13:21  2 YELLOW  J. Cho" in shown

    person.press("2", "enter", "escape", "down", "enter")
    lines = person.node.patients["pat_00001"].lines
    assert [dict(one.summary)["triage"] for one in lines if one.kind == "triage.record"] == [
        "yellow",
        "red",
        "yellow",
    ]


@pytest.mark.safety(20)
def test_nobody_identified_triages_from_a_locked_screen_without_a_history(person: Person):
    async def refused(*_):
        raise InputError("locked")

    person.press("f9", "f2")
    person.node.chart = refused  # type: ignore[method-assign]
    person.press(*scan("TG-000412"), "enter", "2", "enter")

    assert saved(person)[0]["patient"] == "pat_00001"


def test_a_draft_of_a_known_tag_asks_again_who_it_is(person: Person):
    person.press("f2", *scan("TG-000412"), "enter", "2", "escape", "d", "enter")
    assert "This tag is ACD EFH 001" in person.screen

    person.press("enter", "tab", "enter")
    assert saved(person)[0]["patient"] == "pat_00001"


def test_somebody_without_a_name_is_found_on_the_board_by_the_tag(person: Person):
    person.press("f2", *"431", "enter", "1", "4", "2", "enter", "escape")
    assert "TG-431" in person.screen

    person.press("f3", "TG-431", "enter", "enter")
    assert person.shell.page.name == "chart"


# Guided.


def guided(person, *answers):
    return person.press("f2", *"431", "enter", "9", "1", *answers)


def test_a_guide_leads_to_a_category_that_is_stored_with_version_and_answers(person: Person):
    guided(person, "2", "2", "1", "36", "enter", "enter")
    assert person.page.form.snapshot() == {"tag": "TG-431", "category": "1"}
    person.press("4", "1", "enter")

    assert saved(person)[0]["data"] == {
        "tag": "TG-431",
        "category": "red",
        "band": 4,
        "sex": "male",
        "algorithm": "start",
        "version": "2",
        "inputs": {"looks": "adult", "walks": 0, "breathes": 1, "resp_rate": "36"},
        "alerts": ["start.breath-fast"],
    }


@pytest.mark.safety(8)
def test_a_guide_shows_its_version_its_source_and_that_nobody_approved_it(person: Person):
    guided(person, "2", "1")

    assert "3 GREEN" in person.screen and "walks" in person.screen
    assert "NOT APPROVED" in person.screen
    assert "Version 2. Source: START" in person.screen


def test_where_a_person_judges_otherwise_both_are_kept(person: Person):
    guided(person, "2", "1", "enter", "up", "backspace", "2", "4", "1", "enter")

    data = saved(person)[0]["data"]
    assert (data["category"], data["inputs"]["suggested"]) == ("yellow", "green")
    assert data["alerts"] == []


@pytest.mark.safety(2)
def test_a_band_that_spans_the_limit_asks_for_looks_and_others_do_not(person: Person):
    for band, asks in (("1", False), ("2", False), ("3", True), ("4", False), ("9", True)):
        other = Person()
        other.press("f2", *"431", "enter", "1", band, "up", "up", "backspace", "9", "1")
        assert ("Looks a child or an adult?" in other.screen) is asks, band


def test_an_age_known_or_guessed_decides_or_asks():
    ages = {"7 y": "JumpSTART, child", "8 y": "START, adult", "~9 y": "Looks a child"}
    for age, shown in ages.items():
        node = ward()
        node.patients.clear()
        node.add("Somebody", triage=2, sex=1, age=age, tag="TG-7")
        person = Person(node).press("t", "9", "1")
        assert shown in person.screen, age


def test_backspace_takes_the_answer_before_back_and_escape_leaves_the_form_as_it_was(
    person: Person,
):
    guided(person, "2", "2", "2")
    assert "Airway opened" in person.screen
    person.press("backspace")
    assert "Breathes?" in person.screen
    person.press("backspace", "backspace", "backspace", "2")
    assert "Red signs" in person.screen or "Looks a child" in person.screen

    person.press("escape")
    assert person.page.form.snapshot() == {"tag": "TG-431"}


def test_signs_are_marked_by_their_number_and_none_is_an_answer(person: Person):
    person.press("f2", *"431", "enter", "9", "2", "2", "0", "6")
    assert "06  [x] heavy bleeding" in person.screen
    person.press("enter")

    assert "1 RED" in person.screen
    person.press("enter", "4", "1", "enter")
    inputs = saved(person)[0]["data"]["inputs"]
    assert inputs["red_signs"] == 1 and inputs["red_signs.heavy-bleeding"] == 1


def test_a_key_that_is_no_answer_is_refused_with_a_word(person: Person):
    guided(person, "7")

    assert "Not one of the answers" in person.screen
    assert person.shell.bells


def test_what_a_guide_came_to_is_in_the_draft(person: Person):
    guided(person, "2", "2", "1", "36", "enter", "enter", "escape", "d", "enter")
    person.press("4", "1", "enter")

    assert saved(person)[0]["data"]["algorithm"] == "start"


def test_nobody_types_ahead_of_the_category_a_guide_came_to(person: Person):
    person.press("f2", *"431", "enter", "9", "1")
    person.hurry("2", "1", "enter", "4", "1", "enter")

    assert saved(person) == []
    assert "not taken" in person.screen


# Line mode.


def test_a_casualty_is_triaged_by_answering_prompts():
    node, said = told("f2", "431", "1", "4", "2", "burn", "432", "3", "9", "9", "", "")

    assert [line["data"].get("problem") for line in node.written] == ["burn", None]
    assert "TOTAL" in said and "Triage RED tag TG-431" in said


def test_a_guide_is_followed_by_answering_prompts():
    node, said = told("f2", "431", "9", "1", "2", "1", "", "4", "1", "")

    assert "Walks?" in said and "3 GREEN" in said
    assert node.written[0]["data"]["algorithm"] == "start"


@pytest.mark.parametrize("height", range(12, 40))
def test_the_form_is_whole_at_any_height(height):
    person = Person().press("f2", *"431", "enter", "1", "4", "2", "enter")
    lines = person.shell.draw(Size(80, height))

    assert len(lines) == height
    assert any(text_of(one).startswith(">Tag") for one in lines)


def test_the_calls_are_answered():
    assert asyncio.run(ward().tally()).counts["1"] == 3
