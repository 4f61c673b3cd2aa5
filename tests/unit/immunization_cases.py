"""The sheets of cases under `tests/vectors/immunization`, read as facts."""

from __future__ import annotations

import csv
import re
from datetime import date
from pathlib import Path

from protocols.guidelines.calendar import length
from protocols.guidelines.immunization import Barred, Given, Terms
from protocols.guidelines.schedules import OUTBREAK, ROUTINE, Plan, shipped_plan

FOLDER = Path(__file__).resolve().parents[1] / "vectors" / "immunization"
_EPOCH = date(1970, 1, 1).toordinal()


def rows(name: str) -> list[dict[str, str]]:
    lines = (FOLDER / name).read_text("utf-8").splitlines()
    return list(csv.DictReader(line for line in lines if not line.startswith("#")))


def day_of(text: str) -> int:
    return date.fromisoformat(text).toordinal() - _EPOCH


def at(born: int, age: str) -> int:
    """Return the day of an age such as `14w+4mo-1d`, its parts added from left to right."""
    day = born
    for sign, number, unit in re.findall(r"([+-]?)([0-9]+)(d|w|mo|y)", age):
        if sign == "-":
            day -= int(number) * {"d": 1, "w": 7}[unit]
        else:
            day = length(f"{number} {unit}").after(day)
    return day


def doses_of(text: str, born: int) -> list[Given]:
    """Read `vaccine@age` or `vaccine@YYYY-MM-DD`, in the order written."""
    found = []
    for order, each in enumerate(text.split()):
        vaccine, _, when = each.partition("@")
        day = day_of(when) if re.fullmatch(r"[0-9-]{10}", when) else at(born, when)
        found.append(Given(f"{order:02}", vaccine, day))
    return found


def terms_of(row: dict[str, str], born: int) -> tuple[Plan, Terms]:
    """Return the plan and the terms of a row; `outbreak` among what is chosen names the pack."""
    words = row["choose"].split()
    plan = shipped_plan(OUTBREAK if "outbreak" in words else ROUTINE)
    barred = tuple(
        Barred(reason, vaccine)
        for reason, _, vaccine in (each.partition(":") for each in row["barred"].split())
    )
    begun = [at(born, word.partition("@")[2]) for word in words if word.startswith("campaign@")]
    choose = tuple(word for word in words if word != "outbreak" and "@" not in word)
    return plan, Terms(choose, begun[0] if begun else None, barred)
