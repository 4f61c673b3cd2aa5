"""A device that wrote two histories is proven to have, and nobody else can be made to look so."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from protocols.errors import PeerError
from protocols.feeds.equivocation import open_proof
from protocols.feeds.lane import Lane
from protocols.ledger.chain import FeedState
from protocols.ledger.evidence import proof_of_fork
from tests.unit.stage import Device, Stage, camp, fill, note


def forked(common: int = 3, *, later: int = 40) -> tuple[Device, FeedState]:
    """A device and a copy of its disk both wrote; a third holds both branches."""
    stage, (ann, ben) = Stage(), camp(("ann", "ben"))
    people = fill(ann, common)
    twin = ann.copy("twin")
    fill(ann, later)
    fill(twin, later, start=500)
    stage.write(twin, note(people[0].code or ""))
    for device in (ann, twin):
        stage.link(device, ben)
        stage.run(2_000)
        stage.cut(device, ben)
    stage.run(5_000)
    found = [feed for feed in ben.ledger.chain.feeds.values() if len(feed.tips) > 1]
    return ben, next(feed for feed in found if feed.genesis.lane == Lane.ROUTINE)


@pytest.mark.parametrize(("common", "later"), [(1, 1), (3, 40), (70, 70)])
def test_an_equivocating_device_is_proven_to_be_one(common: int, later: int):
    ben, feed = forked(common, later=later)
    raw = proof_of_fork(ben.ledger, feed)
    assert raw is not None

    proven = open_proof(raw)

    assert proven.feed == feed.feed_id
    assert proven.genesis.device == feed.genesis.device
    held = ben.store.all("SELECT hash FROM entry WHERE feed = ? AND seq = ?", (feed.no, proven.seq))
    assert sorted(proven.entries) == sorted(row[0] for row in held)
    assert len(raw) < 10_500


def test_a_feed_that_never_forked_has_no_proof():
    ben, _ = forked(1, later=1)
    single = next(feed for feed in ben.ledger.chain.feeds.values() if len(feed.tips) == 1)

    assert proof_of_fork(ben.ledger, single) is None


RAW = proof_of_fork(*(lambda found: (found[0].ledger, found[1]))(forked(2, later=2))) or b""


@given(st.integers(0, len(RAW) - 1), st.integers(1, 255))
def test_no_changed_byte_makes_another_proof(at: int, flip: int):
    changed = bytearray(RAW)
    changed[at] ^= flip
    with pytest.raises(PeerError):
        open_proof(bytes(changed))


def test_the_same_branch_twice_proves_nothing():
    size = int.from_bytes(RAW[1:3])
    head, rest = RAW[: 3 + size], RAW[3 + size :]
    branch = rest[: 1 + rest[0] * 151 + 64]

    with pytest.raises(PeerError, match="no_equivocation"):
        open_proof(head + branch * 2)


@given(st.binary(max_size=400))
def test_junk_is_malformed(junk: bytes):
    for raw in (junk, b"\1" + junk, RAW[:40] + junk):
        with pytest.raises(PeerError):
            open_proof(raw)
