"""What forms about supplies ask first, and what of supplies somebody has to look at."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from protocols.errors import InputError
from protocols.guidelines.items import Item, Items, named
from protocols.ids import DocId, SiteId
from protocols.ledger import coldunits, recalls, shipments, stores
from protocols.ledger.book import Ledger
from protocols.ledger.view import BookView
from protocols.live.consigned import (
    HeldLot,
    HeldLots,
    ItemWords,
    LotLabel,
    SupplyAlert,
    SupplyAlerts,
)
from protocols.live.members import Reader
from protocols.live.settings import chosen_store
from protocols.mesh.effects import Now
from protocols.mesh.node import Node
from protocols.records.display import clean_text
from protocols.records.gs1 import OWN_CODE, OWN_CODE_CHARS_MAX, Element, element_string, yymmdd
from protocols.records.movement import DAY_MS, lot_text
from protocols.records.shipping import LAPSING, expired

ITEMS_MAX = 64
"""Items asked about at once: as many as a step has lines."""
ALERTS_MAX = 200
MINUTE_MS = 60_000


def item_words(pack: Items, codes: Iterable[str]) -> tuple[ItemWords, ...]:
    """Return what a catalogue says of some items, by code; of those it does not know nothing."""
    known = pack.by_code()
    return tuple(_words(known[code]) for code in sorted({*codes}) if code in known)


def _words(row: Item) -> ItemWords:
    singles = [each.code for each in row.barcodes if each.units == 1 and len(each.code) == 14]
    return ItemWords(
        row.code, dict(row.words), row.unit, row.packs, row.controlled, row.cold,
        bool(row.vaccine), singles[0] if singles else "",
    )  # fmt: skip


def ours(ledger: Ledger, now_ms: int) -> set[bytes]:
    """Return the sites this device works at.

    These are its own and their parts, where it moved stock, and the store chosen on it.
    """
    here = bytes(BookView(ledger, now_ms).home_site or b"")
    parts = ledger.store.all("SELECT id, part_of FROM site WHERE replaced < 2")
    found = {here} if here else set()
    while more := {bytes(site) for site, above in parts if above in found} - found:
        found |= more
    moved = ledger.store.all(
        "SELECT s.id FROM site s WHERE s.replaced < 2 AND EXISTS (SELECT 1 FROM movement m"
        " WHERE m.store = s.id AND m.device = ?)",
        (bytes(ledger.authority.device),),
    )
    chosen, _ = chosen_store(ledger)
    return (
        found
        | {bytes(site) for (site,) in moved}
        | ({bytes(SiteId.parse(chosen))} if chosen else set())
    )


def lots(node: Node, now: Now, args: Mapping[str, Any]) -> HeldLots:
    """Return the lots of some items in one store, first-expiry-first.

    Raises:
        InputError: `bad_line`, `bad_id`, `missing_field`, `sealed_here`.
    """
    ledger, asked = opened(node), args.get("items", [])
    if not isinstance(asked, list) or len(asked) > ITEMS_MAX:
        raise InputError("bad_line", field="args.items", limit=ITEMS_MAX)
    store = bytes(_store(args))
    aside = {
        (each.item, each.lot): each.units
        for each in shipments.set_aside(ledger.store, now.wall_ms, store)
    }
    over, today = stores.recalled(ledger), now.wall_ms // DAY_MS
    found = [
        HeldLot(
            item, clean_text(lot), day, low, high, aside.get((item, lot), 0), bool(held),
            (item, lot) in over, day is not None and day < today,
        )
        for item, lot, day, low, high, held in ledger.store.all(
            "SELECT item, lot, expiry_day, low, high, quarantined FROM balance"
            " WHERE store = ? AND high > 0",
            (store,),
        )
        if not asked or item in asked
    ]  # fmt: skip
    found.sort(key=lambda one: (one.item, one.expiry_day is None, one.expiry_day or 0, one.lot))
    codes = {one.item for one in found} | {str(each) for each in asked}
    return HeldLots(tuple(found), item_words(stores.catalogue(ledger), codes))


def label(node: Node, now: Now, args: Mapping[str, Any]) -> LotLabel:
    """Return what a label of a lot says.

    Raises:
        InputError: `bad_line`, `unknown_item`, `empty`, `sealed_here`.
    """
    ledger = opened(node)
    asked, text = args.get("item"), args.get("lot")
    if not isinstance(asked, str) or not isinstance(text, str):
        raise InputError("bad_line", field="args.item")
    row = named(asked, "item", stores.catalogue(ledger))
    lot = lot_text(text, "lot")
    if not lot:
        raise InputError("empty", field="lot")
    days = ledger.store.all(
        "SELECT min(expiry_day) FROM balance WHERE item = ? AND lot = ?", (row.code, lot)
    )
    day = days[0][0] if days else None
    words = _words(row)
    return LotLabel(words, clean_text(lot), day, _element_string(words, lot, day))


def _element_string(row: ItemWords, lot: str, day: int | None) -> str:
    """Return the code of a lot; '' where a sign of it is none of GS1."""
    found = [Element("01", row.gtin)] if row.gtin else []
    if day is not None:
        found.append(Element("17", yymmdd(day)))
    found.append(Element("10", lot))
    if not row.gtin and len(row.code) <= OWN_CODE_CHARS_MAX:
        # Nobody has a number for it: our own code says what it is.
        found.append(Element(OWN_CODE, row.code))
    try:
        return element_string(tuple(found))
    except InputError:
        return ""


def alerts(node: Node, now: Now, args: Mapping[str, Any]) -> SupplyAlerts:
    """Return what of supplies somebody has to look at: what can harm first.

    Raises:
        InputError: `sealed_here`.
    """
    ledger = opened(node)
    names, own = _names(ledger), ours(ledger, now.wall_ms)
    found = [*_excursions(ledger, names, own), *_recalls(ledger, names, own)]
    found += _stock(ledger, names, own) + _twice(ledger, names, own)
    found += _shipments(ledger, names, own, now.wall_ms)
    found = found[:ALERTS_MAX]
    codes = {one.item for one in found if one.item}
    return SupplyAlerts(tuple(found), item_words(stores.catalogue(ledger), codes))


def _excursions(ledger: Ledger, names: Mapping[bytes, str], own: set[bytes]) -> list[SupplyAlert]:
    """Units that are beyond an alarm now, or harmed lots that nobody has looked at since."""
    found = []
    for unit in coldunits.units(ledger):
        alarms = [each for each in unit.episodes if each.alarms]
        loose: set[tuple[str, str]] = set()
        for each in alarms:
            since_ms = each.since_min * MINUTE_MS
            loose |= {
                (lot.item, lot.lot)
                for lot in coldunits.affected(ledger, unit, each)
                if lot.high > 0 and not _looked_at(ledger, unit.store, lot, since_ms)
            }
        going_on = [each for each in alarms if each.ongoing]
        if not going_on and not loose:
            continue
        worst = (going_on or alarms)[-1]
        found.append(
            SupplyAlert(
                "excursion", str(DocId(unit.unit_id)), worst.since_min * MINUTE_MS,
                f"{clean_text(unit.unit)} ({names.get(unit.store, '')})", number=len(loose),
                freezing=worst.freezing, ours=unit.store in own,
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: (not one.ours, -one.at_ms))


def _looked_at(ledger: Ledger, store: bytes, lot: coldunits.Affected, since_ms: int) -> bool:
    """Whether a lot is held back, or was since: then somebody decided what becomes of it."""
    if lot.quarantined:
        return True
    return bool(
        ledger.store.all(
            "SELECT 1 FROM quarantine WHERE store = ? AND item = ? AND lot = ? AND standing = 0"
            " AND replaced < 2 AND at_ms >= ? LIMIT 1",
            (store, lot.item, lot.lot, since_ms),
        )
    )


def _recalls(ledger: Ledger, names: Mapping[bytes, str], own: set[bytes]) -> list[SupplyAlert]:
    """Recalls of which a store still holds some and has not held it back."""
    found = []
    for each in recalls.recalls(ledger.store):
        said = recalls.answers(ledger.store, each.item, each.lot)
        holds = [one for one in said if one.high > 0 and not one.quarantined]
        if not holds:
            continue
        holds.sort(key=lambda one: one.store not in own)
        found.append(
            SupplyAlert(
                "recall", str(DocId(each.recall)), each.at_ms, names.get(holds[0].store, ""),
                each.item, each.lot, len(holds), ours=holds[0].store in own,
            )
        )  # fmt: skip
    return sorted(found, key=lambda one: (not one.ours, -one.at_ms))


def _stock(ledger: Ledger, names: Mapping[bytes, str], own: set[bytes]) -> list[SupplyAlert]:
    """Items of which a store may have less than nothing, and those taken beyond an allotment."""
    found = []
    for raw, item, low, negative, overdraft, last_ms in ledger.store.all(
        "SELECT store, item, low, negative, overdraft, last_ms FROM stock"
        " WHERE standing = 0 AND (negative > 0 OR overdraft > 0)"
    ):
        about, name = f"{SiteId(raw)} {item}", names.get(raw, "")
        for why, number in (("negative", -low if negative else 0), ("overdraft", overdraft)):
            if number or (why == "negative" and negative):
                alert = SupplyAlert(
                    why, about, last_ms, name, item, number=max(number, 0), ours=raw in own
                )
                found.append(alert)
    return sorted(found, key=lambda one: (not one.ours, one.why, -one.at_ms))


def _shipments(
    ledger: Ledger, names: Mapping[bytes, str], own: set[bytes], now_ms: int
) -> list[SupplyAlert]:
    """Shipments that lapsed before they were sent, those written apart, and what is ours to do."""
    found = []
    for head in shipments.heads(ledger.store):
        why, at_ms = _of_shipment(head, own, now_ms)
        if not why:
            continue
        ends = [end for end in (head.donor, head.to_store) if end]
        place = " > ".join(names.get(end, "") for end in ends)
        ours = why in ("asked", "coming") or any(end in own for end in ends)
        found.append(
            SupplyAlert(
                why, str(DocId(head.shipment)), at_ms, place, number=head.unsettled, ours=ours
            )
        )
    return sorted(found, key=lambda one: (not one.ours, one.why, -one.at_ms))


def _of_shipment(head: shipments.ShipmentHead, own: set[bytes], now_ms: int) -> tuple[str, int]:
    """Return why a shipment is to be looked at, and since when; '' for no reason."""
    if head.unsettled:
        return "apart", head.received_ms or head.sent_ms or 0
    if expired(head.state, head.until_ms, now_ms):
        return "lapsed", head.until_ms or 0
    if head.state in LAPSING:
        # What anybody may give is work for all but those who asked for it.
        ours = head.donor in own if head.donor else bool(own) and head.to_store not in own
        latest = head.reserved_ms or head.approved_ms or head.requested_ms or 0
        return ("asked", latest) if ours else ("", 0)
    return ("coming", head.sent_ms or 0) if head.to_store in own else ("", 0)


def _twice(ledger: Ledger, names: Mapping[bytes, str], own: set[bytes]) -> list[SupplyAlert]:
    """Lots of one shipment that two stores took in: each counts what was sent once."""
    found = []
    for each in shipments.taken_twice(ledger.store):
        told = ledger.store.all(
            "SELECT store, min(at_ms) FROM movement WHERE shipment = ? AND item = ? AND lot = ?"
            " AND type = 'receive' AND standing = 0 AND replaced = 0 AND double = 0"
            " GROUP BY store ORDER BY store",
            (each.shipment, each.item, each.lot),
        )
        found.append(
            SupplyAlert(
                "twice", str(DocId(each.shipment)), max(at_ms for _, at_ms in told),
                " + ".join(names.get(store, "") for store, _ in told), each.item, each.lot,
                each.came - each.sent, ours=any(store in own for store, _ in told),
            )
        )  # fmt: skip
    return found


def opened(node: Node) -> Ledger:
    """Return the book of a node that may still be read.

    Raises:
        InputError: `sealed_here`.
    """
    if node.ledger.authority.keyring.closed:
        raise InputError("sealed_here")
    return node.ledger


def _names(ledger: Ledger) -> dict[bytes, str]:
    found = ledger.store.all("SELECT id, name FROM site WHERE replaced < 2")
    return {bytes(site): clean_text(name) for site, name in found}


def _store(args: Mapping[str, Any]) -> SiteId:
    text = args.get("store")
    if not isinstance(text, str) or not text:
        raise InputError("missing_field", field="store")
    return SiteId.parse(text)


READS: dict[str, Reader] = {
    "lots_held": lots,
    "lot_label": label,
    "supply_alerts": alerts,
}
