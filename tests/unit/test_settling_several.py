"""Settling what more than two said apart, and what some of them said without standing."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace

from tests.unit.care_lines import PARACETAMOL
from tests.unit.records_shelf import Shelf

ASKED = {"reason": "asked at the bedside"}


def three(kind: str, *datas: dict[str, Any]) -> tuple[Shelf, Any, list[str]]:
    """Return a book in which as many tents as there are datas wrote of one patient apart."""
    here = Shelf("a")
    patient = here.write("patient.register", {})
    here.write("encounter.open", patient=patient.id)
    tents, facts = [], []
    for number, data in enumerate(datas):
        tents.append(Shelf(f"tent {number}"))
        tents[-1].receive(here)
        facts.append(tents[-1].write(kind, data, patient=patient.id).fact)
    for tent in tents:
        here.receive(tent)
    return here, patient, facts


def sides(shelf: Shelf, patient: Any) -> list[str]:
    return [row.value for row in shelf.table(patient.subject, "conflict")]


def test_of_three_orders_apart_every_other_one_is_stopped():
    doses = [{**PARACETAMOL, "dose": {"value": str(mg), "unit": "mg"}} for mg in (250, 500, 1000)]
    shelf, patient, facts = three("order.place", *doses)
    assert len(sides(shelf, patient)) == 3

    keep = {"attribute": "order", "keep": facts[1]}
    shelf.write("conflict.settle", keep, patient=patient.id, **ASKED)
    rows = shelf.table(patient.subject, "order_placed")
    assert [row.dose for row in rows if row.stopped_ms is None] == ["500 mg"]
    assert sides(shelf, patient) == []


def test_of_three_weights_apart_every_other_one_is_entered_in_error():
    values = [{"code": "weight", "value": kg, "unit": "kg"} for kg in ("40", "60", "80")]
    shelf, patient, facts = three("observation.record", *values)

    keep = {"attribute": "weight", "keep": facts[2]}
    shelf.write("conflict.settle", keep, patient=patient.id, **ASKED)
    rows = shelf.table(patient.subject, "observation")
    assert [row.value for row in rows if not row.replaced] == ["80"]
    assert sides(shelf, patient) == []


def test_a_value_that_does_not_stand_is_settled_with_the_rest_and_does_not_come_back():
    names = [{"given_name": name} for name in ("Awa", "Eva", "Eve")]
    shelf, patient, facts = three("patient.identify", *names)
    held = shelf.facts_by_subject[patient.subject]
    (at,) = (at for at, fact in enumerate(held) if str(fact.ref) == facts[0])
    held[at] = replace(held[at], standing=3)

    settle = {"attribute": "given_name", "keep": facts[1]}
    shelf.write("conflict.settle", settle, patient=patient.id, **ASKED)
    # What waited for its writer's certificate stands from now on: it was seen, and settled.
    held = shelf.facts_by_subject[patient.subject]
    held[at] = replace(held[at], standing=0)
    row = shelf.patient(patient.subject)
    assert (row.given, row.unsettled) == ("Eva", 0)


def test_two_who_settle_apart_made_a_new_conflict_and_the_same_words_end_it():
    names = [{"given_name": name} for name in ("Awa", "Eva")]
    here, patient, _ = three("patient.identify", *names)
    for first, second, open_still in (("Awa", "Eva", 1), ("Eve", "Eve", 0)):
        there = Shelf(f"b {first}")
        there.receive(here)
        for tent, name in ((here, first), (there, second)):
            said = {"attribute": "given_name", "value": name}
            tent.write("conflict.settle", said, patient=patient.id, **ASKED)
        here.receive(there)
        assert here.patient(patient.subject).unsettled == open_still


def test_taking_the_settlement_back_shows_both_sides_again_and_redoing_it_settles_again():
    names = [{"given_name": name} for name in ("Awa", "Eva")]
    shelf, patient, _ = three("patient.identify", *names)
    said = {"attribute": "given_name", "value": "Eve"}
    settled = shelf.write("conflict.settle", said, patient=patient.id, **ASKED)
    undone = shelf.write("entry.retract", {"fact": settled.fact}, **ASKED)
    assert sorted(sides(shelf, patient)) == ["Awa", "Eva"]

    redone = shelf.write("entry.retract", {"fact": undone.fact}, **ASKED)
    row = shelf.patient(patient.subject)
    assert (row.given, row.unsettled) == ("Eve", 0)
    shelf.write("entry.retract", {"fact": redone.fact}, **ASKED)
    assert sorted(sides(shelf, patient)) == ["Awa", "Eva"]
