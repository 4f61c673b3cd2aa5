"""A run: consecutive entries of one feed on the wire, ending at a kept signature.

What the receiver can work out is not sent: the place, the previous hash, both hashes of each
entry and every key id but its first mention.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from protocols.errors import PeerError
from protocols.feeds.entry import (
    ENTRY_BYTES_MAX,
    ENTRY_VERSION,
    HEADER,
    SALT_BYTES,
    TAG_BYTES,
    signature_holds,
)
from protocols.feeds.feed import Genesis, decode_genesis, feed_id_of
from protocols.feeds.lane import Lane
from protocols.feeds.varint import put_varint, take_varint, unzigzag, zigzag
from protocols.ids import FeedId

RUN_ENTRIES_MAX = 4096
"""Entries in one run; a frame is cut long before by its bytes."""
UNSIGNED_MAX = 64
"""Entries between two kept signatures that a receiver accepts; a sender keeps one in 32."""
UNSIGNED_BYTES_MAX = 54 * 1024
"""Body bytes between two kept signatures that a receiver accepts: with all its envelopes such a
group fits one frame, so whoever takes it can pass it on."""
KEYS_MAX = 64
"""Different scope keys in one run."""
CLOCK_MAX = 1 << 62
SEQ_MAX = 1 << 48

_STUB = 8
_GENESIS, _CONTROL, _DICTIONARY, _KEY, _COUNTER, _SIGNED, _DETACHED = 1, 1, 2, 4, 8, 16, 32


class Line(msgspec.Struct, frozen=True, gc=False):
    """One verified entry, ready to be stored: the run's feed and place are known."""

    kind: int
    dictionary: int
    seq: int
    prev: bytes
    clock: int
    key_id: bytes
    body: bytes | None
    """Salt and ciphertext, or a control body; None when it travels without."""
    body_hash: bytes
    hash: bytes
    header: bytes
    """The 151 bytes that were hashed."""
    signature: bytes | None


class Run(msgspec.Struct, frozen=True, gc=False):
    """Consecutive entries of one feed, chained and verified."""

    feed: FeedId
    genesis: bytes | None
    """Present when the run begins at seq 1."""
    lines: tuple[Line, ...]


class Gap(Exception):
    """The entry before this run is not held here."""

    def __init__(self, feed: FeedId, first: int, end: int = 0) -> None:
        super().__init__(feed, first)
        self.feed = feed
        self.first = first
        """Seq of the first entry that cannot be chained."""
        self.end = end
        """Place after the run among the bytes it was read from: others may follow."""


class Outgoing(NamedTuple):
    """One entry as the ledger hands it to the encoder."""

    kind: int
    dictionary: int
    clock: int
    key_id: bytes
    body: bytes | None
    body_hash: bytes | None
    """Only needed when the body is None."""
    sealed_bytes: int
    signature: bytes | None


def encode_run(
    feed: bytes, genesis: bytes | None, first: int, prev: bytes, entries: Sequence[Outgoing]
) -> bytes:
    """Return the wire form. The last entry must carry a signature.

    Args:
        genesis: encoded genesis when `first` is 1, else None.
        prev: hash of the entry before, when `first` is above 1.
    """
    parts = [b"\1", put_varint(len(genesis)), genesis] if genesis else [b"\0", feed]
    parts.append(put_varint(first))
    if first > 1:
        parts.append(prev[:_STUB])
    keys: dict[bytes, int] = {}
    parts.append(put_varint(len(entries)))
    last_ms, last_key = 0, -1
    for entry in entries:
        flags = _CONTROL if entry.kind else 0
        extra = []
        if entry.dictionary != 1:
            flags |= _DICTIONARY
            extra.append(bytes((entry.dictionary,)))
        known = len(keys)
        number = keys.setdefault(entry.key_id, known)
        if number != last_key:
            flags |= _KEY
            extra.append(put_varint(number) + (entry.key_id if number == known else b""))
            last_key = number
        ms, counter = entry.clock >> 16, entry.clock & 0xFFFF
        extra.append(put_varint(zigzag(ms - last_ms)))
        last_ms = ms
        if counter:
            flags |= _COUNTER
            extra.append(put_varint(counter))
        if entry.body is None:
            flags |= _DETACHED
            assert entry.body_hash is not None
            extra += (put_varint(entry.sealed_bytes), entry.body_hash)
        else:
            extra += (put_varint(len(entry.body)), entry.body)
        if entry.signature:
            flags |= _SIGNED
            extra.append(entry.signature)
        parts.append(bytes((flags,)))
        parts += extra
    return b"".join(parts)


class _Cursor:
    """What decoding a run carries from entry to entry."""

    __slots__ = ("at", "dictionary", "key_id", "keys", "last_ms", "raw")

    def __init__(self, raw: bytes, at: int) -> None:
        self.raw = raw
        self.at = at
        self.last_ms = 0
        self.keys: list[bytes] = []
        self.key_id = b""

    def varint(self) -> int:
        at = self.at
        if at < len(self.raw) and (number := self.raw[at]) < 0x80:
            self.at = at + 1
            return number
        number, self.at = take_varint(self.raw, at)
        return number

    def byte(self) -> int:
        at = self.at
        if at >= len(self.raw):
            raise PeerError("malformed", what="run")
        self.at = at + 1
        return self.raw[at]

    def take(self, size: int) -> bytes:
        at = self.at
        self.at = at + size
        if self.at > len(self.raw):
            raise PeerError("malformed", what="run")
        return self.raw[at : at + size]

    def choose_key(self) -> None:
        number = self.varint()
        if number == len(self.keys) and number < KEYS_MAX:
            self.keys.append(self.take(32))
        if number >= len(self.keys):
            raise PeerError("malformed", what="key")
        self.key_id = self.keys[number]


def decode_run(
    raw: bytes,
    at: int,
    genesis_of: Callable[[FeedId], Genesis | None],
    prev_of: Callable[[FeedId, int, bytes], bytes | None],
) -> tuple[Run, int]:
    """Read, chain and verify one run that starts at `at`; return it and the place after it.

    Args:
        genesis_of: what a feed is, or None when it is not known here.
        prev_of: full hash of the entry at (feed, seq) whose hash starts with these 8 bytes.

    Raises:
        PeerError: `malformed` or `bad_signature`: the peer's fault.
        Gap: the entry before the first is not here; ask for an earlier start.
    """
    cursor = _Cursor(raw, at)
    feed, genesis, encoded = _read_feed(cursor, genesis_of)
    first = cursor.varint()
    if not 0 < first < SEQ_MAX or (encoded is not None and first != 1):
        raise PeerError("malformed", what="seq")
    prev: bytes | None = feed
    if first > 1:
        prev = prev_of(feed, first - 1, cursor.take(_STUB))
    count = cursor.varint()
    if not 0 < count <= RUN_ENTRIES_MAX:
        raise PeerError("malformed", what="count")
    if prev is None or genesis is None:
        _skip_lines(cursor, count)
        raise Gap(feed, first, cursor.at)
    lines = _read_lines(cursor, feed, genesis, first, prev, count)
    return Run(feed, encoded, tuple(lines)), cursor.at


def feed_at(raw: bytes, at: int) -> tuple[FeedId, Genesis | None]:
    """Return which feed the run that starts at `at` is of, and what it says of its genesis.

    Raises:
        PeerError: `malformed`.
    """
    feed, genesis, _ = _read_feed(_Cursor(raw, at), lambda _: None)
    return feed, genesis


def _read_feed(
    cursor: _Cursor, genesis_of: Callable[[FeedId], Genesis | None]
) -> tuple[FeedId, Genesis | None, bytes | None]:
    if cursor.take(1)[0] & _GENESIS:
        encoded = cursor.take(cursor.varint())
        return feed_id_of(encoded), decode_genesis(encoded), encoded
    feed = FeedId(cursor.take(32))
    return feed, genesis_of(feed), None


def _skip_lines(cursor: _Cursor, count: int) -> None:
    """Pass over entries that cannot be verified, so that the next run can be."""
    for _ in range(count):
        flags = cursor.take(1)[0]
        if flags & _DICTIONARY:
            cursor.take(1)
        if flags & _KEY:
            cursor.choose_key()
        cursor.varint()
        if flags & _COUNTER:
            cursor.varint()
        size = cursor.varint()
        cursor.take(32 if flags & _DETACHED else size)
        if flags & _SIGNED:
            cursor.take(64)


def _read_lines(
    cursor: _Cursor, feed: FeedId, genesis: Genesis, first: int, prev: bytes, count: int
) -> list[Line]:
    lines = []
    unsigned = unsigned_bytes = 0
    control = genesis.lane == Lane.CONTROL
    pack, least = HEADER.pack, 1 if control else TAG_BYTES
    for seq in range(first, first + count):
        flags = cursor.byte()
        dictionary = cursor.byte() if flags & _DICTIONARY else 1
        if flags & _KEY:
            cursor.choose_key()
        cursor.last_ms += unzigzag(cursor.varint())
        counter = cursor.varint() if flags & _COUNTER else 0
        clock = cursor.last_ms << 16 | counter
        if not 0 <= clock < CLOCK_MAX or counter > 0xFFFF or not cursor.key_id:
            raise PeerError("malformed", what="clock")
        size = cursor.varint()
        body: bytes | None = None
        if flags & _DETACHED:
            body_hash, sealed_bytes = cursor.take(32), size
        else:
            body = cursor.take(size)
            body_hash = blake2b(body, digest_size=32, person=b"fm-bodyhash-1").digest()
            sealed_bytes = size if control else size - SALT_BYTES
        if not least <= sealed_bytes <= ENTRY_BYTES_MAX:
            raise PeerError("malformed", what="length")
        unsigned_bytes += 32 if body is None else size
        kind = flags & _CONTROL
        if bool(kind) != control or (control and (cursor.key_id != bytes(32) or dictionary)):
            raise PeerError("malformed", what="kind")
        header = pack(
            ENTRY_VERSION, kind, dictionary, feed, seq, prev, clock, cursor.key_id, sealed_bytes,
            body_hash,
        )  # fmt: skip
        entry = blake2b(header, digest_size=32, person=b"fm-entry-1").digest()
        signature = None
        if flags & _SIGNED:
            signature = cursor.take(64)
            unsigned = unsigned_bytes = 0
            if not signature_holds(genesis.device, feed, seq, entry, clock, signature):
                raise PeerError("bad_signature", seq=seq)
        else:
            unsigned += 1
            if unsigned > UNSIGNED_MAX or unsigned_bytes > UNSIGNED_BYTES_MAX:
                raise PeerError("malformed", what="unsigned")
        line = Line(
            kind, dictionary, seq, prev, clock, cursor.key_id, body, body_hash, entry, header,
            signature,
        )  # fmt: skip
        lines.append(line)
        prev = entry
    if unsigned:
        raise PeerError("malformed", what="unsigned")
    return lines
