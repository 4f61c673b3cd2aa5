"""The pages of stores: what is where, how old that is, for how long it lasts; one item's card."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple
from urllib.parse import urlencode

from aiohttp import web

from hq import queries, stockbook
from hq.clocks import clocks
from hq.depots import MARKS, SOON_DAYS, Depots, Line, Lines
from hq.desk import DESK, Desk
from hq.shown import iso, iso_day
from hq.stockbook import Moved, Taken
from hq.tables import Cell, csv_answer
from hq.words import Words
from protocols.guidelines.items import Item
from protocols.guidelines.vocabulary import fold
from protocols.ids import SiteId
from protocols.records.cover import METHOD
from protocols.records.movement import stock_subject

LINES_PAGE = 50
"""Items of stores on one page."""
CARD_PAGE = 100
"""Movements and counts of one card on one page."""
OFFSET_MAX = 1_000_000
TEXT_CHARS_MAX = 40

_STORE = re.compile(r"[0-9a-f]{32}")
DEPOTS: web.AppKey[Depots] = web.AppKey("depots", Depots)


class Asked(NamedTuple):
    """What a reader asked of the stores; what does not parse asks nothing."""

    site: bytes | None
    item: str
    mark: str
    offset: int

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Asked:
        """Read it from an address."""
        mark = query.get("mark", "")
        return cls(
            store_of(query.get("site", "")),
            query.get("item", "")[:TEXT_CHARS_MAX].strip(),
            mark if mark in MARKS else "",
            offset_of(query.get("offset", "")),
        )

    def address(self, offset: int = 0) -> str:
        """Return it as the end of an address."""
        site = self.site.hex() if self.site else ""
        fields = {"site": site, "item": self.item, "mark": self.mark}
        fields["offset"] = str(offset) if offset > 0 else ""
        return urlencode({name: text for name, text in fields.items() if text})


class Names(NamedTuple):
    """How things are called on a page."""

    sites: Mapping[bytes | None, str]
    items: Mapping[str, Item]
    """By code."""
    language: str

    def item(self, code: str) -> str:
        """Return an item's name; its code where the catalogue does not know it."""
        known = self.items.get(code)
        return known.shown(self.language).text if known else code

    def unit(self, code: str) -> str:
        """Return what it is counted in; '' where the catalogue does not know."""
        known = self.items.get(code)
        return known.unit if known else ""


class Chosen(NamedTuple):
    """The lines that were asked for."""

    all: Lines
    lines: list[Line]
    """Of every page."""
    names: Names


async def stock_page(request: web.Request) -> web.StreamResponse:
    """Items of stores, what runs out first first."""
    return await _page(request, "stock.html")


async def stock_part(request: web.Request) -> web.StreamResponse:
    """The same without what surrounds it."""
    return await _page(request, "part_stock.html")


async def stock_csv(request: web.Request) -> web.StreamResponse:
    """All lines that were asked for, as a table."""
    chosen = await _chosen(request, Asked.of(request.query))
    rows = [_row(line, chosen) for line in chosen.lines]
    return await csv_answer(request, "stock", _HEADS, rows)


async def _page(request: web.Request, template: str) -> web.StreamResponse:
    desk, asked = request.app[DESK], Asked.of(request.query)
    chosen = await _chosen(request, asked)
    shown = chosen.lines[asked.offset : asked.offset + LINES_PAGE]
    more = asked.offset + len(shown) < len(chosen.lines)
    return desk.page(
        request,
        template,
        asked=asked,
        lines=chosen.all,
        clocks=await clocks(desk.book, desk.now()),
        chosen=chosen.lines,
        shown=shown,
        names=chosen.names,
        marks=MARKS,
        soon=SOON_DAYS,
        number=number,
        whole=whole_days,
        newer=asked.address(asked.offset - LINES_PAGE) if asked.offset else None,
        older=asked.address(asked.offset + LINES_PAGE) if more else None,
    )


async def _chosen(request: web.Request, asked: Asked) -> Chosen:
    desk = request.app[DESK]
    names = await names_of(desk, desk.speak(request).language)
    lines = await request.app[DEPOTS].now(desk.now())
    wanted = _items_named(asked.item, lines.lines, names)
    found = [
        line
        for line in lines.lines
        if (asked.site is None or line.stock.store == asked.site)
        and (wanted is None or line.stock.item in wanted)
        and (not asked.mark or asked.mark in line.marks)
    ]
    return Chosen(lines, found, names)


async def names_of(desk: Desk, language: str) -> Names:
    """Return how sites and items are called."""
    sites: dict[bytes | None, str] = {
        site.id: site.name for site in await queries.sites(desk.book) if site.name
    }
    return Names(sites, (await desk.registry.supplies()).items.by_code(), language)


def _items_named(text: str, lines: Iterable[Line], names: Names) -> frozenset[str] | None:
    """Return the codes that a text means: the one it is, else all it is part of; None for ''."""
    if not text:
        return None
    codes = {line.stock.item for line in lines}
    if text in codes:
        return frozenset((text,))
    wanted = fold(text).split()
    return frozenset(
        code for code in codes if all(part in fold(f"{code} {names.item(code)}") for part in wanted)
    )


_HEADS = (
    "item", "name", "site", "site_name", "unit", "low", "high", "as_of", "counted_at",
    "store_known_at", "days_of_cover", "runs_out", "rate_per_day", "reference_per_day",
    "in_stock_days", "out_of_stock_days", "rate_is_guess", "method", "expected_now", "usable",
    "quarantined", "recalled", "expired", f"expiring_{SOON_DAYS}_days", "expiring_before_use",
    "negative_lots", "overdraft", "unsettled", "movements_not_counted", "clock_ahead_min",
)  # fmt: skip


def _row(line: Line, chosen: Chosen) -> tuple[Cell, ...]:
    row, burn, lasts = line.stock, line.burn, line.lasts
    names, known = chosen.names, chosen.all.known.get(line.stock.store)
    return (
        row.item, names.item(row.item), str(SiteId(row.store)), names.sites.get(row.store, ""),
        names.unit(row.item), row.low, row.high, iso(line.last_ms), iso(line.counted_ms),
        iso(known),
        _decimal(line.days), iso_day(lasts.out_day) if lasts else "",
        _decimal(burn.rate) if burn else "", _decimal(burn.reference) if burn else "",
        burn.in_stock_days if burn else "", burn.out_days if burn else "",
        int(burn.guess) if burn else "", METHOD if burn else "", line.expected, line.usable,
        line.quarantined, line.recalled, line.expired, line.expiring,
        lasts.expiring if lasts else "", row.negative, row.overdraft, row.unsettled, line.apart,
        round(line.ahead_ms / 60_000),
    )  # fmt: skip


def _decimal(value: Fraction | None) -> str:
    return "" if value is None else f"{float(value):.2f}"


def number(value: Fraction, language: str) -> str:
    """Return a number with one decimal, as the language writes it."""
    text = f"{float(value):.1f}"
    return text.replace(".", ",") if language == "fr" else text


def whole_days(days: Fraction) -> int:
    """Return days that are whole and sure."""
    return int(days)


# one card


@dataclass(frozen=True, slots=True)
class CardLine:
    """One movement or count of a card."""

    moved: Moved | None
    taken: Taken | None
    after: int | None
    """What the book came to after it; None where it cannot be said: before the last count, while
    anything is unsettled, and of what does not count."""

    @property
    def at_ms(self) -> int:
        """When it happened."""
        return self._one.at_ms

    @property
    def key(self) -> tuple[int, int, int]:
        """Its place in time."""
        return self._one.at_ms, self._one.entry, self._one.idx

    @property
    def _one(self) -> Moved | Taken:
        one = self.moved or self.taken
        assert one is not None
        return one


def card_lines(
    moves: Sequence[Moved], counts: Sequence[Taken], line: Line | None
) -> list[CardLine]:
    """Return movements and counts of one item in one store, the newest first."""
    both = [CardLine(each, None, None) for each in moves]
    both += [CardLine(None, each, None) for each in counts]
    stock = line.stock if line else None
    settled = stock is not None and stock.low == stock.high and not stock.unsettled
    left = stock.low if stock and settled else None
    found = []
    for each in sorted(both, key=lambda one: one.key, reverse=True):
        if each.moved and each.moved.counts and left is not None:
            found.append(CardLine(each.moved, None, left))
            left -= each.moved.units
            continue
        if each.taken and each.taken.used:
            left = None
        found.append(each)
    return found


class Card(NamedTuple):
    """One item in one store."""

    store: bytes
    item: str
    line: Line | None
    lines: list[CardLine]
    names: Names
    known_ms: int | None


async def card_page(request: web.Request) -> web.StreamResponse:
    """One item in one store: lots, movements and counts."""
    desk, offset = request.app[DESK], offset_of(request.query.get("offset", ""))
    card = await _card(request)
    shown = card.lines[offset : offset + CARD_PAGE]
    own = {"site": card.store.hex(), "item": card.item}

    def url(at: int) -> str:
        return urlencode(own | ({"offset": str(at)} if at > 0 else {}))

    return desk.page(
        request,
        "card.html",
        card=card,
        shown=shown,
        offset=offset,
        url=url(0),
        soon=SOON_DAYS,
        number=number,
        whole=whole_days,
        recalled=await _recalled(desk, card),
        clocks=await clocks(desk.book, desk.now()),
        newer=url(offset - CARD_PAGE) if offset else None,
        older=url(offset + CARD_PAGE) if offset + len(shown) < len(card.lines) else None,
    )


async def card_csv(request: web.Request) -> web.StreamResponse:
    """All movements and counts of the card, as a table."""
    card = await _card(request)
    return await csv_answer(request, "stock-card", _CARD_HEADS, map(_card_row, card.lines))


async def _card(request: web.Request) -> Card:
    desk, store = request.app[DESK], store_of(request.query.get("site", ""))
    item = request.query.get("item", "")
    if store is None or not 0 < len(item) <= TEXT_CHARS_MAX:
        raise web.HTTPNotFound
    subject, moves, counts = await stockbook.card(desk.book, bytes(stock_subject(store, item)))
    if subject is None:
        raise web.HTTPNotFound
    lines = await request.app[DEPOTS].now(desk.now())
    line = next((each for each in lines.lines if each.stock.subject == subject), None)
    names = await names_of(desk, desk.speak(request).language)
    known = lines.known.get(store)
    return Card(store, item, line, card_lines(moves, counts, line), names, known)


async def _recalled(desk: Desk, card: Card) -> frozenset[str]:
    found = await desk.book.read(stockbook.RECALLED, {})
    return frozenset(lot for item, lot in found if item == card.item)


_CARD_HEADS = (
    "at", "what", "units", "lot", "expiry", "after", "other_site", "to_patient", "why", "reason",
    "witness", "countersigned", "device", "counts", "maybe_counted_already", "over_allotment",
)  # fmt: skip


def _card_row(line: CardLine) -> tuple[Cell, ...]:
    if line.moved is None:
        taken = line.taken
        assert taken is not None
        by = taken.device_name or taken.device.hex()[:8]
        return (iso(taken.at_ms), "count", taken.units, "", "", "", "", "", "", "", "", "", by,
                taken.used, "", "")  # fmt: skip
    move = line.moved
    return (
        iso(move.at_ms), move.type, move.units, move.lot, iso_day(move.expiry_day), line.after,
        str(SiteId(move.other)) if move.other else "", move.to_patient, move.why, move.reason,
        move.witness, move.countersigned, move.device_name or bytes(move.device).hex()[:8],
        int(move.counts), move.maybe, move.overdrawn,
    )  # fmt: skip


# addresses


def store_of(text: str) -> bytes | None:
    """Return the site of an address; None for what is none."""
    return bytes.fromhex(text) if _STORE.fullmatch(text) else None


def offset_of(text: str) -> int:
    """Return a number of an address; what is none is 0."""
    known = text.isascii() and text.isdigit() and len(text) <= 7
    return min(int(text), OFFSET_MAX) if known else 0


def said(words: Words, room: str, name: str) -> object:
    """Return the words of a code, the code itself where we have none."""
    key = f"{room}.{name}"
    return words(key) if key in words.table else name


ROUTES = (
    web.get("/stock", stock_page, name="stock"),
    web.get("/stock.csv", stock_csv, name="stock_csv"),
    web.get("/stock/card", card_page, name="card"),
    web.get("/stock/card.csv", card_csv, name="card_csv"),
)
