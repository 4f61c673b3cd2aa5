"""A second reader and writer of runs, by sections 3, 4 and 9 of `protocols/README.md`."""

from __future__ import annotations

import zlib
from dataclasses import dataclass, field
from pathlib import Path

from tests.vectors.second_crypto import blake, keyed, opened, sealed, sign, signed
from tests.vectors.second_msgpack import Refused

DICTIONARY = Path(__file__).resolve().parents[2] / "protocols" / "feeds" / "dictionary-1.bin"


@dataclass
class Entry:
    """One entry of a run, with what was worked out of it."""

    header: bytes
    hash: bytes
    body: bytes | None
    clock: int


class Cursor:
    """Takes bytes from the front."""

    def __init__(self, raw: bytes) -> None:
        self.raw, self.at = raw, 0

    def take(self, size: int) -> bytes:
        """Return the next bytes."""
        self.at += size
        if self.at > len(self.raw):
            raise Refused("malformed")
        return self.raw[self.at - size : self.at]

    def varint(self) -> int:
        """Return the next number: LEB128, the shortest."""
        number = 0
        for place in range(9):
            byte = self.take(1)[0]
            number |= (byte & 127) << 7 * place
            if byte < 128:
                if place and not byte:
                    break
                return number
        raise Refused("malformed")


def run_of(raw: bytes, device: bytes, prev: bytes = b"") -> list[Entry]:
    """Return the entries of a run of section 9; `prev` is the hash before the first."""
    cursor = Cursor(raw)
    entries = _run(cursor, device, {prev[:8]: prev})
    assert cursor.at == len(raw)
    return entries


def runs_of(cursor: Cursor, device: bytes) -> list[list[Entry]]:
    """Return all runs of a data frame of one author, each going on from what came before."""
    cursor.varint()
    known: dict[bytes, bytes] = {}
    found = []
    while cursor.at < len(cursor.raw):
        found.append(_run(cursor, device, known))
        known |= {entry.hash[:8]: entry.hash for entry in found[-1]}
    return found


def _run(cursor: Cursor, device: bytes, known: dict[bytes, bytes]) -> list[Entry]:
    if cursor.take(1) == b"\1":
        genesis = cursor.take(cursor.varint())
        feed = blake(genesis, "fm-feed-1")
        assert genesis[:33] == b"\1" + device
    else:
        feed = cursor.take(32)
    first = cursor.varint()
    prev = known[cursor.take(8)] if first > 1 else feed
    entries: list[Entry] = []
    keys: list[bytes] = []
    ms, key = 0, b""
    for seq in range(first, first + cursor.varint()):
        flags = cursor.take(1)[0]
        dictionary = cursor.take(1)[0] if flags & 2 else 1
        if flags & 4:
            number = cursor.varint()
            if number == len(keys):
                keys.append(cursor.take(32))
            key = keys[number]
        step = cursor.varint()
        ms += step // 2 if step % 2 == 0 else -(step + 1) // 2
        clock = ms * 65_536 + (cursor.varint() if flags & 8 else 0)
        length = cursor.varint()
        body = None if flags & 32 else cursor.take(length)
        body_hash = cursor.take(32) if body is None else blake(body, "fm-bodyhash-1")
        if body is not None and not flags & 1:
            length -= 8
        place = feed + seq.to_bytes(8)
        header = bytes((1, flags & 1, dictionary)) + place + prev + clock.to_bytes(8) + key
        header += length.to_bytes(4) + body_hash
        entry = blake(header, "fm-entry-1")
        text = b"fieldmesh entry 1\0\1" + place + entry + clock.to_bytes(8)
        if flags & 16 and not signed(device, text, cursor.take(64)):
            raise Refused("bad_signature")
        entries.append(Entry(header, entry, body, clock))
        prev = entry
    return entries


def plain_of(entry: Entry, scope_key: bytes) -> bytes:
    """Return what a data body says, by section 4."""
    assert entry.body is not None
    salt, place, prev = entry.body[:8], entry.header[3:43], entry.header[43:75]
    key = keyed(scope_key, "fm-body-1", place + prev + salt)
    nonce = blake(place, "fm-nonce-1", 16) + salt
    return opened(key, nonce, entry.header[:-32], entry.body[8:])


def facts_of(entry: Entry, scope_key: bytes) -> list[tuple[int, bytes]]:
    """Return the facts of an entry as (kind, value); none of a control entry."""
    if entry.header[1]:
        return []
    plain = plain_of(entry, scope_key)
    if entry.header[2] == 1:
        plain = zlib.decompressobj(-15, DICTIONARY.read_bytes()).decompress(plain)
    cursor = Cursor(plain)
    if cursor.varint():
        cursor.take(4)
    cursor.take(16 * cursor.varint())
    found = []
    for _ in range(cursor.varint()):
        kind = cursor.varint()
        found.append((kind, cursor.take(cursor.varint())))
    assert cursor.at == len(plain)
    return found


def varint(number: int) -> bytes:
    """Return LEB128, the shortest."""
    out = b""
    while number > 127:
        out += bytes((number & 127 | 128,))
        number >>= 7
    return out + bytes((number,))


@dataclass
class Feed:
    """A feed that is being written, every entry signed."""

    seed: bytes
    genesis: bytes
    entries: list[Entry] = field(default_factory=list)

    @property
    def id(self) -> bytes:
        """The feed's id."""
        return blake(self.genesis, "fm-feed-1")

    def control(self, body: bytes, ms: int) -> Entry:
        """Append a control record."""
        return self._append(1, ms, bytes(32), len(body), body)

    def data(self, plain: bytes, ms: int, key_id: bytes, key: bytes, salt: bytes) -> Entry:
        """Append a data body, stored as it is and sealed."""
        length = len(plain) + 16
        place, prev = self._place()
        head = bytes((1, 0, 0)) + place + prev + (ms << 16).to_bytes(8) + key_id
        body_key = keyed(key, "fm-body-1", place + prev + salt)
        nonce = blake(place, "fm-nonce-1", 16) + salt
        body = salt + sealed(body_key, nonce, head + length.to_bytes(4), plain)
        return self._append(0, ms, key_id, length, body)

    def run(self) -> bytes:
        """Return the whole feed as a run."""
        out = b"\1" + varint(len(self.genesis)) + self.genesis + varint(1)
        out += varint(len(self.entries))
        keys: list[bytes] = []
        before = 0
        for seq, entry in enumerate(self.entries, 1):
            assert entry.body is not None
            key, ms = entry.header[83:115], entry.clock >> 16
            fresh = key not in keys
            keys += [key] if fresh else []
            out += bytes((entry.header[1] | 2 | 4 | 16, 0)) + varint(keys.index(key))
            step = ms - before
            out += (key if fresh else b"") + varint(2 * step if step >= 0 else -2 * step - 1)
            out += varint(len(entry.body)) + entry.body
            out += self.signed(seq)
            before = ms
        return out

    def signed(self, seq: int) -> bytes:
        """Return the signature of an entry."""
        entry = self.entries[seq - 1]
        text = b"fieldmesh entry 1\0\1" + self.id + seq.to_bytes(8) + entry.hash
        return sign(self.seed, text + entry.clock.to_bytes(8))

    def _place(self) -> tuple[bytes, bytes]:
        prev = self.entries[-1].hash if self.entries else self.id
        return self.id + (len(self.entries) + 1).to_bytes(8), prev

    def _append(self, kind: int, ms: int, key_id: bytes, length: int, body: bytes) -> Entry:
        place, prev = self._place()
        header = bytes((1, kind, 0)) + place + prev + (ms << 16).to_bytes(8) + key_id
        header += length.to_bytes(4) + blake(body, "fm-bodyhash-1")
        entry = Entry(header, blake(header, "fm-entry-1"), body, ms << 16)
        self.entries.append(entry)
        return entry
