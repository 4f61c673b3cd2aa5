"""Control records ahead of their feeds: what an urgent entry needs to be read and judged at once.

Each part verifies by itself: a certificate by its issuer, an entry by its author's signature, an
envelope by the commitment in its rotation. What says how far they count, seals above all, comes
with the feeds, which stay the one measure: what comes ahead and in no feed is let go again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from protocols.errors import PeerError
from protocols.feeds.entry import EntryKind, make_entry, signature_holds
from protocols.feeds.feed import EARLIER_HEADS_MAX, Genesis, decode_genesis
from protocols.feeds.lane import Lane
from protocols.ids import EntryHash, FeedId, KeyId
from protocols.trust.control import CONTROL_BYTES_MAX, Place, WrappedKey
from protocols.trust.statements import Key32, Signature64, SignedStatement

ADVANCE_CERTIFICATES_MAX = 256
"""In one frame: an author, whoever sat there, and all above them."""
ADVANCE_ENTRIES_MAX = 64
ADVANCE_ENVELOPES_MAX = 64
ADVANCE_MARK = b"\x0c"
"""What an advance begins with, as a frame and in a grant, where a run would begin with 0 or 1."""
_GENESIS_BYTES_MAX = 59 + EARLIER_HEADS_MAX * 72

Sealed = tuple[Key32, Key32, WrappedKey]
"""(key id, X25519 public key it was sealed from, the key sealed to the addressee)."""


class Lone(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """One control entry by itself, with all that its hash and signature are over."""

    genesis: Annotated[bytes, Meta(max_length=_GENESIS_BYTES_MAX)]
    seq: Annotated[int, Meta(ge=1, lt=2**48)]
    prev: Key32
    clock: Annotated[int, Meta(ge=0, lt=2**62)]
    body: Annotated[bytes, Meta(min_length=1, max_length=CONTROL_BYTES_MAX)]
    signature: Signature64


class Advance(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What one frame brings ahead."""

    certificates: Annotated[
        tuple[SignedStatement, ...], Meta(max_length=ADVANCE_CERTIFICATES_MAX)
    ] = ()
    entries: Annotated[tuple[Lone, ...], Meta(max_length=ADVANCE_ENTRIES_MAX)] = ()
    """Attestations and rotations, of an admitter admissions too; what else it is is passed over."""
    envelopes: Annotated[tuple[Sealed, ...], Meta(max_length=ADVANCE_ENVELOPES_MAX)] = ()
    """The addressee's own, taken out of the records that hold everybody's."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A lone entry whose signature holds."""

    place: Place
    clock: int
    body: bytes


def open_lone(lone: Lone) -> Opened:
    """Return where an entry stands and what it carries, once its author's signature holds.

    Raises:
        PeerError: `malformed` when it is of no control feed, `bad_signature`.
    """
    genesis = decode_genesis(lone.genesis)
    if genesis.lane != Lane.CONTROL or (lone.seq == 1 and lone.prev != genesis.feed_id):
        raise PeerError("malformed", what="advance")
    spot = (genesis.feed_id, lone.seq, lone.prev, lone.clock)
    entry = make_entry(EntryKind.CONTROL, 0, spot, KeyId.zero(), lone.body)
    if not signature_holds(
        genesis.device, entry.feed, lone.seq, entry.hash, lone.clock, lone.signature
    ):
        raise PeerError("bad_signature", seq=lone.seq)
    return Opened(_place(genesis, entry.feed, lone, entry.hash), lone.clock, lone.body)


def _place(genesis: Genesis, feed: FeedId, lone: Lone, entry: EntryHash) -> Place:
    return Place(genesis.device, bytes(genesis.epoch), feed, lone.seq, lone.prev, entry)
