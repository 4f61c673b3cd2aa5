"""Quantities and temperatures as they are typed: never another number than what was meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldnode.tui.cores.fields import AnswerError
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.cores.supply_fields import Celsius, Units, sum_text, terms

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
    assert terms(text) == ((count, size),)
    assert sum_text(text, str) == f"{count} x {size}"
    assert field.settled(text, field.read(text)) == text, "the packs stay as they were typed"


@pytest.mark.safety(24)
@given(WHOLE, st.integers(1, 100), st.integers(0, 999))
def test_packs_and_loose_units_are_counted_together(count, size, loose):
    field = Units("units", "x")
    text = typed(field, f"{count}x{size}+{loose}")

    assert field.read(text).text == str(count * size + loose)
    assert sum_text(text, str) == f"{count} x {size} + {loose}" or size == 1


@given(st.text("0123456789xX+.,- ٣o", max_size=14))
def test_whatever_is_typed_is_whole_units_or_refused(text):
    field = Units("units", "x")
    kept = typed(field, text)
    try:
        answer = field.read(kept).text
    except AnswerError:
        return
    assert answer == "" or 0 < int(answer) <= field.most
    # No digit is dropped from among others, and nothing between them: 3o0 is never 30.
    if text.isascii() and set(text) <= set("0123456789.,- o"):
        assert kept == text[: field.chars_max].strip() or not text.strip() or kept == text


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
