"""What is wrong with a patient: each condition by itself, since when, and whether it goes on."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, ClassVar

import msgspec

from protocols.errors import InputError
from protocols.guidelines.vocabulary import Condition, fold, name_of, number_of, row_of
from protocols.records import attributes as names
from protocols.records.attributes import EventRelation
from protocols.records.contested import Contest, Side, current, grouped, shown
from protocols.records.display import clean_text
from protocols.records.encounter import to_encounter
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.moment import IMPLAUSIBLE_BEFORE_MS
from protocols.records.planning import Command, Desk, refs, tidy
from protocols.records.shape import Fact, Kind, NewFact, Plan, Row, Small, Statement, View
from protocols.records.spelling import DateText, one_of, row_in
from protocols.records.wordlists import position, word_at

# fields

Date = Annotated[int, msgspec.Meta(ge=-names.INT_MAX, le=names.INT_MAX)]
"""A date as `attributes.date_code` stores it: with the precision it was stated in."""


class ConditionRecord(Statement, frozen=True):
    """One condition."""

    status: Small = 0
    """Position in `STATUSES`."""
    code: Small | None = None
    """Number of a condition in the vocabulary pack."""
    text: str = ""
    """In somebody's words, where no code is meant."""
    onset: Date | None = None
    event_relation: Small | None = None
    """Digit of `EventRelation`."""
    remark: str = ""


STATUSES = ("active", "suspected", "resolved", "refuted")
"""The cautious one of two stands further left."""

# commands


class ConditionData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of condition.record: a condition by code or in words."""

    status: Annotated[str, one_of(STATUSES)] = "active"
    code: Annotated[str, row_in("condition")] | None = None
    text: str | None = None
    onset: DateText | None = None
    """YYYY, YYYY-MM or YYYY-MM-DD."""
    event_relation: Annotated[str, names.word_of(EventRelation)] | None = None
    remark: str | None = None


NAME_CHARS_MAX = 120
REMARK_CHARS_MAX = 300

# apply


def plan(command: Command, view: View) -> Plan:
    """State a condition anew: it replaces what is shown of the same one."""
    desk = Desk(command, view)
    patient = desk.patient()
    record = _record(desk, command.data)
    same = [
        fact.ref
        for fact in shown(desk.history(patient), KindNo.CONDITION_RECORD)
        if key_of(_of(fact)) == key_of(record)
    ]
    record = msgspec.structs.replace(
        record,
        circumstances=desk.circumstances(),
        supersedes=refs((*desk.named(patient), *same)),
    )
    new = NewFact(KindNo.CONDITION_RECORD, record)
    return to_encounter(desk, patient, desk.encounter(patient), new)


def key_of(record: ConditionRecord) -> str:
    """Return what two statements about one condition share."""
    return fold(record.text if record.code is None else name_of("condition", record.code))


def _record(desk: Desk, data: ConditionData) -> ConditionRecord:
    code = None if data.code is None else number_of("condition", data.code, "data.code")
    text = "" if data.text is None else tidy(data.text, "data.text", NAME_CHARS_MAX)
    if code is None and not fold(text):
        raise InputError("missing_field", field="data.code", allowed=("code", "text"))
    return ConditionRecord(
        status=position(data.status, STATUSES, "data.status"),
        code=code,
        text=text,
        onset=None if data.onset is None else _onset(desk, data.onset),
        event_relation=None
        if data.event_relation is None
        else names.code(EventRelation, data.event_relation, "data.event_relation"),
        remark=tidy(data.remark, "data.remark", REMARK_CHARS_MAX) if data.remark else "",
    )


def _onset(desk: Desk, text: str) -> int:
    """A date ahead of a clock that can be right is refused (SAFETY 14)."""
    stored = names.date_code(text.strip(), "data.onset")
    ahead = names.first_day(stored) - desk.view.now_ms // 86_400_000
    if ahead > 1 and desk.view.now_ms >= IMPLAUSIBLE_BEFORE_MS:
        raise InputError("future_date", field="data.onset")
    return stored


# rows


class ConditionRow(Row, frozen=True, kw_only=True, gc=False):
    """One statement about what is wrong."""

    TABLE: ClassVar[str] = "condition"
    INDEXED: ClassVar[tuple[str, ...]] = ("patient",)
    patient: bytes
    encounter: bytes | None
    status: str
    code: str = ""
    """Name in the vocabulary pack; `#n` when this software does not know it."""
    text: str = ""
    mds: int | None = None
    """Item of the minimum data set it counts under."""
    onset: str = ""
    """YYYY, YYYY-MM or YYYY-MM-DD, as exactly as it was stated."""
    event_relation: int | None = None
    remark: str = ""
    used: int = 0
    """1 when it is current and is what is acted on."""
    unsettled: int = 0
    """1 while a current statement made apart says something else."""


def rows(history: History) -> list[ConditionRow]:
    """Return one row for each statement."""
    facts = history.of_kind.get(KindNo.CONDITION_RECORD, ())
    if not facts:
        return []
    used = {id(fact) for fact in _used(history)}
    doubted = {id(side.fact) for each in contests(history) for side in each.sides}
    found = []
    for fact in facts:
        record = _of(fact)
        known = None if record.code is None else row_of("condition", record.code)
        found.append(
            ConditionRow(
                entry=fact.entry,
                idx=fact.index,
                kind=fact.kind,
                standing=fact.standing,
                at_ms=fact.at_ms,
                supersedes=history.supersedes(fact),
                replaced=history.replaced(fact),
                patient=history.subject,
                encounter=history.encounter_of.get(fact.doc),
                status=word_at(STATUSES, record.status),
                code="" if record.code is None else name_of("condition", record.code),
                text=clean_text(record.text),
                mds=known.mds if isinstance(known, Condition) else None,
                onset="" if record.onset is None else names.date_text(record.onset),
                event_relation=record.event_relation,
                remark=clean_text(record.remark),
                used=int(id(fact) in used),
                unsettled=int(id(fact) in doubted),
            )
        )
    return found


def contests(history: History) -> list[Contest]:
    """Return the conditions about which current statements differ."""
    said = current(history, KindNo.CONDITION_RECORD)
    if len(said) < 2:
        return []
    used = {id(fact) for fact in _used(history)}
    return [
        Contest(
            "condition",
            _name(_of(facts[0])),
            None,
            tuple(Side(_line(_of(fact)), fact, id(fact) in used) for fact in facts),
        )
        for facts in _grouped(said)
        if len({_meant(fact) for fact in facts}) > 1
    ]


def own_words(record: ConditionRecord) -> list[tuple[str, str]]:
    """Return what a statement says, as (catalogue key, text) pairs."""
    said: list[tuple[str, str]] = [("condition", _name(record))]
    for key, text in (
        ("status", word_at(STATUSES, record.status)),
        ("onset", "" if record.onset is None else names.date_text(record.onset)),
        ("event_relation", names.words_of(names.EVENT_RELATION, record.event_relation)),
        ("remark", clean_text(record.remark)),
    ):
        if text:
            said.append((key, text))
    return said


def _used(history: History) -> list[Fact]:
    """Return of each condition the cautious statement: it goes on, until all say otherwise."""
    groups = _grouped(current(history, KindNo.CONDITION_RECORD))
    return [
        max(facts, key=lambda fact: (-_of(fact).status, fact.order, fact.index)) for facts in groups
    ]


def _grouped(said: Sequence[Fact]) -> list[Sequence[Fact]]:
    return list(grouped(said, lambda fact: key_of(_of(fact))).values())


def _meant(fact: Fact) -> tuple[int | None, ...]:
    record = _of(fact)
    return record.status, record.onset, record.event_relation


def _line(record: ConditionRecord) -> str:
    return clean_text(" ".join(text for key, text in own_words(record) if key != "remark"))


def _name(record: ConditionRecord) -> str:
    if record.code is not None:
        return name_of("condition", record.code)
    return clean_text(record.text) or "?"


def _of(fact: Fact) -> ConditionRecord:
    assert isinstance(fact.record, ConditionRecord)
    return fact.record


KIND = Kind(
    number=KindNo.CONDITION_RECORD,
    name="condition.record",
    value=ConditionRecord,
    data=ConditionData,
    plan=plan,
    example={
        "v": 1,
        "kind": "condition.record",
        "key": "example-25",
        "patient": {"tag": "B12"},
        "data": {"code": "watery-diarrhoea", "onset": "2026-04-30", "event_relation": "direct"},
    },
)

# merge note: each condition is judged by itself. Statements made apart about one that differ are
# unsettled until somebody who has seen both states it anew; meanwhile it goes on.
