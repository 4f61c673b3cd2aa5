"""Rate, days of cover, expiry before use and what to order: worked by hand, and properties."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.guidelines.items import Reorder, item
from protocols.records import cover as of
from protocols.records.cover import Burn, Change, Cover, Lot, burn, cover, expected_now, reorder
from protocols.records.movement import DAY_MS
from protocols.records.recent import WINDOW_DAYS, changes_from, recent
from protocols.records.stock import BalanceRow, MovementRow, StocktakeRow

TODAY = 20_700
ORS = item("ors-1l-sachet")
PLAN = Reorder(cover_days=30, lead_days=14, safety_days=7)


def used(day: int, units: int) -> Change:
    return Change(TODAY - day, -units, units)


def received(day: int, units: int) -> Change:
    return Change(TODAY - day, units)


# how fast


def test_a_steady_use_is_its_own_rate():
    moved = [received(40, 1_000), *(used(day, 6) for day in range(1, 41))]

    found = burn(moved, 1_000 - 240, TODAY)

    assert found == Burn(Fraction(6), Fraction(6), 28, 0, 168)
    assert not found.guess


def test_days_without_stock_are_left_out():
    # 10 a day for 7 days, then nothing was there for 14 days, then 10 a day for 7.
    moved = [
        received(29, 70),
        *(used(day, 10) for day in range(22, 29)),
        received(7, 500),
        *(used(day, 10) for day in range(1, 8)),
    ]

    found = burn(moved, 430, TODAY)

    assert (found.in_stock_days, found.out_days) == (14, 14)
    assert found.rate == found.reference == 10  # not 140 / 28 = 5


def test_days_with_stock_and_no_use_count():
    found = burn([received(28, 100), used(28, 28)], 72, TODAY)

    assert (found.reference, found.in_stock_days) == (Fraction(1), 28)
    assert 0 < found.rate < 1


def test_the_rate_follows_a_surge_by_the_formula():
    moved = [received(30, 1_000), *(used(day, 4) for day in range(2, 29)), used(1, 32)]

    found = burn(moved, 860, TODAY)

    # (27 * 4 + 32) / 28 = 5; 27 days towards 4, then one of 32.
    assert found.reference == 5
    before = 4 + Fraction(3, 4) ** 27
    assert found.rate == before + (32 - before) / 4
    assert round(float(found.rate), 2) == 11.0


def test_today_and_what_was_long_ago_count_nowhere():
    moved = [received(60, 900), used(50, 300), *(used(d, 2) for d in range(1, 29)), used(0, 400)]

    assert burn(moved, 900 - 300 - 56 - 400, TODAY).rate == 2


def test_what_came_in_today_does_not_hide_that_nothing_was_there():
    found = burn([received(20, 50), used(20, 50), received(0, 100)], 100, TODAY)

    assert (found.in_stock_days, found.out_days, found.reference) == (1, 19, Fraction(50))


def test_what_came_back_was_not_used():
    moved = [received(28, 100), used(3, 10), Change(TODAY - 2, 4, -4)]

    assert burn(moved, 94, TODAY).used == 6


def test_a_store_that_is_new_is_told_as_a_guess():
    found = burn([received(3, 100), used(2, 9), used(1, 3)], 88, TODAY)

    assert (found.in_stock_days, found.guess, found.reference) == (3, True, Fraction(4))


def test_where_nothing_ever_was_no_rate_is_known():
    assert burn([], 0, TODAY) == Burn(None, None, 0, 0, 0)
    assert burn([used(0, 5)], 0, TODAY).rate is None


# for how long


@pytest.mark.parametrize(
    ("lots", "rate", "expected"),
    [
        ([Lot(100)], "10", Cover(Fraction(10), TODAY + 10, 0)),
        ([Lot(105)], "10", Cover(Fraction(21, 2), TODAY + 10, 0)),
        ([], "10", Cover(Fraction(0), TODAY, 0)),
        # 5 days left, today among them: 50 are used, 50 expire.
        ([Lot(100, TODAY + 4)], "10", Cover(Fraction(5), TODAY + 5, 50)),
        # The first 20 last 2 days; 80 within the 8 days after, to day 9 inclusive.
        ([Lot(80, TODAY + 9), Lot(20, TODAY + 1)], "10", Cover(Fraction(10), TODAY + 10, 0)),
        # The second lot has 3 of its 5 days left when the first is gone.
        ([Lot(50, TODAY + 4), Lot(20, TODAY + 1)], "10", Cover(Fraction(5), TODAY + 5, 20)),
        ([Lot(30), Lot(20, TODAY)], "10", Cover(Fraction(4), TODAY + 4, 10)),
        ([Lot(30, TODAY + 3), Lot(10)], "0", Cover(None, None, 30)),
        ([Lot(1_000_000)], "1", Cover(Fraction(of.DAYS_MAX), None, 0)),
    ],
)
def test_days_of_cover_by_hand(lots, rate, expected):
    assert cover(lots, Fraction(rate), TODAY) == expected


def test_what_a_figure_has_probably_come_to():
    assert expected_now(100, Fraction(5, 2), Fraction(3)) == 92
    assert expected_now(5, Fraction(5), Fraction(9)) == 0
    assert expected_now(5, None, Fraction(9)) == 5


# what to order


@pytest.mark.parametrize(
    ("rate", "lots", "on_way", "units", "due"),
    [
        # Level 51 days x 10 = 510; 510 - 200 = 310, in packs of 100: 400; 200 lasts 20 of 21 days.
        ("10", [Lot(200)], 0, 400, True),
        ("10", [Lot(211)], 0, 300, False),  # 21.1 days: not yet, yet 299 are lacking
        ("10", [Lot(200)], 310, 0, False),
        ("10", [Lot(200)], 300, 100, False),
        ("10", [Lot(510)], 0, 0, False),
        ("10", [], 0, 600, True),
        # 150 of the 200 expire before use, so that 460 are lacking.
        ("10", [Lot(200, TODAY + 4)], 0, 500, True),
        ("0", [Lot(3)], 0, 0, False),
    ],
)
def test_orders_by_hand(rate, lots, on_way, units, due):
    burned = Burn(Fraction(rate), Fraction(rate), 28, 0, 280)

    found = reorder(burned, lots, ORS, PLAN, on_way, TODAY)

    assert (found.units, found.due, found.pack_units) == (units, due, 100)
    assert found.packs * found.pack_units == found.units


def test_nothing_is_proposed_where_no_rate_is_known():
    assert reorder(Burn(None, None, 0, 28, 0), [], ORS, PLAN, 0, TODAY) is None


def test_a_vaccine_without_packs_is_ordered_in_whole_vials():
    vaccine = msgspec.structs.replace(item("vaccine-mr-10"), packs=())
    burned = Burn(Fraction(1, 10), Fraction(1, 10), 28, 0, 3)

    assert reorder(burned, [], vaccine, PLAN, 0, TODAY).units == 10


# from rows


def moved_row(day: int, units: int, type: str, **more: Any) -> MovementRow:
    base: dict[str, Any] = {
        "entry": day + 1,
        "idx": 1,
        "kind": 136,
        "standing": 0,
        "device": b"d" * 32,
    }
    at_ms = (TODAY - day) * DAY_MS + 5
    return MovementRow(
        **{**base, "at_ms": at_ms, "store": b"s" * 16, "item": ORS.code, "units": units}
        | {"type": type}
        | more
    )


def test_use_is_what_was_issued_less_what_came_back():
    rows = [
        moved_row(9, 100, "receive"),
        moved_row(8, -10, "issue", why="to-ward"),
        moved_row(7, -5, "dispense"),
        moved_row(6, 3, "return"),
        moved_row(5, -4, "loss", why="damaged"),
        moved_row(4, -20, "issue", why="transfer"),
        moved_row(3, -20, "issue", shipment=b"p" * 16),
        moved_row(2, -2, "adjust"),
        moved_row(1, -7, "issue", replaced=2),
        moved_row(1, -7, "issue", standing=3),
        moved_row(1, -7, "issue", double=1),
    ]

    found = of.changes(rows)

    assert [(TODAY - each.day, each.units, each.used) for each in found] == [
        (9, 100, 0), (8, -10, 10), (7, -5, 5), (6, 3, -3), (5, -4, 0), (4, -20, 0), (3, -20, 0),
        (2, -2, 0),
    ]  # fmt: skip


def test_a_count_that_found_less_is_a_change_and_no_use():
    counted = StocktakeRow(
        entry=5, idx=1, kind=142, standing=0, at_ms=TODAY * DAY_MS, store=b"s" * 16,
        item=ORS.code, lot="A", expiry_day=None, units=40, whole=1, blind=0, book_low=70,
        book_high=70, device=b"d" * 32, used=1, righted=-20,
    )  # fmt: skip
    other = msgspec.structs.replace(counted, idx=1 | 1 << 16, lot="B", units=10)
    gone = msgspec.structs.replace(counted, entry=6, replaced=2)
    # One that a later count took the place of had changed the book, which the later one speaks of.
    before = msgspec.structs.replace(counted, entry=4, at_ms=(TODAY - 1) * DAY_MS, used=0)

    assert of.changes([], [counted, other, gone]) == (Change(TODAY, -20, 0),)
    assert of.changes([], [counted, before]) == (Change(TODAY - 1, -20), Change(TODAY, -20))


def balance_row(lot: str, low: int, high: int, expiry: int | None, held: int = 0) -> BalanceRow:
    return BalanceRow(
        entry=1, idx=1, kind=136, standing=0, at_ms=0, store=b"s" * 16, item=ORS.code, lot=lot,
        expiry_day=expiry, low=low, high=high, quarantined=held, last_ms=0, counted_ms=None,
        counts=0,
    )  # fmt: skip


def test_what_may_be_given_is_neither_expired_nor_held_back():
    rows = [
        balance_row("C", 7, 9, None),
        balance_row("A", 5, 6, TODAY),
        balance_row("X", 5, 5, TODAY - 1),
        balance_row("Q", 5, 5, None, held=5),
        balance_row("N", -3, 2, TODAY + 9),
    ]

    assert of.usable(rows, TODAY) == (Lot(5, TODAY), Lot(0, TODAY + 9), Lot(7))
    assert of.usable(rows, TODAY, most=True) == (Lot(6, TODAY), Lot(2, TODAY + 9), Lot(9))


# properties

lots = st.lists(
    st.builds(Lot, st.integers(0, 500), st.none() | st.integers(TODAY - 3, TODAY + 60)),
    max_size=6,
)
rates = st.fractions(Fraction(1, 20), 60, max_denominator=20)
moves = st.lists(
    st.builds(
        lambda day, units: used(day, units) if units > 0 else received(day, -units),
        st.integers(0, 40),
        st.integers(-200, 60).filter(bool),
    ),
    max_size=30,
)


@given(lots, rates, st.data())
def test_more_stock_never_lasts_fewer_days(held, rate, data):
    more = [lot._replace(units=lot.units + data.draw(st.integers(0, 90))) for lot in held]
    more += data.draw(lots)

    assert cover(more, rate, TODAY).days >= cover(held, rate, TODAY).days


@given(lots, rates, rates)
def test_faster_use_never_lasts_longer_nor_lets_more_expire(held, one, other):
    slow, fast = sorted((one, other))
    at_slow, at_fast = cover(held, slow, TODAY), cover(held, fast, TODAY)

    assert at_fast.days <= at_slow.days
    assert at_fast.expiring <= at_slow.expiring


@given(lots, rates)
def test_what_is_used_and_what_expires_is_what_there_is(held, rate):
    found = cover(held, rate, TODAY)

    used_up = found.days * rate
    whole = sum(lot.units for lot in held)
    if found.out_day is not None:
        assert 0 <= whole - used_up - found.expiring < 1


@given(moves, st.integers(0, 900), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(moved, on_hand, random):
    shuffled = list(moved)
    random.shuffle(shuffled)

    assert burn(shuffled, on_hand, TODAY) == burn(moved, on_hand, TODAY)


@given(moves, st.integers(0, 900))
def test_a_rate_is_never_below_nothing_and_days_add_up(moved, on_hand):
    found = burn(moved, on_hand, TODAY)

    assert found.in_stock_days + found.out_days <= of.WINDOW_DAYS
    assert (found.rate is None) == (found.in_stock_days == 0)
    assert found.rate is None or (found.rate >= 0 and found.reference >= 0)


@given(lots, rates, st.integers(0, 900), st.integers(0, 900))
def test_more_on_its_way_never_orders_more(held, rate, one, other):
    burned = Burn(rate, rate, 28, 0, 1)
    less, more = sorted((one, other))

    first = reorder(burned, held, ORS, PLAN, less, TODAY)
    second = reorder(burned, held, ORS, PLAN, more, TODAY)

    assert second.units <= first.units
    assert first.units % 100 == 0
    assert first.counted + first.units >= first.level


@given(moves, lots, st.integers(0, 900))
def test_whole_numbers_come_to_the_same_as_the_formulas(moved, held, on_hand):
    told = burn(moved, on_hand, TODAY)
    uses = of._uses(_by_day(moved), _window(moved), on_hand)
    rate = told.reference
    for each in uses:
        rate += (each - rate) * Fraction(2, of.SPAN_DAYS + 1)
    assert told.rate == (max(rate, Fraction(0)) if uses else None)
    if not told.rate:
        return

    lasts, expiring = Fraction(0), Fraction(0)
    for lot in sorted(held, key=of._first_out):
        whole = gives = lot.units / told.rate
        if lot.expiry_day is not None:
            gives = min(whole, max(Fraction(0), lot.expiry_day + 1 - TODAY - lasts))
        lasts, expiring = lasts + gives, expiring + (whole - gives) * told.rate
    assert cover(held, told.rate, TODAY)[::2] == (min(lasts, of.DAYS_MAX), expiring // 1)


def _by_day(moved: list[Change]) -> dict[int, tuple[int, int]]:
    return {
        day: (
            sum(c.units for c in moved if c.day == day),
            sum(c.used for c in moved if c.day == day),
        )
        for day in {change.day for change in moved}
    }


def _window(moved: list[Change]) -> range:
    first = min((change.day for change in moved), default=TODAY)
    return range(max(TODAY - of.WINDOW_DAYS, first), TODAY)


MOVED = st.tuples(st.integers(0, 60), st.integers(1, 40), st.sampled_from(("receive", "issue")))


@given(st.lists(MOVED, max_size=30), st.integers(0, 40))
def test_what_lies_beside_a_balance_gives_the_rate_that_all_movements_give(moved, later):
    rows = [moved_row(day, -units if how == "issue" else units, how) for day, units, how in moved]
    today, on_hand = TODAY + later, 500
    raw = recent(rows)

    lately = changes_from(raw, today - WINDOW_DAYS, today)

    assert lately is not None
    assert burn(lately, on_hand, today) == burn(of.changes(rows), on_hand, today)
    # It stays small however much was moved before.
    assert len(raw) <= 16 + 12 * (WINDOW_DAYS + 1)
