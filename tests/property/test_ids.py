"""Ids as text: the bytes come back, and texts lie in the order of their bytes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from protocols.ids import CROCKFORD, from_base32, to_base32

_RAW = st.binary(max_size=70)


@given(_RAW)
def test_each_letter_is_five_bits_of_the_bytes_from_the_left(raw: bytes) -> None:
    bits = "".join(f"{byte:08b}" for byte in raw)
    bits += "0" * (-len(bits) % 5)
    letters = (CROCKFORD[int(bits[at : at + 5], 2)] for at in range(0, len(bits), 5))
    assert to_base32(raw) == "".join(letters)
    assert from_base32(to_base32(raw), len(raw)) == raw


@given(
    st.integers(0, 40).flatmap(
        lambda size: st.tuples(*[st.binary(min_size=size, max_size=size)] * 2)
    )
)
def test_equal_lengths_keep_their_order(pair: tuple[bytes, bytes]) -> None:
    one, other = pair
    assert (one < other) == (to_base32(one) < to_base32(other))
