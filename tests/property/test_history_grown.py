"""What is known of a patient, grown by what was just written, is what reading all of it gives."""

from __future__ import annotations

from random import Random
from typing import Any

import pytest

from protocols.errors import InputError
from protocols.records.history import History, InOrder
from tests.unit.records_shelf import Shelf

LINES: tuple[tuple[str, dict[str, Any]], ...] = (
    ("patient.identify", {"given_name": "Awa"}),
    ("patient.identify", {"given_name": "Eve", "tags": ["T2"]}),
    ("patient.identify", {"age": {"value": "14", "unit": "y"}}),
    ("encounter.open", {"bed": "A1"}),
    ("encounter.move", {"bed": "B2"}),
    ("triage.record", {"category": "red", "sex": "female", "tag": "T3"}),
    ("triage.record", {"category": "green", "problem": "cough"}),
    ("observation.record", {"code": "weight", "value": "12", "unit": "kg"}),
    ("note.add", {"text": "seen"}),
    ("allergy.record", {"code": "latex"}),
)


@pytest.mark.parametrize("seed", range(40))
def test_a_patient_that_grew_is_one_read_whole(seed: int) -> None:
    chance = Random(seed)
    here = Shelf("a")
    patient = here.write("patient.register", {"tags": ["T1"], "given_name": "Eva"})
    there = Shelf("b")
    there.receive(here)
    grew = 0
    for _ in range(14):
        shelf = chance.choice((here, there))
        _write(shelf, chance, patient)
        if chance.random() < 0.2:
            chance.choice((here, there)).receive(there if shelf is here else here)
    here.receive(there)
    facts = sorted(here.facts(patient.subject), key=lambda fact: (fact.order, fact.index))
    for at in range(1, len(facts)):
        before, came = InOrder(facts[:at]), facts[at : at + 1 + chance.randrange(2)]
        whole = InOrder(facts[: at + len(came)])
        first = History(patient.subject, before)
        first.worked_out[int] = "what a family made of it before"
        grown = first.grown(whole, came)
        if grown is None:
            continue
        grew += 1
        read = History(patient.subject, whole)
        for name in ("now", "contested", "of_kind", "retracted", "beside", "encounter_of"):
            assert getattr(grown, name) == getattr(read, name), (name, came)
        assert [grown.replaced(fact) for fact in whole] == [read.replaced(fact) for fact in whole]
        assert grown.worked_out == {}
    assert grew


def _write(shelf: Shelf, chance: Random, patient: Any) -> None:
    line: dict[str, Any] = {"confirm": ["tag_in_use", "unusual_value"], "reason": "why"}
    try:
        if chance.random() < 0.15:
            fact = chance.choice(shelf.facts(patient.subject))
            shelf.write("entry.retract", {"fact": str(fact.ref)}, **line)
        else:
            kind, data = chance.choice(LINES)
            shelf.write(kind, data, patient=patient.id, **line)
    except InputError:
        pass  # taken back already, or no stay is open
