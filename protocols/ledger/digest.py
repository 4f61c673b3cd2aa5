"""What a scope adds up to: equal digests, equal book."""

from __future__ import annotations

from hashlib import blake2b
from typing import NamedTuple

from protocols.feeds.lane import Lane
from protocols.ids import ScopeId
from protocols.ledger.authority import Authority
from protocols.ledger.chain import Chain
from protocols.ledger.store import Store
from protocols.ledger.sums import Sums


class Digest(NamedTuple):
    """What a scope adds up to; equal digests, equal book."""

    entries: bytes
    control: bytes
    rows: bytes | None
    """None while entries wait to be merged."""


def digest_of(
    store: Store, chain: Chain, authority: Authority, sums: Sums, scope: ScopeId, *, behind: bool
) -> Digest:
    """Return what a scope adds up to.

    Args:
        behind: Whether entries wait to be merged, so that rows say nothing yet.
    """
    entries, control = [], []
    for feed, tip in chain.heads():
        line = feed.feed_id + tip.seq.to_bytes(8) + tip.hash
        if feed.genesis.lane == Lane.CONTROL:
            control.append(line)
        elif (authority.scope_of(feed.genesis.scope) or feed.genesis.scope) == scope:
            entries.append(line)
    rows = None if behind else _rows(store, chain, authority, sums, scope)
    return Digest(_sum(entries), _sum(control), rows)


def _rows(store: Store, chain: Chain, authority: Authority, sums: Sums, scope: ScopeId) -> bytes:
    """Sum up the rows of the subjects that something is written of in a scope."""
    held = {feed.genesis.scope for feed in chain.feeds.values()} - {ScopeId.zero()}
    here = [each for each in held if (authority.scope_of(each) or each) == scope]
    total, within = 0, ""
    if len(here) < len(held):
        within = (
            " AND EXISTS (SELECT 1 FROM document d WHERE d.subject = subject.no"
            f" AND d.scope IN ({','.join('?' * len(here))}))"
        )
    for subject, written in store.execute(
        f"SELECT no, rows_digest FROM subject WHERE rows_digest IS NOT NULL{within}",
        here if within else (),
    ):
        total += int.from_bytes(sums.of(subject, written))
    return (total % (1 << 128)).to_bytes(16)


def _sum(lines: list[bytes]) -> bytes:
    return blake2b(b"".join(sorted(lines)), digest_size=16, person=b"fm-heads-1").digest()
