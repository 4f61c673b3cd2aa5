"""One line of a feed: its header, hash, sealed body and signature."""

from __future__ import annotations

import struct
from enum import IntEnum
from functools import lru_cache
from hashlib import blake2b

import msgspec

from protocols.feeds.dictionary import deflate
from protocols.ids import EntryHash, FeedId, KeyId
from protocols.trust.identity import DeviceKeys, seal, unseal, verify

ENTRY_VERSION = 1
ENTRY_BYTES_MAX = 48 * 1024
"""Salt and ciphertext of one entry; a photo is cut into several."""
SALT_BYTES = 8
TAG_BYTES = 16
KEPT_EVERY = 32
"""Entries between two kept signatures of a routine or bulk feed."""
KEPT_BYTES = 4 * 1024
"""Body bytes between two kept signatures, whichever comes first."""
CHECKS_REMEMBERED = 256
"""Signatures checked last, about 300 B each: what is urgent is looked at once before its turn and
once in it."""

HEADER = struct.Struct(">BBB32sQ32sQ32sI32s")
"""version, kind, dictionary, feed, seq, prev, clock, key id, length, body hash: 151 bytes."""
_PLACE = struct.Struct(">32sQ")
_SIGNED = struct.Struct(">B32sQ32sQ")
_DOMAIN = b"fieldmesh entry 1\0"


class EntryKind(IntEnum):
    """What an entry's body is."""

    DATA = 0
    """Session, dependencies and facts, sealed under a scope key."""
    CONTROL = 1
    """One control record, in clear."""


class Entry(msgspec.Struct, frozen=True, gc=False):
    """One entry as it is chained; `body` is salt and ciphertext, or a control body."""

    kind: EntryKind
    dictionary: int
    feed: FeedId
    seq: int
    """From 1, without gaps."""
    prev: bytes
    """Hash of the entry before; of seq 1, the feed id."""
    clock: int
    """Hybrid clock: Unix milliseconds << 16 | counter."""
    key_id: KeyId
    body: bytes
    body_hash: bytes
    hash: EntryHash

    @property
    def sealed_bytes(self) -> int:
        """Length of the ciphertext with its tag, or of the control body."""
        return len(self.body) - SALT_BYTES if self.kind is EntryKind.DATA else len(self.body)


def hash_body(body: bytes) -> bytes:
    """Return what the header says of a body, so that the body can be detached."""
    return blake2b(body, digest_size=32, person=b"fm-bodyhash-1").digest()


def hash_header(header: bytes) -> EntryHash:
    """Return the hash that chains, names and signs an entry."""
    return EntryHash(blake2b(header, digest_size=32, person=b"fm-entry-1").digest())


def seal_body(
    plain: bytes, key: bytes, key_id: bytes, place: tuple[FeedId, int, bytes, int], salt: bytes
) -> tuple[int, bytes]:
    """Compress and seal a data body.

    Args:
        place: feed, seq, prev and clock of the entry it belongs to.
        salt: 8 random bytes; with them a clone never uses one keystream twice.

    Returns:
        The dictionary id and salt ‖ ciphertext.
    """
    feed, seq, prev, clock = place
    dictionary, packed = deflate(plain)
    length = len(packed) + TAG_BYTES
    head = HEADER.pack(
        ENTRY_VERSION, 0, dictionary, feed, seq, prev, clock, key_id, length, bytes(32)
    )[:-32]
    spot = _PLACE.pack(feed, seq)
    body_key = body_key_of(key, spot, prev, salt)
    return dictionary, salt + seal(body_key, nonce_of(spot, salt), head, packed)


def body_key_of(key: bytes, spot: bytes, prev: bytes, salt: bytes) -> bytes:
    """Return the key of one body; it can be released without the scope key."""
    return blake2b(spot + prev + salt, key=key, digest_size=32, person=b"fm-body-1").digest()


def nonce_of(spot: bytes, salt: bytes) -> bytes:
    """Return the 24-byte nonce of one body."""
    return blake2b(spot, digest_size=16, person=b"fm-nonce-1").digest() + salt


def open_body(header: bytes, body: bytes, key: bytes) -> bytes | None:
    """Return the packed plain text of a data body, or None when the key does not fit."""
    salt = body[:SALT_BYTES]
    # Place and hash before lie side by side.
    body_key = blake2b(header[3:75] + salt, key=key, digest_size=32, person=b"fm-body-1").digest()
    nonce = blake2b(header[3:43], digest_size=16, person=b"fm-nonce-1").digest() + salt
    return unseal(body_key, nonce, header[:-32], body[SALT_BYTES:])


def open_released(header: bytes, body: bytes, body_key: bytes) -> bytes | None:
    """Return the same by the key of this body alone, as a release hands it over."""
    salt = body[:SALT_BYTES]
    return unseal(body_key, nonce_of(header[3:43], salt), header[:-32], body[SALT_BYTES:])


def make_entry(
    kind: EntryKind,
    dictionary: int,
    place: tuple[FeedId, int, bytes, int],
    key_id: KeyId,
    body: bytes,
) -> Entry:
    """Return the entry with its hashes worked out."""
    feed, seq, prev, clock = place
    body_hash = hash_body(body)
    length = len(body) - SALT_BYTES if kind is EntryKind.DATA else len(body)
    header = HEADER.pack(
        ENTRY_VERSION, kind, dictionary, feed, seq, prev, clock, key_id, length, body_hash
    )
    return Entry(
        kind, dictionary, feed, seq, prev, clock, key_id, body, body_hash, hash_header(header)
    )


def header_of(entry: Entry) -> bytes:
    """Return the 151 header bytes of an entry."""
    return HEADER.pack(
        ENTRY_VERSION,
        entry.kind,
        entry.dictionary,
        entry.feed,
        entry.seq,
        entry.prev,
        entry.clock,
        entry.key_id,
        entry.sealed_bytes,
        entry.body_hash,
    )


def detached_header(
    kind: int,
    dictionary: int,
    place: tuple[FeedId, int, bytes, int],
    key_id: KeyId,
    length: int,
    body_hash: bytes,
) -> bytes:
    """Return the header of an entry whose body is not here: all that the chain needs of it."""
    feed, seq, prev, clock = place
    return HEADER.pack(
        ENTRY_VERSION, kind, dictionary, feed, seq, prev, clock, key_id, length, body_hash
    )


def signed_text(feed: bytes, seq: int, entry: bytes, clock: int) -> bytes:
    """Return what a device signs for an entry."""
    return _DOMAIN + _SIGNED.pack(ENTRY_VERSION, feed, seq, entry, clock)


def sign_entry(keys: DeviceKeys, entry: Entry) -> bytes:
    """Return the author's signature over an entry and, through the chain, all before it."""
    return keys.sign(signed_text(entry.feed, entry.seq, entry.hash, entry.clock))


@lru_cache(CHECKS_REMEMBERED)
def signature_holds(
    device: bytes, feed: bytes, seq: int, entry: bytes, clock: int, signature: bytes
) -> bool:
    """Say whether the device signed this entry at this place."""
    return verify(device, signed_text(feed, seq, entry, clock), signature)
