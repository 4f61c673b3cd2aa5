"""The one picture: what HQ knows of every site, how old that is, and whom each number includes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from hq import doubts, queries
from hq.clocks import ALL_RIGHT, Clocks, clocks, furthest, not_younger
from hq.devices import Device, all_known
from hq.hints import Hints
from hq.persons import NOBODY, Spare, spare
from hq.queries import Activity, Book, Care, Latest, TagCarrier, Unseen, Waiting
from hq.shown import AHEAD_MS, DAY_MS, MINUTE_MS, OLD_MS, TRIAGE_ORDER

LATELY_MS = 7 * DAY_MS
"""Who opened no visit at a site for longer is not missed there."""
KEPT_MS = MINUTE_MS
"""A picture is read anew after a minute even if nothing changed: its strips move on."""


@dataclass(frozen=True, slots=True)
class Tile:
    """Patients in care in one triage category, over all sites."""

    triage: int | None
    patients: int
    arrived_ms: int | None
    """Arrival of the one who waits longest; None when there is nobody."""


@dataclass(frozen=True, slots=True)
class SiteLine:
    """What HQ knows of one site."""

    id: bytes | None
    """None: patients whose site nobody stated."""
    name: str
    heard_ms: int | None
    newest_ms: int | None
    tiles: tuple[Tile, ...]
    unseen: int
    """Red patients with no observation or note since their triage."""
    unseen_since_ms: int | None
    bars: tuple[int, ...]
    """Records an hour, oldest hour first."""
    known_ms: int | None
    """Up to when HQ knows the site: when it last held all that a device there had, or its newest
    record, whichever is later. A time that lies ahead of our clock says nothing and is left out."""
    ahead_ms: int = 0
    """How far a clock that is written by there is off; `newest_ms` is counted older by it."""
    silent: tuple[int | None, ...] = ()
    """Up to when each device is known that wrote there lately and has fallen silent; the least
    known first, None: nobody knows. What they wrote since is in no number of the site."""

    @property
    def patients(self) -> int:
        """Patients in care there."""
        return sum(tile.patients for tile in self.tiles)


@dataclass(frozen=True, slots=True)
class Picture:
    """All of it, read at one moment."""

    read_ms: int
    turn: int
    tiles: tuple[Tile, ...]
    sites: tuple[SiteLine, ...]
    """Least known first: what needs a call stands on top."""
    latest: tuple[Latest, ...]
    devices: tuple[Device, ...]
    waiting: Waiting
    """Results without a patient."""
    not_counted: int
    unsettled: int
    unconfirmed: tuple[int, int | None] = (0, None)
    """Triage that waits for a person to stand by it, and since when the oldest does."""
    shared_tags: tuple[TagCarrier, ...] = ()
    """Who carries a tag that somebody else carries too, by tag."""
    doubts: tuple[tuple[str, int], ...] = ()
    """(risk, how much is unsettled), the greatest risk first."""
    custody_unclear: int = 0
    """Patients in care whose team is in doubt."""
    clocks: Clocks = ALL_RIGHT
    """Whose clock is off."""
    twice: Spare = NOBODY
    """Who is in care under several linked records, and is counted once."""

    def carriers(self) -> list[tuple[str, str]]:
        """Return each tag that several patients carry, with their codes and where they are."""
        names = self.site_names()
        alike = (list(group) for _, group in groupby(self.shared_tags, key=_folded))
        return [
            (_folded(group[0]), ", ".join(_placed(one, names) for one in group)) for group in alike
        ]

    def shares_tag(self, patient: bytes) -> bool:
        """Return whether a tag of this patient is on somebody else too."""
        return any(one.patient == patient for one in self.shared_tags)

    @property
    def patients(self) -> int:
        """Patients in care that are counted."""
        return sum(tile.patients for tile in self.tiles)

    @property
    def stated(self) -> list[SiteLine]:
        """The sites: patients whose site nobody stated are at none that could be called."""
        return [site for site in self.sites if site.id is not None]

    @property
    def unplaced(self) -> int:
        """Patients in care whose site nobody stated."""
        return sum(site.patients for site in self.sites if site.id is None)

    @property
    def newest_ms(self) -> int | None:
        """When the newest record of any site happened."""
        return max((s.newest_ms for s in self.sites if s.newest_ms is not None), default=None)

    def site_names(self) -> dict[bytes | None, str]:
        """Return the name of each site that has one."""
        return {site.id: site.name for site in self.sites if site.name}

    def not_younger(self, site: bytes | None, at_ms: int | None) -> int | None:
        """Return when something written at a site happened, at the latest by a clock there."""
        ahead = next((each.ahead_ms for each in self.sites if each.id == site), 0)
        return None if at_ms is None else not_younger(at_ms, ahead)

    def quiet(self, now_ms: int) -> list[SiteLine]:
        """Return sites of which HQ knows nothing recent."""
        return [s for s in self.stated if s.known_ms is None or now_ms - s.known_ms >= OLD_MS]


@dataclass(frozen=True, slots=True)
class Background:
    """What costs a walk over all records, and may be a minute old."""

    read_ms: int
    writers: Sequence[tuple[bytes | None, bytes, int]]
    newest: Mapping[bytes | None, int]
    activity: Sequence[Activity]


class Pictures:
    """Reads the picture once per turn of the hints, however many pages ask for it."""

    def __init__(self, book: Book, hints: Hints) -> None:
        self._book = book
        self._hints = hints
        self._lock = asyncio.Lock()
        self._kept: Picture | None = None
        self._behind: Background | None = None

    def forget(self) -> None:
        """Keep nothing of what was read."""
        self._kept = self._behind = None

    async def now(self, now_ms: int) -> Picture:
        """Return the picture as of now."""
        async with self._lock:
            kept, turn = self._kept, self._hints.turn
            if kept and kept.turn == turn and 0 <= now_ms - kept.read_ms < KEPT_MS:
                return kept
            behind = self._behind
            if behind is None or not 0 <= now_ms - behind.read_ms < KEPT_MS:
                behind = self._behind = await read_background(self._book, now_ms)
            self._kept = await read_picture(self._book, now_ms, turn, behind)
            return self._kept


async def read_background(book: Book, now_ms: int) -> Background:
    """Read what may be a minute old."""
    return Background(
        read_ms=now_ms,
        writers=await queries.writers(book),
        newest=await queries.newest(book),
        activity=await queries.activity(book, now_ms),
    )


async def read_picture(
    book: Book, now_ms: int, turn: int = 0, behind: Background | None = None
) -> Picture:
    """Read everything the picture shows."""
    behind = behind or await read_background(book, now_ms)
    all_care = await queries.care(book)
    devices = await all_known(book)
    names = {site.id: site.name for site in await queries.sites(book)}
    unseen = {part.site: part for part in await queries.unseen(book)}
    twice = await spare(book)
    ahead = _ahead(behind, devices)
    care = [_not_younger(part, ahead.get(part.site, 0)) for part in all_care if part.counts]
    heard = _by_writers(behind, {bytes(one.device): one.last_contact_ms or 0 for one in devices})
    whole = _by_writers(behind, {bytes(one.device): one.whole_ms for one in devices})
    newest = _newest(behind, all_care, ahead)
    silent = _silent(behind, devices, now_ms)
    known: list[bytes | None] = [*names, *(site for site in newest if site not in names)]
    lines = [
        SiteLine(
            id=site,
            name=names.get(site, "") if site else "",
            heard_ms=heard.get(site),
            newest_ms=newest.get(site),
            tiles=tiles_of(part for part in (*care, *twice.at_sites) if part.site == site),
            unseen=unseen[site].patients if site in unseen else 0,
            unseen_since_ms=_since(unseen.get(site), ahead.get(site, 0)),
            bars=_bars(part for part in behind.activity if part.site == site),
            known_ms=_latest_of(now_ms, whole.get(site), newest.get(site)),
            ahead_ms=ahead.get(site, 0),
            silent=tuple(sorted(silent.get(site, ()), key=lambda at_ms: at_ms or 0)),
        )
        for site in known
    ]
    return Picture(
        read_ms=now_ms,
        turn=turn,
        tiles=tiles_of((*care, *twice.overall)),
        twice=twice,
        sites=tuple(sorted(lines, key=_least_known)),
        latest=tuple(await queries.latest(book)),
        devices=tuple(devices),
        waiting=await queries.waiting(book),
        not_counted=sum(part.patients for part in all_care if not part.counts),
        unsettled=sum(part.unsettled for part in care),
        unconfirmed=await queries.unconfirmed(book),
        shared_tags=tuple(await queries.shared_tags(book)),
        doubts=doubts.by_risk(await doubts.unsettled(book)),
        custody_unclear=await doubts.custody_unclear(book),
        clocks=await clocks(book, now_ms),
    )


def tiles_of(care: Iterable[Care]) -> tuple[Tile, ...]:
    """Add up care by triage, in order of urgency; a category without patients counts 0."""
    parts = list(care)
    return tuple(_tile(triage, parts) for triage in TRIAGE_ORDER)


def _folded(carrier: TagCarrier) -> str:
    """The tag in capitals of ASCII: the book compares them in whatever case."""
    return carrier.tag.encode().upper().decode()


def _placed(carrier: TagCarrier, names: Mapping[bytes | None, str]) -> str:
    site = names.get(carrier.site)
    return f"{carrier.code} ({site})" if site else carrier.code


def _by_writers(behind: Background, at_ms: Mapping[bytes, int]) -> dict[bytes | None, int]:
    """Return the latest of the times of the devices that write at each site; 0 is none."""
    found: dict[bytes | None, int] = {}
    for site, device, _ in behind.writers:
        found[site] = max(found.get(site, 0), at_ms.get(device, 0))
    return {site: at for site, at in found.items() if at}


def _silent(
    behind: Background, devices: Iterable[Device], now_ms: int
) -> dict[bytes | None, list[int | None]]:
    """Return up to when those are known that wrote at a site lately and are not heard of now."""
    known = {
        bytes(one.device): _latest_of(now_ms, one.whole_ms or None, one.newest_ms)
        for one in devices
        if not one.here
    }
    found: dict[bytes | None, list[int | None]] = {}
    for site, device, wrote_ms in behind.writers:
        at_ms = known.get(device, now_ms)
        old = at_ms is None or now_ms - at_ms >= OLD_MS
        if old and now_ms - wrote_ms <= LATELY_MS:
            found.setdefault(site, []).append(at_ms)
    return found


def _ahead(behind: Background, devices: Iterable[Device]) -> dict[bytes | None, int]:
    """Return how far the clock is off that misleads most of those who write at each site."""
    known = {bytes(device.device): device.off_ms for device in devices}
    found: dict[bytes | None, int] = {}
    for site, device, _ in behind.writers:
        found[site] = furthest((found.get(site), known.get(device)))
    return found


def _newest(
    behind: Background, care: Iterable[Care], ahead: Mapping[bytes | None, int]
) -> dict[bytes | None, int]:
    newest = dict(behind.newest)
    for part in care:
        if part.newest_ms is not None:
            newest[part.site] = max(newest.get(part.site, part.newest_ms), part.newest_ms)
    return {site: not_younger(at_ms, ahead.get(site, 0)) for site, at_ms in newest.items()}


def _not_younger(part: Care, ahead_ms: int) -> Care:
    """Return it with who waits longest arrived at the latest when a clock there allows."""
    at_ms = part.arrived_ms
    return part if at_ms is None else replace(part, arrived_ms=not_younger(at_ms, ahead_ms))


def _since(unseen: Unseen | None, ahead_ms: int) -> int | None:
    at_ms = unseen.since_ms if unseen else None
    return None if at_ms is None else not_younger(at_ms, ahead_ms)


def _least_known(line: SiteLine) -> tuple[bool, int, str]:
    return line.id is None, line.known_ms or 0, line.name


def _latest_of(now_ms: int, *times: int | None) -> int | None:
    return max((t for t in times if t is not None and t <= now_ms + AHEAD_MS), default=None)


def _tile(triage: int | None, care: Sequence[Care]) -> Tile:
    mine = [part for part in care if part.triage == triage]
    arrived = [part.arrived_ms for part in mine if part.arrived_ms is not None]
    return Tile(triage, sum(part.patients for part in mine), min(arrived, default=None))


def _bars(activity: Iterable[Activity]) -> tuple[int, ...]:
    bars = [0] * queries.STRIP_HOURS
    for part in activity:
        if 0 <= part.hour < queries.STRIP_HOURS:
            bars[part.hour] += part.records
    return tuple(bars)
