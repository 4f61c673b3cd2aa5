"""What the keys of a form mean, one by one."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldnode.tui.cores.fields import (
    ABSENT_MARKS,
    Choice,
    Coded,
    Date,
    Field,
    Number,
    Pressure,
    Tag,
)
from fieldnode.tui.cores.form import FormCore

SEX = (Choice("1", "male", "sex.male", "M"), Choice("2", "female", "sex.female", "F"))
TEMPERATURE = Number(
    "t", "x", absent=ABSENT_MARKS, unit="Cel", decimals=1, possible=("20", "45"),
    usual=("33", "41.5"), short_tenths=(300, 439),
    betrays=(("90", "115", "error.looks_fahrenheit"),),
)  # fmt: skip
PULSE = Number("p", "x", absent=ABSENT_MARKS, possible=("0", "300"), usual=("35", "180"))


def press(form, *keys):
    steps = [form.key(key) for word in keys for key in ([word] if word in NAMED else [*word])]
    return steps[-1]


NAMED = {"enter", "tab", "down", "up", "backspace", "left", "home", "end", "delete"}


def only(field, *keys):
    """Return the answer of a one-field form after these keys and Enter."""
    form = FormCore((field,))
    step = press(form, *keys, "enter")
    return (form.answer(0), step, form.reason)


@pytest.mark.safety(3, 5)
@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("38.6", "38.6"),
        ("38,6", "38.6"),
        ("386", "38.6"),
        ("٣٨٫٦", "38.6"),
        ("۳۸", "38"),
        ("40.0", "40"),
    ],
)
def test_a_temperature_is_read_as_it_was_meant(typed, kept):
    answer, step, _ = only(TEMPERATURE, typed)

    assert (answer.text, step.save) == (kept, True)


@pytest.mark.safety(3, 5)
@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("98", "error.looks_fahrenheit"),
        ("4,200", "form.grouping"),
        ("1.234.5", "form.grouping"),
        ("12 000", "form.grouping"),
        ("38.65", "form.too_many_decimals"),
        ("98F", "form.not_a_number"),
        ("12", "form.impossible"),
        ("38٬6", "form.grouping"),
    ],
)
def test_what_could_be_read_two_ways_is_refused_with_the_reason(typed, why):
    answer, step, reason = only(TEMPERATURE, typed)

    assert (step.save, step.refused, reason.key) == (False, True, why)
    assert not answer or why == "form.impossible" or answer.text == ""


@pytest.mark.safety(1)
def test_a_number_without_a_unit_is_refused_without_one():
    _, step, reason = only(PULSE, "07M")

    assert (step.refused, reason.key, reason.values) == (True, "form.not_digits", ())


@pytest.mark.safety(3)
def test_a_whole_number_takes_no_mark():
    assert only(PULSE, "98.5")[2].key == "form.no_decimals"
    assert only(PULSE, "4,200")[2].key == "form.grouping"


def test_an_unusual_value_needs_a_second_enter_and_is_marked():
    form = FormCore((PULSE,))

    assert press(form, "20", "enter").refused
    assert press(form, "enter").save
    assert form.answers()["p"] == ("20", "", True)


def test_any_key_between_the_two_enters_asks_again():
    form = FormCore((PULSE,))
    press(form, "20", "enter", "left")

    assert press(form, "enter").refused


def test_another_value_after_a_confirmed_one_is_asked_about_again():
    form = FormCore((PULSE, PULSE))
    press(form, "20", "enter", "enter", "up", "backspace", "1")

    assert press(form, "enter").refused


@pytest.mark.safety(6)
@pytest.mark.parametrize(("key", "absent"), [("-", "not-measured"), ("/", "unrecordable")])
def test_one_key_says_that_there_is_no_value(key, absent):
    form = FormCore((PULSE, TEMPERATURE))
    press(form, key)

    assert form.place == 1
    assert form.answer(0).absent == absent


def test_a_value_typed_over_an_absent_mark_replaces_it():
    form = FormCore((PULSE, TEMPERATURE))
    press(form, "-", "up", "72", "enter")

    assert form.answer(0).text == "72"


def test_a_field_that_cannot_be_unrecordable_does_not_take_the_stroke():
    form = FormCore((Number("w", "x", absent="-", decimals=1), PULSE))

    assert press(form, "/").refused is False  # typed, so that it can be refused with its reason
    assert press(form, "enter").refused


def test_a_tab_after_a_coded_digit_moves_on():
    form = FormCore((Coded("s", "x", choices=SEX), Field("a", "x"), Field("b", "x")))

    press(form, "2", "tab")
    assert form.place == 2


@pytest.mark.safety(21)
def test_a_coded_digit_moves_on_and_absorbs_exactly_one_enter():
    form = FormCore((Coded("s", "x", choices=SEX), Field("a", "x"), Field("b", "x")))

    press(form, "2", "enter")
    assert form.place == 1
    press(form, "enter")
    assert form.place == 2
    assert form.answers()["s"].text == "female"


@pytest.mark.safety(21)
@pytest.mark.parametrize("key", ["2", "é", "٢", "۲", "f", "F"])
def test_a_coded_answer_is_the_same_on_every_keyboard(key):
    form = FormCore((Coded("s", "x", choices=SEX), Field("a", "x")))
    press(form, key)

    assert form.answer(0).text == "female"


def test_a_wrong_digit_changes_nothing_and_says_so():
    form = FormCore((Coded("s", "x", choices=SEX), Field("a", "x")))

    assert press(form, "7").refused
    assert form.place == 0
    assert form.empty


@pytest.mark.safety(21)
def test_enter_in_the_first_empty_optional_field_saves():
    form = FormCore((Field("a", "x"), Field("b", "x"), Field("c", "x")), optional_from=1)
    press(form, "Ali", "enter")

    assert press(form, "enter").save


def test_tab_in_an_empty_optional_field_moves_on():
    form = FormCore((Field("a", "x"), Field("b", "x"), Field("c", "x")), optional_from=1)
    press(form, "Ali", "enter")

    assert not press(form, "tab").save
    assert form.place == 2


def test_a_missing_answer_opens_its_field_and_the_next_enter_saves():
    form = FormCore((Field("a", "x", required=True), Field("b", "x")))
    press(form, "tab")

    assert press(form, "enter").refused
    assert (form.place, form.reason.key) == (0, "form.required")
    assert press(form, "Ali", "enter").save


def test_a_grave_answer_needs_one_extra_enter():
    choices = (Choice("0", "dead", "x"), Choice("1", "red", "x"))
    grave = Coded("c", "x", choices=choices, grave=(("dead", "sure"),))
    form = FormCore((grave, Field("n", "x")), optional_from=1)
    press(form, "0", "enter")

    assert press(form, "enter").refused
    assert form.reason.key == "sure"
    assert press(form, "enter").save


@pytest.mark.safety(6)
@pytest.mark.parametrize(
    ("typed", "kept"),
    [("98/60", "98/60"), ("98/", "98/"), ("٩٨/٦٠", "98/60")],
)
def test_a_pressure_is_two_values_or_the_upper_alone(typed, kept):
    assert only(Pressure("bp", "x", absent=ABSENT_MARKS), typed)[0].text == kept


@pytest.mark.parametrize(("typed", "why"), [("98", "pressure"), ("60/98", "pressure_order")])
def test_a_pressure_that_is_not_one_is_refused(typed, why):
    assert only(Pressure("bp", "x"), typed)[2].key == f"form.{why}"


@pytest.mark.safety(6)
def test_a_stroke_alone_is_an_unrecordable_pressure():
    form = FormCore((Pressure("bp", "x", absent=ABSENT_MARKS), PULSE))
    press(form, "/")

    assert form.answer(0).absent == "unrecordable"


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("2026", "2026"),
        ("2026-5", "2026-05"),
        ("20260531", "2026-05-31"),
        ("2026.05.31", "2026-05-31"),
        ("14.03.2026", "2026-03-14"),
        ("14/3/2026", "2026-03-14"),
        ("03-14-2026", "2026-03-14"),
        ("05/05/2026", "2026-05-05"),
        ("29.02.2024", "2024-02-29"),
        ("03/2026", "2026-03"),
    ],
)
def test_dates_begin_with_the_year_or_end_with_it_where_one_day_is_meant(typed, kept):
    assert only(Date("d", "x"), typed)[0].text == kept


@pytest.mark.parametrize(
    ("typed", "why"),
    [
        ("05/06/2026", "date_two"),
        ("12.1.2026", "date_two"),
        ("31/05/26", "date"),
        ("1-2-3", "date"),
        ("31052026", "no_such_date"),
        ("31-31-2026", "no_such_date"),
        ("29/02/2026", "no_such_date"),
        ("13/2026", "no_such_date"),
        ("2026-02-30", "no_such_date"),
        ("0026", "no_such_date"),
    ],
)
def test_dates_that_could_be_read_two_ways_are_refused(typed, why):
    assert only(Date("d", "x"), typed)[2].key == f"form.{why}"


@given(st.dates(date(1900, 1, 1), date(2099, 12, 31)), st.sampled_from(["-", ".", "/", " "]))
def test_a_day_typed_with_its_year_last_is_that_day_or_is_asked_about_with_both(day, mark):
    """Whichever order its writer has: nobody is ever given another day than they meant."""
    for order in (("%d", "%m"), ("%m", "%d")):
        found, _, reason = only(Date("d", "x"), day.strftime(mark.join((*order, "%Y"))))
        if found:
            assert found.text == day.isoformat()
        else:
            assert reason.key == "form.date_two"
            assert day.isoformat() in dict(reason.values).values()
            assert day.day <= 12


def test_a_future_birth_is_refused():
    assert only(Date("d", "x", latest="2026-05-20"), "21.05.2026")[2].key == "form.future"
    assert only(Date("d", "x", latest="2026-05-20"), "2026-05-21")[2].key == "form.future"


@pytest.mark.safety(16)
def test_digits_of_a_tag_are_completed_with_the_terminals_prefix():
    form = FormCore((Tag("tag", "x", prefix="TG-"), Field("a", "x")))
    press(form, "412", "enter")

    assert form.text(0) == "TG-412"


def test_a_draft_names_every_answer_and_comes_back_whole():
    fields = (Field("a", "x"), PULSE, Coded("s", "x", choices=SEX))
    form = FormCore(fields)
    assert press(form, "Ali", "enter").left == "a"
    again = FormCore(fields)
    again.restore(form.snapshot())

    assert again.snapshot() == {"a": "Ali"}
    assert again.place == 1


def test_a_key_that_is_no_key_of_a_form_changes_nothing():
    form = FormCore((PULSE,))
    press(form, "20", "enter")

    assert not form.key("f1").taken
    assert press(form, "enter").save
