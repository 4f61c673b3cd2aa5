"""What was done to a patient: the procedure, where, under what anaesthesia, and how it went."""

from __future__ import annotations

from typing import Annotated, ClassVar

import msgspec

from protocols.errors import InputError
from protocols.guidelines.vocabulary import Procedure, name_of, number_of, row_of
from protocols.records.display import clean_text
from protocols.records.encounter import to_encounter
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.planning import Command, Desk, refs, tidy
from protocols.records.shape import Fact, Kind, NewFact, Plan, Row, Small, Statement, View
from protocols.records.spelling import one_of, row_in
from protocols.records.wordlists import position, word_at

# fields


class ProcedureRecord(Statement, frozen=True):
    """One procedure."""

    code: Small | None = None
    """Number of a procedure in the vocabulary pack."""
    text: str = ""
    """In somebody's words, beside the code or in its place."""
    body_site: str = ""
    side: Small = 0
    """Position in `SIDES`."""
    anaesthesia: Small = 0
    """Position in `ANAESTHESIA`."""
    outcome: Small = 0
    """Position in `OUTCOMES`."""
    remark: str = ""


SIDES = ("", "left", "right", "both", "midline")
ANAESTHESIA = ("unknown", "none", "local", "sedation", "regional", "spinal", "general", "ketamine")
OUTCOMES = ("unknown", "completed", "complicated", "abandoned", "died")

# commands


class ProcedureData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of procedure.record: by code, in words, or both."""

    code: Annotated[str, row_in("procedure")] | None = None
    text: str | None = None
    body_site: str | None = None
    side: Annotated[str, one_of(SIDES)] = ""
    anaesthesia: Annotated[str, one_of(ANAESTHESIA)] = "unknown"
    outcome: Annotated[str, one_of(OUTCOMES)] = "unknown"
    remark: str | None = None


NAME_CHARS_MAX = 120
REMARK_CHARS_MAX = 500

# apply


def plan(command: Command, view: View) -> Plan:
    """Record a procedure in the open encounter."""
    desk = Desk(command, view)
    data: ProcedureData = command.data
    patient = desk.patient()
    if data.code is None and not data.text:
        raise InputError("missing_field", field="data.code", allowed=("code", "text"))
    record = ProcedureRecord(
        desk.circumstances(),
        refs(desk.named(patient)),
        None if data.code is None else number_of("procedure", data.code, "data.code"),
        _words(data.text, "data.text", NAME_CHARS_MAX),
        _words(data.body_site, "data.body_site", NAME_CHARS_MAX),
        position(data.side, SIDES, "data.side"),
        position(data.anaesthesia, ANAESTHESIA, "data.anaesthesia"),
        position(data.outcome, OUTCOMES, "data.outcome"),
        _words(data.remark, "data.remark", REMARK_CHARS_MAX),
    )
    new = NewFact(KindNo.PROCEDURE_RECORD, record)
    return to_encounter(desk, patient, desk.encounter(patient), new)


# rows


class ProcedureRow(Row, frozen=True, kw_only=True, gc=False):
    """One procedure."""

    TABLE: ClassVar[str] = "procedure"
    INDEXED: ClassVar[tuple[str, ...]] = ("patient",)
    patient: bytes
    encounter: bytes | None
    code: str = ""
    """Name in the vocabulary pack; `#n` when this software does not know it."""
    text: str = ""
    mds: int | None = None
    """Item of the minimum data set it counts under."""
    body_site: str = ""
    side: str = ""
    anaesthesia: str = ""
    result: str = ""
    """How it went, a word of `OUTCOMES`."""
    remark: str = ""


def rows(history: History) -> list[ProcedureRow]:
    """Return one row for each procedure."""
    return [_row(history, fact) for fact in history.of_kind.get(KindNo.PROCEDURE_RECORD, ())]


def _row(history: History, fact: Fact) -> ProcedureRow:
    record = fact.record
    assert isinstance(record, ProcedureRecord)
    known = None if record.code is None else row_of("procedure", record.code)
    return ProcedureRow(
        entry=fact.entry,
        idx=fact.index,
        kind=fact.kind,
        standing=fact.standing,
        at_ms=fact.at_ms,
        supersedes=history.supersedes(fact),
        replaced=history.replaced(fact),
        patient=history.subject,
        encounter=history.encounter_of.get(fact.doc),
        code="" if record.code is None else name_of("procedure", record.code),
        text=clean_text(record.text),
        mds=known.mds if isinstance(known, Procedure) else None,
        body_site=clean_text(record.body_site),
        side=word_at(SIDES, record.side),
        anaesthesia=word_at(ANAESTHESIA, record.anaesthesia),
        result=word_at(OUTCOMES, record.outcome),
        remark=clean_text(record.remark),
    )


def own_words(record: ProcedureRecord) -> list[tuple[str, str]]:
    """Return what was done, as (catalogue key, text) pairs."""
    code = "" if record.code is None else name_of("procedure", record.code)
    said: list[tuple[str, str]] = [
        ("procedure", clean_text(" ".join(part for part in (code, record.text) if part)))
    ]
    where = " ".join(filter(None, (word_at(SIDES, record.side), clean_text(record.body_site))))
    for key, text in (
        ("body_site", where),
        ("anaesthesia", word_at(ANAESTHESIA, record.anaesthesia) if record.anaesthesia else ""),
        ("outcome", word_at(OUTCOMES, record.outcome) if record.outcome else ""),
        ("remark", clean_text(record.remark)),
    ):
        if text:
            said.append((key, text))
    return said


def _words(text: str | None, where: str, limit: int) -> str:
    return tidy(text, where, limit) if text else ""


KIND = Kind(
    number=KindNo.PROCEDURE_RECORD,
    name="procedure.record",
    value=ProcedureRecord,
    data=ProcedureData,
    plan=plan,
    example={
        "v": 1,
        "kind": "procedure.record",
        "key": "example-20",
        "patient": {"tag": "B12"},
        "data": {
            "code": "wound-suture",
            "body_site": "forearm",
            "side": "left",
            "anaesthesia": "local",
            "outcome": "completed",
        },
    },
)

# merge note: procedures are only ever added; a correction names the one it replaces. One written
# down by two people apart is two records until one is entered in error.
