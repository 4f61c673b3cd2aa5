"""A person's credential: who they are, what they are licensed for, and the key they attest with.

A person is a key with a certificate of rank PERSON, whose sealed name carries a profile. The key
is locked by a passphrase, and on a device that the person works at also by a short PIN, which is
worth nothing outside that device's book.
"""

from __future__ import annotations

import hashlib
import unicodedata
from itertools import pairwise
from typing import Annotated, NamedTuple

import msgspec
from msgspec import Meta

from protocols.errors import InputError, PeerError
from protocols.trust.certificates import (
    CHAIN_MAX,
    NAME_BLOCK_BYTES,
    SEALED_NAME_BYTES_MAX,
    Certificate,
    Rank,
    open_certificate,
)
from protocols.trust.identity import (
    KEY_BYTES,
    NONCE_BYTES,
    PASSPHRASE_MEM_BYTES,
    PASSPHRASE_OPS,
    TAG_BYTES,
    WRAP_ENTROPY_BYTES,
    WRAP_HEADER_BYTES,
    DeviceKeys,
    seal,
    unseal,
    unwrap,
    verify,
    wrap,
)
from protocols.trust.statements import (
    Instant,
    Key32,
    Number16,
    Signature64,
    SignedStatement,
    pack,
    unpack,
    verify_statement,
)

PROFILE_VERSION = 1
CREDENTIAL_VERSION = 1
NAME_CHARS_MAX = 80
WORD_CHARS_MAX = 40
"""A profession, a licence number."""
TEXT_CHARS_MAX = 80
"""An authority, a scope of practice in words, who recognised it."""
PRACTICE_MAX = 64
_SEALED_ROOM = SEALED_NAME_BYTES_MAX - KEY_BYTES - NONCE_BYTES - TAG_BYTES
PROFILE_BYTES_MAX = _SEALED_ROOM // NAME_BLOCK_BYTES * NAME_BLOCK_BYTES - 2
"""In UTF-8: what a sealed name has room for, with its length and padding."""

CREDENTIAL_BYTES_MAX = 16 * 1024
WRAPPED_SEED_BYTES = WRAP_HEADER_BYTES + KEY_BYTES + TAG_BYTES
WRAPPED_MEM_MAX_KIB = 256 * 1024
"""A credential comes on a stick: opening it may not cost more than a small board has to spare."""
_CREDENTIAL_MAGIC = b"fieldmesh person 1\n"
_REQUEST_MAGIC = b"fieldmesh person request 1\n"

PIN_DIGITS_MIN = 4
PIN_DIGITS_MAX = 12
PIN_ENTROPY_BYTES = WRAP_ENTROPY_BYTES + NONCE_BYTES


class Cost(NamedTuple):
    """What one try of a passphrase or PIN takes, by Argon2id."""

    ops: int = PASSPHRASE_OPS
    mem: int = PASSPHRASE_MEM_BYTES
    """In bytes, a multiple of 1024."""


COST = Cost()

Word = Annotated[str, Meta(max_length=WORD_CHARS_MAX)]
Text = Annotated[str, Meta(max_length=TEXT_CHARS_MAX)]


class Profile(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What a person is, as whoever certified them has seen it; sealed to a scope's readers."""

    version: Number16
    name: Annotated[str, Meta(min_length=1, max_length=NAME_CHARS_MAX)]
    profession: Word = ""
    """Such as `MD` or `nurse`: shown beside the name."""
    authority: Text = ""
    """Who licensed them; '' for a profession without a licence."""
    licence: Word = ""
    """Its number."""
    practice: Annotated[tuple[Number16, ...], Meta(max_length=PRACTICE_MAX)] = ()
    """Kind numbers their licence covers, sorted; empty: whatever their role may write."""
    practice_text: Text = ""
    """The same in words, as the licence says it."""
    licence_until_ms: Instant = 0
    """Unix milliseconds; 0 = no end is stated."""
    recognised_by: Text = ""
    """The authority of the host nation that let them practise here; '' = nobody has yet."""

    @property
    def licensed(self) -> bool:
        """Whether they practise under a licence at all."""
        return bool(self.authority or self.licence)


class Credential(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What a person carries from device to device."""

    version: Number16
    operation: Key32
    person: Key32
    chain: Annotated[tuple[SignedStatement, ...], Meta(min_length=1, max_length=CHAIN_MAX)]
    """Issuer first, the person's own certificate last."""
    wrapped: Annotated[bytes, Meta(max_length=WRAPPED_SEED_BYTES)] = b""
    """The person's key under their passphrase; empty in an answer to a request."""

    @property
    def certificate(self) -> SignedStatement:
        """The person's own."""
        return self.chain[-1]


class Request(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """Somebody asks to be certified; their key stays where it was made."""

    version: Number16
    operation: Key32
    person: Key32
    profile: Profile
    made_ms: Instant
    signature: Signature64
    """By the person's key: nobody is certified under a key that is not theirs."""


# Profiles


def profile_text(profile: Profile) -> str:
    """Return a profile as it is sealed in place of a name.

    Raises:
        InputError: `bad_profile` naming the field, `profile_too_long`.
    """
    wrong = _wrong(profile)
    if wrong:
        raise InputError("bad_profile", field=wrong)
    text = msgspec.json.encode(profile).decode()
    if len(text.encode()) > PROFILE_BYTES_MAX:
        raise InputError("profile_too_long", limit=PROFILE_BYTES_MAX)
    return text


def read_profile(text: str) -> Profile | None:
    """Return the profile that a sealed name carries; None when it is none, or not as we write it.

    Never raises, whatever the text.
    """
    try:
        profile = msgspec.json.decode(text, type=Profile)
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None
    if _wrong(profile) or msgspec.json.encode(profile) != text.encode():
        return None
    return profile


def shown_name(text: str | None) -> str | None:
    """Return the name in what a certificate seals: a device's plain name, or a person's."""
    profile = read_profile(text) if text and text.startswith("[") else None
    return profile.name if profile else text


def _wrong(profile: Profile) -> str:
    """Return the field that cannot stand, or ''."""
    if profile.version != PROFILE_VERSION:
        return "version"
    if list(profile.practice) != sorted(set(profile.practice)):
        return "practice"
    for name in ("name", "profession", "authority", "licence", "practice_text", "recognised_by"):
        text: str = getattr(profile, name)
        if text != text.strip() or any(unicodedata.category(char) in _UNWRITTEN for char in text):
            return name
    return ""


_UNWRITTEN = ("Cc", "Cs", "Zl", "Zp")
"""Controls, halves of characters, breaks of a line: nobody's name holds one."""


# Files


def write_credential(credential: Credential) -> bytes:
    """Return the bytes of a credential's file."""
    return _CREDENTIAL_MAGIC + pack(credential)


def read_credential(raw: bytes) -> tuple[Credential, Certificate]:
    """Read a credential's file; whether its root is one of the operation's, the roster judges.

    Raises:
        PeerError: `malformed`, `not_canonical`, `credential_chain` or `certificate_...`.
    """
    credential = unpack(Credential, _behind(_CREDENTIAL_MAGIC, raw))
    if credential.version != CREDENTIAL_VERSION:
        raise PeerError("malformed", what="credential")
    issuer = credential.chain[0].issuer
    for statement in credential.chain:
        certificate = open_certificate(statement)
        ours = certificate.operation == credential.operation
        if not ours or statement.issuer != issuer or not verify_statement(statement):
            raise PeerError("credential_chain")
        issuer = certificate.subject
    if certificate.rank != Rank.PERSON or certificate.subject != credential.person:
        raise PeerError("credential_chain")
    wrapped = credential.wrapped
    if wrapped and len(wrapped) != WRAPPED_SEED_BYTES:
        raise PeerError("malformed", what="credential")
    if int.from_bytes(wrapped[5:9]) > WRAPPED_MEM_MAX_KIB:
        raise PeerError("malformed", what="credential")
    return credential, certificate


def make_request(person: DeviceKeys, operation: bytes, profile: Profile, made_ms: int) -> Request:
    """Ask for a certificate of this key."""
    profile_text(profile)
    bare = Request(
        CREDENTIAL_VERSION, bytes(operation), bytes(person.device), profile, made_ms, bytes(64)
    )
    return msgspec.structs.replace(bare, signature=person.sign(_asked(bare)))


def write_request(request: Request) -> bytes:
    """Return the bytes of a request's file."""
    return _REQUEST_MAGIC + pack(request)


def read_request(raw: bytes) -> Request:
    """Read a request's file.

    Raises:
        PeerError: `malformed`, `not_canonical`, `request_signature`.
    """
    request = unpack(Request, _behind(_REQUEST_MAGIC, raw))
    if request.version != CREDENTIAL_VERSION or _wrong(request.profile):
        raise PeerError("malformed", what="request")
    if not verify(request.person, _asked(request), request.signature):
        raise PeerError("request_signature")
    return request


def _asked(request: Request) -> bytes:
    bare = msgspec.structs.replace(request, signature=bytes(64))
    return b"fieldmesh person request 1\0" + pack(bare)


def _behind(magic: bytes, raw: bytes) -> bytes:
    if len(raw) > CREDENTIAL_BYTES_MAX or not raw.startswith(magic):
        raise PeerError("malformed", what="credential")
    return raw[len(magic) :]


# Keys


def person_keys(seed: bytes) -> DeviceKeys:
    """Return the keys of a person: they sign and agree nothing."""
    return DeviceKeys(seed, bytes(KEY_BYTES))


def unlock(wrapped: bytes, passphrase: str, person: bytes) -> bytes | None:
    """Return a person's seed; None for a wrong passphrase, or a key that is not this person's."""
    seed = unwrap(wrapped, passphrase)
    return seed if seed is not None and _is_of(seed, person) else None


def pin_refusal(pin: str) -> str:
    """Say why a PIN cannot be chosen, as an error code, or ''."""
    if not (pin.isascii() and pin.isdecimal()):
        return "pin_digits"
    if not PIN_DIGITS_MIN <= len(pin) <= PIN_DIGITS_MAX:
        return "pin_length"
    return "pin_pattern" if _obvious(pin) else ""


def wrap_pin(seed: bytes, pin: str, entropy: bytes, *, book: bytes, cost: Cost = COST) -> bytes:
    """Lock a person's seed by a PIN for one device.

    Args:
        seed: 32 bytes.
        pin: As `pin_refusal` lets it pass.
        entropy: `PIN_ENTROPY_BYTES` fresh random bytes.
        book: 32 secret bytes of the book: without them a list of all PINs opens nothing.
        cost: Of one try.
    """
    inner = wrap(seed, pin, entropy[:WRAP_ENTROPY_BYTES], ops=cost.ops, mem=cost.mem)
    nonce = entropy[WRAP_ENTROPY_BYTES:PIN_ENTROPY_BYTES]
    return nonce + seal(_book_key(book), nonce, bytes(person_keys(seed).device), inner)


def unlock_pin(locked: bytes, pin: str, person: bytes, *, book: bytes) -> bytes | None:
    """Return a person's seed; None for a wrong PIN or outside the book it was locked in."""
    inner = unseal(_book_key(book), locked[:NONCE_BYTES], bytes(person), locked[NONCE_BYTES:])
    return None if inner is None else unlock(inner, pin, person)


def _is_of(seed: bytes, person: bytes) -> bool:
    return len(seed) == KEY_BYTES and person_keys(seed).device == person


def _book_key(book: bytes) -> bytes:
    return hashlib.blake2b(key=book, digest_size=KEY_BYTES, person=b"fm-pin-1").digest()


def _obvious(pin: str) -> bool:
    """Whether it is one of those that people try first."""
    steps = {(int(b) - int(a)) % 10 for a, b in pairwise(pin)}
    blocks = any(pin == pin[:size] * (len(pin) // size) for size in range(1, len(pin) // 2 + 1))
    year = len(pin) == 4 and 1900 <= int(pin) <= 2039
    halves = len(pin) % 2 == 0 and pin == pin[::-1]
    return len(steps) == 1 or blocks or year or halves or pin in _KEYPAD


_KEYPAD = ("2580", "0852", "1470", "0741", "3690", "0963", "1397", "7931", "159753", "147258")
"""Lines and corners of a keypad."""
