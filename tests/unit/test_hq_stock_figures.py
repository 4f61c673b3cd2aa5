"""Each figure of HQ's stock page by what it is worked out from, and how old it is told to be."""

from __future__ import annotations

import csv
import io

import pytest

from hq import stockbook
from hq.depots import KEPT_MS, Depots
from hq.hints import Hints
from hq.shown import iso
from hq.stores import card_lines
from hq.tables import csv_text
from protocols.ids import SiteId
from protocols.records.display import clean_text
from protocols.records.movement import stock_subject
from tests.unit.hq_book import HOUR, MINUTE, NOW_MS, TestBook
from tests.unit.hq_stores import AMOX, DAY, MR, ORS, TODAY, Shelves, used_daily
from tests.unit.test_hq_belonging import text
from tests.unit.test_hq_web import house_of

THREE_H = 3 * HOUR


def store_of(*clocks: int | None) -> tuple[TestBook, bytes, Shelves]:
    """One store, and devices 1, 2, ... linked an hour ago, whose clocks are so far ahead."""
    book = TestBook()
    for number, ahead_ms in enumerate(clocks or (0,), 1):
        book.device(number, f"Tablet {number}", NOW_MS - HOUR, ahead_ms=ahead_ms)
    return book, book.site(1, "Nord"), Shelves(book)


async def lines_of(book: TestBook) -> list:
    return list((await Depots(book, Hints(book, "run")).now(NOW_MS)).lines)


@pytest.mark.parametrize(
    "more",
    [
        {"why": "transfer"},
        {"shipment": b"s" * 16},
        {"type": "loss"},
        {"type": "adjust"},
        {"standing": 1},
        {"replaced": 2},
        {"double": 1},
    ],
)
async def test_what_left_and_was_not_used_is_in_no_rate(more):
    book, nord, shelves = store_of()
    used_daily(shelves, nord, ORS, 10)
    for back in range(1, 29):
        shelves.move(nord, ORS, -30, NOW_MS - back * DAY, **more)
    shelves.holds(nord, ORS, 100, NOW_MS - HOUR)

    (line,) = await lines_of(book)

    assert (line.burn.rate, line.days) == (10, 10)


async def test_a_lot_of_which_perhaps_something_is_there_is_on_the_line_with_what_it_may_be():
    book, nord, shelves = store_of()
    lots = [("MAYBE", 0, 40, TODAY + 9, 0), ("GONE", 0, 0, TODAY + 9, 0)]
    shelves.holds(nord, ORS, 0, NOW_MS - HOUR, high=40, lots=lots)

    (line,) = await lines_of(book)

    assert [(lot.lot, lot.high) for lot in line.lots] == [("MAYBE", 40)]
    assert (line.expiring, line.usable) == (40, 0)
    # Perhaps something is there: then nobody says that nothing is.
    assert "out" not in line.marks


async def test_what_probably_is_left_is_by_the_least_there_was():
    book, nord, shelves = store_of()
    book.db.execute("UPDATE peer SET whole_ms = 0")
    shelves.move(nord, ORS, 5_000, NOW_MS - 60 * DAY)
    for back in range(3, 40):
        shelves.move(nord, ORS, -10, NOW_MS - back * DAY)
    shelves.holds(nord, ORS, 100, NOW_MS - 3 * DAY, high=160)

    (line,) = await lines_of(book)

    assert (line.silent_days, line.expected) == (3, 70)


async def test_what_expired_while_the_store_was_silent_is_told_as_expired_today():
    book, nord, shelves = store_of()
    book.db.execute("UPDATE peer SET whole_ms = 0")
    shelves.holds(nord, ORS, 90, NOW_MS - 4 * DAY, lots=[("L1", 90, 90, TODAY - 1, 0)])

    (line,) = await lines_of(book)

    assert (line.silent_days, line.expired, line.expiring) == (4, 90, 0)


async def test_a_recall_and_a_day_gone_by_change_a_line_of_which_no_row_changed():
    book, nord, shelves = store_of()
    shelves.holds(nord, ORS, 90, NOW_MS - HOUR, lots=[("L1", 90, 90, TODAY + 1, 0)])
    kept = Depots(book, Hints(book, "run"))
    (line,) = (await kept.now(NOW_MS)).lines
    assert (line.recalled, line.usable, line.expired) == (0, 90, 0)

    shelves.recall(ORS, "L1", NOW_MS)
    (line,) = (await kept.now(NOW_MS + KEPT_MS)).lines
    assert (line.recalled, line.usable) == (90, 0)

    (line,) = (await kept.now(NOW_MS + 2 * DAY)).lines
    assert (line.today, line.expired) == (TODAY + 2, 90)


@pytest.mark.parametrize("clocks", [(THREE_H, 0), (0, THREE_H), (THREE_H, -9 * HOUR)])
async def test_the_clock_that_makes_a_store_look_younger_is_the_one_that_is_taken_off(clocks):
    book, nord, shelves = store_of(*clocks)
    shelves.holds(nord, ORS, 90, NOW_MS - HOUR, feed=1, counted_ms=NOW_MS - 2 * HOUR)
    shelves.holds(nord, AMOX, 9, NOW_MS - MINUTE, feed=2)

    lines = {line.stock.item: line for line in await lines_of(book)}

    assert lines[ORS].ahead_ms == lines[AMOX].ahead_ms == THREE_H
    assert lines[ORS].last_ms == NOW_MS - HOUR - THREE_H
    assert lines[ORS].counted_ms == NOW_MS - 2 * HOUR - THREE_H
    assert lines[AMOX].counted_ms is None


async def test_the_table_tells_the_age_of_each_figure_and_up_to_when_the_store_is_known():
    book, nord, shelves = store_of(THREE_H)
    shelves.holds(nord, ORS, 90, NOW_MS - HOUR, counted_ms=NOW_MS - 2 * HOUR)
    house = await house_of(book)
    await house.enter()
    raw = await (await house.get("/stock.csv")).text()
    page = await text(house, "/stock", "en")
    await house.client.close()

    (row,) = csv.DictReader(io.StringIO(raw))
    assert (row["as_of"], row["counted_at"], row["store_known_at"]) == (
        iso(NOW_MS - HOUR - THREE_H), iso(NOW_MS - 2 * HOUR - THREE_H), iso(NOW_MS - HOUR),
    )  # fmt: skip
    assert "a clock there is about 3 h ahead" in page


async def test_a_store_is_known_up_to_the_latest_that_is_known_of_it():
    book, nord, shelves = store_of(None, None)
    book.db.execute("UPDATE peer SET whole_ms = 0 WHERE name = 'Tablet 2'")
    shelves.holds(nord, ORS, 90, NOW_MS - MINUTE, feed=2)
    shelves.holds(nord, AMOX, 9, NOW_MS - 9 * DAY, feed=1)

    lines = await Depots(book, Hints(book, "run")).now(NOW_MS)

    assert lines.known == {nord: NOW_MS - MINUTE}


async def test_what_nobody_knows_stands_before_what_nobody_uses():
    book, nord, shelves = store_of()
    pont = book.site(2, "Pont")
    book.device(2, None)
    shelves.holds(nord, ORS, 90, NOW_MS - HOUR)
    shelves.holds(pont, MR, 90, NOW_MS - 40 * DAY, feed=2)

    assert [line.stock.item for line in await lines_of(book)] == [MR, ORS]


async def test_a_movement_written_twice_is_in_no_balance_of_the_card():
    book, nord, shelves = store_of()
    shelves.move(nord, ORS, 100, NOW_MS - 3 * HOUR)
    shelves.move(nord, ORS, -30, NOW_MS - 2 * HOUR)
    shelves.move(nord, ORS, -30, NOW_MS - 2 * HOUR, double=1)
    shelves.move(nord, ORS, -5, NOW_MS - HOUR, standing=1)
    shelves.move(nord, ORS, -7, NOW_MS - MINUTE, replaced=2)
    shelves.holds(nord, ORS, 70, NOW_MS - HOUR)
    (line,) = await lines_of(book)
    _, moves, counts = await stockbook.card(book, bytes(stock_subject(SiteId(nord), ORS)))

    shown = card_lines(moves, counts, line)

    assert [(each.moved.units, each.after) for each in shown] == [
        (-7, None), (-5, None), (-30, None), (-30, 70), (100, 100),
    ]  # fmt: skip


@pytest.mark.parametrize("more", [{"unsettled": 1}, {"high": 80}])
async def test_a_card_tells_no_balance_while_anything_is_unsettled(more):
    book, nord, shelves = store_of()
    shelves.move(nord, ORS, 70, NOW_MS - 3 * HOUR)
    shelves.holds(nord, ORS, 70, NOW_MS - HOUR, **more)
    (line,) = await lines_of(book)
    _, moves, counts = await stockbook.card(book, bytes(stock_subject(SiteId(nord), ORS)))

    assert [each.after for each in card_lines(moves, counts, line)] == [None]


@pytest.mark.parametrize("words", ["\x1b=1+1", "\u202e@x", "\x00-1", "\u2066+1"])
def test_what_is_hidden_before_a_formula_does_not_let_it_pass(words):
    (_, cell) = csv_text(("a",), [(words,)]).split()
    assert cell.startswith("'") and clean_text(cell) == cell
