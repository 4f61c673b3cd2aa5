"""What screens read of a store: its movements, balances, counts, allotments and held lots.

The tables that a stock screen reads, `stock` and `balance`, have one row for each item and lot of a
store, so that it costs what the store holds and not how often something was moved.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from protocols.ids import DeviceId, DocId, EntryPrefix, FactRef, SiteId
from protocols.records.balance import LotBalance, Pair, pair_of
from protocols.records.counts import AllotmentGrant, Counted, StockCount, StockSettle
from protocols.records.display import clean_text
from protocols.records.history import History
from protocols.records.kinds import KindNo
from protocols.records.lots import LotDateRow, LotQuarantine, LotRelease, QuarantineRow, date_rows
from protocols.records.lots import rows as quarantine_rows
from protocols.records.made import Made
from protocols.records.movement import DAY_MS, WHY, Movement, signed
from protocols.records.recent import days_of, recent
from protocols.records.references import packed, ref_of
from protocols.records.righted import righted
from protocols.records.shape import Fact, Row
from protocols.records.witnessing import StockWitness, countersigned
from protocols.records.wordlists import word_at

# fields, commands, apply: each family's own file has them


# rows


class MovementRow(Row, frozen=True, kw_only=True, gc=False):
    """One movement."""

    TABLE: ClassVar[str] = "movement"
    INDEXED: ClassVar[tuple[str, ...]] = ("store", "patient", "shipment")
    store: bytes
    item: str
    lot: str = ""
    expiry_day: int | None = None
    """Days since 1970; the last day it may be used."""
    units: int
    """Below 0 where it took from the store."""
    type: str
    """One of `TYPES`."""
    other: bytes | None = None
    """The store at the other end."""
    shipment: bytes | None = None
    patient: bytes | None = None
    why: str = ""
    witness: str = ""
    maybe: int = 0
    """1 while it may have been in a count already."""
    device: bytes
    cause: bytes | None = None
    """18-byte reference of the record it follows from."""
    pack_count: int | None = None
    pack_size: int | None = None
    kit: str = ""
    """The kit it came out of."""
    countersigned: int = 0
    """1 when somebody else signed that they saw it."""
    reason: str = ""
    overdrawn: int = 0
    """1 when it was confirmed that its device may not issue so much."""
    double: int = 0
    """1: of what two people sent or received of one lot of one shipment apart, the one that does
    not count."""


class BalanceRow(Row, frozen=True, kw_only=True, gc=False):
    """One lot of an item in a store."""

    TABLE: ClassVar[str] = "balance"
    INDEXED: ClassVar[tuple[str, ...]] = ("store",)
    store: bytes
    item: str
    lot: str
    expiry_day: int | None
    low: int
    high: int
    quarantined: int
    last_ms: int
    """When the latest record of it happened: how old the figure is."""
    counted_ms: int | None
    """When it was last counted."""
    counts: int
    """On how many counts it stands that knew nothing of each other; above 1 they differ, or not."""
    taken: bytes | None = None
    """Where it may be below 0: the movements that took from it, 18 bytes each."""


class StockRow(Row, frozen=True, kw_only=True, gc=False):
    """One item in a store."""

    TABLE: ClassVar[str] = "stock"
    INDEXED: ClassVar[tuple[str, ...]] = ("store",)
    store: bytes
    item: str
    low: int
    high: int
    last_ms: int
    counted_ms: int | None
    unsettled: int
    """Movements that may have been counted already, and lots whose counts differ."""
    negative: int
    """How many lots may be below nothing; the item as a whole counts as one more."""
    overdraft: int
    """Units that devices took beyond what was allotted to them."""
    next_expiry_day: int | None = None
    """Of the lots that may be there."""
    usable: int = 0
    """The least there may be of lots that are not held back."""
    recent: bytes = b""
    """What lately changed it, by day: see `recent.py`."""


class AllotmentRow(Row, frozen=True, kw_only=True, gc=False):
    """What one device may issue of an item in a store."""

    TABLE: ClassVar[str] = "allotment"
    INDEXED: ClassVar[tuple[str, ...]] = ("store",)
    store: bytes
    item: str
    device: bytes
    granted: int
    """What it brought in and was given, less what it gave on."""
    used: int
    left: int
    """Below 0: so much was taken beyond it."""
    overdraft: int


class StocktakeRow(Row, frozen=True, kw_only=True, gc=False):
    """What one count says of one lot."""

    TABLE: ClassVar[str] = "stocktake"
    INDEXED: ClassVar[tuple[str, ...]] = ("store",)
    store: bytes
    item: str
    lot: str
    expiry_day: int | None
    units: int
    whole: int
    """1: lots that are not listed were not there."""
    blind: int
    book_low: int
    """What the book said of everything that was looked for, when it was counted."""
    book_high: int
    device: bytes
    used: int
    """1: a balance stands on this count."""
    righted: int = 0
    """By how many units the whole count set the book right, as each of its rows says; see
    `righted.py`. 0 where it does not count."""


TYPES: dict[int, str] = {
    KindNo.STOCK_RECEIVE: "receive",
    KindNo.STOCK_ISSUE: "issue",
    KindNo.STOCK_DISPENSE: "dispense",
    KindNo.STOCK_RETURN: "return",
    KindNo.STOCK_LOSS: "loss",
    KindNo.STOCK_ADJUST: "adjust",
    KindNo.STOCK_BREAK: "break",
}

ROW_TABLES: tuple[type[Row], ...] = (
    MovementRow,
    BalanceRow,
    StockRow,
    AllotmentRow,
    StocktakeRow,
    QuarantineRow,
    LotDateRow,
)

LOTS_SHIFT = 16
"""Rows of several lots can stem from one fact: the lot's number stands above the fact's index."""


def rows(history: History) -> list[Row]:
    """Return all rows of one item in one store."""
    pair = pair_of(history)
    if not pair.item:
        return []
    history = pair.history
    moved, counted = _movement_rows(history, pair), _stocktake_rows(history, pair)
    found: list[Row] = [*moved, *counted, *quarantine_rows(history, pair.ours)]
    found += date_rows(history, pair.ours)
    lots = pair.lots
    if lots:
        found += _balance_rows(pair, lots)
        found.append(_stock_row(pair, lots, recent(moved, counted)))
    found += [
        AllotmentRow(
            entry=account.last.entry,
            idx=account.last.index | number << LOTS_SHIFT,
            kind=account.last.kind,
            standing=account.last.standing,
            at_ms=account.last.at_ms,
            store=pair.store,
            item=clean_text(pair.item),
            device=account.device,
            granted=account.granted,
            used=account.used,
            left=account.left,
            overdraft=account.overdraft,
        )
        for number, account in enumerate(pair.accounts)
    ]
    return found


def _movement_rows(history: History, pair: Pair) -> list[MovementRow]:
    open_now = {ref_of(each.movement) for each in pair.opened}
    seconds, doubles = countersigned(history), pair.doubles
    spoken_of = open_now | seconds | doubles
    replaced, made = history.replaced, _MADE
    store, item = pair.store, pair.item
    found = []
    for fact in history.facts:
        record = fact.record
        if not isinstance(record, Movement) or record.store != store or record.item != item:
            continue
        judged, gone = _NOTHING, replaced(fact)
        if gone or (spoken_of and (fact.prefix, fact.index) in spoken_of):
            ref = ref_of(fact)
            judged = (gone, int(ref in open_now), int(ref in seconds), int(ref in doubles))
        row = made.find(fact, judged)
        if row is None:
            row = made.keep(fact, judged, _movement_row(history, fact, judged))
        found.append(row)
    return found


_Judged = tuple[int, int, int, int]
"""What is judged of a movement: replaced, maybe counted, countersigned, told twice."""
_NOTHING: _Judged = (0, 0, 0, 0)
_MADE = Made[MovementRow]()


def _movement_row(history: History, fact: Fact, judged: _Judged) -> MovementRow:
    record = fact.record
    assert isinstance(record, Movement)
    stated = record.circumstances
    return MovementRow(
        entry=fact.entry,
        idx=fact.index,
        kind=fact.kind,
        standing=fact.standing,
        at_ms=fact.at_ms,
        supersedes=history.supersedes(fact),
        replaced=judged[0],
        store=record.store,
        item=clean_text(record.item),
        lot=clean_text(record.lot),
        expiry_day=record.expiry,
        units=signed(fact),
        type=TYPES[fact.kind],
        other=record.other,
        shipment=record.shipment,
        patient=record.patient,
        why=word_at(WHY, record.why),
        witness=clean_text(record.witness),
        maybe=judged[1],
        device=fact.device,
        cause=packed(record.cause) if record.cause else None,
        pack_count=record.pack[0] if record.pack else None,
        pack_size=record.pack[1] if record.pack else None,
        kit=clean_text(record.kit),
        countersigned=judged[2],
        reason=clean_text(stated.reason) if stated else "",
        overdrawn=int(stated is not None and "over_allotment" in stated.confirmed),
        double=judged[3],
    )


def _balance_rows(pair: Pair, lots: Sequence[LotBalance]) -> list[BalanceRow]:
    return [
        BalanceRow(
            entry=lot.last.entry,
            idx=lot.last.index | number << LOTS_SHIFT,
            kind=lot.last.kind,
            standing=lot.last.standing,
            at_ms=lot.last.at_ms,
            store=pair.store,
            item=clean_text(pair.item),
            lot=clean_text(lot.lot),
            expiry_day=lot.expiry,
            low=lot.low,
            high=lot.high,
            quarantined=int(lot.lot in pair.held_back),
            last_ms=lot.last.at_ms,
            counted_ms=_latest_ms(lot.counts),
            counts=len(lot.counts),
            taken=b"".join(packed(ref_of(fact)) for fact in lot.taken) or None,
        )
        for number, lot in enumerate(lots)
    ]


def _stock_row(pair: Pair, lots: Sequence[LotBalance], lately: bytes) -> StockRow:
    last = max((lot.last for lot in lots), key=lambda fact: (fact.order, fact.index))
    days = [lot.expiry for lot in lots if lot.expiry is not None and lot.high > 0]
    return StockRow(
        entry=last.entry,
        idx=last.index,
        kind=last.kind,
        standing=last.standing,
        at_ms=last.at_ms,
        store=pair.store,
        item=clean_text(pair.item),
        low=pair.low,
        high=pair.high,
        last_ms=last.at_ms,
        counted_ms=_latest_ms(fact for lot in lots for fact in lot.counts),
        unsettled=len(pair.opened) + sum(lot.apart for lot in lots),
        # What was issued without its lot says nothing of one lot, only of all of them.
        negative=sum(lot.low < 0 for lot in lots if lot.lot) + (pair.low < 0),
        overdraft=sum(account.overdraft for account in pair.accounts),
        next_expiry_day=min(days, default=None),
        usable=sum(lot.low for lot in lots if lot.lot not in pair.held_back),
        recent=lately,
    )


def _latest_ms(facts: Iterable[Fact]) -> int | None:
    return max((fact.at_ms for fact in facts), default=None)


def _stocktake_rows(history: History, pair: Pair) -> list[StocktakeRow]:
    used = {ref_of(fact) for lot in pair.lots for fact in lot.counts}
    by_count, found = righted(pair), []
    for fact in history.of_kind.get(KindNo.STOCK_COUNT, ()):
        record = fact.record
        if not isinstance(record, StockCount) or not pair.ours(fact):
            continue
        found += [
            StocktakeRow(
                entry=fact.entry,
                idx=fact.index | number << LOTS_SHIFT,
                kind=fact.kind,
                standing=fact.standing,
                at_ms=fact.at_ms,
                supersedes=history.supersedes(fact),
                replaced=history.replaced(fact),
                store=record.store,
                item=clean_text(record.item),
                lot=clean_text(each.lot),
                expiry_day=each.expiry,
                units=each.units,
                whole=record.whole,
                blind=record.blind,
                book_low=record.book_low,
                book_high=record.book_high,
                device=fact.device,
                used=int(ref_of(fact) in used),
                righted=by_count.get(ref_of(fact), 0),
            )
            # That nothing was there is a line of the card too.
            for number, each in enumerate(record.lots or (Counted(),))
        ]
    return found


# words


def own_words(record: Any) -> list[tuple[str, str]]:
    """Return what a record about a pair says, as (catalogue key, text) pairs; [] for any other."""
    match record:
        case Movement():
            return _movement_words(record)
        case StockCount():
            lots = [f"{each.lot or '-'} {each.units}" for each in record.lots]
            return [("item", clean_text(record.item)), ("counted", clean_text(", ".join(lots)))]
        case StockSettle():
            verdict = "counted-in" if record.counted else "counted-out"
            return [("item", clean_text(record.item)), ("settled", verdict)]
        case AllotmentGrant():
            units = sum(each.units for each in record.to)
            return [("item", clean_text(record.item)), ("granted", str(units))]
        case LotQuarantine() | LotRelease():
            about: list[tuple[str, str]] = [
                ("item", clean_text(record.item)),
                ("lot", clean_text(record.lot)),
            ]
            day = record.expiry if isinstance(record, LotRelease) else None
            return about if day is None else [*about, ("expiry", _day_text(day))]
        case StockWitness():
            return [("item", clean_text(record.item)), ("witnessed", "1")]
    return []


def _movement_words(record: Movement) -> list[tuple[str, str]]:
    day = "" if record.expiry is None else _day_text(record.expiry)
    said = (
        ("item", record.item),
        ("units", str(record.units)),
        ("lot", record.lot),
        ("expiry", day),
        ("why", word_at(WHY, record.why)),
        ("witness", record.witness),
    )
    return [(key, clean_text(text)) for key, text in said if text]


def _day_text(day: int) -> str:
    from protocols.records.rows import iso  # it gathers this file's words

    return (iso(day * DAY_MS) or "")[:10]


def _site(raw: bytes | None) -> str | None:
    return None if raw is None or len(raw) != SiteId.SIZE else str(SiteId(raw))


def _references(raw: bytes | None) -> list[str]:
    whole = raw or b""
    return [
        str(FactRef(EntryPrefix(whole[at : at + 16]), int.from_bytes(whole[at + 16 : at + 18])))
        for at in range(0, len(whole) - 17, 18)
    ]


def _device(raw: bytes) -> str | None:
    return str(DeviceId(raw)) if len(raw) == DeviceId.SIZE else None


COLUMNS: dict[tuple[str, str], Callable[[Any], Any]] = {
    **{(table.TABLE, "store"): _site for table in ROW_TABLES},
    **{
        (table.TABLE, "device"): _device
        for table in (MovementRow, AllotmentRow, StocktakeRow, LotDateRow)
    },
    ("administration", "store"): _site,
    ("stock", "recent"): lambda raw: [[_day_text(day), *units] for day, *units in days_of(raw)],
    ("movement", "other"): _site,
    ("movement", "shipment"): lambda raw: None if raw is None else str(DocId(raw)),
    ("movement", "cause"): lambda raw: next(iter(_references(raw)), None),
    ("movement", "type"): str,
    ("movement", "maybe"): bool,
    ("movement", "countersigned"): bool,
    ("movement", "overdrawn"): bool,
    ("movement", "double"): bool,
    ("balance", "quarantined"): bool,
    ("balance", "taken"): _references,
    ("allotment", "used"): int,
    ("stocktake", "whole"): bool,
    ("stocktake", "blind"): bool,
    ("quarantine", "held"): bool,
}
"""How columns are told to another program, where a value is not told as it is."""

# merge note: rows follow from the facts of one subject alone, so they are the same wherever the
# same is held. What is issued apart is all kept: a balance may fall below nothing, and the row
# names the movements; who kept to an allotment can never be among those who took too much.
