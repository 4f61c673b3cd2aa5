"""The plain body: the short way to read the usual one says what the long way says."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import PeerError
from protocols.feeds.body import Body, VoidBody, _decode, decode_body, decode_session, encode_body

sessions = st.one_of(
    st.just((0, b"")),
    st.tuples(st.integers(1, 40_000), st.binary(min_size=4, max_size=4)),
)
prefixes = st.lists(st.binary(min_size=16, max_size=16), max_size=2, unique=True).map(sorted)
facts = st.lists(st.tuples(st.integers(0, 300), st.binary(max_size=200)), max_size=2)


@given(sessions, prefixes, facts)
def test_what_is_written_is_read(session, dependencies, values):
    plain = encode_body(session, dependencies, values)
    body = decode_body(plain)

    assert body == _decode(plain)
    assert (body.session_seq, body.session_hash) == session == decode_session(plain[:16])
    assert (list(body.dependencies), list(body.facts)) == (dependencies, values)


@given(sessions, prefixes, facts, st.data())
def test_both_ways_refuse_the_same(session, dependencies, values, data):
    plain = bytearray(encode_body(session, dependencies, values))
    for _ in range(data.draw(st.integers(1, 3))):
        plain[data.draw(st.integers(0, len(plain) - 1))] = data.draw(st.integers(0, 255))
    spoiled = bytes(plain[: data.draw(st.integers(0, len(plain)))])

    def read(way):
        try:
            return way(spoiled)
        except (VoidBody, PeerError):
            return None

    assert read(decode_body) == read(_decode)


def test_a_session_number_that_is_not_in_its_shortest_form_is_void():
    plain = encode_body((7, b"stub"), [b"d" * 16], [(32, b"value")])
    assert decode_body(plain).session_seq == 7

    with pytest.raises(VoidBody):
        decode_body(b"\x87\x00" + plain[1:])


@pytest.mark.parametrize("seq", [0, 1, 127, 128, 300, 16_383, 16_384, 2**40])
def test_a_usual_edit_names_its_session_whatever_its_number(seq):
    session = (seq, b"stub" if seq else b"")
    body = decode_body(encode_body(session, [b"d" * 16], [(32, b"value")]))

    assert body == Body(*session, (b"d" * 16,), ((32, b"value"),))
