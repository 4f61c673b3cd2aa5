"""Any guideline on any patient: a state for every step, the same each time, and never an error."""

from __future__ import annotations

from fractions import Fraction

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.guidelines import ages
from protocols.guidelines.decimals import Decimal
from protocols.guidelines.expressions import Absent
from protocols.guidelines.guideline import SHIPPED, Guideline, check, shipped_guideline
from protocols.guidelines.pack import PackHead
from protocols.guidelines.questions import Person, age_rows
from protocols.guidelines.readings import Reading
from protocols.guidelines.running import Course, Tick, Weight, run

PACKS = [shipped_guideline(name) for name in SHIPPED]
CHOICES = sorted(
    {choice.id for pack in PACKS for each in pack.question for choice in each.choices} | {"?"}
)
STEPS = sorted({each.id for pack in PACKS for each in pack.step} | {"?"})
ANSWER = st.one_of(
    st.booleans(),
    st.builds(Decimal, st.integers(-(10**9), 10**9), st.integers(0, 6)),
    st.sampled_from(CHOICES),
    st.lists(st.sampled_from(CHOICES), max_size=4).map(tuple),
    st.sampled_from(Absent),
)
NAMES = sorted({each.id for pack in PACKS for each in pack.question} | {"?"})
ANSWERS = st.dictionaries(st.sampled_from(NAMES), ANSWER)
READING = st.one_of(
    st.builds(Reading, st.fractions(-1000, 1000)),
    st.builds(Reading, choice=st.sampled_from(CHOICES)),
    st.just(Reading(unrecordable=True)),
)
PERSONS = st.builds(
    Person,
    st.one_of(st.floats(-1, 1e6).map(ages.of_days), st.integers(0, 9).map(ages.of_band)),
    st.sampled_from([None, True, False]),
    st.none() | st.builds(Decimal, st.integers(-100, 10**6), st.integers(0, 3)),
    st.dictionaries(st.sampled_from(["muac", "oedema", "spo2", "respiratory-rate"]), READING),
)
COURSES = st.builds(
    Course,
    st.lists(
        st.builds(
            Tick, st.sampled_from(STEPS), st.integers(-(2**40), 2**45), st.sampled_from(["", "x"])
        )
    ),
    st.integers(-(2**40), 2**45),
    st.integers(-(2**40), 2**45),
)
WEIGHTS = st.builds(Weight, st.booleans(), st.booleans())


@given(st.sampled_from(PACKS), ANSWERS, PERSONS, WEIGHTS, COURSES)
def test_any_answers_and_any_ticks_give_the_state_of_every_step(pack, answers, who, weight, course):
    _holds(pack, answers, who, weight, course)


def _holds(pack, answers, who, weight, course):
    found = run(pack, answers, who, weight, course)

    assert found == run(pack, dict(reversed(answers.items())), who, weight, course)
    assert found == run(
        pack, answers, who, weight, course._replace(ticks=tuple(reversed(course.ticks)))
    )
    for step in found.steps:
        for amount in step.amounts:
            assert bool(amount.text) is (amount.value is not None) is (not amount.lack)
            if amount.value is not None:
                most = max(Fraction(each.at_most) for each in step.step.amount)
                assert 0 < amount.value <= (amount.value_to or amount.value) <= most
            if weight.differ and "weight" in str(step.step.amount):
                assert amount.lack or "by_age" in amount.marks
    if found.stop is not None:
        assert not [amount for step in found.steps for amount in step.amounts]
    if found.next is not None:
        assert found.next.id not in found.answers


@given(st.sampled_from(PACKS), PERSONS, st.data())
def test_answering_what_is_asked_comes_to_an_end(pack, who, data):
    answers = {}
    for _ in range(20):
        found = run(pack, answers, who)
        if found.next is None:
            return
        assert found.next.id not in answers
        ids = [choice.id for choice in found.next.choices]
        kinds = {
            "truth": st.booleans(),
            "number": st.integers(0, 500).map(Decimal),
            "choice": st.sampled_from(ids or ["-"]),
            "several": st.lists(st.sampled_from(ids or ["-"]), unique=True).map(tuple),
        }
        answers[found.next.id] = data.draw(kinds[found.next.type])
    raise AssertionError("asks for ever")


@pytest.mark.parametrize("pack", PACKS, ids=SHIPPED)
@given(age_days=st.floats(0, 60_000))
def test_every_age_falls_into_exactly_one_row(pack, age_days):
    for question in pack.question:
        if question.known_from == "age":
            assert len(ages.of_days(age_days).meets(age_rows(question))) == 1


@pytest.mark.parametrize("pack", PACKS, ids=SHIPPED)
def test_the_last_row_of_ages_never_ends(pack):
    for question in pack.question:
        if question.known_from == "age":
            assert question.choices[-1].below is None
            assert question.choices[0].since == "0 d"


# Packs that nobody wrote

WORDS = {"en": "x", "fr": "x"}
CONDITION = st.sampled_from(
    [
        "",
        "wasted",
        "not wasted",
        "weight > 10",
        "known(weight)",
        "age = 'old' or wasted",
        "count(signs) >= 2",
        "has(signs, 'a') and weight <= 3",
    ]
)
FORMULA = st.sampled_from(
    [
        "5",
        "0",
        "30 * weight",
        "round_up(7 * weight, 50)",
        "weight - 20",
        "max(1, weight / 3)",
        "count(signs) * 10",
        "weight * weight * weight * weight",
    ]
)
AMOUNT = st.fixed_dictionaries(
    {
        "formula": FORMULA,
        "formula_to": st.one_of(st.just(""), FORMULA),
        "unit": st.sampled_from(["mL", "{tbl}"]),
        "at_most": st.sampled_from(["1", "500", "999999999"]),
        "when": CONDITION,
        "per_day": st.booleans(),
        "by_age": st.booleans(),
    }
)


@st.composite
def packs(draw) -> Guideline:
    results = [f"r{at}" for at in range(draw(st.integers(0, 3)))]
    count = draw(st.integers(1, 5))
    steps = []
    for at in range(count):
        every = draw(st.sampled_from([0, 0, 30]))
        steps.append(
            {
                "id": f"s{at}",
                "words": WORDS,
                "when": draw(CONDITION),
                "result": draw(st.lists(st.sampled_from(results), max_size=2)) if results else [],
                "amount": draw(st.lists(AMOUNT, max_size=3)),
                "after": draw(st.sampled_from(["", *[f"s{each}" for each in range(at)]])),
                "wait_min": draw(st.integers(0, 100)),
                "lasts_min": draw(st.integers(0, 100)),
                "every_min": every,
                "times": draw(st.integers(0, 5)) if every else draw(st.integers(0, 1)),
                "may_skip": draw(st.booleans()),
                "only_approved": draw(st.booleans()),
            }
        )
    found = {
        "pack": msgspec.to_builtins(PackHead("x", "1", "x", "x", "memory")),
        "guideline": {
            "words": WORDS,
            "for_whom": "known(age) or known(wasted) or count(signs) > 0",
        },
        "question": [
            {"id": "wasted", "type": "truth", "words": WORDS, "skip": draw(st.booleans())},
            {
                "id": "weight",
                "type": "number",
                "words": WORDS,
                "known_from": "weight",
                "unit": "kg",
                "skip": True,
            },
            {
                "id": "age",
                "type": "choice",
                "words": WORDS,
                "known_from": "age",
                "choices": [
                    {"id": "young", "words": WORDS, "below": "5 y"},
                    {"id": "old", "words": WORDS, "from": "5 y"},
                ],
            },
            {
                "id": "signs",
                "type": "several",
                "words": WORDS,
                "choices": [{"id": "a", "words": WORDS}, {"id": "b", "words": WORDS}],
            },
        ],
        "stop": [{"id": "stop", "when": draw(CONDITION) or "wasted", "words": WORDS}],
        "result": [
            {"id": name, "words": WORDS, "when": draw(CONDITION) or "wasted"} for name in results
        ],
        "step": steps,
    }
    return msgspec.convert(found, Guideline)


OWN = st.dictionaries(
    st.sampled_from(["wasted", "weight", "age", "signs"]),
    st.one_of(ANSWER, st.sampled_from(["old", "young", ("a",), ("a", "b")])),
)
OWN_COURSES = st.builds(
    Course,
    st.lists(
        st.builds(
            Tick,
            st.sampled_from([f"s{at}" for at in range(6)]),
            st.integers(0, 2**41),
            st.sampled_from(["", "x"]),
        )
    ),
    st.integers(0, 2**41),
    st.integers(0, 2**41),
)


@given(packs(), OWN, PERSONS, WEIGHTS, OWN_COURSES)
def test_any_pack_that_is_in_order_runs_on_anybody(pack, answers, who, weight, course):
    assert [fault for fault in check(pack) if "nothing uses it" not in fault] == []

    _holds(pack, answers, who, weight, course)
