"""The pack of bedside observations, and numbers as people type them."""

from __future__ import annotations

import pytest

from protocols.errors import InputError, SetupError
from protocols.guidelines.decimals import Decimal, read_decimal
from protocols.guidelines.observations import judge, observations, read_observations

HEAD = """
[pack]
name = "x"
version = "1"
title = "x"
source = "x"
status = "memory"
"""


def test_the_shipped_pack_is_in_order_and_not_approved():
    pack = observations()

    assert not pack.pack.approved
    assert pack.pack.status == "memory"
    assert {"heart-rate", "temperature", "muac", "consciousness"} <= {
        found.name for found in pack.observation
    }


@pytest.mark.safety(3)
@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("37.2", "37.2"),
        ("37,2", "37.2"),
        ("37.0", "37"),
        (".5", "0.5"),
        ("007", "7"),
        ("-0.50", "-0.5"),
        ("0,0", "0"),
        ("120.", "120"),
    ],
)
def test_safety_3_a_number_is_shown_with_a_point_and_no_spare_zeros(text, shown):
    assert str(read_decimal(text, "value", 2)) == shown


@pytest.mark.safety(3)
@pytest.mark.parametrize("text", ["4,200", "4.200", "4 200", "1'000", "4.200,5", "1,000,000"])
def test_safety_3_a_thousands_mark_is_refused(text):
    with pytest.raises(InputError) as refused:
        read_decimal(text, "value", 1)

    assert refused.value.code == "grouping_mark"


@pytest.mark.parametrize("text", ["", ".", "-", "1e3", "0x10", "٣٧", "37..2", "NaN", "1" * 10])
def test_what_is_no_plain_number_is_refused(text):
    with pytest.raises(InputError) as refused:
        read_decimal(text, "value", 1)

    assert refused.value.code == "bad_number"


def test_the_ends_of_a_range_belong_to_it_in_every_shipped_range():
    for measure in observations().observation:
        for row in measure.ranges:
            # Where the first unit is refused, the ends are not typed in it.
            first = not row.units or measure.units[0].ucum in row.units
            for end in (*row.possible, *row.usual) if first else ():
                value = read_decimal(end, "value", 3)
                judged = judge(measure, value, 0, row.days[0], "value")
                assert judged.unusual is (end not in row.usual), (measure.name, end)


@pytest.mark.parametrize(
    ("name", "value", "days", "unusual"),
    [
        ("heart-rate", "180", 40 * 365.25, False),
        ("heart-rate", "181", 40 * 365.25, True),
        ("heart-rate", "190", 1 * 365.25, False),
        ("heart-rate", "200", 365.24, False),
        ("heart-rate", "191", 365.25, True),
        ("heart-rate", "200", None, False),
        ("temperature", "41.5", None, False),
        ("temperature", "41.6", None, True),
    ],
)
def test_unusual_depends_on_age_at_half_open_limits(name, value, days, unusual):
    known = observations().named(name, "code")

    judged = judge(known, read_decimal(value, "value", 1), 0, days, "value")

    assert judged.unusual is unusual


def test_milligrams_and_millimoles_of_glucose_are_judged_alike():
    known = observations().named("glucose", "code")

    assert not judge(known, Decimal(100), 1, None, "value").unusual
    with pytest.raises(InputError):
        judge(known, Decimal(100), 0, None, "value")


def test_an_observation_is_found_by_its_loinc_code_too():
    assert observations().named("8867-4", "code").name == "heart-rate"


@pytest.mark.parametrize(
    "text",
    [
        "no toml [",
        HEAD + 'observation = [{ number = 1, name = "x", units = [], colour = 1 }]',
        HEAD + "observation = 7",
        HEAD + '[[observation]]\nnumber = 1\nname = "x"',
        HEAD
        + '[[observation]]\nnumber = 1\nname = "x"\nunits = [{ ucum = "g" }]\nranges = ['
        + '{ from = "0 d", below = "1 y", possible = ["0", "9"], usual = ["1", "5"] },'
        + '{ from = "2 y", possible = ["0", "9"], usual = ["1", "5"] }]',
        HEAD
        + '[[observation]]\nnumber = 1\nname = "x"\nunits = [{ ucum = "g" }]\nranges = ['
        + '{ from = "0 d", possible = ["0", "9"], usual = ["1", "10"] }]',
    ],
)
def test_a_pack_that_is_not_in_order_is_refused_with_its_place(text):
    with pytest.raises(SetupError) as refused:
        read_observations(text)

    assert refused.value.code == "bad_pack"
    assert refused.value.values["place"]
