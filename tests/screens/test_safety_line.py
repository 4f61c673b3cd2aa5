"""What never scrolls away: allergies and custody on the head of a chart, custody on the board."""

from __future__ import annotations

from typing import Any

import pytest

from fieldnode.text.catalogue import load, pseudo
from fieldnode.tui.cores.display import line_cells, text_of
from fieldnode.tui.screens.board import _named
from fieldnode.tui.wording import safety_line
from protocols.live.api import BoardLine

EN = load("en")


def head(**more: Any) -> BoardLine:
    return BoardLine(patient="pat_x", code="346-789-ACD", name="Okoro Amina", **more)


@pytest.mark.safety(12)
@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({}, "ALLERGY  nobody asked"),
        ({"allergy": 1}, "ALLERGY  none known"),
        ({"allergy": 2, "allergies": "penicillins; Mango"}, "ALLERGY  Penicillins; Mango"),
        (
            {"allergy": 2, "allergies": "latex", "allergy_open": True},
            "ALLERGY  Latex (people differ)",
        ),
        ({"allergy": 1, "custody": 1}, "OFFERED to another team"),
        ({"allergy": 1, "custody": 2, "keeper": "Red Star"}, "WITH Red Star"),
        ({"allergy": 1, "custody": 3}, "CUSTODY UNCLEAR"),
        ({"allergy": 1, "custody": 4, "keeper": "A / B"}, "CUSTODY UNCLEAR: A / B"),
        ({"allergy": 9, "custody": 9}, "ALLERGY  nobody asked"),
    ],
)
def test_safety_12_the_head_of_a_chart_says_what_was_asked_and_who_has_the_patient(more, says):
    assert says in text_of(safety_line(EN, head(**more), 80))


@pytest.mark.parametrize("words", [EN, load("fr"), pseudo()])
def test_it_fits_however_much_is_listed_and_custody_is_never_cut_off(words):
    long = head(allergy=2, allergies="; ".join(["penicillins"] * 30), allergy_open=True, custody=4,
                keeper="\u202e" + "long name " * 20)  # fmt: skip
    for width in (80, 100, 132):
        drawn = safety_line(words, long, width)
        assert line_cells(drawn) <= width
        assert drawn[-1].role == "bad"
        assert words("chart.custody_unclear").rstrip("~") in drawn[-1].text
        assert "\u202e" not in text_of(drawn)


@pytest.mark.safety(25)
@pytest.mark.parametrize(("custody", "unclear"), [(0, False), (2, False), (3, True), (4, True)])
def test_safety_25_the_board_says_that_custody_is_unclear(custody, unclear):
    cell = _named(EN, head(custody=custody))

    assert cell.text.startswith("CUSTODY UNCLEAR") is unclear
    assert cell.text.endswith("Okoro Amina")
