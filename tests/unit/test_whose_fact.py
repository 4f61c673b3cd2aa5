"""A line that names one patient and a fact of another writes nothing (SAFETY 16)."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.ids import EncounterId
from tests.unit.care_lines import PARACETAMOL
from tests.unit.records_shelf import Shelf

WEIGHT = {"code": "weight", "value": "60", "unit": "kg"}


@pytest.fixture
def two() -> tuple[Shelf, str, dict[str, str]]:
    """Return a book, one patient, and a fact of each kind about another one."""
    shelf = Shelf()
    mine = shelf.write("patient.register", {"tags": ["A1"]})
    other = shelf.write("patient.register", {"tags": ["B2"]})
    facts: dict[str, str] = {}
    for name, kind, data, more in (
        ("note", "note.add", {"text": "seen"}, {}),
        ("order", "order.place", PARACETAMOL, {}),
        ("result", "observation.record", WEIGHT, {"source": "device"}),
        ("triage", "triage.record", {"category": "red"}, {}),
    ):
        said: dict[str, Any] = {"patient": other.id, **more}
        facts[name] = shelf.write(kind, data, **said).fact
    (stay,) = shelf.table(other.subject, "encounter")
    facts["stay"] = str(EncounterId(stay.id))
    facts["patient"] = other.id
    return shelf, mine.id, facts


@pytest.mark.parametrize("how", ["patient", "tag"])
@pytest.mark.parametrize(
    ("kind", "data", "where"),
    [
        ("entry.retract", {"fact": "note"}, "data.fact"),
        ("order.stop", {"order": "order"}, "data.order"),
        ("administration.record", {"order": "order"}, "data.order"),
        ("result.accept", {"results": ["result"]}, "data.results"),
        ("triage.confirm", {"triage": "triage"}, "data.triage"),
    ],
)
def test_a_fact_of_another_patient_is_refused(
    two: tuple[Shelf, str, dict[str, str]], kind, data, where, how
):
    shelf, mine, facts = two
    shelf.session = (1, b"x" * 32)
    named = {
        name: [facts[one] for one in said] if isinstance(said, list) else facts[said]
        for name, said in data.items()
    }
    line = {"patient": mine if how == "patient" else {"tag": "A1"}}
    refused = shelf.refused(kind, named, reason="why", **line)
    assert (refused.code, refused.field) == ("wrong_subject", where)

    theirs = {"patient": facts["patient"] if how == "patient" else {"tag": "B2"}}
    assert shelf.write(kind, named, reason="why", **theirs).plan.drafts


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("observation.record", WEIGHT),
        ("note.add", {"text": "x"}),
        ("triage.record", {"category": "green"}),
        ("order.place", PARACETAMOL),
        ("encounter.close", {"outcome": "died"}),
        ("encounter.move", {"bed": "A1"}),
        ("conflict.settle", {"attribute": "bed", "value": "A1"}),
    ],
)
def test_a_stay_of_another_patient_is_refused(two: tuple[Shelf, str, dict[str, str]], kind, data):
    shelf, mine, facts = two
    refused = shelf.refused(kind, data, patient=mine, encounter=facts["stay"], reason="why")
    assert (refused.code, refused.field) == ("wrong_encounter", "encounter")


def test_what_another_patient_s_fact_says_is_not_superseded(two: tuple[Shelf, str, dict[str, str]]):
    shelf, mine, facts = two
    said = {"patient": mine, "supersedes": [facts["note"]]}
    assert shelf.refused("note.add", {"text": "x"}, **said).code == "wrong_subject"
