"""Announcements, runs and frames by somebody who has only `protocols/README.md`.

Ours is asked for bytes, and for what it makes of those of the second implementer.
"""

from __future__ import annotations

import json
from hashlib import blake2b
from pathlib import Path

import pytest

from protocols.errors import PeerError
from protocols.feeds.equivocation import open_proof
from protocols.feeds.lane import Lane
from protocols.feeds.run import decode_run
from protocols.live.announcement import SERVICE, announce, discovery_key, near, recognise
from protocols.mesh.frames import Bye, decode_frame, encode_frame
from tests.unit.trust_operation import OPERATION
from tests.vectors.feeds_samples import KEY, PLAIN, author
from tests.vectors.second_crypto import blake, keyed, verify_key
from tests.vectors.second_runs import Feed, plain_of, run_of

GOLDEN = {
    name: bytes.fromhex(text)
    for name, text in json.loads(Path(__file__).with_name("feeds.json").read_text()).items()
}
NONCE = bytes(range(16))


# Discovery


def announced(port: int, operation: bytes = OPERATION) -> dict[bytes, bytes | None]:
    """Return the TXT fields of section 7a."""
    key = blake(operation, "fm-discover-1")
    mac = keyed(key, "fm-announce-1", NONCE + port.to_bytes(2), 16)
    return {b"v": b"1", b"p": str(port).encode(), b"n": (NONCE + mac).hex().encode()}


def member(fields: dict[bytes, bytes | None], port: int) -> bool:
    """Whether a listener of section 7a takes these fields."""
    size = sum(len(name) + len(value or b"") + 2 for name, value in fields.items())
    if size > 400 or not 1024 <= port <= 65535:
        return False
    return all(fields.get(name) == value for name, value in mac_of(fields, port).items())


def mac_of(fields: dict[bytes, bytes | None], port: int) -> dict[bytes, bytes]:
    """Return what the fields have to be, with the nonce that they name."""
    nonce = bytes.fromhex((fields.get(b"n") or b"")[:32].decode("ascii", "replace"))
    mac = keyed(blake(OPERATION, "fm-discover-1"), "fm-announce-1", nonce + port.to_bytes(2), 16)
    return {b"v": b"1", b"p": str(port).encode(), b"n": (nonce + mac).hex().encode()}


def test_an_announcement_is_made_and_recognised_alike() -> None:
    key = discovery_key(OPERATION)
    ours = announce(key, 7443, lambda size: NONCE[:size])

    assert SERVICE == "_fieldmesh._tcp.local."
    assert {name.encode(): value for name, value in ours.items()} == announced(7443)
    assert recognise(key, announced(7443), 7443) and member(announced(7443), 7443)


def test_both_pass_over_the_same_announcements() -> None:
    key, good = discovery_key(OPERATION), announced(7443)
    assert good[b"n"] is not None
    tried: list[tuple[dict[bytes, bytes | None], int, bool]] = [
        (good | {b"later": b"x"}, 7443, True),
        (good | {b"x": None}, 7443, True),
        (good | {b"x": b"y" * 319}, 7443, True),
        (good | {b"x": b"y" * 320}, 7443, False),
        (good, 7444, False),
        (good | {b"p": b"07443"}, 7443, False),
        (good | {b"v": b"2"}, 7443, False),
        (good | {b"n": good[b"n"].upper()}, 7443, False),
        (good | {b"n": good[b"n"] + b"00"}, 7443, False),
        (announced(7443, b"o" * 32), 7443, False),
        (announced(1024), 1024, True),
        (announced(1023), 1023, False),
        (announced(65535), 65535, True),
    ]

    for fields, port, taken in tried:
        assert recognise(key, fields, port) is taken is member(fields, port), fields


def test_only_addresses_of_this_site_are_dialled() -> None:
    assert near(["8.8.8.8", "1.1.1.1"]) is near(["0.0.0.0", "224.0.0.251"]) is None
    assert near(["8.8.8.8", "192.168.1.4", "10.0.0.1"]) == "192.168.1.4"
    assert near(["169.254.3.4"]) and near(["127.0.0.1"])


# Runs


def test_a_run_is_read_by_the_page_alone() -> None:
    device = author().keys.device
    entries = run_of(GOLDEN["run"], device)
    bare = run_of(GOLDEN["run without bodies"], device)

    assert [entry.hash for entry in entries] == [entry.hash for entry in bare]
    assert entries[0].header == GOLDEN["header"]
    assert entries[0].hash == GOLDEN["entry hash"]
    assert [plain_of(entry, KEY) for entry in entries] == [PLAIN] * 3
    assert run_of(GOLDEN["run from the middle"], device, entries[0].hash)[0].hash == entries[1].hash


def test_ours_reads_the_same_of_a_run() -> None:
    made = author()
    for name, lane in (("run", Lane.ROUTINE), ("control run", Lane.CONTROL)):
        run, _ = decode_run(GOLDEN[name], 0, lambda _: None, lambda *_: None)

        theirs = run_of(GOLDEN[name], made.keys.device)
        assert [line.header for line in run.lines] == [entry.header for entry in theirs]
        assert [line.hash for line in run.lines] == [entry.hash for entry in theirs]
        assert run.lines[0].kind == (lane == Lane.CONTROL)


def test_control_bodies_lie_in_clear() -> None:
    [entry] = run_of(GOLDEN["control run"], author().keys.device)

    assert entry.body == b"\x63\x90"
    assert entry.header[1:3] == b"\1\0"
    assert entry.header[83:115] == bytes(32)
    assert blake2b(entry.header, digest_size=32, person=b"fm-entry-1").digest() == entry.hash


def test_a_proof_of_a_fork_is_made_by_the_page_alone() -> None:
    seed = b"s" * 32
    genesis = b"\1" + verify_key(seed) + b"epoch 12" + bytes(16) + b"\0\0"
    one, other = Feed(seed, genesis), Feed(seed, genesis)
    for feed, number in ((one, 1), (one, 2), (other, 3)):
        feed.control(bytes((99, number)), 1_000 + number)

    def proof(*branches: Feed) -> bytes:
        parts = [b"\1" + len(genesis).to_bytes(2) + genesis]
        for feed in branches:
            headers = [entry.header for entry in feed.entries]
            parts += [bytes((len(headers),)), *headers, feed.signed(len(headers))]
        return b"".join(parts)

    proven = open_proof(proof(one, other))
    assert (proven.feed, proven.seq) == (one.id, 1)
    assert proven.entries == (one.entries[0].hash, other.entries[0].hash)
    for raw, why in (
        (proof(one, one), "no_equivocation"),
        (proof(one, other) + b"\0", "malformed"),
        (proof(one, other)[:-1] + b"\0", "bad_signature"),
    ):
        with pytest.raises(PeerError, match=why):
            open_proof(raw)


# Why a link ends


def test_a_bye_is_a_byte_and_a_code() -> None:
    assert encode_frame(Bye("duplicate")) == b"\x0aduplicate" == GOLDEN["frame bye"]
    assert decode_frame(b"\x0a" + b"a-b\x1bc_1" + b"x" * 100) == Bye("abc_1" + "x" * 57)
    with pytest.raises(PeerError, match="malformed"):
        decode_frame(b"\x0a\xc3\xa9")
