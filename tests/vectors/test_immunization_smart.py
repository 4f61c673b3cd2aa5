"""Cases by others: what the WHO SMART immunizations decision tables say, each as facts."""

from __future__ import annotations

import pytest

from protocols.guidelines.immunization import born_on, forecast
from tests.unit.immunization_cases import at, day_of, doses_of, rows, terms_of

BORN = day_of("2020-03-10")
CASES = rows("smart.csv")
ALIKE = {
    "due": {"due", "overdue"},
    "not due": {"not-yet", "contraindicated", "too-old", "complete"},
    "complete": {"complete"},
    "contraindicated": {"contraindicated"},
    "judge": {"due", "overdue", "contraindicated", "too-old"},
}
"""What of ours agrees with a status of theirs; `judge` leaves it to a clinician."""


def name_of(row):
    return f"{row['table']}-{row['case']}-{row['series']}"


@pytest.mark.parametrize("row", CASES, ids=name_of)
def test_a_case_of_the_decision_tables(row):
    plan, terms = terms_of(row, BORN)
    on_day = at(BORN, row["on"])

    found = forecast(doses_of(row["doses"], BORN), born_on(BORN), on_day, plan, terms)

    (ours,) = [each for each in found if each.series == row["series"]]
    assert (ours.state, ours.number) == (row["state"], int(row["number"])), ours
    assert (ours.state in ALIKE[row["theirs"]]) == (not row["differs"])


def test_no_case_stands_there_twice_and_each_difference_names_its_rule():
    keys = [(row["table"], row["case"], row["series"]) for row in CASES]

    assert len(keys) == len(set(keys))
    assert len(CASES) >= 200
    assert all(len(row["differs"]) > 20 for row in CASES if row["differs"])
