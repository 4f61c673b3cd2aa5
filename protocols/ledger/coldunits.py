"""Cold-chain units: what their readings come to, and which lots were there meanwhile."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from protocols.guidelines.coldchain import (
    DAY_MIN,
    ColdChain,
    Episode,
    Reading,
    episodes,
    merged,
    shipped_coldchain,
)
from protocols.guidelines.items import Items
from protocols.ledger.book import Ledger
from protocols.ledger.recalls import catalogue
from protocols.ledger.store import Store
from protocols.ledger.view import BookView
from protocols.records.reading import readings_in

UNITS_MAX = 200
"""Units of one answer."""
LOOKED_BACK_DAYS = 90
"""Readings before the newest one of a unit that are looked at."""
MINUTE_MS = 60_000


class Unit(NamedTuple):
    """One cold-chain unit and how it did."""

    unit_id: bytes
    store: bytes
    unit: str
    cold: str
    """Its class, as last stated; '' where nobody said."""
    newest: Reading
    low_tenths: int
    high_tenths: int
    readings: int
    episodes: tuple[Episode, ...]
    """In order of time, those that do not alarm too."""


class Affected(NamedTuple):
    """A lot that was in the store during an episode and needs that class of cold."""

    item: str
    lot: str
    low: int
    high: int
    quarantined: bool


def units(ledger: Ledger, store: bytes | None = None) -> list[Unit]:
    """Return the units of one store, or of all, by name.

    Args:
        store: Id of a site; None: all.
    """
    return units_of(ledger.store, coldchain(ledger), store)


def units_of(store: Store, pack: ColdChain, place: bytes | None = None) -> list[Unit]:
    """Return the same, asked over any connection, by the limits of a pack."""
    where, values = ("AND store = ?", (place,)) if place is not None else ("", ())
    found = store.all(
        "SELECT unit_id, max(until_ms) FROM reading WHERE standing = 0 AND replaced = 0"
        f" {where} GROUP BY unit_id ORDER BY max(at_ms) DESC, unit_id LIMIT ?",
        (*values, UNITS_MAX),
    )
    told = [_unit(store, pack, unit_id, newest_ms) for unit_id, newest_ms in found]
    return sorted(told, key=lambda each: (each.store, each.unit))


def _unit(store: Store, pack: ColdChain, unit_id: bytes, newest_ms: int) -> Unit:
    since_ms = newest_ms - LOOKED_BACK_DAYS * DAY_MIN * MINUTE_MS
    runs = store.all(
        "SELECT store, unit, logger, run FROM reading WHERE unit_id = ? AND standing = 0"
        " AND replaced = 0 AND until_ms >= ? ORDER BY at_ms, entry, idx",
        (unit_id, since_ms),
    )
    # However long ago it was said what the unit is to be, it is that still.
    said = store.all(
        "SELECT cold FROM reading WHERE unit_id = ? AND standing = 0 AND replaced = 0"
        " AND cold <> '' ORDER BY at_ms DESC, entry DESC, idx DESC LIMIT 1",
        (unit_id,),
    )
    cold = str(said[0][0]) if said else ""
    readings = merged(readings_in(run) for *_, run in runs)
    found = _episodes([(logger, run) for *_, logger, run in runs], pack, cold)
    tenths = [each.tenths for each in readings]
    place, name = runs[-1][:2]
    return Unit(
        bytes(unit_id), bytes(place), name, cold, readings[-1], min(tenths), max(tenths),
        len(readings), found,
    )  # fmt: skip


def _episodes(runs: Sequence[tuple[str, bytes]], pack: ColdChain, cold: str) -> tuple[Episode, ...]:
    """Return the episodes of each logger, and of what was typed, in order of time.

    What one of them says is no end of what another one says: a door's thermometer at 5 °C does not
    break off the hours for which a logger inside is too warm.
    """
    limits, by_logger = pack.of(cold), dict[str, list[bytes]]()
    for logger, run in runs:
        by_logger.setdefault(logger, []).append(run)
    told = [
        (merged(map(readings_in, each)), limits if logger else limits.read_by_hand)
        for logger, each in by_logger.items()
    ]
    newest = max(readings[-1].minute for readings, _ in told)
    found = set[Episode]()
    for readings, bears in told:
        # Of a logger that nobody read since the others were, nobody knows that it goes on.
        silent = newest - readings[-1].minute > bears.gap_minutes
        for each in episodes(readings, bears, pack.pack.status):
            found.add(each._replace(ongoing=False) if silent else each)
    return tuple(sorted(found, key=lambda each: (each.since_min, each.limit.id, each.until_min)))


def known(store: Store, unit_id: bytes) -> frozenset[Reading]:
    """Return all readings of a unit that count: what an import need not bring again."""
    rows = store.all(
        "SELECT run FROM reading WHERE unit_id = ? AND standing = 0 AND replaced = 0", (unit_id,)
    )
    return frozenset(reading for (run,) in rows for reading in readings_in(run))


def affected(ledger: Ledger, unit: Unit, episode: Episode) -> list[Affected]:
    """Return the lots that an episode may have harmed, by item and lot.

    Nobody writes down in which unit of a store a lot lies: so it is every lot of the store that is
    there, or was during the episode, of an item that needs such cold.
    """
    return affected_by(ledger.store, catalogue(ledger), coldchain(ledger), unit, episode)


def affected_by(
    store: Store, items: Items, cold: ColdChain, unit: Unit, episode: Episode
) -> list[Affected]:
    """Return the same, asked over any connection, by the classes of two packs."""
    pack, classes = items.by_code(), _classes(unit, cold)
    since, until = episode.since_min * MINUTE_MS, episode.until_min * MINUTE_MS
    found = store.all(
        f"SELECT b.item, b.lot, b.low, b.high, b.quarantined, ({_FIRST} AND m.units > 0),"
        f" ({_FIRST} AND m.units < 0), (SELECT min(t.at_ms) FROM stocktake t"
        " WHERE t.subject = b.subject AND t.lot = b.lot AND t.standing = 0 AND t.replaced = 0"
        " AND t.units > 0) FROM balance b"
        " WHERE b.store = ? AND b.lot <> '' AND (b.high > 0 OR EXISTS (SELECT 1 FROM movement m"
        " WHERE m.subject = b.subject AND m.lot = b.lot AND m.standing = 0"
        " AND m.replaced = 0 AND m.units < 0 AND m.at_ms >= ?)) ORDER BY b.item, b.lot",
        (unit.store, since),
    )
    return [
        Affected(item, lot, low, high, bool(quarantined))
        for item, lot, low, high, quarantined, *firsts in found
        if item in pack
        and pack[item].cold in classes
        and (episode.ongoing or not _came_after(until, *firsts))
    ]


_FIRST = (
    "SELECT min(m.at_ms) FROM movement m WHERE m.subject = b.subject AND m.lot = b.lot"
    " AND m.standing = 0 AND m.replaced = 0"
)


def _came_after(until_ms: int, came: int | None, *there: int | None) -> bool:
    """Whether a lot came in after an instant only: nobody took of it or counted it before that.

    Args:
        until_ms: The instant.
        came: When it first came in; None: it was only counted, or only taken of.
        there: When it was first taken of and first counted.
    """
    if came is None or came <= until_ms:
        return False
    return not any(at_ms is not None and at_ms < came for at_ms in there)


def _classes(unit: Unit, pack: ColdChain) -> frozenset[str]:
    """Return the classes of items that may lie in a unit: its own, or all that are cold."""
    return frozenset((unit.cold,) if unit.cold else (each.id for each in pack.classes)) - {"room"}


def coldchain(ledger: Ledger) -> ColdChain:
    """Return the limits this node works by."""
    found = BookView(ledger, 0).pack("coldchain")
    return found if isinstance(found, ColdChain) else shipped_coldchain()
