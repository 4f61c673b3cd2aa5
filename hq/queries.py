"""Every question the pages ask the book: the SQL, and what its answers are called.

The SQL keeps to what SQLite and PostgreSQL read alike: `:name` parameters, integer
milliseconds, `case` instead of functions that differ, no JSON, no clock. *In care*: an encounter
that nobody closed. Counts take what stands; what does not is counted beside.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from protocols.ledger.store import Store
from protocols.live.clocks import CLOCKS_APART_MS

Answer = TypeVar("Answer")
Value = int | str | bytes | None
Params = Mapping[str, Value]

HOUR_MS = 3_600_000
STRIP_HOURS = 24
"""Hours that a site's strip of activity reaches back."""
LATEST_MAX, PATIENTS_PAGE = 20, 50
"""Records listed on the picture; patients on one page."""
PATIENTS_OFFSET_MAX = 1_000_000
"""As far as paging goes."""


class Book(Protocol):
    """The merged ledger, as far as the pages may reach into it."""

    async def read(self, sql: str, params: Params) -> Sequence[tuple[Any, ...]]:
        """Return all rows of a query."""
        ...

    async def ask(self, question: Callable[[Store], Answer]) -> Answer:
        """Return what the ledger's own room answers, asked over the pages' connection."""
        ...

    async def write(self, sql: str, params: Params) -> int:
        """Run one durable statement on an account table; return how many rows it touched."""
        ...

    def changes(self) -> AsyncIterator[frozenset[str]]:
        """Yield the names of tables that changed, for as long as the book is open."""
        ...


AHEAD = f"case when peer.clock_ahead_ms > {CLOCKS_APART_MS} then peer.clock_ahead_ms else 0 end"
"""What to take from a time by the clock of a `peer`, so that no age looks younger for it."""

IN_CARE = "p.encounter is not null and p.closed_ms is null and p.replaced < 2"

CARE = f"""
select p.site, p.triage, case when p.standing = 0 then 1 else 0 end, count(*),
       min(p.arrived_ms), max(s.newest_ms),
       cast(sum(case when p.unsettled > 0 then 1 else 0 end) as bigint)
from patient p join subject s on s.no = p.subject where {IN_CARE}
group by p.site, p.triage, case when p.standing = 0 then 1 else 0 end"""

SHARED_TAGS_MAX = 100
"""Carriers named on the picture, over all shared tags."""

FINDABLE = "(0, 1, 5)"
"""Standing of a tag that counts: stated by a member, or by one not admitted or not checked yet.

An alert that turns out to be nothing is better than two patients under one tag.
"""

SHARED_TAGS = f"""
with ward as (select p.subject, p.tag from patient p where {IN_CARE}),
worn as (
  select ward.subject, ward.tag from ward where ward.tag <> ''
  union all
  select t.subject, t.tag from ward cross join tag t where t.subject = ward.subject),
doubtful as (
  select distinct w.tag from worn w
  where exists (select 1 from patient q where q.tag = w.tag and q.subject <> w.subject)
     or exists (select 1 from tag q where q.tag = w.tag and q.subject <> w.subject)),
carried as (
  select p.tag, p.subject from doubtful d cross join patient p
  where p.tag = d.tag and p.standing in {FINDABLE} and not exists (
    select 1 from tag t where t.tag = p.tag and t.subject = p.subject
    and t.standing not in {FINDABLE})
  union
  select t.tag, t.subject from doubtful d cross join tag t
  where t.tag = d.tag and t.standing in {FINDABLE})
select c.tag, p.id, p.code, p.site from carried c cross join patient p
where p.subject = c.subject
  and c.tag in (select tag from carried group by tag having count(*) > 1)
order by c.tag, p.code limit :limit"""
"""The few in care first, then whoever else wears what they wear: SQLite crosses in this order."""

WRITERS_ABOUT = """
select distinct p.id, feed.device from patient p
join document on document.subject = p.subject
join strand on strand.doc = document.no
join feed on feed.no = strand.feed
where p.id in ({})"""

UNSEEN = f"""
select p.site, count(*), min(p.triage_at_ms) from patient p
where {IN_CARE} and p.standing = 0 and p.triage = 1
  and not exists (select 1 from observation o where o.subject = p.subject
                  and o.standing = 0 and o.replaced = 0 and o.at_ms >= p.triage_at_ms)
  and not exists (select 1 from note n where n.subject = p.subject
                  and n.standing = 0 and n.replaced = 0 and n.at_ms >= p.triage_at_ms)
group by p.site"""

SITES = """
select s.id, s.name from site s where s.replaced = 0 and s.standing = 0 order by s.name"""

NEWEST = """
select p.site, max((select s.newest_ms from subject s where s.no = p.subject))
from patient p group by p.site"""
"""Joined, SQLite walks the patients by their tags: at 20,000 that takes three times as long."""

WRITERS = """
select p.site, feed.device, max(e.at_ms)
from patient p
join encounter e on e.subject = p.subject
join entry on entry.arrival = e.entry
join feed on feed.no = entry.feed
group by p.site, feed.device"""

RECORD_SORTS = {1: "encounter", 2: "triage", 3: "observation", 4: "note"}
"""What `Latest.sort` counts: the row tables of what is done at the bedside."""

ACTIVITY = f"""
select p.site, (r.at_ms - :since) / {HOUR_MS}, count(*), max(r.at_ms)
from ({
    " union all ".join(
        f"select subject, at_ms from {table} where at_ms >= :since and at_ms < :until "
        "and replaced = 0"
        for table in RECORD_SORTS.values()
    )
}) r join patient p on p.subject = r.subject
group by p.site, (r.at_ms - :since) / {HOUR_MS}"""

ARRIVALS_MAX = 400
"""The latest records are looked for among this many entries, so that asking stays cheap."""

LATEST = f"""
with came as (
  select entry.arrival, entry.feed, document.subject
  from (select arrival, feed, doc from entry order by arrival desc limit {ARRIVALS_MAX}) entry
  join document on document.no = entry.doc)
select r.sort, r.arrival, r.records, r.at_ms - {AHEAD}, r.standing, r.replaced, r.category,
       r.algorithm, p.code, p.site, feed.device, peer.name
from ({
    " union all ".join(
        f"select {number} as sort, came.arrival, came.feed, came.subject, count(*) as records, "
        f"max(t.at_ms) as at_ms, max(t.standing) as standing, min(t.replaced) as replaced, "
        f"{'max(t.category)' if table == 'triage' else 'null'} as category, "
        f"{'max(t.algorithm)' if table == 'triage' else 'null'} as algorithm "
        f"from came join {table} t on t.subject = came.subject and t.entry = came.arrival "
        "group by came.arrival, came.feed, came.subject"
        for number, table in RECORD_SORTS.items()
    )
}) r
join patient p on p.subject = r.subject
join feed on feed.no = r.feed
left join peer on peer.device = feed.device
order by r.arrival desc, r.sort desc limit :limit"""

UNASSIGNED_MAX = 200
"""Results without a patient that are listed; more are counted."""

_UNASSIGNED = """
from subject s join observation o on o.subject = s.no
where s.kind = 3 and o.unassigned = 1 and o.replaced = 0"""

UNASSIGNED_COUNT = f"""
select count(distinct r.subject), min(r.at_ms - {AHEAD}) from (select o.* {_UNASSIGNED}) r
join entry on entry.arrival = r.entry
join feed on feed.no = entry.feed
left join peer on peer.device = feed.device"""

UNASSIGNED = f"""
select r.code, r.value, r.unit, r.absent, r.claimed, r.at_ms - {AHEAD}, r.standing, feed.device,
       peer.name
from (select o.* {_UNASSIGNED}) r
join entry on entry.arrival = r.entry
join feed on feed.no = entry.feed
left join peer on peer.device = feed.device
order by r.at_ms - {AHEAD}, r.entry, r.idx limit :limit"""

UNCONFIRMED = f"""
select count(*), min(t.at_ms - {AHEAD}) from triage t
join entry on entry.arrival = t.entry
join feed on feed.no = entry.feed
left join peer on peer.device = feed.device
where t.unconfirmed = 1 and t.standing = 0 and t.replaced = 0"""

_PATIENTS_WHERE = f"""
{IN_CARE} and (:any_triage = 1 or coalesce(p.triage, -1) = :triage)
and (:any_site = 1 or p.site = :site)"""

PATIENT_COUNT = f"select count(*) from patient p where {_PATIENTS_WHERE}"

PATIENTS = f"""
select p.id, p.code, p.name, p.tag, p.sex, p.age_value, p.age_unit, p.age_estimated,
       p.birth_date, p.band, p.triage, p.triage_at_ms, p.triage_open, p.reassess, p.bed, p.site,
       p.arrived_ms, p.unsettled, p.standing, s.newest_ms,
       (select max(t.algorithm) from triage t
        where t.subject = p.subject and t.standing = 0 and t.replaced = 0)
from patient p join subject s on s.no = p.subject where {_PATIENTS_WHERE}
order by case p.triage when 1 then 0 when 2 then 1 when 3 then 2 when 4 then 4 when 0 then 5
         else 3 end, p.arrived_ms, p.code limit :limit offset :offset"""


@dataclass(frozen=True, slots=True)
class Care:
    """Patients in care at one site in one triage category."""

    site: bytes | None
    triage: int | None
    counts: int
    """0: their records do not stand, so no count includes them."""
    patients: int
    arrived_ms: int | None
    """Arrival of the one who waits longest."""
    newest_ms: int | None
    unsettled: int
    """Patients among them with facts that disagree."""


@dataclass(frozen=True, slots=True)
class Unseen:
    """Red patients of one site with nothing recorded since their triage."""

    site: bytes | None
    patients: int
    since_ms: int | None


@dataclass(frozen=True, slots=True)
class TagCarrier:
    """One of several patients who carry the same tag, at least one of them in care."""

    tag: str
    patient: bytes
    code: str
    site: bytes | None


@dataclass(frozen=True, slots=True)
class Site:
    """A place where patients are treated."""

    id: bytes
    name: str


@dataclass(frozen=True, slots=True)
class Activity:
    """Records of one site in one hour."""

    site: bytes | None
    hour: int
    """0 is the oldest of the strip."""
    records: int
    newest_ms: int


@dataclass(frozen=True, slots=True)
class Latest:
    """What one entry records of one sort, as it arrived here."""

    sort: int
    entry: int
    records: int
    """How many of this sort the entry holds: a set of vitals is one line."""
    at_ms: int
    standing: int
    replaced: int
    category: int | None
    """Triage category, of a triage record only."""
    algorithm: str | None
    """The guideline pack that worked it out; '' when a person did."""
    code: str
    site: bytes | None
    device: bytes
    device_name: str | None

    @property
    def sort_name(self) -> str:
        """Name of the row table it stems from; also the key of its word."""
        return RECORD_SORTS[self.sort]


@dataclass(frozen=True, slots=True)
class Patient:
    """One patient in care."""

    id: bytes
    code: str
    name: str | None
    tag: str | None
    sex: int | None
    age_value: int | None
    age_unit: int | None
    """0 years, 1 months, 2 weeks, 3 days."""
    age_estimated: int | None
    birth_date: str | None
    band: int | None
    triage: int | None
    triage_at_ms: int | None
    triage_open: int | None
    reassess: int | None
    """1 when expectant or dead is one of several categories that stand."""
    bed: str | None
    site: bytes | None
    arrived_ms: int | None
    unsettled: int
    standing: int
    at_ms: int
    algorithm: str | None
    """The guideline pack that a category in force was worked out by; '' or None: a person did."""


@dataclass(frozen=True, slots=True)
class Unassigned:
    """A value that a device measured of nobody certain, and that nobody has assigned yet."""

    code: str
    """Name in the pack; `#n` when this software does not know it."""
    value: str
    unit: str
    absent: str
    claimed: str
    """What the device said of whom it measured, when that was not enough."""
    at_ms: int
    standing: int
    device: bytes
    device_name: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """All results that wait for a patient."""

    results: int
    since_ms: int | None
    """When the one that waits longest was measured."""
    values: tuple[Unassigned, ...]
    """Longest waiting first; one result may hold several."""


@dataclass(frozen=True, slots=True)
class Filter:
    """Which patients in care to list."""

    triage: int | None = None
    """0 to 4, -1 for those without triage, None for all."""
    site: bytes | None = None
    offset: int = 0

    def params(self) -> dict[str, Value]:
        """Return the parameters of `PATIENT_COUNT`."""
        return {
            "any_triage": int(self.triage is None),
            "triage": -1 if self.triage is None else self.triage,
            "any_site": int(self.site is None),
            "site": self.site or b"",
        }


async def is_closed(book: Book) -> bool:
    """Return whether this HQ learned of its own seal: its book is closed to read."""
    return bool(await book.read("select 1 from meta where name = 'closed'", {}))


async def care(book: Book) -> list[Care]:
    """Return patients in care by site and triage."""
    return [Care(*row) for row in await book.read(CARE, {})]


async def unseen(book: Book) -> list[Unseen]:
    """Return red patients with nothing recorded since their triage, by site."""
    return [Unseen(*row) for row in await book.read(UNSEEN, {})]


async def shared_tags(book: Book) -> list[TagCarrier]:
    """Return who carries a tag that somebody else carries too, by tag."""
    found = await book.read(SHARED_TAGS, {"limit": SHARED_TAGS_MAX})
    return [TagCarrier(tag, bytes(patient), *rest) for tag, patient, *rest in found]


async def sites(book: Book) -> list[Site]:
    """Return the sites known, by name; of a site with several names, the first."""
    found: dict[bytes, Site] = {}
    for row in await book.read(SITES, {}):
        found.setdefault(bytes(row[0]), Site(bytes(row[0]), row[1] or ""))
    return list(found.values())


async def newest(book: Book) -> dict[bytes | None, int]:
    """Return when the newest thing known of each site's patients happened."""
    return {row[0]: row[1] for row in await book.read(NEWEST, {}) if row[1] is not None}


async def writers(book: Book) -> list[tuple[bytes | None, bytes, int]]:
    """Return each site with each device that opened a visit there, and when it did so last."""
    return [(row[0], bytes(row[1]), row[2]) for row in await book.read(WRITERS, {})]


async def activity(book: Book, now_ms: int) -> list[Activity]:
    """Return records by site and hour over the hours of the strip."""
    span = {"since": now_ms - STRIP_HOURS * HOUR_MS, "until": now_ms}
    return [Activity(*row) for row in await book.read(ACTIVITY, span)]


async def latest(book: Book) -> list[Latest]:
    """Return the newest records in the order they arrived here, newest first."""
    return [Latest(*row) for row in await book.read(LATEST, {"limit": LATEST_MAX})]


async def waiting(book: Book) -> Waiting:
    """Return the results that wait for a patient."""
    ((results, since_ms),) = await book.read(UNASSIGNED_COUNT, {})
    values = [Unassigned(*row) for row in await book.read(UNASSIGNED, {"limit": UNASSIGNED_MAX})]
    return Waiting(int(results), since_ms, tuple(values))


async def unconfirmed(book: Book) -> tuple[int, int | None]:
    """Return how much triage nobody identified wrote and no person confirmed; the oldest's time."""
    ((entries, since_ms),) = await book.read(UNCONFIRMED, {})
    return int(entries), since_ms


async def writers_about(book: Book, patients: Sequence[bytes]) -> dict[bytes, frozenset[bytes]]:
    """Return the devices that wrote about each of these patients."""
    if not patients:
        return {}
    named = {f"p{at}": patient for at, patient in enumerate(patients)}
    found: dict[bytes, frozenset[bytes]] = {}
    for patient, device in await book.read(WRITERS_ABOUT.format(_marks(named)), named):
        found[bytes(patient)] = found.get(bytes(patient), frozenset()) | {bytes(device)}
    return found


async def codes(book: Book, patients: Sequence[bytes]) -> dict[bytes, str]:
    """Return the short codes of these patients, as far as they are known."""
    if not patients:
        return {}
    named = {f"p{at}": bytes(patient) for at, patient in enumerate(patients)}
    sql = f"select id, code from patient where id in ({_marks(named)})"
    return {bytes(patient): code for patient, code in await book.read(sql, named)}


def _marks(named: Params) -> str:
    return ", ".join(f":{name}" for name in named)


async def patients(book: Book, chosen: Filter) -> tuple[int, list[Patient]]:
    """Return how many patients match, and one page of them, most urgent first."""
    total = int((await book.read(PATIENT_COUNT, chosen.params()))[0][0])
    page = {"limit": PATIENTS_PAGE, "offset": min(chosen.offset, PATIENTS_OFFSET_MAX)}
    rows = await book.read(PATIENTS, {**chosen.params(), **page})
    return total, [Patient(*row) for row in rows]
