"""An attacker with a member's device, or software that went wrong: entries no honest node writes.

They are put into its own book. Its node is the honest one, so it passes on what its book holds:
whatever stops a forgery, or judges it void, is on the receiving side.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from protocols.feeds.body import NOT_IDENTIFIED, encode_body
from protocols.feeds.entry import (
    SALT_BYTES,
    Entry,
    EntryKind,
    header_of,
    make_entry,
    seal_body,
    sign_entry,
)
from protocols.feeds.lane import Lane
from protocols.feeds.run import Line, Run
from protocols.ids import DeviceId
from protocols.ledger.book import Ledger
from protocols.ledger.chain import FeedState
from protocols.records.catalogue import encode_fact
from protocols.records.kinds import KindNo
from protocols.records.note import NoteAdd
from protocols.trust.control import Erase, Seal, SealReason
from protocols.trust.erasure import approve_erase
from protocols.trust.identity import DeviceKeys

SIGNATURE_BYTES = 64
NOISE_BYTES = 96
"""As long as a short entry's salt and ciphertext."""


def forge(
    ledger: Ledger, victim: DeviceId, entropy: Callable[[int], bytes], *, signed: bool
) -> None:
    """Add one entry to a feed of another device: a true text of theirs, said once more.

    Args:
        signed: Sign it, with the attacker's own key; else with random bytes.
    """
    feed = _feed_of(ledger, victim)
    row = ledger.store.one(
        "SELECT s.plain FROM strand s JOIN entry e ON e.doc = s.doc AND e.arrival = s.entry"
        " WHERE e.feed = ? AND e.seq = 1",
        (feed.no,),
    )
    assert row is not None
    key_id, key = ledger.authority.write_key(ledger.authority.care_scope)
    tip = feed.tips[0]
    place = (feed.feed_id, tip.seq + 1, tip.hash, tip.clock + 1)
    dictionary, body = seal_body(row[0], key, key_id, place, entropy(8))
    entry = make_entry(EntryKind.DATA, dictionary, place, key_id, body)
    signature = sign_entry(ledger.authority.keys, entry) if signed else entropy(SIGNATURE_BYTES)
    with ledger.atomic():
        ledger.chain.append(Run(feed.feed_id, None, (_line(entry, signature),)))


def garble(ledger: Ledger, entropy: Callable[[int], bytes], wall_ms: int) -> None:
    """Write two void entries into this device's own feed, chained and signed as they should be.

    The first says nothing under any key; the second is well made and goes on from the first.
    """
    authority = ledger.authority
    feed = _feed_of(ledger, authority.device)
    key_id, key = authority.write_key(authority.care_scope)
    tip = feed.tips[0]
    place = (feed.feed_id, tip.seq + 1, tip.hash, tip.clock + 1)
    noise = make_entry(EntryKind.DATA, 1, place, key_id, entropy(NOISE_BYTES))
    place = (feed.feed_id, noise.seq + 1, noise.hash, noise.clock + 1)
    fact = int(KindNo.NOTE_ADD), encode_fact(KindNo.NOTE_ADD, NoteAdd(text="after noise"))
    plain = encode_body(NOT_IDENTIFIED, (bytes(noise.hash.prefix),), (fact,))
    dictionary, body = seal_body(plain, key, key_id, place, entropy(SALT_BYTES))
    after = make_entry(EntryKind.DATA, dictionary, place, key_id, body)
    lines = tuple(_line(each, sign_entry(authority.keys, each)) for each in (noise, after))
    ledger.take([Run(feed.feed_id, None, lines)], wall_ms)


def seal_anyway(ledger: Ledger, subject: DeviceId, wall_ms: int) -> None:
    """Seal another device with nothing left to count, whatever this device's own software says."""
    with ledger.atomic():
        ledger.write_control(Seal(bytes(subject), int(SealReason.COMPROMISED), ()), wall_ms)


def erase_anyway(
    ledger: Ledger, entries: Sequence[bytes], entropy: Callable[[int], bytes], wall_ms: int
) -> None:
    """Order entries away, with a second signature by a key that nobody ever certified."""
    bare = Erase(tuple(sorted(entries)), (), 1, bytes(32), bytes(64))
    authority, accomplice = ledger.authority, DeviceKeys.from_entropy(entropy(64))
    with ledger.atomic():
        ledger.write_control(
            approve_erase(bare, authority.operation, authority.device, accomplice), wall_ms
        )


def _line(entry: Entry, signature: bytes) -> Line:
    return Line(
        entry.kind, entry.dictionary, entry.seq, entry.prev, entry.clock, entry.key_id,
        entry.body, entry.body_hash, entry.hash, header_of(entry), signature,
    )  # fmt: skip


def _feed_of(ledger: Ledger, victim: DeviceId) -> FeedState:
    feeds = ledger.chain.feeds.values()
    return max(
        (f for f in feeds if f.genesis.device == victim and f.genesis.lane == Lane.ROUTINE),
        key=lambda feed: feed.seq,
    )
