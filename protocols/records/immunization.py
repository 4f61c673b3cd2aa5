"""The families of immunization gathered: what catalogue, projection and words take of each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec

from protocols.ids import DocId, EntryPrefix, FactRef, SessionId, SiteId
from protocols.records import (
    aefi,
    closing,
    decision,
    dose,
    dosing,
    intervention,
    session,
    tally,
    tallying,
    vial,
)
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.movement import FOLLOWERS, Move
from protocols.records.patient import PatientRow
from protocols.records.shape import Kind, Row, Statement, SubjectKind

KINDS: tuple[Kind, ...] = (
    session.KIND,
    closing.KIND,
    vial.KIND_OPEN,
    vial.KIND_DISCARD,
    dosing.KIND,
    decision.KIND,
    tallying.KIND,
    aefi.KIND,
)

ROW_TABLES: tuple[type[Row], ...] = (
    session.SessionRow,
    vial.VialRow,
    tally.TallyRow,
    dose.DoseRow,
    decision.DecisionRow,
    aefi.AefiRow,
    intervention.InterventionRow,
)

_OF_PATIENTS = frozenset((KindNo.DOSE_RECORD, KindNo.DOSE_DECIDE, KindNo.AEFI_REPORT))

_SAID: dict[type, Callable[[Any], list[tuple[str, str]]]] = {
    session.SessionOpen: session.own_words,
    closing.SessionClose: closing.own_words,
    vial.VialOpen: vial.open_words,
    vial.VialDiscard: vial.discard_words,
    dose.DoseRecord: dose.own_words,
    decision.DoseDecide: decision.own_words,
    tally.TallyAdd: tally.own_words,
    aefi.AefiReport: aefi.own_words,
}


def of_session(history: History) -> list[Row]:
    """Return the rows of one session."""
    return [*session.rows(history), *vial.rows(history), *tally.rows(history)]


PROJECT: dict[int, Callable[[History], list[Row]]] = {SubjectKind.SESSION: of_session}
"""The rows of each kind of subject."""


def of_patient(history: History, person: PatientRow) -> list[Row]:
    """Return the rows of immunization of one patient.

    Args:
        history: All that is known of the patient.
        person: The patient's own row.
    """
    beside = intervention.rows(history, person)
    if _OF_PATIENTS.isdisjoint(history.of_kind):
        return [*beside]
    return [*dose.rows(history, person), *decision.rows(history), *aefi.rows(history), *beside]


def _vial_opened(value: Statement, subject: DocId, ref: Ref) -> tuple[Move, ...]:
    assert isinstance(value, vial.VialOpen)
    return vial.follows(value, ref)


FOLLOWERS[KindNo.VIAL_OPEN] = _vial_opened


def own_words(record: Any) -> list[tuple[str, str]]:
    """Return what a record of immunization says, as (catalogue key, text); [] for any other."""
    say = _SAID.get(type(record))
    return [] if say is None else say(record)


def _references(raw: bytes | None) -> list[str]:
    whole = raw or b""
    return [
        str(FactRef(EntryPrefix(whole[at : at + 16]), int.from_bytes(whole[at + 16 : at + 18])))
        for at in range(0, len(whole) - 17, 18)
    ]


def _session(raw: bytes | None) -> str | None:
    return str(SessionId(raw)) if raw and len(raw) == SessionId.SIZE else None


def _vial(raw: bytes | None) -> str | None:
    return next(iter(_references(raw)), None)


def _decoded(text: str) -> Any:
    return msgspec.json.decode(text)


def _site(raw: bytes | None) -> str | None:
    return str(SiteId(raw)) if raw and len(raw) == SiteId.SIZE else None


_DOUBTED = ("session", "vial", "tally", "dose", "intervention")

COLUMNS: dict[tuple[str, str], Callable[[Any], Any]] = {
    ("session", "id"): _session,
    **{
        ("session", name): _decoded
        for name in (
            "offsets",
            "vaccines",
            "targets",
            "lots",
            "cells",
            "choose",
            "left",
            "interventions",
        )
    },
    **{(table, "session"): _session for table in ("vial", "tally", "dose", "intervention")},
    **{(table, "vial"): _vial for table in ("vial", "tally", "dose")},
    ("session", "store"): _site,
    ("vial", "store"): _site,
    ("aefi", "outcome"): str,
    ("aefi", "doses"): _references,
    ("dose_decision", "doses"): _references,
    **dict.fromkeys(
        (
            ("aefi", "serious"),
            ("vial", "closed"),
            ("vial", "ends_with_session"),
            ("dose", "elsewhere"),
            ("dose", "apart"),
            *((table, "doubtful") for table in _DOUBTED),
            ("intervention", "duplicate"),
        ),
        bool,
    ),
}
"""How a column is told to another program, by table and column, where it is not told as it is."""
