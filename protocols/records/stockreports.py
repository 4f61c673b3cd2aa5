"""What is told of a store on paper: stock card, expiry, losses, the register of controlled items.

Pure functions over rows. Each returns lines whose sums are those of the rows, in any order of them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Literal, NamedTuple

from protocols.records.lots import LotDateRow
from protocols.records.movement import DAY_MS
from protocols.records.stock import BalanceRow, MovementRow, StocktakeRow

Bucket = Literal["expired", "30", "60", "90", "180", "later", "none"]
BUCKETS: tuple[Bucket, ...] = ("expired", "30", "60", "90", "180", "later", "none")
"""Days until the last day of use; `none`: nobody stated it."""
_LIMITS: tuple[tuple[int, Bucket], ...] = ((30, "30"), (60, "60"), (90, "90"), (180, "180"))

# cards and registers


class CardLine(NamedTuple):
    """One thing that happened to an item in a store."""

    at_ms: int
    type: str
    """A movement's, `count`, or `expiry` where a last day was stated anew: `why` says why."""
    lot: str
    expiry_day: int | None
    units: int
    """Below 0 where it left; of a count, by how much the book was set right; of a day 0."""
    balance: int
    """What was there after it, of all lots."""
    why: str
    other: bytes | None
    patient: bytes | None
    witness: str
    countersigned: bool
    device: bytes
    maybe: bool
    """It may have been in a count already, so the balance may be without it."""
    entry: int = 0
    """In this book, with `idx`: only to tell apart what is alike in everything above."""
    idx: int = 0


Place = tuple[int, int, str, str, bytes, str, bytes, int, int]
"""Where a line stands on a card: when, units with their sign turned, type, lot, device, why,
patient, entry and place in it. Of one instant what came in goes first."""


def card(
    movements: Iterable[MovementRow],
    counts: Iterable[StocktakeRow] = (),
    dates: Iterable[LotDateRow] = (),
) -> tuple[CardLine, ...]:
    """Return all that happened to one item in one store, the oldest first, with its balance.

    A count sets the balance right by the difference that it made (`righted.py`), so the last
    balance is the store's; where that is a range, what may have been counted is taken to be on top,
    and where two counts differ it need not be either end. What does not stand, was replaced or
    taken back is left out. The lines are the same wherever the same is held: of one instant what
    came in goes first.
    """
    found = [*map(_moved, _standing(movements)), *_counted(counts), *_dated(dates)]
    lines = _added_up(sorted(found, key=place), 0)
    # Numbers of entries are those of one book.
    return tuple(line._replace(entry=0, idx=0) for line in lines)


def page(
    movements: Iterable[MovementRow],
    counts: Iterable[StocktakeRow],
    dates: Iterable[LotDateRow],
    after: tuple[Place, int] | None,
    lines: int,
) -> tuple[CardLine, ...]:
    """Return the lines of a card that come after a place, at most so many: as `card` has them.

    Args:
        movements: The first `lines` of one item in one store after that place, or more of them.
        counts: All of them.
        dates: All of them.
        after: Where the page before ended, with the balance there; None: from the beginning.
        lines: At least one.
    """
    behind, balance = after if after is not None else (None, 0)
    found = [*map(_moved, _standing(movements)), *_counted(counts), *_dated(dates)]
    left = [line for line in found if behind is None or place(line) > behind]
    return _added_up(sorted(left, key=place)[:lines], balance)


def _added_up(found: Iterable[CardLine], balance: int) -> tuple[CardLine, ...]:
    lines = []
    for line in found:
        balance += line.units
        lines.append(line._replace(balance=balance))
    return tuple(lines)


def register(
    movements: Iterable[MovementRow],
    counts: Iterable[StocktakeRow],
    controlled: Callable[[str], bool],
    dates: Iterable[LotDateRow] = (),
) -> tuple[tuple[str, CardLine], ...]:
    """Return the cards of all controlled items of one store: item by item, each with its balance.

    Args:
        movements: Of one store.
        counts: Of one store.
        controlled: Whether an item takes a witness.
        dates: Of one store.
    """
    moved, counted, dated = list(movements), list(counts), list(dates)
    named = {row.item for row in moved} | {row.item for row in counted}
    items = sorted(item for item in named if controlled(item))
    return tuple(
        (item, line)
        for item in items
        for line in card(
            [row for row in moved if row.item == item],
            [row for row in counted if row.item == item],
            [row for row in dated if row.item == item],
        )
    )


def place(line: CardLine) -> Place:
    """Return where a line stands; all but the last two are the same on every node."""
    return (
        *(line.at_ms, -line.units, line.type, line.lot, line.device, line.why),
        *(line.patient or b"", line.entry, line.idx),
    )


def _standing(movements: Iterable[MovementRow]) -> list[MovementRow]:
    return [row for row in movements if not row.standing and not row.replaced and not row.double]


def _moved(row: MovementRow) -> CardLine:
    return CardLine(
        row.at_ms, row.type, row.lot, row.expiry_day, row.units, 0, row.why, row.other,
        row.patient, row.witness, bool(row.countersigned), row.device, bool(row.maybe),
        row.entry, row.idx,
    )  # fmt: skip


def _dated(dates: Iterable[LotDateRow]) -> list[CardLine]:
    return [
        CardLine(
            row.at_ms, "expiry", row.lot, row.expiry_day, 0, 0, row.reason, None, None, "", False,
            row.device, False, row.entry, row.idx,
        )
        for row in dates
        if not row.standing and not row.replaced
    ]  # fmt: skip


def _counted(counts: Iterable[StocktakeRow]) -> list[CardLine]:
    taken: dict[tuple[int, int], list[StocktakeRow]] = {}
    for row in counts:
        if not row.standing and not row.replaced:
            taken.setdefault((row.entry, row.idx & 0xFFFF), []).append(row)
    found = []
    for rows in taken.values():
        first = rows[0]
        exact = first.book_low == first.book_high
        found.append(CardLine(
            first.at_ms, "count", "", None, first.righted, 0, "", None, None, "", False,
            first.device, not exact, first.entry, first.idx & 0xFFFF,
        ))  # fmt: skip
    return found


# expiry


class ExpiryLine(NamedTuple):
    """One lot that may be there, and how long it may still be used."""

    bucket: Bucket
    item: str
    lot: str
    expiry_day: int | None
    days: int | None
    """Until the last day of use; below 0: so long over."""
    low: int
    high: int
    quarantined: bool
    last_ms: int
    """How old the figure is."""


def expiry(balances: Iterable[BalanceRow], today: int) -> tuple[ExpiryLine, ...]:
    """Return every lot that may be there, by what expires first.

    Args:
        balances: Of one store, or of several.
        today: In days since 1970-01-01.
    """
    lines = [
        ExpiryLine(
            bucket(row.expiry_day, today),
            row.item,
            row.lot,
            row.expiry_day,
            None if row.expiry_day is None else row.expiry_day - today,
            row.low,
            row.high,
            bool(row.quarantined),
            row.last_ms,
        )
        for row in balances
        if row.high > 0
    ]
    return tuple(
        sorted(
            lines,
            key=lambda line: (line.days is None, line.days or 0, line.item, line.lot, line.last_ms),
        )
    )


def bucket(expiry_day: int | None, today: int) -> Bucket:
    """Return how soon something expires; on its last day it may still be used."""
    if expiry_day is None:
        return "none"
    days = expiry_day - today
    if days < 0:
        return "expired"
    return next((name for limit, name in _LIMITS if days <= limit), "later")


# losses


class LossLine(NamedTuple):
    """What was lost of one item for one reason."""

    item: str
    why: str
    """'' where nobody said."""
    units: int
    """Above 0."""
    times: int
    last_ms: int


def losses(movements: Iterable[MovementRow], since_ms: int, until_ms: int) -> tuple[LossLine, ...]:
    """Return what was lost from one instant to before another, the most first.

    Adjustments that took away are losses too: something is not there and nobody used it.
    """
    found: dict[tuple[str, str], list[MovementRow]] = {}
    for row in _standing(movements):
        lost = row.type == "loss" or (row.type == "adjust" and row.units < 0)
        if lost and since_ms <= row.at_ms < until_ms:
            found.setdefault((row.item, row.why), []).append(row)
    lines = [
        LossLine(item, why, -sum(row.units for row in rows), len(rows), max(r.at_ms for r in rows))
        for (item, why), rows in found.items()
    ]
    return tuple(sorted(lines, key=lambda line: (-line.units, line.item, line.why)))


# the whole ledger


def ledger(movements: Iterable[MovementRow]) -> Sequence[MovementRow]:
    """Return every movement, what was taken back too, the oldest first."""
    return sorted(movements, key=lambda row: (row.at_ms, -row.units, row.item, row.lot, row.device))


def day_of(at_ms: int) -> int:
    """Return the day of an instant, since 1970-01-01 in UTC."""
    return at_ms // DAY_MS
