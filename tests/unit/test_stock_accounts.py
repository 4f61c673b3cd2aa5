"""Who holds how much of what is allotted, and what is named where there is too little."""

from __future__ import annotations

import pytest

from protocols.ids import DocId
from protocols.records.balance import NAMED_MAX
from tests.unit.records_shelf import NOW_MS, Shelf
from tests.unit.test_stock_records import (
    ITEM,
    balance,
    count,
    issue,
    receive,
    stock,
    store_of,
    table,
)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf("a")


@pytest.fixture
def store(shelf: Shelf) -> str:
    return store_of(shelf)


def other(name: str, shelf: Shelf) -> Shelf:
    found = Shelf(name, now_ms=shelf.now_ms)
    found.receive(shelf)
    return found


def test_whoever_counts_less_than_others_brought_has_taken_nothing_beyond(
    shelf: Shelf, store: str
) -> None:
    receive(shelf, store, 100)
    tent = other("b", shelf)
    to = [{"device": str(tent.device), "units": 1}]
    shelf.write("allotment.grant", {"item": ITEM, "to": to}, store=store)
    tent.receive(shelf)
    tent.now_ms += 1000
    count(tent, store, ("L1", 90))
    shelf.receive(tent)

    held = {row.device: (row.left, row.overdraft) for row in table(shelf, store, "allotment")}
    assert held == {bytes(shelf.device): (99, 0), bytes(tent.device): (-9, 0)}
    assert stock(shelf, store).overdraft == 0
    assert sum(left for left, _ in held.values()) == balance(shelf, store)[0] == 90


def test_what_three_find_apart_is_held_once_by_those_who_found_it(shelf: Shelf, store: str) -> None:
    receive(shelf, store, 100)
    shelf.write(
        "allotment.grant",
        {"item": ITEM, "to": [{"device": str(other("d", shelf).device), "units": 1}]},
        store=store,
    )
    finders = [other(name, shelf) for name in ("b", "c", "d")]
    for at, (finder, units) in enumerate(zip(finders, (110, 106, 112), strict=True), 1):
        finder.clock += at
        finder.now_ms += at
        count(finder, store, ("L1", units))
    for finder in finders:
        shelf.receive(finder)

    held = {row.device: row.left for row in table(shelf, store, "allotment")}
    assert [held[bytes(each.device)] for each in finders] == [10, 0, 3]
    assert sum(held.values()) == 112


def test_of_many_that_took_too_much_the_latest_are_named(shelf: Shelf, store: str) -> None:
    receive(shelf, store, 10)
    taken = []
    for _ in range(NAMED_MAX + 4):
        shelf.now_ms += 1000
        taken.append(issue(shelf, store, 1, sure=("beyond_stock",)))

    (row,) = table(shelf, store, "balance")
    assert row.low == 10 - len(taken)
    named = [bytes(each[:16]) for each in batched_bytes(row.taken)]
    assert named == [bytes(DocId(each.refs[0].entry)) for each in taken[-NAMED_MAX:]]
    assert row.last_ms == NOW_MS + 1000 * len(taken)


def test_an_item_was_last_counted_when_any_of_it_was(shelf: Shelf, store: str) -> None:
    receive(shelf, store, 100, "L1")
    receive(shelf, store, 100, "L2")
    shelf.now_ms += 1000
    count(shelf, store, ("L2", 100), whole=False)
    shelf.now_ms += 1000
    count(shelf, store, ("L1", 100), whole=False)
    told = {row.lot: row.counted_ms for row in table(shelf, store, "balance")}
    assert told == {"L1": NOW_MS + 2000, "L2": NOW_MS + 1000}
    assert stock(shelf, store).counted_ms == NOW_MS + 2000


def test_what_is_used_up_expires_no_more(shelf: Shelf, store: str) -> None:
    receive(shelf, store, 10, "L1", expiry="2027-01-31")
    receive(shelf, store, 10, "L2", expiry="2028-01-31")
    first = stock(shelf, store).next_expiry_day
    issue(shelf, store, 10, "L1")
    assert stock(shelf, store).next_expiry_day - first == 365


def batched_bytes(raw: bytes) -> list[bytes]:
    """Return references of 18 bytes."""
    return [raw[at : at + 18] for at in range(0, len(raw), 18)]
