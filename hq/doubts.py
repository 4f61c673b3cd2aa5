"""What people who were apart differ about, counted: by risk, and whose patients are in doubt."""

from __future__ import annotations

from collections.abc import Mapping

from hq.queries import IN_CARE, Book
from protocols.records.contested import RANK

DOUBTS = """
select d.risk, count(*) from (
    select distinct c.subject, c.number, c.risk from conflict c where c.standing = 0
) d group by d.risk"""

CUSTODY_UNCLEAR = f"""
select count(*) from patient p where {IN_CARE} and p.standing = 0 and p.custody >= 3"""


async def unsettled(book: Book) -> dict[str, int]:
    """Return how much is unsettled, by what it can harm; only risks of which something is."""
    return {str(risk): int(count) for risk, count in await book.read(DOUBTS, {})}


async def custody_unclear(book: Book) -> int:
    """Return of how many in care nobody knows whose patient they are."""
    return int((await book.read(CUSTODY_UNCLEAR, {}))[0][0])


def by_risk(counts: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    """Return counts in the order of how much harm each can do; risks of later software last."""
    last = len(RANK)
    return tuple(sorted(counts.items(), key=lambda pair: (RANK.get(pair[0], last), pair[0])))
