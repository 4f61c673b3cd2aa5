"""Lots recalled, held back or past their last day, as a screen of vaccination needs it."""

from __future__ import annotations

from protocols.ledger import recalls, vials
from protocols.ledger.book import Ledger
from protocols.ledger.view import BookView
from protocols.records.session import SessionRow, offsets_of
from protocols.records.stopped import Taken, stops
from protocols.records.zones import local_day


def stop_of(ledger: Ledger, vial: vials.Vial, session: SessionRow, now_ms: int) -> str:
    """Return why nobody may be given of a vial today; '' where they may."""
    day = local_day(offsets_of(session), now_ms)
    taken = Taken(vial.store, vial.item, vial.lot, vial.expiry_day)
    mixed = Taken(vial.store, vial.diluent, vial.diluent_lot, None)
    view = BookView(ledger, now_ms)
    found = (*stops(view, taken, day), *(stops(view, mixed, day) if vial.diluent_lot else ()))
    return found[0].code if found else ""


def recalled_lots(ledger: Ledger) -> dict[tuple[str, str], tuple[str, ...]]:
    """Return why lots are recalled, by vaccine and lot as doses name them."""
    held = recalls.recalls(ledger.store)
    if not held:
        return {}
    known = recalls.catalogue(ledger).by_code()
    found: dict[tuple[str, str], set[str]] = {}
    for one in held:
        item = known.get(one.item)
        if item is not None and item.vaccine:
            found.setdefault((item.vaccine, one.lot), set()).add(one.why)
    return {lot: tuple(sorted(why)) for lot, why in found.items()}
