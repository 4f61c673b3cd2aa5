"""The row of a patient whom people wrote about apart: cautious, and the same in any order."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from protocols.records.attributes import Category, Isolation, Sex
from tests.unit.records_shelf import NOW_MS, Shelf

HOUR_MS = 3_600_000


def apart(*lines: tuple[str, dict[str, Any], int], known: bool = False) -> list[Any]:
    """Return the patient's row for each order in which the lines were written by a tent each.

    Args:
        lines: Kind, data and hours before now.
        known: Whether a stay is open already that all tents know of.
    """
    found = []
    for order in permutations(lines):
        here = Shelf("a")
        patient = here.write("patient.register", {"family_name": "Keita"})
        if known:
            here.write("encounter.open", patient=patient.id, at=NOW_MS - 48 * HOUR_MS)
        tents = []
        for number, (kind, data, back) in enumerate(order):
            tents.append(Shelf(f"tent {number}"))
            tents[-1].receive(here)
            tents[-1].write(kind, data, patient=patient.id, at=NOW_MS - back * HOUR_MS)
        for tent in tents:
            here.receive(tent)
        found.append(here.patient(patient.subject))
    return found


def test_of_two_sexes_pregnant_is_used_whoever_wrote_last():
    said = [("patient.identify", {"sex": sex}, 0) for sex in ("female", "female-pregnant")]
    assert [row.sex for row in apart(*said)] == [Sex.FEMALE_PREGNANT] * 2
    cleared: dict[str, Any] = {"sex": None}
    said = [("patient.identify", {"sex": "female-pregnant"}, 0), ("patient.identify", cleared, 0)]
    assert [row.sex for row in apart(*said)] == [Sex.FEMALE_PREGNANT] * 2
    said = [("patient.identify", {"sex": sex}, 0) for sex in ("female", "male")]
    assert {row.sex for row in apart(*said)} == {Sex.FEMALE, Sex.MALE}


@pytest.mark.safety(11)
@pytest.mark.parametrize("known", [False, True], ids=["stays of their own", "one stay"])
@pytest.mark.parametrize(
    ("categories", "used", "reassess"),
    [
        (("red", "green"), Category.RED, 0),
        (("yellow", "green"), Category.YELLOW, 0),
        (("expectant", "green"), Category.GREEN, 1),
        (("dead", "expectant"), Category.EXPECTANT, 1),
        (("dead", "red", "green"), Category.RED, 1),
    ],
)
def test_safety_11_of_categories_apart_the_cautious_one_is_used_in_one_stay_or_several(
    known, categories, used, reassess
):
    said = [("triage.record", {"category": each}, back) for back, each in enumerate(categories)]
    for row in apart(*said, known=known):
        assert (row.triage, row.triage_open, row.reassess) == (used, 1, reassess)
        assert row.triage_at_ms == NOW_MS - categories.index(used.name.lower()) * HOUR_MS
        assert row.urgent == int(used == Category.RED)


@pytest.mark.parametrize("known", [False, True], ids=["stays of their own", "one stay"])
def test_the_stricter_isolation_is_kept_in_one_stay_or_several(known):
    kind = "encounter.move" if known else "encounter.open"
    said = [(kind, {"isolation": each}, 0) for each in ("contact", "airborne", "none")]
    assert {row.isolation for row in apart(*said, known=known)} == {Isolation.AIRBORNE}


def test_who_lies_here_is_in_the_open_stay_however_late_another_one_was_opened_and_closed():
    for late_first in (True, False):
        shelf = Shelf()
        patient = shelf.write("patient.register", {})
        later = Shelf("b")
        later.receive(shelf)
        shelf.write("encounter.open", {"bed": "A1"}, patient=patient.id, at=NOW_MS - 9 * HOUR_MS)
        later.write("encounter.open", {"bed": "B2"}, patient=patient.id, at=NOW_MS - HOUR_MS)
        later.write("encounter.close", {"outcome": "discharged"}, patient=patient.id)
        for one, other in ((shelf, later), (later, shelf))[:: 1 if late_first else -1]:
            one.receive(other)
        for one in (shelf, later):
            row = one.patient(patient.subject)
            assert (row.bed, row.closed_ms) == ("A1", None)
            assert row.arrived_ms == NOW_MS - 9 * HOUR_MS


def test_of_two_open_stays_the_one_opened_last_is_shown():
    rows = apart(("encounter.open", {"bed": "A1"}, 9), ("encounter.open", {"bed": "B2"}, 1))
    assert [row.bed for row in rows] == ["B2", "B2"]


def test_a_stay_that_is_over_alerts_no_more_and_what_is_unsettled_in_every_open_one_counts():
    shelf = Shelf()
    patient = shelf.write("patient.register", {})
    shelf.write(
        "triage.record", {"category": "green", "alerts": ["limit.spo2.low"]}, patient=patient.id
    )
    assert shelf.patient(patient.subject).urgent == 1
    shelf.write("encounter.close", {"outcome": "discharged"}, patient=patient.id)
    assert shelf.patient(patient.subject).urgent == 0

    here, there = Shelf("a"), Shelf("b")
    patient = here.write("patient.register", {})
    first = here.write("encounter.open", {"bed": "A1"}, patient=patient.id)
    there.receive(here)
    for tent, bed in ((here, "C3"), (there, "D4")):
        tent.write("encounter.move", {"bed": bed}, patient=patient.id)
    here.receive(there)
    assert first.subject == patient.subject
    here.write("encounter.open", {"bed": "Z9"}, patient=patient.id, at=NOW_MS + HOUR_MS // 20)
    row = here.patient(patient.subject)
    assert (row.bed, row.unsettled) == ("Z9", 1)
