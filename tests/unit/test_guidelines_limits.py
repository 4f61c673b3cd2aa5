"""Limits on one value alone, at each limit and one step to each side (SAFETY 2, 6, 7)."""

from __future__ import annotations

from fractions import Fraction
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import SetupError
from protocols.guidelines import ages
from protocols.guidelines.ages import days
from protocols.guidelines.limits import alerts, check, read_limits, shipped_limits
from protocols.guidelines.readings import Reading

PACK = shipped_limits()
TEXT = (files("protocols.guidelines") / "packs" / "limits.toml").read_text("utf-8")


def crossed(code, text, age, *, pregnant=False):
    found = alerts(PACK, {code: Reading(Fraction(text))}, age, pregnant=pregnant)
    return [(alert.crossed, alert.certain) for alert in found]


ROWS = [
    ("0 d", "1 y", {"heart-rate": (90, 180), "respiratory-rate": (25, 50)}),
    ("1 y", "5 y", {"heart-rate": (80, 160), "respiratory-rate": (20, 40)}),
    ("5 y", "12 y", {"heart-rate": (70, 140), "respiratory-rate": (10, 30)}),
    ("12 y", "100 y", {"heart-rate": (60, 130), "respiratory-rate": (10, 30)}),
]


@pytest.mark.parametrize(
    ("at", "code", "low", "high"),
    [
        (at, code, low, high)
        for since, below, limits in ROWS
        for at in (days(since), days(below) - 1)
        for code, (low, high) in limits.items()
    ],
)
def test_rates_alert_outside_the_limits_of_the_age_and_not_on_them(at, code, low, high):
    age = ages.of_days(at)

    assert crossed(code, low - 1, age) == [("low", True)]
    assert crossed(code, low, age) == crossed(code, low + 1, age) == []
    assert crossed(code, high - 1, age) == crossed(code, high, age) == []
    assert crossed(code, high + 1, age) == [("high", True)]


@pytest.mark.parametrize("age", [ages.of_days(3), ages.of_days(9_000), ages.UNKNOWN])
@pytest.mark.parametrize(
    ("code", "text", "way"),
    [
        ("temperature", "35.9", "low"),
        ("temperature", "36", ""),
        ("temperature", "36.1", ""),
        ("temperature", "38.9", ""),
        ("temperature", "39", ""),
        ("temperature", "39.1", "high"),
        ("spo2", "91", "low"),
        ("spo2", "92", ""),
        ("spo2", "93", ""),
    ],
)
def test_temperature_and_oxygen_alert_alike_at_every_age(age, code, text, way):
    assert crossed(code, text, age) == ([(way, True)] if way else [])


@pytest.mark.safety(7)
@pytest.mark.parametrize(("code", "limit"), [("systolic", 160), ("diastolic", 110)])
def test_blood_pressure_alerts_from_its_limit_on_in_pregnancy_only(code, limit):
    woman = ages.of_days(days("25 y"))

    assert crossed(code, limit - 1, woman, pregnant=True) == []
    assert crossed(code, limit, woman, pregnant=True) == [("high", True)]
    assert crossed(code, limit + 1, woman, pregnant=True) == [("high", True)]
    assert crossed(code, limit + 1, woman) == []


def test_whoever_is_not_alert_alerts():
    for choice in ("confused", "voice", "pain", "unresponsive"):
        assert alerts(PACK, {"consciousness": Reading(choice=choice)}, ages.UNKNOWN, pregnant=False)
    assert not alerts(
        PACK, {"consciousness": Reading(choice="alert")}, ages.UNKNOWN, pregnant=False
    )


@pytest.mark.safety(6)
@pytest.mark.parametrize("code", ["heart-rate", "spo2", "temperature", "respiratory-rate"])
def test_safety_6_unrecordable_alerts_at_every_age(code):
    (found,) = alerts(PACK, {code: Reading(unrecordable=True)}, ages.of_band(3), pregnant=False)

    assert found.key == f"limit.{code}.unrecordable"
    assert found.certain


@pytest.mark.safety(2)
def test_safety_2_an_age_band_across_rows_alerts_and_says_that_it_depends_on_the_age():
    child = ages.of_band(3)

    assert crossed("heart-rate", 141, child) == [("high", True)]
    assert crossed("heart-rate", 131, child) == [("high", False)]
    assert crossed("heart-rate", 130, child) == []
    assert crossed("heart-rate", 65, child) == [("low", False)]
    assert crossed("heart-rate", 181, ages.UNKNOWN) == [("high", True)]


def test_adult_rows_are_verified_and_childrens_are_not():
    fast = {"heart-rate": Reading(Fraction(200))}

    (adult,) = alerts(PACK, fast, ages.of_days(days("12 y")), pregnant=False)
    (child,) = alerts(PACK, fast, ages.of_days(days("12 y") - 1), pregnant=False)

    assert (adult.status, child.status) == ("verified", "memory")


@pytest.mark.safety(2)
@given(st.floats(0, 60_000))
def test_every_age_is_in_exactly_one_row(age_days):
    rows = [group.days for group in PACK.group]

    assert len(ages.of_days(age_days).meets(rows)) == 1
    assert sum(since <= age_days < below for since, below in rows) == 1


@given(
    st.dictionaries(
        st.sampled_from(["heart-rate", "spo2", "systolic", "consciousness", "?"]),
        st.one_of(
            st.builds(Reading, st.fractions()),
            st.builds(Reading, choice=st.text(max_size=8)),
            st.just(Reading(unrecordable=True)),
        ),
    ),
    st.one_of(st.floats(-5, 1e9).map(ages.of_days), st.integers(0, 10).map(ages.of_band)),
    st.booleans(),
)
def test_any_reading_gives_alerts_and_never_an_error(readings, age, pregnant):
    found = alerts(PACK, readings, age, pregnant=pregnant)

    assert len({alert.key for alert in found}) == len(found)


def test_the_shipped_pack_is_in_order_and_not_approved():
    assert check(PACK) == []
    assert not PACK.pack.approved


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('from = "12 y"', 'from = "13 y"', "gap before row 4"),
        ('from = "12 y"', 'from = "11 y"', "overlaps"),
        ('below = "60", above = "130"', 'below = "130", above = "60"', "not under"),
        ('below = "60"', 'below = "x"', "x"),
        ('normal = ["alert"]', "", "needs either"),
    ],
)
def test_a_pack_with_a_fault_is_refused(old, new, place):
    assert old in TEXT

    with pytest.raises(SetupError) as refused:
        read_limits(TEXT.replace(old, new, 1))

    assert place in str(refused.value.values["place"])
