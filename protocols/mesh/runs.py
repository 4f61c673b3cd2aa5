"""The runs that were encoded last: what one peer lacks, most others lack too."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

from protocols.ledger.book import Ledger
from protocols.ledger.chain import FeedState, Tip
from protocols.ledger.showing import Everything

KEPT_RUNS_MAX = 32
"""Whoever is linked is sent what was just written; what is older is read from the book again."""
KEPT_RUN_BYTES_MAX = 4 * 1024
"""A longer run belongs to a long delivery to one peer; all that is kept is at most 128 KiB."""


class Encoded(NamedTuple):
    """A branch of a feed after one place, as it travels."""

    run: bytes
    seq: int
    """Of the last entry in it."""
    hash: bytes
    arrival: int


class RecentRuns:
    """Runs of one book, read and encoded once for all peers."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._kept: OrderedDict[tuple[int, int, bytes], Encoded] = OrderedDict()
        self._revision = 0

    def after(
        self, feed: FeedState, tip: Tip, after: int, bytes_max: int, *, bare: bool = False
    ) -> Encoded | None:
        """Return a branch after a place: all of it, or as much as `bytes_max` allows.

        None when nothing of it may travel yet. See `Chain.run_after`.

        Args:
            bare: Headers and signatures only; never kept, or another would be sent it.
        """
        if bare:
            run = self._ledger.chain.run_after(feed, tip, after, bytes_max, Everything())
            return Encoded(*run) if run else None
        revision = self._ledger.chain.revision
        if revision != self._revision:
            # Bodies went that were encoded before.
            self._kept.clear()
            self._revision = revision
        # A failed transaction gives numbers of feeds out again, but never an entry's hash.
        place = (feed.no, after, tip.hash)
        kept = self._kept.get(place)
        if kept is not None and len(kept.run) <= bytes_max:
            return kept
        found = self._ledger.chain.run_after(feed, tip, after, bytes_max)
        if found is None:
            return None
        encoded = Encoded(*found)
        if encoded.hash == tip.hash and len(encoded.run) <= KEPT_RUN_BYTES_MAX:
            self._kept[place] = encoded
            if len(self._kept) > KEPT_RUNS_MAX:
                self._kept.popitem(last=False)
        return encoded
