"""A lot's last day that was written wrong: stated anew, by whoever sees the package."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.records.stockreports import card
from tests.unit.records_shelf import Shelf
from tests.unit.test_stock_records import ITEM, count, issue, receive, refused, store_of, table

WRONG, RIGHT = "2020-03", "2029-03"


@pytest.fixture
def shelf() -> Shelf:
    return Shelf("a")


@pytest.fixture
def store(shelf: Shelf) -> str:
    found = store_of(shelf)
    receive(shelf, found, 40, expiry=WRONG, sure=["expired_received"])
    return found


def correct(shelf: Shelf, store: str, day: str, lot: str = "L1", why: str = "mistyped") -> Any:
    said = {"item": ITEM, "lot": lot, "expiry": day}
    return shelf.write("lot.release", said, store=store, reason=why)


def day(shelf: Shelf, store: str, lot: str = "L1") -> str:
    from datetime import date, timedelta

    (row,) = [row for row in table(shelf, store, "balance") if row.lot == lot]
    return (date(1970, 1, 1) + timedelta(days=row.expiry_day)).isoformat()[:7]


ISSUE = {"item": ITEM, "lot": "L1", "units": 5}


def test_what_was_mistyped_is_stated_anew_and_then_issued_and_the_first_day_stays_written(
    shelf: Shelf, store: str
):
    assert refused(shelf, "stock.issue", ISSUE, store=store) == ("lot_expired", "data.lot")
    correct(shelf, store, RIGHT)

    assert day(shelf, store) == RIGHT
    issue(shelf, store, 5)
    (moved,) = [row for row in table(shelf, store, "movement") if row.units > 0]
    assert moved.expiry_day == 18352, "what was written is still there: 2020-03-31"
    count(shelf, store, ("L1", 34))
    assert day(shelf, store) == RIGHT


def test_it_takes_a_reason_a_day_and_a_lot_that_is_known(shelf: Shelf, store: str):
    said = {"item": ITEM, "lot": "L1", "expiry": RIGHT}
    assert refused(shelf, "lot.release", said, store=store) == ("reason_needed", "reason")
    other = {**said, "lot": "Z9"}
    assert refused(shelf, "lot.release", other, store=store, reason="x") == (
        "not_found",
        "data.lot",
    )
    bad = {**said, "expiry": "2029-13"}
    assert refused(shelf, "lot.release", bad, store=store, reason="x") == (
        "bad_expiry",
        "data.expiry",
    )


def test_a_day_that_is_stated_anew_lets_nothing_go_that_is_held_back(shelf: Shelf, store: str):
    held = {"item": ITEM, "lot": "L1", "why": "vvm"}
    shelf.write("lot.quarantine", held, store=store)
    correct(shelf, store, RIGHT)
    assert refused(shelf, "stock.issue", ISSUE, store=store) == ("lot_quarantined", "data.lot")


def test_a_correction_taken_back_brings_the_first_day_back(shelf: Shelf, store: str):
    made = correct(shelf, store, RIGHT)
    shelf.write("entry.retract", {"fact": made.fact}, reason="it was the other box")
    assert day(shelf, store) == WRONG
    again = correct(shelf, store, "2030-01")
    correct(shelf, store, "2028-01")
    assert day(shelf, store) == "2028-01", "the last word of whoever knew of the others"
    shelf.write("entry.retract", {"fact": again.fact}, reason="slip")
    assert day(shelf, store) == "2028-01"


def test_what_was_stated_apart_stands_beside_it_and_the_earliest_day_is_used(
    shelf: Shelf, store: str
):
    other = Shelf("b")
    other.receive(shelf)
    correct(shelf, store, RIGHT)
    receive(other, store, 10, expiry="2027-05")
    correct(other, store, "2028-08", why="read from the carton")
    shelf.receive(other)
    other.receive(shelf)

    assert day(shelf, store) == day(other, store) == "2028-08"
    correct(shelf, store, RIGHT)
    other.receive(shelf)
    assert day(shelf, store) == day(other, store) == RIGHT


def test_another_lot_keeps_its_day(shelf: Shelf, store: str):
    receive(shelf, store, 10, "L2", expiry="2027-05")
    correct(shelf, store, RIGHT)
    assert day(shelf, store, "L2") == "2027-05"


def test_what_was_set_aside_before_leaves_with_the_day_that_is_known_now(shelf: Shelf, store: str):
    ward = store_of(shelf, "Ward")
    receive(shelf, store, 10, "L2", expiry="2027-05")
    lines = [{"item": ITEM, "lot": "L2", "units": 5}]
    aside = shelf.write("shipment.reserve", {"to": ward, "lines": lines}, store=store)
    correct(shelf, store, "2027-01", "L2")
    from protocols.ids import DocId
    from protocols.records.history import History
    from protocols.records.shipping import shipping

    shelf.write("shipment.dispatch", {"shipment": str(DocId(aside.subject))}, store=store)
    now = shipping(History(aside.subject, shelf.facts(aside.subject)))
    assert now is not None and now.lines[0].expiry == 20849, "2027-01-31, as it is known now"


def lines_of(shelf: Shelf, store: str) -> list[Any]:
    """What the card lists, the oldest first."""
    found = card(*(table(shelf, store, name) for name in ("movement", "stocktake", "lot_date")))
    return [(line.type, line.lot, line.units, line.balance, line.why) for line in found]


def test_the_card_has_a_line_for_a_day_that_was_stated_anew_which_moves_nothing(
    shelf: Shelf, store: str
):
    made = correct(shelf, store, RIGHT, why="carton says 2029")
    issue(shelf, store, 5)
    # What lets a lot go says nothing of its last day.
    shelf.write("lot.quarantine", {"item": ITEM, "lot": "L1", "why": "vvm"}, store=store)
    shelf.write("lot.release", {"item": ITEM, "lot": "L1"}, store=store, reason="looked at")

    (row,) = table(shelf, store, "lot_date")
    assert (row.expiry_day, row.reason, row.device) == (21639, "carton says 2029", shelf.device)
    assert [each[:2] for each in lines_of(shelf, store)] == [
        ("receive", "L1"), ("expiry", "L1"), ("issue", "L1"),
    ]  # fmt: skip
    assert lines_of(shelf, store)[1] == ("expiry", "L1", 0, 40, "carton says 2029")
    shelf.write("entry.retract", {"fact": made.fact}, reason="slip")
    assert "expiry" not in [each[0] for each in lines_of(shelf, store)]
    assert table(shelf, store, "lot_date")[0].replaced == 2


def test_of_several_who_stated_it_each_has_a_line_of_their_own_on_every_device(
    shelf: Shelf, store: str
):
    other = Shelf("b")
    other.receive(shelf)
    correct(shelf, store, RIGHT, why="mine")
    correct(other, store, "2028-08", why="theirs")
    shelf.receive(other)
    other.receive(shelf)

    assert sorted(each[-1] for each in lines_of(shelf, store) if each[0] == "expiry") == [
        "mine", "theirs",
    ]  # fmt: skip
    assert lines_of(shelf, store) == lines_of(other, store)
