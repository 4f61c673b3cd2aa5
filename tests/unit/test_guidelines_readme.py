"""Whoever copies the README's pack has one that is in order and runs."""

from __future__ import annotations

import re
from pathlib import Path

import protocols.guidelines
from protocols.guidelines import ages
from protocols.guidelines.decimals import Decimal
from protocols.guidelines.guideline import read_guideline
from protocols.guidelines.immunization import Given, born_on, validate
from protocols.guidelines.interventions import due, read_interventions
from protocols.guidelines.linting import FORMS, lint
from protocols.guidelines.questions import Person
from protocols.guidelines.running import run
from protocols.guidelines.schedules import plan, read_schedule
from protocols.guidelines.vaccines import shipped_vaccines

README = (Path(protocols.guidelines.__file__).parent / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)


PACKS = ["[pack]\n" + each for each in "".join(BLOCKS).split("[pack]\n")[1:]]


def test_the_schedule_of_the_readme_is_in_order_and_judges_a_dose():
    text = PACKS[1]

    assert lint(text) == []
    found = plan(read_schedule(text), shipped_vaccines())
    (early,) = validate([Given("a", "mr", 272)], born_on(0), found)  # 9 months after is 273
    (zero,) = validate([Given("a", "mr", 268)], born_on(0), found)  # five days early: four may be
    assert (early.state, early.number) == ("valid", 1)
    assert (zero.state, zero.number, zero.rules[0].pack) == ("beside", 0, "schedule-ourland")


def test_the_pack_of_the_readme_is_in_order_and_runs():
    text = PACKS[0]

    assert lint(text) == []
    who = Person(ages.of_days(200), None, Decimal(63, 1))
    found = run(read_guideline(text), {"stiff_neck": False}, who)
    assert found.steps[0].amounts[0].text == "10 × 6.3 = 63 → 65 mL"
    assert run(read_guideline(text), {"stiff_neck": True}, who).stop is not None


def test_the_interventions_of_the_readme_are_in_order_and_say_who_is_due():
    text = PACKS[2]

    assert lint(text) == []
    vitamin, arm = read_interventions(text).intervention
    states = [due(vitamin, born_on(0), day).state for day in (364, 365, 1825, 1826)]
    assert states == ["too-young", "due", "due", "too-old"]
    assert due(arm, born_on(0), 365).ages[0].substance == ""


def test_the_readme_names_every_form():
    (sentence,) = re.findall(r"The names (.*?) have forms", README, re.DOTALL)

    assert set(re.findall(r"`([a-z0-9]+)`", sentence)) == set(FORMS)
