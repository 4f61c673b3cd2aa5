"""Which records belong together: what stands of links and their taking back, from either side."""

from __future__ import annotations

from typing import NamedTuple

from protocols.ids import PatientId
from protocols.ledger.store import Store
from protocols.ledger.tags import FINDABLE

RELATIONS_MAX = 50
"""Records of one answer."""

_FOUND = f"({', '.join(map(str, FINDABLE))})"


class Relation(NamedTuple):
    """What is said now of two records and one relation."""

    other: PatientId
    relation: int
    """As in the record: 0 the same person, else 1 + the digit of the relation."""
    linked: bool
    disputed: bool
    forward: bool
    """The other is the patient's relation; False: the patient is the other's."""


def of_patient(store: Store, patient: bytes) -> list[Relation]:
    """Return the current statements about a patient, the same person first."""
    found = store.all(
        "SELECT l.patient, l.other, l.relation, max(l.linked), min(l.linked) FROM link l"
        f" WHERE (l.patient = ? OR l.other = ?) AND l.replaced = 0 AND l.standing IN {_FOUND}"
        " GROUP BY l.patient, l.other, l.relation ORDER BY l.relation, l.patient, l.other LIMIT ?",
        (bytes(patient), bytes(patient), 2 * RELATIONS_MAX),
    )
    by_pair: dict[tuple[bytes, int, bool], tuple[int, int]] = {}
    for who, other, relation, most, least in found:
        forward = bytes(who) == bytes(patient) or relation == 0
        there = other if bytes(who) == bytes(patient) else who
        known = by_pair.get((bytes(there), relation, forward), (most, least))
        key = (bytes(there), relation, forward)
        by_pair[key] = (max(most, known[0]), min(least, known[1]))
    return [
        Relation(PatientId(there), relation, bool(most), bool(most) and not least, forward)
        for (there, relation, forward), (most, least) in by_pair.items()
    ][:RELATIONS_MAX]
