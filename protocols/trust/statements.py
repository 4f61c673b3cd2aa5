"""The one door for control bytes: strict msgpack, and statements that somebody signed.

Strict means: decode, encode again, and the bytes must be the same. So every structure has
exactly one encoding, and what is signed is what was read.
"""

from __future__ import annotations

import hashlib
from functools import cache
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from protocols.errors import PeerError
from protocols.ids import StatementHash
from protocols.trust.identity import DeviceKeys, verify

Key32 = Annotated[bytes, Meta(min_length=32, max_length=32)]
"""A public key, a hash or a key id."""
Scope16 = Annotated[bytes, Meta(min_length=16, max_length=16)]
Signature64 = Annotated[bytes, Meta(min_length=64, max_length=64)]
Instant = Annotated[int, Meta(ge=0, lt=2**48)]
"""Unix milliseconds."""
Number16 = Annotated[int, Meta(ge=0, lt=2**16)]

STATEMENT_BYTES_MAX = 4 * 1024
"""Of one signed body: a certificate takes a tenth of it."""

KIND_CERTIFICATE = 1

_PREFIX = b"fieldmesh statement 1\0"
_Struct = TypeVar("_Struct", bound=msgspec.Struct)


def _plain(value: object) -> bytes:
    """Write a typed id as the bytes it is."""
    assert isinstance(value, bytes)
    return bytes(value)


_encode = msgspec.msgpack.Encoder(enc_hook=_plain).encode


class SignedStatement(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What one key says, in a form anybody can check without a network."""

    kind: Number16
    """What `body` is; 1 = certificate."""
    body: Annotated[bytes, Meta(max_length=STATEMENT_BYTES_MAX)]
    """Strict msgpack."""
    issuer: Key32
    """The Ed25519 key that signed."""
    signature: Signature64


def pack(value: msgspec.Struct) -> bytes:
    """Return the one encoding of a structure."""
    return _encode(value)


def unpack(kind: type[_Struct], raw: bytes) -> _Struct:
    """Return the structure these bytes are the one encoding of.

    Raises:
        PeerError: `malformed` when they do not read as this type, `not_canonical` when they
            are not what `pack` would have written.
    """
    try:
        value: _Struct = _decoder(kind).decode(raw)
    except (msgspec.MsgspecError, RecursionError, UnicodeDecodeError):
        raise PeerError("malformed", what=kind.__name__) from None
    if _encode(value) != raw:
        raise PeerError("not_canonical", what=kind.__name__)
    return value


def sign_statement(keys: DeviceKeys, kind: int, body: bytes) -> SignedStatement:
    """Sign one body as this key's statement."""
    assert len(body) <= STATEMENT_BYTES_MAX
    return SignedStatement(kind, body, keys.device, keys.sign(_signed(kind, keys.device, body)))


def verify_statement(statement: SignedStatement) -> bool:
    """Say whether its issuer signed it."""
    signed = _signed(statement.kind, statement.issuer, statement.body)
    return verify(statement.issuer, signed, statement.signature)


def statement_hash(statement: SignedStatement) -> StatementHash:
    """Name a statement by what it says and who says it; not by the signature's bytes."""
    signed = _signed(statement.kind, statement.issuer, statement.body)
    return StatementHash(hashlib.blake2b(signed, digest_size=32, person=b"fm-statement-1").digest())


def _signed(kind: int, issuer: bytes, body: bytes) -> bytes:
    return _PREFIX + kind.to_bytes(2) + issuer + body


@cache
def _decoder(kind: type[_Struct]) -> msgspec.msgpack.Decoder[_Struct]:
    return msgspec.msgpack.Decoder(kind)
