"""The charter: what the organisations of one operation have agreed on, signed by all of them.

It names their root keys, the scopes data lives in, and the roles with the kinds each may write.
Everything else in `trust` is judged from here downward.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from enum import IntEnum
from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from protocols.errors import PeerError
from protocols.ids import OperationId
from protocols.trust.identity import DeviceKeys, verify
from protocols.trust.statements import Instant, Key32, Number16, Scope16, Signature64, pack, unpack

CHARTER_VERSION = 1
ORGS_MAX = 32
SCOPES_MAX = 64
ROLES_MAX = 64
KINDS_MAX = 1024
"""Kind numbers one role may list."""
JURISDICTIONS_MAX = 64
CHARTER_BYTES_MAX = 24 * 1024
"""With 32 signatures it still fits one control entry."""

Name = Annotated[str, Meta(max_length=80)]
Jurisdiction = Annotated[str, Meta(max_length=16)]
"""ISO 3166 country code, or a code the operation agreed on; '' = none."""

HEADERS: Literal[2] = 2
"""As `Scope.ciphertext_may_leave`: headers of what was released may follow it, no ciphertext."""

_PREFIX = b"fieldmesh charter 1\0"


class Sensitivity(IntEnum):
    """How closely a scope's data names people."""

    IDENTIFIED = 0
    AGGREGATE = 1
    PROTECTION = 2


class _Part(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    pass


class Org(_Part, frozen=True):
    """One member organisation."""

    name: Name
    root: Key32
    """Ed25519 key that signs its issuers; kept offline where there is more than one device."""
    jurisdiction: Jurisdiction = ""
    """Under whose law its devices hold data."""


class Scope(_Part, frozen=True):
    """One body of data with one rule for who may hold and read it."""

    id: Scope16
    name: Name
    sensitivity: Annotated[int, Meta(ge=0, le=2)]
    """A `Sensitivity`."""
    jurisdictions: Annotated[tuple[Jurisdiction, ...], Meta(max_length=JURISDICTIONS_MAX)] = ()
    """Which may hold it; empty = any. Sorted."""
    ciphertext_may_leave: bool | Literal[2] = True
    """Whether others may carry what they cannot read; 2: no ciphertext, but headers of what was
    released."""
    readers: Annotated[tuple[Number16, ...], Meta(max_length=ROLES_MAX)] = ()
    """Roles that receive its keys; empty = every role certified for the scope. Sorted."""

    @property
    def leaves(self) -> bool:
        """Whether others may carry what they cannot read."""
        return self.ciphertext_may_leave is True

    @property
    def headers_leave(self) -> bool:
        """Whether headers of what was released may follow it to whoever it was released to."""
        return bool(self.ciphertext_may_leave)


class Role(_Part, frozen=True):
    """What holders of a role may write."""

    number: Number16
    name: Name
    kinds: Annotated[tuple[Number16, ...], Meta(max_length=KINDS_MAX)] = ()
    """Kind numbers; empty = all, those of later software too. Sorted."""


class Charter(_Part, frozen=True):
    """The text that the member organisations sign. Lists are sorted and without doubles."""

    version: Number16
    name: Name
    nonce: Scope16
    """16 random bytes: two operations of one name stay two."""
    created_ms: Instant
    orgs: Annotated[tuple[Org, ...], Meta(max_length=ORGS_MAX)]
    """Sorted by root key. Empty while its text is still being written."""
    scopes: Annotated[tuple[Scope, ...], Meta(max_length=SCOPES_MAX)]
    """Sorted by id."""
    roles: Annotated[tuple[Role, ...], Meta(max_length=ROLES_MAX)]
    """Sorted by number."""

    def org_of(self, root: bytes) -> Org | None:
        """The organisation with this root key."""
        return next((org for org in self.orgs if org.root == root), None)

    def scope(self, scope: bytes) -> Scope | None:
        """The scope with this id."""
        return next((each for each in self.scopes if each.id == scope), None)


class SignedCharter(_Part, frozen=True):
    """A charter with one signature of each organisation, in the order of `orgs`."""

    body: Annotated[bytes, Meta(max_length=CHARTER_BYTES_MAX)]
    signatures: Annotated[tuple[Signature64, ...], Meta(max_length=ORGS_MAX)]


def operation_id(body: bytes) -> OperationId:
    """Name an operation by its charter's bytes, without the signatures."""
    return OperationId(hashlib.blake2b(body, digest_size=32, person=b"fm-charter-1").digest())


def charter_signature(body: bytes, root: DeviceKeys) -> bytes:
    """Return one organisation's signature; each signs the same bytes, carried by hand."""
    return root.sign(_PREFIX + body)


def sign_charter(charter: Charter, roots: Sequence[DeviceKeys]) -> SignedCharter:
    """Sign with all roots at once, where one hand holds them all.

    Raises:
        PeerError: as `open_charter`, or `charter_signature` when a root is missing.
    """
    body = pack(charter)
    by_key = {bytes(root.device): root for root in roots}
    if any(org.root not in by_key for org in charter.orgs):
        raise PeerError("charter_signature")
    signed = SignedCharter(
        body, tuple(charter_signature(body, by_key[org.root]) for org in charter.orgs)
    )
    open_charter(signed)
    return signed


def found(  # noqa: PLR0913 - a charter has this many terms
    *,
    name: str,
    org: Org,
    root: DeviceKeys,
    nonce: bytes,
    created_ms: int,
    scopes: Sequence[Scope],
    roles: Sequence[Role],
) -> SignedCharter:
    """Found an operation of one member: alone is enough."""
    charter = Charter(
        version=CHARTER_VERSION,
        name=name,
        nonce=nonce,
        created_ms=created_ms,
        orgs=(org,),
        scopes=tuple(sorted(scopes, key=lambda scope: scope.id)),
        roles=tuple(sorted(roles, key=lambda role: role.number)),
    )
    return sign_charter(charter, [root])


def open_charter(signed: SignedCharter) -> Charter:
    """Return the charter when every member organisation signed it.

    Raises:
        PeerError: as `check_charter`; `charter_signature`, also when it has no member.
    """
    charter = check_charter(signed.body)
    if not 0 < len(charter.orgs) == len(signed.signatures) or not all(
        signed_by(org.root, signed.body, signature)
        for org, signature in zip(charter.orgs, signed.signatures, strict=True)
    ):
        raise PeerError("charter_signature")
    return charter


def check_charter(body: bytes) -> Charter:
    """Return a charter whose text holds, whoever signed it.

    Raises:
        PeerError: `malformed`, `not_canonical`, `charter_version` (needs newer software),
            `charter_order` (a list unsorted or with doubles), `charter_role_unknown` (a scope
            names a role that is not listed).
    """
    charter = unpack(Charter, body)
    if charter.version != CHARTER_VERSION:
        raise PeerError("charter_version", version=charter.version)
    if not _in_order(charter):
        raise PeerError("charter_order")
    numbers = {role.number for role in charter.roles}
    if any(not numbers.issuperset(scope.readers) for scope in charter.scopes):
        raise PeerError("charter_role_unknown")
    return charter


def signed_by(root: bytes, body: bytes, signature: bytes) -> bool:
    """Whether an organisation signed this text."""
    return verify(root, _PREFIX + body, signature)


def lawful(scope: Scope, jurisdiction: str) -> bool:
    """Whether who stands under this law may hold a scope."""
    return not scope.jurisdictions or jurisdiction in scope.jurisdictions


def _in_order(charter: Charter) -> bool:
    lists: list[Sequence[bytes] | Sequence[int] | Sequence[str]] = [
        [org.root for org in charter.orgs],
        [scope.id for scope in charter.scopes],
        [role.number for role in charter.roles],
        *[scope.jurisdictions for scope in charter.scopes],
        *[scope.readers for scope in charter.scopes],
        *[role.kinds for role in charter.roles],
    ]
    zero = bytes(16)
    rising = all(list(each) == sorted(set(each)) for each in lists)  # type: ignore[type-var]
    return rising and all(scope.id != zero for scope in charter.scopes)
