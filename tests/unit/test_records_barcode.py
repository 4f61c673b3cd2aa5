"""What a barcode means: taught here first, then the catalogue; two who differ apart are shown."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InputError
from protocols.guidelines.items import Barcode, item, shipped_items
from protocols.records.barcode import (
    BarcodeRow,
    BarcodeTeach,
    Meaning,
    barcode_subject,
    known,
    meanings,
    scanned,
)
from protocols.records.catalogue import project
from protocols.records.kinds import KindNo
from tests.unit.records_shelf import NOW_MS, Shelf

GTIN = "05901234123457"
BOX = f"]d201{GTIN}1728073110L7"
ORS, ZINC = "ors-1l-sachet", "zinc-20-tab"


def teach(shelf, barcode, to=ORS, units=1, **line):
    return shelf.write("barcode.teach", {"barcode": barcode, "item": to, "units": units}, **line)


def test_a_taught_code_is_known_however_it_is_scanned():
    shelf = Shelf()
    written = teach(shelf, "]E05901234123457", units=100)

    assert written.subject == barcode_subject(GTIN)
    for payload in (BOX, "5901234123457", f"01{GTIN}", f"]C102{GTIN}3710"):
        assert known(shelf, scanned(payload, NOW_MS).code) == [Meaning(ORS, 100, taught=True)]
    assert scanned(BOX, NOW_MS).box.lot == "L7"


def test_a_code_of_ones_own_is_known_by_its_text():
    shelf = Shelf()
    teach(shelf, "]C0SHELF 4/b")

    assert known(shelf, "SHELF 4/b") == [Meaning(ORS, 1, taught=True)]
    assert known(shelf, "SHELF 4/B") == []


def test_what_was_taught_goes_before_the_catalogue():
    row = msgspec.structs.replace(item(ZINC), barcodes=(Barcode(GTIN, 10),))
    pack = msgspec.structs.replace(shipped_items(), item=(row, item(ORS)))
    shelf = Shelf()

    assert meanings(GTIN, (), pack) == [Meaning(ZINC, 10, taught=False)]
    written = teach(shelf, BOX, units=50)
    rows = shelf.table(written.subject, "barcode")
    assert meanings(GTIN, rows, pack) == [Meaning(ORS, 50, taught=True)]
    shelf.write("entry.retract", {"fact": written.fact}, reason="wrong box")
    rows = shelf.table(written.subject, "barcode")
    assert meanings(GTIN, rows, pack) == [Meaning(ZINC, 10, taught=False)]


def test_teaching_it_otherwise_asks_once_and_replaces():
    shelf = Shelf()
    teach(shelf, BOX, units=100)

    refused = shelf.refused("barcode.teach", {"barcode": BOX, "item": ZINC})
    assert (refused.code, refused.values["confirm"]) == ("confirm_needed", "barcode_known")
    assert refused.allowed == ("100 x ors-1l-sachet",)
    teach(shelf, BOX, ZINC, confirm=["barcode_known"])
    assert known(shelf, GTIN) == [Meaning(ZINC, 1, taught=True)]
    assert teach(shelf, BOX, ZINC).plan.warnings == ()  # the same again is asked nothing


def apart():
    one, other = Shelf("a"), Shelf("b")
    teach(one, BOX, ORS, 100)
    teach(other, BOX, ZINC, 100)
    one.receive(other)
    other.receive(one)
    return one, other


def test_two_that_differ_apart_are_both_shown_until_somebody_teaches_it_again():
    one, other = apart()

    both = [Meaning(ORS, 100, taught=True), Meaning(ZINC, 100, taught=True)]
    assert known(one, GTIN) == known(other, GTIN) == both
    assert [row.unsettled for row in one.table(barcode_subject(GTIN), "barcode")] == [1, 1]

    teach(one, BOX, ZINC, 100, confirm=["barcode_known"])
    other.receive(one)
    assert known(other, GTIN) == [Meaning(ZINC, 100, taught=True)]
    assert {row.unsettled for row in other.table(barcode_subject(GTIN), "barcode")} == {0}


def test_two_that_agree_apart_are_settled():
    one, other = Shelf("a"), Shelf("b")
    teach(one, BOX)
    teach(other, "5901234123457")
    one.receive(other)

    assert known(one, GTIN) == [Meaning(ORS, 1, taught=True)]
    assert {row.unsettled for row in one.table(barcode_subject(GTIN), "barcode")} == {0}


@given(st.randoms(use_true_random=False))
def test_the_order_of_delivery_changes_no_row(random):
    one, _ = apart()
    teach(one, BOX, ZINC, 10, confirm=["barcode_known"])
    subject = barcode_subject(GTIN)
    facts = list(one.facts(subject))
    expected = set(map(msgspec.json.encode, one.rows(subject)))

    random.shuffle(facts)

    assert set(map(msgspec.json.encode, project(one.kinds[subject], subject, facts))) == expected


@pytest.mark.parametrize(
    ("line", "code", "field"),
    [
        ({"barcode": "]d21728073110L7", "item": ORS}, "no_item_in_code", "data.barcode"),
        ({"barcode": f"(01){GTIN}", "item": ORS}, "gs1_printed", "data.barcode"),
        ({"barcode": "]E05901234123458", "item": ORS}, "gs1_check_digit", "data.barcode"),
        ({"barcode": "]d201" + GTIN + "17991301", "item": ORS}, "gs1_date", "data.barcode"),
        ({"barcode": "  ", "item": ORS}, "empty", "data.barcode"),
        ({"barcode": "x" * 65, "item": ORS}, "too_long", "data.barcode"),
        ({"barcode": BOX, "item": "nothing"}, "unknown_item", "data.item"),
        ({"barcode": BOX, "item": ORS, "units": 0}, "out_of_range", "data.units"),
        ({"barcode": BOX, "item": ORS, "units": 10**7}, "out_of_range", "data.units"),
    ],
)
def test_what_cannot_be_taught_is_refused(line, code, field):
    refused = Shelf().refused("barcode.teach", line)

    assert (refused.code, refused.field) == (code, field)


@pytest.mark.parametrize(
    "fields", [{"code": ""}, {"item": ""}, {"units": 0}, {"code": "x" * 65}, {"item": "x" * 41}]
)
def test_bytes_that_mean_nothing_do_not_read(fields):
    with pytest.raises(ValueError, match=r"text|units"):
        BarcodeTeach(**{"code": "A", "item": "b", **fields})


def test_what_is_said_of_another_code_in_this_subject_counts_nowhere():
    shelf = Shelf()
    written = teach(shelf, BOX)
    other = barcode_subject("elsewhere")
    facts = shelf.facts(written.subject)

    found = project(shelf.kinds[written.subject], other, facts)

    assert not [row for row in found if isinstance(row, BarcodeRow)]
    assert KindNo.BARCODE_TEACH == 148


def test_the_subject_of_a_code_never_changes():
    assert barcode_subject(GTIN).hex() == "648d3c3e0b9fa4cddb1e504d557b0d45"


@given(st.text(max_size=80))
def test_whatever_is_scanned_is_looked_up_or_refused(payload):
    shelf = Shelf()
    try:
        found = scanned(payload, NOW_MS)
    except InputError:
        return
    assert known(shelf, found.code) == []
