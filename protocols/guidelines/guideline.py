"""The form of a guideline: questions, when to stop, steps with amounts and times, results."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Literal

import msgspec

from protocols.errors import SetupError
from protocols.guidelines.expressions import ExpressionFault, Type, names
from protocols.guidelines.pack import PackHead, Status, read_pack, shipped
from protocols.guidelines.questions import Question, check_questions, expression
from protocols.guidelines.words import lacking

STEPS_MAX = 64
MINUTES_MAX = 60 * 24 * 60
"""Sixty days: longer is another guideline."""
STORED_MAX = 63

UNITS = frozenset(
    {"mL", "mg", "g", "ug", "{tbl}", "{drop}", "[IU]", "mL/h", "{puff}", "{sachet}", "L/min", "%"}
)
"""Units of an amount, as UCUM writes them."""


class Amount(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How much, worked out."""

    formula: str
    unit: str
    at_most: str
    """Above it nothing is shown: an answer must be wrong, or the formula is."""
    formula_to: str = ""
    """Of a range: the upper end."""
    when: str = ""
    per_day: bool = False
    """It is a most in a day, not one portion."""
    by_age: bool = False
    """It comes from a table of ages, since no weight is known (SAFETY 9)."""
    source: str = ""
    status: Status | None = None


class Step(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One thing to do."""

    id: str
    words: dict[str, str]
    when: str = ""
    result: tuple[str, ...] = ()
    """Only when one of these results holds."""
    amount: tuple[Amount, ...] = ()
    """The first whose condition holds is shown, and a most in a day beside it."""
    after: str = ""
    """The step before; '' = from the beginning."""
    wait_min: int = 0
    """Due so long after that."""
    lasts_min: int = 0
    every_min: int = 0
    """Due again so long after each time; 0 = once."""
    times: int = 1
    """With `every_min`: how often; 0 = as long as the guideline runs. Without: 1, or 0 where it is
    done as often as there is need."""
    may_skip: bool = False
    """It may be left out, with a reason."""
    only_approved: bool = False
    """Left out until a clinical lead has signed the pack (SAFETY 10)."""
    source: str = ""
    status: Status | None = None


class Stop(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """When nothing of it is done and nothing is computed."""

    id: str
    when: str
    words: dict[str, str]
    """What to do instead."""
    ask: Literal["clinician", "nobody"] = "clinician"
    source: str = ""
    status: Status | None = None


class Result(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """What the answers come to; the first that holds."""

    id: str
    words: dict[str, str]
    when: str = ""
    level: Literal["red", "yellow", "green", ""] = ""
    leads_to: str = ""
    """Name of the pack to go on with."""
    source: str = ""
    status: Status | None = None


class About(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """How it is called and listed."""

    words: dict[str, str]
    for_whom: str = ""
    """A condition: the guideline is offered where it holds or is not known to fail."""


class Guideline(msgspec.Struct, forbid_unknown_fields=True, frozen=True):
    """One guideline, whole."""

    pack: PackHead
    guideline: About
    question: tuple[Question, ...] = ()
    stop: tuple[Stop, ...] = ()
    result: tuple[Result, ...] = ()
    step: tuple[Step, ...] = ()
    languages: dict[str, str] = {}

    def status_of(self, *parts: Amount | Step | Stop | Result) -> Status:
        """Return the status of what rests on these: a mixed one counts as memory (SAFETY 8)."""
        said = [part.status or self.pack.status for part in parts]
        return "memory" if "memory" in said else "verified"


SHIPPED = (
    "dehydration",
    "cholera-a",
    "cholera-b",
    "cholera-c",
    "malnutrition",
    "imci",
)
"""Guidelines that come with the software, in the order in which they are listed."""


# reading


def check(pack: Guideline) -> list[str]:
    """Return what is wrong with a guideline, one sentence each; empty when nothing is."""
    wrong = check_questions(pack.question, STORED_MAX)
    wrong += [f"guideline: no words in {each}" for each in lacking(pack.guideline.words)]
    kinds: tuple[tuple[str, tuple[Stop | Result | Step, ...]], ...] = (
        ("step", pack.step),
        ("stop", pack.stop),
        ("result", pack.result),
    )
    for what, rows in kinds:
        ids = [row.id for row in rows]
        wrong += [f"{each}: two {what}s share this id" for each in set(ids) if ids.count(each) > 1]
        wrong += [f"{row.id}: no words in {each}" for row in rows for each in lacking(row.words)]
    if len(pack.step) > STEPS_MAX:
        wrong.append(f"has more than {STEPS_MAX} steps")
    if not pack.step and not pack.result:
        wrong.append("has neither a step nor a result")
    if any(not row.when for row in pack.result[:-1]):
        wrong.append(f"{pack.result[0].id}: only the last result has no condition")
    results = {row.id for row in pack.result}
    for at, step in enumerate(pack.step):
        wrong += [f"{step.id}: {what}" for what in _step_faults(step, pack.step[:at], results)]
    wrong += _expression_faults(pack)
    return wrong


def _step_faults(step: Step, before: Sequence[Step], results: set[str]) -> list[str]:
    wrong = []
    if step.after and step.after not in [each.id for each in before]:
        wrong.append(f"there is no earlier step {step.after}")
    wrong += [f"there is no result {each}" for each in step.result if each not in results]
    minutes = (step.wait_min, step.lasts_min, step.every_min)
    if any(not 0 <= each <= MINUTES_MAX for each in minutes) or not 0 <= step.times <= 1000:
        wrong.append("a time is out of bounds")
    if step.times > 1 and not step.every_min:
        wrong.append("times needs every_min")
    for amount in step.amount:
        if amount.unit not in UNITS:
            wrong.append(f"unknown unit {amount.unit!r}")
        if not _positive(amount.at_most):
            wrong.append("at_most is no number above 0")
    return wrong


def _positive(text: str) -> bool:
    whole = text.replace(".", "", 1)
    return whole.isascii() and whole.isdecimal() and len(whole) <= 9 and Fraction(text) > 0


def expressions(pack: Guideline) -> Iterator[tuple[str, str, Type]]:
    """Yield (id of what it stands in, text, type) for every expression there is."""
    yield "guideline", pack.guideline.for_whom, Type.TRUTH
    rows: tuple[Stop | Result | Step, ...] = (*pack.stop, *pack.result, *pack.step)
    for row in rows:
        yield row.id, row.when, Type.TRUTH
    for step in pack.step:
        for amount in step.amount:
            yield step.id, amount.when, Type.TRUTH
            yield step.id, amount.formula or " ", Type.NUMBER
            yield step.id, amount.formula_to, Type.NUMBER


def _expression_faults(pack: Guideline) -> list[str]:
    wrong, named = [], set[str]()
    for place, text, wanted in expressions(pack):
        if not text:
            continue
        try:
            named.update(names(expression(pack.question, text, wanted)))
        except ExpressionFault as fault:
            wrong.append(f"{place}: {fault}")
    wrong += [f"{each.id}: nothing uses it" for each in pack.question if each.id not in named]
    return wrong


def read_guideline(text: str) -> Guideline:
    """Return a checked guideline.

    Raises:
        SetupError: `bad_pack`, with what is wrong first.
    """
    pack = read_pack(text, Guideline)
    wrong = check(pack)
    if wrong:
        raise SetupError("bad_pack", place=wrong[0])
    return pack


def shipped_guideline(name: str) -> Guideline:
    """Return one of `SHIPPED`."""
    return shipped(name, Guideline)
