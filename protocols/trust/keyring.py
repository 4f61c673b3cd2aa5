"""Scope keys: made by rotation, handed out in envelopes, opened from the newest backwards.

The keyring is fed control records in any order and always ends with the same keys. A key is
taken only when it matches the commitment of its own rotation, whoever handed it over.
"""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence

from protocols.ids import DeviceId, EntryHash, KeyId, ScopeId
from protocols.trust.control import (
    DEVICE_PREFIX_BYTES,
    Bridge,
    Capture,
    Envelope,
    Envelopes,
    Record,
    Rotation,
    UnknownControl,
)
from protocols.trust.identity import (
    NONCE_BYTES,
    DeviceKeys,
    agree,
    agree_public,
    seal,
    unseal,
)

Reader = tuple[DeviceId, bytes]
"""A device and its X25519 key."""
Entitled = Callable[[KeyId, DeviceId], bool]
"""Whether this generation may be written under, made by this device."""
Counts = Callable[[EntryHash], bool]
"""Whether the author of an entry could give away the key that its envelopes are said to hold."""

_ZERO_NONCE = bytes(NONCE_BYTES)
"""Every wrapping key here is derived for one text only."""


def commitment(key: bytes) -> bytes:
    """What a rotation publishes of its key."""
    return hashlib.blake2b(key, digest_size=32, person=b"fm-scopekey-1").digest()


def rotate(
    scope: ScopeId,
    key: bytes,
    *,
    parents: Mapping[KeyId, bytes],
    readers: Sequence[Reader],
    ephemeral_secret: bytes,
) -> Rotation:
    """Return the record that gives a scope this new key.

    Args:
        key: 32 fresh random bytes.
        parents: The generations it follows, with their keys; `Keyring.heads` gives them.
        readers: Whom it is for, this device included; at most ENVELOPES_MAX.
        ephemeral_secret: 32 fresh random bytes, for this record only.
    """
    return Rotation(
        scope=scope,
        commitment=commitment(key),
        parents=tuple(
            (parent, _wrap(key, parent, old, b"fm-parent-1"))
            for parent, old in sorted(parents.items())
        ),
        ephemeral=agree_public(ephemeral_secret),
        envelopes=_envelopes(key, readers, ephemeral_secret),
    )


def envelopes_for(
    key_id: KeyId, key: bytes, readers: Sequence[Reader], ephemeral_secret: bytes
) -> Envelopes:
    """Return the record that hands an existing key to late-comers."""
    sealed = _envelopes(key, readers, ephemeral_secret)
    return Envelopes(key_id, agree_public(ephemeral_secret), sealed)


def bridge(key_id: KeyId, key: bytes, old: Mapping[KeyId, bytes]) -> Bridge:
    """Return the record by which a joiner's old keys open to the operation's readers."""
    wrapped = tuple(
        (old_id, _wrap(key, old_id, old_key, b"fm-bridge-1"))
        for old_id, old_key in sorted(old.items())
    )
    return Bridge(key_id, wrapped)


def sealed_to(
    key: bytes, readers: Sequence[Reader], ephemeral_secret: bytes
) -> tuple[bytes, tuple[Envelope, ...]]:
    """Seal a key to each reader; return the ephemeral public key and the envelopes."""
    return agree_public(ephemeral_secret), _envelopes(key, readers, ephemeral_secret)


def open_sealed_to(
    own: DeviceKeys, ephemeral: bytes, envelopes: Sequence[Envelope], committed: bytes
) -> bytes | None:
    """Return the key that one of these envelopes holds for us and that was committed to."""
    prefix = own.device[:DEVICE_PREFIX_BYTES]
    for device, sealed in envelopes:
        key = _open_envelope(own, ephemeral, sealed, committed) if device == prefix else None
        if key is not None and commitment(key) == committed:
            return key
    return None


def capture(
    scope: ScopeId, key: bytes, readers: Sequence[Reader], ephemeral_secret: bytes
) -> Capture:
    """Return the record that hands a key for one entry to a scope's readers, and to nobody else.

    Args:
        key: 32 fresh random bytes, used once and forgotten.
        readers: At least one, at most ENVELOPES_MAX.
        ephemeral_secret: 32 fresh random bytes, for this record only.
    """
    sealed = _envelopes(key, readers, ephemeral_secret)
    return Capture(scope, commitment(key), agree_public(ephemeral_secret), sealed)


class Keyring:
    """All scope keys this device can open, and who else was given them."""

    def __init__(self, keys: DeviceKeys) -> None:
        self._own = keys
        self._rotations: dict[KeyId, tuple[Rotation, DeviceId]] = {}
        self._committed: dict[KeyId, bytes] = {}
        """What each key has to match: of rotations, and of keys for one captured entry."""
        self.closed = False
        """Every key was forgotten, and none opens any more."""
        self._by_scope: dict[ScopeId, set[KeyId]] = defaultdict(set)
        self._captured: dict[ScopeId, set[KeyId]] = defaultdict(set)
        """Keys for one captured entry each, by the scope that it lies in."""
        self._keys: dict[KeyId, bytes] = {}
        self._addressed: dict[KeyId, dict[bytes, set[tuple[DeviceId, EntryHash]]]] = {}
        """By key and addressee: who wrote an envelope, and in which entry."""
        self.version = 0
        """Rises whenever a key is made, handed on or opened."""
        # What waits for another record grows with the control feeds held, no faster.
        self._inbox: dict[KeyId, list[tuple[bytes, bytes]]] = defaultdict(list)
        self._wrapped: dict[KeyId, list[tuple[KeyId, bytes, bytes]]] = defaultdict(list)
        self._candidates: dict[KeyId, list[bytes]] = defaultdict(list)

    @property
    def keys(self) -> Mapping[KeyId, bytes]:
        """All keys opened so far, 32 bytes each."""
        return self._keys

    def key(self, key_id: KeyId) -> bytes | None:
        """The key with this id, or None while it is not open to us."""
        return self._keys.get(key_id)

    def add(
        self, record: Record | UnknownControl, author: DeviceId, entry: EntryHash
    ) -> list[KeyId]:
        """Take one control record; return the ids of the keys that it opened, if any.

        Records of other kinds are ignored. The same record twice changes nothing.
        """
        match record:
            case Rotation():
                self.version += 1
                return self._add_rotation(KeyId(entry), record, author)
            case Envelopes():
                self.version += 1
                return self._add_envelopes(KeyId(record.key_id), record, author, entry)
            case Bridge():
                self.version += 1
                pairs = [(KeyId(old), wrapped) for old, wrapped in record.keys]
                return self._add_wrapped(KeyId(record.key_id), pairs, b"fm-bridge-1")
            case Capture():
                self.version += 1
                return self._add_capture(record, author, entry)
            case _:
                return []

    def close(self) -> None:
        """Forget every key and open none any more: a sealed device writes and does not read.

        What is forgotten leaves the ring; that nothing of it stays in this process's memory
        Python cannot promise.
        """
        self.closed = True
        for held in (self._keys, self._inbox, self._wrapped, self._candidates):
            held.clear()

    def put(self, key_id: KeyId, key: bytes) -> list[KeyId]:
        """Take a key we made or kept; return it and all that it opens.

        Before its rotation is known the key is taken on trust: only our own book may give it.
        """
        return self._open(key_id, key)

    def expect(self, key_id: KeyId, rotation: Rotation) -> list[KeyId]:
        """Take a generation for reading only: its record has not come in its feed yet.

        Its hash is the key's id, so what it commits to is sure whoever shows it; that it may be
        written under is for its place to say. Returns the ids of the keys that it opened.
        """
        if self.closed or key_id in self._committed:
            return []
        self.version += 1
        self._committed[key_id] = rotation.commitment
        parents = [(KeyId(parent), wrapped) for parent, wrapped in rotation.parents]
        opened = self._add_wrapped(key_id, parents, b"fm-parent-1")
        for prefix, sealed in rotation.envelopes:
            if prefix == self._own.device[:DEVICE_PREFIX_BYTES]:
                opened += self.offer(key_id, rotation.ephemeral, sealed)
        return opened

    def offer(self, key_id: KeyId, ephemeral: bytes, sealed: bytes) -> list[KeyId]:
        """Try an envelope for us by itself; return the ids of the keys that it opened.

        Kept no longer: of whom it is nobody says, and what the key must match is known or not.
        """
        expected = self._committed.get(key_id)
        if self.closed or expected is None or key_id in self._keys:
            return []
        key = _open_envelope(self._own, ephemeral, sealed, expected)
        if key is None or commitment(key) != expected:
            return []
        return self._open(key_id, key)

    def knows(self, key_id: KeyId) -> bool:
        """Whether the record of a generation has come in its feed."""
        return key_id in self._rotations

    def way_to(self, key_id: KeyId, device: DeviceId) -> list[KeyId]:
        """The generations by which a device opens this one, the one sealed to it first.

        The shortest such way; none when no envelope for the device is known on any.
        """
        rotation = self._rotations.get(key_id)
        scope = ScopeId(rotation[0].scope) if rotation else ScopeId.zero()
        followers: dict[bytes, list[KeyId]] = defaultdict(list)
        for each in sorted(self._by_scope.get(scope, ())):
            for parent in self._parents(each):
                followers[parent].append(each)
        ways, seen = [[key_id]] if rotation else [], {key_id}
        for way in ways:
            if self.envelopes_to(way[0], device):
                return way
            fresh = [each for each in followers[way[0]] if each not in seen]
            seen.update(fresh)
            ways += [[each, *way] for each in fresh]
        return []

    def envelopes_to(self, key_id: KeyId, device: DeviceId) -> list[EntryHash]:
        """Entries that say they seal a key to this device, sorted."""
        held = self._addressed.get(key_id, {}).get(bytes(device[:DEVICE_PREFIX_BYTES]), ())
        return sorted(entry for _, entry in held)

    def generations(self, scope: ScopeId) -> list[KeyId]:
        """All known generations of a scope, opened or not, sorted by id."""
        return sorted(self._by_scope[scope])

    def captured(self, scope: ScopeId) -> list[KeyId]:
        """All known keys for one captured entry of a scope, opened or not, sorted by id."""
        return sorted(self._captured[scope])

    def heads(self, scope: ScopeId, entitled: Entitled = lambda *_: True) -> list[KeyId]:
        """Opened generations that no entitled one follows: a rotation's parents.

        The entitled ones first. What somebody else made may say that it opens the one before and
        lie, so it hides nothing.
        """
        opened = [key_id for key_id in self._by_scope[scope] if key_id in self._keys]
        well_made = {each for each in opened if entitled(each, self._rotations[each][1])}
        followed = {KeyId(parent) for key_id in well_made for parent in self._parents(key_id)}
        return sorted(set(opened) - followed, key=lambda each: (each not in well_made, each))

    def write_key(
        self,
        scope: ScopeId,
        entitled: Entitled,
        avoid: Sequence[DeviceId] = (),
        counts: Counts = lambda _: True,
    ) -> KeyId | None:
        """Choose the generation to write under; None when no opened one will do.

        Args:
            entitled: Generations that are not are only read.
            avoid: Devices that should not have the key any more. A generation without an
                envelope for any of them comes first; ask `clean` whether the choice is one.
        """
        followed: set[KeyId] = set()
        open_to_us = []
        for key_id in self._by_scope[scope]:
            if key_id in self._keys and entitled(key_id, self._rotations[key_id][1]):
                open_to_us.append(key_id)
                followed.update(KeyId(parent) for parent in self._parents(key_id))
        newest = [key_id for key_id in open_to_us if key_id not in followed]
        return min(
            newest, key=lambda each: (not self.clean(each, avoid, counts), each), default=None
        )

    def clean(
        self, key_id: KeyId, avoid: Sequence[DeviceId], counts: Counts = lambda _: True
    ) -> bool:
        """Whether none of these devices was given this key, as far as we know."""
        return not any(self._given(key_id, device, counts) for device in avoid)

    def without_envelope(
        self, key_id: KeyId, readers: Sequence[Reader], counts: Counts = lambda _: True
    ) -> list[Reader]:
        """Of these readers, those nobody is known to have sealed this key to.

        Args:
            counts: Envelopes of other authors prove nothing: they may hold anything.
        """
        return [each for each in readers if not self._given(key_id, each[0], counts)]

    def addressed_by(self, author: DeviceId, key_id: KeyId, device: DeviceId) -> bool:
        """Whether this author has sealed this key to this device, as it says."""
        held = self._addressed.get(key_id, {}).get(bytes(device[:DEVICE_PREFIX_BYTES]), ())
        return any(each == author for each, _ in held)

    def _given(self, key_id: KeyId, device: DeviceId, counts: Counts) -> bool:
        held = self._addressed.get(key_id, {}).get(bytes(device[:DEVICE_PREFIX_BYTES]), ())
        return any(counts(entry) for _, entry in held)

    def _parents(self, key_id: KeyId) -> Iterator[bytes]:
        return (parent for parent, _ in self._rotations[key_id][0].parents)

    def _add_rotation(self, key_id: KeyId, rotation: Rotation, author: DeviceId) -> list[KeyId]:
        if key_id in self._rotations:
            return []
        self._rotations[key_id] = (rotation, author)
        self._committed[key_id] = rotation.commitment
        self._by_scope[ScopeId(rotation.scope)].add(key_id)
        parents = [(KeyId(parent), wrapped) for parent, wrapped in rotation.parents]
        opened = self._add_wrapped(key_id, parents, b"fm-parent-1")
        return opened + self._add_envelopes(key_id, rotation, author, EntryHash(key_id))

    def _add_capture(self, record: Capture, author: DeviceId, entry: EntryHash) -> list[KeyId]:
        """Take a key for one entry: it opens that, and is a generation of nothing."""
        key_id = KeyId(entry)
        if key_id in self._committed:
            return []
        self._committed[key_id] = record.commitment
        self._captured[ScopeId(record.scope)].add(key_id)
        return self._add_envelopes(key_id, record, author, entry)

    def _add_envelopes(
        self,
        key_id: KeyId,
        record: Rotation | Envelopes | Capture,
        author: DeviceId,
        entry: EntryHash,
    ) -> list[KeyId]:
        addressed = self._addressed.setdefault(key_id, {})
        for prefix, _ in record.envelopes:
            addressed.setdefault(prefix, set()).add((author, entry))
        own = self._own.device[:DEVICE_PREFIX_BYTES]
        if key_id not in self._keys and not self.closed:
            self._inbox[key_id] += [
                (record.ephemeral, sealed) for prefix, sealed in record.envelopes if prefix == own
            ]
        return self._try(key_id)

    def _add_wrapped(
        self, by: KeyId, wrapped: Sequence[tuple[KeyId, bytes]], person: bytes
    ) -> list[KeyId]:
        if not self.closed:
            self._wrapped[by] += [(target, sealed, person) for target, sealed in wrapped]
        opened: list[KeyId] = []
        if by in self._keys:
            for target, key in self._unwrapped(by):
                opened += self._open(target, key)
        return opened

    def _try(self, key_id: KeyId) -> list[KeyId]:
        """Open a key whose rotation is known with what has been waiting for it."""
        if self.closed or key_id in self._keys or key_id not in self._committed:
            return []
        expected = self._committed[key_id]
        for ephemeral, sealed in self._inbox.pop(key_id, ()):
            opened = _open_envelope(self._own, ephemeral, sealed, expected)
            if opened is not None:
                self._candidates[key_id].append(opened)
        for candidate in self._candidates.pop(key_id, ()):
            if commitment(candidate) == expected:
                return self._open(key_id, candidate)
        return []

    def _open(self, key_id: KeyId, key: bytes) -> list[KeyId]:
        opened: list[KeyId] = []
        ready = [] if self.closed else [(key_id, key)]
        while ready:
            key_id, key = ready.pop()
            if key_id not in self._keys:
                self._keys[key_id] = key
                self.version += 1
                opened.append(key_id)
                ready += self._unwrapped(key_id)
        return opened

    def _unwrapped(self, by: KeyId) -> list[tuple[KeyId, bytes]]:
        """Keys that this open key opens; those whose rotation is not here yet are kept."""
        ready = []
        for target, sealed, person in self._wrapped.pop(by, ()):
            if target in self._keys:
                continue
            key = _unwrap(self._keys[by], target, sealed, person)
            if key is None:
                continue
            if target not in self._committed:
                self._candidates[target].append(key)
            elif commitment(key) == self._committed[target]:
                ready.append((target, key))
        return ready


def _wrap(key: bytes, target: KeyId, text: bytes, person: bytes) -> bytes:
    return seal(_wrapping_key(key, target, person), _ZERO_NONCE, b"", text)


def _unwrap(key: bytes, target: KeyId, sealed: bytes, person: bytes) -> bytes | None:
    return unseal(_wrapping_key(key, target, person), _ZERO_NONCE, b"", sealed)


def _wrapping_key(key: bytes, target: KeyId, person: bytes) -> bytes:
    return hashlib.blake2b(target, key=key, digest_size=32, person=person).digest()


def _envelopes(
    key: bytes, readers: Sequence[Reader], ephemeral_secret: bytes
) -> tuple[Envelope, ...]:
    """Seal a key to each reader; one whose agreement key is of low order gets none."""
    public, committed, sealed = agree_public(ephemeral_secret), commitment(key), []
    for device, recipient in sorted(readers):
        shared = agree(ephemeral_secret, recipient)
        if shared is not None:
            sealing = _envelope_key(shared, public, recipient, committed)
            wrapped = seal(sealing, _ZERO_NONCE, b"", key)
            sealed.append((bytes(device[:DEVICE_PREFIX_BYTES]), wrapped))
    return tuple(sealed)


def _open_envelope(
    own: DeviceKeys, ephemeral: bytes, sealed: bytes, committed: bytes
) -> bytes | None:
    shared = agree(own.agree_secret, ephemeral)
    if shared is None:
        return None
    opening = _envelope_key(shared, ephemeral, own.agree_public, committed)
    return unseal(opening, _ZERO_NONCE, b"", sealed)


def _envelope_key(shared: bytes, ephemeral: bytes, recipient: bytes, committed: bytes) -> bytes:
    return hashlib.blake2b(
        ephemeral + recipient + committed, key=shared, digest_size=32, person=b"fm-envelope-1"
    ).digest()
