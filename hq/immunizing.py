"""The page of vaccination: doses by antigen, site and day with coverage, and what is in doubt."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import date
from typing import NamedTuple
from urllib.parse import urlencode

from aiohttp import web

from hq.clocks import clocks
from hq.desk import DESK
from hq.drives import LISTED_MAX, Day, Drives, Known, Other
from hq.shown import iso, iso_day
from hq.stores import Names, names_of, offset_of, store_of
from hq.tables import Cell, csv_answer
from protocols.guidelines.words import word
from protocols.ids import SessionId, SiteId
from protocols.ledger.coverage import Covered

DAYS_PAGE = 100
"""Days of an antigen at a site on one page."""
ANTIGEN_CHARS_MAX = 40

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
DRIVES: web.AppKey[Drives] = web.AppKey("drives", Drives)


class Asked(NamedTuple):
    """What a reader asked of vaccination; what does not parse asks nothing."""

    site: bytes | None
    antigen: str
    day: str
    offset: int

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Asked:
        """Read it from an address."""
        return cls(
            store_of(query.get("site", "")),
            query.get("antigen", "")[:ANTIGEN_CHARS_MAX],
            _day(query.get("day", "")),
            offset_of(query.get("offset", "")),
        )

    def address(self, offset: int = 0) -> str:
        """Return it as the end of an address."""
        fields = {"site": self.site.hex() if self.site else "", "antigen": self.antigen}
        fields |= {"day": self.day, "offset": str(offset) if offset > 0 else ""}
        return urlencode({name: text for name, text in fields.items() if text})

    def takes(self, site: bytes | None, antigen: str) -> bool:
        """Whether a line is asked for."""
        here = self.site is None or site == self.site
        return here and (not self.antigen or antigen == self.antigen)


class Place(NamedTuple):
    """An antigen at a site: all ages, then by age."""

    site: bytes | None
    antigen: str
    whole: Covered
    bands: tuple[Covered, ...]
    named: int
    tallied: int


async def vaccination_page(request: web.Request) -> web.StreamResponse:
    """Doses against targets, and everything about them that somebody has to look at."""
    return await _page(request, "vaccination.html")


async def vaccination_part(request: web.Request) -> web.StreamResponse:
    """The same without what surrounds it."""
    return await _page(request, "part_vaccination.html")


async def vaccination_csv(request: web.Request) -> web.StreamResponse:
    """Doses by day, site and antigen as a table, with the coverage so far of site and antigen."""
    asked, known, names = await _read(request)
    at = {(each.site, each.antigen): each for each in places(known)}
    rows = [
        _row(day, at[day.site, day.antigen].whole, known, names)
        for day in _days(known, asked)
        if (day.site, day.antigen) in at
    ]
    return await csv_answer(request, "vaccination", _HEADS, rows)


async def _page(request: web.Request, template: str) -> web.StreamResponse:
    asked, known, names = await _read(request)
    days = _days(known, asked)
    shown = days[asked.offset : asked.offset + DAYS_PAGE]
    more = asked.offset + len(shown) < len(days)

    def antigen(code: str) -> str:
        series = known.plan.schedule.of_id(code)
        return word(series.words, names.language, code).text if series else code

    def vaccine(code: str) -> str:
        row = known.plan.vaccines.get(code)
        return word(row.words, names.language, code).text if row else code

    def beside(code: str) -> str:
        row = known.pack.of_code(code)
        return word(row.words, names.language, code).text if row else code

    desk = request.app[DESK]
    return desk.page(
        request,
        template,
        clocks=await clocks(desk.book, desk.now()),
        beside=beside,
        others=others(known, asked)[:DAYS_PAGE],
        asked=asked,
        known=known,
        names=names,
        antigen=antigen,
        vaccine=vaccine,
        antigens=sorted({each.antigen for each in known.covered}),
        sites=_sites(known),
        places=[each for each in places(known) if asked.takes(each.site, each.antigen)],
        days=days,
        shown=shown,
        percent=percent,
        listed=LISTED_MAX,
        newer=asked.address(asked.offset - DAYS_PAGE) if asked.offset else None,
        older=asked.address(asked.offset + DAYS_PAGE) if more else None,
    )


async def _read(request: web.Request) -> tuple[Asked, Known, Names]:
    desk = request.app[DESK]
    known = await request.app[DRIVES].now(desk.now())
    return Asked.of(request.query), known, await names_of(desk, desk.speak(request).language)


def places(known: Known) -> list[Place]:
    """Return doses and targets by antigen and site."""
    found: dict[tuple[str, bytes | None], list[Covered]] = {}
    for each in known.covered:
        found.setdefault((each.antigen, each.site), []).append(each)
    sums: dict[tuple[str, bytes | None], list[int]] = {}
    for day in known.days:
        held = sums.setdefault((day.antigen, day.site), [0, 0])
        held[0] += day.named
        held[1] += day.tallied
    return [
        Place(site, antigen, whole, _bands(lines), *sums.get((antigen, site), (0, 0)))
        for (antigen, site), lines in sorted(found.items(), key=lambda one: repr(one[0]))
        for whole in lines
        if whole.band == 0
    ]


def _bands(lines: Iterable[Covered]) -> tuple[Covered, ...]:
    return tuple(each for each in lines if each.band and (each.doses or each.target))


def _days(known: Known, asked: Asked) -> list[Day]:
    return [
        day
        for day in known.days
        if asked.takes(day.site, day.antigen) and (not asked.day or iso_day(day.day) == asked.day)
    ]


def _sites(known: Known) -> list[bytes]:
    return sorted({each.site for each in known.covered if each.site is not None})


_HEADS = (
    "day", "site", "site_name", "antigen", "doses_by_name", "doses_tallied", "doses",
    "site_doses_so_far", "site_target", "site_coverage_percent", "site_newest_record",
)  # fmt: skip


def _row(day: Day, whole: Covered, known: Known, names: Names) -> Sequence[Cell]:
    covered = percent(whole)
    return (
        iso_day(day.day), str(SiteId(day.site)) if day.site else "", names.sites.get(day.site, ""),
        day.antigen, day.named, day.tallied, day.doses, whole.doses, whole.target,
        "" if covered is None else covered, iso(known.newest.get(day.site)),
    )  # fmt: skip


async def interventions_csv(request: web.Request) -> web.StreamResponse:
    """What sessions gave or measured beside vaccines, by day, session and site, as a table."""
    asked, known, names = await _read(request)
    rows = [
        (
            iso_day(one.day), str(SessionId(one.session)), one.place,
            str(SiteId(one.site)) if one.site else "", names.sites.get(one.site, ""), one.code,
            one.named, one.tallied, one.named + one.tallied, one.twice,
        )
        for one in others(known, asked)
    ]  # fmt: skip
    return await csv_answer(request, "interventions", _BESIDE_HEADS, rows)


def others(known: Known, asked: Asked) -> list[Other]:
    """Return what was given beside vaccines at the site and on the day that are asked for."""
    return [
        one
        for one in known.beside
        if (asked.site is None or one.site == asked.site)
        and (not asked.day or iso_day(one.day) == asked.day)
    ]


_BESIDE_HEADS = (
    "day", "session", "place", "site", "site_name", "intervention", "by_name", "tallied", "number",
    "maybe_twice",
)  # fmt: skip


def percent(of: Covered) -> int | None:
    """Return the coverage in whole percent, rounded down: 99.9 is not all."""
    return None if not of.target else of.doses * 100 // of.target


def _day(text: str) -> str:
    try:
        return date.fromisoformat(text).isoformat() if _DAY.fullmatch(text) else ""
    except ValueError:
        return ""


ROUTES = (
    web.get("/vaccination", vaccination_page, name="vaccination"),
    web.get("/vaccination.csv", vaccination_csv, name="vaccination_csv"),
    web.get("/interventions.csv", interventions_csv, name="interventions_csv"),
)
