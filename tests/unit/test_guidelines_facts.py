"""Every verified limit of NEWS2, START, JumpSTART and the adult interagency tool, from the facts.

The limits are read from the sheets of facts the packs were written from, never from the packs under
test; a copy of the lines stands here for a checkout without the sheets, and is compared with them.
"""

from __future__ import annotations

import csv
import re
import tomllib
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest

from protocols.guidelines import ages
from protocols.guidelines.news2 import News, news2
from protocols.guidelines.readings import Reading
from tests.unit.test_guidelines_news2 import NORMAL
from tests.unit.test_guidelines_news2 import PACK as NEWS2
from tests.unit.test_guidelines_triage import (
    ADULT,
    CHILD,
    GREEN,
    IITT,
    RED,
    START,
    YELLOW,
    walk,
)
from tests.unit.test_guidelines_triage import PACK as TRIAGE

FACTS = Path(__file__).resolve().parents[3] / "shared" / "facts"

# Source: Royal College of Physicians, National Early Warning Score (NEWS) 2, 2017, chart 1.
NEWS2_LINES = """\
resp_rate,3,,8
resp_rate,1,9,11
resp_rate,0,12,20
resp_rate,2,21,24
resp_rate,3,25,
spo2_scale1,3,,91
spo2_scale1,2,92,93
spo2_scale1,1,94,95
spo2_scale1,0,96,
sbp,3,,90
sbp,2,91,100
sbp,1,101,110
sbp,0,111,219
sbp,3,220,
pulse,3,,40
pulse,1,41,50
pulse,0,51,90
pulse,1,91,110
pulse,2,111,130
pulse,3,131,
temp_c,3,,35.0
temp_c,1,35.1,36.0
temp_c,0,36.1,38.0
temp_c,1,38.1,39.0
temp_c,2,39.1,
"""

# Sources: START and JumpSTART as public course pages teach them; the WHO/MSF/ICRC card from 12 y.
TRIAGE_RULES = {
    "start": ["resp_rate > 30", "radial pulse absent OR capillary refill > 2 s"],
    "jumpstart": ["resp_rate < 15 OR > 45 OR irregular"],
}
IITT_VITALS = {
    "hr": "< 60 or > 130",
    "rr": "< 10 or > 30",
    "temp_c": "< 36 or > 39",
    "spo2": "< 92",
    "avpu": "other than A",
}
IITT_RED = ["HR < 50 or > 150", "SBP >= 160 or DBP >= 110"]

CODES = {
    "resp_rate": "respiratory-rate",
    "spo2_scale1": "spo2",
    "sbp": "systolic",
    "pulse": "heart-rate",
    "temp_c": "temperature",
}
STEPS = {
    "temp_c": Decimal("0.1"),
    "temperature": Decimal("0.1"),
    "capillary_refill": Decimal("0.1"),
}
NAMES = {"hr": "heart_rate", "rr": "resp_rate", "temp_c": "temperature", "spo2": "spo2"}


def step(name: str) -> Decimal:
    return STEPS.get(name, Decimal(1))


def bands(lines: str) -> list[tuple[str, int, Decimal | None, Decimal | None]]:
    rows = csv.reader(line for line in lines.splitlines() if not line.startswith("#"))
    found = []
    for name, score, low, high, *note in rows:
        if name in CODES and "memory" not in "".join(note):
            least, most = (Decimal(end) if end else None for end in (low, high))
            found.append((name, int(score), least, most))
    return found


def points(name: str, value: Decimal) -> int:
    """Return what the sheet gives a value; exactly one of its bands holds it."""
    (score,) = (
        score
        for of, score, low, high in bands(NEWS2_LINES)
        if of == name and (low is None or low <= value) and (high is None or value <= high)
    )
    return score


NEWS2_CASES = sorted(
    {
        (name, end + by * step(name))
        for name, _, low, high in bands(NEWS2_LINES)
        for end in (low, high)
        if end is not None
        for by in (-1, 0, 1)
    }
)


@pytest.mark.parametrize(("name", "value"), NEWS2_CASES)
def test_news2_at_each_limit_and_one_step_to_each_side(name, value):
    reading = Reading(Fraction(value))

    found = news2(NEWS2, {**NORMAL, CODES[name]: reading}, ages.of_days(15_000), pregnant=False)

    assert isinstance(found, News)
    assert found.score == points(name, value)


def limits(text: str) -> list[tuple[str, Decimal]]:
    return [(sign, Decimal(number)) for sign, number in re.findall(r"([<>]=?) ([\d.]+)", text)]


def beyond(text: str, value: Decimal) -> bool:
    """Whether a value is outside what the sheet calls calm."""
    holds = {
        "<": lambda limit: value < limit,
        ">": lambda limit: value > limit,
        ">=": lambda limit: value >= limit,
        "<=": lambda limit: value <= limit,
    }
    return any(holds[sign](limit) for sign, limit in limits(text))


def around(name: str, text: str) -> list[tuple[str, str, Decimal]]:
    return [(name, text, limit + by * step(name)) for _, limit in limits(text) for by in (-1, 0, 1)]


START_CASES = [
    *around("resp_rate", TRIAGE_RULES["start"][0]),
    *around("capillary_refill", TRIAGE_RULES["start"][1]),
]


@pytest.mark.parametrize(("name", "text", "value"), START_CASES)
def test_start_at_each_limit_and_one_step_to_each_side(name, text, value):
    found, _ = walk(START, ADULT, **{name: str(value)})

    assert (found.algorithm, found.category) == ("start", RED if beyond(text, value) else YELLOW)


@pytest.mark.parametrize(
    ("name", "text", "value"), around("resp_rate", TRIAGE_RULES["jumpstart"][0])
)
def test_jumpstart_at_each_limit_and_one_step_to_each_side(name, text, value):
    found, _ = walk(START, CHILD, **{name: str(value)})

    assert found.algorithm == "jumpstart"
    assert found.category == (RED if beyond(text, value) else YELLOW)


VITAL_CASES = [case for name, of in NAMES.items() for case in around(of, IITT_VITALS[name])]


@pytest.mark.parametrize(("name", "text", "value"), VITAL_CASES)
@pytest.mark.parametrize("yellow", [False, True])
def test_each_high_risk_vital_sign_of_the_adult_tool_at_its_limits(name, text, value, yellow):
    calm = YELLOW if yellow else GREEN
    signs = [known_yellow()] if yellow else []

    found, _ = walk(IITT, ADULT, pregnant=False, yellow_signs=signs, **{name: str(value)})

    assert (found.algorithm, found.category) == (
        "iitt-adult",
        RED if beyond(text, value) else calm,
    )


def known_yellow() -> str:
    (adult,) = (each for each in TRIAGE.algorithm if each.id == "iitt-adult")
    (asked,) = (each for each in adult.question if each.id == "yellow_signs")
    return asked.choices[0].id


@pytest.mark.parametrize(("name", "text", "value"), around("heart_rate", IITT_RED[0]))
def test_a_heart_rate_is_red_at_once_beyond_its_own_limits(name, text, value):
    found, asked = walk(IITT, ADULT, pregnant=False, **{name: str(value)})

    at_once = found.category == RED and "yellow_signs" not in asked
    assert at_once == beyond(text, value)


PRESSURE = IITT_RED[1].split(" or ")
PRESSURE_CASES = [*around("systolic", PRESSURE[0]), *around("diastolic", PRESSURE[1])]


@pytest.mark.parametrize(("name", "text", "value"), PRESSURE_CASES)
@pytest.mark.parametrize("pregnant", [True, False])
def test_pressure_in_pregnancy_at_its_limits_and_never_without(name, text, value, pregnant):
    found, _ = walk(IITT, ADULT, pregnant=pregnant, **{name: str(value)})

    assert found.category == (RED if pregnant and beyond(text, value) else GREEN)


@pytest.mark.skipif(not FACTS.exists(), reason="the sheets of facts are not beside this checkout")
def test_the_copy_above_is_what_the_sheets_say():
    sheet = (FACTS / "news2.csv").read_text("utf-8")
    triage = tomllib.loads((FACTS / "triage.toml").read_text("utf-8"))

    assert bands(sheet) == bands(NEWS2_LINES)
    for name in ("start", "jumpstart", "iitt_adult"):
        assert triage[name]["status"] == "verified"
    for name, rules in TRIAGE_RULES.items():
        numeric = [rule["if"] for rule in triage[name]["rules"] if limits(rule.get("if", ""))]
        assert numeric == rules
    assert triage["iitt_adult"]["high_risk_vitals"] == IITT_VITALS
    red = " / ".join(triage["iitt_adult"]["red"])
    assert all(text in red for text in IITT_RED)
