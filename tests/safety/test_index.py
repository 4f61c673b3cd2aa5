"""Every rule of SAFETY has a test that names it; what belongs to work not begun says so here.

A test names the rules it proves by `@pytest.mark.safety(7)` or by its name, `test_safety_7_...`.
Rules that nothing here can break yet are expected failures with their reason, so that a run lists
them and never shows them as held.
"""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from functools import cache
from pathlib import Path

import pytest

TESTS = Path(__file__).parents[1]
RULES = TESTS.parents[1] / "shared" / "SAFETY.md"

SECTIONS = {
    "numbers and units": range(1, 8),
    "doses and guidelines": range(8, 13),
    "who, when, where from": range(13, 16),
    "identity, tags, scans": range(16, 19),
    "saving, undoing, locking": range(19, 21),
    "keys": range(21, 22),
    "stock": range(22, 26),
}
EVERY = [rule for rules in SECTIONS.values() for rule in rules]

PENDING: dict[int, str] = {}
PARTLY: dict[int, str] = {}
"""Rules of which a part is proved and another part has nothing yet that could break it."""


@cache
def named() -> dict[int, set[str]]:
    """Return the tests that name each rule; those a default run leaves out do not count."""
    found: dict[int, set[str]] = defaultdict(set)
    for path in sorted(TESTS.rglob("test_*.py")):
        for part in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(part, ast.FunctionDef | ast.AsyncFunctionDef):
                for rule in _rules(part.name, part.decorator_list):
                    found[rule].add(f"{path.relative_to(TESTS)}::{part.name}")
    return found


def _rules(name: str, decorators: list[ast.expr]) -> set[int]:
    called = re.match(r"test_safety_(\d+)(?:_and_(\d+))?_", name)
    by_name = {int(number) for number in called.groups() if number} if called else set()
    marks = {ast.unparse(each).partition("(")[0] for each in decorators}
    if "pytest.mark.slow" in marks:
        return set()
    return by_name | {
        int(ast.literal_eval(argument))
        for each in decorators
        if isinstance(each, ast.Call) and ast.unparse(each.func) == "pytest.mark.safety"
        for argument in each.args
        if isinstance(argument, ast.Constant)
    }


@pytest.mark.parametrize("rule", EVERY)
def test_a_rule_has_a_test_that_names_it(rule):
    tests = named().get(rule, set())
    if rule in PENDING:
        assert not tests, f"rule {rule} has tests now: it is pending no more"
        pytest.xfail(f"rule {rule} is pending: {PENDING[rule]}")
    assert tests, f"no test is marked with safety({rule})"


@pytest.mark.parametrize("rule", PARTLY)
def test_a_rule_has_a_part_that_nothing_proves_yet(rule):
    assert named()[rule]
    pytest.xfail(f"rule {rule} is pending in part: {PARTLY[rule]}")


def test_no_mark_names_a_rule_that_is_none():
    assert set(named()) <= set(EVERY)


@pytest.mark.skipif(not RULES.exists(), reason="the rules are not beside this checkout")
def test_the_rules_counted_here_are_those_of_the_rule_book():
    text = RULES.read_text("utf-8")
    heads = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    found = {
        head.lower(): [int(n) for n in re.findall(r"^(\d+)\. ", body, re.MULTILINE)]
        for head, body in zip(heads[::2], heads[1::2], strict=True)
    }

    assert found == {head: list(rules) for head, rules in SECTIONS.items()}
