"""Questions to the book: rows for screens, rows for other programs, and its own state."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from protocols.errors import InputError
from protocols.feeds.lane import Lane
from protocols.ids import DeviceId, DocId, EntryPrefix, FactRef
from protocols.ledger.book import Ledger
from protocols.ledger.census import IN_CARE, URGENT_FIRST
from protocols.ledger.chain import FeedState, Tip
from protocols.ledger.searching import says_more, search_query
from protocols.records.catalogue import ROW_TABLES
from protocols.records.patient import PatientRow
from protocols.records.shape import Fact, Row
from protocols.records.shape import columns as row_columns
from protocols.trust.receipts import Receipt

PAGE_MAX = 500
"""Lines of one page."""

TABLES: dict[str, type[Row]] = {table.TABLE: table for table in ROW_TABLES}

_PATIENT_NAMES = [name for name, _ in row_columns(PatientRow)]
_PATIENT_COLUMNS = ", ".join(f"p.{name}" for name in _PATIENT_NAMES)
_PLACES = (
    "SELECT p.subject AS no, p.entry AS entry, p.idx AS idx, p.arrived_ms AS arrived,"
    f" p.code AS code FROM patient p WHERE {IN_CARE} AND {{which}}"
)
_WAITING = (
    f"SELECT {_PATIENT_COLUMNS} FROM ({{places}} ORDER BY arrived, code LIMIT ? OFFSET ?) found"
    " CROSS JOIN patient p ON p.subject = found.no AND p.entry = found.entry AND p.idx = found.idx"
    " ORDER BY p.arrived_ms, p.code"
)
"""Chosen by an index before anything else is read of them."""
_URGENCY = "CASE p.triage {} ELSE {} END".format(
    " ".join(f"WHEN {one} THEN {at}" for at, one in enumerate(URGENT_FIRST) if one is not None),
    URGENT_FIRST.index(None),
)
"""The same order as of a board that nothing narrows."""
_MATCHING = (
    "FROM patient_search f CROSS JOIN patient p ON p.subject = f.rowid"
    " WHERE f.patient_search MATCH ? AND {which}"
)
"""Found by the index of words first: what is typed finds few of a large ward, as a rule."""
_IN_WARD = " AND p.ward = ? AND p.ward <> ''"


class RowLine(NamedTuple):
    """One row with what its entry adds."""

    row: Row
    ref: FactRef
    author: DeviceId
    recorded_ms: int
    feed: FeedState
    seq: int
    changed: int
    """Local change number; the cursor for what comes later."""


@dataclass(frozen=True, slots=True)
class Travelled:
    """How far what this device wrote has come."""

    own_entries: int
    unsent: int
    oldest_unsent_ms: int | None
    on_peers: int
    at_hq_until_ms: int | None


def board(
    ledger: Ledger,
    offset: int,
    limit: int,
    *,
    ward: str = "",
    by_wait: bool = False,
) -> tuple[int, dict[str, int], list[PatientRow]]:
    """Return (patients in care, counts by triage, one page), most urgent first.

    Args:
        ledger: The book.
        offset: Of the page.
        limit: Of the page.
        ward: Only who lies there; counts are of all.
        by_wait: Who came first is first instead.
    """
    census, limit = ledger.rows.census, min(limit, PAGE_MAX)
    groups = census.groups(ward)
    total = sum(number for _, number in groups)
    if by_wait:
        groups = [(tuple(each for same, _ in groups for each in same), total)]
    rows: list[PatientRow] = []
    for triages, number in groups:
        if offset < number and len(rows) < limit and triages:
            rows += _waiting(ledger, triages, ward, limit - len(rows), offset)
        offset = max(offset - number, 0)
    return total, census.counts(), rows


def _waiting(
    ledger: Ledger, triages: Sequence[int | None], ward: str, limit: int, offset: int
) -> list[PatientRow]:
    """Return patients in care of some categories, who came first first."""
    which = "p.triage IS ?" + (_IN_WARD if ward else "")
    places = " UNION ALL ".join(_PLACES.format(which=which) for _ in triages)
    values = [value for each in triages for value in ((each, ward) if ward else (each,))]
    found = ledger.store.all(_WAITING.format(places=places), (*values, limit, offset))
    return [_patient(row) for row in found]


def board_found(
    ledger: Ledger,
    text: str,
    offset: int,
    limit: int,
    *,
    ward: str = "",
    by_wait: bool = False,
) -> tuple[int, list[PatientRow]]:
    """Return (patients in care whom a text finds, one page), in the order of `board`.

    Args:
        ledger: The book.
        text: Whom `search` would find by it.
        offset: Of the page.
        limit: Of the page.
        ward: Only who lies there.
        by_wait: Who came first is first instead.
    """
    if not (query := search_query(text)):
        return 0, []
    values = (query, ward) if ward else (query,)
    found = _MATCHING.format(which=IN_CARE + (_IN_WARD if ward else ""))
    total = ledger.store.one(f"SELECT count(*) {found}", values)
    urgency = "0" if by_wait else _URGENCY
    rows = ledger.store.all(
        f"SELECT {_PATIENT_COLUMNS} FROM (SELECT p.subject AS no, p.entry AS entry, p.idx AS idx,"
        f" {urgency} AS urgency {found} ORDER BY urgency, p.arrived_ms, p.code LIMIT ? OFFSET ?)"
        " found CROSS JOIN patient p ON p.subject = found.no AND p.entry = found.entry"
        " AND p.idx = found.idx ORDER BY found.urgency, p.arrived_ms, p.code",
        (*values, min(limit, PAGE_MAX), offset),
    )
    return (total[0] if total else 0), [_patient(row) for row in rows]


def outside(ledger: Ledger, text: str, limit: int) -> list[PatientRow]:
    """Return those whom a text finds and who are not in care here, the best first."""
    return _best(ledger, text, _MATCHING.format(which=f"NOT ({IN_CARE})"), limit)


def wards(ledger: Ledger, limit: int) -> tuple[str, ...]:
    """Return the wards in which somebody in care lies, by name."""
    return tuple(ledger.rows.census.wards()[:limit])


def known_beds(ledger: Ledger, limit: int) -> list[tuple[str, str]]:
    """Return (ward, bed) of every bed that somebody lies in or ever lay in, by name.

    Beds are known by their use alone.
    """
    found = ledger.store.all(
        "SELECT ward, bed FROM encounter WHERE bed <> '' AND standing = 0 AND replaced < 2"
        " UNION SELECT ward, bed FROM bed_left ORDER BY ward, bed LIMIT ?",
        (limit,),
    )
    return [(ward, bed) for ward, bed in found]


def shared_beds(ledger: Ledger) -> set[tuple[str, str]]:
    """Return (ward, bed) of each bed that several patients in care are said to lie in.

    Who is one person in two records, as people said, still lies there twice until one record is
    closed: that is for a person to see.
    """
    return ledger.rows.census.shared_beds()


def patients(ledger: Ledger, who: Sequence[bytes]) -> list[PatientRow]:
    """Return the current pictures of some patients, in this order."""
    marks = ",".join("?" * len(who))
    found = ledger.store.all(
        f"SELECT {_PATIENT_COLUMNS} FROM subject s CROSS JOIN patient p ON p.subject = s.no"
        f" WHERE s.id IN ({marks})",
        tuple(who),
    )
    by_id = {bytes(row.id): row for row in map(_patient, found)}
    return [by_id[each] for each in who if each in by_id]


def everyone(ledger: Ledger, offset: int, limit: int) -> tuple[int, list[PatientRow]]:
    """Return (all patients, one page), the latest first, in care or not."""
    total = ledger.store.one("SELECT count(*) FROM patient")
    rows = ledger.store.all(
        f"SELECT {_PATIENT_COLUMNS} FROM patient p ORDER BY p.at_ms DESC, p.code LIMIT ? OFFSET ?",
        (min(limit, PAGE_MAX), offset),
    )
    return (total[0] if total else 0), [_patient(row) for row in rows]


def search(ledger: Ledger, text: str, limit: int) -> list[PatientRow]:
    """Return patients whose names, code, tag or numbers hold every word typed, best first.

    Of single letters, which nearly everybody has, those written down last: a rank of all of them
    would take longer than the pause between two keys.
    """
    found = "FROM patient_search f WHERE f.patient_search MATCH ?"
    return _best(ledger, text, found, limit)


def _best(ledger: Ledger, text: str, found: str, limit: int) -> list[PatientRow]:
    """Return the best of those whom a text finds; `found` says among whom, as the words `f`."""
    if not (query := search_query(text)):
        return []
    place, order = ("f.rank", "f.rank") if says_more(text) else ("-f.rowid", "f.rowid DESC")
    # Chosen before anything is read of them: most that hold a few letters are not shown.
    rows = ledger.store.all(
        f"SELECT {_PATIENT_COLUMNS} FROM (SELECT f.rowid AS no, {place} AS place {found}"
        f" ORDER BY {order} LIMIT ?) found"
        " JOIN patient p ON p.subject = found.no ORDER BY found.place, p.code",
        (query, min(limit, PAGE_MAX)),
    )
    return [_patient(row) for row in rows]


def patient(ledger: Ledger, patient_id: bytes) -> PatientRow | None:
    """Return the current picture of one patient."""
    row = ledger.store.one(
        f"SELECT {_PATIENT_COLUMNS} FROM subject s JOIN patient p ON p.subject = s.no"
        " WHERE s.id = ?",
        (bytes(patient_id),),
    )
    return _patient(row) if row else None


def facts(ledger: Ledger, subject: bytes) -> list[Fact]:
    """Return all facts of one subject in display order."""
    found = ledger.merger.subject(subject)
    return ledger.merger.facts_of(found[0]) if found else []


def assigned_facts(ledger: Ledger, patient_id: bytes) -> list[Fact]:
    """Return facts of results that were written without a patient and given this one later."""
    subjects = ledger.store.all(
        "SELECT DISTINCT o.subject FROM subject s JOIN observation o ON o.subject = s.no"
        " WHERE s.kind = 3 AND o.patient = ?",
        (bytes(patient_id),),
    )
    return [fact for (no,) in subjects for fact in ledger.merger.facts_of(no)]


def rows(ledger: Ledger, table: str, since: int, limit: int) -> list[RowLine]:
    """Return rows of a table that changed after a cursor, in the order they changed.

    Raises:
        InputError: `unknown_rows` when there is no such table.
    """
    kind = TABLES.get(table)
    if kind is None:
        raise InputError("unknown_rows", field="kind", allowed=tuple(TABLES))
    names = [name for name, _ in row_columns(kind)]
    listed = ", ".join(f"r.{name}" for name in names)
    # In this order; of what changed again since, only the last change finds its row.
    found = ledger.store.all(
        f"SELECT {listed}, r.changed, e.hash, e.feed, e.seq, e.clock"
        f" FROM row_change c CROSS JOIN {table} r CROSS JOIN entry e"
        " WHERE c.no > ? AND c.held_in = ? AND e.arrival = r.entry AND r.changed = c.no"
        " AND r.subject = c.subject AND r.entry = c.entry AND r.idx = c.idx"
        " ORDER BY c.no LIMIT ?",
        (since, ledger.rows.number_of(kind), limit),
    )
    return [_row_line(ledger, kind, names, values) for values in found]


def documents(ledger: Ledger, subject: bytes) -> list[tuple[DocId, bytes]]:
    """Return every document of a subject as a standard automerge file."""
    found = ledger.store.all(
        "SELECT d.no, d.doc_id FROM document d JOIN subject s ON s.no = d.subject"
        " WHERE s.id = ? ORDER BY d.doc_id",
        (bytes(subject),),
    )
    return [(DocId(doc_id), ledger.merger.export(no)) for no, doc_id in found]


def set_aside(ledger: Ledger) -> dict[str, int]:
    """Return how many entries are void or waiting, by reason.

    What two coordinators erased waits for nothing, nor does what was released without its body.
    """
    return {
        f"{'void' if void else 'waiting'}_{reason}": count
        for void, reason, count in ledger.store.all(
            "SELECT void, reason, count(*) FROM unopened WHERE reason NOT IN ('erased', 'body')"
            " GROUP BY void, reason ORDER BY 1, 2"
        )
    }


def forks(ledger: Ledger) -> list[FeedState]:
    """Return feeds with more than one branch: a cloned card, or worse."""
    return [feed for feed in ledger.chain.feeds.values() if len(feed.tips) > 1]


def own_feeds(ledger: Ledger) -> list[FeedState]:
    """Return this device's data feeds of all its epochs."""
    device = ledger.authority.device
    return [
        feed
        for feed in ledger.chain.feeds.values()
        if feed.genesis.device == device and feed.genesis.lane != Lane.CONTROL
    ]


def travelled(ledger: Ledger) -> Travelled:
    """Return how far what this device wrote has come: to peers, and to HQ."""
    feeds = own_feeds(ledger)
    own = sum(feed.seq for feed in feeds)
    unsent, oldest = 0, None
    for feed in feeds:
        furthest = max((held_by(ledger, device, feed) for device in ledger.peers.all), default=0)
        unsent += feed.seq - furthest
        oldest = _earlier(oldest, _clock_after(ledger, feed, furthest))
    on_peers = sum(
        1
        for device in ledger.peers.all
        if feeds and all(ledger.peers.holds(device, feed) for feed in feeds)
    )
    return Travelled(own, unsent, oldest, on_peers, at_hq_until(ledger, feeds))


def at_hq_until(ledger: Ledger, feeds: Sequence[FeedState]) -> int | None:
    """Return the instant up to which an HQ says, signed, that it holds these feeds; None = never.

    When all of them are covered it is the time of the receipt, else just before the first entry
    that is not.
    """
    best: int | None = None
    own = {feed.feed_id for feed in feeds}
    for receipts in _of_each_hq(ledger):
        ours = [each for each in receipts if any(head.feed in own for head in each.heads)]
        said = {
            head.feed: head.seq
            for receipt in ours
            for head in receipt.heads
            if head.feed in own and ledger.chain.prev_of(head.feed, head.seq, head.hash)
        }
        until = min((receipt.given_ms for receipt in ours), default=0)
        for feed in feeds:
            missing = _clock_after(ledger, feed, said.get(feed.feed_id, 0))
            if missing is not None:
                until = min(until, missing - 1)
        if any(said.get(feed.feed_id, 0) for feed in feeds):
            best = until if best is None else max(best, until)
    return best


def saved_where(ledger: Ledger, arrivals: Sequence[int]) -> dict[int, str]:
    """Return for entries the furthest place known to hold each: 'here', 'peers' or 'hq'."""
    if not arrivals:
        return {}
    marks = ",".join("?" * len(arrivals))
    at_hq = _seqs_at_hq(ledger)
    found = {}
    for arrival, feed_no, seq in ledger.store.all(
        f"SELECT arrival, feed, seq FROM entry WHERE arrival IN ({marks})", tuple(arrivals)
    ):
        feed = ledger.chain.by_no[feed_no]
        held = any(held_by(ledger, device, feed) >= seq for device in ledger.peers.all)
        elsewhere = held or feed.genesis.device != ledger.authority.device
        if seq <= at_hq.get(feed_no, 0):
            found[arrival] = "hq"
        else:
            found[arrival] = "peers" if elsewhere else "here"
    return found


def heads(ledger: Ledger) -> Iterator[tuple[FeedState, Tip]]:
    """Return every branch of every feed."""
    return ledger.chain.heads()


def _seqs_at_hq(ledger: Ledger) -> dict[int, int]:
    covered: dict[int, int] = {}
    given = [receipt for receipts in _of_each_hq(ledger) for receipt in receipts]
    for head in [head for receipt in given for head in receipt.heads]:
        feed = ledger.chain.feeds.get(head.feed)
        if feed and ledger.chain.prev_of(head.feed, head.seq, head.hash):
            covered[feed.no] = max(covered.get(feed.no, 0), head.seq)
    if ledger.authority.is_hq(ledger.authority.device):
        return {feed.no: feed.seq for feed in ledger.chain.feeds.values()}
    return covered


def _of_each_hq(ledger: Ledger) -> list[list[Receipt]]:
    """Return the receipts that count of each HQ there is one of."""
    givers = {giver for giver, *_ in ledger.peers.receipts if ledger.authority.is_hq(giver)}
    return [ledger.peers.counting(giver, ledger.chain) for giver in sorted(givers)]


def held_by(ledger: Ledger, device: DeviceId, feed: FeedState) -> int:
    """Seq of a feed up to which a peer is known to hold it."""
    peer = ledger.peers.all[device]
    acknowledged = peer.held.get(feed.no, 0)
    upto = ledger.peers.spoken_for(device, feed)
    if upto:
        found = ledger.chain.last_before(feed, upto)
        acknowledged = max(acknowledged, found[0] if found else 0)
    return min(acknowledged, feed.seq)


def _clock_after(ledger: Ledger, feed: FeedState, seq: int) -> int | None:
    """Wall clock of the first entry of a feed after a place, Unix milliseconds, or None."""
    if seq >= feed.seq:
        return None
    row = ledger.store.one("SELECT clock FROM entry WHERE feed = ? AND seq = ?", (feed.no, seq + 1))
    return row[0] >> 16 if row else None


def _earlier(one: int | None, other: int | None) -> int | None:
    return other if one is None else one if other is None else min(one, other)


def _patient(values: tuple[Any, ...]) -> PatientRow:
    return PatientRow(**dict(zip(_PATIENT_NAMES, values, strict=True)))


def _row_line(
    ledger: Ledger, kind: type[Row], names: list[str], values: tuple[Any, ...]
) -> RowLine:
    row = kind(**dict(zip(names, values, strict=False)))
    changed, digest, feed_no, seq, clock = values[len(names) :]
    feed = ledger.chain.by_no[feed_no]
    ref = FactRef(EntryPrefix(digest[:16]), row.idx)
    return RowLine(row, ref, feed.genesis.device, clock >> 16, feed, seq, changed)
