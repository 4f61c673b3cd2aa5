"""What goes ahead of control: gathered for a peer, taken from one, and let go where no feed has it.

A newcomer of a large operation shows urgent care before it has read who belongs. What vouches for
an author comes first, each part by itself; whoever hides a seal by it is believed as long as any
partition would let him, for once the control feeds are here they alone are the measure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from protocols.errors import PeerError
from protocols.feeds.advance import (
    ADVANCE_CERTIFICATES_MAX,
    ADVANCE_ENTRIES_MAX,
    ADVANCE_ENVELOPES_MAX,
    Advance,
    Lone,
    Sealed,
    open_lone,
)
from protocols.feeds.lane import Lane
from protocols.ids import DeviceId, EntryHash, KeyId
from protocols.ledger.store import Store
from protocols.trust.control import (
    DEVICE_PREFIX_BYTES,
    Attestation,
    Envelopes,
    Rotation,
    decode_control,
)
from protocols.trust.statements import pack

if TYPE_CHECKING:
    from protocols.ledger.book import Ledger
    from protocols.ledger.chain import FeedState

ADVANCE_BYTES_MAX = 48 * 1024
"""What vouches for one author; who needs more waits for the control feeds."""
ADVANCED_MAX = 4_096
"""Records that came ahead and are in no feed yet, about 1 kB each; more is passed over."""
ENVELOPES_TRIED = 4
"""Envelopes of one key shown to its addressee: an insider's junk looks like any other."""


def gather(ledger: Ledger, feed: FeedState, peer: DeviceId) -> Advance | None:
    """Return what a peer that holds no control needs to read and judge an urgent feed.

    None when it has to wait for the control feeds: a seal bears on the author, a body is gone,
    the feed has forked, the peer may not read it, or it would be too much.
    """
    authority, genesis = ledger.authority, feed.genesis
    charter = authority.roster.charter
    if charter is None or charter.scope(genesis.scope) is None or authority.advanced:
        return None
    if genesis.lane != Lane.URGENT or len(feed.tips) != 1 or _lacks_bodies(ledger, feed):
        return None
    vouched = authority.roster.vouched(genesis.device, bytes(genesis.epoch))
    if vouched is None or not authority.roster.reads(peer, genesis.scope):
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


def fits(advance: Advance) -> bool:
    """Whether an advance may be sent."""
    return len(pack(advance)) <= ADVANCE_BYTES_MAX


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


def take(ledger: Ledger, advance: Advance, peer: DeviceId) -> None:
    """Take what a peer sends ahead; what it lets be read and judged is read and judged at once.

    Raises:
        PeerError: `malformed`, `bad_signature`: nothing of it is taken.
    """
    authority = ledger.authority
    opened = [open_lone(lone) for lone in advance.entries]
    if len(authority.advanced) + len(opened) + len(advance.certificates) > ADVANCED_MAX:
        return
    with ledger.atomic():
        authority.take_certificates(advance.certificates, peer)
        for each in opened:
            try:
                record = decode_control(each.body)
            except PeerError:
                continue
            if isinstance(record, Attestation | Rotation):
                authority.take_lone(record, each.place, each.clock, peer)
        for key_id, ephemeral, sealed in advance.envelopes:
            authority.opened_keys += authority.keyring.offer(KeyId(key_id), ephemeral, sealed)
        authors = {each.place.author for each in opened}
        _remember(ledger.store, ledger.apply_control() | authors)


def settle(ledger: Ledger, peer: DeviceId, others: Iterable[DeviceId]) -> bool:
    """A peer's feeds have all come: say whether something it sent ahead was in none of them.

    Then the ledger has to be loaded anew, and what that vouched for is judged again.

    Args:
        others: Peers whose feeds are still to come: what they sent ahead may stay.
    """
    advanced, waiting = ledger.authority.advanced, set(others) - {peer}
    if not advanced:
        let_go(ledger.store, lambda _: None)
    return any(waiting.isdisjoint(brought) for brought in advanced.values())


def let_go(store: Store, judge_again: Callable[[set[DeviceId]], None]) -> None:
    """Have those judged again for whom something came ahead; then it is as if nothing had.

    Rows were made of it that a book, loaded anew without it, would not make.
    """
    noted = _noted(store)
    if noted:
        with store.atomic():
            judge_again(noted)
            store.execute("DELETE FROM meta WHERE name = 'advanced'")


def _remember(store: Store, devices: set[DeviceId]) -> None:
    """Note durably whose standing came of what came ahead. Inside a transaction."""
    if devices:
        together = b"".join(sorted(_noted(store) | devices))
        store.execute("INSERT OR REPLACE INTO meta VALUES ('advanced', ?)", (together,))


def _noted(store: Store) -> set[DeviceId]:
    row = store.one("SELECT value FROM meta WHERE name = 'advanced'")
    names = bytes(row[0]) if row else b""
    return {DeviceId(names[at : at + 32]) for at in range(0, len(names), 32)}
