"""Quantities and temperatures as they are typed: never another number than what was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldnode.tui.cores.fields import AnswerError
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.supply_fields import Celsius, Units, packs

WHOLE = st.integers(1, 3000)


def typed(field, text):
    form = FormCore((field,))
    for key in text:
        form.key(key)
    return form.text(0)


@pytest.mark.safety(24)
@given(WHOLE, WHOLE, st.sampled_from("xX*×"))
def test_packs_times_size_are_the_units(count, size, sign):
    field = Units("units", "x")
    text = typed(field, f"{count}{sign}{size}")

    assert field.read(text).text == str(count * size)
    assert packs(text) == (count, size)
    assert field.settled(text, field.read(text)) == text, "the packs stay as they were typed"


@given(st.text("0123456789xX.,- ٣", max_size=14))
def test_whatever_is_typed_is_whole_units_or_refused(text):
    field = Units("units", "x")
    kept = typed(field, text)
    try:
        answer = field.read(kept).text
    except AnswerError:
        return
    assert answer == "" or 0 < int(answer) <= field.most


@given(st.integers(-1000, 1000), st.sampled_from(".,"))
def test_a_temperature_keeps_its_sign_and_its_tenth(tenths, mark):
    field = Celsius("celsius", "x", unit="Cel", decimals=1, possible=("-100", "100"))
    sign = "-" if tenths < 0 else ""
    text = typed(field, f"{sign}{abs(tenths) // 10}{mark}{abs(tenths) % 10}")

    assert float(field.read(text).text) == tenths / 10


@pytest.mark.parametrize("text", ["-", "4.25", "101", "-100.1", "4,200"])
def test_what_is_no_temperature_is_refused(text):
    field = Celsius("celsius", "x", unit="Cel", decimals=1, possible=("-100", "100"))
    with pytest.raises(AnswerError):
        field.read(typed(field, text))
