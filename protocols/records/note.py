"""Free words in the chart: notes, and addenda to them."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from protocols.errors import InputError
from protocols.ids import FactRef
from protocols.records.display import clean_lines
from protocols.records.encounter import to_encounter
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.planning import Command, Desk, refs, tidy
from protocols.records.shape import Kind, NewFact, Plan, Row, Small, Statement, View
from protocols.records.spelling import FactText, one_of

# fields


class NoteAdd(Statement, frozen=True):
    """A note."""

    text: str = ""
    topic: Small = 0
    """Position in `TOPICS`."""
    about: tuple[bytes, int] | None = None
    """The fact that this is an addendum to."""


TOPICS = ("note", "assessment", "plan", "handover", "history", "advice")

# commands


class NoteData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of note.add."""

    text: str
    topic: Annotated[str, one_of(TOPICS)] = "note"
    about: FactText | None = None
    """Id of the fact that this is an addendum to."""


NOTE_CHARS_MAX = 8_000
"""About four written pages; an entry holds 48 KiB."""

# apply


def plan(command: Command, view: View) -> Plan:
    """A note in the open encounter, or in the patient's own document when none is open."""
    desk = Desk(command, view)
    data: NoteData = command.data
    patient = desk.patient()
    if data.topic not in TOPICS:
        raise InputError("bad_value", field="data.topic", allowed=TOPICS)
    about = None
    if data.about is not None:
        subject, fact = desk.fact(_about(data.about), "data.about")
        if subject != patient:
            raise InputError("wrong_subject", field="data.about")
        about = (bytes(fact.prefix), fact.index)
    record = NoteAdd(
        desk.circumstances(),
        refs(desk.named(patient)),
        tidy(data.text, "data.text", NOTE_CHARS_MAX),
        TOPICS.index(data.topic),
        about,
    )
    return to_encounter(desk, patient, desk.encounter(patient), NewFact(KindNo.NOTE_ADD, record))


def _about(text: str) -> FactRef:
    try:
        return FactRef.parse(text)
    except InputError as error:
        raise error.at("data.about") from None


# rows


class NoteRow(Row, frozen=True, kw_only=True, gc=False):
    """One note, line by line."""

    TABLE: ClassVar[str] = "note"
    patient: bytes
    encounter: bytes | None
    topic: str
    text: str
    about: bytes | None = None
    """18-byte reference of the fact that this is an addendum to."""


def rows(history: History) -> list[NoteRow]:
    """Return one row for each note."""
    found = []
    for fact in history.of_kind.get(KindNo.NOTE_ADD, ()):
        record = fact.record
        assert isinstance(record, NoteAdd)
        topic = TOPICS[record.topic] if 0 <= record.topic < len(TOPICS) else "note"
        about = record.about
        found.append(
            NoteRow(
                entry=fact.entry,
                idx=fact.index,
                kind=fact.kind,
                standing=fact.standing,
                at_ms=fact.at_ms,
                supersedes=history.supersedes(fact) if record.supersedes else None,
                replaced=history.replaced(fact),
                patient=history.subject,
                encounter=history.encounter_of.get(fact.doc),
                topic=topic,
                text="\n".join(clean_lines(record.text)),
                about=about and (about[0] or fact.doc_id) + (about[1] & 0xFFFF).to_bytes(2),
            )
        )
    return found


KIND = Kind(
    number=KindNo.NOTE_ADD,
    name="note.add",
    value=NoteAdd,
    data=NoteData,
    plan=plan,
    example={
        "v": 1,
        "kind": "note.add",
        "key": "example-11",
        "patient": {"tag": "B12"},
        "by": "night nurse",
        "data": {"text": "Slept well. Dressing dry.", "topic": "handover"},
    },
)

# merge note: notes are only ever added; a correction names the note it replaces.
