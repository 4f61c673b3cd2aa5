"""Ages as stretches of days: half-open limits, bands, and rows that leave no age out."""

from __future__ import annotations

from itertools import pairwise
from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import SetupError
from protocols.guidelines import ages
from protocols.guidelines.ages import AgeSpan, Side

YEAR = 365.25


@pytest.mark.safety(2)
@pytest.mark.parametrize(
    ("age", "limit", "side"),
    [
        (ages.of_days(16 * YEAR - 1), 16 * YEAR, Side.BELOW),
        (ages.of_days(16 * YEAR), 16 * YEAR, Side.FROM),
        (ages.of_days(16 * YEAR + 1), 16 * YEAR, Side.FROM),
        (ages.of_band(2), 5 * YEAR, Side.BELOW),
        (ages.of_band(3), 5 * YEAR, Side.FROM),
        (ages.of_band(3), 12 * YEAR, Side.SPANS),
        (ages.of_band(3), 18 * YEAR, Side.BELOW),
        (ages.of_band(5), 65 * YEAR, Side.FROM),
        (ages.UNKNOWN, 0.0, Side.FROM),
        (ages.UNKNOWN, 1.0, Side.SPANS),
    ],
)
def test_an_age_lies_on_one_side_of_a_limit_or_spans_it(age, limit, side):
    assert age.side(limit) is side


@pytest.mark.safety(2)
@pytest.mark.parametrize(
    ("shown", "side"),
    [
        ("~12 y", Side.BELOW), ("~13 y", Side.SPANS), ("~16 y", Side.SPANS), ("~21 y", Side.SPANS),
        ("~22 y", Side.FROM), ("16 y", Side.FROM), ("15 y", Side.BELOW), ("5-17 y", Side.SPANS),
        ("18-64 y", Side.FROM), ("~", Side.SPANS), ("~ y", Side.SPANS), ("~~4 y", Side.SPANS),
    ],
)  # fmt: skip
def test_safety_2_a_guess_lies_on_one_side_of_a_limit_only_with_all_it_may_stand_for(shown, side):
    assert ages.of_shown(shown).side(16 * YEAR) is side


def test_a_guess_is_never_narrower_than_what_was_said():
    assert ages.of_shown("~1 y") == AgeSpan(0.0, 2 * YEAR)
    assert ages.of_shown("~20 d") == AgeSpan(15.0, 25.0)


def test_unknown_bands_are_unknown():
    assert ages.of_band(9) == ages.of_band(None) == ages.of_band(7) == ages.UNKNOWN
    assert not ages.UNKNOWN.known
    assert ages.of_band(1).known
    assert ages.of_days(-3) == ages.of_days(0)
    assert ages.of_days(7).exact_days == 7
    assert ages.of_band(4).exact_days is None


@pytest.mark.parametrize(
    ("text", "found"), [("0 d", 0), ("2 w", 14), ("12 mo", YEAR), ("1 y", YEAR), ("200 y", 73050)]
)
def test_ages_of_packs_are_read(text, found):
    assert ages.days(text) == found


@pytest.mark.parametrize("text", ["", "1", "1y", "1 year", "-1 y", "1.5 y", "201 y", "١ y", "1  y"])
def test_what_is_no_age_is_refused(text):
    with pytest.raises(SetupError):
        ages.days(text)


@pytest.mark.parametrize(
    ("rows", "fault"),
    [
        ([(0, 5), (5, inf)], None),
        ([(0, 5), (6, inf)], "gap before row 2"),
        ([(0, 5), (4, inf)], "row 2 overlaps row 1"),
        ([(1, 5), (5, inf)], "gap before row 1"),
        ([(0, 5), (5, 9)], "gap after the last row"),
        ([(0, 0), (0, inf)], "row 1 is empty"),
    ],
)
def test_rows_with_a_gap_or_an_overlap_are_named(rows, fault):
    assert ages.row_faults(rows) == ([fault] if fault else [])


@pytest.mark.safety(2)
@given(st.lists(st.integers(1, 1000), max_size=6, unique=True), st.floats(0, 2000))
def test_rows_without_a_fault_hold_every_age_once(limits, age_days):
    edges = [0, *sorted(limits), inf]
    rows = [(float(since), float(below)) for since, below in pairwise(edges)]

    assert ages.row_faults(rows) == []
    assert len(ages.of_days(age_days).meets(rows)) == 1
    assert ages.UNKNOWN.meets(rows) == list(range(len(rows)))
    assert AgeSpan(0, 0.5).meets(rows) == [0]
