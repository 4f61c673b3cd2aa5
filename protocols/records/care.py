"""The families of care gathered: what catalogue, projection and words take of each."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from protocols.guidelines.vocabulary import name_of
from protocols.records import (
    administration,
    allergy,
    condition,
    conflict,
    custody,
    guideline,
    intake,
    order,
    procedure,
    scale,
    seen,
    stop,
    transfer,
    weight,
)
from protocols.records.attributes import EventRelation, Isolation, word
from protocols.records.contested import RANK, Contest
from protocols.records.custody import STATES, TransferAccept, TransferDecline, TransferOffer
from protocols.records.history import History
from protocols.records.shape import Kind, Row

KINDS: tuple[Kind, ...] = (
    allergy.KIND,
    condition.KIND,
    order.KIND,
    stop.KIND,
    administration.KIND,
    procedure.KIND,
    intake.KIND,
    guideline.KIND,
    scale.KIND,
    seen.KIND,
    transfer.KIND_OFFER,
    transfer.KIND_ACCEPT,
    transfer.KIND_DECLINE,
)

_NUMBERS = frozenset(int(kind.number) for kind in KINDS)

OF_FACTS: tuple[type[Row], ...] = (
    allergy.AllergyRow,
    condition.ConditionRow,
    order.OrderRow,
    stop.StopRow,
    administration.AdministrationRow,
    procedure.ProcedureRow,
    intake.IntakeRow,
    guideline.GuidelineStepRow,
    scale.ScaleRow,
    seen.SeenRow,
    transfer.TransferRow,
    transfer.AnswerRow,
)
"""Tables with a row for each record of care."""

ROW_TABLES: tuple[type[Row], ...] = (*OF_FACTS, transfer.CustodyRow, conflict.ConflictRow)

_SAID: dict[type, Callable[[Any], list[tuple[str, str]]]] = {
    allergy.AllergyRecord: allergy.own_words,
    condition.ConditionRecord: condition.own_words,
    order.OrderPlace: order.own_words,
    stop.OrderStop: stop.own_words,
    administration.AdministrationRecord: administration.own_words,
    procedure.ProcedureRecord: procedure.own_words,
    intake.IntakeRecord: intake.own_words,
    guideline.GuidelineStep: guideline.own_words,
    scale.ObservationScale: scale.own_words,
    seen.AlertAck: seen.own_words,
    TransferOffer: transfer.own_words,
    TransferAccept: transfer.own_words,
    TransferDecline: transfer.own_words,
}

WORDS: dict[str, Callable[[Any], Any]] = {
    "allergy": lambda value: allergy.ASKED[value],
    "event_relation": lambda value: word(EventRelation, value),
    "isolation": lambda value: word(Isolation, value),
    "syndrome": lambda value: name_of("condition", value),
    "custody": lambda value: STATES[value] or None,
    "to_id": bytes.hex,
    **dict.fromkeys(
        (
            "used",
            "allergy_open",
            "duplicate",
            "stopped",
            "weight_estimated",
            "estimated",
            "unclear",
            "holds",
            "approved",
        ),
        bool,
    ),
}
"""How columns are told to another program, where a value is not told as it is."""


def rows(history: History, contests: Sequence[Contest]) -> list[Row]:
    """Return the rows of care of one patient.

    Args:
        contests: What is unsettled of it.
    """
    unsettled = conflict.rows(history, contests)
    if _NUMBERS.isdisjoint(history.of_kind):
        return [*unsettled]
    return [
        *allergy.rows(history),
        *condition.rows(history),
        *order.rows(history),
        *stop.rows(history),
        *administration.rows(history),
        *procedure.rows(history),
        *intake.rows(history),
        *guideline.rows(history),
        *scale.rows(history),
        *seen.rows(history),
        *transfer.rows(history),
        *unsettled,
    ]


def contests(history: History) -> list[Contest]:
    """Return what is unsettled of a patient's care, the greatest risk first."""
    if _NUMBERS.isdisjoint(history.of_kind):
        return weight.contests(history)
    found = [
        *allergy.contests(history),
        *custody.contests(history),
        *weight.contests(history),
        *order.contests(history),
        *administration.contests(history),
        *condition.contests(history),
        *scale.contests(history),
    ]
    found.sort(key=lambda contest: RANK[contest.risk])
    return found


def own_words(record: Any) -> list[tuple[str, str]]:
    """Return what a record of care says, as (catalogue key, text) pairs; [] for any other."""
    say = _SAID.get(type(record))
    return [] if say is None else say(record)
