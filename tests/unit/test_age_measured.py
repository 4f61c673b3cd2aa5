"""The age that a measured value is judged by, and when a stay began and ended."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.records.observation import age_days
from tests.unit.records_shelf import NOW_MS, Shelf

DAY_MS, HOUR_MS = 86_400_000, 3_600_000


def months(number: int) -> dict[str, Any]:
    return {"age": {"value": str(number), "unit": "mo"}}


def test_an_age_grows_from_the_day_it_was_stated_and_nobody_was_younger_than_that():
    shelf = Shelf()
    patient = shelf.write("patient.register", months(10))
    history = shelf.history(patient.subject)
    stated = 10 * 30.4375

    assert age_days(history, NOW_MS) == stated
    assert age_days(history, NOW_MS + 100 * DAY_MS) == stated + 100
    assert age_days(history, NOW_MS - 300 * DAY_MS) == stated


@pytest.mark.parametrize(
    "said",
    [(months(10), months(30)), ({"birth_date": "2026-01-01"}, {"birth_date": "1996-01-01"})],
    ids=["ages", "dates"],
)
def test_no_value_is_judged_by_an_age_that_people_differ_about(said):
    here, there = Shelf("a"), Shelf("b")
    patient = here.write("patient.register", {})
    there.receive(here)
    for tent, data in zip((here, there), said, strict=True):
        tent.write("patient.identify", data, patient=patient.id)
    here.receive(there)

    assert here.patient(patient.subject).unsettled == 1
    assert age_days(here.history(patient.subject), NOW_MS) is None


def test_a_date_of_birth_comes_before_an_age_and_says_nothing_of_the_time_before_it():
    shelf = Shelf()
    patient = shelf.write("patient.register", {"birth_date": "2026-05-01", **months(30)})
    history = shelf.history(patient.subject)

    assert age_days(history, NOW_MS) == NOW_MS // DAY_MS - 20_574
    assert age_days(history, 0) is None


def test_a_stay_that_triage_founded_began_with_the_first_of_what_stands_in_it():
    shelf = Shelf()
    found = shelf.write("triage.record", {"category": "red", "tag": "T1"}, at=NOW_MS - 2 * HOUR_MS)
    (stay,) = shelf.table(found.subject, "encounter")
    note = shelf.write("note.add", {"text": "older"}, patient=found.id, at=NOW_MS - 5 * HOUR_MS)
    assert shelf.table(found.subject, "encounter")[0].opened_ms == NOW_MS - 5 * HOUR_MS
    shelf.write("entry.retract", {"fact": note.fact}, reason="another patient")
    assert shelf.table(found.subject, "encounter")[0].opened_ms == stay.opened_ms


def test_a_stay_that_two_closed_apart_was_over_with_the_later_one():
    for order in ((1, 4), (4, 1)):
        here = Shelf("a")
        patient = here.write("patient.register", {})
        here.write("encounter.open", patient=patient.id)
        there = Shelf("b")
        there.receive(here)
        for tent, back in zip((here, there), order, strict=True):
            at = NOW_MS - back * HOUR_MS
            tent.write("encounter.close", {"outcome": "discharged"}, patient=patient.id, at=at)
        here.receive(there)
        (stay,) = here.table(patient.subject, "encounter")
        assert stay.closed_ms == NOW_MS - HOUR_MS


def test_parting_two_records_leaves_what_they_are_to_each_other_as_relatives():
    shelf = Shelf()
    one, two = (shelf.write("patient.register", {}) for _ in range(2))
    shelf.write("patient.link", {"other": two.id, "relation": "sibling"}, patient=one.id)
    shelf.write("patient.link", {"other": two.id}, patient=one.id)
    shelf.write("patient.unlink", {"other": two.id}, patient=one.id, reason="twins")

    said = [row for row in shelf.table(one.subject, "link") if not row.replaced]
    assert sorted((row.relation, row.linked) for row in said) == [(0, 0), (5, 1)]
