"""What the aggregate scope knows of an encounter: enough to count it, nothing to find it by.

The author writes it in the transaction of what it follows from. An encounter names the subject
under which it is counted, 16 random bytes, in the identified scope only; nothing leads back.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar

from msgspec.structs import astuple

from protocols.feeds.lane import Lane
from protocols.ids import DocId, EncounterId
from protocols.records import encounter, picture
from protocols.records.encounter import EncounterOpen, EncounterRow
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.patient import PatientRow
from protocols.records.shape import (
    Draft,
    Fact,
    Kind,
    NewFact,
    Row,
    Sensitivity,
    Small,
    Statement,
    SubjectKind,
)
from protocols.records.triage import RANK, TriageRecord

DAY_MS = 24 * 3600_000

# fields


class EncounterCounted(Statement, frozen=True):
    """An encounter as counts see it: stated whole, anew whenever one of these changes."""

    day: Small = 0
    """When it began, in days since 1970-01-01, UTC."""
    site: bytes | None = None
    band: Small = 9
    """A `Band`."""
    sex: Small = 9
    """A `Sex`."""
    category: Small | None = None
    """A `Category`; the cautious one while several stand."""
    outcome: Small | None = None
    """Position in `OUTCOMES`, once it is closed."""
    in_error: Small = 0
    """1: there was no such encounter; it is in no count."""

    def __post_init__(self) -> None:
        """Refuse what is no site's id."""
        if self.site is not None and len(self.site) != len(DocId.zero()):
            raise ValueError("site")


# commands: none; what is counted follows from what is recorded


# apply


def named_by(facts: Sequence[Fact], stay: EncounterId) -> DocId | None:
    """Return the subject under which an encounter is counted, as the fact that founds it says."""
    for fact in facts:
        if fact.doc_id == stay and isinstance(fact.record, EncounterOpen | TriageRecord):
            counted = fact.record.counted
            if counted is not None and len(counted) == len(stay):
                return DocId(counted)
    return None


def states(
    subject: DocId, facts: Sequence[Fact]
) -> list[tuple[EncounterId, DocId, EncounterCounted]]:
    """Return what is to be known of each encounter of a patient, and the subject it counts as.

    Args:
        facts: All facts of the patient.
    """
    history = History(subject, facts)
    stays = encounter.rows(history)
    return states_of(stays, picture.patient_row(history, stays), history.facts)


def states_of(
    stays: Sequence[EncounterRow], person: PatientRow, facts: Sequence[Fact]
) -> list[tuple[EncounterId, DocId, EncounterCounted]]:
    """Return the same where the rows that these facts make are at hand.

    Args:
        facts: All facts of the patient, in display order.
    """
    found = []
    for stay in stays:
        counted = named_by(facts, EncounterId(stay.id))
        if counted is not None:
            state = _state(stay, person.band, person.sex)
            found.append((EncounterId(stay.id), counted, state))
    return found


def _state(stay: EncounterRow, band: int, sex: int) -> EncounterCounted:
    return EncounterCounted(
        day=max(stay.opened_ms // DAY_MS, 0),
        site=None if stay.site is None else bytes(stay.site),
        band=band,
        sex=sex,
        category=stay.triage,
        outcome=stay.outcome,
        in_error=int(stay.replaced == 2),
    )


def bears_on(draft: Draft) -> bool:
    """Whether an entry states anew what an encounter is counted by."""
    return any(fact.kind in _BEARING for fact in draft.facts)


_BEARING = frozenset(
    (
        KindNo.ENCOUNTER_OPEN,
        KindNo.ENCOUNTER_MOVE,
        KindNo.ENCOUNTER_CLOSE,
        KindNo.TRIAGE_RECORD,
        KindNo.ENTRY_RETRACT,
        KindNo.CONFLICT_SETTLE,
    )
)


IDENTITY = frozenset(
    (
        KindNo.PATIENT_REGISTER,
        KindNo.PATIENT_IDENTIFY,
        KindNo.PATIENT_LINK,
        KindNo.PATIENT_UNLINK,
    )
)
"""What may make the age band and the sex of a patient others, by which encounters are counted."""


def restated(
    subject: DocId, state: EncounterCounted, held: Sequence[Fact], *, anew: bool
) -> Draft | None:
    """Return the entry that brings the aggregate scope up to date, or None when it is.

    Args:
        held: All facts of the counted subject that can be read here.
        anew: State it though it is the same: what is written bears on the encounter, and whoever
            writes apart from us supersedes what was said before, not this.
    """
    current = _current(History(subject, held)) if held else []
    if not anew and len(current) == 1 and _same(current[0].record, state):
        return None
    record = EncounterCounted(None, tuple((fact.prefix, fact.index) for fact in current),
                              *astuple(state)[2:])  # fmt: skip
    fact = NewFact(KindNo.ENCOUNTER_COUNTED, record)
    return Draft(
        Lane.ROUTINE,
        SubjectKind.COUNTED,
        subject,
        None,
        (fact,),
        sensitivity=Sensitivity.AGGREGATE,
    )


def _current(history: History) -> list[Fact]:
    return [
        fact
        for fact in history.of_kind.get(KindNo.ENCOUNTER_COUNTED, ())
        if fact.standing == 0 and not history.replaced(fact)
    ]


def _same(held: Statement | None, state: EncounterCounted) -> bool:
    return isinstance(held, EncounterCounted) and astuple(held)[2:] == astuple(state)[2:]


# rows


class CountedRow(Row, frozen=True, kw_only=True, gc=False):
    """One encounter as it is counted; counts are sums over these."""

    TABLE: ClassVar[str] = "counted"
    subject_id: bytes
    day: int
    site: bytes | None
    band: int
    sex: int
    category: int | None
    outcome: int | None
    in_error: int
    unsettled: int
    """1 while two statements made apart differ; the cautious category is used."""


def rows(history: History) -> list[CountedRow]:
    """Return the encounter's one row, or none while nothing readable is known of it."""
    facts = history.of_kind.get(KindNo.ENCOUNTER_COUNTED, ())
    current = _current(history)
    shown = current[-1] if current else next(iter(facts), None)
    if shown is None:
        return []
    record: Any = shown.record
    categories = {fact.record.category for fact in current}  # type: ignore[union-attr]
    known = [category for category in categories if category in RANK]
    return [
        CountedRow(
            entry=shown.entry,
            idx=shown.index,
            kind=shown.kind,
            standing=shown.standing,
            at_ms=shown.at_ms,
            supersedes=history.supersedes(shown),
            replaced=history.replaced(shown),
            subject_id=history.subject,
            day=record.day,
            site=record.site,
            band=record.band,
            sex=record.sex,
            category=min(known, key=RANK.__getitem__, default=record.category),
            outcome=record.outcome,
            in_error=record.in_error,
            unsettled=int(any(not _same(fact.record, record) for fact in current)),
        )
    ]


KIND = Kind(number=KindNo.ENCOUNTER_COUNTED, name="", value=EncounterCounted)

# merge note: two people who change one encounter apart both state it anew from what each has; both
# stand until somebody who has both documents writes about the patient again. Meanwhile the row
# says so and uses the cautious category, as the patient's own does.
