"""GS1 codes as scanners type them, against another implementation and the sheet of facts."""

from __future__ import annotations

import csv
from datetime import UTC, date, datetime
from pathlib import Path

import biip
import pytest
from biip import checksums

from protocols.errors import InputError
from protocols.guidelines.gtin import check_digit
from protocols.records import gs1
from protocols.records.codes import ERRORS
from protocols.records.gs1 import Box, Element

NOW_MS = int(datetime(2026, 11, 21, tzinfo=UTC).timestamp() * 1000)
GS = "\x1d"
GTIN = "05901234123457"
EPOCH = date(1970, 1, 1)

# A copy of the sheet's rows for a checkout without it.
FACTS = Path(__file__).resolve().parents[3] / "shared" / "facts" / "gs1_ai.csv"
ROWS = """\
00,N2+N18,yes,no
01,N2+N14,yes,no
02,N2+N14,yes,no
10,N2+X..20,no,yes
11,N2+N6,yes,no
13,N2+N6,yes,no
15,N2+N6,yes,no
17,N2+N6,yes,no
21,N2+X..20,no,yes
30,N2+N..8,no,yes
37,N2+N..8,no,yes
240,N3+X..30,no,yes
414,N3+N13,yes,no
710-714,N3+X..20,no,yes
"""


def rows() -> list[list[str]]:
    return list(csv.reader(ROWS.splitlines()))


def day(text: str) -> int:
    return (date.fromisoformat(text) - EPOCH).days


def refused(payload: str) -> str:
    with pytest.raises(InputError) as found:
        gs1.read(payload, NOW_MS)
    assert found.value.code in ERRORS
    return found.value.code


@pytest.mark.skipif(not FACTS.exists(), reason="the sheet of facts is not beside this checkout")
def test_the_copy_is_the_sheet():
    lines = [line for line in FACTS.read_text("utf-8").splitlines() if not line.startswith("#")]
    found = [
        [row["ai"], row["format"], row["fixed_length"], row["fnc1_needed"]]
        for row in csv.DictReader(lines)
    ]
    assert found == rows()


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0])
def test_every_identifier_of_the_sheet_has_its_form(row):
    name, form, fixed, separated = row
    first, _, last = name.partition("-")
    kind, _, most = form.partition("+")[2].partition("..")
    for ai in range(int(first), int(last or first) + 1):
        found = gs1.FORMS[str(ai).rjust(len(first), "0")]
        assert found.most == int(most or kind[1:])
        assert (found.least == found.most) == (fixed == "yes")
        assert found.digits == (kind[0] == "N")
        assert (first[:2] in gs1._LENGTHS) == (separated == "no")


BOX = f"01{GTIN}1727073110AB-12/3{GS}21S/N 9".replace(" ", "")


@pytest.mark.parametrize("prefix", gs1.GS1_PREFIXES)
def test_a_box_says_item_lot_expiry_and_serial(prefix):
    box = gs1.read(prefix + BOX, NOW_MS)

    assert box == Box(GTIN, "AB-12/3", day("2027-07-31"), "S/N9")


def test_without_a_prefix_it_is_taken_when_it_begins_with_a_right_gtin():
    assert gs1.read(BOX, NOW_MS).lot == "AB-12/3"
    assert refused("01" + GTIN[:-1] + "8" + "10A") == "gs1_check_digit"
    assert refused(GTIN[:-1] + "8") == "gs1_check_digit"
    assert refused("96385075") == "not_gs1"
    assert refused("10LOT") == "not_gs1"
    assert refused("TG-12") == "not_gs1"


@pytest.mark.parametrize("sign", gs1.SUBSTITUTES)
def test_separators_come_as_scanners_send_them(sign):
    assert gs1.read("]d2" + BOX.replace(GS, sign), NOW_MS) == gs1.read("]d2" + BOX, NOW_MS)


def test_separators_too_many_are_passed_over():
    text = f"]d2{GS}01{GTIN}{GS}17270731{GS}{GS}10A{GS}"
    assert gs1.read(text, NOW_MS) == Box(GTIN, "A", day("2027-07-31"))


def test_order_of_elements_is_free():
    text = f"]C110A{GS}21B{GS}17270731{'01' + GTIN}"
    assert gs1.read(text, NOW_MS) == Box(GTIN, "A", day("2027-07-31"), "B")


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("270200", "2027-02-28"),
        ("280200", "2028-02-29"),  # a leap year
        ("271200", "2027-12-31"),
        ("270731", "2027-07-31"),
        ("760101", "2076-01-01"),  # 50 years on: this century
        ("770101", "1977-01-01"),  # 51 years on: the one before
        ("000101", "2000-01-01"),
    ],
)
def test_dates(said, meant):
    assert gs1.read(f"]d201{GTIN}17{said}", NOW_MS).expiry_day == day(meant)


def test_late_in_a_century_the_next_one_is_meant():
    now_ms = int(datetime(2095, 6, 1, tzinfo=UTC).timestamp() * 1000)
    assert gs1.day_of("450101", now_ms) == day("2145-01-01")
    assert gs1.day_of("460101", now_ms) == day("2046-01-01")


def test_a_clock_without_a_battery_makes_no_box_of_the_last_century():
    assert gs1.day_of("270731", 0) == day("2027-07-31")


@pytest.mark.parametrize("said", ["271301", "270001", "270230", "270732", "270000", "271300"])
def test_a_date_that_is_none(said):
    assert refused(f"]d201{GTIN}17{said}") == "gs1_date"


@pytest.mark.parametrize(
    ("payload", "code"),
    [
        (f"(01){GTIN}(17)270731(10)A", "gs1_printed"),
        (f"]d2(01){GTIN}(10)A", "gs1_printed"),
        (f"]d201{GTIN[:-1]}8", "gs1_check_digit"),
        ("]E05901234123458", "gs1_check_digit"),
        (f"]d201{GTIN[:-1]}", "gs1_cut"),
        (f"]d201{GTIN}1727", "gs1_cut"),
        (f"]d201{GTIN}172707AB", "gs1_cut"),
        (f"]d201{GTIN}10{'A' * 21}", "gs1_cut"),
        (f"]d201{GTIN}10", "gs1_cut"),
        (f"]d201{GTIN}10A B", "gs1_cut"),
        (f"]d201{GTIN}10Ä", "gs1_cut"),
        (f"]d201{GTIN}10A{GS}10B", "gs1_twice"),
        (f"]d201{GTIN}30A", "gs1_cut"),
        ("]d2", "gs1_cut"),
        ("]d20", "gs1_cut"),
        ("]d2AB", "gs1_cut"),
        ("]E059012341234", "gs1_cut"),
        ("]E000000000000000"[:17], "gs1_check_digit"),
        ("]Q1https://example.org/01/05901234123457", "not_gs1"),
        ("]C0B12", "not_gs1"),
        ("", "not_gs1"),
        ("1" * (gs1.PAYLOAD_CHARS_MAX + 1), "too_long"),
    ],
)
def test_what_cannot_be_taken_has_its_code(payload, code):
    assert refused(payload) == code


def test_the_limits_of_a_lot():
    assert gs1.read(f"]d201{GTIN}10{'A' * gs1.LOT_CHARS_MAX}", NOW_MS).lot == "A" * 20


def test_the_same_said_twice_alike_is_said_once():
    assert gs1.read(f"]d210A{GS}10A{GS}", NOW_MS) == Box(lot="A")


@pytest.mark.parametrize(
    ("payload", "gtin"),
    [
        ("]E05901234123457", GTIN),
        ("]E496385074", "00000096385074"),
        ("]I115901234123454", "15901234123454"),
        ("5901234123457", GTIN),
        ("96385074", "00000096385074"),
        ("012345678905", "00012345678905"),
    ],
)
def test_shop_codes_are_gtins(payload, gtin):
    assert gs1.read(payload, NOW_MS) == Box(gtin=gtin)


def test_a_shipping_box_names_what_is_inside():
    sscc = "106141412345678908"
    box = gs1.read(f"]C100{sscc}02{GTIN}37120{GS}10L1", NOW_MS)

    assert box == Box(content=GTIN, quantity=120, sscc=sscc, lot="L1")


def test_unknown_parts_are_kept_and_nothing_is_read_out_of_them():
    box = gs1.read(f"]d201{GTIN}91X17271231{GS}3103001500712ES-1{GS}17270731", NOW_MS)

    assert box.expiry_day == day("2027-07-31")
    known = (Element("91", "X17271231"), Element("3103", "001500"), Element("712", "ES-1"))
    assert box.others == known


@pytest.mark.parametrize(
    ("payload", "lost"),
    [
        (f"]d201{GTIN}10AB1217270731", True),
        (f"]d201{GTIN}10AB121727073121S9", True),
        (f"]d201{GTIN}21S917270700", True),
        (f"]d201{GTIN}10AB1217279931", False),
        (f"]d201{GTIN}1727073110AB12", False),
        (f"]d201{GTIN}10AB1217270731{GS}17270731", False),
    ],
)
def test_a_scanner_that_sends_no_separators_is_noticed(payload, lost):
    assert gs1.read(payload, NOW_MS).separator_lost is lost


def test_a_label_of_ours_is_read_back():
    day_ = day("2027-02-28")
    text = gs1.element_string(
        (
            Element("01", GTIN),
            Element("10", "L 1".replace(" ", "")),
            Element("17", gs1.yymmdd(day_)),
        )
    )

    assert text == f"01{GTIN}10L1{GS}17270228"
    assert gs1.read("]d2" + text, NOW_MS) == Box(GTIN, "L1", day_)
    with pytest.raises(InputError):
        gs1.element_string((Element("10", "A B"),))


@pytest.mark.parametrize("name", sorted(gs1.FORMS))
def test_another_implementation_knows_each_identifier_alike(name):
    form = gs1.FORMS[name]
    value = "261231" if form == gs1._DATE else "1" * form.most
    if form.checked:
        value = value[:-1] + check_digit(value[:-1])
    fixed = name[:2] in gs1._LENGTHS
    text = f"]d2{name}{value}{'' if fixed else GS}91Z"

    theirs = biip.parse(text).gs1_message
    assert theirs is not None
    assert [(each.ai.ai, each.value) for each in theirs.element_strings] == [
        tuple(each) for each in gs1.elements(text[3:])
    ]
    assert theirs.element_strings[0].ai.separator_required is not fixed


@pytest.mark.parametrize("digits", ["590123412345", "9638507", "95011015300", "10614141234567890"])
def test_the_check_digit_is_that_of_another_implementation(digits):
    assert check_digit(digits) == str(checksums.gs1_standard_check_digit(digits))
