"""The second signature under a movement: somebody else says that they saw it."""

from __future__ import annotations

import msgspec

from protocols.errors import InputError
from protocols.ids import FactRef
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.movement import (
    Movement,
    entry_of,
    heads,
    in_force,
    movements,
    must_be_pair,
)
from protocols.records.planning import Command, Desk
from protocols.records.references import must_name, ref_of
from protocols.records.shape import Fact, Kind, NewFact, Plan, Statement, View
from protocols.records.spelling import FactText

# fields


class StockWitness(Statement, frozen=True):
    """Its writer saw what a movement says."""

    store: bytes = b""
    item: str = ""
    movement: Ref = (bytes(16), 0)
    seen: tuple[Ref, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what names nothing."""
        must_be_pair(self.store, self.item)
        must_name(self.movement, *self.seen)


# commands


class WitnessData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of stock.witness."""

    movement: FactText
    """Id of the movement."""


# apply


def plan(command: Command, view: View) -> Plan:
    """Sign a movement that somebody else wrote."""
    desk = Desk(command, view)
    fact, record = movement_named(desk, command.data.movement, "data.movement")
    history = desk.history(desk.fact(fact.ref, "data.movement")[0])
    if history.replaced(fact):
        raise InputError("already_retracted", field="data.movement")
    if ref_of(fact) in countersigned(history):
        desk.warn("already_witnessed")
    stated = StockWitness(
        desk.circumstances(), (), record.store, record.item, ref_of(fact), heads(history)
    )
    draft = entry_of(record.store, record.item, NewFact(KindNo.STOCK_WITNESS, stated))
    return Plan((draft,), tuple(desk.warnings))


def movement_named(desk: Desk, text: str, where: str) -> tuple[Fact, Movement]:
    """Return a known movement by the id of its fact.

    Raises:
        InputError: `bad_id`, `not_found`, or `not_a_movement`.
    """
    try:
        ref = FactRef.parse(text)
    except InputError as error:
        raise error.at(where) from None
    _, fact = desk.fact(ref, where)
    if not isinstance(fact.record, Movement):
        raise InputError("not_a_movement", field=where)
    return fact, fact.record


def countersigned(history: History) -> frozenset[Ref]:
    """Return the movements that somebody other than their writer signed.

    Another is who sat at another device or in another session of it; two who are not identified at
    one device are one.
    """
    signed = in_force(history, history.of_kind.get(KindNo.STOCK_WITNESS, ()))
    if not signed:
        return frozenset()
    wrote = {ref_of(fact): (fact.device, fact.session) for fact in movements(history)}
    found = set()
    for fact in signed:
        assert isinstance(fact.record, StockWitness)
        named = fact.record.movement
        if named in wrote and wrote[named] != (fact.device, fact.session):
            found.add(named)
    return frozenset(found)


# rows: `movement` says whether it is countersigned


KIND = Kind(
    number=KindNo.STOCK_WITNESS,
    name="stock.witness",
    value=StockWitness,
    data=WitnessData,
    plan=plan,
    example={
        "v": 1,
        "kind": "stock.witness",
        "key": "example-79",
        "data": {"movement": "$movement"},
    },
)

# merge note: signatures are only ever added; one that is taken back no longer counts.
