"""What is urgent in a frame whose turn is still to come."""

from __future__ import annotations

from protocols.errors import PeerError
from protocols.feeds.lane import Lane
from protocols.feeds.run import Gap, Run, decode_run, feed_at
from protocols.ledger.book import Ledger
from protocols.mesh.frames import Data, Frame


def urgent_run(frame: Frame, ledger: Ledger) -> Run | None:
    """Return the first run of a data frame where it is urgent and may be stored before its turn.

    What would say more than that waits for its turn: a gap, a fault, entries of our own.
    """
    if not isinstance(frame, Data) or not frame.runs:
        return None
    chain = ledger.chain
    try:
        feed, genesis = feed_at(frame.runs, 0)
        genesis = genesis or chain.genesis_of(feed)
        own = genesis is not None and genesis.device == ledger.authority.device
        if genesis is None or own or genesis.lane > Lane.URGENT:
            return None
        run, _ = decode_run(frame.runs, 0, chain.genesis_of, chain.prev_of)
    except (Gap, PeerError):
        return None
    return None if any(line.body is None for line in run.lines) else run
