"""Doses come from a whole row or not at all, exactly, with their arithmetic (SAFETY 9, 23)."""

from __future__ import annotations

from fractions import Fraction
from importlib.resources import files

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import SetupError
from protocols.guidelines import ages
from protocols.guidelines.doses import (
    NoDose,
    Proposed,
    Weighed,
    check,
    differ,
    per_kg_text,
    propose,
    read_formulary,
    shipped_formulary,
    units,
)

TEXT = """
[pack]
name = "formulary"
version = "7"
title = "x"
source = "x"
status = "verified"

[weights]
differ_percent = 10

[[dose]]
id = "child"
substance = "examplin"
words = { en = "Examplin", fr = "Exampline" }
from = "1 mo"
below = "12 y"
from_kg = "3"
below_kg = "40"
mg_per_kg = "20"
max_single_mg = "500"
max_daily_mg = "1500"
times_a_day = 3
route = "oral"
concentration = { mg = "40", per = "mL" }
source = "a book, page 1"
"""
PACK = read_formulary(TEXT)
FIVE = ages.of_days(ages.days("5 y"))


def dose(*kg, age=FIVE, pack=PACK, chosen=None, estimated=False):
    weights = [Weighed(Fraction(each), estimated) for each in kg]
    return propose(pack, "child", age, weights, chosen and Weighed(Fraction(chosen)))


def test_a_dose_shows_its_arithmetic():
    found = dose("13.2")

    assert isinstance(found, Proposed)
    assert (found.mg, found.text) == (264, "20 × 13.2 = 264 mg")
    assert (found.amount, found.amount_text) == (Fraction("6.6"), "264 ÷ 40 = 6.6 mL")
    assert (found.daily_mg, found.capped, found.version) == (792, False, "7")
    assert not found.approved


@pytest.mark.safety(9)
@pytest.mark.parametrize(
    ("kg", "mg", "capped"),
    [("24.9", 498, False), ("25", 500, False), ("25.1", 500, True), ("39.9", 500, True)],
)
def test_one_dose_is_never_above_its_most(kg, mg, capped):
    found = dose(kg)

    assert (found.mg, found.capped) == (mg, capped)
    assert ("→ 500 mg" in found.text) is capped


@pytest.mark.parametrize(
    ("kg", "there"), [("2.9", False), ("3", True), ("39.9", True), ("40", False)]
)
def test_a_row_holds_for_its_weights(kg, there):
    assert isinstance(dose(kg), Proposed) is there


@pytest.mark.safety(2)
@pytest.mark.parametrize(
    ("age", "reason"),
    [
        (ages.of_days(ages.days("1 mo") - 1), "no_row"),
        (ages.of_days(ages.days("1 mo")), None),
        (ages.of_days(ages.days("12 y") - 1), None),
        (ages.of_days(ages.days("12 y")), "no_row"),
        (ages.of_band(2), None),
        (ages.of_band(3), "age_unsure"),
        (ages.UNKNOWN, "age_unsure"),
    ],
)
def test_safety_2_a_row_holds_for_ages_that_lie_inside_it(age, reason):
    found = dose("13", age=age)

    assert (found.reason if isinstance(found, NoDose) else None) == reason


@pytest.mark.safety(9)
@pytest.mark.parametrize(
    ("weights", "conflict"),
    [
        (["10"], False),
        (["10", "10.9"], False),
        (["10", "11"], False),
        (["10", "11.01"], True),
        (["11.01", "10"], True),
    ],
)
def test_safety_9_weights_more_than_10_percent_apart_give_no_dose_until_one_is_chosen(
    weights, conflict
):
    found = dose(*weights)

    assert (found == NoDose("weights_differ")) is conflict
    assert isinstance(dose(*weights, chosen="10"), Proposed)
    assert dose(*weights, chosen="10").mg == 200


@pytest.mark.safety(9)
@pytest.mark.parametrize(
    "line",
    [
        'mg_per_kg = "20"\n',
        'max_single_mg = "500"\n',
        'max_daily_mg = "1500"\n',
        "times_a_day = 3\n",
        'route = "oral"\n',
        'concentration = { mg = "40", per = "mL" }\n',
    ],
)
def test_safety_9_a_row_that_lacks_anything_proposes_nothing(line):
    pack = read_formulary(TEXT.replace(line, ""))

    assert dose("13", pack=pack) == NoDose("row_incomplete", (line.split(" ")[0],))


@pytest.mark.safety(9)
def test_safety_9_a_row_without_a_source_is_refused():
    with pytest.raises(SetupError) as refused:
        read_formulary(TEXT.replace('source = "a book, page 1"\n', ""))

    assert "source is missing" in str(refused.value.values["place"])


def test_more_than_a_day_allows_is_not_proposed():
    pack = read_formulary(TEXT.replace('"1500"', '"1499"'))

    assert dose("25", pack=pack) == NoDose("over_daily")
    assert isinstance(dose("24", pack=pack), Proposed)


@pytest.mark.parametrize("kg", ["0", "-1", "501"])
def test_a_weight_that_cannot_be_gives_nothing(kg):
    assert dose(kg) == NoDose("weight_out_of_bounds")


def test_no_weight_no_dose():
    assert dose() == NoDose("no_weight")


@pytest.mark.safety(9)
def test_an_estimated_weight_is_said():
    assert dose("13", estimated=True).estimated


@pytest.mark.safety(23)
@pytest.mark.parametrize(
    ("mg", "strength", "count", "discarded", "text"),
    [
        ("264", "100", 3, "36", "264 ÷ 100 = 2.64 → 3"),
        ("300", "100", 3, "0", "300 ÷ 100 = 3"),
        ("301", "100", 4, "99", "301 ÷ 100 = 3.01 → 4"),
        ("0.5", "1", 1, "0.5", "0.5 ÷ 1 = 0.5 → 1"),
    ],
)
def test_safety_23_whole_units_are_rounded_up_and_the_rest_is_discarded(
    mg, strength, count, discarded, text
):
    found = units(Fraction(mg), Fraction(strength))

    assert (found.units, found.discarded, found.text) == (count, Fraction(discarded), text)


@pytest.mark.safety(23)
@given(st.fractions(0, 10**6), st.fractions(0, 10**4))
def test_safety_23_what_is_taken_is_what_is_given_and_what_is_discarded(mg, strength):
    found = units(mg, strength)

    if found is not None:
        assert found.units * strength == mg + found.discarded
        assert 0 <= found.discarded < strength


@given(st.lists(st.fractions(1, 200), max_size=4), st.integers(1, 100))
def test_weights_differ_whatever_their_order(weights, percent):
    assert differ(weights, percent) is differ(weights[::-1], percent)


AGES = st.one_of(st.floats(0, 50_000).map(ages.of_days), st.integers(0, 9).map(ages.of_band))


@given(
    st.sampled_from(["child", "none", *[row.id for row in shipped_formulary().dose]]),
    AGES,
    st.lists(st.builds(Weighed, st.fractions(-10, 600), st.booleans()), max_size=3),
)
def test_any_patient_gets_a_dose_within_the_row_or_a_reason(row, age, weights):
    for pack in (PACK, shipped_formulary()):
        found = propose(pack, row, age, weights)
        if isinstance(found, Proposed):
            assert 0 < found.mg <= Fraction(found.row.max_single_mg)
            assert found.daily_mg <= Fraction(found.row.max_daily_mg)


def test_the_arithmetic_of_a_typed_dose():
    assert per_kg_text(Fraction(264), Fraction("13.2")) == "264 ÷ 13.2 = 20 mg/kg"
    assert per_kg_text(Fraction(264), Fraction(0)) == ""


def test_the_shipped_formulary_is_in_order_and_proposes_nothing_yet():
    pack = shipped_formulary()

    assert check(pack) == []
    assert not pack.pack.approved
    assert all(row.lacks for row in pack.dose)


@pytest.mark.parametrize(
    ("old", "new", "place"),
    [
        ('mg_per_kg = "20"', 'mg_per_kg = "2,0"', "mg_per_kg is no number"),
        ('mg = "40"', 'mg = "0"', "concentration is 0"),
        ('below_kg = "40"', 'below_kg = "3"', "from_kg is not under"),
        ('max_daily_mg = "1500"', 'max_daily_mg = "400"', "above max_daily_mg"),
        ('per = "mL"', 'per = "ml"', "ml"),
        ('fr = "Exampline"', 'fr = ""', "no words in fr"),
        ("differ_percent = 10", "differ_percent = 0", "differ_percent"),
    ],
)
def test_a_formulary_with_a_fault_is_refused(old, new, place):
    with pytest.raises(SetupError) as refused:
        read_formulary(TEXT.replace(old, new, 1))

    assert place in str(refused.value.values["place"])


def test_overlapping_rows_of_a_substance_are_refused():
    second = TEXT[TEXT.index("[[dose]]") :].replace('id = "child"', 'id = "big"')

    with pytest.raises(SetupError) as refused:
        read_formulary(
            TEXT + second.replace('from_kg = "3"', 'from_kg = "39"').replace('"40"\nmg', '"80"\nmg')
        )

    assert "overlaps child" in str(refused.value.values["place"])
    read_formulary(
        TEXT
        + second.replace('from_kg = "3"', 'from_kg = "40"').replace(
            'below_kg = "40"', 'below_kg = "80"'
        )
    )


@pytest.mark.safety(9)
def test_the_readme_names_what_each_row_lacks():
    page = (files("protocols.guidelines") / "README.md").read_text("utf-8")
    rows = [line.split("|") for line in page.splitlines() if line.startswith("| ")]
    told = {cells[1].strip(): cells[3].strip().split(", ") for cells in rows if len(cells) > 4}

    assert {row.id: list(row.lacks) for row in shipped_formulary().dose} == {
        name: lacks for name, lacks in told.items() if name not in ("row", "---")
    }
