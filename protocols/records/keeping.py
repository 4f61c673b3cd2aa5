"""Settling by keeping one side: what is written then, in the records that the sides are of.

A substance, a condition and an outcome are stated anew by somebody who has seen all sides. Nothing
measured is stated again (SAFETY 4): of weights, and of doses that were one, the others are marked
as entered in error. Of two orders the others are stopped; of custody the others are declined.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

from msgspec.structs import replace

from protocols.errors import InputError
from protocols.guidelines.vocabulary import name_of
from protocols.ids import EncounterId, EntryPrefix, FactRef, PatientId
from protocols.records import (
    administration,
    allergy,
    condition,
    custody,
    encounter,
    order,
    scale,
    stop,
    transfer,
    weight,
)
from protocols.records import attributes as names
from protocols.records.contested import Contest, Side, grouped
from protocols.records.custody import TransferAccept, TransferDecline, TransferOffer
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.planning import Command, Desk
from protocols.records.references import ref_of
from protocols.records.shape import Fact, Plan, View
from protocols.records.stop import OrderStop
from protocols.records.wordlists import word_at

FAMILIES = ("allergy", "custody", "weight", "order", "dose", "condition", "outcome")
"""What is settled by records of its own kind, as `conflict.settle` names it: the risk."""

Retract = Callable[[FactRef], Plan]
"""Marks one fact as entered in error."""


def plan_kept(command: Command, view: View, family: str, keep: FactRef, retract: Retract) -> Plan:
    """Return what says that one side of something unsettled holds.

    Args:
        command: Of `conflict.settle`; its circumstances and its reason hold for all that is
            written.
        view: The book.
        family: One of `FAMILIES`.
        keep: A side of it.
        retract: Marks another side as entered in error.

    Raises:
        InputError: `not_found`: no such side is unsettled; `settle_otherwise`: keeping this side
            settles nothing; `reason_needed`, `confirm_needed`, as the records themselves ask.
    """
    desk = Desk(command, view)
    patient = desk.patient()
    history = desk.history(patient)
    contest, kept = _side(_contests(history, family), keep)
    others = [side.fact for side in contest.sides if ref_of(side.fact) != ref_of(kept)]
    again = _Again(command, view, patient)
    if family in ("allergy", "condition", "outcome"):
        return _stated_anew(again, history, kept)
    if family == "custody":
        return _custody(again, history, kept, others, retract)
    if family == "order":
        return _joined(again("order.stop", stop.StopData(str(one.ref))) for one in others)
    if isinstance(kept.record, OrderStop):
        named = FactRef(EntryPrefix(kept.record.order[0]), kept.record.order[1])
        return again("order.stop", stop.StopData(str(named)))
    if any(isinstance(one.record, OrderStop) for one in others):
        raise InputError("settle_otherwise", field="data.keep")
    return _joined(retract(one.ref) for one in others)


class _Again:
    """Plans another line about the same patient, under the same circumstances."""

    def __init__(self, command: Command, view: View, patient: PatientId) -> None:
        self._command, self._view = command, view
        self._patient = str(patient)

    def __call__(self, kind: str, data: Any, stay: EncounterId | None = None) -> Plan:
        line = replace(
            self._command,
            kind=kind,
            data=data,
            patient=self._patient,
            tag=None,
            encounter=str(stay) if stay else None,
            supersedes=(),
        )
        return _PLANS[kind](line, self._view)


_PLANS: dict[str, Callable[[Command, View], Plan]] = {
    "allergy.record": allergy.plan,
    "condition.record": condition.plan,
    "encounter.close": encounter.plan_close,
    "observation.scale": scale.plan,
    "order.stop": stop.plan,
    "transfer.decline": transfer.plan_decline,
}


def _contests(history: History, family: str) -> list[Contest]:
    if family == "outcome":
        return _outcomes(history)
    of = {
        "allergy": (allergy.contests,),
        "custody": (custody.contests,),
        "weight": (weight.contests,),
        "order": (order.contests,),
        "dose": (administration.contests, order.contests),
        "condition": (condition.contests, scale.contests),
    }
    found = [each for contests in of[family] for each in contests(history)]
    return [each for each in found if each.risk == family]


def _outcomes(history: History) -> list[Contest]:
    facts = history.of_kind.get(KindNo.ENCOUNTER_CLOSE, ())
    found = []
    for stay in grouped(facts, lambda fact: history.encounter_of.get(fact.doc)):
        ending = encounter.closes(history, stay)
        sides = tuple(Side("", fact, False) for fact in ending)
        found.append(Contest("outcome", "", stay, sides))
    return [each for each in found if len(each.sides) > 1]


def _side(contests: Sequence[Contest], keep: FactRef) -> tuple[Contest, Fact]:
    for contest in contests:
        for side in contest.sides:
            if side.fact.ref == keep:
                return contest, side.fact
    raise InputError("not_found", field="data.keep")


def _stated_anew(again: _Again, history: History, kept: Fact) -> Plan:
    match kept.record:
        case allergy.AllergyRecord() as said:
            return again("allergy.record", _allergy(said))
        case condition.ConditionRecord() as said:
            return again("condition.record", _condition(said), history.encounter_of.get(kept.doc))
        case encounter.EncounterClose() as said:
            words = tuple(word for word, _ in encounter.OUTCOMES)
            data = encounter.CloseData(
                outcome=word_at(words, said.outcome),
                text=said.text or None,
                destination=said.destination or None,
            )
            return again("encounter.close", data, history.encounter_of.get(kept.doc))
        case scale.ObservationScale() as said:
            kept_scale = scale.ScaleData(2 if said.scale == scale.SECOND else 1)
            return again("observation.scale", kept_scale)
    raise InputError("settle_otherwise", field="data.keep")


def _allergy(said: allergy.AllergyRecord) -> allergy.AllergyData:
    return allergy.AllergyData(
        status=word_at(allergy.STATUSES, said.status),
        code=None if said.code is None else name_of("allergen", said.code),
        text=said.text or None,
        reaction=word_at(allergy.REACTIONS, said.reaction),
        severity=word_at(allergy.SEVERITIES, said.severity),
        certainty=word_at(allergy.CERTAINTIES, said.certainty),
        remark=said.remark or None,
    )


def _condition(said: condition.ConditionRecord) -> condition.ConditionData:
    relation = names.words_of(names.EVENT_RELATION, said.event_relation)
    return condition.ConditionData(
        status=word_at(condition.STATUSES, said.status),
        code=None if said.code is None else name_of("condition", said.code),
        text=said.text or None,
        onset=None if said.onset is None else names.date_text(said.onset),
        event_relation=relation or None,
        remark=said.remark or None,
    )


def _custody(
    again: _Again, history: History, kept: Fact, others: Sequence[Fact], retract: Retract
) -> Plan:
    """Decline whatever speaks against the side that is kept."""
    stand = custody.custody(history)
    assert stand is not None
    open_now = {ref_of(fact) for fact in stand.open}

    def declined(facts: Iterable[Fact]) -> Plan:
        return _joined(
            again("transfer.decline", transfer.DeclineData(str(one.ref))) for one in facts
        )

    if ref_of(kept) in open_now:
        return declined(one for one in others if ref_of(one) in open_now)
    if not isinstance(kept.record, TransferAccept):
        return declined(one for one in others if isinstance(one.record, TransferAccept))
    plans = []
    for one in others:
        if isinstance(one.record, TransferDecline):
            plans.append(retract(one.ref))
        elif isinstance(one.record, TransferOffer) and ref_of(one) not in open_now:
            # It was taken back by somebody who did not know of the yes: it is offered anew.
            raise InputError("settle_otherwise", field="data.keep")
        else:
            plans.append(declined([one]))
    return _joined(plans)


def _joined(plans: Iterable[Plan]) -> Plan:
    found = list(plans)
    if not found:
        raise InputError("settle_otherwise", field="data.keep")
    drafts = tuple(draft for each in found for draft in each.drafts)
    warnings = dict.fromkeys(code for each in found for code in each.warnings)
    return Plan(drafts, tuple(warnings))
