"""Reports of a store: cards and registers that add up, expiry, losses; packing lists; tables."""

from __future__ import annotations

import csv
import io
import unicodedata
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InputError
from protocols.guidelines.items import shipped_items
from protocols.ids import SiteId
from protocols.live.sentences import sentence
from protocols.live.stocktable import (
    COLUMNS,
    LINES_MAX,
    cell_text,
    read_list,
    record_lines,
    table_text,
)
from protocols.records.movement import DAY_MS, stock_subject
from protocols.records.stock import BalanceRow, MovementRow
from protocols.records.stockreports import bucket, card, expiry, ledger, losses, register
from tests.unit.records_shelf import NOW_MS, Shelf

ORS, MORPHINE = "ors-1l-sachet", "morphine-10-amp"
TODAY = NOW_MS // DAY_MS
PACK = shipped_items()


class Keeper:
    """One store, written by hand."""

    def __init__(self) -> None:
        self.shelf = Shelf()
        site = self.shelf.write("site.register", {"name": "Store", "type": "store"})
        self.raw = bytes(site.subject)
        self.store = str(SiteId(site.subject))

    def write(self, kind: str, item: str, **data: Any) -> Any:
        line = {k: data.pop(k) for k in ("confirm", "reason", "patient") if k in data}
        self.shelf.now_ms += 60_000
        return self.shelf.write(kind, {"item": item, **data}, store=self.store, **line)

    def rows(self, table: str, item: str) -> list[Any]:
        return self.shelf.table(stock_subject(self.raw, item), table)

    def card(self, item: str) -> Any:
        return card(self.rows("movement", item), self.rows("stocktake", item))


def kept() -> Keeper:
    """A store with a week behind it."""
    keeper = Keeper()
    keeper.write("stock.receive", ORS, lot="A", expiry="2027-03", units=100, why="opening-balance")
    keeper.write("stock.issue", ORS, lot="A", units=30, why="to-ward")
    keeper.write("stock.loss", ORS, lot="A", units=5, why="damaged")
    keeper.write("stock.return", ORS, lot="A", units=2)
    keeper.write("stock.count", ORS, lots=[{"lot": "A", "units": 60}])
    keeper.write("stock.adjust", ORS, lot="A", units=-3, reason="dropped", why="missing")
    keeper.write("stock.loss", ORS, lot="A", units=1, why="damaged")
    return keeper


def test_a_card_has_every_movement_and_ends_with_what_is_there():
    keeper = kept()

    lines = keeper.card(ORS)

    assert [(line.type, line.units, line.balance) for line in lines] == [
        ("receive", 100, 100),
        ("issue", -30, 70),
        ("loss", -5, 65),
        ("return", 2, 67),
        ("count", -7, 60),
        ("adjust", -3, 57),
        ("loss", -1, 56),
    ]
    (stock,) = keeper.rows("stock", ORS)
    assert stock.low == stock.high == 56


def test_a_card_goes_on_through_every_count_to_what_is_there():
    keeper = kept()
    keeper.write("stock.issue", ORS, lot="A", units=6, why="to-ward")
    keeper.write("stock.count", ORS, lots=[{"lot": "A", "units": 47}])
    keeper.write("stock.issue", ORS, lot="A", units=2, why="to-ward")

    told = [(line.type, line.units, line.balance) for line in keeper.card(ORS)]
    assert ("count", -7, 60) in told
    assert told[-2:] == [("count", -3, 47), ("issue", -2, 45)]
    (stock,) = keeper.rows("stock", ORS)
    assert stock.low == stock.high == 45


def test_a_count_that_found_nothing_is_a_line_of_the_card():
    keeper = kept()
    keeper.write("stock.count", ORS, lots=[])
    keeper.write("stock.receive", ORS, lot="B", expiry="2027-03", units=30)

    (*_, nothing, came) = keeper.card(ORS)
    assert (nothing.type, nothing.units, nothing.balance) == ("count", -56, 0)
    assert (came.units, came.balance) == (30, 30)


def test_what_is_taken_back_after_a_count_leaves_the_card_ending_with_what_was_counted():
    keeper = Keeper()
    wrong = keeper.write("stock.receive", ORS, lot="A", expiry="2027-03", units=100)
    keeper.write("stock.count", ORS, lots=[{"lot": "A", "units": 98}])
    keeper.shelf.write("entry.retract", {"fact": wrong.fact}, reason="another store's")

    assert [(line.type, line.units, line.balance) for line in keeper.card(ORS)] == [
        ("count", 98, 98)
    ]
    (stock,) = keeper.rows("stock", ORS)
    assert stock.low == stock.high == 98


def test_the_register_of_controlled_items_runs_on_through_two_counts():
    keeper = Keeper()
    keeper.write("stock.receive", MORPHINE, lot="M", expiry="2027-01", units=20)
    keeper.write("stock.count", MORPHINE, lots=[{"lot": "M", "units": 19}])
    keeper.write("stock.count", MORPHINE, lots=[{"lot": "M", "units": 17}])

    lines = register(
        keeper.rows("movement", MORPHINE), keeper.rows("stocktake", MORPHINE), lambda _: True
    )
    assert [line.balance for _, line in lines] == [20, 19, 17]


def test_what_was_taken_back_is_on_the_ledger_and_not_on_the_card():
    keeper = kept()
    wrong = keeper.write("stock.issue", ORS, lot="A", units=20, why="to-ward")
    keeper.shelf.write("entry.retract", {"fact": wrong.fact}, reason="wrong store")

    assert keeper.card(ORS)[-1].balance == 56
    rows = ledger(keeper.rows("movement", ORS))
    assert [row.replaced for row in rows].count(2) == 1
    assert [row.at_ms for row in rows] == sorted(row.at_ms for row in rows)


def test_the_register_is_of_controlled_items_alone_with_witness_and_balance():
    keeper = kept()
    keeper.write("stock.receive", MORPHINE, lot="M", expiry="2027-01", units=10)
    keeper.write("stock.issue", MORPHINE, lot="M", units=2, witness="J. Cho", why="to-ward")

    def all_of(table: str) -> list[Any]:
        return [*keeper.rows(table, ORS), *keeper.rows(table, MORPHINE)]

    lines = register(all_of("movement"), all_of("stocktake"), lambda item: item == MORPHINE)

    assert [(item, line.units, line.balance, line.witness) for item, line in lines] == [
        (MORPHINE, 10, 10, ""),
        (MORPHINE, -2, 8, "J. Cho"),
    ]


def test_losses_add_up_by_item_and_reason():
    keeper = kept()
    rows = keeper.rows("movement", ORS)

    found = losses(rows, 0, NOW_MS + DAY_MS)

    assert [(line.why, line.units, line.times) for line in found] == [
        ("damaged", 6, 2),
        ("missing", 3, 1),
    ]
    assert losses(rows, NOW_MS + DAY_MS, NOW_MS + 2 * DAY_MS) == ()
    last = rows[-1].at_ms
    assert sum(line.units for line in losses(rows, last, last + 1)) == 1
    assert losses(rows, last - 1, last) == ()


@pytest.mark.parametrize(
    ("days", "name"),
    [
        (-1, "expired"), (0, "30"), (30, "30"), (31, "60"), (60, "60"), (61, "90"), (90, "90"),
        (91, "180"), (180, "180"), (181, "later"), (None, "none"),
    ],
)  # fmt: skip
def test_buckets_at_each_limit(days, name):
    assert bucket(None if days is None else TODAY + days, TODAY) == name


def test_expiry_lists_what_may_be_there_the_first_to_expire_first():
    def lot(name: str, low: int, high: int, day: int | None) -> BalanceRow:
        return BalanceRow(
            entry=1, idx=1, kind=136, standing=0, at_ms=0, store=b"s" * 16, item=ORS, lot=name,
            expiry_day=day, low=low, high=high, quarantined=0, last_ms=0, counted_ms=None, counts=0,
        )  # fmt: skip

    rows = [
        lot("N", 1, 1, None),
        lot("B", 0, 4, TODAY + 10),
        lot("A", 2, 2, TODAY - 3),
        lot("0", 0, 0, TODAY - 9),
    ]

    found = expiry(rows, TODAY)

    said = [(line.lot, line.bucket, line.days, line.low, line.high) for line in found]
    assert said == [("A", "expired", -3, 2, 2), ("B", "30", 10, 0, 4), ("N", "none", None, 1, 1)]


moves = st.lists(
    st.tuples(st.sampled_from(["receive", "issue", "loss", "return"]), st.integers(1, 50)),
    min_size=1,
    max_size=12,
)


@given(moves, st.randoms(use_true_random=False))
def test_a_card_is_the_same_in_any_order_and_reconciles(moved, random):
    rows = [
        MovementRow(
            entry=at, idx=1, kind=136, standing=0, at_ms=at // 2, store=b"s" * 16, item=ORS,
            units=units if name in ("receive", "return") else -units, type=name, device=b"d" * 32,
        )
        for at, (name, units) in enumerate(moved)
    ]  # fmt: skip
    elsewhere = [msgspec.structs.replace(row, entry=random.randint(0, 99)) for row in rows]
    random.shuffle(elsewhere)

    assert card(elsewhere) == card(rows)
    assert card(rows)[-1].balance == sum(row.units for row in rows)
    lost = -sum(row.units for row in rows if row.type == "loss")
    assert sum(line.units for line in losses(rows, 0, 99)) == lost


# packing lists

LIST = """item,lot,expiry,units,packs,pack_size
ors-1l-sachet,A1,2027-03,,10,100
ringer-lactate-1l, b7 ,2027-04-30,24,,
tourniquet,,,12,,
"""


def read(text: str) -> Any:
    return read_list(text.encode(), PACK, NOW_MS)


def test_a_list_is_read_by_its_columns():
    found = read(LIST)

    assert found.faults == ()
    assert [(e.line, e.item, e.lot, e.expiry, e.units, e.packs) for e in found.entries] == [
        (2, ORS, "A1", "2027-03", 1000, (10, 100)),
        (3, "ringer-lactate-1l", "B7", "2027-04-30", 24, None),
        (4, "tourniquet", "", "", 12, None),
    ]
    assert read(LIST.replace(",", ";")).entries == found.entries
    assert read("\ufeff" + LIST.replace("\n", "\r\n")).entries == found.entries
    assert read(LIST.replace("A1", '"A1"') + "\n\n ,,,,,\n").entries == found.entries


def test_what_a_list_comes_to_is_one_receipt_a_line_with_lasting_keys():
    raw = LIST.encode()
    lines = record_lines(raw, read(LIST).entries, "sit_x", "donation", {"confirm": ["x"]})

    assert [line["data"].get("packs") for line in lines] == [{"count": 10, "size": 100}, None, None]
    assert lines == record_lines(raw, read(LIST).entries, "sit_x", "donation", {"confirm": ["x"]})
    other = record_lines(raw, read(LIST).entries, "sit_y", "donation", {})
    assert not {line["key"] for line in lines} & {line["key"] for line in other}
    assert all(line["source"] == "import" for line in lines)


@pytest.mark.parametrize(
    ("old", "new", "code", "field"),
    [
        ("tourniquet", "turniket", "unknown_item", "line 4 item"),
        ("2027-04-30", "30/04/2027", "bad_expiry", "line 3 expiry"),
        ("2027-03", "2027-13", "bad_expiry", "line 2 expiry"),
        (",12,", ",12.5,", "not_whole", "line 4 units"),
        (",12,", ',"1,200",', "not_whole", "line 4 units"),
        (",12,", ",-3,", "out_of_range", "line 4 units"),
        (",12,", ",0,", "out_of_range", "line 4 units"),
        (",12,", ",,", "missing_field", "line 4 units"),
        ("10,100", "10,", "missing_field", "line 2 pack_size"),
        ("10,100", ",100", "missing_field", "line 2 packs"),
        ("2027-03,,10", "2027-03,999,10", "packs_differ", "line 2 units"),
        ("10,100", "1000000,1000000", "out_of_range", "line 2 packs"),
        ("A1", "A" * 21, "too_long", "line 2 lot"),
        ("12,,", "12,,,extra", "table_value", "line 4"),
    ],
)
def test_a_fault_names_line_and_column(old, new, code, field):
    assert old in LIST
    (fault,) = read(LIST.replace(old, new, 1)).faults

    assert (fault.code, fault.field) == (code, field)
    assert field in sentence(fault)


def test_all_faults_are_told_at_once():
    found = read("item,units\nnothing,1\ntourniquet,x\ntourniquet,3\n")

    assert [fault.field for fault in found.faults] == ["line 2 item", "line 3 units"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", "table_value"),
        ("item,units\n", "table_value"),
        ("lot,units\nA,3\n", "table_value"),
        ("item,units,colour\ntourniquet,3,red\n", "table_value"),
        ("item,units,units\ntourniquet,3,3\n", "table_value"),
        ("item,units\n" + "tourniquet,3\n" * (LINES_MAX + 1), "table_value"),
        ('item,units\n"tourniquet,3\n', "table_unreadable"),
        ("x" * 300_000, "table_unreadable"),
    ],
)
def test_what_is_no_list_is_refused_whole(text, code):
    with pytest.raises(InputError) as refused:
        read(text)
    assert refused.value.code == code


def test_the_longest_list_is_taken():
    assert len(read("item,units\n" + "tourniquet,3\n" * LINES_MAX).entries) == LINES_MAX


@given(st.binary(max_size=200), st.text(alphabet=" ,;\n\"'abc-0123é=", max_size=120))
def test_whatever_comes_is_read_or_refused(raw, text):
    for given_ in (raw, b"item,units\n" + raw, (",".join(COLUMNS) + "\n" + text).encode()):
        try:
            read_list(given_, PACK, NOW_MS)
        except InputError as error:
            code = error.code
            assert code in ("table_value", "table_unreadable")


# tables out


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t=", "\r=", " =", "\u200b=", "\uff1d"])
def test_no_cell_of_text_is_a_formula(sign):
    text = table_text(("a", "b"), [(f"{sign}1+cmd|' /C calc'!A0", -5)])

    ((_, _), (cell, number)) = csv.reader(io.StringIO(text))
    assert cell.startswith("'")
    assert number == "-5"


@given(st.lists(st.tuples(st.text(max_size=30), st.integers() | st.none()), max_size=5))
def test_a_table_is_read_back_line_for_line(rows):
    found = list(csv.reader(io.StringIO(table_text(("a", "b"), rows), newline="")))

    assert found == [["a", "b"], *([cell_text(a), cell_text(b)] for a, b in rows)]
    for first, _ in found[1:]:
        assert not first.lstrip().startswith(("=", "+", "-", "@"))
        assert not [char for char in first if unicodedata.category(char) in ("Cc", "Cf")]
