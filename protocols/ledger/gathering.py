"""What a newcomer needs to read and judge one urgent feed, gathered from the book for it alone."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from protocols.feeds.advance import (
    ADVANCE_CERTIFICATES_MAX,
    ADVANCE_ENTRIES_MAX,
    ADVANCE_ENVELOPES_MAX,
    Advance,
    Lone,
    Sealed,
)
from protocols.feeds.feed import decode_genesis
from protocols.feeds.lane import Lane
from protocols.ids import DeviceId, EntryHash, KeyId, ScopeId
from protocols.trust.control import (
    DEVICE_PREFIX_BYTES,
    Admission,
    Envelopes,
    Rotation,
    decode_control,
)
from protocols.trust.statements import pack, statement_hash

if TYPE_CHECKING:
    from protocols.ledger.book import Ledger
    from protocols.ledger.chain import FeedState

ADVANCE_BYTES_MAX = 48 * 1024
"""What vouches for one author; who needs more waits for the control feeds."""
GRANTED_BYTES_MAX = 40 * 1024
"""With charter and chain a grant fits one message."""
ENVELOPES_TRIED = 4
"""Envelopes of one key shown to its addressee: an insider's junk looks like any other."""


def gather(ledger: Ledger, feed: FeedState, peer: DeviceId) -> Advance | None:
    """Return what a peer that holds no control needs to read and judge an urgent feed.

    None when it has to wait for the control feeds: a seal bears on the author, a body is gone,
    the feed has forked, the peer may not read it, or it would be too much.
    """
    authority, genesis = ledger.authority, feed.genesis
    charter = authority.roster.charter
    if charter is None or charter.scope(genesis.scope) is None:
        return None
    if genesis.lane != Lane.URGENT or len(feed.tips) != 1 or _lacks_bodies(ledger, feed):
        return None
    vouched = authority.roster.vouched(genesis.device, bytes(genesis.epoch))
    if vouched is None or not authority.roster.reads(peer, genesis.scope):
        return None
    if any(statement_hash(each) in authority.advanced for each in vouched.certificates):
        # What came ahead here is passed on once a feed has it.
        return None
    found = [place.entry for place in vouched.attestations]
    envelopes: list[Sealed] = []
    for key_id in _keys_of(ledger, feed):
        way = authority.keyring.way_to(key_id, peer)
        if not way:
            return None
        found += [EntryHash(each) for each in way]
        envelopes += _envelopes(ledger, way[0], peer)
    entries = [_lone(ledger, entry) for entry in dict.fromkeys(found)]
    held = tuple(entry for entry in entries if entry is not None)
    envelopes = list(dict.fromkeys(envelopes))
    whole = (
        len(held) == len(entries) <= ADVANCE_ENTRIES_MAX
        and len(envelopes) <= ADVANCE_ENVELOPES_MAX
        and len(vouched.certificates) <= ADVANCE_CERTIFICATES_MAX
    )
    return Advance(vouched.certificates, held, tuple(envelopes)) if whole else None


def granted(ledger: Ledger, admission: EntryHash, scopes: Iterable[ScopeId]) -> Advance:
    """Return what a newcomer needs of our control feeds to read and write, before it met anybody.

    Its admission, and of each scope the key that is written under, as many as fit.

    Args:
        admission: The entry that admits it.
        scopes: Those it is certified for, the most needed first.
    """
    authority = ledger.authority
    lone = _lone(ledger, admission)
    record = decode_control(lone.body) if lone else None
    assert lone is not None and isinstance(record, Admission)
    found = Advance(authority.roster.chain(authority.device), (lone,))
    for scope in scopes:
        key_id = authority.scope_keys.write_key(scope)
        made = _lone(ledger, EntryHash(key_id)) if key_id else None
        envelopes = _envelopes(ledger, key_id, DeviceId(record.device)) if key_id else []
        if made is None or not envelopes:
            continue
        above = authority.roster.chain(decode_genesis(made.genesis).device)
        more = Advance(
            tuple(dict.fromkeys((*found.certificates, *above))),
            (*found.entries, made),
            (*found.envelopes, *envelopes),
        )
        found = more if len(pack(more)) <= GRANTED_BYTES_MAX else found
    return found


def _lacks_bodies(ledger: Ledger, feed: FeedState) -> bool:
    """Whether something of a feed was erased: whoever reads it has to know by whose order."""
    rows = ledger.store.all("SELECT hash, body IS NULL FROM entry WHERE feed = ?", (feed.no,))
    return any(bare or entry in ledger.chain.withheld for entry, bare in rows)


def _keys_of(ledger: Ledger, feed: FeedState) -> list[KeyId]:
    rows = ledger.store.all("SELECT DISTINCT scope_key FROM entry WHERE feed = ?", (feed.no,))
    return sorted(KeyId(ledger.chain.key_ids[no]) for (no,) in rows)


def _envelopes(ledger: Ledger, key_id: KeyId, peer: DeviceId) -> list[Sealed]:
    """A peer's own envelopes of one key, those first whose author could give the key away."""
    authority, prefix = ledger.authority, bytes(peer[:DEVICE_PREFIX_BYTES])
    rotation = _lone(ledger, EntryHash(key_id))
    made = decode_control(rotation.body) if rotation else None
    if not isinstance(made, Rotation):
        return []
    entries = authority.keyring.envelopes_to(key_id, peer)
    scope = authority.scope_of(made.scope)
    entries.sort(key=lambda each: scope is None or not authority.roster.gave_at(each, scope))
    found: list[Sealed] = []
    for entry in entries[:ENVELOPES_TRIED]:
        lone = _lone(ledger, entry) if bytes(entry) != bytes(key_id) else None
        record = decode_control(lone.body) if lone else None
        if isinstance(record, Envelopes):
            found += [
                (bytes(key_id), record.ephemeral, sealed)
                for device, sealed in record.envelopes
                if device == prefix
            ]
    return found


def _lone(ledger: Ledger, entry: EntryHash) -> Lone | None:
    """One control entry of the book by itself."""
    arrival = ledger.chain.names.find(entry[:16])
    row = ledger.store.one(
        "SELECT e.feed, e.seq, e.clock, e.body, e.signature, p.hash, e.hash FROM entry e"
        " LEFT JOIN entry p ON p.arrival = e.parent WHERE e.arrival = ?",
        (arrival,),
    )
    if row is None or row[6] != entry or row[3] is None or row[4] is None:
        return None
    no, seq, clock, body, signature, prev, _ = row
    feed = ledger.chain.by_no[no]
    return Lone(feed.encoded, seq, bytes(prev or feed.feed_id), clock, body, signature)
