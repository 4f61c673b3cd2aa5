"""All records of one person, as far as people linked them: asked while something is planned."""

from __future__ import annotations

from protocols.ids import DocId, PatientId
from protocols.records.history import History
from protocols.records.patient import LinkRow
from protocols.records.planning import Desk
from protocols.records.shape import View

RECORDS_MAX = 32
"""Records of one person that are read together; more were linked by mistake."""


def records_of(view: View, patient: DocId) -> list[PatientId]:
    """Return all records that people said to be of one person, the one asked about first."""
    found, due = {bytes(patient): None}, [bytes(patient)]
    while due and len(found) < RECORDS_MAX:
        one = due.pop()
        rows = [*view.rows_where(LinkRow, "patient", one), *view.rows_where(LinkRow, "other", one)]
        ends = {
            end
            for row in rows
            if row.linked and not (row.relation or row.standing or row.replaced)
            for end in (bytes(row.patient), bytes(row.other))
        }
        due += sorted(ends - found.keys())
        found |= dict.fromkeys(sorted(ends - found.keys()))
    return [PatientId(one) for one in found]


def histories_of(desk: Desk, patient: DocId) -> list[History]:
    """Return what is known of a person in all records that were linked, the one asked about first.

    What somebody had or reacts to stands in any of them.
    """
    return [desk.history(one) for one in records_of(desk.view, patient)]
