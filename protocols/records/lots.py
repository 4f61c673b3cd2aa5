"""Lots held back in one store, let go again, and their last day where it was written wrong."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, ClassVar

import msgspec

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.records.balance import pair_of
from protocols.records.display import clean_text
from protocols.records.drawing import item_named
from protocols.records.history import History, Ref
from protocols.records.kinds import KindNo
from protocols.records.movement import (
    LOT_CHARS_MAX,
    Day,
    entry_of,
    heads,
    in_force,
    lot_text,
    must_be_pair,
    pair_history,
)
from protocols.records.moving import expiry_day
from protocols.records.planning import Command, Desk, refs
from protocols.records.references import must_name
from protocols.records.shape import Fact, Kind, NewFact, Plan, Row, Small, Statement, View
from protocols.records.spelling import ExpiryText, one_of
from protocols.records.wordlists import position, word_at

# fields


class LotQuarantine(Statement, frozen=True):
    """A lot is not to be issued from a store until somebody lets it go; why is said too."""

    store: bytes = b""
    item: str = ""
    lot: str = ""
    why: Small = 0
    """Position in `REASONS`."""
    seen: tuple[Ref, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what names no lot."""
        must_be_lot(self.store, self.item, self.lot)
        must_name(*self.seen)


class LotRelease(Statement, frozen=True):
    """A lot may be issued again: the quarantines that it names are over, or its last day is this.

    A day takes the place of whatever its writer had seen stated of the lot; what was stated apart
    from it stands beside it, and the earliest day is used.
    """

    store: bytes = b""
    item: str = ""
    lot: str = ""
    seen: tuple[Ref, ...] = ()
    expiry: Day | None = None
    """The last day as the package has it; None: the date is not what it is about."""

    def __post_init__(self) -> None:
        """Refuse what names no lot."""
        must_be_lot(self.store, self.item, self.lot)
        must_name(*self.seen)


REASONS = ("other", "excursion", "vvm", "damaged", "suspected", "recall", "expired", "records")
"""Why a lot is held back, by position on the wire; only ever added to at the end."""


def must_be_lot(store: bytes, item: str, lot: str) -> None:
    """Refuse what names no lot of an item in a store, where a value is read.

    Raises:
        ValueError: One of them is of the wrong length.
    """
    must_be_pair(store, item)
    if len(lot) > LOT_CHARS_MAX:
        raise ValueError("lot")


# commands


class QuarantineData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of lot.quarantine; the line's `store` says where."""

    item: str
    lot: str
    why: Annotated[str, one_of(REASONS)] = "other"
    """One of `REASONS`; the line's `reason` says more."""


class ReleaseData(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """`data` of lot.release; the line's `reason` says why it is safe."""

    item: str
    lot: str
    expiry: ExpiryText | None = None
    """The last day as the package has it, where it was written wrong; holds go on then."""


# apply


def plan_quarantine(command: Command, view: View) -> Plan:
    """Hold a lot back in one store."""
    desk = Desk(command, view)
    data: QuarantineData = command.data
    store, item = desk.store(), item_named(desk, data.item).code
    lot = _lot(data.lot)
    why = position(data.why, REASONS, "data.why")
    record = LotQuarantine(
        desk.circumstances(reason_needed=not why),
        (),
        bytes(store),
        item,
        lot,
        why,
        heads(pair_history(desk, store, item)),
    )
    return _plan(desk, record, KindNo.LOT_QUARANTINE)


def plan_release(command: Command, view: View) -> Plan:
    """Let a lot go; a quarantine that its writer did not know of goes on."""
    desk = Desk(command, view)
    data: ReleaseData = command.data
    store, item = desk.store(), item_named(desk, data.item).code
    lot = _lot(data.lot)
    history = pair_history(desk, store, item)
    held = [fact for fact in held_by(history) if _record(fact).lot == lot]
    day = expiry_day(data.expiry, "data.expiry")
    if day is not None:
        # Only the date: whoever held it back for another reason lets it go.
        held = []
        if pair_of(history).lot(lot) is None:
            raise InputError("not_found", field="data.lot")
    elif not held:
        raise InputError("not_quarantined", field="data.lot")
    record = LotRelease(
        desk.circumstances(reason_needed=True),
        refs(fact.ref for fact in held),
        bytes(store),
        item,
        lot,
        heads(history),
        day,
    )
    return _plan(desk, record, KindNo.LOT_RELEASE)


def _plan(desk: Desk, record: LotQuarantine | LotRelease, kind: KindNo) -> Plan:
    # Urgent: what is held back is held back because it may harm.
    draft = entry_of(record.store, record.item, NewFact(kind, record), lane=Lane.URGENT)
    return Plan((draft,), tuple(desk.warnings))


def _lot(text: str) -> str:
    lot = lot_text(text, "data.lot")
    if not lot:
        raise InputError("empty", field="data.lot")
    return lot


def held_by(history: History) -> list[Fact]:
    """Return the quarantines that hold: they stand, and nobody let go what they hold."""
    return in_force(history, history.of_kind.get(KindNo.LOT_QUARANTINE, ()))


# rows


class QuarantineRow(Row, frozen=True, kw_only=True, gc=False):
    """One quarantine; `replaced` is 1 once it was let go."""

    TABLE: ClassVar[str] = "quarantine"
    INDEXED: ClassVar[tuple[str, ...]] = ("store",)
    store: bytes
    item: str
    lot: str
    why: str
    reason: str
    held: int
    """1 while the lot is held back by it."""


class LotDateRow(Row, frozen=True, kw_only=True, gc=False):
    """A last day that somebody stated anew: what a card lists beside what was moved."""

    TABLE: ClassVar[str] = "lot_date"
    INDEXED: ClassVar[tuple[str, ...]] = ("store",)
    store: bytes
    item: str
    lot: str
    expiry_day: int
    """The last day as it was stated, days since 1970-01-01."""
    reason: str
    device: bytes


def date_rows(history: History, ours: Callable[[Fact], bool]) -> list[LotDateRow]:
    """Return one row for each last day of a pair that was stated anew; args as of `rows`."""
    return [
        LotDateRow(
            entry=fact.entry,
            idx=fact.index,
            kind=fact.kind,
            standing=fact.standing,
            at_ms=fact.at_ms,
            supersedes=history.supersedes(fact),
            replaced=history.replaced(fact),
            store=record.store,
            item=clean_text(record.item),
            lot=clean_text(record.lot),
            expiry_day=record.expiry,
            reason=clean_text(record.circumstances.reason) if record.circumstances else "",
            device=fact.device,
        )
        for fact in history.of_kind.get(KindNo.LOT_RELEASE, ())
        if isinstance(record := fact.record, LotRelease)
        and record.expiry is not None
        and ours(fact)
    ]


def rows(history: History, ours: Callable[[Fact], bool]) -> list[QuarantineRow]:
    """Return one row for each quarantine of a pair.

    Args:
        history: Of the pair.
        ours: Whether a fact is of this pair.
    """
    found = []
    for fact in history.of_kind.get(KindNo.LOT_QUARANTINE, ()):
        if not ours(fact):
            continue
        record, replaced = _record(fact), history.replaced(fact)
        stated = record.circumstances
        found.append(
            QuarantineRow(
                entry=fact.entry,
                idx=fact.index,
                kind=fact.kind,
                standing=fact.standing,
                at_ms=fact.at_ms,
                supersedes=history.supersedes(fact),
                replaced=replaced,
                store=record.store,
                item=clean_text(record.item),
                lot=clean_text(record.lot),
                why=word_at(REASONS, record.why),
                reason=clean_text(stated.reason) if stated else "",
                held=int(fact.standing == 0 and not replaced),
            )
        )
    return found


def _record(fact: Fact) -> LotQuarantine:
    assert isinstance(fact.record, LotQuarantine)
    return fact.record


KIND_QUARANTINE = Kind(
    number=KindNo.LOT_QUARANTINE,
    name="lot.quarantine",
    value=LotQuarantine,
    data=QuarantineData,
    plan=plan_quarantine,
    example={
        "v": 1,
        "kind": "lot.quarantine",
        "key": "example-77",
        "store": "$store",
        "data": {"item": "ors-1l-sachet", "lot": "Q7", "why": "damaged"},
    },
    stores=True,
)
KIND_RELEASE = Kind(
    number=KindNo.LOT_RELEASE,
    name="lot.release",
    value=LotRelease,
    data=ReleaseData,
    plan=plan_release,
    example={
        "v": 1,
        "kind": "lot.release",
        "key": "example-78",
        "store": "$store",
        "data": {"item": "ors-1l-sachet", "lot": "Q7"},
        "reason": "only the carton was wet",
    },
    stores=True,
)

# merge note: a day stated by a release takes the place of what its writer had seen; two corrections
# apart both stand, and the earlier day is used. Any other release ends the quarantines that its
# writer knew of; one written apart goes on, so the cautious side is used until somebody who knows
# of both lets go.
