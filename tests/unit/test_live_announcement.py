"""An announcement is a hint, checked in form, in MAC and in place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.live.address import Address
from protocols.live.announcement import (
    CANDIDATES_MAX,
    PORT_MIN,
    Candidate,
    Candidates,
    announce,
    near,
    recognise,
)

KEY = bytes(range(32))
PORT = 7400


def announced(port=PORT, key=KEY):
    fields = announce(key, port, lambda size: bytes(size))
    return {name.encode(): value for name, value in fields.items()}


def test_members_recognise_each_other_and_nobody_else():
    assert recognise(KEY, announced(), PORT)
    assert not recognise(bytes(32), announced(), PORT)


def test_an_announcement_is_for_one_port():
    assert not recognise(KEY, announced(), PORT + 1)


@pytest.mark.parametrize(("port", "taken"), [(PORT_MIN, True), (PORT_MIN - 1, False), (0, False)])
def test_system_services_are_never_knocked_at(port, taken):
    assert recognise(KEY, announced(port), port) is taken


def test_two_announcements_of_one_node_have_nothing_in_common_but_version_and_port():
    drawn = iter([b"a" * 16, b"b" * 16])
    first, second = (announce(KEY, PORT, lambda size: next(drawn)) for _ in range(2))

    assert first["n"] != second["n"]
    assert set(first) == {"v", "p", "n"}


@given(
    st.dictionaries(
        st.binary(max_size=6) | st.sampled_from([b"v", b"p", b"n"]),
        st.none() | st.binary(max_size=80) | st.sampled_from([b"1", b"7400"]),
        max_size=6,
    ),
    st.integers(-1, 70_000),
)
def test_no_foreign_fields_are_taken_and_none_break_it(fields, port):
    assert not recognise(KEY, fields, port)


@given(st.integers(0, 63), st.integers(0, 255))
def test_any_changed_byte_of_the_proof_is_noticed(place, value):
    fields = announced()
    proof = bytearray(fields[b"n"])
    changed = proof[place] != value
    proof[place] = value

    assert recognise(KEY, {**fields, b"n": bytes(proof)}, PORT) is not changed


def test_only_addresses_of_this_site_are_hints():
    assert near(["8.8.8.8", "nonsense", "10.77.0.2"]) == "10.77.0.2"
    assert near(["169.254.3.4"]) == "169.254.3.4"
    assert near(["127.0.0.1"]) == "127.0.0.1"
    for text in ("8.8.8.8", "224.0.0.251", "0.0.0.0", "255.255.255.255", "", "10.0.0.1/8"):
        assert near([text]) is None


@given(st.lists(st.text(max_size=20), max_size=5))
def test_no_address_text_breaks_it(texts):
    assert near(texts) in (None, *texts)


def test_candidates_are_few_and_the_longest_unheard_of_goes_first():
    candidates = Candidates()
    heard = [Candidate(f"{n:016x}", Address("10.0.0.1", PORT + n)) for n in range(CANDIDATES_MAX)]
    assert all(candidates.heard(candidate) is None for candidate in heard)
    candidates.heard(heard[0])

    gone = candidates.heard(Candidate("f" * 16, Address("10.0.0.9", PORT)))

    assert gone == heard[1]
    assert len(candidates) == CANDIDATES_MAX
