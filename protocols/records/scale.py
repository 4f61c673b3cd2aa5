"""Which of the two SpO2 scales scores a patient: a person chooses it and signs that (SAFETY 7)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, Literal

import msgspec

from protocols.feeds.lane import Lane
from protocols.records.contested import Contest, Side, current, shown
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.planning import Command, Desk, refs
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
from protocols.trust.sessions import NOBODY

# fields


class ObservationScale(Statement, frozen=True):
    """From here on SpO2 is scored on this scale, until somebody chooses again."""

    scale: Small = 1
    """1, as for everybody of whom nobody said anything, or 2."""


USUAL, SECOND = 1, 2
ABOUT = "spo2-scale"
"""What people differ about, where they chose apart."""

# commands


class ScaleData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of observation.scale."""

    scale: Literal[1, 2]


# apply


def plan(command: Command, view: View) -> Plan:
    """Choose a scale; it replaces what is shown of earlier choices, by whomever."""
    desk = Desk(command, view)
    data: ScaleData = command.data
    patient = desk.patient()
    seen = shown(desk.history(patient), KindNo.OBSERVATION_SCALE)
    record = ObservationScale(
        desk.circumstances(),
        refs((*desk.named(patient), *(fact.ref for fact in seen))),
        data.scale,
    )
    new = (NewFact(KindNo.OBSERVATION_SCALE, record),)
    draft = Draft(Lane.ROUTINE, SubjectKind.PATIENT, patient, None, new)
    return Plan((draft,), tuple(desk.warnings))


def chosen(history: History) -> list[Fact]:
    """Return the choices that count: a person's each, that nothing replaces, in display order."""
    said = current(history, KindNo.OBSERVATION_SCALE)
    return [fact for fact in said if fact.session != NOBODY and _of(fact) in (USUAL, SECOND)]


def contests(history: History) -> list[Contest]:
    """Return that people chose differently apart: the scale that everybody has is used then."""
    said = chosen(history)
    if len({_of(fact) for fact in said}) < 2:
        return []
    sides = tuple(Side(f"{ABOUT}-{_of(fact)}", fact, _of(fact) == USUAL) for fact in said)
    return [Contest("condition", ABOUT, None, sides)]


def own_words(record: ObservationScale) -> list[tuple[str, str]]:
    """Return what a choice says, as (catalogue key, text) pairs."""
    return [(ABOUT, str(record.scale))]


def _of(fact: Fact) -> int:
    record: Any = fact.record
    assert isinstance(record, ObservationScale)
    return record.scale


# rows


class ScaleRow(Row, frozen=True, kw_only=True, gc=False):
    """One choice; its author and its time are those of the row."""

    TABLE: ClassVar[str] = "spo2_scale"
    INDEXED: ClassVar[tuple[str, ...]] = ("patient",)
    patient: bytes
    scale: int
    used: int
    """1: this patient is scored by it. Of choices made apart that differ, those of scale 1 are."""


def rows(history: History) -> Sequence[ScaleRow]:
    """Return one row for each choice."""
    said = chosen(history)
    lowest = min(map(_of, said), default=USUAL)
    used = {id(fact) for fact in said if _of(fact) == lowest}
    return [
        ScaleRow(
            entry=fact.entry,
            idx=fact.index,
            kind=fact.kind,
            standing=fact.standing,
            at_ms=fact.at_ms,
            supersedes=history.supersedes(fact),
            replaced=history.replaced(fact),
            patient=history.subject,
            scale=_of(fact),
            used=int(id(fact) in used),
        )
        for fact in history.of_kind.get(KindNo.OBSERVATION_SCALE, ())
    ]


KIND = Kind(
    number=KindNo.OBSERVATION_SCALE,
    name="observation.scale",
    value=ObservationScale,
    data=ScaleData,
    plan=plan,
    example={
        "v": 1,
        "kind": "observation.scale",
        "key": "example-38",
        "patient": {"tag": "B12"},
        "data": {"scale": 2},
        "reason": "retains carbon dioxide",
    },
)

# merge note: a choice replaces what its writer saw. Made apart and different they are unsettled,
# and scale 1 is used until somebody who has seen both chooses; alike, both stand.
