"""The answers to `stores`, `shelf`, `stock_item` and `items`: what a stock screen shows."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from fractions import Fraction
from typing import Any

from protocols.errors import InputError
from protocols.guidelines.items import Item, Items, item, of_substance, search, units_for
from protocols.ids import DeviceId, EntryPrefix, FactRef, SiteId
from protocols.ledger import shelves, stores
from protocols.ledger.authors import Authors
from protocols.ledger.book import Ledger
from protocols.ledger.shelves import Kept
from protocols.ledger.view import BookView
from protocols.live.members import Reader
from protocols.live.shelf import (
    MARKS,
    AccountLine,
    DoseItem,
    DoseStock,
    ItemName,
    ItemNames,
    LotLine,
    MoveLine,
    Shelf,
    ShelfLine,
    StockItem,
    StoreLine,
    Stores,
)
from protocols.mesh.effects import Now
from protocols.mesh.node import Node
from protocols.records.cover import METHOD
from protocols.records.display import clean_text
from protocols.records.movement import DAY_MS, stock_subject

PAGE_MAX = 200
MOVES_MAX = 200
REF_BYTES = 18
"""Of an entry and a place in it, as a row holds a reference."""
LANGUAGES_MAX = 4


def listed(node: Node, now: Now, args: Mapping[str, Any]) -> Stores:
    """Return the stores: our own site first, its parts, then those that hold most.

    Raises:
        InputError: `sealed_here`.
    """
    ledger = _open(node)
    home = bytes(BookView(ledger, now.wall_ms).home_site or b"")
    held = dict(ledger.store.all("SELECT store, count(*) FROM stock GROUP BY store"))
    found = [
        (
            StoreLine(str(SiteId(raw)), clean_text(name), home in (raw, part), held.get(raw, 0)),
            raw == home,
        )
        for raw, name, part in ledger.store.all(
            "SELECT id, name, part_of FROM site WHERE replaced < 2 ORDER BY name, id"
        )
    ]
    found.sort(key=lambda each: (not each[1], not each[0].ours, -each[0].items))
    return Stores(tuple(line for line, _ in found))


def shelf(node: Node, now: Now, args: Mapping[str, Any]) -> Shelf:
    """Return one page of what a store holds.

    Raises:
        InputError: `bad_line`, `bad_id`, `sealed_here`.
    """
    ledger, store, languages = _open(node), _store(args), _languages(args)
    catalogue = stores.catalogue(ledger)
    rows = shelves.kept(ledger, store, catalogue, now.wall_ms)
    marked = {mark: sum(mark in row.marks for row in rows) for mark in MARKS}
    known = catalogue.by_code()
    found = _filtered(rows, _text(args, "filter"), languages, catalogue)
    match _text(args, "sort"):
        case "name":
            found.sort(key=lambda row: _name(known.get(row.item), row.item, languages).casefold())
        case "counted":
            found.sort(key=lambda row: (row.counted_ms or 0, row.item))
    offset, limit = _number(args, "offset", 10**9, 0), _number(args, "limit", PAGE_MAX, PAGE_MAX)
    return Shelf(
        str(store),
        clean_text(stores.site_name(ledger, bytes(store))),
        len(found),
        offset,
        tuple(_line(row, known.get(row.item), languages) for row in found[offset : offset + limit]),
        len(rows),
        {mark: n for mark, n in marked.items() if n},
        METHOD,
    )


def _filtered(
    rows: list[Kept], text: str, languages: tuple[str, ...], catalogue: Items
) -> list[Kept]:
    if not text.strip():
        return rows
    wanted = {row.code for row in search(text, languages, catalogue)}
    folded = text.strip().casefold()
    return [row for row in rows if row.item in wanted or folded in row.item]


def items(node: Node, now: Now, args: Mapping[str, Any]) -> ItemNames:
    """Return the catalogue that this node works by, as forms pick from it.

    Raises:
        InputError: `bad_line`.
    """
    languages = _languages(args)
    return ItemNames(
        tuple(_known(row, row.code, languages) for row in stores.catalogue(node.ledger).item)
    )


def stock_item(node: Node, now: Now, args: Mapping[str, Any]) -> StockItem:
    """Return one item in one store: lots, latest movements and counts, allotments.

    Raises:
        InputError: `bad_line`, `bad_id`, `sealed_here`.
    """
    ledger, store, languages = _open(node), _store(args), _languages(args)
    code = _text(args, "item")
    catalogue = stores.catalogue(ledger)
    row = item(code, catalogue)
    held = shelves.kept(ledger, store, catalogue, now.wall_ms, code)
    known = _known(row, code, languages)
    line = _line(held[0], row, languages) if held else ShelfLine(code, known.name, known.unit, 0, 0)
    today = now.wall_ms // DAY_MS
    lots = _lot_lines(held[0], today) if held else ()
    return StockItem(
        str(store),
        clean_text(stores.site_name(ledger, bytes(store))),
        known,
        line,
        lots,
        tuple(_moves(ledger, store, code, _number(args, "moves", MOVES_MAX, 20))),
        tuple(_accounts(ledger, store, code)),
        _first(lots),
        _tenths(held[0].rate) if held else "",
    )


_MOVED = (
    "SELECT m.entry, m.idx, m.at_ms, substr(e.hash, 1, 16), m.type, m.lot, m.units, m.other,"
    " m.patient IS NOT NULL, m.why, m.reason, m.witness, m.maybe,"
    " m.standing = 0 AND m.replaced = 0 AND m.double = 0, m.countersigned, m.overdrawn"
    " FROM (SELECT subject, entry, idx FROM movement INDEXED BY movement_use WHERE subject = ?"
    " ORDER BY at_ms DESC, entry DESC, idx DESC LIMIT ?) k CROSS JOIN movement m"
    " ON m.subject = k.subject AND m.entry = k.entry AND m.idx = k.idx"
    " JOIN entry e ON e.arrival = m.entry ORDER BY m.at_ms DESC, m.entry DESC, m.idx DESC"
)
"""The newest are found in the index by day, and only these are read: an item in daily use has tens
of thousands."""
_COUNTED = (
    "SELECT t.entry, t.idx % 65536, t.at_ms, substr(e.hash, 1, 16), sum(t.units), max(t.used)"
    " FROM stocktake t JOIN entry e ON e.arrival = t.entry WHERE t.subject = ?"
    " GROUP BY t.entry, t.idx % 65536, t.at_ms ORDER BY t.at_ms DESC, t.entry DESC LIMIT ?"
)

_DATED = (
    "SELECT d.entry, d.idx, d.at_ms, substr(e.hash, 1, 16), d.lot, d.reason, d.expiry_day,"
    " d.standing = 0 AND d.replaced = 0"
    " FROM lot_date d JOIN entry e ON e.arrival = d.entry WHERE d.subject = ?"
    " ORDER BY d.at_ms DESC, d.entry DESC LIMIT ?"
)


def _moves(ledger: Ledger, store: SiteId, code: str, limit: int) -> list[MoveLine]:
    """Return the newest movements, counts and days stated anew of one item in one store."""
    read = ledger.store.all
    subject = read("SELECT no FROM subject WHERE id = ?", (bytes(stock_subject(store, code)),))
    if not subject:
        return []
    no = subject[0][0]
    moved, counted, dated = (read(asked, (no, limit)) for asked in (_MOVED, _COUNTED, _DATED))
    authors = Authors(ledger).of_entries(row[0] for row in (*moved, *counted, *dated))
    below = _below(read("SELECT taken FROM balance WHERE subject = ?", (no,)))
    names = {raw: clean_text(name) for raw, name in read("SELECT id, name FROM site")}
    found = []
    for entry, idx, at_ms, digest, kind, lot, units, other, patient, *said in moved:
        fact, author = str(FactRef(EntryPrefix(digest), idx)), clean_text(authors[entry].label)
        to = "patient" if patient else names.get(other, "") if other else ""
        why, reason, witness, *bits = said
        maybe, counts, seconds, overdrawn = map(bool, bits)
        line = MoveLine(
            fact, at_ms, kind, lot, units, to, why, reason, witness, author,
            maybe, counts, seconds, overdrawn, fact in below,
        )  # fmt: skip
        found.append((at_ms, entry, idx, line))
    for entry, idx, at_ms, digest, units, used in counted:
        fact, author = str(FactRef(EntryPrefix(digest), idx)), clean_text(authors[entry].label)
        line = MoveLine(fact, at_ms, "count", "", units, "", "", "", "", author, counts=bool(used))
        found.append((at_ms, entry, idx, line))
    for entry, idx, at_ms, digest, lot, reason, day, counts in dated:
        fact, author = str(FactRef(EntryPrefix(digest), idx)), clean_text(authors[entry].label)
        line = MoveLine(
            fact, at_ms, "expiry", lot, 0, "", "", reason, "", author,
            counts=bool(counts), expiry_day=day,
        )  # fmt: skip
        found.append((at_ms, entry, idx, line))
    found.sort(key=lambda each: each[:3], reverse=True)
    return [each[-1] for each in found[:limit]]


def _below(rows: Sequence[Sequence[Any]]) -> set[str]:
    """Return the movements by which lots fell below nothing."""
    found = set()
    for (raw,) in rows:
        whole = raw or b""
        for at in range(0, len(whole) - REF_BYTES + 1, REF_BYTES):
            index = int.from_bytes(whole[at + 16 : at + REF_BYTES])
            found.add(str(FactRef(EntryPrefix(whole[at : at + 16]), index)))
    return found


def _accounts(ledger: Ledger, store: SiteId, code: str) -> list[AccountLine]:
    mine, granted = bytes(ledger.authority.device), False
    found = []
    for device, given, used, left in ledger.store.all(
        "SELECT device, granted, used, left FROM allotment WHERE store = ? AND item = ?"
        " ORDER BY left DESC, device",
        (bytes(store), code),
    ):
        named = DeviceId(device)
        name = clean_text(ledger.authority.name_of(named)) or str(named)
        found.append(AccountLine(str(named), name, device == mine, given, used, left))
        granted = True
    return found if granted else []


def dose_stock(node: Node, now: Now, args: Mapping[str, Any]) -> DoseStock:
    """Return which items of a store hold a medicine, and what a dose takes of each.

    Raises:
        InputError: `bad_line`, `bad_id`, `sealed_here`.
    """
    ledger, store, languages = _open(node), _store(args), _languages(args)
    catalogue, today = stores.catalogue(ledger), now.wall_ms // DAY_MS
    found = []
    for row in of_substance(_text(args, "substance"), catalogue):
        held = shelves.kept(ledger, store, catalogue, now.wall_ms, row.code)
        lots = _lot_lines(held[0], today) if held else ()
        low, high = (held[0].low, held[0].high) if held else (0, 0)
        units, worked, left = _takes(row, _text(args, "value"), _text(args, "unit"))
        known, first = _known(row, row.code, languages), _first(lots)
        found.append(DoseItem(known, low, high, units, worked, left, lots, first))
    found.sort(key=lambda each: each.high <= 0)
    return DoseStock(str(store), clean_text(stores.site_name(ledger, bytes(store))), tuple(found))


def _takes(row: Item, value: str, unit: str) -> tuple[int, str, str]:
    """Return whole units of a dose, their arithmetic, and what is left over; 0 and '' for none."""
    try:
        taken = units_for(row, Fraction(value), unit)
    except (ValueError, ZeroDivisionError):
        return 0, "", ""
    if taken is None:
        return 0, "", ""
    left = f"{_decimal(taken.discarded)} {unit}" if taken.discarded else ""
    return taken.units, taken.text, left


def _decimal(value: Fraction) -> str:
    written = format(Decimal(value.numerator) / Decimal(value.denominator), "f")
    return written.rstrip("0").rstrip(".") if "." in written else written


# words


def _lot_lines(row: Kept, today: int) -> tuple[LotLine, ...]:
    return tuple(
        LotLine(
            clean_text(lot.lot),
            lot.expiry_day,
            lot.low,
            lot.high,
            lot.marks(today),
            lot.last_ms,
            lot.counted_ms,
        )
        for lot in row.lots
        if lot.low or lot.high or lot.held
    )


def _first(lots: Sequence[LotLine]) -> str:
    """Return the lot to give first; '' for none."""
    giveable = (
        lot.lot for lot in lots if lot.lot and lot.high > 0 and set(lot.marks) <= {"expiring"}
    )
    return next(giveable, "")


def _line(row: Kept, known: Item | None, languages: tuple[str, ...]) -> ShelfLine:
    return ShelfLine(
        row.item,
        _name(known, row.item, languages),
        known.unit if known is not None else "",
        row.low,
        row.high,
        "" if row.days is None else str(int(row.days)),
        row.guess and row.days is not None,
        row.next_expiry_day,
        row.marks,
        row.last_ms,
        row.counted_ms,
        row.unsettled,
        row.overdraft,
    )


def _known(row: Item | None, code: str, languages: tuple[str, ...]) -> ItemName:
    if row is None:
        return ItemName(clean_text(code), clean_text(code), "")
    return ItemName(
        row.code,
        _name(row, code, languages),
        row.unit,
        row.packs,
        row.controlled,
        row.is_kit,
        (row.code, *row.substances),
    )


def _name(row: Item | None, code: str, languages: tuple[str, ...]) -> str:
    return clean_text(code if row is None else row.shown(languages).text)


def _tenths(value: Fraction | None) -> str:
    """Return a number to a tenth, rounded down; '' for none."""
    if value is None:
        return ""
    tenths = value.numerator * 10 // value.denominator
    return f"{tenths // 10}.{tenths % 10}".removesuffix(".0")


# arguments


def _open(node: Node) -> Ledger:
    if node.ledger.authority.keyring.closed:
        raise InputError("sealed_here")
    return node.ledger


def _store(args: Mapping[str, Any]) -> SiteId:
    return SiteId.parse(_text(args, "store"))


def _languages(args: Mapping[str, Any]) -> tuple[str, ...]:
    said = args.get("languages") or ()
    if not isinstance(said, list | tuple) or not all(isinstance(each, str) for each in said):
        raise InputError("bad_line", field="args.languages")
    return tuple(said[:LANGUAGES_MAX]) or ("en",)


def _text(args: Mapping[str, Any], name: str) -> str:
    value = args.get(name, "")
    if not isinstance(value, str):
        raise InputError("bad_line", field=f"args.{name}")
    return value


def _number(args: Mapping[str, Any], name: str, most: int, missing: int) -> int:
    value = args.get(name, missing)
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise InputError("bad_line", field=f"args.{name}")
    return min(value, most)


READS: dict[str, Reader] = {
    "stores": listed,
    "shelf": shelf,
    "stock_item": stock_item,
    "items": items,
    "dose_stock": dose_stock,
}
