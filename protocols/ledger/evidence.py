"""Proofs from the book that a device wrote two histories of one feed."""

from __future__ import annotations

from protocols.feeds.equivocation import HEADERS_MAX, Branch, encode_proof
from protocols.ledger.book import Ledger
from protocols.ledger.chain import FeedState, Tip


def proof_of_fork(ledger: Ledger, feed: FeedState) -> bytes | None:
    """Return the proof that a feed forked; None when it did not.

    Of several branches it shows the two with the lowest hashes among the longest.
    """
    if len(feed.tips) < 2:
        return None
    ours, theirs = (_path(ledger, tip) for tip in feed.tips[:2])
    shared = set(ours) & set(theirs)
    branches = tuple(
        _branch(ledger, [a for a in path if a not in shared]) for path in (ours, theirs)
    )
    if not branches[0][0] or not branches[1][0]:
        return None
    return encode_proof(feed.encoded, (branches[0], branches[1]))


def _path(ledger: Ledger, tip: Tip) -> list[int]:
    """Arrivals of a branch from its start to its tip."""
    rows = ledger.store.all(
        "WITH RECURSIVE below (arrival, parent) AS ("
        " SELECT arrival, parent FROM entry WHERE arrival = ?"
        " UNION ALL SELECT e.arrival, e.parent FROM entry e JOIN below b ON e.arrival = b.parent)"
        " SELECT arrival FROM below ORDER BY arrival",
        (tip.arrival,),
    )
    return [row[0] for row in rows]


def _branch(ledger: Ledger, arrivals: list[int]) -> Branch:
    """Headers up to the first signature that is kept; none when there is none near enough."""
    headers: list[bytes] = []
    for arrival in arrivals[:HEADERS_MAX]:
        headers.append(ledger.chain.rebuild_header(arrival)[0])
        row = ledger.store.one("SELECT signature FROM entry WHERE arrival = ?", (arrival,))
        if row is not None and row[0] is not None:
            return headers, bytes(row[0])
    return (), b""
