"""SAFETY, *Keys*: what no older test says of rule 21."""

from __future__ import annotations

import pytest

from fieldnode.tui.cores.display import Size, text_of
from tests.screens.test_goldens import LANGUAGES, SCREENS, shell_on
from tests.screens.test_mass import counting

FULL_SET = [
    *([*"18", "enter"], [*"97", "enter"], ["0", "enter"], [*"120/80", "enter"]),
    *([*"88", "enter"], ["1"], [*"386", "enter"], ["enter"]),
]


@pytest.mark.safety(21)
def test_safety_21_full_vital_signs_take_at_most_24_keys():
    person = counting("enter", "v")
    for keys in FULL_SET:
        person.strike(*keys)

    assert person.struck <= 24
    (line,) = [line for line in person.node.written if line["kind"] == "observation.record"]
    assert {value["code"]: value.get("value") for value in line["data"]["set"]} == {
        "respiratory-rate": "18",
        "spo2": "97",
        "oxygen": "0",
        "systolic": "120",
        "diastolic": "80",
        "heart-rate": "88",
        "consciousness": "alert",
        "temperature": "38.6",
    }
    assert "SAVED HERE" in person.screen


@pytest.mark.safety(21)
@pytest.mark.parametrize("screen", SCREENS)
@pytest.mark.parametrize("language", ["en", "fr"])
def test_safety_21_the_digit_fallback_for_f_keys_is_on_every_screen(screen, language):
    shown = [text_of(row) for row in shell_on(screen, LANGUAGES[language]).draw(Size(80, 24))]

    assert any("Ctrl+G" in row or "^G" in row for row in shown)
