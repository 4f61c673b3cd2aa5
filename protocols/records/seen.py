"""Somebody has seen what a board alerts of: who, when, and of which measurement.

It hides nothing: an alert that was seen goes on standing in the list with who saw it, and whatever
is measured again and still alerts is another alert.
"""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.planning import Command, Desk, refs, tidy
from protocols.records.shape import (
    Draft,
    Fact,
    Kind,
    NewFact,
    Plan,
    Row,
    Small,
    Statement,
    SubjectKind,
    View,
)
from protocols.records.spelling import one_of
from protocols.records.wordlists import position, word_at

# fields

Milliseconds = Annotated[int, msgspec.Meta(ge=-(2**46), le=2**46)]
"""Unix milliseconds, two thousand years either way."""


class AlertAck(Statement, frozen=True):
    """Whoever signed this has seen an alert."""

    why: Small = 0
    """Position in `WHY`."""
    of_ms: Milliseconds = 0
    """The instant it is of: of the set that alerts, of when a set or a dose was late,
    of the arrival."""
    about: tuple[str, ...] = ()
    """What alerted then: names of values, or the score."""


WHY = ("rise", "single", "late", "red", "dose")
"""A score that rose, values that alert by themselves, a set that is late, a red not looked at, or
a dose that is late."""

# commands


class AckData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of alert.ack, as the board says it."""

    why: Annotated[str, one_of(WHY)]
    of_ms: Milliseconds
    about: list[str] = []


ABOUT_MAX = 32
ABOUT_CHARS_MAX = 64

# apply


def plan(command: Command, view: View) -> Plan:
    """Say that an alert was seen; it replaces nothing, and says nothing about the patient."""
    desk = Desk(command, view)
    data: AckData = command.data
    patient = desk.patient()
    why = position(data.why, WHY, "data.why")
    if len(data.about) > ABOUT_MAX:
        raise InputError("too_many", field="data.about", limit=ABOUT_MAX)
    about = tuple(
        tidy(text, f"data.about.{at}", ABOUT_CHARS_MAX) for at, text in enumerate(data.about)
    )
    record = AlertAck(desk.circumstances(), refs(desk.named(patient)), why, data.of_ms, about)
    stay = desk.encounter(patient)
    new = (NewFact(KindNo.ALERT_ACK, record),)
    draft = Draft(Lane.ROUTINE, SubjectKind.PATIENT, patient, stay, new)
    return Plan((draft,), tuple(desk.warnings))


def own_words(record: AlertAck) -> list[tuple[str, str]]:
    """Return what was seen, as (catalogue key, text) pairs."""
    return [("seen", f"alert-{word_at(WHY, record.why)}")]


# rows


class SeenRow(Row, frozen=True, kw_only=True, gc=False):
    """One alert that somebody saw; their name and the time are those of the row."""

    TABLE: ClassVar[str] = "alert_seen"
    INDEXED: ClassVar[tuple[str, ...]] = ("patient",)
    patient: bytes
    encounter: bytes | None
    why: str
    of_ms: int
    about: str
    """Names of what alerted, one space between two."""


def rows(history: History) -> list[SeenRow]:
    """Return one row for each."""
    return [_row(history, fact) for fact in history.of_kind.get(KindNo.ALERT_ACK, ())]


def _row(history: History, fact: Fact) -> SeenRow:
    record = fact.record
    assert isinstance(record, AlertAck)
    return SeenRow(
        entry=fact.entry,
        idx=fact.index,
        kind=fact.kind,
        standing=fact.standing,
        at_ms=fact.at_ms,
        supersedes=history.supersedes(fact),
        replaced=history.replaced(fact),
        patient=history.subject,
        encounter=history.encounter_of.get(fact.doc),
        why=word_at(WHY, record.why),
        of_ms=record.of_ms,
        about=" ".join(sorted({text.replace(" ", "") for text in record.about})),
    )


KIND = Kind(
    number=KindNo.ALERT_ACK,
    name="alert.ack",
    value=AlertAck,
    data=AckData,
    plan=plan,
    example={
        "v": 1,
        "kind": "alert.ack",
        "key": "example-39",
        "patient": {"tag": "B12"},
        "data": {"why": "single", "of_ms": 1_780_000_000_000, "about": ["limit.heart-rate.high"]},
    },
)

# merge note: several people may have seen one alert; each says so for themselves and nothing is
# unsettled by it. One taken back leaves the others.
