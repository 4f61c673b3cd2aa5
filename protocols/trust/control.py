"""What control feeds carry: one record an entry, in clear, as kind varint ‖ strict msgpack.

Records name each other by full 32-byte hashes. A number we do not know is kept and relayed as it
came: newer software will judge it. Numbers 8 and up are spoken for: 9 seal, 10 erase,
11 release, 12 audit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import msgspec
from msgspec import Meta

from protocols.errors import PeerError
from protocols.trust.charter import SCOPES_MAX, SignedCharter
from protocols.trust.identity import TAG_BYTES
from protocols.trust.statements import (
    Instant,
    Key32,
    Scope16,
    Signature64,
    SignedStatement,
    pack,
    unpack,
)

CONTROL_BYTES_MAX = 47 * 1024
"""With its header and signature a record fits one 48 KiB entry."""
KIND_MAX = 2**16 - 1
CERTIFICATES_MAX = 64
"""In one record: a roster of 1,000 is 16 entries."""
EPOCHS_MAX = 64
PARENTS_MAX = 64
ENVELOPES_MAX = 512
"""In one record; more readers go into further envelope records."""
BRIDGE_KEYS_MAX = 512
DEVICE_PREFIX_BYTES = 8
"""Names the addressee of an envelope; two devices of one prefix only both try to open it."""
WRAPPED_KEY_BYTES = 32 + TAG_BYTES

WrappedKey = Annotated[bytes, Meta(min_length=WRAPPED_KEY_BYTES, max_length=WRAPPED_KEY_BYTES)]
DevicePrefix = Annotated[
    bytes, Meta(min_length=DEVICE_PREFIX_BYTES, max_length=DEVICE_PREFIX_BYTES)
]
Epoch8 = Annotated[bytes, Meta(min_length=8, max_length=8)]
Envelope = tuple[DevicePrefix, WrappedKey]


class _Record(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    pass


class Founding(_Record, frozen=True):
    """1: an operation begins, or begins for this feed's readers."""

    charter: SignedCharter


class Certificates(_Record, frozen=True):
    """2: one or a batch of certificates; each is judged by itself, whoever wrote them here."""

    statements: Annotated[
        tuple[SignedStatement, ...], Meta(min_length=1, max_length=CERTIFICATES_MAX)
    ]


class Admission(_Record, frozen=True):
    """3: a device joins and its feeds become the operation's; counts from a coordinator up."""

    device: Key32
    epochs: Annotated[tuple[tuple[Epoch8, Key32], ...], Meta(max_length=EPOCHS_MAX)]
    """(epoch, its control feed): where the device's own history begins for a reader."""
    certificate: Key32
    """Statement hash of the certificate it is admitted under."""
    scopes: Annotated[tuple[tuple[Scope16, Scope16], ...], Meta(max_length=SCOPES_MAX)]
    """(the device's old scope, the operation's scope it becomes)."""


class Rotation(_Record, frozen=True):
    """4: a new key for a scope. The key's id is the hash of the entry that carries this."""

    scope: Scope16
    commitment: Key32
    """BLAKE2b-256 of the key, person `fm-scopekey-1`: an envelope that fails it is ignored."""
    parents: Annotated[tuple[tuple[Key32, WrappedKey], ...], Meta(max_length=PARENTS_MAX)]
    """(key id, that key under the new key): the newest key opens all history."""
    ephemeral: Key32
    """X25519 public key that all envelopes of this record are sealed from."""
    envelopes: Annotated[tuple[Envelope, ...], Meta(max_length=ENVELOPES_MAX)]


class Envelopes(_Record, frozen=True):
    """5: a scope key for further devices; any reader writes one for whom it meets without."""

    key_id: Key32
    ephemeral: Key32
    envelopes: Annotated[tuple[Envelope, ...], Meta(min_length=1, max_length=ENVELOPES_MAX)]


class Bridge(_Record, frozen=True):
    """6: old keys of a mapped scope, each wrapped under a key of the operation."""

    key_id: Key32
    """The operation's key that opens them."""
    keys: Annotated[
        tuple[tuple[Key32, WrappedKey], ...], Meta(min_length=1, max_length=BRIDGE_KEYS_MAX)
    ]
    """(old key id, that key under the operation's)."""


class Attestation(_Record, frozen=True):
    """7: a person takes this device and epoch; entries name it as their session."""

    person: Key32
    """Statement hash of the person's certificate."""
    started_ms: Instant
    signature: Signature64
    """By the person's key over the text of `attested`."""


Record = Founding | Certificates | Admission | Rotation | Envelopes | Bridge | Attestation


@dataclass(frozen=True, slots=True)
class UnknownControl:
    """A record of a kind this software does not know: kept, relayed, judged later."""

    kind: int
    body: bytes


KINDS: dict[int, type[Record]] = {
    1: Founding,
    2: Certificates,
    3: Admission,
    4: Rotation,
    5: Envelopes,
    6: Bridge,
    7: Attestation,
}
_NUMBERS = {kind: number for number, kind in KINDS.items()}


def encode_control(record: Record) -> bytes:
    """Return the body of a control entry."""
    body = _varint(_NUMBERS[type(record)]) + pack(record)
    assert len(body) <= CONTROL_BYTES_MAX
    return body


def decode_control(body: bytes) -> Record | UnknownControl:
    """Read the body of a control entry.

    Raises:
        PeerError: `malformed`, `not_canonical`: the entry is void.
    """
    if len(body) > CONTROL_BYTES_MAX:
        raise PeerError("malformed", what="control")
    number, rest = _take_varint(body)
    kind = KINDS.get(number)
    return UnknownControl(number, rest) if kind is None else unpack(kind, rest)


def attested(device: bytes, epoch: bytes, person: bytes, started_ms: int) -> bytes:
    """The text a person's key signs to take a device: good for this device and epoch only."""
    return b"fieldmesh session 1\0" + device + epoch + person + started_ms.to_bytes(8)


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _take_varint(body: bytes) -> tuple[int, bytes]:
    """Read a kind number of at most 3 bytes, shortest form only."""
    number = 0
    for place, byte in enumerate(body[:3]):
        number |= (byte & 0x7F) << 7 * place
        if byte < 0x80:
            if (place and not byte) or number > KIND_MAX:
                break
            return number, body[place + 1 :]
    raise PeerError("malformed", what="control")
