"""Counts and movements written down later than they happened, and corrected after a count."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from protocols.records.stockreports import card
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

MINUTE, HOUR, DAY = 60_000, 3_600_000, 86_400_000


@pytest.fixture
def shelf() -> Shelf:
    return Shelf("a")


@pytest.fixture
def store(shelf: Shelf) -> str:
    return store_of(shelf)


def at(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).isoformat()


def settle(shelf: Shelf, movement: Any, counted: bool) -> None:
    shelf.write("stock.settle", {"movement": movement.fact, "counted": counted})


def card_of(shelf: Shelf, store: str) -> list[tuple[str, int, int]]:
    lines = card(table(shelf, store, "movement"), table(shelf, store, "stocktake"))
    return [(line.type, line.units, line.balance) for line in lines]


@pytest.mark.safety(22)
def test_what_went_out_between_the_count_and_its_writing_down_is_not_in_it(
    shelf: Shelf, store: str
) -> None:
    receive(shelf, store, 100)
    shelf.now_ms += HOUR
    issue(shelf, store, 10)
    shelf.now_ms += HOUR
    count(shelf, store, ("L1", 97), at=at(NOW_MS + HOUR // 2))

    assert balance(shelf, store) == (87, 87)
    assert stock(shelf, store).unsettled == 0
    (taken,) = table(shelf, store, "stocktake")
    assert (taken.book_low, taken.book_high) == (100, 100)
    told = [("receive", 100, 100), ("count", -3, 97), ("issue", -10, 87)]
    assert card_of(shelf, store) == told


@pytest.mark.safety(22)
@pytest.mark.parametrize(
    ("stated", "gone", "maybe"),
    [
        (at(NOW_MS)[:16] + "Z", NOW_MS + MINUTE // 4, True),
        (at(NOW_MS)[:16] + "Z", NOW_MS + 2 * MINUTE, False),
        (at(NOW_MS)[:10], NOW_MS + MINUTE, True),
        (at(NOW_MS)[:10], NOW_MS + DAY, False),
        (at(NOW_MS)[:7], NOW_MS + 2 * DAY, True),
    ],
)
def test_what_went_out_within_the_stated_minute_or_day_is_a_range_until_it_is_settled(
    shelf: Shelf, store: str, stated: str, gone: int, maybe: bool
) -> None:
    shelf.now_ms = NOW_MS - 60 * DAY
    receive(shelf, store, 100)
    shelf.now_ms = gone
    taken = issue(shelf, store, 10)
    shelf.now_ms = NOW_MS + 3 * DAY
    count(shelf, store, ("L1", 100), at=stated)

    assert balance(shelf, store) == (90, 100 if maybe else 90)
    if maybe:
        other = Shelf("b", now_ms=shelf.now_ms)
        other.receive(shelf)
        settle(shelf, taken, True)
        settle(other, taken, False)
        assert (balance(shelf, store), balance(other, store)) == ((100, 100), (90, 90))


def test_more_than_is_sure_to_be_there_is_asked_about_where_it_is_a_range(
    shelf: Shelf, store: str
) -> None:
    receive(shelf, store, 100)
    shelf.now_ms += HOUR
    count(shelf, store, ("L1", 100))
    issue(shelf, store, 20, at=at(NOW_MS + MINUTE))
    assert balance(shelf, store) == (80, 100)

    issue(shelf, store, 80)
    data = {"item": ITEM, "units": 1, "lot": "L1"}
    error = shelf.refused("stock.issue", data, store=store)
    assert error.values["confirm"] == "beyond_stock"


@pytest.mark.safety(22)
def test_an_older_count_written_down_after_a_newer_one_takes_no_place_of_it(
    shelf: Shelf, store: str
) -> None:
    receive(shelf, store, 100)
    shelf.now_ms += 2 * HOUR
    count(shelf, store, ("L1", 60))
    shelf.now_ms += HOUR
    older = count(shelf, store, ("L1", 80), at=at(NOW_MS + HOUR))

    assert balance(shelf, store) == (60, 80)
    assert table(shelf, store, "balance")[0].counts == 2
    shelf.write("entry.retract", {"fact": older.fact}, reason="the sheet of last week")
    assert balance(shelf, store) == (60, 60)
    # One that states the later time is the last one.
    shelf.now_ms += HOUR
    count(shelf, store, ("L1", 55), at=at(shelf.now_ms - MINUTE))
    assert balance(shelf, store) == (55, 55)


def test_a_count_written_down_later_gives_its_device_no_more_than_it_found(
    shelf: Shelf, store: str
) -> None:
    receive(shelf, store, 100)
    other = Shelf("b", now_ms=shelf.now_ms)
    to = [{"device": str(other.device), "units": 40}]
    shelf.write("allotment.grant", {"item": ITEM, "to": to}, store=store)
    shelf.now_ms += HOUR
    issue(shelf, store, 10)
    shelf.now_ms += HOUR
    count(shelf, store, ("L1", 100), at=at(NOW_MS + HOUR // 2))

    left = {row.device: row.left for row in table(shelf, store, "allotment")}
    assert left == {bytes(shelf.device): 50, bytes(other.device): 40}
    assert sum(left.values()) == stock(shelf, store).low == 90


@pytest.mark.safety(22)
def test_a_receipt_corrected_after_a_count_is_not_added_to_what_was_counted(
    shelf: Shelf, store: str
) -> None:
    came = receive(shelf, store, 100)
    shelf.now_ms += HOUR
    count(shelf, store, ("L1", 100))
    shelf.now_ms += HOUR
    data = {"item": ITEM, "units": 90, "lot": "L1"}
    right = shelf.write("stock.receive", data, store=store, supersedes=[came.fact])

    assert balance(shelf, store) == (100, 190)
    assert stock(shelf, store).unsettled == 1
    settle(shelf, right, True)
    assert balance(shelf, store) == (100, 100)
    assert card_of(shelf, store)[-1][2] == 100
    # Whoever says that it came after the count has said so.
    late = shelf.write(
        "stock.receive", data, store=store, supersedes=[right.fact], at=at(shelf.now_ms)
    )
    assert (balance(shelf, store), len(late.refs)) == ((190, 190), 1)
