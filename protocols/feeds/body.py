"""The plain body of a data entry: who typed it, what it follows, and its facts.

Void is a property of these bytes alone. The constants here belong to the protocol version:
raising one makes old and new nodes judge an entry differently.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import msgspec

from protocols.errors import PeerError
from protocols.feeds.varint import put_varint, take_varint
from protocols.ids import PREFIX_BYTES

FACTS_MAX = 1024
DEPENDENCIES_MAX = 256
PLAIN_BYTES_MAX = 1024 * 1024
"""Inflated size of a body."""

_ONE_FACT = 21
"""Where the value begins in a body of one dependency and one fact."""


class VoidBody(Exception):
    """These bytes can never be a body, for anyone; `args[0]` is the reason's code."""


class Body(msgspec.Struct, frozen=True, gc=False):
    """What one entry says."""

    session_seq: int
    """Place of the person's attestation in the same epoch's control feed; 0 = not identified."""
    session_hash: bytes
    """First 4 bytes of that entry's hash; empty when not identified."""
    dependencies: tuple[bytes, ...]
    """16-byte entry prefixes, sorted, all of one document of this scope and lane."""
    facts: tuple[tuple[int, bytes], ...]
    """(kind number, value) in order; a value is opaque here."""


NOT_IDENTIFIED = (0, b"")


def encode_body(
    session: tuple[int, bytes],
    dependencies: Sequence[bytes],
    facts: Sequence[tuple[int, bytes]],
) -> bytes:
    """Return the plain body. Dependencies must be sorted and unique."""
    seq, stub = session
    parts = [put_varint(seq), stub, put_varint(len(dependencies)), *dependencies]
    parts.append(put_varint(len(facts)))
    for kind, value in facts:
        parts += (put_varint(kind), put_varint(len(value)), value)
    return b"".join(parts)


def decode_session(plain: bytes) -> tuple[int, bytes]:
    """Read who typed a body that is known to read, from its first 16 bytes alone."""
    seq, at = take_varint(plain, 0)
    return (seq, plain[at : at + 4]) if seq else NOT_IDENTIFIED


def decode_body(plain: bytes) -> Body:
    """Read a plain body.

    Raises:
        VoidBody: when layout, a count or the order of dependencies is wrong.
    """
    size = len(plain)
    if size > _ONE_FACT:
        # Nearly every edit: a session of one or two bytes or none, one dependency, one fact with
        # short numbers.
        lead = plain[0]
        at = 1 if not lead else 5 if lead < 0x80 else 6 if 0 < plain[1] < 0x80 else size
        begins = at + _ONE_FACT - 1
        if size > begins and plain[at] == 1 and plain[at + 17] == 1:
            kind, length = plain[at + 18], plain[at + 19]
            if kind < 0x80 and length < 0x80 and size == begins + length:
                seq = lead if at < 6 else lead & 0x7F | plain[1] << 7
                stub = plain[at - 4 : at] if seq else b""
                return Body(seq, stub, (plain[at + 1 : at + 17],), ((kind, plain[begins:]),))
    try:
        return _decode(plain)
    except PeerError as error:
        raise VoidBody("layout") from error


def _decode(plain: bytes) -> Body:
    size = len(plain)
    session_seq, at = take_varint(plain, 0)
    session_hash = b""
    if session_seq:
        session_hash, at = plain[at : at + 4], at + 4
    count, at = take_varint(plain, at)
    if count > DEPENDENCIES_MAX or at + count * PREFIX_BYTES > size:
        raise VoidBody("dependencies")
    end = at + count * PREFIX_BYTES
    dependencies = tuple(plain[place : place + PREFIX_BYTES] for place in range(at, end, 16))
    if count > 1 and any(a >= b for a, b in pairwise(dependencies)):
        raise VoidBody("dependencies")
    count, at = take_varint(plain, end)
    if count > FACTS_MAX:
        raise VoidBody("facts")
    facts = []
    for _ in range(count):
        kind, at = take_varint(plain, at)
        length, at = take_varint(plain, at)
        facts.append((kind, plain[at : at + length]))
        at += length
        if at > size:
            raise VoidBody("layout")
    if at != size:
        raise VoidBody("trailing")
    return Body(session_seq, session_hash, dependencies, tuple(facts))
