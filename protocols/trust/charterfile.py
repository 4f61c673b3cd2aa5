"""The files by which organisations found an operation, carried by hand from one to the other.

An organisation keeps its *root key file* and gives away its *organisation file*. Whoever begins
puts organisations into a *charter file*; each then signs it, in any order, even on copies of the
file that are brought together later. From the first signature on the text cannot change: it is the
text that was signed. Every file begins with a line that says what it is.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, TypeVar

import msgspec
from msgspec import Meta

from protocols.errors import InputError, PeerError
from protocols.ids import OperationId
from protocols.trust.charter import (
    CHARTER_BYTES_MAX,
    CHARTER_VERSION,
    ORGS_MAX,
    Charter,
    Org,
    SignedCharter,
    charter_signature,
    check_charter,
    operation_id,
    signed_by,
)
from protocols.trust.identity import (
    KEY_BYTES,
    PASSPHRASE_MEM_BYTES,
    PASSPHRASE_OPS,
    WRAP_ENTROPY_BYTES,
    DeviceKeys,
    unwrap,
    verify,
    wrap,
)
from protocols.trust.statements import Key32, Signature64, pack, unpack
from protocols.trust.terms import Terms, is_jurisdiction, is_name

FILE_BYTES_MAX = 64 * 1024
"""No file of these is longer: a stick that holds something else is not read to its end."""
ROOT_ENTROPY_BYTES = 2 * KEY_BYTES + WRAP_ENTROPY_BYTES

_ROOT = b"fieldmesh root key 1\n"
_ORG = b"fieldmesh organisation 1\n"
_CHARTER = b"fieldmesh charter 1\n"
_ORG_PREFIX = b"fieldmesh org 1\0"

File = TypeVar("File", bound=msgspec.Struct)


class _Part(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    pass


class RootFile(_Part, frozen=True):
    """An organisation's root key, locked by its own passphrase."""

    org: Org
    wrapped: Annotated[bytes, Meta(max_length=256)]
    """64 bytes of seeds, as a wrapped secret."""


class OrgFile(_Part, frozen=True):
    """What others need of an organisation to put it into a charter."""

    org: Org
    signature: Signature64
    """By the root: nobody enters an organisation under a key that it does not hold."""


class CharterFile(_Part, frozen=True):
    """A charter on its way round: its text and the signatures collected so far."""

    body: Annotated[bytes, Meta(max_length=CHARTER_BYTES_MAX)]
    signatures: Annotated[tuple[tuple[Key32, Signature64], ...], Meta(max_length=ORGS_MAX)] = ()
    """(root, its signature), sorted."""


@dataclass(frozen=True, slots=True)
class Held:
    """A charter file, read."""

    charter: Charter
    operation: OperationId
    """Changes with every change of the text; final once somebody signed."""
    file: CharterFile

    @property
    def signers(self) -> frozenset[bytes]:
        """Roots that have signed."""
        return frozenset(root for root, _ in self.file.signatures)

    @property
    def missing(self) -> tuple[Org, ...]:
        """Organisations that have not signed."""
        return tuple(org for org in self.charter.orgs if org.root not in self.signers)


# The organisation's own files


def new_org(
    name: str,
    jurisdiction: str,
    passphrase: str,
    entropy: bytes,
    *,
    ops: int = PASSPHRASE_OPS,
    mem: int = PASSPHRASE_MEM_BYTES,
) -> tuple[bytes, bytes, Org]:
    """Make an organisation; return its root key file, its organisation file, and itself.

    Args:
        entropy: `ROOT_ENTROPY_BYTES` fresh random bytes.

    Raises:
        InputError: `bad_org_name`, `bad_jurisdiction`.
    """
    assert len(entropy) == ROOT_ENTROPY_BYTES
    if not is_name(name):
        raise InputError("bad_org_name", field="name")
    if jurisdiction and not is_jurisdiction(jurisdiction):
        raise InputError("bad_jurisdiction", field="jurisdiction", allowed=("KE", "CH", "JP"))
    secret = entropy[: 2 * KEY_BYTES]
    root = DeviceKeys.from_entropy(secret)
    org = Org(name, bytes(root.device), jurisdiction)
    locked = wrap(secret, passphrase, entropy[2 * KEY_BYTES :], ops=ops, mem=mem)
    public = OrgFile(org, root.sign(_ORG_PREFIX + pack(org)))
    return _ROOT + pack(RootFile(org, locked)), _ORG + pack(public), org


def open_root(raw: bytes) -> RootFile:
    """Read a root key file without opening its key.

    Raises:
        InputError: `not_a_root_file`, `file_damaged`.
    """
    return _opened(RootFile, _ROOT, raw, "not_a_root_file")


def unlock_root(file: RootFile, passphrase: str) -> DeviceKeys:
    """Return an organisation's root key.

    Raises:
        InputError: `wrong_root_passphrase`, `file_damaged`.
    """
    try:
        secret = unwrap(file.wrapped, passphrase)
    except PeerError:
        raise InputError("file_damaged") from None
    if secret is None:
        raise InputError("wrong_root_passphrase")
    if len(secret) != 2 * KEY_BYTES:
        raise InputError("file_damaged")
    root = DeviceKeys.from_entropy(secret)
    if root.device != file.org.root:
        raise InputError("file_damaged")
    return root


def open_org(raw: bytes) -> Org:
    """Read an organisation file.

    Raises:
        InputError: `not_an_org_file`, `file_damaged`, `org_signature`.
    """
    file = _opened(OrgFile, _ORG, raw, "not_an_org_file")
    if not verify(file.org.root, _ORG_PREFIX + pack(file.org), file.signature):
        raise InputError("org_signature")
    return file.org


# The charter


def new_charter(name: str, terms: Terms, nonce: bytes, created_ms: int) -> bytes:
    """Return the file of a charter that has no members yet.

    Raises:
        InputError: `bad_operation_name`, `charter_too_long`.
    """
    if not is_name(name):
        raise InputError("bad_operation_name", field="name")
    charter = Charter(
        CHARTER_VERSION, name, nonce, max(created_ms, 0), (), terms.scopes, terms.roles
    )
    return charter_file(CharterFile(_body(charter)))


def add_org(held: Held, org: Org) -> bytes:
    """Return the charter's file with one more member.

    Raises:
        InputError: `charter_signed` once anybody has signed, `org_known`, `org_name_taken`,
            `too_many_orgs`, `charter_too_long`.
    """
    if held.file.signatures:
        raise InputError("charter_signed")
    if held.charter.org_of(org.root) is not None:
        raise InputError("org_known")
    if any(each.name == org.name for each in held.charter.orgs):
        raise InputError("org_name_taken")
    if len(held.charter.orgs) >= ORGS_MAX:
        raise InputError("too_many_orgs", allowed=(str(ORGS_MAX),))
    orgs = tuple(sorted((*held.charter.orgs, org), key=lambda each: each.root))
    return charter_file(CharterFile(_body(msgspec.structs.replace(held.charter, orgs=orgs))))


def sign(held: Held, root: DeviceKeys) -> bytes:
    """Return the charter's file with one more signature; signing twice changes nothing.

    Raises:
        InputError: `root_not_in_charter`.
    """
    if held.charter.org_of(root.device) is None:
        raise InputError("root_not_in_charter")
    made = (bytes(root.device), charter_signature(held.file.body, root))
    return charter_file(_with(held.file, (made,)))


def collect(held: Held, others: Sequence[Held]) -> bytes:
    """Return the charter's file with the signatures that copies of it have collected.

    Raises:
        InputError: `other_charter` when one of them is of another text.
    """
    file = held.file
    for other in others:
        if other.file.body != file.body:
            raise InputError("other_charter")
        file = _with(file, other.file.signatures)
    return charter_file(file)


def open_charter_file(raw: bytes) -> Held:
    """Read a charter on its way round; whatever signatures it has must hold.

    Raises:
        InputError: `not_a_charter_file`, `file_damaged`, `charter_newer` (needs newer
            software), `charter_forged` (a signature does not fit the text).
    """
    file = _opened(CharterFile, _CHARTER, raw, "not_a_charter_file")
    try:
        charter = check_charter(file.body)
    except PeerError as error:
        code = "charter_newer" if error.code == "charter_version" else "file_damaged"
        raise InputError(code) from None
    roots = [root for root, _ in file.signatures]
    if roots != sorted(set(roots)):
        raise InputError("file_damaged")
    for root, signature in file.signatures:
        if charter.org_of(root) is None or not signed_by(root, file.body, signature):
            raise InputError("charter_forged")
    return Held(charter, operation_id(file.body), file)


def whole(held: Held) -> SignedCharter:
    """Return the charter that an operation begins with.

    Raises:
        InputError: `charter_empty` without a member, `charter_unsigned` with the names of those
            who have not signed in `allowed`.
    """
    if not held.charter.orgs:
        raise InputError("charter_empty")
    if held.missing:
        raise InputError("charter_unsigned", allowed=tuple(org.name for org in held.missing))
    signatures = dict(held.file.signatures)
    return SignedCharter(held.file.body, tuple(signatures[org.root] for org in held.charter.orgs))


def _with(file: CharterFile, more: Sequence[tuple[bytes, bytes]]) -> CharterFile:
    return CharterFile(file.body, tuple(sorted((dict(more) | dict(file.signatures)).items())))


def _body(charter: Charter) -> bytes:
    body = pack(charter)
    if len(body) > CHARTER_BYTES_MAX:
        raise InputError("charter_too_long", allowed=(str(CHARTER_BYTES_MAX),))
    return body


def charter_file(file: CharterFile) -> bytes:
    """Return a charter's file."""
    return _CHARTER + pack(file)


def _opened(kind: type[File], head: bytes, raw: bytes, other: str) -> File:
    if not raw.startswith(head):
        raise InputError(other)
    if len(raw) > FILE_BYTES_MAX:
        raise InputError("file_damaged")
    try:
        return unpack(kind, raw[len(head) :])
    except PeerError:
        raise InputError("file_damaged") from None
