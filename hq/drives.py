"""What vaccination came to, as far as HQ knows: read once per turn, however many pages ask.

The sums are those of `protocols.ledger.coverage`, asked over the pages' own connection; only which
records may be of one dose is asked of the node, a few persons at a time. No name of a child is
read here: a page of totals needs none, and lists go by code.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from hq import queries
from hq.hints import Hints
from hq.queries import AHEAD, Book
from hq.registry import Registry, Vaccinations
from hq.shown import MINUTE_MS
from protocols.guidelines.interventions import Interventions, shipped_interventions
from protocols.guidelines.schedules import Plan
from protocols.ledger import coverage, interventions, vials
from protocols.ledger.coverage import Beside, Count, Covered, DropOut, ZeroDose
from protocols.ledger.immunization import Doubled
from protocols.ledger.store import Store
from protocols.ledger.vials import Wastage

KEPT_MS = MINUTE_MS
LISTED_MAX = 200
"""Reports, and records in doubt, that are listed; more are counted."""

_LAST = """(select d.{} from dose d where d.session = s.id
    and d.standing = 0 and d.replaced = 0 order by d.at_ms desc limit 1)"""

NEWEST = f"""
select session.site, max(r.at_ms - {AHEAD}) from session join (
  select s.id as session, {_LAST.format("at_ms")} as at_ms, {_LAST.format("entry")} as entry
  from session s
  union all
  select session, at_ms, entry from tally
  where standing = 0 and replaced = 0) r on r.session = session.id
join entry on entry.arrival = r.entry
join feed on feed.no = entry.feed
left join peer on peer.device = feed.device
group by session.site"""
"""The newest dose of each session is looked up: there are many doses, and few sessions."""

APART = """
select (select count(*) from dose where standing > 0 and replaced < 2),
       (select coalesce(sum(n), 0) from tally
        where standing > 0 and replaced < 2 and intervention = '')"""

OPEN = """
select count(*) from session where standing = 0 and replaced = 0 and closed_ms is null"""

AEFI_COUNT = """
select a.severity, a.serious, count(*) from aefi a where a.standing = 0 and a.replaced = 0
group by a.severity, a.serious order by a.serious desc, a.severity"""

AEFI = f"""
select a.at_ms - {AHEAD}, a.severity, a.serious, a.symptoms, a.onset_ms, a.vaccines, a.lots,
       a.outcome, a.standing, p.code, p.band, feed.device, peer.name
from aefi a
join patient p on p.subject = a.subject
join entry on entry.arrival = a.entry
join feed on feed.no = entry.feed
left join peer on peer.device = feed.device
where a.replaced = 0
order by a.serious desc, a.at_ms desc, a.entry, a.idx limit :limit"""
"""What was told in words is left out: it may hold a name."""

WROTE = """
select entry.arrival, feed.device, peer.name
from entry join feed on feed.no = entry.feed left join peer on peer.device = feed.device
where entry.arrival in ({})"""


class Aefi(NamedTuple):
    """One report of something suffered after a vaccine."""

    at_ms: int
    severity: str
    serious: int
    symptoms: str
    onset_ms: int | None
    vaccines: str
    lots: str
    outcome: str
    standing: int
    code: str
    band: int | None
    device: bytes
    device_name: str | None


class Day(NamedTuple):
    """Doses of an antigen at a site on a day."""

    day: int | None
    site: bytes | None
    antigen: str
    named: int
    """Of persons."""
    tallied: int
    """Counted in crowd mode."""

    @property
    def doses(self) -> int:
        """All of them."""
        return self.named + self.tallied


class Other(NamedTuple):
    """What a session gave or measured on a day that is no dose of vaccine."""

    day: int | None
    session: bytes
    place: str
    """As the session has it."""
    site: bytes | None
    code: str
    named: int
    """Of persons."""
    tallied: int
    """Counted in crowd mode."""
    twice: int
    """Of these, records that may be of one."""


class Known(NamedTuple):
    """All that the page says, read at one moment."""

    read_ms: int
    turn: int
    covered: tuple[Covered, ...]
    days: tuple[Day, ...]
    """The latest day first; a dose against several diseases is in each of them."""
    doses: tuple[int, int]
    """Doses by name, and tallied; each once."""
    zero: tuple[ZeroDose, ...]
    dropped: Mapping[str, DropOut]
    wasted: tuple[Wastage, ...]
    doubled: tuple[Doubled, ...]
    codes: Mapping[bytes, str]
    """Of who is in `doubled`."""
    wrote: Mapping[int, tuple[bytes, str]]
    """Device and its name, of each entry in `doubled`."""
    aefi: tuple[Aefi, ...]
    aefi_counts: Sequence[tuple[str, int, int]]
    """(severity, whether serious, reports)."""
    newest: Mapping[bytes | None, int]
    """When the newest dose or tally of each site was written."""
    apart: tuple[int, int]
    """Doses and tallied doses that do not stand."""
    open_sessions: int
    plan: Plan
    beside: tuple[Other, ...] = ()
    """The latest day first; in no sum of doses."""
    pack: Interventions = shipped_interventions()
    """By which it is named."""

    @property
    def least_known(self) -> tuple[bytes | None, int] | None:
        """The site whose newest record is the oldest, and when that was; None of a single one."""
        several = len(self.newest) > 1
        return min(self.newest.items(), key=lambda one: one[1]) if several else None

    @property
    def approved(self) -> bool:
        """Whether a clinical lead stands by the schedule."""
        return self.plan.schedule.pack.approved


class Drives:
    """Reads vaccination once per turn of its own hints."""

    def __init__(self, book: Book, hints: Hints, registry: Registry) -> None:
        self._book = book
        self._hints = hints
        self._registry = registry
        self._lock = asyncio.Lock()
        self._kept: Known | None = None

    def forget(self) -> None:
        """Keep nothing of what was read."""
        self._kept = None

    async def now(self, now_ms: int) -> Known:
        """Return what is known as of now."""
        async with self._lock:
            kept, turn = self._kept, self._hints.turn_of("vaccination")
            if kept and kept.turn == turn and 0 <= now_ms - kept.read_ms < KEPT_MS:
                return kept
            self._kept = await self._read(now_ms, turn)
            return self._kept

    async def read_ahead(self, now_ms: int) -> None:
        """Have the node count what was given: from then on it is counted as it comes."""
        async with self._lock:
            await self._read(now_ms, 0)

    async def _read(self, now_ms: int, turn: int) -> Known:
        book, told = self._book, await self._registry.vaccinations()
        sums = await book.ask(lambda store: _sums(store, told, now_ms))
        beside = await book.ask(lambda store: _beside(told.beside._replace(store=store)))
        listed = told.doubled[:LISTED_MAX]
        aefi = await book.read(AEFI, {"limit": LISTED_MAX})
        ((doses, tallied),) = await book.read(APART, {})
        return Known(
            now_ms,
            turn,
            *sums,
            told.doubled,
            await queries.codes(book, sorted({p for each in listed for p in each.patients})),
            await _wrote(book, listed),
            tuple(Aefi(*row) for row in aefi),
            [(severity, serious, n) for severity, serious, n in await book.read(AEFI_COUNT, {})],
            {site: int(at_ms) for site, at_ms in await book.read(NEWEST, {})},
            (int(doses), int(tallied)),
            int((await book.read(OPEN, {}))[0][0]),
            told.beside.plans[""],
            beside,
            told.interventions or shipped_interventions(),
        )


async def _wrote(book: Book, listed: Sequence[Doubled]) -> dict[int, tuple[bytes, str]]:
    entries = sorted({row.entry for each in listed for row in each.rows})
    if not entries:
        return {}
    named = {f"e{at}": entry for at, entry in enumerate(entries)}
    marks = ", ".join(f":{name}" for name in named)
    found = await book.read(WROTE.format(marks), named)
    return {arrival: (bytes(device), name or "") for arrival, device, name in found}


Sums = tuple[
    tuple[Covered, ...],
    tuple[Day, ...],
    tuple[int, int],
    tuple[ZeroDose, ...],
    Mapping[str, DropOut],
    tuple[Wastage, ...],
]


def _sums(store: Store, told: Vaccinations, now_ms: int) -> Sums:
    """Ask everything that is summed, in the thread of the pages' connection."""
    beside = told.beside._replace(store=store)
    counts = coverage.counts(beside)
    covered = coverage.coverage(beside, counts)
    several = coverage.linked(beside)
    wanted = {each.antigen for each in covered}
    begun = {series for series, _ in beside.sums.children.had}
    series = [
        row.id
        for row in beside.plans[""].schedule.series
        if row.id in begun or wanted & set(row.antigens)
    ]
    zero = coverage.zero_doses(beside, series, several=several)
    dropped = {each.series: each for each in coverage.drop_out(beside, several)}
    wasted = vials.wastage(beside, now_ms)
    tallied = sum(count.doses for count in counts if count.tallied)
    doses = sum(count.doses for count in counts) - tallied, tallied
    return tuple(covered), _days(beside, counts), doses, tuple(zero), dropped, tuple(wasted)


def _days(beside: Beside, counts: Iterable[Count]) -> tuple[Day, ...]:
    sites, plans = {}, {}
    for row in coverage.sessions(beside):
        sites[bytes(row.id)] = None if row.site is None else bytes(row.site)
        plans[bytes(row.id)] = beside.plans.get(row.schedule) or beside.plans[""]
    sums: Counter[tuple[int | None, bytes | None, str, bool]] = Counter()
    for count in counts:
        vaccine = plans[count.session].vaccines.get(count.vaccine)
        for antigen in vaccine.antigens if vaccine is not None else (count.vaccine,):
            sums[count.day, sites[count.session], antigen, count.tallied] += count.doses
    places = {key[:3] for key in sums}
    found = [Day(*place, sums[*place, False], sums[*place, True]) for place in places]
    return tuple(sorted(found, key=lambda day: (-(day.day or 0), day.antigen, day.site or b"")))


def _beside(beside: Beside) -> tuple[Other, ...]:
    """Return what sessions came to beside their vaccines, asked in the pages' thread."""
    held = {bytes(row.id): row for row in coverage.sessions(beside)}
    sums: dict[tuple[int | None, bytes, str], list[int]] = {}
    for each in interventions.counts(beside):
        line = sums.setdefault((each.day, each.session, each.code), [0, 0, 0])
        line[each.tallied] += each.number
        line[2] += each.twice
    found = [
        Other(day, session, held[session].place, held[session].site, code, *line)
        for (day, session, code), line in sums.items()
    ]
    return tuple(sorted(found, key=lambda one: (-(one.day or 0), one.place, one.session, one.code)))
