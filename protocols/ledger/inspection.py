"""A whole look at a book: every entry hashed again, every kept signature checked, rows rebuilt."""

from __future__ import annotations

from dataclasses import dataclass

from protocols.feeds.entry import signature_holds
from protocols.feeds.run import CLOCK_MAX
from protocols.ledger.book import Ledger

PROBLEMS_MAX = 50
"""Problems listed one by one; more are only counted."""


@dataclass(frozen=True, slots=True)
class Findings:
    """What an inspection found."""

    entries: int
    feeds: int
    signatures: int
    ok: bool
    problems: tuple[str, ...]
    """Code, feed and seq of each; nothing of a patient."""
    rows_equal: bool
    """Whether rows built anew from the entries are those that were there."""


def inspect(ledger: Ledger) -> Findings:
    """Check everything; the rows are built again, which changes nothing when all is well."""
    problems: list[str] = []
    entries = signatures = 0
    for arrival, held, feed_no, seq, signature in ledger.store.all(
        "SELECT arrival, hash, feed, seq, signature FROM entry ORDER BY arrival"
    ):
        entries += 1
        feed = ledger.chain.by_no[feed_no]
        if ledger.chain.hash_again(arrival) != held:
            problems.append(f"hash {feed.feed_id!s} {seq}")
        if signature is not None:
            signatures += 1
            clock = ledger.chain.clock_of(arrival)
            good = 0 <= clock < CLOCK_MAX and signature_holds(
                feed.genesis.device, feed.feed_id, seq, held, clock, signature
            )
            if not good:
                problems.append(f"signature {feed.feed_id!s} {seq}")
    ledger.catch_up_all()
    scope = ledger.authority.care_scope
    before = ledger.digest(scope).rows
    ledger.rebuild_rows()
    rows_equal = ledger.digest(scope).rows == before
    check = ledger.store.one("PRAGMA integrity_check")
    if check is None or check[0] != "ok":
        problems.append("integrity")
    return Findings(
        entries,
        len(ledger.chain.feeds),
        signatures,
        not problems and rows_equal,
        tuple(problems[:PROBLEMS_MAX]),
        rows_equal,
    )
