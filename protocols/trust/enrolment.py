"""Enrolment: a new device joins with a code that a person carried across the tent.

The code is 80 random bits, used once. It is the pre-shared key of Noise XXpsk3, so neither side
shows anything to a peer that does not know it. Somebody who answered in the coordinator's
place can try codes offline against the joiner's third message, at one hash each: 2^80 tries are
out of reach, which is why no slow key derivation is needed and why the code must be random,
never chosen by a person. The coordinator forgets it after one success or a few failures.

The exchange: three handshake messages with empty payloads, then, inside the channel, the
joiner's `JoinRequest` and the coordinator's `JoinGrant`. The same two structures travel as files.
"""

from __future__ import annotations

import hashlib
from typing import Annotated

import msgspec
from msgspec import Meta

from protocols.errors import InputError, PeerError
from protocols.ids import CROCKFORD, DeviceId, OperationId, from_base32, to_base32
from protocols.trust.certificates import CHAIN_MAX, REFUSALS, Certificate, verify_chain
from protocols.trust.charter import Charter, SignedCharter, open_charter, operation_id
from protocols.trust.control import EPOCHS_MAX, Epoch8
from protocols.trust.identity import TAG_BYTES, DeviceKeys, verify
from protocols.trust.statements import Key32, Scope16, Signature64, SignedStatement, pack, unpack

CODE_BYTES = 10
CODE_LETTERS = 16
CODE_GROUP = 4
CODE_TRIES_MAX = 5
"""Failed handshakes after which a coordinator forgets a code."""
NAME_LETTERS_MAX = 80
OLD_SCOPES_MAX = 16
GRANT_ENTRIES_MAX = 64
GRANT_ENTRY_BYTES_MAX = 48 * 1024
GRANT_BYTES_MAX = 65_519 - TAG_BYTES
"""With its tag it is one message of a link."""

_REQUEST = b"fieldmesh request 1\n"
_GRANT = b"fieldmesh grant 1\n"


class JoinRequest(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What a device shows to be admitted."""

    device: Key32
    agree: Key32
    epochs: Annotated[tuple[tuple[Epoch8, Key32], ...], Meta(max_length=EPOCHS_MAX)]
    """(epoch, its control feed) of all it has written so far."""
    scopes: Annotated[tuple[Scope16, ...], Meta(max_length=OLD_SCOPES_MAX)]
    """Its identified, aggregate and protection scopes so far, in this order; zeros: none."""
    name: Annotated[str, Meta(max_length=NAME_LETTERS_MAX)]
    """Shown to the coordinator, who may change it."""
    next_epoch: Epoch8
    """The life it will write in once admitted: of a sealed device the one that counts again."""
    proof: Signature64
    """By the device's key over the channel's hash and all of the above."""


class JoinGrant(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What a coordinator gives a device that it admits."""

    charter: SignedCharter
    chain: Annotated[tuple[SignedStatement, ...], Meta(min_length=1, max_length=CHAIN_MAX)]
    """Issuer first; the last certifies the new device."""
    admitter: Key32
    """The coordinator's device; its control feed holds the admission and the envelopes."""
    entries: Annotated[
        tuple[Annotated[bytes, Meta(max_length=GRANT_ENTRY_BYTES_MAX)], ...],
        Meta(max_length=GRANT_ENTRIES_MAX),
    ] = ()
    """The admitter's control feed as runs; where that is too long, one advance: the admission and
    the keys that are written under. The rest syncs."""


def code_text(code: bytes) -> str:
    """Return a code as people read it: `7Q2M-…`, four groups of four Crockford letters."""
    assert len(code) == CODE_BYTES
    letters = to_base32(code)
    groups = (letters[at : at + CODE_GROUP] for at in range(0, CODE_LETTERS, CODE_GROUP))
    return "-".join(groups)


def parse_code(text: str) -> bytes:
    """Return the 10 bytes of a typed code; case, spaces, hyphens, O, I and L are forgiven.

    Raises:
        InputError: `bad_code`.
    """
    letters = "".join(letter for letter in text if not letter.isspace() and letter not in "-_.–")
    try:
        return from_base32(letters, CODE_BYTES)
    except InputError:
        raise InputError(
            "bad_code", field="code", allowed=("XXXX-XXXX-XXXX-XXXX", CROCKFORD)
        ) from None


def code_psk(code: bytes) -> bytes:
    """Return the pre-shared key of a code, 32 bytes."""
    assert len(code) == CODE_BYTES
    return hashlib.blake2b(code, digest_size=32, person=b"fm-enrol-1").digest()


def sign_request(
    keys: DeviceKeys,
    binding: bytes,
    *,
    epochs: tuple[tuple[bytes, bytes], ...],
    scopes: tuple[bytes, ...],
    name: str,
    next_epoch: bytes,
) -> JoinRequest:
    """Return a request bound to one channel.

    Args:
        binding: The channel's `handshake_hash`; empty in a request that travels as a file.
    """
    request = JoinRequest(
        keys.device, keys.agree_public, epochs, scopes, name, next_epoch, proof=bytes(64)
    )
    proof = keys.sign(_proved(request, binding))
    return msgspec.structs.replace(request, proof=proof)


def open_request(raw: bytes, binding: bytes, *, static: bytes | None = None) -> JoinRequest:
    """Return a request whose sender holds the device's key and is at the end of this channel.

    Args:
        static: The channel's `remote_static`, so that nobody is certified for another's
            agreement key; None for a request that travels as a file, which proves less.

    Raises:
        PeerError: `malformed`, `not_canonical`, `join_proof`.
    """
    request = unpack(JoinRequest, raw)
    if static is not None and static != request.agree:
        raise PeerError("join_proof")
    if not verify(request.device, _proved(request, binding), request.proof):
        raise PeerError("join_proof")
    return request


def open_grant(
    raw: bytes, device: DeviceId, *, lower_ms: int = 0
) -> tuple[JoinGrant, OperationId, Charter, Certificate]:
    """Return a grant whose charter and chain hold and certify this device.

    Raises:
        PeerError: `malformed`, `not_canonical`, `join_grant` (it certifies somebody else), or
            the reason why charter or chain do not hold.
    """
    grant = unpack(JoinGrant, raw)
    charter, operation = open_charter(grant.charter), operation_id(grant.charter.body)
    certificate, _ = verify_chain(charter, operation, grant.chain, lower_ms=lower_ms)
    if certificate.subject != device:
        raise PeerError("join_grant")
    return grant, operation, charter, certificate


def request_file(request: JoinRequest) -> bytes:
    """Return a request as a file that is carried by hand."""
    return _REQUEST + pack(request)


def open_request_file(raw: bytes) -> JoinRequest:
    """Read a request that was carried by hand.

    Raises:
        InputError: `not_a_request_file`, `file_damaged`.
    """
    if not raw.startswith(_REQUEST):
        raise InputError("not_a_request_file")
    try:
        return open_request(raw[len(_REQUEST) :], b"")
    except PeerError:
        raise InputError("file_damaged") from None


def grant_file(grant: JoinGrant) -> bytes:
    """Return a grant as a file that is carried by hand."""
    return _GRANT + pack(grant)


def open_grant_file(raw: bytes, device: DeviceId, *, lower_ms: int = 0) -> JoinGrant:
    """Read a grant that was carried by hand.

    Raises:
        InputError: `not_a_grant_file`, `grant_for_another`, `file_damaged`, or why its charter
            or certificates do not hold, one of `certificates.REFUSALS`.
    """
    if not raw.startswith(_GRANT):
        raise InputError("not_a_grant_file")
    try:
        return open_grant(raw[len(_GRANT) :], device, lower_ms=lower_ms)[0]
    except PeerError as error:
        told = {"join_grant": "grant_for_another"} | {each: each for each in REFUSALS}
        raise InputError(told.get(error.code, "file_damaged")) from None


def _proved(request: JoinRequest, binding: bytes) -> bytes:
    body = pack(msgspec.structs.replace(request, proof=bytes(64)))
    return b"fieldmesh join 1\0" + len(binding).to_bytes(2) + binding + body
