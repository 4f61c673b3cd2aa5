"""The children that a session saw last, and at what pace: read from the rows of their doses."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import NamedTuple

from protocols.ids import PatientId
from protocols.ledger import coverage, reading
from protocols.ledger.book import Ledger
from protocols.ledger.oneperson import seen_twice
from protocols.live.drive import LastLine
from protocols.records.session import SessionRow
from protocols.records.zones import HOUR_MS

LAST_MAX = 10
LATE_FIRST, LATE_ROWS = 48, 240
"""Records among which the last children are looked for, and where that was too few of them."""
PACE_CHILDREN = 20
"""Children of this device over which the pace is taken."""
PAUSE_MS = 5 * 60_000
"""A longer gap between two children is a pause, and no pace."""


class Late(NamedTuple):
    """One of the last records of doses of a session."""

    patient: bytes
    vaccine: str
    dose: int | None
    status: str
    at_ms: int
    doubtful: int
    feed: int


_LATE = """
SELECT d.patient, d.vaccine, d.dose, d.status, d.at_ms, d.doubtful, e.feed
FROM (SELECT * FROM dose WHERE session = ? AND standing = 0 AND replaced = 0
  ORDER BY at_ms DESC, entry DESC, idx LIMIT ?) d
JOIN entry e ON e.arrival = d.entry
ORDER BY d.at_ms DESC, d.entry DESC, d.idx"""
"""Who wrote them is looked up for these alone."""


def late(ledger: Ledger, row: SessionRow) -> list[Late]:
    """Return the last records of doses of a session, the newest first.

    Few are enough for the last children and their pace, but where each had many, or others give
    doses in between.
    """
    found: list[Late] = []
    for most in (LATE_FIRST, LATE_ROWS):
        found = [Late(*each) for each in ledger.store.all(_LATE, (bytes(row.id), most))]
        if len(found) < most or len(_own_children(ledger, found)) > PACE_CHILDREN:
            break
    return found


def last(ledger: Ledger, late: Sequence[Late]) -> tuple[LastLine, ...]:
    """Return the children seen last in a session, the newest first."""
    found: dict[bytes, list[Late]] = {}
    for each in late:
        found.setdefault(bytes(each.patient), []).append(each)
    shown = list(found.items())[:LAST_MAX]
    heads = {bytes(one.id): one for one in reading.patients(ledger, [who for who, _ in shown])}
    lines = []
    for who, doses in shown:
        head = heads.get(who)
        given = tuple((each.vaccine, each.dose) for each in doses if each.status == "given")
        lines.append(
            LastLine(
                str(PatientId(who)),
                head.tag if head else "",
                head.code if head else "",
                doses[0].at_ms,
                given,
                "given" if given else doses[0].status,
            )
        )
    return tuple(lines)


def seconds(ledger: Ledger, late: Sequence[Late]) -> int | None:
    """Return how long the last children of this device took each, in seconds; pauses left out.

    A child's time is that of the first of its records among the last ones.
    """
    first = _own_children(ledger, late)
    times = sorted(first.values(), reverse=True)[:PACE_CHILDREN]
    gaps = [later - sooner for later, sooner in pairwise(times)]
    working = [gap for gap in gaps if gap <= PAUSE_MS]
    return round(sum(working) / len(working) / 1000) if working else None


def _own_children(ledger: Ledger, late: Sequence[Late]) -> dict[bytes, int]:
    """Return when this device saw the children of these records, by a clock that can be right."""
    own, known = bytes(ledger.authority.device), ledger.chain.by_no
    mine = {no for no in {each.feed for each in late} if bytes(known[no].genesis.device) == own}
    return {each.patient: each.at_ms for each in late if each.feed in mine and not each.doubtful}


def numbers(ledger: Ledger, row: SessionRow, now_ms: int) -> tuple[int, int, int]:
    """Return children, records of nothing given, and what the last 60 minutes came to.

    Who has several linked records is one child.
    """
    told, session = coverage.in_sessions(ledger), bytes(row.id)
    found = ledger.store.one(
        "SELECT count(DISTINCT patient) + (SELECT coalesce(sum(n), 0)"
        " FROM tally WHERE session = ?1 AND at_ms > ?2 AND intervention = ''"
        " AND standing = 0 AND replaced = 0)"
        " FROM dose WHERE session = ?1 AND at_ms > ?2 AND standing = 0 AND replaced = 0",
        (session, now_ms - HOUR_MS),
    )
    whole, late = seen_twice(ledger.store.all, session, now_ms - HOUR_MS)
    last_hour = (found[0] if found else 0) - late
    return told.children[session] - whole, told.not_given[session], last_hour
