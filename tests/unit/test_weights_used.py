"""Which weights a dose is worked out from, and when they are in conflict (SAFETY 9)."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from msgspec.structs import replace

from protocols.guidelines.vocabulary import vocabulary
from protocols.records import weight
from protocols.records.contested import Contest
from protocols.records.kinds import KindNo
from tests.unit.records_shelf import NOW_MS, Shelf, Written

HOUR_MS = 3_600_000
ANYWAY = ["unusual_value", "future_time"]


def patient(**said: Any) -> tuple[Shelf, Any]:
    shelf = Shelf()
    return shelf, shelf.write("patient.register", said)


def weigh(
    shelf: Shelf, who: Any, value: str, unit: str = "kg", hours: float = 0, **more: Any
) -> Written:
    data = {"code": more.pop("code", "weight"), "value": value, "unit": unit}
    at = NOW_MS - round(hours * HOUR_MS)
    return shelf.write("observation.record", data, patient=who.id, at=at, confirm=ANYWAY, **more)


def apart(shelf: Shelf, who: Any) -> set[str]:
    found: list[Contest] = weight.contests(shelf.history(who.subject))
    return {side.value for each in found for side in each.sides}


def used(shelf: Shelf, who: Any) -> list[Fraction]:
    return [weight.kilograms(fact) for fact in weight.weights(shelf.history(who.subject))]


@pytest.mark.safety(5)
def test_safety_5_what_was_weighed_in_grams_is_compared_in_kilograms():
    shelf, who = patient()
    weigh(shelf, who, "3200", "g")
    weigh(shelf, who, "3.3", "kg", code="weight-estimated")

    assert sorted(used(shelf, who)) == [Fraction("3.2"), Fraction("3.3")]
    assert apart(shelf, who) == set()
    weigh(shelf, who, "2500", "g")
    assert apart(shelf, who) == {"2500 g", "3200 g", "3.3 kg weight-estimated"}


def test_the_latest_weight_is_the_one_taken_last_not_the_one_written_last():
    shelf, who = patient()
    weigh(shelf, who, "60")
    # Typed up later from paper: a day and a half older, so it is no weight of now.
    weigh(shelf, who, "40", hours=36)
    assert apart(shelf, who) == set()
    weigh(shelf, who, "50", hours=20)
    assert apart(shelf, who) == {"60 kg", "50 kg"}


def test_weights_are_set_beside_each_other_up_to_the_hour_of_the_pack():
    hours = vocabulary().doubt.weight_hours
    for back, beside in ((hours, True), (hours + 0.01, False)):
        shelf, who = patient()
        weigh(shelf, who, "60", hours=back)
        weigh(shelf, who, "40")
        assert bool(apart(shelf, who)) is beside


@pytest.mark.safety(14)
def test_safety_14_a_weight_of_no_known_time_is_set_beside_the_latest_one():
    data = {"code": "weight", "value": "60", "unit": "kg"}
    for stated, beside in (({}, True), ({"at": "2026-05-01"}, False)):
        shelf, who = patient()
        weigh(shelf, who, "40")
        shelf.now_ms = 5 * 24 * HOUR_MS
        line = {"patient": who.id, "confirm": ANYWAY, **stated}
        shelf.write("observation.record", data, **line)
        assert bool(apart(shelf, who)) is beside


def test_what_does_not_stand_is_no_weight():
    shelf, who = patient()
    weigh(shelf, who, "60")
    held = shelf.facts_by_subject[who.subject]
    (at,) = (at for at, fact in enumerate(held) if fact.kind == KindNo.OBSERVATION_RECORD)
    assert used(shelf, who) == [60]
    held[at] = replace(held[at], standing=1)
    assert used(shelf, who) == []


@pytest.mark.safety(15)
def test_safety_15_what_a_device_weighed_counts_once_somebody_accepted_it():
    shelf, who = patient()
    weigh(shelf, who, "60")
    result = weigh(shelf, who, "30", source="device")
    assert used(shelf, who) == [60]
    assert apart(shelf, who) == set()

    accepted = shelf.write("result.accept", {"results": [result.fact]})
    assert apart(shelf, who) == {"60 kg", "30 kg"}
    shelf.write("entry.retract", {"fact": accepted.fact}, reason="not hers")
    assert used(shelf, who) == [60]
