"""Who is in care under several records that people linked as of one person: counted once.

The most urgent record counts (SAFETY 11), over all sites, and at each site the most urgent there.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from hq.queries import IN_CARE, Book, Care
from hq.shown import TRIAGE_ORDER

_HOLDS = "l.relation = 0 and l.linked = 1 and l.standing = 0 and l.replaced = 0"

LINKED_IN_CARE = f"""
select p.id, p.site, p.triage from patient p
where {IN_CARE} and p.standing = 0
  and (exists (select 1 from link l where l.patient = p.id and {_HOLDS})
       or exists (select 1 from link l where l.other = p.id and {_HOLDS}))"""

PAIRS = f"select l.patient, l.other from link l where {_HOLDS}"


@dataclass(frozen=True, slots=True)
class Spare:
    """Records in care whose person is in care under another one too."""

    records: frozenset[bytes] = frozenset()
    """All records of such persons: those that are counted, and those that are not."""
    overall: tuple[Care, ...] = ()
    """What is taken from the sums over all sites: one patient fewer each."""
    at_sites: tuple[Care, ...] = ()
    """What is taken from the sums of each site."""


NOBODY = Spare()


async def spare(book: Book) -> Spare:
    """Return what is counted twice otherwise."""
    held = [(bytes(row[0]), row[1], row[2]) for row in await book.read(LINKED_IN_CARE, {})]
    if len(held) < 2:
        return NOBODY
    first = _persons((bytes(one), bytes(other)) for one, other in await book.read(PAIRS, {}))
    persons: dict[bytes, list[tuple[bytes, bytes | None, int | None]]] = {}
    for row in sorted(held, key=lambda one: (_urgency(one[2]), one[0])):
        persons.setdefault(first[row[0]], []).append(row)
    several = [rows for rows in persons.values() if len(rows) > 1]
    at_sites = []
    for rows in several:
        for site in {row[1] for row in rows}:
            at_sites += [_fewer(site, row[2]) for row in rows if row[1] == site][1:]
    return Spare(
        frozenset(row[0] for rows in several for row in rows),
        tuple(_fewer(site, triage) for rows in several for _, site, triage in rows[1:]),
        tuple(at_sites),
    )


def _persons(pairs: Iterable[Sequence[bytes]]) -> dict[bytes, bytes]:
    """Return one record that stands for the person of each record that was linked."""
    leader: dict[bytes, bytes] = {}

    def of(one: bytes) -> bytes:
        while leader.setdefault(one, one) != one:
            leader[one] = one = leader[leader[one]]
        return one

    for one, other in pairs:
        leader[of(one)] = of(other)
    return {one: of(one) for one in list(leader)}


def _urgency(triage: int | None) -> int:
    return TRIAGE_ORDER.index(triage) if triage in TRIAGE_ORDER else TRIAGE_ORDER.index(None)


def _fewer(site: bytes | None, triage: int | None) -> Care:
    return Care(site, triage, 1, -1, None, None, 0)
