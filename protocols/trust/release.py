"""Release: whole documents shown to another organisation, entry by entry, by their own keys.

A record names the documents and carries the key of each of their entries, sealed under a release
key that only devices of the named organisations get. So who reads them holds what was signed by
its authors, and nothing else of the scope opens. It counts when two coordinators stand behind it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import NamedTuple

import msgspec

from protocols.ids import DeviceId, EntryHash, OperationId, ScopeId
from protocols.trust.control import RELEASED_BYTES_MAX, Place, Record, Release, UnknownControl
from protocols.trust.control import approved as text_to_approve
from protocols.trust.erasure import Coordinators
from protocols.trust.identity import NONCE_BYTES, TAG_BYTES, DeviceKeys, seal, unseal, verify
from protocols.trust.keyring import Reader, commitment, open_sealed_to, sealed_to

PAIR_BYTES = 64
ENTRIES_MAX = (RELEASED_BYTES_MAX - TAG_BYTES) // PAIR_BYTES
"""Entries in one record; a longer history is released in several."""


class Released(NamedTuple):
    """One release whose second signature holds, and where it stands."""

    record: Release
    place: Place
    keys: Mapping[bytes, bytes]
    """Entry hash → body key; empty when it is not for this device."""


class Releases:
    """All releases of one operation that are here."""

    def __init__(self, operation: OperationId, own: DeviceKeys) -> None:
        self._operation = operation
        self._own = own
        self._held: dict[EntryHash, Released] = {}

    def add(self, record: Record | UnknownControl, place: Place) -> bool:
        """Take one control record, once; return whether something may open by it."""
        if not isinstance(record, Release) or not approval_holds(
            record, self._operation, place.author
        ):
            return False
        self._held[place.entry] = Released(record, place, opened_keys(record, self._own))
        return True

    @property
    def any(self) -> bool:
        """Whether there is one at all."""
        return bool(self._held)

    def counts(self, entry: EntryHash, who: Coordinators) -> bool:
        """Whether two coordinators of its scope stand behind a release."""
        held = self._held[entry]
        scope = ScopeId(held.record.scope)
        return who.coordinates_at(entry, scope) and who.ever_coordinated(
            held.record.approver, scope
        )

    @property
    def number(self) -> int:
        """How many there are, whether they count or not."""
        return len(self._held)

    def shown_to(self, root: bytes, scope: ScopeId, who: Coordinators) -> set[bytes]:
        """Return the documents of a scope that releases which count show to an organisation."""
        return {
            document
            for entry, held in self._held.items()
            if held.record.scope == scope
            and root in held.record.recipients
            and self.counts(entry, who)
            for document in held.record.documents
        }

    def keys(self, scope: ScopeId, who: Coordinators) -> dict[bytes, bytes]:
        """Entry hash → body key, of all that is released to this device in a scope."""
        found: dict[bytes, bytes] = {}
        for entry in self.all():
            held = self._held[entry]
            if held.record.scope == scope and held.keys and self.counts(entry, who):
                found |= held.keys
        return found

    def all(self) -> list[EntryHash]:
        """Every release whose second signature holds, in a stable order."""
        return sorted(self._held)

    def release(self, entry: EntryHash) -> Released:
        """Return one of `all`."""
        return self._held[entry]


def make_release(  # noqa: PLR0913 - a release has this many terms
    scope: ScopeId,
    documents: Sequence[bytes],
    keys: Mapping[bytes, bytes],
    *,
    purpose: int,
    basis: str,
    recipients: Sequence[bytes],
    readers: Sequence[Reader],
    key: bytes,
    ephemeral_secret: bytes,
) -> Release:
    """Return a release that nobody has approved yet.

    Args:
        keys: Entry hash → body key; at most ENTRIES_MAX.
        recipients: Roots of the organisations it is for.
        readers: Their devices.
        key: 32 fresh random bytes; so are the bytes of `ephemeral_secret`.
    """
    assert 0 < len(keys) <= ENTRIES_MAX
    public, envelopes = sealed_to(key, readers, ephemeral_secret)
    pairs = b"".join(entry + keys[entry] for entry in sorted(keys))
    return Release(
        scope=bytes(scope),
        documents=tuple(sorted(documents)),
        purpose=purpose,
        basis=basis,
        recipients=tuple(sorted(recipients)),
        approver=bytes(32),
        approval=bytes(64),
        commitment=commitment(key),
        ephemeral=public,
        envelopes=envelopes,
        sealed_keys=seal(_pairs_key(key), bytes(NONCE_BYTES), bytes(scope), pairs),
    )


def approve_release(
    record: Release, operation: OperationId, author: DeviceId, approver: DeviceKeys
) -> Release:
    """Return a release with the second signature: for this author and record only."""
    bare = msgspec.structs.replace(record, approver=bytes(approver.device), approval=bytes(64))
    text = text_to_approve(bytes(operation), bytes(author), bare)
    return msgspec.structs.replace(bare, approval=approver.sign(text))


def approval_holds(record: Release, operation: OperationId, author: DeviceId) -> bool:
    """Whether the second signature is another key's, over this record by this author."""
    text = text_to_approve(bytes(operation), bytes(author), record)
    return record.approver != author and verify(record.approver, text, record.approval)


def opened_keys(record: Release, own: DeviceKeys) -> dict[bytes, bytes]:
    """Return entry hash → body key when a release is sealed to this device, else nothing."""
    key = open_sealed_to(own, record.ephemeral, record.envelopes, record.commitment)
    if key is None:
        return {}
    pairs = unseal(_pairs_key(key), bytes(NONCE_BYTES), record.scope, record.sealed_keys)
    if pairs is None or len(pairs) % PAIR_BYTES:
        return {}
    return {
        pairs[at : at + 32]: pairs[at + 32 : at + PAIR_BYTES]
        for at in range(0, len(pairs), PAIR_BYTES)
    }


def _pairs_key(key: bytes) -> bytes:
    return blake2b(key=key, digest_size=32, person=b"fm-release-1").digest()
