"""Which devices wrote what HQ holds, how far, and when each was last linked.

Read over the ends of branches, not over every entry: HQ may hold a million.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from hq.clocks import followed, furthest, not_younger
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
       coalesce(shut.entries, 0), peer.clock_ahead_ms, coalesce(peer.whole_ms, 0),
       case when exists (
         select 1 from feed join meta on meta.name = 'epoch' and meta.value = feed.epoch
         where feed.device = d.device) then 1 else 0 end
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
    ahead_ms: int | None = None
    """How far its clock was ahead of HQ's when it last linked; None: it never did."""
    whole_ms: int = 0
    """When HQ last held all that it had; 0: not known. A link may end before everything came."""
    here: int = 0
    """1: it is this HQ itself, which is never linked to."""
    followed_ms: int = 0
    """How far its entries may be numbered ahead because it saw another's clock that is."""

    @property
    def newest_ms(self) -> int | None:
        """When it wrote the newest entry held here: at the latest, where clocks are off."""
        if self.newest_clock is None:
            return None
        return not_younger(self.newest_clock >> 16, max(self.off_ms, self.followed_ms))

    @property
    def off_ms(self) -> int:
        """How far its clock is off: above 0 ahead, below 0 behind, 0 as far as is known not."""
        return furthest([self.ahead_ms])


async def all_known(book: Book) -> list[Device]:
    """Return every device known, last heard first."""
    found = [Device(*row) for row in await book.read(DEVICES, {})]
    ahead_ms = followed(each.ahead_ms for each in found)
    return [replace(each, followed_ms=ahead_ms) for each in found] if ahead_ms else found
