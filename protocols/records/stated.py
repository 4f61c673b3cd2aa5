"""When a record says that it happened, and until when that may have been."""

from __future__ import annotations

from protocols.records.movement import DAY_MS
from protocols.records.shape import Circumstances, Fact

_LASTS_MS = {"": 60_000, "hour": 3_600_000, "day": DAY_MS}
"""How long after its number a stated time may have been, by its precision; a time is typed in
minutes. Of any other precision nothing is known."""
_EVER_MS = 200 * 366 * DAY_MS


def stated(fact: Fact) -> bool:
    """Whether its writer said when it happened."""
    said = fact.record.circumstances if fact.record else None
    return said is not None and said.at_s is not None


def until(said: Circumstances | None) -> int | None:
    """Return until when a stated time may have been, Unix milliseconds; None: none is stated."""
    if said is None or said.at_s is None:
        return None
    return said.at_s * 1000 + _LASTS_MS.get(said.precision, _EVER_MS)
