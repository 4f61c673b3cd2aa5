"""Procedures, and what goes in and comes out with its running balance."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.guidelines.vocabulary import Fluid, Procedure, check, vocabulary, word
from protocols.records.intake import IntakeRow, balance, millilitres
from protocols.records.rows import to_json
from tests.unit.records_shelf import NOW_MS, Shelf

HOUR_MS = 3_600_000


def in_care(name: str = "a") -> tuple[Shelf, Any, str]:
    shelf = Shelf(name)
    patient = shelf.write("patient.register", {"tags": ["B12"]})
    shelf.write("encounter.open", patient=patient.id)
    return shelf, patient.subject, patient.id


def test_a_procedure_says_what_where_how_and_its_item_of_the_data_set():
    shelf, subject, patient = in_care()
    data = {
        "code": "caesarean",
        "text": "twins",
        "anaesthesia": "spinal",
        "outcome": "completed",
        "side": "midline",
        "body_site": "abdomen",
    }
    shelf.write("procedure.record", data, patient=patient, by="Dr. Silva")
    shelf.write("procedure.record", {"text": "bullet kept"}, patient=patient)

    rows = [to_json(row) for row in shelf.table(subject, "procedure")]

    assert [(row["code"], row["mds"], row["text"]) for row in rows] == [
        ("caesarean", 34, "twins"),
        ("", None, "bullet kept"),
    ]
    assert (rows[0]["anaesthesia"], rows[0]["result"], rows[0]["side"]) == (
        "spinal",
        "completed",
        "midline",
    )


@pytest.mark.parametrize(
    ("kind", "data", "code", "field"),
    [
        ("procedure.record", {}, "missing_field", "data.code"),
        ("procedure.record", {"code": "magic"}, "bad_value", "data.code"),
        ("procedure.record", {"text": "x", "side": "top"}, "bad_value", "data.side"),
        ("procedure.record", {"text": "x", "outcome": "?"}, "bad_value", "data.outcome"),
        ("intake.record", {"what": "ors"}, "missing_field", "data.volume_ml"),
        ("intake.record", {"what": "tea", "volume_ml": "1"}, "bad_value", "data.what"),
        ("intake.record", {"what": "ors", "volume_ml": "0"}, "impossible", "data.volume_ml"),
        ("intake.record", {"what": "vomit", "volume_ml": "5000.1"}, "impossible", "data.volume_ml"),
        ("intake.record", {"what": "ors", "volume_ml": "3001"}, "confirm_needed", "data.volume_ml"),
        ("intake.record", {"what": "ors", "volume_ml": "1,200"}, "grouping_mark", "data.volume_ml"),
        ("intake.record", {"what": "ors", "volume_ml": "1.25"}, "too_precise", "data.volume_ml"),
        ("intake.record", {"what": "stool", "times": 0}, "out_of_range", "data.times"),
        ("intake.record", {"what": "stool", "times": 201}, "out_of_range", "data.times"),
    ],
)  # fmt: skip
def test_what_is_none_is_refused_by_field(kind, data, code, field):
    shelf, _, patient = in_care()
    refused = shelf.refused(kind, data, patient=patient)
    assert (refused.code, refused.field) == (code, field)


@pytest.mark.safety(5)
def test_safety_5_the_limits_of_the_pack_are_taken_at_the_limit():
    shelf, subject, patient = in_care()
    shelf.write("intake.record", {"what": "vomit", "volume_ml": "1000"}, patient=patient)
    sure = {"patient": patient, "confirm": ["unusual_value"]}
    shelf.write("intake.record", {"what": "vomit", "volume_ml": "5000"}, **sure)
    assert [row.volume_ml for row in shelf.table(subject, "intake")] == ["1000", "5000"]


def test_the_balance_is_of_its_window_says_what_is_estimated_and_what_was_not_measured():
    shelf, subject, patient = in_care()

    def sheet(hours: float, **data: Any) -> str:
        at = NOW_MS + round(hours * HOUR_MS)
        shelf.now_ms = at
        return str(shelf.write("intake.record", data, patient=patient, at=at).fact)

    sheet(0, what="ors", volume_ml="200")
    sheet(1, what="ors", volume_ml="200.5")
    sheet(2, what="stool", volume_ml="350", times=3, estimated=True)
    sheet(3, what="stool", times=2)
    wrong = sheet(4, what="iv-fluid", volume_ml="1000")
    sheet(5, what="urine", volume_ml="30")
    shelf.write("entry.retract", {"fact": wrong}, reason="other bed")
    rows = shelf.table(subject, "intake")

    found = balance(rows, NOW_MS + HOUR_MS, NOW_MS + 5 * HOUR_MS)

    assert (found.in_tenths, found.out_tenths, found.tenths) == (2005, 3500, -1495)
    assert found.by_what == (("ors", 2005), ("stool", 3500))
    assert found.times == (("stool", 5),)
    assert (found.estimated, found.unmeasured) == (True, 1)
    assert millilitres(found.tenths) == "-149.5"
    assert millilitres(found.in_tenths - 5) == "200"


AMOUNTS = st.lists(
    st.tuples(st.sampled_from(("in", "out", "")), st.integers(0, 10**5), st.integers(0, 48)),
    max_size=20,
)


@given(AMOUNTS, st.integers(0, 48), st.integers(0, 48), st.randoms(use_true_random=False))
def test_balances_of_neighbouring_windows_add_up_in_any_order(amounts, one, other, shuffler):
    rows = [
        IntakeRow(
            entry=at, idx=0, kind=104, standing=0, at_ms=hour, patient=b"", encounter=None,
            what=direction, direction=direction, tenths_ml=tenths,
        )
        for at, (direction, tenths, hour) in enumerate(amounts)
    ]  # fmt: skip
    first, last = sorted((one, other))
    whole = balance(rows, 0, 49)
    shuffler.shuffle(rows)
    parts = [balance(rows, *window) for window in ((0, first), (first, last), (last, 49))]

    assert sum(part.tenths for part in parts) == whole.tenths
    assert whole.tenths == sum(
        {"in": 1, "out": -1, "": 0}[direction] * tenths for direction, tenths, _ in amounts
    )


def test_procedures_and_fluids_of_the_pack_have_their_items_and_words():
    pack = vocabulary()
    assert check(pack) == []
    assert {row.mds for row in pack.procedure} == {None, *range(30, 36)}
    assert all(isinstance(row, Procedure) for row in pack.procedure)
    assert {row.direction for row in pack.fluid if isinstance(row, Fluid)} == {"in", "out"}
    assert (word("stool", "fr"), word("stool", "xx"), word("tea", "en")) == (
        "Selles",
        "Stool",
        None,
    )


def test_a_result_at_the_bedside_keeps_its_unit_and_a_blood_group_is_a_word():
    shelf, subject, patient = in_care()
    for code, value in (("blood-group", "o-negative"), ("malaria-rdt", "positive")):
        shelf.write("observation.record", {"code": code, "value": value}, patient=patient)
    sugar = {"code": "glucose", "value": "5,5", "unit": "mmol/l"}
    shelf.write("observation.record", sugar, patient=patient)
    weighed = {"code": "weight-estimated", "value": "60", "unit": "kg"}
    shelf.write("observation.record", weighed, patient=patient)

    assert [(row.code, row.value, row.unit) for row in shelf.table(subject, "observation")] == [
        ("blood-group", "o-negative", ""),
        ("malaria-rdt", "positive", ""),
        ("glucose", "5.5", "mmol/L"),
        ("weight-estimated", "60", "kg"),
    ]
