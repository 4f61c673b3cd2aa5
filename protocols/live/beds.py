"""Wards and beds: who lies where, and which beds that were in use are free."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from protocols.ledger import reading, watching
from protocols.ledger.book import Ledger
from protocols.live.answers import BOARD_MAX, board_line
from protocols.live.api import BoardLine
from protocols.live.bed import BedLine, BedsPage
from protocols.live.members import Reader
from protocols.live.watched import watched
from protocols.mesh.effects import Now
from protocols.mesh.node import Node
from protocols.records.patient import PatientRow
from protocols.records.watch import Watch

BEDS_MAX = 400


def beds(ledger: Ledger, now_ms: int) -> BedsPage:
    """Return the beds in use, and those that were in use and are free."""
    if ledger.authority.keyring.closed:
        return BedsPage((), 0, 0)
    rows: list[PatientRow] = []
    offset = 0
    while len(rows) < BEDS_MAX:
        total, _, page = reading.board(ledger, offset, BOARD_MAX)
        rows += page
        offset += len(page)
        if not page or offset >= total:
            break
    told = watching.watches(ledger, rows, now_ms)
    lie: dict[tuple[str, str], list[BoardLine]] = {
        place: [] for place in reading.known_beds(ledger, BEDS_MAX)
    }
    for row in rows:
        line = watched(board_line(row, now_ms), told.get(bytes(row.id), Watch()))
        lie.setdefault((row.ward, row.bed), []).append(line)
    places = sorted(lie, key=lambda at: (not at[0], at[0], not at[1], at[1]))
    lines = tuple(BedLine(*place, tuple(lie[place])) for place in places if any(place))
    none = tuple(BedLine(*place, tuple(lie[place])) for place in places if not any(place))
    real = [line for line in lines if line.bed]
    taken = sum(bool(line.patients) for line in real)
    return BedsPage((*lines, *none)[:BEDS_MAX], len(real) - taken, taken)


def _beds(node: Node, now: Now, args: Mapping[str, Any]) -> BedsPage:
    return beds(node.ledger, now.wall_ms)


READS: dict[str, Reader] = {"beds": _beds}
