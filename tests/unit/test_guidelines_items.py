"""The catalogue: items by code and by medicine, whole units, kits, and what the linter refuses."""

from __future__ import annotations

from fractions import Fraction
from importlib.resources import files

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import InputError, SetupError
from protocols.guidelines.canonical import canonical, packed
from protocols.guidelines.coldchain import shipped_coldchain
from protocols.guidelines.items import (
    Barcode,
    Part,
    Strength,
    check,
    contents,
    item,
    named,
    of_barcode,
    of_substance,
    read_items,
    search,
    shipped_items,
    strength_in,
    units_for,
)
from protocols.guidelines.linting import lint
from protocols.guidelines.vaccines import shipped_vaccines
from protocols.guidelines.vocabulary import vocabulary

PACK = shipped_items()
TEXT = (files("protocols.guidelines") / "packs" / "items.toml").read_text("utf-8")


def test_the_catalogue_serves_a_field_hospital_and_a_campaign():
    assert len(PACK.item) >= 60
    forms = {row.form for row in PACK.item}
    assert {"tablet", "infusion", "dressing", "device", "vaccine", "diluent", "kit"} <= forms
    assert check(PACK) == []
    assert PACK.pack.approved_by == ""
    assert {row.status or PACK.pack.status for row in PACK.item} == {"memory"}


def test_an_item_is_found_by_its_code_alone():
    assert item("ors-1l-sachet").shown("fr").text.startswith("Sels de réhydratation")
    assert item("ORS-1L-SACHET") is None
    assert item("ors-1l-sachet").shown("uk").language == "en"


def test_an_unknown_code_is_refused_with_what_it_may_have_meant():
    with pytest.raises(InputError) as refused:
        named("morphine", "data.item")

    assert (refused.value.code, refused.value.field) == ("unknown_item", "data.item")
    assert refused.value.allowed == ("morphine-10-amp",)


def test_a_published_catalogue_is_asked_instead():
    other = msgspec.structs.replace(PACK, item=PACK.item[:1])

    assert item("tourniquet", other) is None
    assert item(PACK.item[0].code, other) == PACK.item[0]


@pytest.mark.parametrize(
    ("substance", "codes"),
    [
        ("Paracétamol", {"paracetamol-500-tab", "paracetamol-100-tab"}),
        ("benzathine benzylpenicillin", {"benzathine-pen-24mu-vial"}),
        ("Benzylpenicillin", {"benzylpenicillin-5mu-vial"}),
        ("Ringer's lactate", {"ringer-lactate-1l"}),
        ("artesunate 60 mg", {"artesunate-60-vial"}),
        ("no such thing", set()),
        ("", set()),
    ],
)
def test_items_of_a_medicine_as_orders_name_it(substance, codes):
    assert {row.code for row in of_substance(substance)} == codes


def test_a_search_takes_beginnings_of_words_in_any_order_and_language():
    assert [row.code for row in search("500 para", "fr")] == ["paracetamol-500-tab"]
    assert [row.code for row in search("N02AA", "en")] == ["morphine-10-amp"]
    assert search(" ", "en") == []


def test_controlled_is_what_the_vocabulary_holds_controlled():
    for row in PACK.item:
        if row.substances:
            assert row.controlled == vocabulary().is_controlled(row.substances[0]), row.code


@pytest.mark.parametrize(
    ("code", "amount", "unit", "units", "left"),
    [
        ("paracetamol-500-tab", "750", "mg", 2, "250"),  # 1.5 tablets are two, a half is left
        ("paracetamol-500-tab", "1", "g", 2, "0"),
        ("paracetamol-500-tab", "2", "{tablet}", 2, "0"),
        ("ampicillin-1g-vial", "250", "mg", 1, "750"),
        ("gentamicin-80-amp", "1.5", "mL", 1, "0.5"),
        ("gentamicin-80-amp", "120", "mg", 2, "40"),
        ("benzathine-pen-24mu-vial", "1200000", "[iU]", 1, "1200000"),
        ("paracetamol-500-tab", "250000", "ug", 1, "250000"),
        ("misoprostol-200-tab", "0.6", "mg", 3, "0"),
        ("ringer-lactate-1l", "1500", "mL", 2, "500"),
    ],
)
@pytest.mark.safety(23)
def test_a_dose_takes_whole_units_rounded_up(code, amount, unit, units, left):
    taken = units_for(item(code), Fraction(amount), unit)

    assert (taken.units, taken.discarded) == (units, Fraction(left))


def test_nothing_is_made_up_where_the_strength_is_not_stated():
    assert units_for(item("ors-1l-sachet"), Fraction(5), "mg") is None
    assert units_for(item("paracetamol-500-tab"), Fraction(2), "{capsule}") is None
    assert units_for(item("paracetamol-500-tab"), Fraction(0), "mg") is None


@given(st.sampled_from([row for row in PACK.item if row.strength]), st.fractions("0.001", 900))
def test_whole_units_hold_the_dose_and_one_less_would_not(row, held):
    each = row.strength[0]
    amount = held * Fraction(each.value)

    taken = units_for(row, amount, each.unit)

    strength = strength_in(row, each.unit)
    assert taken.units * strength - taken.discarded == amount
    assert 0 <= taken.discarded < strength


def test_a_kit_is_broken_into_its_items():
    kit = item("kit-rehydration")

    parts = dict(contents(kit, 2))
    assert parts["ringer-lactate-1l"] == 160
    assert set(parts) == {part.item for part in kit.kit}
    with pytest.raises(InputError) as refused:
        contents(item("tourniquet"), 1)
    assert refused.value.code == "not_a_kit"


def test_every_live_freeze_dried_vaccine_names_a_diluent_of_its_own_vial():
    for row in PACK.item:
        for code in row.diluents:
            assert item(code).form == "diluent"
            assert row.code.rpartition("-")[2] in (code.rpartition("-")[2], "20")


def test_vaccines_and_classes_of_cold_are_those_of_their_own_packs():
    vaccines = {each.code: each for each in shipped_vaccines().vaccine}
    classes = {each.id for each in shipped_coldchain().classes}

    for row in PACK.item:
        assert row.cold in classes, row.code
        if row.vaccine:
            vaccine = vaccines[row.vaccine]
            assert bool(row.diluents) == vaccine.diluted, row.code
            assert row.vial_doses in [vial.doses for vial in vaccine.vial], row.code


def test_the_pack_travels_in_one_record():
    assert len(packed(canonical(TEXT))) < 12 * 1024


FAULTS = [
    ('code = "tourniquet"', 'code = "Tourniquet!"', "code is small letters", "here"),
    ('code = "tourniquet"', 'code = "paracetamol-500-tab"', "shares its code", "any"),
    ('atc = "A07CA"', 'atc = "A7CA"', "atc is no ATC code", "here"),
    ("packs = [24, 720]", "packs = [720, 24]", "packs are not in order", "here"),
    ("packs = [24, 720]", "packs = [0, 720]", "packs are at most", "here"),
    ('value = "60", unit = "mg"', 'value = "0", unit = "mg"', "strength is no number", "near"),
    ('value = "60", unit = "mg"', 'value = "60", unit = "ml"', "Invalid enum", "here"),
    ('["diluent-bcg"]', '["diluent-bcj"]', "diluents name no item diluent-bcj", "near"),
    ('["diluent-bcg"]', '["tourniquet"]', "which is no diluent", "near"),
    ('item = "tourniquet", units = 4', 'item = "turniket", units = 4', "kit names no", "near"),
    ('item = "tourniquet", units = 4', 'item = "tourniquet", units = 0', "whole units", "near"),
    ('item = "tourniquet", units = 4', 'item = "kit-dressing", units = 1', "holds itself", "near"),
    ("vial_doses = 4\n", "vial_doses = 3\n", "packs are not whole vials", "near"),
    ("vial_doses = 4\n", "", "vial_doses at least 1", "near"),
    ("lead_days = 14 ", "lead_days = -1 ", "lead_days is 0 to", "here"),
    ("cover_days = 30 ", "cover_days = 0 ", "cover_days is 1 to", "here"),
    ('fr = "Garrot hémostatique"', 'fr = ""', "no words in fr", "near"),
    ('cold = "freezer"', 'cold = "very"', "Invalid enum", "here"),
]


@pytest.mark.parametrize(("old", "new", "what", "near"), FAULTS)
def test_the_linter_names_the_line(old, new, what, near):
    assert old in TEXT
    line = TEXT[: TEXT.index(old)].count("\n") + 1

    found = [fault for fault in lint(TEXT.replace(old, new, 1)) if what in fault.what]

    assert found
    if near == "here":
        assert line in [fault.line for fault in found]
    elif near == "near":
        assert any(abs(line - fault.line) <= 12 for fault in found)


def test_units_and_composition_go_together():
    kit = item("kit-dressing")
    wrong = [
        msgspec.structs.replace(kit, unit="set"),
        msgspec.structs.replace(item("tourniquet"), unit="kit"),
        msgspec.structs.replace(kit, kit=(*kit.kit, Part("tourniquet", 1))),
        msgspec.structs.replace(item("tourniquet"), strength=(Strength("1", "mg"),) * 2),
        msgspec.structs.replace(item("tourniquet"), diluents=("diluent-bcg",)),
    ]
    for row in wrong:
        rest = tuple(each for each in PACK.item if each.code != row.code)
        assert check(msgspec.structs.replace(PACK, item=(*rest, row))), row


def test_the_catalogue_may_know_barcodes():
    row = msgspec.structs.replace(
        item("tourniquet"), barcodes=(Barcode("05901234123457", 10), Barcode("BOX-7"))
    )
    pack = msgspec.structs.replace(PACK, item=(row,))

    assert check(pack) == []
    assert of_barcode("05901234123457", pack) == (row, row.barcodes[0])
    assert of_barcode("BOX-7", pack)[1].units == 1
    assert of_barcode("BOX-8", pack) is None
    assert of_barcode("BOX-7") is None


@pytest.mark.parametrize(
    "barcodes",
    [
        (Barcode("05901234123458"),),
        (Barcode("A", 0),),
        (Barcode("A"), Barcode("A")),
        (Barcode(""),),
        (Barcode("A" * 65),),
    ],
)
def test_a_barcode_that_nobody_could_scan_is_named(barcodes):
    row = msgspec.structs.replace(item("tourniquet"), barcodes=barcodes)

    wrong = check(msgspec.structs.replace(PACK, item=(row,)))

    assert wrong and all("tourniquet: barcodes" in each for each in wrong)


def test_kits_in_a_circle_are_named():
    one, other = item("kit-dressing"), item("kit-delivery")
    one = msgspec.structs.replace(one, kit=(Part(other.code, 1),))
    other = msgspec.structs.replace(other, kit=(Part(one.code, 1),))
    rest = tuple(row for row in PACK.item if not row.is_kit)

    wrong = check(msgspec.structs.replace(PACK, item=(*rest, one, other)))

    assert [each for each in wrong if "holds itself" in each] == [
        f"item: {code}: kit holds itself" for code in ("kit-dressing", "kit-delivery")
    ]


def test_a_faulty_pack_is_refused_whole():
    with pytest.raises(SetupError) as refused:
        read_items(TEXT.replace('unit = "roll"', 'unit = "kit"', 1))
    assert refused.value.code == "bad_pack"
