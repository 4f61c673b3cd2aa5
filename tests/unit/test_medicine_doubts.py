"""What is asked before a medicine is given or ordered: near in time, stopped, taken back."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from protocols.guidelines.vocabulary import vocabulary
from protocols.records.kinds import KindNo
from tests.unit.care_lines import PARACETAMOL
from tests.unit.records_shelf import NOW_MS, Shelf

HOUR_MS = 3_600_000
GIVEN = {"substance": "paracetamol", "dose": {"value": "500", "unit": "mg"}, "route": "oral"}


def in_care() -> tuple[Shelf, Any]:
    shelf = Shelf()
    patient = shelf.write("patient.register", {})
    shelf.write("encounter.open", patient=patient.id)
    return shelf, patient


def ordered(shelf: Shelf, who: Any, every: int = 4, **more: Any) -> str:
    data = {**PARACETAMOL, "frequency": {"way": "times-a-day", "every": every}}
    return shelf.write("order.place", data, patient=who.id, **more).fact


def give(shelf: Shelf, who: Any, hours_ago: float, order: str | None = None, **more: Any) -> Any:
    data = {"order": order} if order else GIVEN
    at = NOW_MS - round(hours_ago * HOUR_MS)
    return shelf.write("administration.record", data, patient=who.id, at=at, **more)


def asked(shelf: Shelf, who: Any, hours_ago: float, order: str | None = None) -> str:
    data = {"order": order} if order else GIVEN
    at = NOW_MS - round(hours_ago * HOUR_MS)
    error = shelf.refused("administration.record", data, patient=who.id, at=at)
    assert error.code == "confirm_needed"
    return str(error.values["confirm"])


@pytest.mark.parametrize("every", [4, 2])
def test_a_dose_near_another_is_asked_about_on_both_sides_of_it(every):
    shelf, who = in_care()
    order = ordered(shelf, who, every)
    near = 24 / every * vocabulary().doubt.early_percent / 100
    give(shelf, who, 12, order)

    for hours in (12 - near + 0.1, 12 + near - 0.1):
        assert asked(shelf, who, hours, order) == "given_recently"
    # Typed up from paper: given so long before the other one that both are right.
    give(shelf, who, 12 + near, order)
    give(shelf, who, 12 - near, order)


def test_two_doses_apart_are_one_too_many_when_closer_than_the_shorter_interval():
    for hours, doubled in ((5.9, True), (6, False), (10, False)):
        here, who = in_care()
        often = ordered(here, who, 4)
        daily = ordered(here, who, 1, confirm=["ordered_already"])
        there = Shelf("b")
        there.receive(here)
        give(here, who, hours, often)
        give(there, who, 0, daily)
        here.receive(there)
        rows = here.table(who.subject, "administration")
        assert [bool(row.duplicate) for row in rows] == [doubled, doubled]


def test_a_dose_of_an_order_that_was_entered_in_error_or_replaced_is_asked_about():
    shelf, who = in_care()
    order = ordered(shelf, who)
    shelf.write("entry.retract", {"fact": order}, reason="another bed")
    assert asked(shelf, who, 0, order) == "order_stopped"

    older = ordered(shelf, who)
    ordered(shelf, who, 2, supersedes=[older])
    assert asked(shelf, who, 0, older) == "order_stopped"


def test_what_was_stopped_can_be_ordered_again_without_a_question():
    shelf, who = in_care()
    order = ordered(shelf, who)
    error = shelf.refused("order.place", PARACETAMOL, patient=who.id)
    assert error.values["confirm"] == "ordered_already"

    shelf.write("order.stop", {"order": order}, reason="fever gone")
    ordered(shelf, who)


def test_a_dose_that_does_not_stand_is_not_counted_as_given():
    shelf, who = in_care()
    order = ordered(shelf, who)
    give(shelf, who, 8, order)
    give(shelf, who, 0, order)
    held = shelf.facts_by_subject[who.subject]
    doses = [at for at, fact in enumerate(held) if fact.kind == KindNo.ADMINISTRATION_RECORD]
    held[doses[1]] = replace(held[doses[1]], standing=1)

    (row,) = shelf.table(who.subject, "order_placed")
    assert (row.given, row.last_given_ms) == (1, NOW_MS - 8 * HOUR_MS)


def test_two_who_each_took_the_others_dose_for_the_double_leave_one_that_is_asked_about():
    here, who = in_care()
    order = ordered(here, who)
    there = Shelf("b")
    there.receive(here)
    facts = [give(tent, who, 0, order).fact for tent in (here, there)]
    here.receive(there)
    there.receive(here)
    for tent, keep in zip((here, there), facts, strict=True):
        settle = {"attribute": "dose", "keep": keep}
        tent.write("conflict.settle", settle, patient=who.id, reason="asked her")
    here.receive(there)

    assert [row.replaced for row in here.table(who.subject, "administration")] == [2, 2]
    assert asked(here, who, -0.01, order) == "given_recently"
    give(here, who, -4, order, confirm=["future_time"])


def test_a_dose_that_was_entered_in_error_alone_is_asked_about_no_more():
    shelf, who = in_care()
    order = ordered(shelf, who)
    for hours in (1, 0.5):
        wrong = give(shelf, who, hours, order, confirm=["given_recently"])
        shelf.write("entry.retract", {"fact": wrong.fact}, reason="another bed")
    give(shelf, who, 0, order)
