"""A person stands by a triage that a device wrote while nobody was identified at it (SAFETY 20)."""

from __future__ import annotations

from typing import ClassVar

import msgspec

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.ids import PREFIX_BYTES, FactRef
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.planning import Command, Desk
from protocols.records.shape import (
    Draft,
    Fact,
    Kind,
    NewFact,
    Plan,
    Row,
    Statement,
    SubjectKind,
    View,
)
from protocols.records.spelling import FactText
from protocols.trust.sessions import NOBODY

# fields


class TriageConfirm(Statement, frozen=True):
    """Whoever signed this has looked at the triage it names and stands by it."""

    triage: tuple[bytes, int] = (b"", 0)
    """(entry prefix, index) of the triage; an empty prefix is the entry that started this
    document."""

    def __post_init__(self) -> None:
        """Refuse what names nothing."""
        prefix, index = self.triage
        if len(prefix) not in (0, PREFIX_BYTES) or not 0 <= index < 2**16:
            raise ValueError("triage")


# commands


class ConfirmData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of triage.confirm."""

    triage: FactText
    """Id of the triage."""


# apply


def plan(command: Command, view: View) -> Plan:
    """Confirm one triage that nobody identified wrote; it supersedes and states nothing."""
    desk = Desk(command, view)
    try:
        ref = FactRef.parse(command.data.triage)
    except InputError as error:
        raise error.at("data.triage") from None
    subject, fact = desk.fact(ref, "data.triage")
    history = desk.history(subject)
    of_patient = history.subject_kind == SubjectKind.PATIENT
    nobodys = fact.kind == KindNo.TRIAGE_RECORD and fact.session == NOBODY
    if not (of_patient and nobodys) or history.replaced(fact) == 2:
        raise InputError("not_unconfirmed", field="data.triage")
    desk.must_be_theirs(subject, "data.triage")
    if confirmations(history).get((fact.prefix, fact.index)):
        raise InputError("already_confirmed", field="data.triage")
    record = TriageConfirm(desk.circumstances(), (), (bytes(ref.entry), ref.index))
    stay = history.encounter_of.get(fact.doc)
    new = (NewFact(KindNo.TRIAGE_CONFIRM, record),)
    draft = Draft(Lane.ROUTINE, SubjectKind.PATIENT, subject, stay, new)
    return Plan((draft,), tuple(desk.warnings))


def confirmations(history: History) -> dict[Ref, list[Fact]]:
    """Return who stands by which triage, oldest first: a person each, none entered in error."""
    found: dict[Ref, list[Fact]] = {}
    for fact in history.of_kind.get(KindNo.TRIAGE_CONFIRM, ()):
        if fact.standing == 0 and fact.session != NOBODY and not history.replaced(fact):
            found.setdefault(_named(fact), []).append(fact)
    return found


def _named(fact: Fact) -> Ref:
    record = fact.record
    assert isinstance(record, TriageConfirm)
    return record.triage[0] or fact.doc_id, record.triage[1]


# rows


class ConfirmationRow(Row, frozen=True, kw_only=True, gc=False):
    """One confirmation; its author and its time are those of the row."""

    TABLE: ClassVar[str] = "triage_confirmed"
    patient: bytes
    encounter: bytes | None
    confirms: bytes
    """18-byte reference of the triage."""
    counts: int
    """1 while it stands, is a person's and was not taken back."""


def rows(history: History) -> list[ConfirmationRow]:
    """Return one row for each confirmation."""
    counted = {id(fact) for same in confirmations(history).values() for fact in same}
    found = []
    for fact in history.of_kind.get(KindNo.TRIAGE_CONFIRM, ()):
        prefix, index = _named(fact)
        found.append(
            ConfirmationRow(
                entry=fact.entry,
                idx=fact.index,
                kind=fact.kind,
                standing=fact.standing,
                at_ms=fact.at_ms,
                supersedes=history.supersedes(fact),
                replaced=history.replaced(fact),
                patient=history.subject,
                encounter=history.encounter_of.get(fact.doc),
                confirms=prefix + index.to_bytes(2),
                counts=int(id(fact) in counted),
            )
        )
    return found


KIND = Kind(
    number=KindNo.TRIAGE_CONFIRM,
    name="triage.confirm",
    value=TriageConfirm,
    data=ConfirmData,
    plan=plan,
    example={
        "v": 1,
        "kind": "triage.confirm",
        "key": "example-30",
        "data": {"triage": "$triage"},
    },
)

# merge note: two people who confirm one triage apart have both confirmed it; nothing is unsettled
# by that, and it goes on being confirmed while one of the two stands. A later category is another
# statement, which has to be confirmed by itself where nobody was identified.
