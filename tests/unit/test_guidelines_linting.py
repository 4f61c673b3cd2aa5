"""The linter names the line of every fault, whatever the pack."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import SetupError
from protocols.guidelines.lines import lines_of
from protocols.guidelines.linting import lint, read_any

FOLDER = files("protocols.guidelines") / "packs"
TEXTS = {
    path.name.removesuffix(".toml"): path.read_text("utf-8")
    for path in FOLDER.iterdir()
    if path.name.endswith(".toml")
}


@pytest.mark.parametrize("name", sorted(TEXTS))
def test_every_shipped_pack_is_clean(name):
    assert lint(TEXTS[name]) == []
    held: Any = read_any(TEXTS[name])
    assert held.pack.name == name


FAULTS = [
    (
        "cholera-c",
        'formula = "30 * weight"',
        'formula = "30 * wieght"',
        "no input 'wieght'",
        "step",
    ),
    ("cholera-c", 'unit = "mL"', 'unit = "ml"', "unknown unit", "step"),
    ("cholera-c", 'from = "6 mo", below = "12 mo"', 'from = "7 mo", below = "12 mo"', "gap", "row"),
    (
        "cholera-c",
        'from = "6 mo", below = "12 mo"',
        'from = "5 mo", below = "12 mo"',
        "overlap",
        "row",
    ),
    ("cholera-c", "lasts_min = 60", 'lasts_min = "60"', "int", "here"),
    ("cholera-c", "lasts_min = 60", "lasts_mins = 60", "lasts_mins", "here"),
    ("news2", 'from = "9", to = "11"', 'from = "10", to = "11"', "gap", "any"),
    ("news2", 'approved_by = ""', 'approved_by = "Dr A."', "approved_by", "here"),
    ("limits", 'from = "12 y"', 'from = "13 y"', "gap before row 4", "any"),
    ("triage", 'when = "resp_rate > 30"', 'when = "resp > 30"', "no input 'resp'", "row"),
    ("formulary", 'mg_per_kg = "3"', 'mg_per_kg = "3,0"', "mg_per_kg is no number", "here"),
    ("formulary", 'source = "WHO malaria, recalled"\n', "", "source is missing", "any"),
    ("due", "minutes = 720", "minutes = 0", "minutes is", "here"),
    ("syndromes", "mds = 44\n", "mds = 43\n", "mds is 44", "here"),
    ("imci", 'version = "1"', 'version = "one"', "a version is", "here"),
    ("imci", 'source = "IMCI chart', 'saucy = "IMCI chart', "saucy", "any"),
    ("observations", 'below = "1 y", possible', 'below = "2 y", possible', "gap or overlap", "any"),
    ("imci", "[[step]]", "[[stepp]]", "stepp", "here"),
    ("imci", "[[step]]", "[[step]", "", "here"),
]


@pytest.mark.parametrize(("name", "old", "new", "what", "near"), FAULTS)
def test_a_fault_is_told_with_its_line(name, old, new, what, near):
    text = TEXTS[name]
    assert old in text
    changed = text.replace(old, new, 1)
    line = text[: text.index(old)].count("\n") + 1

    found = lint(changed)

    assert any(what in fault.what for fault in found)
    lines = [fault.line for fault in found if what in fault.what]
    if near == "here":
        assert line in lines
    elif near == "step":
        before = text[: text.index(old)].splitlines()
        start = max(at for at, each in enumerate(before, 1) if each.startswith("[["))
        assert start in lines
    elif near == "row":
        assert any(abs(line - each) <= 4 for each in lines)
    else:
        assert all(each > 1 for each in lines)
    with pytest.raises(SetupError) as refused:
        read_any(changed)
    assert str(refused.value.values["place"]).startswith("line ")


def test_lines_are_found_in_tables_arrays_and_inline_tables():
    text = '''a = 1 # [x]
[t]
b = [
  1,
  { c = "}", d = [ 2,
    3 ] },
]
[[t.u]]
e = """
[no]
"""
f.g = 2
[[t.u]]
e = 'x'
[t.u.v]
h = 3
'''
    tomllib.loads(text)
    lines = lines_of(text)

    for path, line in {
        ("a",): 1,
        ("t",): 2,
        ("t", "b"): 3,
        ("t", "b", 0): 4,
        ("t", "b", 1, "c"): 5,
        ("t", "b", 1, "d", 1): 6,
        ("t", "u", 0): 8,
        ("t", "u", 0, "e"): 9,
        ("t", "u", 0, "f", "g"): 12,
        ("t", "u", 1, "e"): 14,
        ("t", "u", 1, "v", "h"): 16,
        ("nowhere",): 1,
        ("t", "b", 1, "nothing"): 5,
    }.items():
        assert lines.at(path) == line, path


@given(st.text(max_size=120))
def test_any_text_is_judged(text):
    assert lint(text)


TOML_SIGNS = st.text(alphabet="[]{}=,.\"'#\n abpack_name1", max_size=80)


@given(TOML_SIGNS)
def test_any_toml_is_judged(text):
    assert lint(text)
    lines_of(text)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(TEXTS)), st.data())
def test_a_shipped_pack_with_a_few_characters_changed_is_judged(name, data):
    text = TEXTS[name]
    at = data.draw(st.integers(0, len(text)))
    new = data.draw(st.text(alphabet="[]{}=,.\"'\n 0aé-", max_size=3))
    gone = data.draw(st.integers(0, 3))

    for fault in lint(text[:at] + new + text[at + gone :]):
        assert 1 <= fault.line <= text.count("\n") + 4


def test_deep_nesting_is_a_fault_and_no_crash():
    for deep in ("a = " + "[" * 5_000 + "]" * 5_000, "[" * 5_000, "a." * 3_000 + "b = 1"):
        assert lint(f'[pack]\nname = "x"\n{deep}\n')
