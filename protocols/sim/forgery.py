"""An attacker with a member's device: entries in other people's names, put into its own book.

Its node is the honest one, so it passes on what its book holds: whatever stops a forgery is on
the receiving side.
"""

from __future__ import annotations

from collections.abc import Callable

from protocols.feeds.entry import EntryKind, header_of, make_entry, seal_body, sign_entry
from protocols.feeds.lane import Lane
from protocols.feeds.run import Line, Run
from protocols.ids import DeviceId
from protocols.ledger.book import Ledger
from protocols.ledger.chain import FeedState

SIGNATURE_BYTES = 64


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
    line = Line(
        entry.kind, entry.dictionary, entry.seq, entry.prev, entry.clock, entry.key_id,
        entry.body, entry.body_hash, entry.hash, header_of(entry), signature,
    )  # fmt: skip
    with ledger.atomic():
        ledger.chain.append(Run(feed.feed_id, None, (line,)))


def _feed_of(ledger: Ledger, victim: DeviceId) -> FeedState:
    feeds = ledger.chain.feeds.values()
    return max(
        (f for f in feeds if f.genesis.device == victim and f.genesis.lane == Lane.ROUTINE),
        key=lambda feed: feed.seq,
    )
