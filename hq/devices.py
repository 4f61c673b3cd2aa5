"""Which devices wrote what HQ holds, how far, and when each was last linked.

Read over the ends of branches, not over every entry: HQ may hold a million.
"""

from __future__ import annotations

from dataclasses import dataclass

from hq.queries import Book

_BRANCHES = """
with fresh as materialized (
  select arrival, parent, feed, seq, clock from entry where arrival > coalesce(
    (select cast(value as integer) from meta where name = 'ends_at'), 0)),
branch as materialized (
  select feed, seq, clock from branch_end where arrival not in (select parent from fresh)
  union all
  select feed, seq, clock from fresh where arrival not in (select parent from fresh))"""
"""Where branches end: as last written down, and after the few entries that came since."""

DEVICES = f"""
{_BRANCHES}
select d.device, peer.name, peer.last_contact_ms,
       (select max(arrival) from entry) - peer.they_hold,
       (select cast(sum(held.seq) as bigint) from
          (select feed.device, max(branch.seq) as seq from branch
           join feed on feed.no = branch.feed group by feed.device, branch.feed) held
        where held.device = d.device),
       (select max(branch.clock) from branch join feed on feed.no = branch.feed
        where feed.device = d.device),
       (select count(*) - count(distinct branch.feed) from branch
        join feed on feed.no = branch.feed where feed.device = d.device),
       coalesce(shut.entries, 0)
from (select device from peer union select device from feed) d
left join peer on peer.device = d.device
left join (select u.device, count(*) as entries
           from (select (select feed.device from entry join feed on feed.no = entry.feed
                         where entry.arrival = unopened.entry) as device from unopened
                 where unopened.reason not in ('erased', 'body')) u
           group by u.device) shut on shut.device = d.device
order by coalesce(peer.last_contact_ms, 0) desc, d.device limit 500"""


@dataclass(frozen=True, slots=True)
class Device:
    """A device that wrote something held here, or that was linked to HQ."""

    device: bytes
    name: str | None
    last_contact_ms: int | None
    """None: it never linked here itself; others carried what it wrote."""
    lacks: int | None
    """Entries HQ holds that it is not known to have taken yet; None = unknown."""
    entries: int | None
    """Entries it wrote that HQ holds, without a gap from the first."""
    newest_clock: int | None
    """Hybrid clock of its newest entry held here."""
    forks: int
    """Places where two entries claim the same number: a cloned or restored device."""
    unopened: int
    """Its entries that wait for a key or newer software, or are damaged."""

    @property
    def newest_ms(self) -> int | None:
        """When, by its own clock, it wrote the newest entry held here."""
        return None if self.newest_clock is None else self.newest_clock >> 16


async def all_known(book: Book) -> list[Device]:
    """Return every device known, last heard first."""
    return [Device(*row) for row in await book.read(DEVICES, {})]
