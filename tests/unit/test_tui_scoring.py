"""Score and alerts beside vital signs as they are typed, and where there is no score at all."""

from __future__ import annotations

import pytest

from fieldnode.text.catalogue import load
from fieldnode.tui.cores.fields import Answer
from fieldnode.tui.scoring import Whom, readings, scoring, tell, whom
from protocols.errors import LinkError
from protocols.guidelines.ages import of_shown
from protocols.guidelines.due import shipped_due
from protocols.guidelines.limits import shipped_limits
from protocols.guidelines.news2 import shipped_news2
from protocols.live.answers import board_line
from protocols.live.guidance import PackInUse
from protocols.records.patient import PatientRow
from protocols.records.watch import Packs, Stay, Taken, age_span, watch
from tests.screens.fake_guidance import text_of
from tests.screens.fake_node import ward
from tests.screens.test_line import told
from tests.screens.test_pages import Person
from tests.unit.stage import WALL_MS

WORDS = load("en")
WHOLE = {
    "respiratory-rate": Answer("26"), "spo2": Answer("93"), "oxygen": Answer("0"),
    "pressure": Answer("98/60"), "heart-rate": Answer("118"), "consciousness": Answer("alert"),
    "temperature": Answer("38.6"),
}  # fmt: skip
PART = {name: WHOLE[name] for name in ("respiratory-rate", "spo2", "pressure")}


def packs(approved_by: str = ""):
    news, limits = (
        PackInUse(name, "1", text_of(name), "", approved_by) for name in ("news2", "limits")
    )
    return scoring(news, limits)


def shown(answers, age="34 y", sex=2, approved_by=""):
    found = tell(packs(approved_by), answers, Whom(of_shown(age), sex), WORDS)
    beside = {name: span.text for name, span in found.beside.items()}
    return "".join(span.text for span in found.below), beside


def test_each_value_says_what_it_adds_and_the_line_below_what_all_come_to():
    below, beside = shown(WHOLE)

    assert below.startswith("NEWS 10")
    assert beside == {
        "respiratory-rate": "+3", "spo2": "+2", "oxygen": "+0", "pressure": "+2",
        "heart-rate": "+2", "consciousness": "+0", "temperature": "+1",
    }  # fmt: skip


@pytest.mark.safety(6)
def test_safety_6_a_set_that_lacks_something_says_at_least_and_how_much_is_missing():
    below, _ = shown(PART)

    assert below.startswith("NEWS >= 7 (4 missing)")


@pytest.mark.safety(7)
@pytest.mark.parametrize(
    ("age", "sex", "said"),
    [
        ("15 y", 2, "no NEWS under 16"),
        ("", 2, "no NEWS: age unknown"),
        ("~17 y", 2, "no NEWS: under or over 16?"),
        ("~9 y", 2, "no NEWS under 16"),
        ("5-17 y", 2, "no NEWS: under or over 16?"),
        ("34 y", 3, "no NEWS in pregnancy"),
    ],
)
def test_safety_7_no_score_is_shown_under_16_in_pregnancy_or_with_the_age_unknown(age, sex, said):
    below, beside = shown(WHOLE, age, sex)

    assert below.startswith(said)
    assert "NEWS 1" not in below
    assert not any(text.startswith("+") for text in beside.values())


@pytest.mark.safety(2, 7)
@pytest.mark.parametrize("years", [12, 13, 15, 16, 17, 20, 21, 22, 40])
@pytest.mark.parametrize("guessed", [True, False])
@pytest.mark.parametrize("days_ago", [0, 40, 364, 365, 366])
def test_safety_2_and_7_a_form_scores_exactly_whom_the_board_scores(years, guessed, days_ago):
    since = WALL_MS // 86_400_000 - days_ago
    row = PatientRow(
        entry=0, idx=0, kind=0, standing=0, at_ms=0, id=b"x" * 16, sex=2,
        age_value=years, age_unit=0, age_estimated=int(guessed), age_day=since,
    )  # fmt: skip
    given = readings(WHOLE)
    board = watch(
        Packs(shipped_news2(), shipped_limits(), shipped_due()),
        [Taken(WALL_MS, given)],
        Stay(3, 2, 0),
        age_span(row, WALL_MS),
    )
    line = board_line(row, WALL_MS)

    below = "".join(span.text for span in tell(packs(), WHOLE, whom(line), WORDS).below)

    assert below.startswith("NEWS ") == (board.score is not None), line.age
    if years == 40:
        assert board.score is not None
    if guessed and 13 <= years <= 17:
        assert board.score is None


@pytest.mark.safety(7)
def test_safety_7_where_there_is_no_score_single_limits_alert_instead():
    low, high = {"heart-rate": Answer("118")}, {"heart-rate": Answer("400")}

    assert shown(high, "7 y")[1]["heart-rate"].startswith("! HIGH (limit ")
    assert "1 value alerts by itself" in shown(high, "7 y")[0]
    assert shown(low, "7 y")[1] == {}


@pytest.mark.safety(6)
@pytest.mark.parametrize("age", ["34 y", "7 y", ""])
@pytest.mark.parametrize("field", ["pressure", "heart-rate", "spo2"])
def test_safety_6_what_was_tried_and_not_found_alerts_at_every_age(age, field):
    below, beside = shown({field: Answer(absent="unrecordable")}, age)

    assert field in beside
    assert "ALERT" in beside[field] or "LOOK AT ONCE" in below


@pytest.mark.safety(6)
def test_safety_6_a_pulse_of_0_alerts_where_there_is_no_score():
    assert shown({"heart-rate": Answer("0")}, "7 y")[1] == {"heart-rate": "! ALERT: 0"}


def test_safety_8_the_score_says_not_approved_until_somebody_stands_by_the_pack():
    assert "NOT APPROVED" in shown(WHOLE)[0]
    assert "NOT APPROVED" not in shown(WHOLE, approved_by="Dr. Silva, clinical lead")[0]


def test_nothing_typed_says_nothing_and_not_measured_is_no_value():
    assert shown({})[0] == ""
    assert readings({"spo2": Answer(absent="not-measured")}) == {}
    assert set(readings({"pressure": Answer("90")})) == {"systolic"}


def test_the_score_follows_the_pack_in_use_and_half_a_number_counts_for_nothing():
    node = ward()
    text = text_of("news2").replace("score = 3", "score = 2")
    node.in_use["news2"] = PackInUse("news2", "9", text, "MoH", "Dr. Silva, clinical lead")
    person = Person(node).press("down", "down", "v", "26")
    assert "NEWS >=" not in person.screen

    person.press("enter")

    assert "+2" in person.screen
    assert "NEWS >= 2" in person.screen


def test_without_the_packs_the_form_saves_all_the_same():
    node = ward()

    async def away(_pack):
        raise LinkError("no_node")

    node.pack_in_use = away  # type: ignore[method-assign]
    person = Person(node).press("down", "down", "v", "26", "enter")
    assert "NEWS >=" not in person.screen

    person.press(*["enter"] * 8)

    assert node.written[-1]["kind"] == "observation.record"


def test_line_mode_says_the_score_too():
    _, said = told("+", "+", "", "v", "26")

    assert "NEWS >= 3 (6 missing)" in said


@pytest.mark.safety(6)
def test_a_part_of_a_set_is_never_called_a_risk_that_the_rest_may_raise():
    few, _ = shown({"respiratory-rate": Answer("24")})
    whole, _ = shown({**WHOLE, "respiratory-rate": Answer("15")})
    most, _ = shown(PART)

    assert "at least low" in few
    assert "at least" not in whole
    # Above high there is nothing.
    assert "at least" not in most and "high" in most
