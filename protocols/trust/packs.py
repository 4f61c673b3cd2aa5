"""What stands behind a content pack: an organisation's signature, and a clinical lead's approval.

Both are statements over the digest of the pack's canonical bytes, so either can be checked by
anybody who has the bytes, whoever carried them. Whether the key may sign is the roster's to say.
"""

from __future__ import annotations

from hashlib import blake2b
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from protocols.errors import PeerError
from protocols.ids import OperationId
from protocols.trust.identity import DeviceKeys
from protocols.trust.statements import (
    Key32,
    Number16,
    SignedStatement,
    pack,
    sign_statement,
    unpack,
    verify_statement,
)

KIND_PACK = 2
"""An organisation gives a pack out: a statement's kind, as `KIND_CERTIFICATE` is 1."""
KIND_PACK_APPROVAL = 3
"""A person has looked at what is in it and stands by it."""

STATEMENT_VERSION = 1
NAME_CHARS_MAX = 64
VERSION_CHARS_MAX = 32
ROLE_CHARS_MAX = 120
STATEMENT_BYTES_MAX = 1024
"""Of one such statement with its signature."""


class PackStatement(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """This version of this pack, given out in this operation."""

    version: Number16
    operation: Key32
    name: Annotated[str, Meta(min_length=1, max_length=NAME_CHARS_MAX)]
    pack_version: Annotated[str, Meta(min_length=1, max_length=VERSION_CHARS_MAX)]
    digest: Key32
    """Of its canonical text."""


class PackApproval(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """A person stands by this version of this pack, in a role."""

    version: Number16
    operation: Key32
    name: Annotated[str, Meta(min_length=1, max_length=NAME_CHARS_MAX)]
    pack_version: Annotated[str, Meta(min_length=1, max_length=VERSION_CHARS_MAX)]
    digest: Key32
    person: Annotated[str, Meta(min_length=1, max_length=ROLE_CHARS_MAX)]
    """As the person is called."""
    role: Annotated[str, Meta(min_length=1, max_length=ROLE_CHARS_MAX)]
    """In which they approve, in their words."""


_Said = TypeVar("_Said", PackStatement, PackApproval)


def pack_digest(canonical: bytes) -> bytes:
    """Return the 32 bytes that name a pack's content."""
    return blake2b(canonical, digest_size=32, person=b"fm-pack-1").digest()


def sign_pack(
    keys: DeviceKeys, operation: OperationId, name: str, pack_version: str, digest: bytes
) -> SignedStatement:
    """Return the statement by which an organisation gives a pack out."""
    said = PackStatement(STATEMENT_VERSION, bytes(operation), name, pack_version, digest)
    return sign_statement(keys, KIND_PACK, pack(said))


def approve_pack(
    keys: DeviceKeys, given_out: PackStatement, person: str, role: str
) -> SignedStatement:
    """Return the statement by which a person stands by a pack."""
    said = PackApproval(
        STATEMENT_VERSION,
        given_out.operation,
        given_out.name,
        given_out.pack_version,
        given_out.digest,
        person,
        role,
    )
    return sign_statement(keys, KIND_PACK_APPROVAL, pack(said))


def read_pack_statement(raw: bytes) -> tuple[SignedStatement, PackStatement]:
    """Return what an organisation signed; its signature holds.

    Raises:
        PeerError: `malformed`, `not_canonical`, `pack_statement`.
    """
    return _read(raw, KIND_PACK, PackStatement)


def read_pack_approval(raw: bytes) -> tuple[SignedStatement, PackApproval]:
    """Return what a person signed; the signature holds.

    Raises:
        PeerError: `malformed`, `not_canonical`, `pack_statement`.
    """
    return _read(raw, KIND_PACK_APPROVAL, PackApproval)


def _read(raw: bytes, kind: int, form: type[_Said]) -> tuple[SignedStatement, _Said]:
    if len(raw) > STATEMENT_BYTES_MAX:
        raise PeerError("malformed", what=form.__name__)
    statement = unpack(SignedStatement, raw)
    if statement.kind != kind:
        raise PeerError("pack_statement")
    said = unpack(form, statement.body)
    if said.version != STATEMENT_VERSION or not verify_statement(statement):
        raise PeerError("pack_statement")
    return statement, said


FILE_VERSION = 1
FILE_BYTES_MAX = 64 * 1024
APPROVALS_MAX = 8


class PackFile(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """A signed pack as a file: carried by hand before anybody publishes it."""

    version: Number16
    packed: bytes
    """Compressed canonical bytes."""
    signed: bytes
    """The organisation's statement."""
    approvals: Annotated[tuple[bytes, ...], Meta(max_length=APPROVALS_MAX)] = ()
    """Persons' statements."""


def read_pack_file(raw: bytes) -> PackFile:
    """Return a signed pack; its statements hold, what they are about is not judged here.

    Raises:
        PeerError: `malformed`, `not_canonical`, `pack_statement`.
    """
    if len(raw) > FILE_BYTES_MAX:
        raise PeerError("malformed", what="PackFile")
    file = unpack(PackFile, raw)
    if file.version != FILE_VERSION:
        raise PeerError("pack_statement")
    _, said = read_pack_statement(file.signed)
    for each in file.approvals:
        _, approved = read_pack_approval(each)
        if approved.digest != said.digest:
            raise PeerError("pack_statement")
    return file


def write_pack_file(packed: bytes, signed: bytes, approvals: tuple[bytes, ...] = ()) -> bytes:
    """Return the bytes of the file."""
    return pack(PackFile(FILE_VERSION, packed, signed, approvals))
