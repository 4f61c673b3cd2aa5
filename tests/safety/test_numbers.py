"""SAFETY, *Numbers and units*: what no older test says of rules 1 to 7."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldnode.tui.cores.display import text_of
from fieldnode.tui.cores.fields import Coded, Number
from fieldnode.tui.cores.form import FormCore
from fieldnode.tui.screens.vitals import VitalsPage
from fieldnode.tui.wording import unit
from protocols.guidelines.observations import observations
from protocols.records.attributes import AGE_WORDS, words_of
from tests.screens.harness import KEYS
from tests.screens.test_goldens import LANGUAGES, SIZE, shell_after
from tests.screens.test_pages import Person
from tests.unit.records_shelf import Shelf

GOLDEN = Path(__file__).parents[1] / "screens" / "golden"
AGE_WITHOUT_UNIT = re.compile(r"(?<![\w:.-])\d{1,3} ?[MF]\b")
UNITS = {"y": 130, "mo": 48, "w": 60, "d": 120}


@pytest.mark.safety(1)
@given(st.sampled_from(sorted(UNITS)), st.integers(0, 120), st.booleans())
def test_safety_01_an_age_is_kept_and_shown_with_its_unit(unit, value, estimated):
    value = min(value, UNITS[unit])
    shelf = Shelf()
    age = {"value": value, "unit": unit, "estimated": estimated}
    subject = shelf.write("patient.register", {"sex": "male", "age": age}).subject

    row = shelf.patient(subject)
    said = shelf.history(subject).now[None, 4][0].value

    assert words_of(4, said) == f"{'~' if estimated else ''}{value} {unit}"
    assert set(AGE_WORDS.values()) == set(UNITS)
    assert "male" not in words_of(4, said) and row.sex == 1


@pytest.mark.safety(1)
@pytest.mark.parametrize(
    "age",
    [{"value": "07M", "unit": "y"}, {"value": "7"}, {"value": "7", "unit": "M"}, "7", "07M", 7],
)
def test_safety_01_an_age_without_a_unit_is_refused(age):
    assert Shelf().refused("patient.register", {"age": age}).code in {
        "bad_number",
        "bad_value",
        "missing_field",
        "wrong_type",
        "unknown_field",
        "bad_line",
    }


@pytest.mark.safety(1)
def test_safety_01_no_screen_has_a_number_with_a_letter_that_may_be_months_or_male():
    screens = sorted(GOLDEN.rglob("*.txt"))
    assert len(screens) > 100

    found = {screen.name: AGE_WITHOUT_UNIT.findall(screen.read_text("utf-8")) for screen in screens}

    assert {name: hits for name, hits in found.items() if hits} == {}
    assert AGE_WITHOUT_UNIT.search("Haddad Nour 07M B-02")


def struck_keys() -> list[str]:
    named = [name for name in KEYS if name not in ("f9", "escape")]
    printable = [chr(code) for code in range(0x20, 0x7F)]
    controls = [f"ctrl+{letter}" for letter in "abcdefghijklmnopqrstuvwxyz"]
    return [*named, *printable, *controls, "home", "end", "delete", "left", "right"]


@pytest.mark.safety(4)
def test_safety_04_no_key_copies_a_measured_value_forward():
    person = Person().press("enter", "v", *"18", "enter", *"96", "enter", *"0", "enter")
    person.press(*"121/77", "enter", *"83", "enter", "1", *"386", "enter", "enter")
    (first,) = [line for line in person.node.written if line["kind"] == "observation.record"]
    assert len(first["data"]["set"]) == 8

    person.press("v")
    form = person.page.form
    assert isinstance(person.shell.page, VitalsPage)
    assert form.snapshot() == {}
    for field in form.fields:
        for key in struck_keys():
            fresh = FormCore((field, field))
            fresh.key(key)
            kept = fresh.snapshot().get(field.name, "")
            assert kept in ("", key, key.lower()) or isinstance(field, Coded), (field.name, key)


@pytest.mark.safety(4)
@pytest.mark.parametrize("key", struck_keys())
def test_safety_04_no_key_fills_the_next_set_from_the_last(key):
    person = Person().press("enter", "v", *"18", "enter", *"96", "enter", *"0", "enter")
    person.press(*"121/77", "enter", *"83", "enter", "1", *"386", "enter", "enter")
    written = len(person.node.written)

    person.press("v", key)

    said = " ".join(str(line) for line in person.node.written[written:])
    page = person.shell.page
    kept = page.form.snapshot() if isinstance(page, VitalsPage) else {}
    assert not {"18", "96", "121/77", "83", "386", "38.6"} & set(kept.values())
    assert "121" not in said and "38.6" not in said


@pytest.mark.safety(5)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_safety_05_every_measured_field_names_its_unit_beside_it(language):
    shell = shell_after(["enter", "v"], LANGUAGES[language])
    shown = "\n".join(text_of(line) for line in shell.draw(SIZE))

    assert isinstance(shell.page, VitalsPage)
    for field in shell.page.form.fields:
        if isinstance(field, Number) and field.unit:
            label = LANGUAGES[language](field.label)
            (row,) = (line for line in shown.splitlines() if line[1:].startswith(f"{label} "))
            assert row.rstrip().endswith(unit(field.unit)), row


@pytest.mark.safety(5)
@pytest.mark.parametrize("name", ["glucose", "haemoglobin"])
def test_safety_05_glucose_and_haemoglobin_are_never_taken_without_a_unit(name):
    shelf = Shelf()
    patient = shelf.write("patient.register", {}).id
    known = observations().named(name, "")

    bare = shelf.refused("observation.record", {"code": name, "value": "9"}, patient=patient)

    assert (bare.code, bare.field) == ("missing_field", "data.unit")
    assert len(known.units) > 1
    for each, amount in zip(known.units, ("9", "110"), strict=True):
        value = {"code": name, "value": amount, "unit": each.ucum}
        sure = {"confirm": ["unusual_value"], "patient": patient}
        written = shelf.write("observation.record", value, **sure)
        assert shelf.table(written.subject, "observation")[-1].unit == each.ucum
