"""Proof that one device wrote two histories of one feed, for anybody to check offline.

Two chains of headers that part after one place, each up to a signature of the device. Bodies stay
out of it: a proof shows nothing of any patient. A copied card looks the same as a forger; which
of the two it was is for people to find out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from protocols.errors import PeerError
from protocols.feeds.entry import HEADER, hash_header, signed_text
from protocols.feeds.feed import Genesis, decode_genesis, feed_id_of
from protocols.ids import EntryHash, FeedId
from protocols.trust.identity import SIGNATURE_BYTES, verify

VERSION = 1
HEADERS_MAX = 255
"""Headers of one branch up to its signature: every 32nd entry at least keeps one."""
PROOF_BYTES_MAX = 128 * 1024

Branch = tuple[Sequence[bytes], bytes]
"""Headers in order, and the signature of the last."""


class Proven(NamedTuple):
    """What a proof proves."""

    genesis: Genesis
    feed: FeedId
    seq: int
    """Where the two histories part."""
    entries: tuple[EntryHash, EntryHash]
    """What stands there in each."""


def encode_proof(genesis: bytes, branches: tuple[Branch, Branch]) -> bytes:
    """Return a proof of two branches that part at their first headers."""
    parts = [bytes((VERSION,)), len(genesis).to_bytes(2), genesis]
    for headers, signature in branches:
        assert 0 < len(headers) <= HEADERS_MAX
        parts += (bytes((len(headers),)), *headers, signature)
    return b"".join(parts)


def open_proof(raw: bytes) -> Proven:
    """Return what a proof proves.

    Raises:
        PeerError: `malformed`; `bad_chain` when headers do not follow each other;
            `bad_signature`; `no_equivocation` when the two are one history.
    """
    if len(raw) > PROOF_BYTES_MAX or raw[:1] != bytes((VERSION,)):
        raise PeerError("malformed", what="proof")
    size = int.from_bytes(raw[1:3])
    encoded, rest = raw[3 : 3 + size], raw[3 + size :]
    genesis = decode_genesis(encoded)
    feed = feed_id_of(encoded)
    ours, rest = _take_branch(rest, genesis, feed)
    theirs, rest = _take_branch(rest, genesis, feed)
    if rest:
        raise PeerError("malformed", what="proof")
    (_, seq, prev, first), (_, other_seq, other_prev, other) = ours, theirs
    if (seq, prev) != (other_seq, other_prev) or first == other:
        raise PeerError("no_equivocation")
    return Proven(genesis, feed, seq, (first, other))


_Start = tuple[int, int, bytes, EntryHash]
"""How many headers, and the seq, prev and hash of the first."""


def _take_branch(raw: bytes, genesis: Genesis, feed: FeedId) -> tuple[_Start, bytes]:
    count = raw[0] if raw else 0
    end = 1 + count * HEADER.size
    signature, rest = raw[end : end + SIGNATURE_BYTES], raw[end + SIGNATURE_BYTES :]
    if not count or len(signature) != SIGNATURE_BYTES:
        raise PeerError("malformed", what="proof")
    start: _Start | None = None
    place, prev, clock = 0, b"", 0
    for at in range(1, end, HEADER.size):
        header = raw[at : at + HEADER.size]
        _, _, _, of_feed, seq, follows, clock, *_ = HEADER.unpack(header)
        if of_feed != feed or (start and (seq != place + 1 or follows != prev)):
            raise PeerError("bad_chain")
        place, prev = seq, hash_header(header)
        start = start or (count, seq, follows, EntryHash(prev))
    assert start is not None
    if not verify(genesis.device, signed_text(feed, place, EntryHash(prev), clock), signature):
        raise PeerError("bad_signature")
    return start, rest
