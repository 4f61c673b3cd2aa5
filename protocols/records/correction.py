"""Taking back and settling: later statements about earlier ones; nothing is ever removed."""

from __future__ import annotations

from typing import Annotated, Any

import msgspec
from msgspec.structs import force_setattr, replace

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.ids import DocId, EncounterId, FactRef
from protocols.records import attributes as names
from protocols.records.attributes import BY_NAME, ENCOUNTER_FIRST, SEVERAL, SITE_FIRST, TRIAGE
from protocols.records.history import History, Ref, Said, unsettled
from protocols.records.keeping import FAMILIES, plan_kept
from protocols.records.kinds import KindNo
from protocols.records.planning import Command, Desk, refs
from protocols.records.references import must_name
from protocols.records.settling import settled_value
from protocols.records.shape import (
    Draft,
    Kind,
    NewFact,
    Plan,
    Statement,
    SubjectKind,
    View,
)
from protocols.records.spelling import FactText, one_of

# fields


class EntryRetract(Statement, frozen=True):
    """What it names was entered in error; the reason is in the circumstances."""

    of: Ref | None = None
    """The record of another subject that says so: this one says it again where it moves stock, and
    whoever takes that one back takes this one back with it."""

    def __post_init__(self) -> None:
        """Refuse what follows from nothing."""
        if self.of is not None:
            must_name(self.of)


class ConflictSettle(Statement, frozen=True):
    """One attribute is stated by somebody who saw all its different values, which it names."""

    attribute: int = 0
    """Number of an attribute."""
    value: Any = None
    """As that attribute holds it; None: it is empty."""

    def __post_init__(self) -> None:
        """Give the value its attribute's type; raises ValueError when it has another."""
        force_setattr(self, "value", names.typed(self.attribute, self.value))

    def asserts(self) -> tuple[tuple[int, Any], ...]:
        """Return the one attribute."""
        return ((self.attribute, self.value),)


# commands


class RetractData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of entry.retract; the line's `reason` says why."""

    fact: FactText
    """Id of what was entered in error."""


_ATTRIBUTES = tuple(name for name, each in BY_NAME.items() if not each.several)


class SettleData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of conflict.settle: the attribute, and either a value or a fact whose value holds.

    A family of `keeping.FAMILIES` stands in place of an attribute: then `keep` is needed, and what
    is written is of the kinds that settle that family.
    """

    attribute: Annotated[str, one_of((*_ATTRIBUTES, *FAMILIES))]
    value: Any = None
    keep: FactText | None = None
    """Id of the fact whose value holds."""


# apply


def plan_retract(command: Command, view: View) -> Plan:
    """Mark one fact as entered in error, in the lane it travelled in.

    Raises:
        InputError: `wrong_subject`: the line names another patient than the fact is of.
    """
    desk = Desk(command, view)
    subject, fact = desk.fact(_ref(command.data.fact, "data.fact"), "data.fact")
    history = desk.history(subject)
    # A count follows from what it counts: that is what is taken back.
    if fact.kind in (KindNo.DOCUMENT_OPEN, KindNo.ENCOUNTER_COUNTED):
        raise InputError("not_retractable", field="data.fact")
    if history.replaced(fact) == 2:
        raise InputError("already_retracted", field="data.fact")
    record = EntryRetract(desk.circumstances(reason_needed=True), refs((fact.ref,)))
    kind = SubjectKind(history.subject_kind or SubjectKind.PATIENT)
    if kind is SubjectKind.PATIENT:
        desk.must_be_theirs(subject, "data.fact")
    draft = Draft(
        Lane.URGENT if fact.lane == Lane.URGENT else Lane.ROUTINE,
        kind,
        subject,
        history.encounter_of.get(fact.doc),
        (NewFact(KindNo.ENTRY_RETRACT, record),),
        sensitivity=kind.sensitivity,
    )
    return Plan((draft,), tuple(desk.warnings))


def plan_settle(command: Command, view: View) -> Plan:
    """State one attribute, having seen every value that is shown of it."""
    desk = Desk(command, view)
    data: SettleData = command.data
    if data.attribute in FAMILIES:
        return _plan_family(command, view)
    attribute = BY_NAME.get(data.attribute)
    if attribute is None or attribute.number in SEVERAL:
        raise InputError("bad_value", field="data.attribute", allowed=(*_ATTRIBUTES, *FAMILIES))
    number = attribute.number
    subject, encounter = _subject(desk, number)
    shown = desk.history(subject).now.get((encounter, number), [])
    if not unsettled(shown, number):
        desk.warn("not_unsettled")
    if data.keep is not None:
        value = _kept(shown, data.keep)
    else:
        value = settled_value(desk, attribute, data.value)
    seen = (*desk.named(subject), *desk.seen(subject, (number,), encounter))
    record = ConflictSettle(desk.circumstances(), refs(seen), number, value)
    draft = Draft(
        Lane.URGENT if number == TRIAGE else Lane.ROUTINE,
        SubjectKind.SITE if number >= SITE_FIRST else SubjectKind.PATIENT,
        subject,
        encounter,
        (NewFact(KindNo.CONFLICT_SETTLE, record),),
    )
    return Plan((draft,), tuple(desk.warnings))


def _plan_family(command: Command, view: View) -> Plan:
    data: SettleData = command.data
    if data.keep is None or data.value is not None:
        raise InputError("missing_field", field="data.keep")

    def retract(fact: FactRef) -> Plan:
        line = replace(command, kind="entry.retract", data=RetractData(str(fact)), supersedes=())
        return plan_retract(line, view)

    return plan_kept(command, view, data.attribute, _ref(data.keep, "data.keep"), retract)


def _subject(desk: Desk, number: int) -> tuple[DocId, EncounterId | None]:
    if number >= SITE_FIRST:
        site = desk.site(desk.command.site, "site")
        if site is None:
            raise InputError("missing_field", field="site")
        return site, None
    patient = desk.patient()
    if number < ENCOUNTER_FIRST:
        return patient, None
    encounter = desk.command.encounter and desk.encounter(patient)
    if not encounter:
        encounter = _unsettled_encounter(desk.history(patient), number) or desk.encounter(patient)
    if not encounter:
        raise InputError("no_encounter", field="encounter")
    return patient, encounter


def _unsettled_encounter(history: History, number: int) -> EncounterId | None:
    """Return the encounter in which the attribute is unsettled, when there is exactly one."""
    found = [
        key[0] for key, said in history.now.items() if key[1] == number and unsettled(said, number)
    ]
    return found[0] if len(found) == 1 else None


def _kept(shown: list[Said], keep: str) -> Any:
    ref = _ref(keep, "data.keep")
    for said in shown:
        if said.fact.ref == ref:
            return said.value
    raise InputError("not_found", field="data.keep")


def _ref(text: str, where: str) -> FactRef:
    try:
        return FactRef.parse(text)
    except InputError as error:
        raise error.at(where) from None


# rows: none of their own; what they name changes


KIND_RETRACT = Kind(
    number=KindNo.ENTRY_RETRACT,
    name="entry.retract",
    value=EntryRetract,
    data=RetractData,
    plan=plan_retract,
    example={
        "v": 1,
        "kind": "entry.retract",
        "key": "example-13",
        "data": {"fact": "$note"},
        "reason": "wrong patient",
    },
)
KIND_SETTLE = Kind(
    number=KindNo.CONFLICT_SETTLE,
    name="conflict.settle",
    value=ConflictSettle,
    data=SettleData,
    plan=plan_settle,
    example={
        "v": 1,
        "kind": "conflict.settle",
        "key": "example-14",
        "patient": {"tag": "B12"},
        "data": {"attribute": "sex", "value": "female"},
        "reason": "asked her",
    },
)

# merge note: two people who settle apart with different values have made a new conflict between
# the two settlements; with the same value it is settled. A retraction can itself be retracted.
