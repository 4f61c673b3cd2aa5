"""Counts, what settles them, and allotments: the bytes; `balance.py` says what they come to."""

from __future__ import annotations

import msgspec

from protocols.records.history import Ref
from protocols.records.movement import LOT_CHARS_MAX, Day, Units, must_be_pair
from protocols.records.references import must_name
from protocols.records.shape import Small, Statement

# fields


class Counted(msgspec.Struct, array_like=True, frozen=True):
    """So many units of one lot were on the shelf."""

    lot: str = ""
    expiry: Day | None = None
    units: Small = 0


class StockCount(Statement, frozen=True):
    """Somebody counted an item in a store."""

    store: bytes = b""
    item: str = ""
    lots: tuple[Counted, ...] = ()
    whole: Small = 1
    """1: every lot was looked for, and one that is not listed was not there. 0: only those."""
    blind: Small = 0
    """1: whoever counted did not see what the book said."""
    book_low: Units = 0
    """The least that the writer's book said of the lots that were looked for."""
    book_high: Units = 0
    seen: tuple[Ref, ...] = ()
    """The latest records of the pair that its writer knew of: what is in the count."""

    def __post_init__(self) -> None:
        """Refuse what counts nothing."""
        must_be_pair(self.store, self.item)
        if any(len(each.lot) > LOT_CHARS_MAX for each in self.lots):
            raise ValueError("lot")
        must_name(*self.seen)

    def covers(self, lot: str) -> bool:
        """Whether a lot was looked for."""
        return bool(self.whole) or any(each.lot == lot for each in self.lots)

    def units_of(self, lot: str) -> int:
        """Return how many units of a lot were there."""
        return sum(each.units for each in self.lots if each.lot == lot)

    @property
    def found(self) -> int:
        """How much more was there than the least that the book said; below 0 for less."""
        return sum(each.units for each in self.lots) - self.book_low

    def of_one_lot(self, other: StockCount) -> bool:
        """Whether both looked for one lot."""
        if self.whole or other.whole:
            return True
        return any(other.covers(each.lot) for each in self.lots)


class StockSettle(Statement, frozen=True):
    """A person says whether a movement was in a count."""

    store: bytes = b""
    item: str = ""
    movement: Ref = (bytes(16), 0)
    count: Ref = (bytes(16), 0)
    counted: Small = 0
    """1: it was in the count already; 0: it comes on top."""
    seen: tuple[Ref, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what names nothing."""
        must_be_pair(self.store, self.item)
        must_name(self.movement, self.count, *self.seen)


class Granted(msgspec.Struct, array_like=True, frozen=True):
    """So many units are one device's to issue."""

    device: bytes = b""
    units: Small = 0


class AllotmentGrant(Statement, frozen=True):
    """A device gives some of what it may issue to others."""

    store: bytes = b""
    item: str = ""
    to: tuple[Granted, ...] = ()
    seen: tuple[Ref, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what gives nothing."""
        must_be_pair(self.store, self.item)
        if not self.to or any(len(each.device) != 32 or not each.units for each in self.to):
            raise ValueError("grant")
        must_name(*self.seen)


# commands, apply: `stocktake.py` and `allotment.py`; rows: `stock.py`; merge note: `balance.py`
