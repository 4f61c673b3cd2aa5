"""Numbers, feeds, entries and runs byte by byte; the golden bytes are in tests/vectors."""

from __future__ import annotations

from typing import Any

import pytest

from protocols.errors import PeerError
from protocols.feeds.body import (
    DEPENDENCIES_MAX,
    FACTS_MAX,
    PLAIN_BYTES_MAX,
    VoidBody,
    decode_body,
    encode_body,
)
from protocols.feeds.clock import AHEAD_MS_MAX, clock_ms, observe, tick
from protocols.feeds.dictionary import FIRST, STORED, deflate, inflate, known
from protocols.feeds.entry import ENTRY_BYTES_MAX, hash_header, header_of, open_body
from protocols.feeds.feed import EARLIER_HEADS_MAX, Genesis, Head, decode_genesis
from protocols.feeds.lane import Lane
from protocols.feeds.run import (
    CLOCK_MAX,
    KEYS_MAX,
    RUN_ENTRIES_MAX,
    UNSIGNED_BYTES_MAX,
    UNSIGNED_MAX,
    Gap,
    decode_run,
    encode_run,
)
from protocols.feeds.varint import put_varint, take_varint, unzigzag, zigzag
from protocols.ids import EntryHash, FeedId, KeyId, ScopeId
from tests.unit.forge import Author, device_keys, opening, saying

_NAMES_A_KEY = 4
"""Flag of an entry in a run, `protocols/README.md`."""
SCOPE, KEY_ID, KEY = ScopeId(b"a scope of tests"), KeyId(b"i" * 32), b"k" * 32


def author(name: str = "one") -> Author:
    return Author(device_keys(name), SCOPE, KEY_ID, KEY)


def read(raw: bytes, genesis: Genesis | None = None, prev: bytes | None = None):
    return decode_run(raw, 0, lambda _: genesis, lambda *_: prev)


# numbers


@pytest.mark.parametrize("number", [0, 1, 127, 128, 2**14 - 1, 2**14, 2**56, 2**63 - 1])
def test_a_number_reads_back_from_its_one_spelling(number: int):
    raw = put_varint(number)

    assert take_varint(b"x" + raw + b"y", 1) == (number, 1 + len(raw))
    assert len(raw) <= 9


@pytest.mark.parametrize(
    "raw", [b"", b"\x80", b"\xff" * 8, b"\x80\x00", b"\x81\x80\x00", b"\xff" * 9 + b"\x01"]
)
def test_a_number_cut_off_too_long_or_padded_is_refused(raw: bytes):
    with pytest.raises(PeerError, match="malformed"):
        take_varint(raw, 0)


@pytest.mark.parametrize("number", [0, -1, 1, -64, 2**40, -(2**40)])
def test_signed_numbers_fold_and_unfold(number: int):
    assert unzigzag(zigzag(number)) == number


# the clock


def test_the_clock_never_stands_still_and_follows_the_wall():
    assert tick(0, 5) == 5 << 16
    assert tick(5 << 16, 5) == (5 << 16) + 1
    assert tick(9 << 16, 5) == (9 << 16) + 1


def test_a_clock_up_to_twelve_hours_ahead_pulls_ours_along_and_one_further_does_not():
    near, far = AHEAD_MS_MAX << 16, (AHEAD_MS_MAX + 1) << 16
    assert observe(0, near, 0) == near
    assert observe(7, far, 0) == 7
    assert observe(far, near, 0) == far
    assert clock_ms(far) == AHEAD_MS_MAX + 1


# genesis


def test_a_genesis_reads_back_and_its_hash_is_the_feed():
    heads = tuple(
        Head(FeedId(bytes((at,)) * 32), at + 1, EntryHash(bytes(32)))
        for at in range(EARLIER_HEADS_MAX)
    )
    genesis = Genesis(device_keys("a").device, author().epoch, SCOPE, Lane.BULK, heads)

    assert decode_genesis(genesis.encode()) == genesis
    assert genesis.feed_id != author().genesis(Lane.BULK).feed_id


@pytest.mark.parametrize(("at", "value"), [(0, 2), (57, 4), (57, 0), (58, 1), (58, 255)], ids=str)
def test_a_genesis_of_another_version_lane_or_length_is_refused(at: int, value: int):
    raw = bytearray(author().genesis().encode())
    raw[at] = value

    with pytest.raises(PeerError, match="malformed"):
        decode_genesis(bytes(raw))


def test_a_genesis_with_one_head_too_many_or_a_byte_more_is_refused():
    head = Head(FeedId.zero(), 1, EntryHash.zero())
    one = author().genesis()
    many = Genesis(one.device, one.epoch, SCOPE, Lane.ROUTINE, (head,) * (EARLIER_HEADS_MAX + 1))
    for raw in (many.encode(), one.encode() + b"\0", one.encode()[:-1], b""):
        with pytest.raises(PeerError, match="malformed"):
            decode_genesis(raw)


# bodies


def test_a_body_at_every_limit_reads_and_one_past_it_is_void():
    deps = [number.to_bytes(16) for number in range(DEPENDENCIES_MAX + 1)]
    facts = [(1, b"")] * (FACTS_MAX + 1)
    fine = encode_body((7, b"hash"), deps[:-1], facts[:-1])

    body = decode_body(fine)

    assert (len(body.dependencies), len(body.facts)) == (DEPENDENCIES_MAX, FACTS_MAX)
    assert (body.session_seq, body.session_hash) == (7, b"hash")
    for wrong in (
        encode_body((0, b""), deps, facts[:-1]),
        encode_body((0, b""), deps[:-1], facts),
        encode_body((0, b""), [deps[1], deps[0]], []),
        encode_body((0, b""), [deps[1], deps[1]], []),
        fine + b"\0",
        fine[:-1],
        b"",
        encode_body((0, b""), [], [(1, b"abc")])[:-1],
        put_varint(1) + b"abc",
    ):
        with pytest.raises(VoidBody):
            decode_body(wrong)


def test_a_bomb_inflates_to_its_limit_and_not_a_byte_further():
    dictionary, packed = deflate(bytes(PLAIN_BYTES_MAX))
    assert dictionary == FIRST and len(packed) < 2_000
    assert len(inflate(dictionary, packed)) == PLAIN_BYTES_MAX

    for bomb in (deflate(bytes(PLAIN_BYTES_MAX + 1))[1], deflate(bytes(60 * PLAIN_BYTES_MAX))[1]):
        with pytest.raises(VoidBody, match="inflate"):
            inflate(FIRST, bomb)


@pytest.mark.parametrize("wrong", [b"", b"\xff\xff", b"\x03\x00more"])
def test_a_damaged_or_padded_deflate_is_void(wrong: bytes):
    with pytest.raises(VoidBody, match="inflate"):
        inflate(FIRST, wrong)


def test_what_is_too_short_to_gain_is_stored_and_ids_to_come_are_not_known():
    assert deflate(b"\xc3\x28") == (STORED, b"\xc3\x28")
    assert inflate(STORED, b"\xc3\x28") == b"\xc3\x28"
    assert known(STORED) and known(FIRST) and not known(FIRST + 1)


# entries


def test_an_entry_opens_under_its_key_only_and_nowhere_else():
    entry = author().write([opening(), saying("secret")])
    header = header_of(entry)

    assert len(header) == 151 and hash_header(header) == entry.hash
    assert open_body(header, entry.body, KEY) is not None
    assert open_body(header, entry.body, b"K" * 32) is None
    for at in range(0, len(header) - 32, 7):
        moved = bytearray(header)
        moved[at] ^= 1
        assert open_body(bytes(moved), entry.body, KEY) is None


def test_two_writings_at_one_place_share_no_bytes_of_keystream():
    one, two = author(), author()
    first = one.write([opening(), saying("a" * 400)])
    two.clock += 1 << 16
    second = two.write([opening(), saying("b" * 400)])

    assert (first.feed, first.seq, first.prev) == (second.feed, second.seq, second.prev)
    assert first.body[:8] != second.body[:8]


# runs


def written(count: int = 5, **given: Any) -> Author:
    made = author()
    for number in range(count):
        made.write([opening(), saying(str(number))], **given)
    return made


def test_a_run_reads_back_as_the_entries_it_was_made_of():
    made = written()
    entries = made.chains[Lane.ROUTINE]
    raw = made.encoded()

    run, end = read(raw + b"rest")

    assert end == len(raw)
    assert [line.hash for line in run.lines] == [entry.hash for entry in entries]
    assert [line.header for line in run.lines] == [header_of(entry) for entry in entries]
    assert [line.body for line in run.lines] == [entry.body for entry in entries]
    assert run.genesis == made.genesis().encode()


def test_a_run_from_the_middle_needs_its_feed_and_the_entry_before():
    made = written()
    raw = made.encoded(first=3)
    before = made.chains[Lane.ROUTINE][1].hash

    run, _ = read(raw, made.genesis(), before)
    assert run.lines[0].seq == 3

    for genesis, prev in ((None, before), (made.genesis(), None)):
        with pytest.raises(Gap) as gap:
            read(raw + b"next run", genesis, prev)
        assert (gap.value.feed, gap.value.first) == (made.genesis().feed_id, 3)
        assert gap.value.end == len(raw)


def test_bodies_may_travel_apart_and_the_chain_still_holds():
    made = written()
    entries = made.chains[Lane.ROUTINE]
    out = [made.outgoing(entry)._replace(body=None) for entry in entries]
    genesis = made.genesis()

    run, _ = read(encode_run(genesis.feed_id, genesis.encode(), 1, genesis.feed_id, out))

    assert [line.hash for line in run.lines] == [entry.hash for entry in entries]
    assert all(line.body is None for line in run.lines)


def test_keys_are_named_once_and_switched_by_number():
    made = author()
    keys = [KeyId(bytes((number,)) * 32) for number in range(KEYS_MAX + 1)]
    for number in (0, 1, 0, 2, 1, *range(3, KEYS_MAX), 5):
        made.key_id = keys[number]
        made.write([opening()])
    run, _ = read(made.encoded())
    assert [line.key_id for line in run.lines] == [
        entry.key_id for entry in made.chains[Lane.ROUTINE]
    ]

    made.key_id = keys[KEYS_MAX]
    made.write([opening()])
    with pytest.raises(PeerError, match="malformed what=key"):
        read(made.encoded())


def test_a_broken_signature_anywhere_refuses_the_whole_run():
    made = written()
    other = author("two")
    out = [made.outgoing(entry) for entry in made.chains[Lane.ROUTINE]]
    genesis = made.genesis()
    for at in range(len(out)):
        forged = list(out)
        forged[at] = out[at]._replace(signature=other.keys.sign(b"something else"))
        with pytest.raises(PeerError, match="bad_signature"):
            read(encode_run(genesis.feed_id, genesis.encode(), 1, genesis.feed_id, forged))


@pytest.mark.parametrize(("unsigned", "fine"), [(UNSIGNED_MAX, True), (UNSIGNED_MAX + 1, False)])
def test_so_many_entries_may_stand_between_two_signatures_and_no_more(unsigned: int, fine: bool):
    made = author()
    for _ in range(unsigned + 1):
        made.raw(bytes(24))
    raw = made.encoded(every=RUN_ENTRIES_MAX)
    if fine:
        assert len(read(raw)[0].lines) == unsigned + 1
        return
    with pytest.raises(PeerError, match="malformed what=unsigned"):
        read(raw)


@pytest.mark.parametrize("more", [0, 1])
def test_so_many_bytes_may_stand_between_two_signatures_and_no_more(more: int):
    made, half = author(), UNSIGNED_BYTES_MAX // 2
    for size in (half, half, 24, half, half + more, 24):
        made.raw(bytes(size))
    raw = made.encoded(every=3)
    if not more:
        assert len(read(raw)[0].lines) == 6
        return
    with pytest.raises(PeerError, match="malformed what=unsigned"):
        read(raw)


def test_a_body_that_travels_apart_counts_as_its_hash():
    made = author()
    for _ in range(UNSIGNED_MAX):
        made.raw(bytes(4096))
    out = [made.outgoing(entry, signed=False) for entry in made.chains[Lane.ROUTINE]]
    apart = [each._replace(body=None) for each in out[:-1]]
    last = made.outgoing(made.chains[Lane.ROUTINE][-1])
    genesis = made.genesis()

    raw = encode_run(genesis.feed_id, genesis.encode(), 1, genesis.feed_id, [*apart, last])
    assert len(read(raw)[0].lines) == UNSIGNED_MAX


@pytest.mark.parametrize(
    ("clock", "why"),
    [
        (CLOCK_MAX - 1, "bad_signature"),
        (CLOCK_MAX, "malformed what=clock"),
        (0, "bad_signature"),
        (-1, "malformed what=clock"),
    ],
)
def test_a_clock_has_a_range(clock: int, why: str):
    made = written(1)
    out = made.outgoing(made.chains[Lane.ROUTINE][0])._replace(clock=clock)
    genesis = made.genesis()
    with pytest.raises(PeerError, match=why):
        read(encode_run(genesis.feed_id, genesis.encode(), 1, genesis.feed_id, [out]))


def test_a_counter_has_16_bits_and_the_first_entry_names_a_key():
    made = written(1)
    out = made.outgoing(made.chains[Lane.ROUTINE][0])._replace(clock=0xFFFF)
    genesis = made.genesis()
    raw = encode_run(genesis.feed_id, genesis.encode(), 1, genesis.feed_id, [out])
    counter, key = put_varint(0xFFFF), b"\0" + KEY_ID
    assert raw.count(counter) == raw.count(key) == 1
    with pytest.raises(PeerError, match="bad_signature"):
        read(raw)

    with pytest.raises(PeerError, match="malformed what=clock"):
        read(raw.replace(counter, put_varint(0x10000)))
    flags, rest = raw.split(key)
    with pytest.raises(PeerError, match="malformed what=clock"):
        read(flags[:-1] + bytes((flags[-1] & ~_NAMES_A_KEY,)) + rest)


@pytest.mark.parametrize(
    ("size", "fine"),
    [(24, True), (23, False), (ENTRY_BYTES_MAX + 8, True), (ENTRY_BYTES_MAX + 9, False)],
)
def test_a_body_has_a_least_and_a_greatest_length(size: int, fine: bool):
    made = author()
    made.raw(bytes(size))
    if fine:
        assert read(made.encoded())[0].lines[0].body == bytes(size)
        return
    with pytest.raises(PeerError, match="malformed what=length"):
        read(made.encoded())


def test_control_and_data_never_change_places():
    made = author()
    entry = made.control(b"\x63\x90" * 20)
    out = made.outgoing(entry)
    control, data = made.genesis(Lane.CONTROL), made.genesis()
    assert read(made.encoded(Lane.CONTROL))[0].lines[0].body == b"\x63\x90" * 20

    for genesis, line in (
        (data, out),
        (control, out._replace(kind=0, body=bytes(24))),
        (control, out._replace(key_id=KEY_ID)),
        (control, out._replace(dictionary=1)),
    ):
        with pytest.raises(PeerError, match="malformed"):
            read(encode_run(genesis.feed_id, genesis.encode(), 1, genesis.feed_id, [line]))
