"""How many were triaged since the casualties began to come: counted from rows, alike on every node.

Nobody has to declare an incident. A run of triage began with the first category before which there
was none for `PAUSE_MS`; whoever opens a terminal in the middle of it sees the same beginning.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from protocols.ledger.store import Store

PAUSE_MS = 2 * 60 * 60 * 1000
"""Triage that rested longer has begun anew."""

LOOKED_BACK_MS = 48 * 60 * 60 * 1000
"""No run is taken to be longer: after two days it is the daily work of a ward."""

TRIAGES_MAX = 20_000
"""Triage entries of one run that are looked at."""

MINUTE_MS = 60_000

_STANDS = "t.standing = 0 AND t.replaced < 2"


class Run(NamedTuple):
    """One run of triage, up to now."""

    since_ms: int | None
    """When its first category was given; None while there is no run."""
    counts: dict[int | None, int]
    """Patients of the run by the category that is used of them now."""
    last_minute: int
    """Categories given within the last 60 s."""


def run(store: Store, now_ms: int) -> Run:
    """Return the run of triage that goes on at `now_ms` (Unix milliseconds)."""
    found = store.all(
        f"SELECT t.at_ms FROM triage t WHERE {_STANDS} AND t.at_ms > ? AND t.at_ms <= ?"
        " ORDER BY t.at_ms DESC LIMIT ?",
        (now_ms - LOOKED_BACK_MS, now_ms, TRIAGES_MAX),
    )
    times = [at_ms for (at_ms,) in found]
    since_ms = beginning(times, now_ms)
    if since_ms is None:
        return Run(None, {}, 0)
    counts = store.all(
        "SELECT p.triage, count(*) FROM patient p WHERE p.replaced < 2 AND p.subject IN"
        f" (SELECT t.subject FROM triage t WHERE {_STANDS} AND t.at_ms >= ? AND t.at_ms <= ?)"
        " GROUP BY p.triage",
        (since_ms, now_ms),
    )
    recent = sum(at_ms > now_ms - MINUTE_MS for at_ms in times)
    return Run(since_ms, dict(counts), recent)


def beginning(times: Iterable[int], now_ms: int) -> int | None:
    """Return the first of the times that reach `now_ms` without a pause; None when none does.

    Args:
        times: Unix milliseconds, the latest first, none after `now_ms`.
        now_ms: From where it is looked back.
    """
    since_ms, later_ms = None, now_ms
    for at_ms in times:
        if later_ms - at_ms > PAUSE_MS:
            break
        since_ms = later_ms = at_ms
    return since_ms
