"""When observations are due: the shortest time that score, alert or category asks for."""

from __future__ import annotations

from fractions import Fraction
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import SetupError
from protocols.guidelines import ages
from protocols.guidelines.due import Standing, check, due, read_due, shipped_due
from protocols.guidelines.news2 import News, news2, shipped_news2
from protocols.guidelines.readings import Reading

PACK = shipped_due()
TEXT = (files("protocols.guidelines") / "packs" / "due.toml").read_text("utf-8")
MIN = 60_000


def score(points: int) -> News:
    """Return a score of so many points without a red value, up to 6."""
    values = {
        "respiratory-rate": 22 if points >= 2 else 16,
        "oxygen": 2 if points >= 4 else 0,
        "heart-rate": 115 if points >= 6 else 70,
        "temperature": Fraction("38.5") if points % 2 else 37,
    }
    readings = {code: Reading(Fraction(value)) for code, value in values.items()}
    found = news2(shipped_news2(), readings, ages.of_band(4), pregnant=False)
    assert isinstance(found, News)
    assert found.score == points
    return found


@pytest.mark.parametrize(
    ("points", "minutes"),
    [(0, 720), (1, 240), (2, 240), (4, 240), (5, 60), (6, 60), (7, 15)],
)
def test_how_often_by_score_at_every_limit(points, minutes):
    found = due(PACK, Standing(news=score(points)), 0, 1_000 * MIN, 1_000 * MIN)

    assert (found.minutes, found.at_ms) == (minutes, (1_000 + minutes) * MIN)
    assert found.status == "memory"


@pytest.mark.parametrize(("category", "minutes"), [(1, 15), (2, 60), (3, 240), (4, 60)])
def test_how_often_by_category(category, minutes):
    assert due(PACK, Standing(category), 0, 0, 0).minutes == minutes


def test_the_shortest_time_wins():
    assert due(PACK, Standing(3, score(5)), 0, 0, 0).minutes == 60
    assert due(PACK, Standing(1, score(0)), 0, 0, 0).minutes == 15
    assert due(PACK, Standing(3, alerts=True), 0, 0, 0).minutes == 60


def test_a_first_set_is_due_soon_after_arrival_whatever_is_known():
    assert due(PACK, Standing(), 0, None, 0).at_ms == 15 * MIN
    assert due(PACK, Standing(3), 0, None, 0).at_ms == 15 * MIN


def test_nothing_is_due_of_the_dead_or_where_no_row_holds():
    assert due(PACK, Standing(0), 0, None, 0) is None
    assert due(PACK, Standing(), 0, 5, 0) is None


@pytest.mark.parametrize(("minutes", "late"), [(29, False), (30, True), (31, True)])
def test_late_begins_at_its_limit(minutes, late):
    assert due(PACK, Standing(1), 0, 0, minutes * MIN).late is late


@given(
    st.one_of(st.none(), st.integers(-1, 6)),
    st.one_of(st.none(), st.sampled_from([score(at) for at in range(8)])),
    st.booleans(),
    st.integers(0, 2**45),
    st.one_of(st.none(), st.integers(0, 2**45)),
    st.integers(0, 2**45),
)
def test_any_standing_has_one_answer(category, news, alerts, arrived, last, now):
    found = due(PACK, Standing(category, news, alerts), arrived, last, now)

    if found is not None:
        assert found.at_ms > (arrived if last is None else last)


def test_the_shipped_pack_is_in_order_and_not_approved():
    assert check(PACK) == []
    assert not PACK.pack.approved
    assert {row.risk for row in PACK.news} == {risk.id for risk in shipped_news2().risk}


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ("minutes = 720", "minutes = 0", "row 5: minutes"),
        ('"respiratory-rate", ', '"breaths", ', "no observation breaths"),
        ("category = 4", "category = 3", "one row for each"),
        ("from_score = 1\n", "", "go downward"),
        ("first_minutes = 15", "first_minutes = 0", "below 1 minute"),
    ],
)
def test_a_pack_with_a_fault_is_refused(old, new, place):
    assert old in TEXT

    with pytest.raises(SetupError) as refused:
        read_due(TEXT.replace(old, new, 1))

    assert place in str(refused.value.values["place"])
