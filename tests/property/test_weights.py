"""Weights that do not agree, judged in whole numbers, are those that fractions say so of."""

from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from protocols.records.weight import _apart

_KILOGRAMS = st.builds(Fraction, st.integers(1, 10**6), st.sampled_from((1, 10, 100, 1000, 2205)))


@given(_KILOGRAMS, _KILOGRAMS, st.integers(0, 200))
def test_whole_numbers_say_what_fractions_say(one: Fraction, other: Fraction, percent: int) -> None:
    far = abs(one - other) * 100 > percent * min(one, other)
    assert _apart(one, other, percent) is far
    assert _apart(other, one, percent) is far


@given(_KILOGRAMS, st.integers(1, 100))
def test_the_limit_itself_is_not_too_far(one: Fraction, percent: int) -> None:
    other = one * (100 + percent) / 100
    assert not _apart(one, other, percent)
    assert _apart(one, other + Fraction(1, 10**9), percent)
