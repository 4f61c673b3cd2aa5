"""Whoever copies the README's pack has one that is in order and runs."""

from __future__ import annotations

import re
from pathlib import Path

import protocols.guidelines
from protocols.guidelines import ages
from protocols.guidelines.decimals import Decimal
from protocols.guidelines.guideline import read_guideline
from protocols.guidelines.linting import FORMS, lint
from protocols.guidelines.questions import Person
from protocols.guidelines.running import run

README = (Path(protocols.guidelines.__file__).parent / "README.md").read_text("utf-8")
BLOCKS = re.findall(r"```toml\n(.*?)```", README, re.DOTALL)


def test_the_pack_of_the_readme_is_in_order_and_runs():
    text = "".join(BLOCKS)

    assert lint(text) == []
    who = Person(ages.of_days(200), None, Decimal(63, 1))
    found = run(read_guideline(text), {"stiff_neck": False}, who)
    assert found.steps[0].amounts[0].text == "10 × 6.3 = 63 → 65 mL"
    assert run(read_guideline(text), {"stiff_neck": True}, who).stop is not None


def test_the_readme_names_every_form():
    (sentence,) = re.findall(r"The names (.*?) have forms", README, re.DOTALL)

    assert set(re.findall(r"`([a-z0-9]+)`", sentence)) == set(FORMS)
