"""The closed language of packs: whatever is read is worked out without an error."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.guidelines.expressions import (
    Absent,
    ExpressionFault,
    Input,
    Missing,
    Type,
    names,
    read,
)
from protocols.guidelines.working import arithmetic, holds, number, number_text, work_out

INPUTS = {
    "weight": Input(Type.NUMBER),
    "age": Input(Type.NUMBER),
    "walks": Input(Type.TRUTH),
    "breathes": Input(Type.TRUTH),
    "avpu": Input(Type.CHOICE, ("a", "v", "p", "u")),
    "signs": Input(Type.SEVERAL, ("fits", "stridor")),
}


def condition(text):
    return read(text, INPUTS, Type.TRUTH)


def formula(text):
    return read(text, INPUTS, Type.NUMBER)


NUMBERS = st.one_of(
    st.sampled_from(["weight", "age", "0.5", "30", "count(signs)"]),
)
TRUTHS = st.sampled_from(
    [
        *["walks", "breathes", "yes", "no", "avpu = 'a'", "avpu != 'u'", "has(signs, 'fits')"],
        *["known(weight)", "unrecordable(weight)", "weight < 30"],
    ]
)


def _numbers(inner):
    return st.one_of(
        st.tuples(inner, st.sampled_from("+-*"), inner).map(" ".join).map("({})".format),
        st.tuples(inner, st.just("/ 4")).map(" ".join),
        st.tuples(st.sampled_from(["min", "max"]), inner, inner).map(
            lambda p: f"{p[0]}({p[1]}, {p[2]})"
        ),
        inner.map("round_up({}, 50)".format),
        inner.map("round_down({}, 0.5)".format),
    )


def _truths(inner):
    return st.one_of(
        st.tuples(inner, st.sampled_from(["and", "or"]), inner).map(" ".join).map("({})".format),
        inner.map("not {}".format),
    )


FORMULAS = st.recursive(NUMBERS, _numbers, max_leaves=6)
CONDITIONS = st.recursive(
    st.one_of(
        TRUTHS,
        st.tuples(FORMULAS, st.sampled_from(["<", "<=", "=", "!=", ">"]), FORMULAS).map(" ".join),
    ),
    _truths,
    max_leaves=6,
)
GIVEN = st.fixed_dictionaries(
    {},
    optional={
        "weight": st.one_of(st.fractions(-(10**9), 10**9), st.sampled_from(Absent)),
        "age": st.fractions(0, 50_000),
        "walks": st.one_of(st.booleans(), st.just(Absent.SKIPPED)),
        "breathes": st.booleans(),
        "avpu": st.sampled_from(["a", "v", "p", "u", Absent.SKIPPED]),
        "signs": st.one_of(
            st.frozensets(st.sampled_from(["fits", "stridor"])), st.just(Absent.SKIPPED)
        ),
    },
)


@given(CONDITIONS, GIVEN)
def test_every_condition_holds_or_does_not_or_names_what_is_missing(text, given_inputs):
    node = condition(text)

    found = holds(node, given_inputs)

    if isinstance(found, Missing):
        assert found.name in names(node)
        assert found.final is (found.name in given_inputs)


@given(FORMULAS, GIVEN)
def test_every_formula_comes_to_a_number_or_names_what_is_missing(text, given_inputs):
    node = formula(text)

    found = number(node, given_inputs)

    assert isinstance(found, Missing | Fraction)
    assert bool(arithmetic(node, given_inputs)) or isinstance(found, Missing) or "count" in text


@given(CONDITIONS, GIVEN)
def test_more_answers_never_turn_what_is_decided(text, given_inputs):
    """So that a question is asked only when the answer matters, and never twice."""
    node = condition(text)
    first = {name: value for at, (name, value) in enumerate(given_inputs.items()) if at % 2}

    before = holds(node, first)

    if not isinstance(before, Missing):
        assert holds(node, given_inputs) is before


@given(st.text(max_size=60))
def test_any_text_is_read_or_refused(text):
    for wanted in (Type.TRUTH, Type.NUMBER):
        try:
            node = read(text, INPUTS, wanted)
        except ExpressionFault:
            continue
        work_out(node, {})


@given(st.text(alphabet="()'<=>+-*/., 0159weight_rondupmaxsignstvkaf", max_size=60))
def test_any_text_of_its_own_signs_is_read_or_refused(text):
    try:
        work_out(read(text, INPUTS, Type.NUMBER), {"weight": Fraction(3), "signs": frozenset()})
    except ExpressionFault:
        return


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "too early"),
        ("weigth > 3", "no input 'weigth'"),
        ("weight", "is number, not yes or no"),
        ("walks > 3", "has yes or no"),
        ("avpu = 'x'", "no choice of avpu"),
        ("avpu > 3", "has choice"),
        ("has(signs, 'x')", "no choice of signs"),
        ("count(weight) > 1", "does not take number"),
        ("weight / age > 1", "divided"),
        ("weight / 0 > 1", "divided"),
        ("eval(weight) > 1", "no function 'eval'"),
        ("min(weight) > 1", "takes 2"),
        ("round_up(weight, age) > 1", "rounds to a number"),
        ("walks walks", "not expected"),
        ("walks and", "too early"),
        ("(walks", "lacking"),
        ("weight > 1; walks", "not understood"),
        ("__import__('os')", "not understood"),
        ("weight > 1234567890", "digits"),
        ("(" * 13 + "walks" + ")" * 13, "nests deeper"),
        ("walks or " * 80 + "walks", "longer than"),
    ],
)
def test_what_is_wrong_is_named(text, why):
    with pytest.raises(ExpressionFault) as refused:
        condition(text)

    assert why in str(refused.value)


def test_what_decides_is_not_asked_for():
    node = condition("walks or not breathes or weight > 30")

    assert holds(node, {"walks": True}) is True
    assert holds(node, {}) == Missing("walks", final=False)
    assert holds(node, {"walks": Absent.SKIPPED}) == Missing("breathes", final=False)
    assert holds(node, {"walks": Absent.SKIPPED, "breathes": True}) == Missing(
        "weight", final=False
    )
    assert holds(node, {"walks": Absent.SKIPPED, "breathes": False}) is True


@pytest.mark.parametrize(
    ("text", "weight", "value", "shown"),
    [
        ("30 * weight", "54", "1620", "30 × 54"),
        ("round_up(75 * weight, 10)", "6.3", "480", "75 × 6.3"),
        ("round_down(75 * weight, 10)", "6.3", "470", "75 × 6.3"),
        ("2 + 3 * weight", "4", "14", "2 + 3 × 4"),
        ("(2 + 3) * weight", "4", "20", "(2 + 3) × 4"),
        ("weight - (3 - 2)", "4", "3", "4 − (3 − 2)"),
        ("min(10 * weight, 500)", "60", "500", "min(10 × 60; 500)"),
    ],
)
def test_arithmetic_is_shown_with_its_values(text, weight, value, shown):
    inputs = {"weight": Fraction(weight)}

    assert number(formula(text), inputs) == Fraction(value)
    assert arithmetic(formula(text), inputs) == shown


@pytest.mark.safety(3)
@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("1620", "1 620"),
        ("1234567", "1 234 567"),
        ("999", "999"),
        ("0.5", "0.5"),
        ("1000.25", "1 000.25"),
        ("-2", "−2"),
        ("1/3", "≈ 0.33"),
        ("0", "0"),
    ],
)
def test_safety_3_thousands_are_grouped_by_a_space(value, text):
    assert number_text(Fraction(value)) == text
