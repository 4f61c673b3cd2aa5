"""A shelf that is really there: the book has it within its range, however it was written down.

People take from the shelf and put on it, count what they see, and write it down at once, or later
with the time at which it was; what they wrote travels when it can. Clocks are right here.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InputError
from protocols.ids import SiteId
from protocols.records.movement import stock_subject
from protocols.records.stockreports import card
from tests.unit.records_shelf import NOW_MS, Shelf, Written, gather

ITEM, LOTS = "ors-1l-sachet", ("L1", "L2")
MINUTE = 60_000
SURE = ["beyond_stock", "lot_unknown", "large_quantity", "over_allotment"]


@dataclass
class Late:
    """What happened and is not written down yet."""

    at_ms: int
    kind: str
    data: dict[str, Any]


@dataclass
class Room:
    """One store room, with what is really in it, and the devices of those who work there."""

    seed: int
    chance: Random = field(init=False)
    there: dict[str, int] = field(default_factory=lambda: dict.fromkeys(LOTS, 0))
    late: dict[str, list[Late]] = field(default_factory=dict)
    happened: dict[str, int] = field(default_factory=dict)
    """By movement or count: when it was."""
    now_ms: int = NOW_MS

    def __post_init__(self) -> None:
        self.chance = Random(self.seed)
        self.shelves = [Shelf(name, now_ms=NOW_MS) for name in ("a", "b", "c")]
        made = self.shelves[0].write("site.register", {"name": "Store", "type": "store"})
        self.store = str(SiteId(made.subject))
        self.subject = stock_subject(made.subject, ITEM)
        gather(self.shelves)

    def step(self) -> None:
        self.now_ms += self.chance.randrange(2, 40) * MINUTE
        shelf = self.chance.choice(self.shelves)
        shelf.now_ms = self.now_ms
        what = self.chance.choices(
            ("move", "count", "meet", "write", "wrong", "settle"), (8, 3, 5, 4, 1, 2)
        )[0]
        match what:
            case "meet":
                shelf.receive(
                    self.chance.choice([each for each in self.shelves if each is not shelf])
                )
            case "write":
                self.write_late(shelf)
            case "settle":
                self.settle(shelf)
            case "wrong":
                # Nothing moved: somebody pressed the wrong key and takes it back.
                wrong = self.write(shelf, "stock.issue", {"item": ITEM, "units": 5, "lot": "L1"})
                shelf.write("entry.retract", {"fact": wrong.fact}, reason="wrong key")
            case _:
                self.happen(shelf, what)

    def happen(self, shelf: Shelf, what: str) -> None:
        lot = self.chance.choice(LOTS)
        if what == "count":
            seen = [lot] if self.chance.random() < 0.4 else list(LOTS)
            lots = [{"lot": each, "units": self.there[each]} for each in seen]
            kind, data = "stock.count", {"item": ITEM, "lots": lots, "whole": len(seen) > 1}
        else:
            most = self.there[lot]
            kind = self.chance.choice(("stock.issue", "stock.loss")) if most else "stock.receive"
            if self.chance.random() < 0.3:
                kind = "stock.receive"
            units = self.chance.randrange(1, 40 if kind == "stock.receive" else most + 1)
            self.there[lot] += units if kind == "stock.receive" else -units
            data = {"item": ITEM, "units": units, "lot": lot}
            data |= {"why": "spilled"} if kind == "stock.loss" else {}
        if self.chance.random() < 0.35:
            self.late.setdefault(shelf.name, []).append(Late(self.now_ms, kind, data))
        else:
            self.write(shelf, kind, data)

    def write(self, shelf: Shelf, kind: str, data: dict[str, Any], **line: Any) -> Written:
        made = shelf.write(kind, data, store=self.store, confirm=SURE, **line)
        self.happened[made.fact] = line.get("at", self.now_ms)
        return made

    def write_late(self, shelf: Shelf) -> None:
        for each in self.late.pop(shelf.name, []):
            self.write(shelf, each.kind, each.data, at=each.at_ms)

    def settle(self, shelf: Shelf) -> None:
        """Somebody remembers what was first."""
        for fact in shelf.facts(self.subject):
            if str(fact.ref) not in self.happened or not 136 <= fact.kind <= 141:
                continue
            for count in [each for each in shelf.facts(self.subject) if each.kind == 142]:
                first = self.happened[str(fact.ref)] < self.happened[str(count.ref)]
                said = {"movement": str(fact.ref), "count": str(count.ref), "counted": first}
                with suppress(InputError):
                    # Most of them leave nothing open: nothing is asked of these.
                    shelf.write("stock.settle", said)

    def all_written(self) -> Shelf:
        for shelf in self.shelves:
            shelf.now_ms = self.now_ms
            self.write_late(shelf)
        gather(self.shelves)
        return self.shelves[0]


def told(seed: int) -> Room:
    room = Room(seed)
    for _ in range(30):
        room.step()
    return room


@pytest.mark.safety(22)
@given(st.integers(0, 2**32))
def test_what_is_there_is_within_what_the_book_says(seed: int) -> None:
    room = told(seed)
    shelf = room.all_written()
    held = {row.lot: row for row in shelf.table(room.subject, "balance")}
    for lot, units in room.there.items():
        row = held.get(lot)
        low, high = (row.low, row.high) if row else (0, 0)
        assert low <= units <= high, (lot, units, low, high)


@pytest.mark.safety(22)
@given(st.integers(0, 2**32))
def test_once_everything_is_settled_the_book_and_the_card_say_what_is_there(seed: int) -> None:
    room = told(seed)
    shelf = room.all_written()
    room.settle(shelf)
    assert not [row for row in shelf.table(room.subject, "movement") if row.maybe]
    held = {row.lot: row for row in shelf.table(room.subject, "balance")}
    for lot, row in held.items():
        assert row.low == row.high == room.there[lot]
    lines = card(shelf.table(room.subject, "movement"), shelf.table(room.subject, "stocktake"))
    assert (lines[-1].balance if lines else 0) == sum(room.there.values())
