"""A feed: one device's single-writer chain for one epoch, scope and lane."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from hashlib import blake2b
from typing import NamedTuple

from protocols.errors import PeerError
from protocols.feeds.lane import Lane
from protocols.ids import DeviceId, EntryHash, Epoch, FeedId, ScopeId

GENESIS_VERSION = 1
EARLIER_HEADS_MAX = 64
"""Heads of the previous epoch that a genesis may name; information only."""

_FIXED = struct.Struct(">B32s8s16sBB")
_HEAD = struct.Struct(">32sQ32s")


class Head(NamedTuple):
    """The last entry of one branch of a feed."""

    feed: FeedId
    seq: int
    """From 1; 0 with a zero hash is an empty feed."""
    hash: EntryHash


@dataclass(frozen=True, slots=True)
class Genesis:
    """What a feed is: hashed, it is the feed's id."""

    device: DeviceId
    epoch: Epoch
    scope: ScopeId
    """Zero for control."""
    lane: Lane
    earlier: tuple[Head, ...] = ()
    """Heads of the device's previous epoch: information for people, never a bound."""

    def encode(self) -> bytes:
        """Return the fixed layout whose hash is the feed id."""
        fixed = _FIXED.pack(
            GENESIS_VERSION, self.device, self.epoch, self.scope, self.lane, len(self.earlier)
        )
        return fixed + b"".join(_HEAD.pack(*head) for head in self.earlier)

    @property
    def feed_id(self) -> FeedId:
        """BLAKE2b-256 of the encoded genesis."""
        return feed_id_of(self.encode())


def feed_id_of(genesis: bytes) -> FeedId:
    """Return the id of the feed that this encoded genesis starts."""
    return FeedId(blake2b(genesis, digest_size=32, person=b"fm-feed-1").digest())


def decode_genesis(raw: bytes) -> Genesis:
    """Read a genesis from a peer.

    Raises:
        PeerError: `malformed` when version, lane, count or length is wrong.
    """
    if len(raw) < _FIXED.size:
        raise PeerError("malformed", what="genesis")
    version, device, epoch, scope, lane, count = _FIXED.unpack_from(raw)
    expected = _FIXED.size + count * _HEAD.size
    if version != GENESIS_VERSION or lane > Lane.BULK or count > EARLIER_HEADS_MAX:
        raise PeerError("malformed", what="genesis")
    if len(raw) != expected or (lane == Lane.CONTROL) != (scope == bytes(16)):
        raise PeerError("malformed", what="genesis")
    heads = tuple(
        Head(FeedId(feed), seq, EntryHash(entry))
        for feed, seq, entry in _HEAD.iter_unpack(raw[_FIXED.size :])
    )
    return Genesis(DeviceId(device), Epoch(epoch), ScopeId(scope), Lane(lane), heads)
