"""What nests too deep is read by nobody, whoever calls and from however deep."""

from __future__ import annotations

import sys
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.records.catalogue import BY_NAME, decode_fact
from protocols.records.nesting import _CONTAINERS, NESTED_MAX, _walked, too_deep
from protocols.records.shape import Kind
from tests.unit.forge import saying

NOTE: Kind = BY_NAME["note.add"]

values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.floats(allow_nan=False)
    | st.text(max_size=300) | st.binary(max_size=300),
    lambda inner: st.lists(inner, max_size=20) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=30,
)  # fmt: skip


def nested(depth: int, value: Any = None, *, maps: bool = False) -> Any:
    for _ in range(depth):
        value = {"a": value} if maps else [value]
    return value


def fact(depth: int) -> bytes:
    """A note with a field behind those we know, as newer software might write it."""
    known = decode_fact(*saying("words"))
    assert known is not None
    fields = msgspec.structs.astuple(known)
    whole = msgspec.msgpack.encode([*fields, None])
    assert whole[-1:] == b"\xc0"
    return whole[:-1] + b"\x91" * depth + b"\xc0"


def called_from(depth: int, value: bytes) -> object:
    """Read a fact from so many calls down."""
    if depth:
        return called_from(depth - 1, value)
    return decode_fact(NOTE.number, value)


@given(values, st.integers(0, 90), st.booleans())
def test_depth_is_told_whatever_lies_beside_it(value: Any, depth: int, maps: bool) -> None:
    def deepest(found: Any) -> int:
        inner = found.values() if isinstance(found, dict) else found
        if not isinstance(found, list | dict) or not found:
            return 0
        return 1 + max(map(deepest, inner))

    whole = [value, nested(depth, value, maps=maps), value]
    raw = msgspec.msgpack.encode(whole)
    assert _walked(raw) is (deepest(whole) > NESTED_MAX)
    assert too_deep(raw) is (deepest(whole) > NESTED_MAX)


@given(st.binary(max_size=400) | st.lists(st.sampled_from(_CONTAINERS), max_size=300).map(bytes))
def test_no_bytes_make_it_fail_and_what_it_lets_pass_is_read_from_anywhere(raw: bytes) -> None:
    if not too_deep(raw):
        assert called_from(0, raw) == called_from(600, raw)


@pytest.mark.parametrize("depth", [0, 40, NESTED_MAX - 1, NESTED_MAX, 100, 400, 900, 5000])
def test_a_fact_is_read_alike_from_however_deep(depth: int) -> None:
    room = sys.getrecursionlimit() - 250
    read = {repr(called_from(calls, fact(depth))) for calls in (0, room // 2, room)}
    assert len(read) == 1
    # The fact's own fields are one of them.
    assert (read != {"None"}) is (depth < NESTED_MAX)
