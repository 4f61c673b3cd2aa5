"""What the pages of stores ask the book: SQL in the same subset as `queries`, and its answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from hq.clocks import furthest
from hq.queries import Book, Value
from protocols.records.movement import DAY_MS

STANDS = "m.standing = 0 and m.replaced = 0 and m.double = 0"

STOCK = """
select s.subject, s.store, s.item, s.low, s.high, s.last_ms, s.counted_ms, s.unsettled, s.negative,
       s.overdraft, s.changed
from stock s"""

LOTS = """
select b.subject, b.lot, b.expiry_day, b.low, b.high, b.quarantined
from balance b where b.low <> 0 or b.high <> 0"""

RECALLED = "select distinct r.item, r.lot from recall r where r.standing = 0 and r.replaced = 0"

LINKED = """
select s.store, max(peer.whole_ms), max(peer.clock_ahead_ms), min(peer.clock_ahead_ms)
from stock s
join entry on entry.arrival = s.entry
join feed on feed.no = entry.feed
join peer on peer.device = feed.device
group by s.store"""
"""By whoever wrote the latest record of an item there: asking of every movement is a long walk."""

USES = f"""
select s.subject, m.at_ms / {DAY_MS}, cast(sum(m.units) as bigint), cast(sum(
         case when m.type in ('issue', 'dispense', 'return') and m.shipment is null
                   and m.why <> 'transfer' then -m.units else 0 end) as bigint)
from stock s cross join movement m
where m.subject = s.subject and m.at_ms >= :since and {STANDS}{{}}
group by s.subject, m.at_ms / {DAY_MS}"""
"""The uses are those of `protocols.records.cover`; the index `movement_use` holds all it asks."""

FOUND = f"""
select s.subject, t.at_ms / {DAY_MS}, max(t.righted)
from stock s cross join stocktake t
where t.subject = s.subject and t.at_ms >= :since
  and t.standing = 0 and t.replaced = 0{{}}
group by s.subject, t.entry, t.idx % 65536, t.at_ms / {DAY_MS}"""
"""What counts found more or less than the book (`records/righted.py`)."""

BEFORE = f"""
select s.subject from stock s where (exists (
  select 1 from movement m where m.subject = s.subject and m.at_ms < :since and {STANDS})
or exists (
  select 1 from stocktake t where t.subject = s.subject and t.at_ms < :since
  and t.standing = 0 and t.replaced = 0)){{}}"""

APART = """
select m.store, m.item, count(*) from movement m where m.standing > 0 group by m.store, m.item"""

SUBJECT = "select no from subject where id = :id"

CARD = """
select m.entry, m.idx, m.at_ms, m.standing, m.replaced, m.type, m.units, m.lot, m.expiry_day,
       m.other, case when m.patient is null then 0 else 1 end, m.why, m.witness, m.reason, m.maybe,
       m.countersigned, m.overdrawn, m.double, feed.device, peer.name
from movement m
join entry on entry.arrival = m.entry
join feed on feed.no = entry.feed
left join peer on peer.device = feed.device
where m.subject = :subject
order by m.at_ms desc, m.entry desc, m.idx desc limit :limit"""

COUNTED = """
select t.entry, t.idx % 65536, t.at_ms, max(t.standing), max(t.replaced),
       cast(sum(t.units) as bigint), count(*), max(t.book_low), max(t.book_high), max(t.used),
       feed.device, peer.name
from stocktake t
join entry on entry.arrival = t.entry
join feed on feed.no = entry.feed
left join peer on peer.device = feed.device
where t.subject = :subject
group by t.entry, t.idx % 65536, t.at_ms, feed.device, peer.name
order by t.at_ms desc, t.entry desc limit :limit"""

SUBJECTS_MAX = 300
"""Asked for by name at once; more are asked for all together."""
CARD_MAX = 5_000
"""Movements, and counts, of one card that are read, the newest."""


class Stock(NamedTuple):
    """What a store has of an item, as a row of the book."""

    subject: int
    store: bytes
    item: str
    low: int
    high: int
    last_ms: int
    counted_ms: int | None
    unsettled: int
    negative: int
    overdraft: int
    changed: int
    """Local number of its last change."""


class LotRow(NamedTuple):
    """One lot of which something may be there, or less than nothing."""

    subject: int
    lot: str
    expiry_day: int | None
    low: int
    high: int
    quarantined: int


class Moved(NamedTuple):
    """One movement on a card."""

    entry: int
    idx: int
    at_ms: int
    standing: int
    replaced: int
    type: str
    units: int
    lot: str
    expiry_day: int | None
    other: bytes | None
    to_patient: int
    why: str
    witness: str
    reason: str
    maybe: int
    countersigned: int
    overdrawn: int
    double: int
    device: bytes
    device_name: str | None

    @property
    def counts(self) -> bool:
        """Whether it is in the balance, for certain or perhaps."""
        return not (self.standing or self.replaced or self.double)


class Taken(NamedTuple):
    """One count on a card."""

    entry: int
    idx: int
    at_ms: int
    standing: int
    replaced: int
    units: int
    lots: int
    book_low: int
    book_high: int
    used: int
    device: bytes
    device_name: str | None


class Held(NamedTuple):
    """All that is read of the stores for one page."""

    stock: list[Stock]
    lots: dict[int, list[LotRow]]
    """By subject."""
    recalled: frozenset[tuple[str, str]]
    """Item and lot."""
    linked: Mapping[bytes, int]
    """When HQ last held all that somebody who writes in a store had."""
    apart: Mapping[tuple[bytes, str], int]
    """How many movements of an item in a store do not stand, so are in no figure."""
    ahead: Mapping[bytes, int]
    """How far the clock is off that misleads most of those who write in a store."""


async def held(book: Book) -> Held:
    """Read every item of every store."""
    lots: dict[int, list[LotRow]] = {}
    for row in await book.read(LOTS, {}):
        lots.setdefault(row[0], []).append(LotRow(*row))
    linked = await book.read(LINKED, {})
    return Held(
        [Stock(row[0], bytes(row[1]), *row[2:]) for row in await book.read(STOCK, {})],
        lots,
        frozenset((item, lot) for item, lot in await book.read(RECALLED, {})),
        {bytes(store): at_ms for store, at_ms, *_ in linked if at_ms},
        {(bytes(store), item): n for store, item, n in await book.read(APART, {})},
        _ahead(linked),
    )


async def ahead(book: Book) -> Mapping[bytes, int]:
    """Return how far the clock is off that misleads most of those who write in a store."""
    return _ahead(await book.read(LINKED, {}))


def _ahead(linked: Sequence[tuple[Any, ...]]) -> dict[bytes, int]:
    found = {bytes(store): furthest(clocks) for store, _, *clocks in linked}
    return {store: ahead_ms for store, ahead_ms in found.items() if ahead_ms}


Uses = dict[int, list[tuple[int, int, int]]]
"""By subject: (day, by how much it changed, how much of that was used)."""


async def uses(book: Book, since_day: int, subjects: Sequence[int] | None = None) -> Uses:
    """Return what changed each item in each store, day by day.

    Args:
        book: The merged ledger.
        since_day: Days since 1970-01-01; that anything was there before is told as a change of
            nothing on the day before it.
        subjects: Only these, `SUBJECTS_MAX` at most; None: all.
    """
    asked: dict[str, Value] = {"since": since_day * DAY_MS}
    only = ""
    if subjects is not None:
        named: dict[str, Value] = {f"s{at}": each for at, each in enumerate(subjects)}
        asked |= named
        only = f" and s.subject in ({', '.join(f':{name}' for name in named)})"
    found: Uses = {}
    for (subject,) in await book.read(BEFORE.format(only), asked):
        found[subject] = [(since_day - 1, 0, 0)]
    for subject, day, units, used in await book.read(USES.format(only), asked):
        found.setdefault(subject, []).append((day, units, used))
    for subject, day, units in await book.read(FOUND.format(only), asked):
        found.setdefault(subject, []).append((day, units, 0))
    return found


async def card(book: Book, pair: bytes) -> tuple[int | None, list[Moved], list[Taken]]:
    """Return the subject, movements and counts of one item in one store, the newest first.

    Args:
        book: The merged ledger.
        pair: Id of the subject: `movement.stock_subject`.
    """
    known = await book.read(SUBJECT, {"id": pair})
    if not known:
        return None, [], []
    asked = {"subject": known[0][0], "limit": CARD_MAX}
    moves = [Moved(*row) for row in await book.read(CARD, asked)]
    counts = [Taken(*row) for row in await book.read(COUNTED, asked)]
    return int(known[0][0]), moves, counts
