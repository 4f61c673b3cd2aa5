"""Places in feeds as they are said to a peer: where a branch ends, and a ladder down it."""

from __future__ import annotations

from protocols.ids import FeedId
from protocols.ledger.chain import Chain, FeedState, Tip
from protocols.mesh.frames import STUB_BYTES, ZERO_STUB, Place

LADDER_RUNGS = 40
"""Places at distances 0, 1, 2, 4 … from the end: reaches back through any feed."""
LADDER_PLACES_MAX = LADDER_RUNGS + 2


def place_of(feed: FeedState, tip: Tip) -> Place:
    """Return where one branch of a feed ends."""
    return Place(feed.feed_id, tip.seq, tip.hash[:STUB_BYTES])


def start_of(feed_id: FeedId) -> Place:
    """Return the place before the first entry: nothing is held."""
    return Place(feed_id, 0, ZERO_STUB)


def end_of(chain: Chain, feed_id: FeedId) -> Place:
    """Return where the longest branch of a feed ends, or its start when nothing of it is here."""
    feed = chain.feeds.get(feed_id)
    return place_of(feed, feed.tips[0]) if feed and feed.tips else start_of(feed_id)


def rungs(chain: Chain, feed: FeedState) -> list[Place]:
    """Return the longest branch at distances 0, 1, 2, 4 … from its end, the first place first."""
    tip = feed.tips[0]
    steps = [0] + [1 << step for step in range(LADDER_RUNGS)]
    seqs = sorted({tip.seq - step for step in steps if step < tip.seq} | {1})
    return [
        Place(feed.feed_id, seq, entry[:STUB_BYTES]) for seq, entry in chain.places(feed, tip, seqs)
    ]
