"""What is audited, and how the detail of it is sealed.

A control record travels in clear to whoever carries it, so beside the number of what was done it
names nobody: which patient, which account and which reason are sealed to the readers of a scope,
padded, so that their length tells nothing either.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from enum import IntEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from protocols.errors import PeerError
from protocols.ids import DeviceId, KeyId
from protocols.trust.control import SEALED_TEXT_BYTES_MAX, AuditItem
from protocols.trust.identity import NONCE_BYTES, TAG_BYTES, seal, unseal
from protocols.trust.statements import pack, unpack

REASON_CHARS_MAX = 140
ACCOUNT_CHARS_MAX = 40
DETAIL_BLOCK_BYTES = 128
"""A detail is padded to a multiple of this: a short reason looks like none."""
DETAIL_BYTES_MAX = 896
"""Padded; with key id, nonce and tag it fits a sealed text."""

assert DETAIL_BYTES_MAX + 32 + NONCE_BYTES + TAG_BYTES <= SEALED_TEXT_BYTES_MAX


class What(IntEnum):
    """What was done. A number of later software is kept and shown as a number."""

    LOGIN = 1
    LOGOUT = 2
    FAILED_LOGIN = 3
    READ_OUTSIDE_TEAM = 4
    EXPORT = 5
    RELEASE = 6
    OVERRIDE = 7
    SEAL = 8
    PRINT = 9
    PASSPHRASE_CHANGED = 10
    ERASE = 11
    HOLD = 12
    REVIEW = 13
    """An act of somebody whose licence or key came into doubt was looked at again."""
    RECOVER = 14
    """A key file was made for another device, out of its recovery copy."""
    ACCOUNT_ADDED = 15
    ACCOUNT_REMOVED = 16
    PERSON_LEFT = 17
    """A person's key and PIN were forgotten on a device."""


class Detail(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What only the readers of a scope may know of one thing done."""

    patient: Annotated[bytes, Meta(max_length=16)] = b""
    """Whose data it was; empty: no single patient's."""
    document: Annotated[bytes, Meta(max_length=32)] = b""
    """A document, or the entry it is about; empty: none."""
    person: Annotated[bytes, Meta(max_length=32)] = b""
    """Certificate of the person it is about, where no session says it; empty: none."""
    account: Annotated[str, Meta(max_length=ACCOUNT_CHARS_MAX)] = ""
    """Who did it, where the page's own accounts say who that is."""
    reason: Annotated[str, Meta(max_length=REASON_CHARS_MAX)] = ""
    """As it was stated."""
    count: Annotated[int, Meta(ge=0, lt=2**32)] = 1
    """How many: times, patients or documents."""


def seal_detail(
    detail: Detail, author: DeviceId, item: AuditItem, sealing: tuple[KeyId, bytes], nonce: bytes
) -> bytes:
    """Seal a detail for one item of one author: key id 32 ‖ nonce 24 ‖ ciphertext.

    Args:
        item: As it will stand; its own sealed detail does not take part.
        sealing: A scope's key and its id.
        nonce: 24 fresh random bytes.
    """
    key_id, key = sealing
    text = pack(detail)
    padded = len(text).to_bytes(2) + text
    padded += bytes(-len(padded) % DETAIL_BLOCK_BYTES)
    assert len(padded) <= DETAIL_BYTES_MAX
    return key_id + nonce + seal(_detail_key(key), nonce, _bound(author, item), padded)


def open_detail(item: AuditItem, author: DeviceId, keys: Mapping[KeyId, bytes]) -> Detail | None:
    """Return the detail of an item; None without the key, or when it is none of this item's."""
    sealed = item.sealed_detail
    if len(sealed) < 32 + NONCE_BYTES:
        return None
    key = keys.get(KeyId(sealed[:32]))
    if key is None:
        return None
    nonce, rest = sealed[32 : 32 + NONCE_BYTES], sealed[32 + NONCE_BYTES :]
    padded = unseal(_detail_key(key), nonce, _bound(author, item), rest)
    if padded is None or len(padded) < 2:
        return None
    size = int.from_bytes(padded[:2])
    try:
        return unpack(Detail, padded[2 : 2 + size])
    except PeerError:
        return None


def _bound(author: DeviceId, item: AuditItem) -> bytes:
    """What a detail belongs to: moved to another item or author it does not open."""
    number, session = item.what.to_bytes(2), item.session.to_bytes(8)
    return bytes(author) + number + item.at_ms.to_bytes(8) + session


def _detail_key(key: bytes) -> bytes:
    return hashlib.blake2b(key=key, digest_size=32, person=b"fm-audit-1").digest()
