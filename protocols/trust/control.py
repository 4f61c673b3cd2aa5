"""What control feeds carry: one record an entry, in clear, as kind varint ‖ strict msgpack.

Records name each other by full 32-byte hashes. A number we do not know is kept and relayed as it
came: newer software will judge it. Number 8 is not used.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from protocols.errors import PeerError
from protocols.ids import DeviceId, EntryHash, FeedId
from protocols.trust.charter import ORGS_MAX, ROLES_MAX, SCOPES_MAX, SignedCharter
from protocols.trust.identity import TAG_BYTES
from protocols.trust.statements import (
    Instant,
    Key32,
    Number16,
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
SEALED_TEXT_BYTES_MAX = 1024
DEVICE_PREFIX_BYTES = 8
"""Names the addressee of an envelope; two devices of one prefix only both try to open it."""
WRAPPED_KEY_BYTES = 32 + TAG_BYTES

WrappedKey = Annotated[bytes, Meta(min_length=WRAPPED_KEY_BYTES, max_length=WRAPPED_KEY_BYTES)]
DevicePrefix = Annotated[
    bytes, Meta(min_length=DEVICE_PREFIX_BYTES, max_length=DEVICE_PREFIX_BYTES)
]
Epoch8 = Annotated[bytes, Meta(min_length=8, max_length=8)]
Envelope = tuple[DevicePrefix, WrappedKey]
SEAL_HEADS_MAX = 256
KEPT_MAX = 512
ERASED_MAX = 512
DOCUMENTS_MAX = 64
RELEASED_TO_MAX = 256
"""Devices that one release opens to."""
RELEASED_BYTES_MAX = 20 * 1024
"""A patient of some 300 entries; a longer history is released in several records."""
AUDIT_ITEMS_MAX = 32
SealedText = Annotated[bytes, Meta(max_length=SEALED_TEXT_BYTES_MAX)]
"""As `certificates.seal_name` seals: key id 32, nonce 24, ciphertext."""
Head = tuple[Key32, Annotated[int, Meta(ge=0, le=2**63 - 1)], Key32]


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
    """By the person's key, over the text of a session."""


class SealReason(IntEnum):
    """Why a key may claim no more. Numbers of later software are kept as they are."""

    RETIRED = 1
    LOST = 2
    COMPROMISED = 3
    CLONED = 4
    ROLE_REDUCED = 5
    LICENCE_ENDED = 6


class Seal(_Record, frozen=True):
    """9: how far a key counts. What it wrote above these heads is quarantined, never dropped."""

    subject: Key32
    """Ed25519 key of a device or a person."""
    reason: Annotated[int, Meta(ge=1, lt=256)]
    """A `SealReason`."""
    heads: Annotated[tuple[Head, ...], Meta(max_length=SEAL_HEADS_MAX)]
    """(feed, seq, entry hash): the last entries that count; seq 0 and zeros: none. Sorted."""
    roles: Annotated[tuple[Number16, ...], Meta(max_length=ROLES_MAX)] = ()
    """What it may go on writing as above the heads: a reduction. Sorted."""
    epochs: Annotated[tuple[Epoch8, ...], Meta(max_length=EPOCHS_MAX)] = ()
    """Later lives of the device that count whole: it was found and admitted again. Sorted."""
    certificates: Annotated[tuple[Key32, ...], Meta(max_length=KEPT_MAX)] = ()
    """Statements it signed that go on counting, beside those at or below its heads. Sorted."""
    extends: Annotated[bytes, Meta(max_length=32)] = b""
    """The seal this one widens, by entry hash; empty = a seal of its own."""
    since_ms: Instant = 0
    """From when on its acts are to be looked at again, though they count; 0 = none."""
    sealed_note: SealedText = b""
    """Remarks, sealed as a name is, with the key of the subject."""


class Erase(_Record, frozen=True):
    """10: bodies that every holder drops for good; counts when coordinator and issuer signed."""

    entries: Annotated[tuple[Key32, ...], Meta(min_length=1, max_length=ERASED_MAX)]
    """By full hash, so that holders who cannot read them know them too. Sorted."""
    documents: Annotated[tuple[Scope16, ...], Meta(max_length=DOCUMENTS_MAX)]
    """By id: whoever can read drops what came late in them too. Sorted."""
    reason: Number16
    approver: Key32
    """The second coordinator's device."""
    approval: Signature64
    """By the approver, over the text of an approval."""
    sealed_note: SealedText = b""


class Release(_Record, frozen=True):
    """11: whole documents shown across a border, key by key; original signatures go on holding."""

    scope: Scope16
    documents: Annotated[tuple[Scope16, ...], Meta(min_length=1, max_length=DOCUMENTS_MAX)]
    """By id. Sorted."""
    purpose: Number16
    basis: Annotated[str, Meta(max_length=200)]
    """The law or agreement that allows it; never anything about a patient."""
    recipients: Annotated[tuple[Key32, ...], Meta(min_length=1, max_length=ORGS_MAX)]
    """Roots of the organisations it is for. Sorted."""
    approver: Key32
    approval: Signature64
    commitment: Key32
    """Of the release key, as of a scope key."""
    ephemeral: Key32
    envelopes: Annotated[tuple[Envelope, ...], Meta(min_length=1, max_length=RELEASED_TO_MAX)]
    sealed_keys: Annotated[bytes, Meta(max_length=RELEASED_BYTES_MAX)]
    """(entry hash, body key) pairs under the release key."""


class AuditItem(_Record, frozen=True):
    """One thing done that others must be able to see afterwards."""

    what: Number16
    """A number of `audit.What`."""
    at_ms: Instant
    session: Annotated[int, Meta(ge=0, le=2**63 - 1)]
    """Seq of the attestation in this feed; 0 = nobody identified."""
    sealed_detail: SealedText = b""
    """Which patient, which reason: sealed to the readers of a scope."""


class Audit(_Record, frozen=True):
    """12: reads, exports, overrides, failed logins, in the order they happened."""

    items: Annotated[tuple[AuditItem, ...], Meta(min_length=1, max_length=AUDIT_ITEMS_MAX)]


class Hold(_Record, frozen=True):
    """13: a legal hold: no erase of these documents is carried out until it is lifted."""

    documents: Annotated[tuple[Scope16, ...], Meta(max_length=DOCUMENTS_MAX)]
    entries: Annotated[tuple[Key32, ...], Meta(max_length=ERASED_MAX)]
    lifts: Annotated[bytes, Meta(max_length=32)] = b""
    """The hold that this record ends, by entry hash; empty = a hold of its own."""


class Confirmation(_Record, frozen=True):
    """14: this device has dropped all that these erase records name."""

    erases: Annotated[tuple[Key32, ...], Meta(min_length=1, max_length=EPOCHS_MAX)]


class Capture(_Record, frozen=True):
    """15: a key for one entry of a device that may no longer read: sealed, used, forgotten."""

    scope: Scope16
    commitment: Key32
    ephemeral: Key32
    envelopes: Annotated[tuple[Envelope, ...], Meta(min_length=1, max_length=ENVELOPES_MAX)]


Record = (
    Founding
    | Certificates
    | Admission
    | Rotation
    | Envelopes
    | Bridge
    | Attestation
    | Seal
    | Erase
    | Release
    | Audit
    | Hold
    | Confirmation
    | Capture
)


class Place(NamedTuple):
    """Where a control entry stands: its author's feed, and what it follows there."""

    author: DeviceId
    epoch: bytes
    feed: FeedId
    seq: int
    prev: bytes
    """Hash of the entry before; of seq 1 the feed id."""
    entry: EntryHash


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
    9: Seal,
    10: Erase,
    11: Release,
    12: Audit,
    13: Hold,
    14: Confirmation,
    15: Capture,
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


def approved(operation: bytes, author: bytes, record: Erase | Release) -> bytes:
    """The text the second signer of an erase or release signs: for this author and record only."""
    bare = msgspec.structs.replace(record, approval=bytes(64))
    return (
        b"fieldmesh approval 1\0"
        + operation
        + author
        + _varint(_NUMBERS[type(record)])
        + pack(bare)
    )


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
