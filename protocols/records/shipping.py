"""What one store asked of another, and how far it has come: the bytes, and the state as a function.

Each step is one record of the shipment and can be written apart; every record names the latest ones
that its writer knew of, which is the causal order. What is sent and received moves stock: the
movements follow from these records and are written in the same transaction (`shipment.follow`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from protocols.records.contested import current
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.movement import (
    ITEM_CHARS_MAX,
    LOT_CHARS_MAX,
    UNITS_MAX,
    Day,
    Movement,
)
from protocols.records.references import Sight, must_name, ref_of
from protocols.records.shape import Fact, Instant, Small, Statement

ID_BYTES = 16
LINES_MAX = 64
"""Lines of one step: as many packages as two people count together."""
CARRIER_CHARS_MAX = 80

# fields


class Wanted(msgspec.Struct, array_like=True, frozen=True):
    """So much of an item, of whatever lot."""

    item: str = ""
    units: Small = 0


class Parcel(msgspec.Struct, array_like=True, frozen=True):
    """So much of one lot."""

    item: str = ""
    lot: str = ""
    units: Small = 0
    expiry: Day | None = None


class Arrival(msgspec.Struct, array_like=True, frozen=True):
    """What came of one lot that was sent; it says by itself what it is."""

    item: str = ""
    lot: str = ""
    units: Small = 0
    """That came and is kept."""
    expiry: Day | None = None
    sent: Small = 0
    """That were on their way, as the receiver knew; 0: nobody sent any."""
    why: Small = 0
    """Position in `DISCREPANCIES`: why `units` is not `sent`."""
    text: str = ""
    vvm: Small = 0
    """Stage of the vial monitor, 1-4; 0: not looked at, or there is none."""
    rest: Small = 0
    """1: what lacks is still on its way. 0: nothing more is expected."""


DISCREPANCIES = (
    "",
    "short",
    "over",
    "damaged",
    "expired",
    "broken-cold-chain",
    "vvm",
    "wrong-item",
    "theft",
    "other",
)
"""Why what came is not what was sent, by position on the wire; only ever added to at the end."""


class Step(Statement, frozen=True):
    """What every step has."""

    seen: tuple[Ref, ...] = ()
    """The latest records of this shipment that its writer knew of."""
    donor: bytes = b""
    """The store that gives; empty: whoever can."""
    to: bytes = b""
    """The store it is for."""
    until_s: Instant | None = None
    """Unix seconds; what is not done by then has lapsed. None: no such day was said."""

    def __post_init__(self) -> None:
        """Refuse what names no store."""
        must_name(*self.seen)
        for value in (self.donor, self.to):
            if len(value) not in (0, ID_BYTES):
                raise ValueError("store")
        lines: Sequence[Wanted | Parcel | Arrival] = getattr(self, "lines", ())
        if len(lines) > LINES_MAX or any(
            not 0 < len(line.item) <= ITEM_CHARS_MAX
            or line.units > UNITS_MAX
            or len(getattr(line, "lot", "")) > LOT_CHARS_MAX
            for line in lines
        ):
            raise ValueError("lines")


class RequisitionPlace(Step, frozen=True):
    """A store asks for something."""

    lines: tuple[Wanted, ...] = ()
    text: str = ""


class RequisitionApprove(Step, frozen=True):
    """Somebody decides how much of it is to be given, and by which store."""

    lines: tuple[Wanted, ...] = ()


class ShipmentReserve(Step, frozen=True):
    """The store that gives sets it aside."""

    lines: tuple[Parcel, ...] = ()


class ShipmentDispatch(Step, frozen=True):
    """It left: from now on it is on its way, and in neither store."""

    lines: tuple[Parcel, ...] = ()
    carrier: str = ""
    witness: str = ""
    """Who saw it leave."""


class ShipmentReceive(Step, frozen=True):
    """It came; `to` is the store that took it in."""

    lines: tuple[Arrival, ...] = ()


class ShipmentCancel(Step, frozen=True):
    """Nothing will be sent; why is in the circumstances."""


PLACE, APPROVE = KindNo.REQUISITION_PLACE, KindNo.REQUISITION_APPROVE
RESERVE, DISPATCH = KindNo.SHIPMENT_RESERVE, KindNo.SHIPMENT_DISPATCH
RECEIVE, CANCEL = KindNo.SHIPMENT_RECEIVE, KindNo.SHIPMENT_CANCEL

VALUES: dict[int, type[Step]] = {
    PLACE: RequisitionPlace,
    APPROVE: RequisitionApprove,
    RESERVE: ShipmentReserve,
    DISPATCH: ShipmentDispatch,
    RECEIVE: ShipmentReceive,
    CANCEL: ShipmentCancel,
}

STATES = ("requested", "approved", "reserved", "dispatched", "partly", "received", "cancelled")
"""How far it has come. `dispatched`: on its way; `partly`: some of it came."""
LAPSING = frozenset(("requested", "approved", "reserved"))
EXPIRED = "expired"

# what it comes to

Key = tuple[str, str]
"""Item and lot."""


class Line(NamedTuple):
    """One lot of a shipment, or what was asked of an item (lot '')."""

    item: str
    lot: str
    expiry: int | None
    wanted: int
    approved: int
    reserved: int
    """Set aside, as long as nothing was sent and it has not lapsed."""
    sent: int
    arrived: int
    missing: int
    """Sent and not expected any more; below 0 where more came than was sent."""
    why: int
    """Position in `DISCREPANCIES`."""
    vvm: int

    @property
    def transit(self) -> int:
        """On its way, as far as this shipment's own records say."""
        return self.sent - self.arrived - self.missing


class Shipping(NamedTuple):
    """One shipment as it stands."""

    state: str
    """One of `STATES`."""
    donor: bytes
    to: bytes
    until_s: int | None
    lines: tuple[Line, ...]
    """By item and lot."""
    unsettled: int
    """What was done apart and only one of which counts: approvals, reservations, dispatches and
    receipts beside each other, a cancellation beside a dispatch."""
    last: dict[int, Fact]
    """The last record of each kind that counts."""


def steps(history: History) -> list[Fact]:
    """Return every step, in display order."""
    found = [fact for kind in VALUES for fact in history.of_kind.get(kind, ())]
    return sorted(found, key=lambda fact: (fact.order, fact.index))


def sight(facts: Iterable[Fact], about: Iterable[Fact] | None = None) -> Sight:
    """Return which of some records that have `seen` had seen which; see `Sight`."""
    return Sight(facts, lambda fact: getattr(fact.record, "seen", ()), about)


def shipping(history: History) -> Shipping | None:
    """Return how a shipment stands; None where nothing readable is said of it."""
    everything = steps(history)
    if not everything:
        return None
    known = sight(everything)
    by_kind = {kind: current(history, KindNo(kind)) for kind in VALUES}
    sent, sent_twice = _moved(by_kind[DISPATCH], known, lambda step: step.donor)
    arrived, arrived_twice = _moved(by_kind[RECEIVE], known, lambda step: step.to)
    said = {kind: _heads(known, by_kind[kind]) for kind in (PLACE, APPROVE, RESERVE)}
    on_the_way = bool(by_kind[DISPATCH] or by_kind[RECEIVE])
    cancelled = [
        fact
        for fact in by_kind[CANCEL]
        if not any(known.had_seen(later, fact) for kind in _GO_ON for later in by_kind[kind])
    ]
    reserved = {} if on_the_way or cancelled else _most(said[RESERVE])
    lines = _lines(_most(said[PLACE]), _least(said[APPROVE]), reserved, sent, arrived)
    state = _state(said, lines, by_kind, cancelled)
    last = {int(kind): facts[-1] for kind, facts in by_kind.items() if facts}
    newest = [last[kind] for kind in _NEWEST if kind in last] or everything[-1:]
    doubts = sum(max(len(facts) - 1, 0) for facts in said.values()) + sent_twice + arrived_twice
    return Shipping(
        state,
        next((fact.record.donor for fact in newest if fact.record.donor), b""),  # type: ignore[union-attr]
        next((fact.record.to for fact in newest if fact.record.to), b""),  # type: ignore[union-attr]
        _step(newest[0]).until_s if state in LAPSING else None,
        lines,
        doubts + bool(cancelled and on_the_way),
        last,
    )


_GO_ON = (APPROVE, RESERVE, DISPATCH)
"""Who writes one of these and knew of a cancellation goes on in spite of it."""
_NEWEST = (DISPATCH, RESERVE, APPROVE, PLACE, RECEIVE)
"""Whose word on donor and receiver holds, the first there is."""


def expired(state: str, until_ms: int | None, now_ms: int) -> bool:
    """Whether something that was asked, approved or set aside has lapsed by now."""
    return state in LAPSING and until_ms is not None and now_ms >= until_ms


def counted_once(
    facts: Sequence[Fact], known: Sight, units: Callable[[Fact], int]
) -> tuple[list[Fact], list[Fact]]:
    """Return of several records of one lot of one shipment those that count, and their doubles.

    Two that knew of each other are two parts of it. Two written apart are one thing told twice:
    the one with fewer units counts, so that no more is promised than everybody saw. One without
    any units moved nothing, and goes after the others. Alike for movements and for the records
    they follow from, and for every order of arrival.
    """
    depth = {
        ref_of(fact): sum(known.had_seen(fact, other) for other in facts if other is not fact)
        for fact in facts
    }
    counted: list[Fact] = []
    doubles: list[Fact] = []
    in_turn = sorted(
        facts,
        key=lambda fact: (depth[ref_of(fact)], not units(fact), units(fact), fact.device, fact.ref),
    )
    for fact in in_turn:
        double = any(known.apart(fact, other) for other in counted)
        (doubles if double else counted).append(fact)
    return counted, doubles


def told_twice(history: History) -> list[tuple[Fact, int]]:
    """Return receipts of one lot that were written apart, and how many units of each count.

    Of several stores all count, since a store knows its own movements alone; of one store, lot by
    lot, those of the receipt with fewer units. In the order in which they are displayed.
    """
    known, by_key = sight(steps(history)), dict[Key, list[tuple[Fact, Arrival]]]()
    for fact in current(history, RECEIVE):
        for line in fact.record.lines:  # type: ignore[union-attr]
            by_key.setdefault((line.item, line.lot), []).append((fact, line))
    counting: dict[Ref, int] = {}
    beside: dict[Ref, Fact] = {}
    for told in by_key.values():
        units = {ref_of(fact): line.units for fact, line in told}
        facts = [fact for fact, _ in told]
        beside |= {
            ref_of(fact): fact for fact in facts if any(known.apart(fact, other) for other in facts)
        }
        for place in {_step(fact).to for fact in facts}:
            own = [fact for fact in facts if _step(fact).to == place]
            counted, _ = counted_once(own, known, lambda fact, u=units: u[ref_of(fact)])  # type: ignore[misc]
            for ref in map(ref_of, counted):
                counting[ref] = counting.get(ref, 0) + units[ref]
    in_turn = sorted(beside.values(), key=lambda fact: (fact.order, fact.index))
    return [(fact, counting.get(ref_of(fact), 0)) for fact in in_turn]


def doubled(facts: Sequence[Fact], moves: Sequence[Fact]) -> frozenset[Ref]:
    """Return the movements of shipments that do not count: another of the same lot does.

    Args:
        facts: Everything known of one item in one store.
        moves: Those of its movements that stand and that nobody replaced or took back.
    """
    by_key: dict[tuple[int, bytes, str], list[Fact]] = {}
    for fact in moves:
        record: Movement = fact.record  # type: ignore[assignment]
        if record.shipment is not None:
            by_key.setdefault((fact.kind, record.shipment, record.lot), []).append(fact)
    told = [several for several in by_key.values() if len(several) > 1]
    if not told:
        return frozenset()
    known = sight(
        (fact for fact in facts if hasattr(fact.record, "seen")),
        (fact for several in told for fact in several),
    )
    return frozenset(
        ref_of(fact) for several in told for fact in counted_once(several, known, _units_of)[1]
    )


def _units_of(fact: Fact) -> int:
    assert isinstance(fact.record, Movement)
    return fact.record.units


def _step(fact: Fact) -> Step:
    assert isinstance(fact.record, Step)
    return fact.record


def _heads(known: Sight, facts: Sequence[Fact]) -> list[Fact]:
    """Return those that no other of them had seen: several were written apart."""
    return [fact for fact in facts if not any(known.had_seen(other, fact) for other in facts)]


def _moved(
    facts: Sequence[Fact], known: Sight, place: Callable[[Step], bytes]
) -> tuple[dict[Key, list[Parcel | Arrival]], int]:
    """Return the lines that count by item and lot, and how many were told twice.

    A store knows its own movements alone, so a lot that two stores took in apart counts in both:
    it is told twice all the same, and more came than was sent.
    """
    by_place: dict[tuple[Key, bytes], list[tuple[Fact, Parcel | Arrival]]] = {}
    for fact in facts:
        for line in fact.record.lines:  # type: ignore[union-attr]
            there = ((line.item, line.lot), place(_step(fact)))
            by_place.setdefault(there, []).append((fact, line))
    counting: dict[Key, list[tuple[Fact, Parcel | Arrival]]] = {}
    twice = 0
    for (key, _), told in by_place.items():
        units = {ref_of(fact): line.units for fact, line in told}
        own = list({ref_of(fact): fact for fact, _ in told}.values())
        counted, doubles = counted_once(own, known, lambda fact, u=units: u[ref_of(fact)])  # type: ignore[misc]
        refs = {ref_of(fact) for fact in counted}
        elsewhere = counting.setdefault(key, [])
        twice += len(doubles)
        twice += any(known.apart(fact, other) for fact in counted for other, _ in elsewhere)
        elsewhere += [(fact, line) for fact, line in told if ref_of(fact) in refs]
    found: dict[Key, list[Parcel | Arrival]] = {}
    for key, told in counting.items():
        told.sort(key=lambda pair: (pair[0].order, pair[0].index))
        found[key] = [line for _, line in told]
    return found, twice


def _most(facts: Sequence[Fact]) -> dict[Key, Wanted | Parcel]:
    return _by_key(facts, lambda one, other: one.units > other.units)


def _least(facts: Sequence[Fact]) -> dict[Key, Wanted | Parcel]:
    return _by_key(facts, lambda one, other: one.units < other.units)


def _by_key(
    facts: Sequence[Fact], better: Callable[[Wanted | Parcel, Wanted | Parcel], bool]
) -> dict[Key, Wanted | Parcel]:
    found: dict[Key, Wanted | Parcel] = {}
    for fact in facts:
        for line in fact.record.lines:  # type: ignore[union-attr]
            key = (line.item, getattr(line, "lot", ""))
            if key not in found or better(line, found[key]):
                found[key] = line
    return found


def _lines(
    wanted: dict[Key, Wanted | Parcel],
    approved: dict[Key, Wanted | Parcel],
    reserved: dict[Key, Wanted | Parcel],
    sent: dict[Key, list[Parcel | Arrival]],
    arrived: dict[Key, list[Parcel | Arrival]],
) -> tuple[Line, ...]:
    found = []
    for key in sorted({*wanted, *approved, *reserved, *sent, *arrived}):
        came = [line for line in arrived.get(key, ()) if isinstance(line, Arrival)]
        went = sum(line.units for line in sent.get(key, ()))
        units = sum(line.units for line in came)
        known = [*sent.get(key, ()), *came, *([reserved[key]] if key in reserved else ())]
        expiry = [line.expiry for line in known if not isinstance(line, Wanted)]
        closed = bool(came) and not came[-1].rest
        reasons = [line.why for line in came if line.why]
        found.append(
            Line(
                *key,
                next((day for day in expiry if day is not None), None),
                _units(wanted.get(key)),
                _units(approved.get(key)),
                _units(reserved.get(key)),
                went,
                units,
                (went or sum(line.sent for line in came[:1])) - units if closed else 0,
                reasons[-1] if reasons else 0,
                max((line.vvm for line in came), default=0),
            )
        )
    return tuple(found)


def _units(line: Wanted | Parcel | None) -> int:
    return 0 if line is None else line.units


def _state(
    said: dict[KindNo, list[Fact]],
    lines: Sequence[Line],
    by_kind: dict[int, list[Fact]],
    cancelled: Sequence[Fact],
) -> str:
    if by_kind[DISPATCH] or by_kind[RECEIVE]:
        if not by_kind[RECEIVE]:
            return "dispatched"
        return "partly" if any(line.transit for line in lines) else "received"
    if cancelled:
        return "cancelled"
    if said[RESERVE]:
        return "reserved"
    return "approved" if said[APPROVE] else "requested"
