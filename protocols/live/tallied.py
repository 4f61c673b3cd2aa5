"""The answer to `tally`: how many casualties were triaged in the present run."""

from __future__ import annotations

from protocols.ledger.book import Ledger
from protocols.ledger.tallying import run
from protocols.live.tally import Tally

_CATEGORIES = frozenset(range(5))


def tally(ledger: Ledger, now_ms: int) -> Tally:
    """Count the run of triage that goes on now; a sealed device counts nobody."""
    if ledger.authority.keyring.closed:
        return Tally()
    found = run(ledger.store, now_ms)
    counts = {str(one): count for one, count in found.counts.items() if one in _CATEGORIES}
    return Tally(found.since_ms, counts, found.last_minute)
