"""A lot's label: what a scanner types of it is read back as item, lot, expiry; words stay words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldnode.prints import lot as labels
from fieldnode.prints.lot import Label, label_of
from fieldnode.text.catalogue import load
from fieldnode.tui.cores.display import cells
from protocols.errors import InputError
from protocols.live import stocklists, supplydesk
from protocols.live.consigned import ItemWords, LotLabel
from protocols.records.movement import LOT_CHARS_MAX
from tests.unit.stage import Stage, camp, line

ITEM = "ors-1l-sachet"
NOW_DAY = 20_000
CODES = st.text("ABCDEFGHJKLMNPQRSTUVWXYZ0123456789-./", min_size=1, max_size=LOT_CHARS_MAX)


@pytest.fixture(scope="module")
def told():
    """A node that holds a lot, and what it says of labels and codes."""
    stage, (ann,) = Stage(), camp(("ann",))
    store = stage.write(ann, line("site.register", {"name": "Store"}))[0].id
    data = {"item": ITEM, "lot": "A77", "units": 9, "expiry": "2031-06-30"}
    (answer,) = stage.write(ann, line("stock.receive", data, store=store))
    assert answer.ok, answer
    return stage, ann


def scanned(told, code):
    stage, ann = told
    return stocklists.scanned(ann.node, stage.now(ann), {"code": code})


def label(told, item, lot) -> LotLabel:
    stage, ann = told
    return supplydesk.label(ann.node, stage.now(ann), {"item": item, "lot": lot})


def test_what_a_label_says_is_read_back_as_item_lot_and_expiry(told):
    made = label(told, ITEM, "a77")

    for code in (f"]d2{made.code}", f"]Q1\x1d{made.code}", f"]C1{made.code}"):
        found = scanned(told, code)
        assert (found["lot"], found["expiry"]) == ("A77", "2031-06-30")
        assert [each["item"] for each in found["means"]] == [ITEM]


@given(CODES)
def test_any_lot_that_a_code_can_hold_comes_back(lot):
    row = ItemWords(ITEM, {"en": "ORS"}, "sachet")
    code = supplydesk._element_string(row, lot, NOW_DAY)
    from protocols.records import gs1

    box = gs1.read(f"\x1d{code}", NOW_DAY * 86_400_000)

    assert (box.lot, box.expiry_day) == (lot, NOW_DAY)
    assert [each.value for each in box.others] == [ITEM]


def test_a_lot_that_no_code_can_hold_still_prints_its_words(told):
    made = label(told, ITEM, "Ñ 7")
    shown = label_of(load("en"), made)

    assert made.code == ""
    assert b"^BX" not in labels.zpl(shown)
    assert "Ñ 7".encode() in labels.plain(shown)
    assert labels.png(shown).startswith(b"\x89PNG")


@pytest.mark.parametrize(
    "args", [{}, {"item": ITEM}, {"item": ITEM, "lot": ""}, {"item": "?", "lot": "A"}]
)
def test_a_label_of_nothing_is_refused(told, args):
    stage, ann = told
    with pytest.raises(InputError):
        supplydesk.label(ann.node, stage.now(ann), args)


@given(st.text(max_size=80), st.text(max_size=20))
def test_nothing_in_words_is_a_command_to_a_printer(named, lot):
    row = ItemWords("x", {"en": named or "x"}, "piece")
    shown = label_of(load("en"), LotLabel(row, lot, NOW_DAY, "10A"), "EXERCISE ^XZ ~JA")

    text = labels.zpl(shown).decode()
    assert text.count("^XZ") == 1 and "~JA" not in text
    assert text.count("^FD") == text.count("^FS")
    assert all(cells(each) <= labels.LINE_CELLS for each in shown.lines)
    assert b"\x1bp" not in labels.escpos(shown)
    assert labels.plain(shown).decode().startswith("EXERCISE")


def test_a_label_says_what_it_is_before_anything_else():
    row = ItemWords(ITEM, {"en": "Oral rehydration salts for 1 L, sachet", "fr": "Sels"}, "sachet")
    made = LotLabel(row, "A77", 22_461, "1731063010A77")

    assert label_of(load("en"), made).lines == (
        "Oral rehydration salts for 1 L,", "sachet", "Lot A77", "Use by 2031-07-01", ITEM,
    )  # fmt: skip
    assert label_of(load("fr"), made).lines[0] == "Sels"
    assert b"$FD$1" in labels.zpl(label_of(load("en"), made)).replace(b",,$^FD", b"$FD")
    assert isinstance(label_of(load("en"), made), Label)
