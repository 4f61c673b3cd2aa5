"""No count below five leaves, nor anything that an adversary could work one out from."""

from __future__ import annotations

from collections.abc import Iterator

from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.records.suppressed import COUNT_MIN, Left, leaving

VALUES = ("a", "b", "c", "d", "e")
tables = st.dictionaries(st.sampled_from(VALUES), st.integers(1, 9), max_size=5)


def worlds(total: int, hidden: int) -> Iterator[tuple[int, ...]]:
    """Every way to share a total among so many cells of one or more."""
    if hidden == 0:
        if total == 0:
            yield ()
        return
    for first in range(1, total - hidden + 2):
        for rest in worlds(total - first, hidden - 1):
            yield (first, *rest)


def consistent(left: Left, name: str) -> list[dict[int | str, int]]:
    """Every table that would have been published like this one, by who knows how it is done."""
    cells = left.margins[name]
    assert cells is not None and left.total is not None
    shown = {value: n for value, n in cells.items() if n is not None}
    hidden = [value for value, n in cells.items() if n is None]
    found: list[dict[int | str, int]] = []
    for world in worlds(left.total - sum(shown.values()), len(hidden)):
        table = {**shown, **dict(zip(hidden, world, strict=True))}
        if leaving({name: table}) == left:
            found.append(table)
    return found


@settings(max_examples=150, deadline=None)
@given(tables)
def test_nobody_can_tell_what_a_hidden_count_is(table):
    left = leaving({"x": table})
    cells = left.margins["x"]
    if left.total is None or cells is None:
        return
    assert all(n is None or n >= COUNT_MIN for n in cells.values())
    found = consistent(left, "x")
    assert table in found
    for value, n in cells.items():
        if n is None:
            could = {world[value] for world in found}
            assert len(could) >= 2, (table, cells)


@given(tables)
def test_the_total_less_what_is_shown_is_no_small_count(table):
    left = leaving({"x": table})
    cells = left.margins["x"]
    if left.total is None:
        assert sum(table.values()) < COUNT_MIN and cells is None
    elif cells is not None:
        shown = [n for n in cells.values() if n is not None]
        rest = left.total - sum(shown)
        hidden = len(cells) - len(shown)
        assert rest == 0 or (rest >= COUNT_MIN and hidden >= 2)
        assert set(cells) == set(table)


@given(tables, tables)
def test_properties_are_hidden_each_for_itself_and_share_only_the_total(one, other):
    padding = sum(one.values()) - sum(other.values())
    if padding > 0:
        other = {**other, "z": padding}
    elif padding < 0:
        one = {**one, "z": -padding}
    left = leaving({"one": one, "other": other})
    assert left.margins["one"] == leaving({"one": one}).margins["one"]
    assert left.margins["other"] == leaving({"other": other}).margins["other"]


def test_large_counts_leave_as_they_are():
    assert leaving({"x": {"a": 5, "b": 700}}) == Left(705, {"x": {"a": 5, "b": 700}})


def test_small_counts_that_hide_each_other_take_nothing_with_them():
    left = leaving({"x": {"a": 3, "b": 4, "c": 6}})
    assert left.margins["x"] == {"a": None, "b": None, "c": 6}


def test_one_small_count_takes_the_next_smallest_with_it():
    left = leaving({"x": {"a": 3, "b": 6, "c": 40}})
    assert left.margins["x"] == {"a": None, "b": None, "c": 40}


def test_where_there_is_too_little_to_hide_in_nothing_of_it_leaves():
    assert leaving({"x": dict.fromkeys(VALUES, 1)}) == Left(5, {"x": None})
    assert leaving({"x": {"a": 4}}) == Left(None, {"x": None})
    assert leaving({}) == Left(None, {})
