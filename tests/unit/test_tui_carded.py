"""Doses of a card: how vaccines are listed, which number comes next, what is shown first."""

import pytest
from msgspec.structs import replace

from fieldnode.tui.cores.carded import DoseNumber, newest_first, next_number, ordered
from fieldnode.tui.cores.form import FormCore
from protocols.live.drive import Child, GivenLine, SeriesLine

WORDS = {"en": "x"}


def dose(fact, vaccine, number, **more) -> GivenLine:
    return replace(GivenLine(fact, vaccine, WORDS, number, "2025-01-01", "given", ""), **more)


def series(name, doses, *vaccines) -> SeriesLine:
    return SeriesLine(name, WORDS, "due", 1, doses, vaccines=vaccines)


SERIES = (series("bcg", 1, "bcg"), series("dtp", 3, "penta", "dtp"), series("measles", 2, "mr"))


def child(*doses) -> Child:
    return Child(None, series=SERIES, doses=doses)


def test_vaccines_stand_in_the_order_of_the_schedule_and_none_is_left_out():
    assert ordered(["tcv", "mr", "dtp", "bcg", "penta"], child()) == [
        "bcg", "penta", "dtp", "mr", "tcv"
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("doses", "number"),
    [
        ((), ""),
        ((dose("a", "penta", 1),), "2"),
        ((dose("a", "penta", 2), dose("b", "penta", 1)), "3"),
        # Past the last one, or with one that nobody numbered, the date decides.
        ((dose("a", "penta", 3),), ""),
        ((dose("a", "penta", 1), dose("b", "penta", None)), ""),
        # What was not given, was taken back or is the same dose twice moves nothing on.
        ((dose("a", "penta", 1), dose("b", "penta", 2, status="refused")), "2"),
        ((dose("a", "penta", 1), dose("b", "penta", 2, replaced=2)), "2"),
        ((dose("a", "penta", 1), dose("b", "penta", 2, spare=True)), "2"),
        # Another vaccine of the same series may have another number on its card.
        ((dose("a", "dtp", 1),), ""),
    ],
)
def test_the_number_that_follows_one_that_is_known_is_proposed(doses, number):
    assert next_number(child(*doses), "penta") == number


def test_of_a_vaccine_that_no_series_counts_the_number_goes_on_while_it_is_a_digit():
    assert next_number(child(dose("a", "tcv", 1)), "tcv") == "2"
    assert next_number(child(dose("a", "tcv", 9)), "tcv") == ""


def test_what_was_just_entered_stands_first_the_newest_at_the_top():
    known = child(
        dose("a", "bcg", 1), dose("b", "penta", 1), dose("c", "mr", 1), dose("d", "mr", 2)
    )
    assert [one.fact for one in newest_first(known, ["c", "a"])] == ["a", "c", "d", "b"]


def test_a_digit_over_a_proposed_number_takes_its_place():
    form = FormCore((DoseNumber("dose", "x"),))
    form.offer("dose", "2")
    form.key("3")
    assert form.text(0) == "3"
    form.key("x")
    assert form.answer(0).text == "3"
    form.key("٠")
    assert form.answer(0).text == "0"
    form.key("backspace")
    assert form.text(0) == ""
