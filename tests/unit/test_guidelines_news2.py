"""NEWS2 at every limit and one step to each side, and where there is none (SAFETY 2, 6, 7)."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import SetupError
from protocols.guidelines import ages
from protocols.guidelines.news2 import (
    News,
    Withheld,
    applies,
    check,
    news2,
    read_news2,
    shipped_news2,
)
from protocols.guidelines.readings import Reading

PACK = shipped_news2()
ADULT = ages.of_days(40 * 365.25)


def value(text: str) -> Reading:
    return Reading(Fraction(text))


NORMAL = {
    "respiratory-rate": value("16"),
    "spo2": value("98"),
    "oxygen": value("0"),
    "systolic": value("120"),
    "heart-rate": value("70"),
    "consciousness": Reading(choice="alert"),
    "temperature": value("37.0"),
}
UNRECORDABLE = Reading(unrecordable=True)


def scored(changed=None, *, without=(), age=ADULT, pregnant=False, scale=1) -> News:
    readings = {**NORMAL, **(changed or {})}
    for code in without:
        del readings[code]
    found = news2(PACK, readings, age, pregnant=pregnant, scale=scale)
    assert isinstance(found, News)
    return found


LIMITS = {
    "respiratory-rate": "0:3 8:3 9:1 11:1 12:0 20:0 21:2 24:2 25:3 60:3",
    "spo2": "50:3 91:3 92:2 93:2 94:1 95:1 96:0 100:0",
    "oxygen": "0:0 0.1:2 15:2",
    "systolic": "15:3 90:3 91:2 100:2 101:1 110:1 111:0 219:0 220:3 300:3",
    "heart-rate": "0:3 40:3 41:1 50:1 51:0 90:0 91:1 110:1 111:2 130:2 131:3 250:3",
    "temperature": "25:3 34.9:3 35.0:3 35.1:1 36.0:1 36.1:0 38.0:0 38.1:1 39.0:1 39.1:2 42:2",
}
CASES = [(code, *case.split(":")) for code, row in LIMITS.items() for case in row.split()]


@pytest.mark.parametrize(("code", "text", "points"), CASES)
def test_every_band_scores_what_the_chart_says_at_both_ends(code, text, points):
    assert scored({code: value(text)}).score == int(points)


@pytest.mark.parametrize(
    ("between", "code", "points"),
    [("35.05", "temperature", 3), ("38.05", "temperature", 0), ("91.5", "spo2", 3)],
)
def test_a_value_between_two_steps_belongs_to_the_lower_one(between, code, points):
    assert scored({code: value(between)}).score == points


AIR = "83:3 84:2 85:2 86:1 87:1 88:0 92:0 93:0 97:0 100:0"
OXYGEN = "83:3 84:2 85:2 86:1 87:1 88:0 92:0 93:1 94:1 95:2 96:2 97:3 100:3"


@pytest.mark.safety(7)
@pytest.mark.parametrize(
    ("litres", "case"),
    [("0", case) for case in AIR.split()] + [("2", case) for case in OXYGEN.split()],
)
def test_safety_7_scale_2_counts_oxygen_and_only_when_it_was_chosen(litres, case):
    text, points = case.split(":")
    given_oxygen = {"spo2": value(text), "oxygen": value(litres)}

    chosen = scored(given_oxygen, scale=2)

    assert chosen.score == int(points) + (2 if litres != "0" else 0)
    assert chosen.status == "memory"
    assert scored(given_oxygen).scale == 1
    assert scored(given_oxygen).status == "verified"


def test_scale_2_without_knowing_of_oxygen_takes_the_lower_score_and_is_partial():
    found = scored({"spo2": value("97")}, without=["oxygen"], scale=2)

    assert found.score == 0
    assert found.missing == ("oxygen",)


@pytest.mark.parametrize(
    ("answer", "points"),
    [("alert", 0), ("confused", 3), ("voice", 3), ("pain", 3), ("unresponsive", 3)],
)
def test_only_alert_scores_nothing(answer, points):
    assert scored({"consciousness": Reading(choice=answer)}).score == points


@pytest.mark.safety(6)
@pytest.mark.parametrize("code", ["systolic", "heart-rate", "spo2"])
def test_safety_6_unrecordable_scores_3_and_alerts(code):
    found = scored({code: UNRECORDABLE})

    assert found.score == 3
    assert found.red == (code,)
    assert found.alerts == (f"unrecordable.{code}",)
    assert not found.partial


@pytest.mark.parametrize("code", ["respiratory-rate", "temperature"])
def test_what_is_unrecordable_and_has_no_score_for_that_is_missing(code):
    assert scored({code: UNRECORDABLE}).missing == (code,)


@pytest.mark.safety(6)
@pytest.mark.parametrize("code", ["heart-rate", "respiratory-rate"])
def test_safety_6_a_rate_of_0_is_possible_scores_3_and_alerts(code):
    found = scored({code: value("0")})

    assert found.score == 3
    assert found.alerts == (f"zero.{code}",)


@pytest.mark.safety(6)
def test_safety_6_a_partial_set_is_a_lower_bound_with_what_is_missing():
    found = scored({"heart-rate": value("131")}, without=["temperature", "spo2"])

    assert (found.score, found.partial) == (3, True)
    assert found.missing == ("spo2", "temperature")


def test_not_measured_never_scores_0_as_if_it_were_normal():
    assert news2(PACK, {}, ADULT, pregnant=False) == Withheld("nothing_measured")
    assert news2(PACK, {"spo2": Reading()}, ADULT, pregnant=False) == Withheld("nothing_measured")


@pytest.mark.parametrize(
    ("changed", "total", "risk"),
    [
        ({}, 0, "low"),
        ({"oxygen": "2", "heart-rate": "111"}, 4, "low"),
        ({"heart-rate": "131"}, 3, "low-medium"),
        ({"heart-rate": "131", "temperature": "38.1"}, 4, "low-medium"),
        ({"oxygen": "2", "heart-rate": "111", "temperature": "38.1"}, 5, "medium"),
        ({"heart-rate": "131", "respiratory-rate": "25"}, 6, "medium"),
        ({"heart-rate": "131", "respiratory-rate": "25", "temperature": "38.1"}, 7, "high"),
    ],
)
def test_the_total_and_a_single_red_value_say_the_risk(changed, total, risk):
    found = scored({code: value(text) for code, text in changed.items()})

    assert (found.score, found.risk.id) == (total, risk)


DAY = 1.0
SIXTEEN = 16 * 365.25


@pytest.mark.safety(2, 7)
@pytest.mark.parametrize(
    ("age", "pregnant", "reason"),
    [
        (ages.of_days(SIXTEEN - DAY), False, "under_age"),
        (ages.of_days(SIXTEEN), False, None),
        (ages.of_days(SIXTEEN + DAY), False, None),
        (ages.of_band(1), False, "under_age"),
        (ages.of_band(2), False, "under_age"),
        (ages.of_band(3), False, "age_spans_limit"),
        (ages.of_band(4), False, None),
        (ages.of_band(5), False, None),
        (ages.of_band(9), False, "age_unknown"),
        (ages.of_band(None), False, "age_unknown"),
        (ADULT, True, "pregnant"),
        (ages.UNKNOWN, True, "pregnant"),
    ],
)
def test_safety_2_and_7_no_score_under_16_in_pregnancy_or_with_age_unknown(age, pregnant, reason):
    assert applies(PACK, age, pregnant=pregnant) == (None if reason is None else Withheld(reason))
    found = news2(PACK, NORMAL, age, pregnant=pregnant)
    assert isinstance(found, News if reason is None else Withheld)


READINGS = st.dictionaries(
    st.sampled_from([*PACK.codes, "glucose", "?"]),
    st.one_of(
        st.builds(Reading, st.fractions(-(10**6), 10**6)),
        st.builds(Reading, choice=st.sampled_from(["", "alert", "pain", "?"])),
        st.just(UNRECORDABLE),
    ),
)
AGES = st.one_of(
    st.floats(0, 50_000).map(ages.of_days), st.sampled_from([0, 1, 2, 3, 4, 5, 9]).map(ages.of_band)
)


@given(READINGS, AGES, st.booleans(), st.sampled_from([1, 2]))
def test_any_set_gives_one_score_or_one_reason(readings, age, pregnant, scale):
    found = news2(PACK, readings, age, pregnant=pregnant, scale=scale)

    if isinstance(found, News):
        assert found.score == sum(part.score for part in found.parts)
        assert {part.code for part in found.parts} | set(found.missing) == set(PACK.codes)
        assert 0 <= found.score <= 20


@given(READINGS, st.sampled_from(PACK.codes), st.integers(0, 250))
def test_one_more_value_never_lowers_the_bound(readings, code, number):
    without = {name: reading for name, reading in readings.items() if name != code}
    before = news2(PACK, without, ADULT, pregnant=False, scale=2)
    after = news2(
        PACK, {**without, code: Reading(Fraction(number))}, ADULT, pregnant=False, scale=2
    )

    if isinstance(before, News) and isinstance(after, News):
        assert after.score >= before.score


def test_the_shipped_pack_is_in_order_and_not_approved():
    assert check(PACK) == []
    assert not PACK.pack.approved


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('{ score = 1, from = "9", to = "11" }', '{ score = 1, from = "10", to = "11" }', "gap"),
        ('{ score = 3, from = "25" }', '{ score = 3, from = "24" }', "gap or overlap"),
        ('age_from = "16 y"', 'age_from = "16 years"', "age"),
        ('{ score = 3, to = "8" }', '{ score = 3, to = "eight" }', "eight"),
    ],
)
def test_a_pack_with_a_gap_is_refused(old, new, place):
    text = _text()
    assert old in text

    with pytest.raises(SetupError) as refused:
        read_news2(text.replace(old, new, 1))

    assert place in str(refused.value.values["place"])


def _text() -> str:
    from importlib.resources import files

    return (files("protocols.guidelines") / "packs" / "news2.toml").read_text("utf-8")
