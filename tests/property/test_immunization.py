"""Whatever was given, in whatever order, to whoever was born whenever."""

from __future__ import annotations

from functools import cache
from itertools import product

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.guidelines.calendar import length
from protocols.guidelines.immunization import (
    Born,
    Given,
    Terms,
    born_on,
    forecast,
    next_visit,
    validate,
)
from protocols.guidelines.schedules import OUTBREAK, ROUTINE, Plan, plan, shipped_schedule
from protocols.guidelines.vaccines import shipped_vaccines

START = 18_000
"""A day in 2019; births lie within three years of it."""

CODES = sorted(row.code for row in shipped_vaccines().vaccine)
CHOICES = {
    ROUTINE: [
        (),
        ("yellow-fever", "mena", "hpv", "typhoid", "malaria"),
        ("hib-booster", "pcv-booster", "rotavirus-3", "measles-low", "polio-ipv", "hpv-1"),
        ("polio-sequential",),
    ],
    OUTBREAK: [(), ("cholera-2", "measles-campaign"), ("cholera-rbs",)],
}


@cache
def plan_of(name: str, early_days: int) -> Plan:
    schedule = shipped_schedule(name)
    own = msgspec.structs.replace(schedule.schedule, early_days=early_days)
    return plan(msgspec.structs.replace(schedule, schedule=own), shipped_vaccines())


@st.composite
def worked_by(draw, early=(0, 4)):
    name = draw(st.sampled_from(sorted(CHOICES)))
    choose = draw(st.sampled_from(CHOICES[name]))
    began = draw(st.none() | st.integers(START, START + 2_000))
    return plan_of(name, draw(st.sampled_from(early))), Terms(choose, began)


births = st.integers(START, START + 1_000)
ages = st.one_of(
    st.integers(0, 900),
    st.sampled_from([41, 42, 69, 70, 97, 98, 182, 269, 273, 274, 275, 365, 366, 456, 730, 731]),
    st.integers(0, 6_000),
)


@st.composite
def histories(draw, most=7):
    birth = draw(births)
    ages_given = draw(st.lists(st.tuples(st.sampled_from(CODES), ages), max_size=most))
    gaps = [draw(st.sampled_from([0, 0, 1, 27, 28, 29])) for _ in ages_given]
    return birth, [
        Given(f"{at}", code, birth + age + gap)
        for at, ((code, age), gap) in enumerate(zip(ages_given, gaps, strict=True))
    ]


@given(worked_by(), histories(), st.randoms(use_true_random=False))
def test_the_order_in_which_doses_are_told_does_not_matter(work, history, chance):
    found, terms = work
    birth, doses = history
    mixed = [*doses, *doses]
    chance.shuffle(mixed)

    on_day = birth + 800
    born = born_on(birth)
    assert validate(mixed, born, found, terms) == validate(doses, born, found, terms)
    assert forecast(mixed, born, on_day, found, terms) == forecast(
        doses, born, on_day, found, terms
    )


@given(worked_by(), histories(), st.sampled_from(CODES), ages)
def test_a_dose_more_never_makes_an_earlier_one_invalid(work, history, code, age):
    found, terms = work
    birth, doses = history
    added = Given("more", code, birth + age)

    before = validate(doses, born_on(birth), found, terms)
    after = validate([*doses, added], born_on(birth), found, terms)

    kept = {(each.key, each.series): each for each in after}
    for each in before:
        if each.day < added.day:
            assert kept[each.key, each.series] == each


@given(worked_by(), histories(), ages)
def test_what_is_due_is_valid_when_it_is_given_on_that_day(work, history, age):
    found, terms = work
    birth, doses = history
    on_day = max([birth + age, *(dose.day for dose in doses)])

    for each in forecast(doses, born_on(birth), on_day, found, terms):
        if each.state not in ("due", "overdue", "not-yet"):
            continue
        assert each.day is not None
        day = max(each.day, on_day)
        assert (each.state == "not-yet") == (each.day > on_day)
        for code in each.vaccines:
            then = validate([*doses, Given("new", code, day)], born_on(birth), found, terms)
            (told,) = [row for row in then if (row.key, row.series) == ("new", each.series)]
            assert told.state == ("valid" if each.number else "beside"), (each, told)
            assert told.number == each.number


@given(worked_by(), histories(), ages)
def test_catching_up_never_begins_a_series_again(work, history, age):
    found, terms = work
    birth, doses = history
    born = born_on(birth)
    given_doses = validate(doses, born, found, terms)
    on_day = birth + age

    for each in forecast(doses, born, on_day, found, terms):
        numbers = [
            row.number for row in given_doses if row.series == each.series and row.state == "valid"
        ]
        assert numbers == list(range(1, len(numbers) + 1))
        if numbers:
            assert each.number == (numbers[-1] if each.state == "complete" else numbers[-1] + 1)


LIVE = [code for code in CODES if plan_of(ROUTINE, 0).vaccines[code].kind == "live"]


@pytest.mark.safety(12)
@given(
    st.sampled_from([0, 4]),
    births,
    st.integers(460, 900),
    st.lists(st.tuples(st.sampled_from(LIVE), st.integers(0, 32)), min_size=2, max_size=5),
)
def test_the_four_day_rule_never_brings_live_vaccines_closer(early, birth, age, steps):
    found = plan_of(ROUTINE, early)
    day, doses = birth + age, []
    for at, (code, gap) in enumerate(steps):
        day += gap
        doses.append(Given(f"{at}", code, day))

    told = validate(doses, born_on(birth), found, Terms(("yellow-fever",)))

    for each in told:
        near = [one.day for one in doses if 0 < each.day - one.day < 28]
        if near:
            assert each.state in ("invalid", "uncounted"), each
        if each.state == "invalid":
            names = {rule.name for rule in each.rules}
            assert ("live-spacing" in names) == bool(near) or names == {"same-day"}


@given(births, st.integers(0, 7), st.sampled_from([0, 2, 4]))
def test_the_four_day_rule_takes_as_many_days_as_the_pack_has_and_no_more(birth, days, early):
    found = plan_of(ROUTINE, early)

    for series in found.chosen():
        first = next(row for row in series.course[0].dose if row.number == 1)
        day = length(first.since).after(birth) - days
        code = (first.offer or series.offer)[0]
        if day < birth:
            continue
        (told,) = [
            each
            for each in validate([Given("a", code, day)], born_on(birth), found)
            if each.series == series.id
        ]
        assert (told.state == "valid") == (days <= early), (series.id, told)


def dose_holds(told, each):
    """What was said of a dose while a day was not known fits what it comes to on one day."""
    assert told.state in (each.state, "unsure")
    assert told.number <= each.number


def forecast_holds(told, each):
    """What was said to be due while a day was not known fits what is due by one day."""
    assert told.number <= each.number
    if told.state == "unsure":
        assert each.state in told.may
    elif told.state == "due":
        assert each.state in ("due", "overdue")
    else:
        assert told.state == each.state
    if told.day is not None:
        assert each.day is not None
        assert each.day <= told.day


@settings(deadline=None)
@given(worked_by(), histories(most=4), st.integers(0, 420), ages)
def test_what_is_sure_of_an_uncertain_birth_holds_on_every_day_of_it(work, history, length, age):
    found, terms = work
    birth, doses = history
    born, on_day = Born(birth, birth + length), birth + age
    seen = [on_day, *(dose.day for dose in doses)]
    last = born.last if min(seen) < born.first else min(born.last, *seen)
    whole = validate(doses, born, found, terms)
    due = forecast(doses, born, on_day, found, terms)

    for day in {*range(born.first, last + 1, 7), last}:
        one = born_on(day)
        for told, each in zip(whole, validate(doses, one, found, terms), strict=True):
            dose_holds(told, each)
        for said, then in zip(due, forecast(doses, one, on_day, found, terms), strict=True):
            forecast_holds(said, then)
            assert not said.sure or (said.state, said.day) == (then.state, then.day)


@settings(deadline=None)
@given(worked_by(), histories(most=4), st.data())
def test_what_is_sure_of_a_dose_of_a_month_alone_holds_on_every_day_of_it(work, history, data):
    found, terms = work
    birth, doses = history
    born = born_on(birth)
    loose = data.draw(st.sets(st.integers(0, 3), max_size=2))
    cards = [
        dose._replace(until=dose.day + data.draw(st.integers(0, 31))) if at in loose else dose
        for at, dose in enumerate(doses)
    ]
    on_day = max([birth, *(card.until or card.day for card in cards)]) + data.draw(
        st.integers(0, 400)
    )
    whole = {(one.key, one.series): one for one in validate(cards, born, found, terms)}
    due = forecast(cards, born, on_day, found, terms)
    days = [
        [card.day]
        if card.until is None
        else [*range(max(card.day, birth), card.until + 1, 3), card.until]
        for card in cards
    ]

    for chosen in product(*days):
        exact = [
            card._replace(day=day, until=None) for card, day in zip(cards, chosen, strict=True)
        ]
        for each in validate(exact, born, found, terms):
            dose_holds(whole[each.key, each.series], each)
        for said, then in zip(due, forecast(exact, born, on_day, found, terms), strict=True):
            forecast_holds(said, then)


@given(worked_by(), histories(), ages)
def test_a_card_names_the_first_day_on_which_anything_is_due(work, history, age):
    found, terms = work
    birth, doses = history
    on_day = birth + age

    due = forecast(doses, born_on(birth), on_day, found, terms)
    visit = next_visit(due, on_day)

    days = [max(each.day, on_day) for each in due if each.day is not None]
    assert (visit is None) == (not days)
    if visit is not None:
        assert visit.day == min(days)
        assert visit.sure
        wanted = {each.series for each in due if each.wanted}
        assert wanted <= set(visit.series) or visit.day > on_day
