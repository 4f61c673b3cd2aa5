"""The ledger of a store page by page: all of it once, in order, in memory that does not grow."""

from __future__ import annotations

import tracemalloc
from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest

from protocols.errors import InputError
from protocols.ids import SiteId
from protocols.ledger import stores
from protocols.live import stocklists
from protocols.records.lots import LotDateRow
from protocols.records.shape import columns
from protocols.records.stock import MovementRow, StocktakeRow
from protocols.records.stockreports import card
from protocols.records.stockreports import ledger as in_order
from tests.unit.stage import Device, Stage, camp, line

ITEM = "ors-1l-sachet"
MANY = 200_000
PAGE_BYTES_MOST = 6_000_000
"""Of what Python holds for one page: 1 500 rows of 20 cells, with the rows they are made of."""


class Keeper:
    """One device with a store in which a little was moved."""

    def __init__(self) -> None:
        self.stage, (self.ann,) = Stage(), camp(("ann",))
        self.store = self.said(line("site.register", {"name": "Depot", "type": "store"}))
        for at, (lot, units) in enumerate((("A1", 100), ("B2", 40), ("A1", 7))):
            data = {"item": ITEM, "lot": lot, "units": units}
            self.said(line("stock.receive", data, store=self.store, at=f"2026-01-0{at + 1}"))
            gone = {**data, "units": units // 2}
            self.said(line("stock.issue", gone, store=self.store, at=f"2026-01-0{at + 1}"))

    def said(self, *lines: Any) -> str:
        answers = self.stage.write(self.ann, *lines)
        assert all(answer.ok for answer in answers), answers
        return answers[0].id or ""

    @property
    def device(self) -> Device:
        return self.ann

    def copied(self, times: int) -> None:
        """Fill the table with that many more rows like the last one, each at its own instant."""
        names = [name for name, _ in columns(MovementRow)]
        new = {"idx": "n + 1000", "at_ms": "at_ms + (n * 7919) % 100003", "units": "1 - n % 5"}
        self.ann.store.execute(
            "WITH RECURSIVE more(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM more WHERE n < ?)"
            f" INSERT INTO movement (subject, changed, {', '.join(names)})"
            f" SELECT subject, changed, {', '.join(new.get(name, name) for name in names)}"
            " FROM more, (SELECT * FROM movement ORDER BY entry DESC LIMIT 1)",
            (times,),
        )

    def page(self, **asked: Any) -> dict[str, Any]:
        args = {"report": "ledger", "store": self.store, **asked}
        return stocklists.report(self.ann.node, self.stage.now(self.ann), args)

    def pages(self, **asked: Any) -> Iterator[dict[str, Any]]:
        after = None
        while True:
            page = self.page(after=after, **asked)
            yield page
            after = page["after"]
            if not page["more"]:
                return

    @property
    def rows(self) -> list[MovementRow]:
        now_ms = self.stage.now(self.ann).wall_ms
        site = SiteId.parse(self.store)
        return stores.rows_of(self.ann.ledger, MovementRow, site, None, now_ms)


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


def test_pages_together_are_every_movement_once_the_oldest_first(keeper: Keeper):
    keeper.copied(40)
    said = [tuple(row) for page in keeper.pages(limit=7) for row in page["rows"]]

    wanted = in_order(keeper.rows)
    assert len(said) == len(wanted) == 46
    assert [(row[1], row[2], row[4]) for row in said] == [
        (row.item, row.lot, row.units) for row in wanted
    ]
    assert [len(page["rows"]) for page in keeper.pages(limit=7)] == [7] * 6 + [4]
    only = [row for page in keeper.pages(item="zinc-20-tab") for row in page["rows"]]
    assert only == []


def test_what_is_written_between_two_pages_moves_no_row_out_of_them(keeper: Keeper):
    first = keeper.page(limit=2)
    early = {"item": ITEM, "lot": "Z9", "units": 3}
    keeper.said(line("stock.receive", early, store=keeper.store, at="2025-12-01"))
    late = {"item": ITEM, "lot": "Z8", "units": 3}
    keeper.said(line("stock.receive", late, store=keeper.store, at="2026-02-01"))

    said, after = list(first["rows"]), first["after"]
    while after is not None:
        page = keeper.page(after=after, limit=2)
        said, after = said + page["rows"], page["after"]
    assert [row[2] for row in said] == ["A1", "A1", "B2", "B2", "A1", "A1", "Z8"]


@pytest.mark.parametrize("after", [3, "x", [1], [1, 1, "i", "l", "zz", 1, 1], [None] * 7])
def test_what_is_no_place_is_refused(keeper: Keeper, after):
    with pytest.raises(InputError) as refused:
        keeper.page(after=after)
    assert refused.value.code == "bad_value"


def test_two_hundred_thousand_movements_are_told_in_bounded_memory(keeper: Keeper):
    keeper.copied(MANY)
    keeper.page()
    tracemalloc.start()
    try:
        told, at = 0, ""
        for number, page in enumerate(keeper.pages()):
            told += len(page["rows"])
            assert at <= page["rows"][0][0]
            at = page["rows"][-1][0]
            if number == 5:
                break
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert told == 6 * stocklists.PAGE_ROWS
    assert peak < PAGE_BYTES_MOST, peak


# cards and registers, which add up as they go


MORPHINE = "morphine-10-amp"


def of_card(keeper: Keeper, name: str, limit: int | None = None, **asked: Any) -> list[Any]:
    asked |= {"limit": limit} if limit else {}
    pages = list(islice(keeper.pages(report=name, **asked), 100))
    assert all(len(page["rows"]) == limit for page in pages[:-1]) or limit is None
    assert [page["after"] is None for page in pages] == [False] * (len(pages) - 1) + [True]
    return [tuple(row) for page in pages for row in page["rows"]]


def furnished() -> Keeper:
    """Movements and counts of two controlled items and another, of some instants several."""
    keeper = Keeper()
    controlled = ("morphine-10-amp", "ketamine-500-vial")
    for code in (*controlled, ITEM):
        for at in range(5):
            about = {"store": keeper.store, "at": f"2026-02-0{1 + at // 2}"}
            data = {"item": code, "lot": f"L{at % 2}", "units": 9 - at}
            keeper.said(line("stock.receive", {**data, "expiry": "2027-05"}, **about))
            witness = {"witness": "R. Amin"} if code in controlled else {}
            gone = {**data, "units": 2, **witness}
            keeper.said(line("stock.issue", gone, **about))
        for at in range(4):
            # What was taken back is on no card, and fills no page.
            wrong = {"item": code, "lot": "L0", "units": 3 + at}
            fact = keeper.said(line("stock.receive", wrong, store=keeper.store, at="2026-01-20"))
            keeper.said(line("entry.retract", {"fact": fact}, reason="twice"))
        counted = [{"lot": "L0", "units": 11}, {"lot": "L1", "units": 8}]
        keeper.said(line("stock.count", {"item": code, "lots": counted}, store=keeper.store))
        said = {"item": code, "lot": "L0", "expiry": "2028-01"}
        keeper.said(line("lot.release", said, store=keeper.store, reason="carton"))
    return keeper


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 1_000])
def test_pages_of_a_card_are_the_card_with_its_balance_running_on(limit):
    keeper = furnished()
    for code in (MORPHINE, ITEM):
        now_ms = keeper.stage.now(keeper.ann).wall_ms
        tables: tuple[type[Any], ...] = (MovementRow, StocktakeRow, LotDateRow)
        read = [
            stores.rows_of(keeper.ann.ledger, each, SiteId.parse(keeper.store), code, now_ms)
            for each in tables
        ]
        wanted = [(one.type, one.lot, one.units, one.balance) for one in card(*read)]
        told = of_card(keeper, "card", limit, item=code)
        assert [(row[1], row[2], row[4], row[5]) for row in told] == wanted
        assert {row[1] for row in told} == {"receive", "issue", "count", "expiry"}
    assert of_card(keeper, "card", limit, item="zinc-20-tab") == []


@pytest.mark.parametrize("limit", [1, 4, 11, 12, 13, 1_000])
def test_pages_of_the_register_are_the_cards_of_its_items_one_after_the_other(limit):
    keeper = furnished()
    told = of_card(keeper, "register", limit)
    cards = [
        (code, *row)
        for code in ("ketamine-500-vial", MORPHINE)
        for row in of_card(keeper, "card", item=code)
    ]
    assert told == cards
    only = of_card(keeper, "register", limit, item=MORPHINE)
    assert only == [row for row in cards if row[0] == MORPHINE]
    assert of_card(keeper, "register", limit, item=ITEM) == [], "it takes no witness"


def test_of_a_long_card_no_more_is_read_than_is_told():
    keeper = Keeper()
    keeper.copied(MANY // 4)
    keeper.page(report="card", item=ITEM)
    tracemalloc.start()
    try:
        told = 0
        for number, page in enumerate(keeper.pages(report="card", item=ITEM)):
            told += len(page["rows"])
            if number == 2:
                break
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert told == 3 * stocklists.PAGE_ROWS
    assert peak < PAGE_BYTES_MOST, peak


PLACE = ["i", 1, 1, "receive", "L", "00", "", "", 1, 1, 5]


@pytest.mark.parametrize("report", ["card", "register"])
@pytest.mark.parametrize(
    "after", [3, "x", [1], [*PLACE[:5], "zz", *PLACE[6:]], [*PLACE, 1], [None] * 11]
)
def test_what_is_no_place_on_a_card_is_refused(keeper: Keeper, report, after):
    with pytest.raises(InputError) as refused:
        keeper.page(report=report, item=ITEM, after=after)
    assert refused.value.code == "bad_value"
