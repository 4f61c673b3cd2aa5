"""Receipts: a device says, signed, how far it holds each feed.

A receipt stands alone: anybody may carry it and anybody may check it. It is cumulative, so of one
giver and epoch only the newest is kept; a giver that starts a new epoch has taken back what it
said in the old one.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import NamedTuple

from protocols.errors import PeerError
from protocols.ids import DeviceId, EntryHash, Epoch, FeedId
from protocols.trust.identity import SIGNATURE_BYTES, DeviceKeys, verify

RECEIPT_VERSION = 1
RECEIPT_HEADS_MAX = 16_384
"""About 1.2 MB: 50 devices over years. More than this and the giver leaves out the oldest."""

RECEIPTS_REMEMBERED = 8
"""Receipts read last whose signature need not be checked again: one comes over several links."""

_PREFIX = b"fieldmesh receipt 1\0"
_HEADER = struct.Struct(">B32s8sQQI")
_HEAD = struct.Struct(">32sQ32s")


class ReceiptHead(NamedTuple):
    """The giver holds everything of this branch up to here."""

    feed: FeedId
    seq: int
    """From 1."""
    hash: EntryHash
    """Of the entry at `seq`: on another branch it promises nothing."""


@dataclass(frozen=True, slots=True)
class Receipt:
    """What one device held at one moment."""

    giver: DeviceId
    epoch: Epoch
    """The giver's; void once it opens another."""
    number: int
    """Rises with every receipt of the epoch."""
    given_ms: int
    """The giver's wall clock, Unix milliseconds: what "at HQ until 14:02" shows."""
    heads: tuple[ReceiptHead, ...]
    """Sorted, without doubles; a forked feed has a head for each branch."""


def sign_receipt(receipt: Receipt, keys: DeviceKeys) -> bytes:
    """Return the receipt as it travels: fixed layout, then the giver's signature.

    Layout: version u8 ‖ giver 32 ‖ epoch 8 ‖ number u64 ‖ given_ms u64 ‖ count u32 ‖
    count x (feed 32 ‖ seq u64 ‖ hash 32) ‖ signature 64.
    """
    assert receipt.giver == keys.device
    assert list(receipt.heads) == sorted(set(receipt.heads))
    assert len(receipt.heads) <= RECEIPT_HEADS_MAX
    header = _HEADER.pack(
        RECEIPT_VERSION,
        receipt.giver,
        receipt.epoch,
        receipt.number,
        receipt.given_ms,
        len(receipt.heads),
    )
    body = header + b"".join(_HEAD.pack(*head) for head in receipt.heads)
    return body + keys.sign(_PREFIX + body)


@lru_cache(RECEIPTS_REMEMBERED)
def open_receipt(raw: bytes) -> Receipt:
    """Return the receipt that the giver signed.

    Raises:
        PeerError: `malformed`, `not_canonical` (heads unsorted or doubled),
            `receipt_version` (needs newer software), `receipt_signature`.
    """
    if len(raw) < _HEADER.size + SIGNATURE_BYTES:
        raise PeerError("malformed", what="receipt")
    version, giver, epoch, number, given_ms, count = _HEADER.unpack_from(raw)
    if version != RECEIPT_VERSION:
        raise PeerError("receipt_version", version=version)
    end = _HEADER.size + count * _HEAD.size
    if count > RECEIPT_HEADS_MAX or len(raw) != end + SIGNATURE_BYTES:
        raise PeerError("malformed", what="receipt")
    if not verify(giver, _PREFIX + raw[:end], raw[end:]):
        raise PeerError("receipt_signature")
    # Read as plain tuples first: they compare as their bytes do, and a busy operation reads
    # thousands of heads.
    found = list(_HEAD.iter_unpack(raw[_HEADER.size : end]))
    if any(not seq for _, seq, _ in found) or found != sorted(set(found)):
        raise PeerError("not_canonical", what="receipt")
    # The slices have the ids' lengths already.
    new, feed_id, entry_hash = bytes.__new__, FeedId, EntryHash
    heads = tuple(
        [ReceiptHead(new(feed_id, feed), seq, new(entry_hash, last)) for feed, seq, last in found]
    )
    return Receipt(DeviceId(giver), Epoch(epoch), number, given_ms, heads)


def newer(receipt: Receipt, kept: Receipt | None) -> bool:
    """Whether a receipt replaces the one kept of the same giver and epoch.

    Of two with one number (a cloned giver) the same one wins everywhere.
    """
    return kept is None or _order(receipt) > _order(kept)


class ReceiptBook:
    """The newest receipt of every giver and epoch, fed in any order."""

    def __init__(self, receipts: Iterable[Receipt] = ()) -> None:
        self._newest: dict[tuple[DeviceId, Epoch], Receipt] = {}
        for receipt in receipts:
            self.add(receipt)

    def add(self, receipt: Receipt) -> bool:
        """Keep it when it is the newest of its giver and epoch; say whether it was."""
        place = receipt.giver, receipt.epoch
        if not newer(receipt, self._newest.get(place)):
            return False
        self._newest[place] = receipt
        return True

    def newest(self, giver: DeviceId, epoch: Epoch) -> Receipt | None:
        """What a giver last said in this epoch, which must be the one it lives in now."""
        return self._newest.get((giver, epoch))

    def begin(self, giver: DeviceId, epoch: Epoch) -> None:
        """A giver has opened this epoch: forget what it said in all others."""
        for other in [each for each in self._newest if each[0] == giver and each[1] != epoch]:
            del self._newest[other]


def _order(receipt: Receipt) -> tuple[int, int, tuple[ReceiptHead, ...]]:
    return receipt.number, receipt.given_ms, receipt.heads
