"""Certificates: who may write what and for whom, handed down and only ever narrowed.

Root -> issuer -> site coordinator -> device and person. Judging one certificate needs only the
authority of its issuer; `refusal` says why one does not hold, in one of `REFUSALS`.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from protocols.errors import PeerError
from protocols.ids import DeviceId, KeyId, OperationId
from protocols.trust.charter import ROLES_MAX, SCOPES_MAX, Charter
from protocols.trust.identity import NONCE_BYTES, DeviceKeys, seal, unseal
from protocols.trust.statements import (
    KIND_CERTIFICATE,
    Instant,
    Key32,
    Number16,
    Scope16,
    SignedStatement,
    pack,
    sign_statement,
    unpack,
    verify_statement,
)

CERTIFICATE_VERSION = 1
CHAIN_MAX = 4
"""Issuer, coordinator, device or person, and one to spare: ranks only ever fall."""
SEALED_NAME_BYTES_MAX = 1024
"""A person's profession and licence ride here too."""
NAME_BLOCK_BYTES = 32
"""Names are padded to a multiple of it, so that a length does not name anyone."""

REFUSALS = (
    "certificate_kind",
    "certificate_version",
    "certificate_operation",
    "certificate_order",
    "certificate_agree_key",
    "certificate_issuer",
    "certificate_rank",
    "certificate_roles",
    "certificate_scopes",
    "certificate_depth",
    "certificate_count",
    "certificate_time",
    "certificate_expired",
    "certificate_not_yet_valid",
    "certificate_signature",
)
"""Every reason a certificate is refused for, beside `malformed` and `not_canonical`."""


class Rank(IntEnum):
    """How close to the root; only a lower number may grant a higher one."""

    ROOT = 0
    ISSUER = 1
    COORDINATOR = 2
    DEVICE = 3
    PERSON = 4


class Certificate(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What an issuer grants to one key. The issuer is named by the statement around it."""

    version: Number16
    operation: Key32
    subject: Key32
    """Ed25519 key of a device or a person."""
    agree: Annotated[bytes, Meta(max_length=32)]
    """X25519 key of a device (32 bytes); empty for a person or an issuer without a device."""
    rank: Annotated[int, Meta(ge=1, le=4)]
    """A `Rank` below the root."""
    roles: Annotated[tuple[Number16, ...], Meta(max_length=ROLES_MAX)]
    """What it may write, and may grant where `depth` allows. Sorted."""
    scopes: Annotated[tuple[Scope16, ...], Meta(max_length=SCOPES_MAX)]
    """Where. Sorted."""
    depth: Annotated[int, Meta(ge=0, lt=CHAIN_MAX)] = 0
    """How many further certificates may follow below it in a chain."""
    count: Number16 = 0
    """How many certificates it may issue: the highest `serial` below it."""
    serial: Number16 = 1
    """Counted from 1 by its issuer; a renewal keeps the subject's number."""
    not_before_ms: Instant = 0
    not_after_ms: Instant = 0
    """0 = no end of its own."""
    sealed_name: Annotated[bytes, Meta(max_length=SEALED_NAME_BYTES_MAX)] = b""
    """The display name, or a person's profile, sealed; empty = none."""


@dataclass(frozen=True, slots=True)
class Authority:
    """What a key may do and grant, by one standing certificate or by being a root."""

    key: bytes
    root: bytes
    """Root key of its organisation."""
    rank: Rank
    roles: frozenset[int]
    scopes: frozenset[bytes]
    depth: int
    count: int
    not_before_ms: int
    not_after_ms: int
    """0 = no end."""


def sign_certificate(certificate: Certificate, issuer: DeviceKeys) -> SignedStatement:
    """Sign one certificate; whether the issuer may is judged by whoever reads it."""
    return sign_statement(issuer, KIND_CERTIFICATE, pack(certificate))


def open_certificate(statement: SignedStatement) -> Certificate:
    """Return what a statement certifies; its signature and its right are not judged here.

    Raises:
        PeerError: `malformed`, `not_canonical`, or one of `REFUSALS` that needs no issuer.
    """
    if statement.kind != KIND_CERTIFICATE:
        raise PeerError("certificate_kind", kind=statement.kind)
    certificate = unpack(Certificate, statement.body)
    if certificate.version != CERTIFICATE_VERSION:
        raise PeerError("certificate_version", version=certificate.version)
    for listed in (certificate.roles, certificate.scopes):
        if list(listed) != sorted(set(listed)):  # type: ignore[type-var]
            raise PeerError("certificate_order")
    if len(certificate.agree) not in (0, 32):
        raise PeerError("certificate_agree_key")
    return certificate


def root_authority(charter: Charter, root: bytes) -> Authority | None:
    """What an organisation's root may grant: all the charter lists. None when it is no root."""
    if charter.org_of(root) is None:
        return None
    return Authority(
        key=root,
        root=root,
        rank=Rank.ROOT,
        roles=frozenset(role.number for role in charter.roles),
        scopes=frozenset(scope.id for scope in charter.scopes),
        depth=CHAIN_MAX,
        count=2**16 - 1,
        not_before_ms=0,
        not_after_ms=0,
    )


def refusal(parent: Authority, certificate: Certificate, operation: OperationId) -> str:
    """Say why this issuer could not grant this, or '' when it could. No clock, no signature."""
    reasons = (
        (certificate.operation != operation, "certificate_operation"),
        (certificate.rank <= parent.rank, "certificate_rank"),
        (not parent.roles.issuperset(certificate.roles), "certificate_roles"),
        (not parent.scopes.issuperset(certificate.scopes), "certificate_scopes"),
        (parent.depth <= certificate.depth, "certificate_depth"),
        (not 1 <= certificate.serial <= parent.count, "certificate_count"),
        (certificate.depth == 0 < certificate.count, "certificate_count"),
        (not _within(parent, certificate), "certificate_time"),
    )
    return next((reason for refused, reason in reasons if refused), "")


def granted(parent: Authority, certificate: Certificate) -> Authority:
    """What a certificate that is not refused makes of its subject."""
    return Authority(
        key=certificate.subject,
        root=parent.root,
        rank=Rank(certificate.rank),
        roles=frozenset(certificate.roles),
        scopes=frozenset(certificate.scopes),
        depth=certificate.depth,
        count=certificate.count,
        not_before_ms=certificate.not_before_ms,
        not_after_ms=certificate.not_after_ms,
    )


def time_refusal(authority: Authority, lower_ms: int, upper_ms: int | None = None) -> str:
    """Judge a validity against what is known of the time, or return ''.

    Args:
        lower_ms: Unix milliseconds that have surely passed (build time, latest receipt of HQ).
        upper_ms: An instant that surely has not come yet; None when nothing is known.
    """
    if 0 < authority.not_after_ms < lower_ms:
        return "certificate_expired"
    if upper_ms is not None and authority.not_before_ms > upper_ms:
        return "certificate_not_yet_valid"
    return ""


def verify_chain(
    charter: Charter,
    operation: OperationId,
    chain: Sequence[SignedStatement],
    *,
    lower_ms: int = 0,
    upper_ms: int | None = None,
) -> tuple[Certificate, Authority]:
    """Check a chain, issuer first, from a root of the charter down; return its last link.

    Raises:
        PeerError: one of `REFUSALS`, `malformed` or `not_canonical`.
    """
    if not 1 <= len(chain) <= CHAIN_MAX:
        raise PeerError("certificate_depth")
    parent = root_authority(charter, chain[0].issuer)
    if parent is None:
        raise PeerError("certificate_issuer")
    for statement in chain:
        certificate = open_certificate(statement)
        if statement.issuer != parent.key:
            raise PeerError("certificate_issuer")
        reason = refusal(parent, certificate, operation)
        parent = granted(parent, certificate)
        reason = reason or time_refusal(parent, lower_ms, upper_ms)
        if reason:
            raise PeerError(reason)
        if not verify_statement(statement):
            raise PeerError("certificate_signature")
    return certificate, parent


def seal_name(name: str, *, subject: DeviceId, key: bytes, key_id: KeyId, nonce: bytes) -> bytes:
    """Seal a display name to the readers of a scope key: key id 32 ‖ nonce 24 ‖ ciphertext."""
    text = name.encode()
    padded = len(text).to_bytes(2) + text
    padded += bytes(-len(padded) % NAME_BLOCK_BYTES)
    sealed = key_id + nonce + seal(_name_key(key), nonce, bytes(subject), padded)
    assert len(sealed) <= SEALED_NAME_BYTES_MAX
    return sealed


def open_name(sealed: bytes, *, subject: DeviceId, keys: Mapping[KeyId, bytes]) -> str | None:
    """Return a sealed name; None without the key or when it is not a name."""
    if len(sealed) < 32 + NONCE_BYTES:
        return None
    key = keys.get(KeyId(sealed[:32]))
    if key is None:
        return None
    nonce, rest = sealed[32 : 32 + NONCE_BYTES], sealed[32 + NONCE_BYTES :]
    padded = unseal(_name_key(key), nonce, bytes(subject), rest)
    if padded is None or len(padded) < 2:
        return None
    size = int.from_bytes(padded[:2])
    try:
        return padded[2 : 2 + size].decode()
    except UnicodeDecodeError:
        return None


def _name_key(key: bytes) -> bytes:
    return hashlib.blake2b(key=key, digest_size=32, person=b"fm-name-1").digest()


def _within(parent: Authority, certificate: Certificate) -> bool:
    """Whether the validity lies inside the issuer's."""
    if certificate.not_before_ms < parent.not_before_ms:
        return False
    if certificate.not_after_ms and certificate.not_after_ms < certificate.not_before_ms:
        return False
    return not parent.not_after_ms or 0 < certificate.not_after_ms <= parent.not_after_ms
