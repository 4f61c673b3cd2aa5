"""Calls of the local socket about what a store holds, on paper, and what a scanned code means."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, timedelta
from fractions import Fraction
from functools import cache, partial
from typing import Any, NamedTuple

from protocols.errors import InputError
from protocols.guidelines.items import Items
from protocols.ids import DeviceId, SiteId
from protocols.ledger import stores
from protocols.ledger.book import Ledger
from protocols.ledger.view import BookView
from protocols.live.members import Reader
from protocols.mesh.effects import Now
from protocols.mesh.node import Node
from protocols.records import barcode, cover, stockreports
from protocols.records.display import clean_text
from protocols.records.gs1 import OWN_CODE
from protocols.records.lots import LotDateRow
from protocols.records.movement import DAY_MS
from protocols.records.rows import iso
from protocols.records.stock import BalanceRow, MovementRow, StocktakeRow
from protocols.records.stockreports import CardLine

PAGE_ROWS = 1_500
"""Rows told at once, some 400 kB."""
DAYS_MAX = 10_000
LOSS_DAYS = 90
"""Of a report on losses, where nobody says how long."""

Cell = str | int | None


class _Asked(NamedTuple):
    """What a report is about."""

    ledger: Ledger
    store: SiteId
    item: str | None
    now_ms: int
    days: int
    pack: Items

    @property
    def today(self) -> int:
        return self.now_ms // DAY_MS

    @property
    def movements(self) -> list[MovementRow]:
        return stores.rows_of(self.ledger, MovementRow, self.store, self.item, self.now_ms)

    @property
    def counts(self) -> list[StocktakeRow]:
        return stores.rows_of(self.ledger, StocktakeRow, self.store, self.item, self.now_ms)

    @property
    def dates(self) -> list[LotDateRow]:
        return stores.rows_of(self.ledger, LotDateRow, self.store, self.item, self.now_ms)

    @property
    def balances(self) -> list[BalanceRow]:
        return stores.rows_of(self.ledger, BalanceRow, self.store, self.item, self.now_ms)


def report(node: Node, now: Now, args: Mapping[str, Any]) -> dict[str, Any]:
    """`stock_report`: one page of a report on a store.

    Args:
        node: Whose book is read.
        now: The moment.
        args: report, a key of `REPORTS`; store, id or name; item; days; offset, of ledger, card
            and register `after` in its place: what the page before said; limit, at most
            `PAGE_ROWS` rows.

    Returns:
        store, columns, rows (lists of cells), more; of those three `after`, for the next page.

    Raises:
        InputError: `not_found`, `ambiguous_store`, `unknown_item`, `bad_value`, `missing_field`.
    """
    name = str(args.get("report"))
    if name not in REPORTS:
        raise InputError("bad_value", field="report", allowed=tuple(REPORTS))
    ledger = node.ledger
    item = args.get("item")
    store = stores.store_named(ledger, str(args.get("store") or ""))
    days, offset = _number(args, "days", LOSS_DAYS), _number(args, "offset", 0)
    asked = _Asked(ledger, store, item and str(item), now.wall_ms, days, stores.catalogue(ledger))
    limit = min(max(_number(args, "limit", PAGE_ROWS), 1), PAGE_ROWS)
    made = REPORTS[name]
    if made.of_item and asked.item is None:
        raise InputError("missing_field", field="item")
    if made.page is not None:
        return made.page(asked, made, args.get("after"), limit)
    rows = list(made.rows(asked))
    return {
        "store": stores.site_name(ledger, bytes(store)),
        "at": iso(now.wall_ms),
        "columns": list(made.columns),
        "rows": rows[offset : offset + limit],
        "more": len(rows) > offset + limit,
    }


def _number(args: Mapping[str, Any], name: str, default: int) -> int:
    value = args.get(name)
    if value is None:
        return default
    if not isinstance(value, int) or not 0 <= value <= 10**9:
        raise InputError("bad_value", field=name)
    return value


# reports


class _Report(NamedTuple):
    columns: tuple[str, ...]
    rows: Callable[[_Asked], Iterable[Sequence[Cell]]] = lambda _: ()
    of_item: bool = False
    """Whether it is of one item, which has to be named."""
    page: Callable[[_Asked, _Report, object, int], dict[str, Any]] | None = None
    """Of what is read page by page, in the place of `rows`: (asked, report, after, limit)."""


_CARD = (
    *("at", "what", "lot", "expiry", "units", "balance", "why", "to"),
    *("witness", "signed", "device", "unsettled"),
)


def _card_page(asked: _Asked, made: _Report, after: object, limit: int) -> dict[str, Any]:
    """Return a page of one item's card, or of the register: its cards one after the other.

    Of an item no more movements are read than are told; its counts are all read, which are few.
    """
    place = None if after is None else _card_place(after)
    told: list[tuple[str, CardLine]] = []
    for item in _items_of(asked, made):
        if place is not None and item < place[0]:
            continue
        behind = (place[1], place[2]) if place is not None and item == place[0] else None
        room = limit + 1 - len(told)
        told += [(item, line) for line in _card_lines(asked._replace(item=item), behind, room)]
        if len(told) > limit:
            break
    more = len(told) > limit
    rows = [(item, *_card_line(asked, line)) for item, line in told[:limit]]
    return {
        "store": stores.site_name(asked.ledger, bytes(asked.store)),
        "at": iso(asked.now_ms),
        "columns": list(made.columns),
        "rows": [row[1:] for row in rows] if made.of_item else rows,
        "more": more,
        "after": _said_of(*told[limit - 1]) if more else None,
    }


def _items_of(asked: _Asked, made: _Report) -> list[str]:
    """Return the items whose cards a report has, in their order."""
    if made.of_item:
        return [asked.item or ""]
    known = asked.pack.by_code()
    return [
        code
        for code in stores.items_of_cards(asked.ledger, asked.store)
        if asked.item in (None, code) and code in known and known[code].controlled
    ]


def _card_lines(
    asked: _Asked, behind: tuple[stockreports.Place, int] | None, room: int
) -> tuple[CardLine, ...]:
    after = None if behind is None else behind[0]
    moved = stores.on_card_after(asked.ledger, asked.store, asked.item or "", after, room)
    return stockreports.page(moved, asked.counts, asked.dates, behind, room)


def _said_of(item: str, line: CardLine) -> list[Any]:
    """Return where a page ends, as the next one is asked for."""
    at_ms, units, kind, lot, device, why, patient, entry, idx = stockreports.place(line)
    end = (at_ms, units, kind, lot, device.hex(), why, patient.hex(), entry, idx)
    return [item, *end, line.balance]


def _card_place(after: object) -> tuple[str, stockreports.Place, int]:
    """Return item, place and balance that a page named.

    Raises:
        InputError: `bad_value`.
    """
    told = list(after) if isinstance(after, list | tuple) else []
    if [type(value) for value in told] != [str, int, int, str, str, str, str, str, int, int, int]:
        raise InputError("bad_value", field="after")
    item, at_ms, units, kind, lot, device, why, patient, entry, idx, balance = told
    try:
        ends = bytes.fromhex(device), bytes.fromhex(patient)
    except ValueError:
        raise InputError("bad_value", field="after") from None
    return item, (at_ms, units, kind, lot, ends[0], why, ends[1], entry, idx), balance


def _card_line(asked: _Asked, line: CardLine) -> Sequence[Cell]:
    # Who it was given to stands in the chart, where reading it is noted.
    to = "patient" if line.patient is not None else _site(asked, line.other)
    return (
        *(iso(line.at_ms), line.type, line.lot, _day(line.expiry_day), line.units, line.balance),
        *(line.why, to, line.witness, int(line.countersigned), _device(asked, line.device)),
        int(line.maybe),
    )


def _expiry(asked: _Asked) -> Iterable[Sequence[Cell]]:
    return [
        (line.bucket, line.item, line.lot, _day(line.expiry_day), line.days, line.low, line.high,
         int(line.quarantined), iso(line.last_ms))
        for line in stockreports.expiry(asked.balances, asked.today)
    ]  # fmt: skip


def _losses(asked: _Asked) -> Iterable[Sequence[Cell]]:
    since = asked.now_ms - asked.days * DAY_MS
    return [
        (line.item, line.why, line.units, line.times, iso(line.last_ms))
        for line in stockreports.losses(asked.movements, since, asked.now_ms + DAY_MS)
    ]


def _ledger_page(asked: _Asked, made: _Report, after: object, limit: int) -> dict[str, Any]:
    """Return a page of the ledger: of what is longer, no more is read than is told."""
    place = None if after is None else _place(after)
    found = stores.movements_after(asked.ledger, asked.store, asked.item, place, limit + 1)
    told, more = found[:limit], len(found) > limit
    last = stores.place_of(told[-1]) if more else None
    return {
        "store": stores.site_name(asked.ledger, bytes(asked.store)),
        "at": iso(asked.now_ms),
        "columns": list(made.columns),
        "rows": _ledger_rows(asked, told),
        "more": more,
        "after": None if last is None else [*last[:4], last[4].hex(), *last[5:]],
    }


def _place(after: object) -> stores.Place:
    """Return the place that a page named.

    Raises:
        InputError: `bad_value`.
    """
    told = list(after) if isinstance(after, list | tuple) else []
    if [type(value) for value in told] != [int, int, str, str, str, int, int]:
        raise InputError("bad_value", field="after")
    try:
        device = bytes.fromhex(told[4])
    except ValueError:
        raise InputError("bad_value", field="after") from None
    return told[0], told[1], told[2], told[3], device, told[5], told[6]


def _ledger_rows(asked: _Asked, found: Iterable[MovementRow]) -> list[Sequence[Cell]]:
    site, device = cache(partial(_site, asked)), cache(partial(_device, asked))
    return [
        (iso(row.at_ms), row.item, row.lot, _day(row.expiry_day), row.units, row.type, row.why,
         "patient" if row.patient is not None else site(row.other),
         "" if row.shipment is None else row.shipment.hex(), row.witness, row.countersigned,
         device(row.device), row.maybe, row.replaced, int(bool(row.standing)), row.double,
         row.pack_count, row.pack_size, row.kit, row.reason)
        for row in found
    ]  # fmt: skip


def _cover(asked: _Asked) -> Iterable[Sequence[Cell]]:
    moved = _by_item(asked.movements)
    counted = _by_item(asked.counts)
    held = _by_item(asked.balances)
    coming = stores.on_way(asked.ledger, asked.store)
    known = asked.pack.by_code()
    recalled = stores.recalled(asked.ledger)
    for code in sorted(held.keys() | coming.keys()):
        if asked.item not in (None, code):
            continue
        lots = held.get(code, [])
        on_hand = sum(row.high for row in lots)
        burned = cover.burn(
            cover.changes(moved.get(code, ()), counted.get(code, ())), on_hand, asked.today
        )
        good = [lot for lot in lots if (code, lot.lot) not in recalled]
        usable = cover.usable(good, asked.today)
        lasts = cover.cover(usable, burned.rate, asked.today)
        row = known.get(code)
        order = None
        if row is not None:
            plan = asked.pack.reorder_of(row)
            order = cover.reorder(burned, usable, row, plan, coming.get(code, 0), asked.today)
        last = max((each.last_ms for each in lots), default=None)
        yield (
            *(code, sum(lot.low for lot in lots), on_hand, iso(last)),
            "" if last is None else _text(Fraction(max(asked.now_ms - last, 0), DAY_MS)),
            *(_text(burned.rate), _text(burned.reference), burned.in_stock_days, burned.out_days),
            *(int(burned.guess), _text(lasts.days), _day(lasts.out_day), lasts.expiring),
            coming.get(code, 0),
            *((order.units, order.packs, order.pack_units, int(order.due)) if order else _NONE),
            cover.METHOD,
        )


_NONE: tuple[Cell, ...] = (None,) * 4


def _by_item(rows: Iterable[Any]) -> dict[str, list[Any]]:
    found: dict[str, list[Any]] = {}
    for row in rows:
        found.setdefault(row.item, []).append(row)
    return found


def _text(value: Fraction | None) -> str:
    """Return a number to a tenth, rounded down; '' for none."""
    if value is None:
        return ""
    tenths = value.numerator * 10 // value.denominator
    return f"{tenths // 10}.{tenths % 10}".removesuffix(".0")


def _day(day: int | None) -> str:
    if day is None or not 0 <= day <= 2_000_000:
        return ""
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def _site(asked: _Asked, raw: bytes | None) -> str:
    return stores.site_name(asked.ledger, raw)


def _device(asked: _Asked, raw: bytes) -> str:
    if len(raw) != DeviceId.SIZE:
        return ""
    device = DeviceId(raw)
    return clean_text(asked.ledger.authority.name_of(device)) or str(device)


REPORTS: dict[str, _Report] = {
    "card": _Report(_CARD, of_item=True, page=_card_page),
    "register": _Report(("item", *_CARD), page=_card_page),
    "expiry": _Report(
        ("bucket", "item", "lot", "expiry", "days", "least", "most", "held", "as_of"), _expiry
    ),
    "losses": _Report(("item", "why", "units", "times", "last"), _losses),
    "ledger": _Report(
        (
            *("at", "item", "lot", "expiry", "units", "what", "why", "to", "shipment", "witness"),
            *("signed", "device", "unsettled", "replaced", "unproven", "double", "packs"),
            *("pack_size", "kit", "reason"),
        ),
        page=_ledger_page,
    ),
    "cover": _Report(
        (
            *("item", "least", "most", "as_of", "age_days", "rate", "reference"),
            *("in_stock_days", "out_days", "guess", "days", "until", "expiring", "on_way"),
            *("order", "order_packs", "pack_size", "order_now", "method"),
        ),
        _cover,
    ),
}
"""What can be told of a store, by name."""


# scans


def scanned(node: Node, now: Now, args: Mapping[str, Any]) -> dict[str, Any]:
    """`scan`: what a code means here: args code, as the scanner typed it.

    Returns:
        code, lot, expiry, serial, separator_lost, and `means`: item, units, taught; several where
        people taught it differently.

    Raises:
        InputError: as `barcode.scanned`.
    """
    found = barcode.scanned(str(args.get("code") or ""), now.wall_ms)
    means = barcode.known(BookView(node.ledger, now.wall_ms), found.code) if found.code else []
    box = found.box
    own = next((each.value for each in box.others if each.ai == OWN_CODE), "")
    if not found.code and own in stores.catalogue(node.ledger).by_code():
        # A label of ours, for an item that nobody has numbered.
        means = [barcode.Meaning(own, 1, taught=False)]
    return {
        "code": clean_text(found.code),
        "lot": clean_text(box.lot),
        "expiry": _day(box.expiry_day),
        "serial": clean_text(box.serial),
        "separator_lost": box.separator_lost,
        "means": [{"item": m.item, "units": m.units, "taught": m.taught} for m in means],
    }


def named(node: Node, now: Now, args: Mapping[str, Any]) -> dict[str, Any]:
    """`store_named`: id and name of a store: args store, either of them.

    Raises:
        InputError: `not_found`, `ambiguous_store`.
    """
    store = stores.store_named(node.ledger, str(args.get("store") or ""))
    return {"id": str(store), "name": stores.site_name(node.ledger, bytes(store))}


READS: dict[str, Reader] = {"stock_report": report, "store_named": named, "scan": scanned}
