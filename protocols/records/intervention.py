"""What sessions gave or measured beside their vaccines, each with its session, day, age and sex.

They are rows of their own, so that nothing that sums doses can ever come upon them.
"""

from __future__ import annotations

from typing import Any, ClassVar

from protocols.records.administration import GIVEN, STATUSES, AdministrationRecord, duplicates
from protocols.records.amounts import amount_text
from protocols.records.beside import Beside
from protocols.records.display import clean_text
from protocols.records.dose import band_on
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.observation import ObservationRecord, in_words
from protocols.records.patient import PatientRow
from protocols.records.shape import Fact, Row
from protocols.records.vaccination import clock_doubtful
from protocols.records.wordlists import word_at

# fields, commands, apply: see `beside.py`, and the families whose records these are

# rows

NOT_GIVEN = 2


class InterventionRow(Row, frozen=True, kw_only=True, gc=False):
    """One thing given or measured in a session that is no dose of vaccine, or why it was not."""

    TABLE: ClassVar[str] = "intervention"
    INDEXED: ClassVar[tuple[str, ...]] = ("patient", "session")
    patient: bytes
    session: bytes
    code: str
    status: str
    """`given`, also of what was measured; else `refused` or `not-given`."""
    day: int | None
    """There, since 1970-01-01; None: no clock that could be right said."""
    amount: str = ""
    """With its unit."""
    lot: str = ""
    band: int = 9
    """Age band on that day."""
    sex: int = 9
    duplicate: int = 0
    """1 while somebody apart gave the same within its interval: possibly twice."""
    doubtful: int = 0
    """1: the clock it was written by could not be right."""


def rows(history: History, person: PatientRow) -> list[InterventionRow]:
    """Return one row for each.

    Args:
        history: All that is known of the patient.
        person: The patient's own row: how old, and of what sex.
    """
    found = [
        (fact, told)
        for kind in (KindNo.ADMINISTRATION_RECORD, KindNo.OBSERVATION_RECORD)
        for fact in history.of_kind.get(kind, ())
        if (told := of(fact)) is not None
    ]
    if not found:
        return []
    twice = {id(fact) for pair in duplicates(history) for fact in pair}
    return [_row(history, person, fact, told, twice) for fact, told in found]


def of(fact: Fact) -> Beside | None:
    """Return of which session a record is beside its vaccines; None of any other."""
    record = fact.record
    if isinstance(record, AdministrationRecord | ObservationRecord):
        return record.beside
    return None


def _row(
    history: History, person: PatientRow, fact: Fact, told: Beside, twice: set[int]
) -> InterventionRow:
    record: Any = fact.record
    lot = ""
    if isinstance(record, AdministrationRecord):
        status, lot = word_at(STATUSES, record.status), clean_text(record.lot)
        amount = amount_text(record.dose)
    else:
        _, value, unit = in_words(record)
        status = STATUSES[NOT_GIVEN if record.absent else GIVEN]
        amount = clean_text(f"{value} {unit}".strip())
    return InterventionRow(
        entry=fact.entry,
        idx=fact.index,
        kind=fact.kind,
        standing=fact.standing,
        at_ms=fact.at_ms,
        supersedes=history.supersedes(fact),
        replaced=history.replaced(fact),
        patient=history.subject,
        session=bytes(told.session or b""),
        code=clean_text(told.code),
        status=status,
        day=told.day,
        amount=amount,
        lot=lot,
        band=band_on(person, told.day),
        sex=person.sex,
        duplicate=int(id(fact) in twice),
        doubtful=int(clock_doubtful(fact)),
    )


# merge note: they are only ever added. Two of one medicine given by people apart within its
# interval are both kept, both counted and both marked as possibly one given twice, by the interval
# that their records hold, until somebody who has seen both says more: see `administration.py`.
