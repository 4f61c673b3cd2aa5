"""Facts to rows: the one place where a subject's documents become what screens and pages read."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from protocols.ids import DocId
from protocols.records import (
    barcode,
    bed,
    care,
    confirmation,
    counted,
    encounter,
    immunization,
    note,
    observation,
    pack,
    patient,
    picture,
    protection,
    site,
    supplies,
    triage,
)
from protocols.records.history import History, history_of
from protocols.records.shape import Fact, Row, SubjectKind


class UnreadableRow(Row, frozen=True, kw_only=True, gc=False):
    """A fact of a kind this software does not know, or whose value does not read as its kind."""

    TABLE: ClassVar[str] = "unreadable"
    subject_id: bytes


ROW_TABLES: tuple[type[Row], ...] = (
    patient.PatientRow,
    patient.AssertionRow,
    patient.LinkRow,
    patient.TagRow,
    encounter.EncounterRow,
    bed.BedLeftRow,
    triage.TriageRow,
    confirmation.ConfirmationRow,
    observation.ObservationRow,
    note.NoteRow,
    site.SiteRow,
    counted.CountedRow,
    protection.ProtectionRow,
    *care.ROW_TABLES,
    pack.PackRow,
    pack.PackApprovalRow,
    pack.PackUseRow,
    barcode.BarcodeRow,
    *supplies.ROW_TABLES,
    *immunization.ROW_TABLES,
    UnreadableRow,
)
"""Every row table."""

BY_TABLE: dict[str, type[Row]] = {table.TABLE: table for table in ROW_TABLES}


def project(kind: int, subject: DocId, facts: Sequence[Fact]) -> list[Row]:
    """Return all rows of one subject; the same rows for the same facts in any order.

    Never raises on what a fact holds: a value that does not read has `record` None.

    Args:
        kind: What the ledger takes the subject to be; counts only while no readable document says.
        subject: Its id.
        facts: All facts of all its documents.
    """
    if not facts:
        return []
    history = history_of(subject, facts)
    of_kind = _PROJECT.get(history.subject_kind or kind)
    found = of_kind(history) if of_kind else []
    for fact in history.unreadable:
        found.append(
            UnreadableRow(
                entry=fact.entry,
                idx=fact.index,
                kind=fact.kind,
                standing=fact.standing,
                at_ms=fact.clock_ms,
                subject_id=subject,
            )
        )
    return found


def _of_patient(history: History) -> list[Row]:
    stays, contests = encounter.rows(history), care.contests(history)
    person = picture.patient_row(history, stays, contests)
    return [
        person,
        *picture.assertion_rows(history),
        *picture.tag_rows(history),
        *patient.rows(history),
        *stays,
        *bed.rows(history, stays),
        *triage.rows(history),
        *confirmation.rows(history),
        *observation.rows(history),
        *note.rows(history),
        *care.rows(history, contests),
        *immunization.of_patient(history, person),
    ]


def _of_site(history: History) -> list[Row]:
    return [*site.rows(history), *picture.assertion_rows(history)]


def _unassigned(history: History) -> list[Row]:
    return [*observation.unassigned_rows(history)]


def _counted(history: History) -> list[Row]:
    return [*counted.rows(history)]


def _protected(history: History) -> list[Row]:
    return [*protection.rows(history)]


def _pack(history: History) -> list[Row]:
    return pack.rows(history)


def _barcode(history: History) -> list[Row]:
    return [*barcode.rows(history)]


_PROJECT: dict[int, Callable[[History], list[Row]]] = {
    SubjectKind.PATIENT: _of_patient,
    SubjectKind.SITE: _of_site,
    SubjectKind.UNASSIGNED: _unassigned,
    SubjectKind.COUNTED: _counted,
    SubjectKind.PROTECTED: _protected,
    SubjectKind.PACK: _pack,
    SubjectKind.BARCODE: _barcode,
    **supplies.PROJECT,
    **immunization.PROJECT,
}
