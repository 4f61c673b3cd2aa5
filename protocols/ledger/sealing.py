"""Sealing devices and persons, what a seal keeps back, and letting it through again.

A seal names the last entries that count. What lies above stays in the book, is shown as
quarantined, and counts again as soon as an extension of the seal names a further head.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass

from protocols.errors import InputError
from protocols.feeds.body import decode_session
from protocols.feeds.lane import Lane
from protocols.ids import DeviceId, EntryHash
from protocols.ledger.book import Ledger
from protocols.ledger.chain import FeedState, Tip
from protocols.ledger.writing import Written
from protocols.trust.certificates import seal_name
from protocols.trust.control import Head, Seal, SealReason
from protocols.trust.seals import Bound, within
from protocols.trust.standing import Standing

NOTE_CHARS_MAX = 200
COUNTED_MAX = 5_000
"""Entries of one feed that are looked at one by one; more is said as *at least*."""


@dataclass(frozen=True, slots=True)
class SealOrder:
    """What a coordinator decides about a key."""

    reason: SealReason
    since_ms: int | None = None
    """Only what says it was written before this instant counts, Unix milliseconds; None: all that
    is here. At a licence's end nothing is cut off by it: it says what to look at again."""
    roles: tuple[int, ...] = ()
    """What it may go on writing; none: nothing."""
    note: str = ""
    """Remarks for whoever can read the scope."""


@dataclass(frozen=True, slots=True)
class KeptBack:
    """What one seal keeps back of one feed."""

    seal: EntryHash
    reason: int
    device: DeviceId
    feed: FeedState
    standing: Standing
    """QUARANTINED, or HELD: the seal does not name the feed."""
    entries: int
    """Of a person only what names them, and what cannot be read here: others sat there too."""
    first_ms: int
    """When the first of them says it was written, Unix milliseconds."""


def seal(
    ledger: Ledger,
    subject: DeviceId,
    order: SealOrder,
    nonce: bytes,
    wall_ms: int,
) -> Written:
    """Seal a device or person at what is here of it; durable on return.

    Args:
        nonce: 24 fresh random bytes.

    Raises:
        InputError: `unknown_member`, `may_not_seal` (its reason in `why`), `note_too_long`.
    """
    roster = ledger.authority.roster
    if roster.device(subject) is None:
        raise InputError("unknown_member")
    licence = order.reason == SealReason.LICENCE_ENDED
    record = Seal(
        subject=bytes(subject),
        reason=int(order.reason),
        heads=_heads(ledger, subject, None if licence else order.since_ms),
        roles=tuple(sorted(order.roles)),
        since_ms=order.since_ms or 0,
        sealed_note=_sealed_note(ledger, subject, order.note, nonce),
    )
    return _write(ledger, record, wall_ms)


def extend(
    ledger: Ledger,
    entry: EntryHash,
    wall_ms: int,
    *,
    upto_ms: int | None = None,
    feeds: Collection[bytes] | None = None,
) -> Written:
    """Let through what a seal keeps back: all that is here now, or the part that is named.

    Args:
        entry: The seal.
        upto_ms: Only what says it was written before this instant.
        feeds: Only these feeds.

    Raises:
        InputError: `unknown_seal`, `may_not_seal`.
    """
    for subject in ledger.authority.roster.members():
        for bound in ledger.authority.roster.bounds(subject):
            if bound.seal == entry:
                heads = _heads(ledger, subject, upto_ms)
                named = tuple(h for h in heads if feeds is None or h[0] in feeds)
                record = Seal(bytes(subject), bound.reason, named, extends=bytes(entry))
                return _write(ledger, record, wall_ms)
    raise InputError("unknown_seal")


def kept_back(ledger: Ledger) -> Iterator[KeptBack]:
    """Return what seals keep back, by seal and feed."""
    roster = ledger.authority.roster
    for subject in roster.members():
        for bound in roster.bounds(subject):
            sat = {
                (place.author, place.epoch, place.seq, bytes(place.entry[:4]))
                for place in roster.sessions_of(subject)
            }
            for feed in feeds_of(ledger, subject):
                found = _kept_of(ledger, subject, bound, feed, sat)
                if found is not None:
                    yield found


def _kept_of(
    ledger: Ledger,
    subject: DeviceId,
    bound: Bound,
    feed: FeedState,
    sat: Collection[tuple[DeviceId, bytes, int, bytes]],
) -> KeptBack | None:
    """Return what a seal keeps back of a feed.

    Args:
        sat: Device, epoch, seq and stub of the sessions of a person who is sealed.
    """
    genesis = feed.genesis
    life = (genesis.device, bytes(genesis.epoch))
    named = bound.heads.get(bytes(feed.feed_id))
    lowest = min((seq for seq, _ in named), default=0) if named else 0
    above, first_ms, standing = 0, 0, Standing.STANDS
    for arrival, clock, plain in ledger.store.all(
        _ABOVE, (feed.no, lowest if len(feed.tips) == 1 else 0, COUNTED_MAX)
    ):
        of_person = subject != genesis.device and plain is not None
        if of_person and (*life, *decode_session(plain)) not in sat:
            continue

        def covers(seq: int, head: bytes, arrival: int = arrival) -> bool:
            return ledger.chain.covers(feed, arrival, seq, head)

        found = within(bound, bytes(feed.feed_id), bytes(genesis.epoch), covers)
        if found != Standing.STANDS:
            above, standing = above + 1, found
            first_ms = first_ms or clock >> 16
    if not above:
        return None
    return KeptBack(bound.seal, bound.reason, subject, feed, standing, above, first_ms)


_ABOVE = (
    "SELECT e.arrival, e.clock, (SELECT substr(t.plain, 1, 16) FROM strand t"
    " WHERE t.doc = e.doc AND t.entry = e.arrival)"
    " FROM entry e WHERE e.feed = ? AND e.seq > ? ORDER BY e.seq LIMIT ?"
)
"""Entries above a place in a feed, each with the bytes that begin with its session."""


def _write(ledger: Ledger, record: Seal, wall_ms: int) -> Written:
    roster = ledger.authority.roster
    with ledger.atomic():
        written = ledger.write_control(record, wall_ms)
        entry = written.entry.hash
        refused = {each.seal: each.reason for each in roster.refused_seals()}
        if entry in refused:
            raise InputError("may_not_seal", why=refused[entry])
        counts = {bound.seal for bound in roster.bounds(DeviceId(record.subject))}
        if (record.extends or entry) not in counts:
            raise InputError("may_not_seal", why="seal_author")
    return written


def feeds_of(ledger: Ledger, subject: DeviceId) -> list[FeedState]:
    """The feeds a seal of this device or person is about, sorted by id."""
    devices = ledger.authority.roster.devices_of(subject) | {subject}
    person = not any(f.genesis.device == subject for f in ledger.chain.feeds.values())
    return sorted(
        (
            feed
            for feed in ledger.chain.feeds.values()
            if feed.genesis.device in devices
            and not (person and feed.genesis.lane == Lane.CONTROL)
            and feed.tips
        ),
        key=lambda feed: bytes(feed.feed_id),
    )


def _heads(ledger: Ledger, subject: DeviceId, until_ms: int | None) -> tuple[Head, ...]:
    """Where the feeds of a device or person end, or ended at an instant; every branch."""
    return tuple(
        head
        for feed in feeds_of(ledger, subject)
        for tip in sorted(feed.tips, key=lambda each: (each.seq, each.hash))
        for head in [_head(ledger, feed, tip, until_ms)]
    )


def _head(ledger: Ledger, feed: FeedState, tip: Tip, until_ms: int | None) -> Head:
    feed_id = bytes(feed.feed_id)
    if until_ms is None or tip.clock >> 16 < until_ms:
        return feed_id, tip.seq, bytes(tip.hash)
    row = ledger.store.one(_BEFORE, (tip.arrival, max(until_ms, 0) << 16))
    return (feed_id, row[0], bytes(row[1])) if row else (feed_id, 0, bytes(32))


_BEFORE = (
    "WITH RECURSIVE below (arrival, parent, seq, hash, clock) AS ("
    " SELECT arrival, parent, seq, hash, clock FROM entry WHERE arrival = ?"
    " UNION ALL SELECT e.arrival, e.parent, e.seq, e.hash, e.clock"
    " FROM entry e JOIN below b ON e.arrival = b.parent)"
    " SELECT seq, hash FROM below WHERE clock < ? ORDER BY seq DESC LIMIT 1"
)
"""The last entry of a branch whose clock is lower: clocks rise along a chain."""


def _sealed_note(ledger: Ledger, subject: DeviceId, note: str, nonce: bytes) -> bytes:
    if len(note) > NOTE_CHARS_MAX:
        raise InputError("note_too_long", field="note", allowed=(str(NOTE_CHARS_MAX),))
    if not note:
        return b""
    key_id, key = ledger.authority.write_key(ledger.authority.care_scope)
    return seal_name(note, subject=subject, key=key, key_id=key_id, nonce=nonce)
