"""Orders stopped: by whom, why, and what they knew to have been given."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

import msgspec

from protocols.errors import InputError
from protocols.ids import FactRef, PatientId
from protocols.records.contested import current, shown
from protocols.records.display import clean_text
from protocols.records.encounter import to_encounter
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.planning import Command, Desk, refs
from protocols.records.references import SEEN_MAX, must_name, packed, ref_of
from protocols.records.shape import Fact, Kind, NewFact, Plan, Row, Statement, View
from protocols.records.spelling import FactText

# fields


class OrderStop(Statement, frozen=True):
    """A medicine is to be given no more; why is in the circumstances."""

    order: Ref = (b"\0" * 16, 0)
    seen: tuple[Ref, ...] = ()
    """What its writer knew to have been given of it, the latest last."""

    def __post_init__(self) -> None:
        """Refuse what names nothing."""
        must_name(self.order, *self.seen)


# commands


class StopData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of order.stop; the line's `reason` says why."""

    order: FactText
    """Id of the order."""


# apply


def plan(command: Command, view: View) -> Plan:
    """Stop an order, with a reason; one that is stopped already is stopped again, and said."""
    desk = Desk(command, view)
    patient, fact = ordered(desk, command.data.order)
    history = desk.history(patient)
    if stops(history).get(ref_of(fact)):
        desk.warn("already_stopped")
    given = [ref_of(each) for each in given_of(history, ref_of(fact))]
    record = OrderStop(
        desk.circumstances(reason_needed=True),
        refs(desk.named(patient)),
        ref_of(fact),
        tuple(given[-SEEN_MAX:]),
    )
    stay = history.encounter_of.get(fact.doc)
    return to_encounter(desk, patient, stay, NewFact(KindNo.ORDER_STOP, record))


def ordered(desk: Desk, text: str) -> tuple[PatientId, Fact]:
    """Return the patient and the order that a line names.

    Raises:
        InputError: `bad_id`, `not_found`, `wrong_subject`, or `not_an_order`.
    """
    where = "data.order"
    try:
        ref = FactRef.parse(text)
    except InputError as error:
        raise error.at(where) from None
    subject, fact = desk.fact(ref, where)
    if fact.kind != KindNo.ORDER_PLACE or fact.record is None:
        raise InputError("not_an_order", field=where)
    desk.must_be_theirs(subject, where)
    return PatientId(subject), fact


def stops(history: History) -> dict[Ref, list[Fact]]:
    """Return what stops each order now, as far as it stands, oldest first."""
    found: dict[Ref, list[Fact]] = {}
    for fact in current(history, KindNo.ORDER_STOP):
        assert isinstance(fact.record, OrderStop)
        found.setdefault(fact.record.order, []).append(fact)
    return found


def given_of(history: History, order: Ref) -> list[Fact]:
    """Return what was given of an order, as far as it is current, oldest first.

    The kind is read by what it has: `administration.py` builds on this file.
    """
    return [
        fact
        for fact in shown(history, KindNo.ADMINISTRATION_RECORD)
        if getattr(fact.record, "order", None) == order
        and getattr(fact.record, "status", None) == 0
    ]


def given_apart(given: Sequence[Fact], stopped: Sequence[Fact]) -> list[Fact]:
    """Return the doses that nobody who stopped the order knew of.

    A stop names the latest `SEEN_MAX` doses; what is older than all of those was known too.
    """
    if not stopped:
        return []
    known: set[Ref] = set()
    floor = None
    by_ref = {ref_of(fact): fact for fact in given}
    for stop in stopped:
        assert isinstance(stop.record, OrderStop)
        known.update(stop.record.seen)
        if len(stop.record.seen) >= SEEN_MAX:
            listed = [by_ref[ref].order for ref in stop.record.seen if ref in by_ref]
            floor = max(filter(None, (floor, min(listed, default=None))), default=None)
    return [
        fact
        for fact in given
        if ref_of(fact) not in known and (floor is None or fact.order >= floor)
    ]


# rows


class StopRow(Row, frozen=True, kw_only=True, gc=False):
    """One stop of an order."""

    TABLE: ClassVar[str] = "order_stopped"
    patient: bytes
    about: bytes
    """18-byte reference of the order."""
    reason: str


def rows(history: History) -> list[StopRow]:
    """Return one row for each stop."""
    found = []
    for fact in history.of_kind.get(KindNo.ORDER_STOP, ()):
        record = fact.record
        assert isinstance(record, OrderStop)
        found.append(
            StopRow(
                entry=fact.entry,
                idx=fact.index,
                kind=fact.kind,
                standing=fact.standing,
                at_ms=fact.at_ms,
                supersedes=history.supersedes(fact),
                replaced=history.replaced(fact),
                patient=history.subject,
                about=packed(record.order),
                reason=clean_text(record.circumstances.reason) if record.circumstances else "",
            )
        )
    return found


def own_words(record: OrderStop) -> list[tuple[str, str]]:
    """Return what a stop says; the reason is told with the circumstances."""
    return [("stopped", "1")]


KIND = Kind(
    number=KindNo.ORDER_STOP,
    name="order.stop",
    value=OrderStop,
    data=StopData,
    plan=plan,
    example={
        "v": 1,
        "kind": "order.stop",
        "key": "example-18",
        "data": {"order": "$order"},
        "reason": "vomits every tablet",
    },
)

# merge note: a stop and a dose given apart both stand: the order is stopped and says how many doses
# its stops did not know of, until somebody who knows of them stops it again. Two stops made apart
# say the same. One that was an error is taken back and the order goes on.
