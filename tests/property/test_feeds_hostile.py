"""Hostile bytes at the doors of feeds, ledger and mesh: refused or void, never anything else.

What is mutated is signed, hashed and sealed anew wherever that can be done by a member with its
own keys, so that nothing is stopped by a checksum before the code under test sees it.
"""

from __future__ import annotations

import time
from contextlib import suppress
from random import Random

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from msgspec import structs

from protocols.errors import PeerError
from protocols.feeds.advance import Advance, open_lone
from protocols.feeds.body import PLAIN_BYTES_MAX, Body, VoidBody, decode_body, encode_body
from protocols.feeds.dictionary import inflate
from protocols.feeds.entry import sign_entry
from protocols.feeds.feed import decode_genesis
from protocols.feeds.lane import Lane
from protocols.feeds.run import Gap, Run, decode_run, encode_run
from protocols.feeds.varint import put_varint, take_varint
from protocols.ids import DeviceId, Epoch, KeyId
from protocols.ledger import advancing
from protocols.mesh.frames import Unknown, Vouch, decode_frame, encode_frame
from protocols.records.catalogue import BY_NUMBER
from protocols.trust.control import encode_control
from protocols.trust.keyring import rotate
from tests.unit.forge import Author, device_keys, opening, saying
from tests.unit.stage import WALL_MS, Device, Stage, camp, copied, fill, speak, triage
from tests.vectors.feeds_samples import lone, samples

BASE = Device.found("ann")
PEOPLE = fill(BASE, 2)
SAMPLES = samples()


def author(name: str = "one", *, scope_key: bool = True) -> Author:
    authority = BASE.ledger.authority
    key_id, key = authority.write_key(authority.care_scope)
    return Author(device_keys(name), authority.care_scope, key_id, key if scope_key else b"x" * 32)


def mutated(raw: bytes, chance: Random) -> bytes:
    """The same bytes with a few of them changed, cut out, doubled or put in."""
    out = bytearray(raw)
    for _ in range(chance.choice((1, 1, 2, 5))):
        at = chance.randrange(len(out) + 1)
        match chance.randrange(6):
            case 0:
                out[at:at] = chance.randbytes(chance.choice((1, 4, 30)))
            case 1:
                del out[at : at + chance.choice((1, 8, 60))]
            case 2:
                out[at : at + 1] = chance.choice((b"\0", b"\x7f", b"\x80", b"\xff"))
            case 3:
                out[at : at + 9] = put_varint(chance.choice((0, 2**14, 2**31, 2**62, 2**63 - 1)))
            case 4:
                out[at:at] = out[: chance.randrange(40)]
            case _:
                out[at : at + 1] = (
                    bytes((out[at % len(out)] ^ 1 << chance.randrange(8),)) if out else b""
                )
    return bytes(out)


N = settings.default.max_examples
"""As the profile says: HYPOTHESIS_PROFILE=wide makes these campaigns long."""
chances = st.randoms(use_true_random=False)


def read(raw: bytes) -> Run | None:
    """What a reader that holds nothing makes of these bytes; only two things may go wrong."""
    began = time.perf_counter()
    try:
        run, end = decode_run(raw, 0, lambda _: None, lambda *_: None)
    except (PeerError, Gap):
        return None
    finally:
        assert time.perf_counter() - began < 2
    assert 0 < end <= len(raw)
    return run


@given(st.binary(max_size=300))
def test_any_bytes_are_a_number_or_refused(raw: bytes):
    try:
        number, end = take_varint(raw, 0)
    except PeerError:
        return
    assert raw[:end] == put_varint(number)


@given(st.binary(max_size=400))
def test_any_bytes_are_a_body_or_void(raw: bytes):
    try:
        body = decode_body(raw)
    except VoidBody:
        return
    again = encode_body((body.session_seq, body.session_hash), body.dependencies, body.facts)
    assert again == raw


@given(chances)
def test_a_mutated_body_is_a_body_or_void(chance: Random):
    plain = encode_body((9, b"hash"), [b"\1" * 16, b"\2" * 16], [opening(), saying("hello")])
    try:
        body = decode_body(mutated(plain, chance))
    except VoidBody:
        return
    assert isinstance(body, Body)


@given(st.integers(0, 3), st.binary(max_size=200))
def test_any_bytes_inflate_or_are_void(dictionary: int, raw: bytes):
    try:
        plain = inflate(dictionary, raw)
    except VoidBody:
        return
    assert len(plain) <= PLAIN_BYTES_MAX


@given(chances)
def test_a_mutated_genesis_is_a_genesis_or_refused(chance: Random):
    raw = mutated(SAMPLES[chance.choice(("genesis", "genesis with a head"))], chance)
    try:
        genesis = decode_genesis(raw)
    except PeerError:
        return
    assert genesis.encode() == raw


@settings(max_examples=5 * N)
@given(chances)
def test_mutated_run_bytes_are_a_run_a_gap_or_refused(chance: Random):
    name = chance.choice([each for each in SAMPLES if "run" in each])
    read(mutated(SAMPLES[name], chance))


@given(st.binary(max_size=500))
def test_any_bytes_are_a_run_a_gap_or_refused(raw: bytes):
    read(raw)
    read(b"\1" + put_varint(59) + SAMPLES["genesis"] + raw)


@settings(max_examples=3 * N)
@given(chances)
def test_mutated_frames_are_frames_or_refused(chance: Random):
    name = chance.choice([each for each in SAMPLES if each.startswith("frame ")])
    try:
        frame = decode_frame(mutated(SAMPLES[name], chance))
    except PeerError:
        return
    if not isinstance(frame, Unknown):
        assert decode_frame(encode_frame(frame)) == frame


@given(st.binary(max_size=600))
def test_any_bytes_are_a_frame_or_refused(raw: bytes):
    for first in range(14):
        with suppress(PeerError):
            decode_frame(bytes((first,)) + raw)


# a member that signs whatever it likes


class Victim:
    """One book that has to bear everything, examples one after the other.

    What it was given stays in it, and records that wait are looked at again and again: after many
    it is seen to be whole still, and gives way to a fresh one.
    """

    def __init__(self) -> None:
        self._renew()

    def _renew(self) -> None:
        self._device, self._bore = Device("ann", copied(BASE.store), 0), 0

    def next(self) -> Device:
        """Return the book for one more example."""
        if self._bore == BEARS:
            still_works(self._device)
            self._renew()
        self._bore += 1
        return self._device


BEARS = 500
"""Examples that one book bears."""


@pytest.fixture(scope="module")
def victim() -> Victim:
    return Victim()


def taken(device: Device, run: Run) -> None:
    """Let a book take a run, and see that it is as whole as before."""
    began = time.perf_counter()
    device.ledger.take([run], WALL_MS)
    device.ledger.catch_up_all()
    assert time.perf_counter() - began < 5
    opened = "SELECT (SELECT count(*) FROM strand) + (SELECT count(*) FROM unopened)"
    assert device.store.one("SELECT count(*) FROM entry WHERE kind = 0") == device.store.one(opened)


def still_works(device: Device) -> None:
    """Reopen it, compare, and write on."""
    before = device.ledger.digest(device.ledger.authority.care_scope)
    again = Device("ann", copied(device.store), 0)
    assert again.care == before
    line = triage(PEOPLE[0].code or "")
    answers, _, _ = again.node._recorder.record([line], WALL_MS, again.chance.randbytes)
    assert answers[0].ok


def fresh(chance: Random) -> Author:
    made = author(f"hostile {chance.random()}")
    made.epoch = Epoch(chance.randbytes(8))
    return made


@settings(max_examples=N)
@given(chances)
def test_a_run_of_odd_fields_rightly_signed_never_stops_a_book(victim: Victim, chance: Random):
    ann = victim.next()
    made = fresh(chance)
    for _ in range(chance.randint(1, 6)):
        made.clock = chance.choice((0, 1, 2**61, 2**62, made.clock))
        made.key_id = chance.choice((made.key_id, KeyId(chance.randbytes(32)), KeyId.zero()))
        lane = Lane.ROUTINE
        if chance.random() < 0.5:
            made.raw(
                chance.randbytes(chance.choice((24, 25, 60, 5_000))),
                dictionary=chance.randrange(256),
            )
        else:
            made.seal(
                mutated(encode_body((0, b""), [], [opening(), saying("x")]), chance), lane=lane
            )
    run = read(made.encoded())
    if run is not None:
        taken(ann, run)


@settings(max_examples=2 * N)
@given(chances)
def test_hostile_bodies_under_the_right_key_are_void_or_read(victim: Victim, chance: Random):
    ann = victim.next()
    made = fresh(chance)
    start = made.write([opening(), saying("start")])
    plain = encode_body((0, b""), [bytes(start.hash.prefix)], [saying("on")])
    bodies = [
        mutated(plain, chance),
        plain + b"\0",
        chance.randbytes(50),
        b"",
        encode_body((0, b""), [], []),
        encode_body((2**62, b"hash"), [], [(2**62, b"")] * 3),
    ]
    for body in bodies:
        made.seal(body)
    taken(ann, made.run(*made.chains[Lane.ROUTINE]))


@settings(max_examples=2 * N)
@given(chances)
def test_hostile_facts_cost_no_document_and_no_row_of_others(victim: Victim, chance: Random):
    ann = victim.next()
    made = fresh(chance)
    rows = ann.store.one("SELECT count(*) FROM patient")
    facts = [opening() if chance.random() < 0.7 else (1, chance.randbytes(9))]
    for _ in range(chance.randint(1, 6)):
        kind = chance.choice([*BY_NUMBER, 60_000, 2**40])
        value = chance.choice(
            (
                chance.randbytes(chance.choice((0, 3, 40))),
                mutated(saying("words")[1], chance),
                mutated(b"\x93\xc0\x90\x81\x01\xa5hello", chance),
                b"\x93\xc0\x91\x92\xc4\x10" + chance.randbytes(16) + b"\x01\xc0",
                b"\x91" * 3_000,
                b"\xdd\xff\xff\xff\xff",
            )
        )
        facts.append((kind, value))
    taken(ann, made.run(made.write(facts)))
    assert ann.store.one("SELECT count(*) FROM patient") >= rows


@settings(max_examples=2 * N)
@given(chances)
def test_hostile_control_records_never_stop_a_book(victim: Victim, chance: Random):
    ann = victim.next()
    made = fresh(chance)
    key_id, key = BASE.ledger.authority.write_key(BASE.ledger.authority.care_scope)
    rotation = encode_control(
        rotate(
            made.scope,
            b"n" * 32,
            parents={key_id: key},
            readers=[(made.keys.device, made.keys.agree_public)],
            ephemeral_secret=b"e" * 32,
        )
    )
    real = [
        row[0] for row in BASE.store.all("SELECT body FROM entry WHERE kind = 1 ORDER BY arrival")
    ]
    for _ in range(3):
        body = mutated(chance.choice([rotation, *real]), chance)
        assume(body)
        made.control(body)
    taken(ann, made.run(*made.chains[Lane.CONTROL]))


@settings(max_examples=2 * N)
@given(chances)
def test_hostile_records_ahead_of_their_feeds_never_stop_a_book(victim: Victim, chance: Random):
    ann = victim.next()
    made, authority = fresh(chance), ann.ledger.authority
    keys = authority.keys if chance.random() < 0.5 else made.keys
    made = Author(keys, made.scope, made.key_id, made.key, made.epoch)
    rotation = rotate(
        made.scope,
        chance.randbytes(32),
        parents={made.key_id: made.key},
        readers=[(authority.device, authority.keys.agree_public)],
        ephemeral_secret=chance.randbytes(32),
    )
    real = [
        row[0] for row in BASE.store.all("SELECT body FROM entry WHERE kind = 1 ORDER BY arrival")
    ]
    entries = []
    for body in (encode_control(rotation), *chance.choices(real, k=2)):
        made.control(mutated(body, chance) if chance.random() < 0.6 else body or b"?")
        entries.append(lone(made))
    chance.shuffle(entries)
    (certificate,) = authority.roster.chain(authority.device)[-1:]
    papers = [certificate, structs.replace(certificate, body=mutated(certificate.body, chance))]
    names = [made.key_id, *(open_lone(each).place.entry for each in entries)]
    envelopes = [
        (bytes(chance.choice(names)), chance.choice((bytes(32), chance.randbytes(32))), sealed)
        for sealed in (chance.randbytes(48), bytes(48), rotation.envelopes[0][1])
    ]
    frame = decode_frame(
        encode_frame(Vouch(Advance(tuple(papers), tuple(entries), tuple(envelopes))))
    )
    assert isinstance(frame, Vouch)
    before = ann.ledger.digest(made.scope)
    for _ in range(2):
        advancing.take(ann.ledger, frame.advance, DeviceId(b"p" * 32))
    ann.ledger.catch_up_all()
    if chance.random() < 0.1:
        ann.ledger.reload()
        ann.ledger.catch_up_all()
        assert ann.ledger.digest(made.scope) == before


def test_after_all_of_it_the_book_opens_reads_and_writes(victim: Victim):
    ann = victim.next()
    still_works(ann)


@settings(max_examples=N // 3)
@given(chances)
def test_whatever_a_member_says_a_node_goes_on(chance: Random):
    stage, (here, there) = Stage(), camp(seed=1)
    link = stage.link(here, there)
    stage.run(500)
    made = author()
    genesis = made.genesis()
    entry = made.write([opening()])
    forged = encode_run(
        genesis.feed_id, genesis.encode(), 1, genesis.feed_id, [made.outgoing(entry)]
    )
    known = next(iter(there.ledger.chain.feeds.values()))
    places = known.feed_id + put_varint(chance.choice((0, 1, 2**62))) + b"8 bytes!"
    for _ in range(12):
        raw = chance.choice(
            (
                mutated(chance.choice([r for n, r in SAMPLES.items() if n[:5] == "frame"]), chance),
                b"\4" + mutated(forged, chance),
                b"\1\0" + put_varint(chance.choice((0, 2**62))) + b"\1" + places,
                b"\2\1" + places,
                b"\3\1" + places,
                b"\5" + put_varint(2**63 - 1),
                b"\6" + put_varint(2**63 - 1) * 2,
            )
        )
        if link not in here.links:
            link = stage.link(here, there)
            stage.run(500)
        if link in here.node._links and here.node._links[link].greeting.channel is not None:
            speak(stage, here, link, raw)
    stage.cut(here, there)
    stage.link(here, there)
    stage.run(3_000)
    assert there.node.linked == [here.id]
    assert sign_entry(made.keys, entry)
