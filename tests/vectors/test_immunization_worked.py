"""Cases worked by hand from the sheet of WHO recommendations, each with its arithmetic."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from protocols.guidelines.immunization import (
    Born,
    Forecast,
    Verdict,
    born_of_date,
    born_stated,
    forecast,
    validate,
)
from tests.unit.immunization_cases import day_of, doses_of, rows, terms_of

CASES = rows("worked.csv")
SHEET = Path(__file__).resolve().parents[3] / "shared" / "facts" / "who_schedule.csv"
LEFT_OUT = {"Rabies_PEP": "after a bite, by days and not by age"}


def born_of(text: str) -> Born:
    if " on " in text:
        age, _, day = text.partition(" on ")
        number, unit = age.split()
        return born_stated(int(number), unit, day_of(day), estimated=False)
    found = born_of_date(text)
    assert found is not None
    return found


def iso(day: int | None) -> str:
    epoch = date(1970, 1, 1).toordinal()
    return "" if day is None else date.fromordinal(day + epoch).isoformat()


@pytest.mark.parametrize("row", CASES, ids=lambda row: f"{row['case']}-{row['sheet']}")
def test_a_case_worked_by_hand(row):
    found: Verdict | Forecast
    born = born_of(row["born"])
    plan, terms = terms_of(row, born.first)
    doses = doses_of(row["doses"], born.first)
    word, _, what = row["asked"].partition(" ")

    if word == "dose":
        told = validate(doses, born, plan, terms)
        (found,) = [
            each
            for each in told
            if (each.key, each.series) == (f"{int(what) - 1:02}", row["series"])
        ]
        day = ""
    else:
        (due,) = [
            each
            for each in forecast(doses, born, day_of(what), plan, terms)
            if each.series == row["series"]
        ]
        found, day = due, iso(due.day)
        assert due.sure == (row["sure"] != "no")
    assert (found.state, str(found.number), day) == (row["state"], row["number"], row["day"]), found
    assert all(rule.pack and rule.version and rule.source for rule in found.rules)
    assert found.rules


def test_there_are_enough_cases_and_each_shows_its_arithmetic():
    assert len(CASES) >= 40
    assert len({row["case"] for row in CASES}) == len(CASES)
    assert all(row["worked"] and row["sheet"] for row in CASES)


@pytest.mark.skipif(not SHEET.exists(), reason="the sheets of facts are not beside this checkout")
def test_every_row_of_the_sheet_has_a_case():
    lines = [line for line in SHEET.read_text("utf-8").splitlines() if not line.startswith("#")]
    named = {" ".join(line.split(",")[:2]) for line in lines[1:]}

    assert {row["sheet"] for row in CASES} <= named
    without = {name for name in named if name not in {row["sheet"] for row in CASES}}
    assert {name.split()[0] for name in without} == set(LEFT_OUT)
