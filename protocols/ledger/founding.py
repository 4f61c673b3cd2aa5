"""How a book begins: in an operation of its own, or in one that a charter founds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from protocols.errors import InputError
from protocols.ids import DeviceId, KeyId, ScopeId
from protocols.ledger.authority import old_scope_name
from protocols.ledger.book import Ledger
from protocols.ledger.schema import prepare
from protocols.ledger.store import Store
from protocols.records.catalogue import ROW_TABLES
from protocols.trust.certificates import (
    Rank,
    seal_name,
    sign_certificate,
)
from protocols.trust.charter import (
    Charter,
    Org,
    Role,
    Scope,
    Sensitivity,
    SignedCharter,
    found,
    open_charter,
    operation_id,
)
from protocols.trust.control import Certificates, Founding
from protocols.trust.granting import Offer, entitled, own_scope, root_serial
from protocols.trust.identity import DeviceKeys
from protocols.trust.keyring import rotate
from protocols.trust.statements import pack
from protocols.trust.terms import DEVICE_ROLE, HQ_ROLE

CARE_ROLE = DEVICE_ROLE
"""Role number of a node that cares for patients, in a charter founded by this software."""
ISSUED_MAX = 60_000
"""Certificates one founding device may issue."""
ISSUER_DEPTH = 2
"""An issuer's coordinators, and whom they admit."""
EPOCH_BYTES = 8

Entropy = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class _Entry:
    """Under what a device enters an operation as issuer of its organisation."""

    signed: SignedCharter
    root: DeviceKeys
    roles: tuple[int, ...]
    scopes: tuple[bytes, ...]


def found_book(  # noqa: PLR0913 - a founding has this many terms
    store: Store,
    *,
    name: str,
    org: str,
    jurisdiction: str,
    hq: bool,
    entropy: Entropy,
    wall_ms: int,
) -> Ledger:
    """Make a new book whose device is an operation of its own: alone is enough.

    Args:
        name: Display name of the device.
        org: Name of the organisation it founds.
        hq: Whether its receipts count as *at HQ*.
    """
    keys, root = DeviceKeys.from_entropy(entropy(64)), DeviceKeys.from_entropy(entropy(64))
    scopes = [
        Scope(entropy(16), "care", int(Sensitivity.IDENTIFIED)),
        Scope(entropy(16), "counts", int(Sensitivity.AGGREGATE)),
        # Whoever joins is entrusted with it by name only, see `granting.offer`.
        Scope(entropy(16), "protection", int(Sensitivity.PROTECTION)),
    ]
    signed = found(
        name=org,
        org=Org(org, bytes(root.device), jurisdiction),
        root=root,
        nonce=entropy(16),
        created_ms=max(wall_ms, 0),
        scopes=scopes,
        roles=[Role(CARE_ROLE, "care"), Role(HQ_ROLE, "hq")],
    )
    roles = (CARE_ROLE, HQ_ROLE) if hq else (CARE_ROLE,)
    ledger = _begin(
        store,
        keys,
        _Entry(signed, root, roles, tuple(sorted(scope.id for scope in scopes))),
        name,
        entropy,
        wall_ms,
    )
    with store.atomic():
        # Alone it is its own organisation too. An organisation's own root is never kept here.
        put(store, "root_seed", root.sign_seed)
        put(store, "root_agree", root.agree_secret)
    return ledger


def found_member(  # noqa: PLR0913 - a founding has this many terms
    store: Store,
    *,
    name: str,
    charter: SignedCharter,
    root: DeviceKeys,
    hq: bool,
    entropy: Entropy,
    wall_ms: int,
) -> Ledger:
    """Make a new book that begins in the operation of a charter, as issuer of one member.

    Args:
        root: The organisation's root key: it certifies this device and is not kept.

    Raises:
        PeerError: as `open_charter`.
        InputError: `root_not_in_charter`.
    """
    terms = open_charter(charter)
    if terms.org_of(root.device) is None:
        raise InputError("root_not_in_charter")
    roles = tuple(role.number for role in terms.roles if hq or role.number != HQ_ROLE)
    entry = _Entry(charter, root, roles, entitled(terms, root.device))
    return _begin(store, DeviceKeys.from_entropy(entropy(64)), entry, name, entropy, wall_ms)


def _begin(
    store: Store, keys: DeviceKeys, entry: _Entry, name: str, entropy: Entropy, wall_ms: int
) -> Ledger:
    """Make the book of an issuer: the charter, a first key for each of its scopes, its right."""
    prepare(store, ROW_TABLES)
    operation = operation_id(entry.signed.body)
    charter = open_charter(entry.signed)
    with store.atomic():
        put(store, "sign_seed", keys.sign_seed)
        put(store, "agree_secret", keys.agree_secret)
        put(store, "operation", operation)
        put(store, "epoch", entropy(EPOCH_BYTES))
        put(store, "name", name.encode())
    ledger = Ledger(store)
    own = [(keys.device, keys.agree_public)]
    with ledger.atomic():
        ledger.write_control(Founding(entry.signed), wall_ms)
        put(store, "charter", pack(entry.signed))
        opened: dict[bytes, tuple[KeyId, bytes]] = {}
        # Another organisation may give a scope its first key too: the keyring takes both.
        for scope in (*_read_by(charter, entry), *_scope_apart(ledger, charter, entry, entropy)):
            key = entropy(32)
            made = rotate(
                ScopeId(scope), key, parents={}, readers=own, ephemeral_secret=entropy(32)
            )
            opened[scope] = KeyId(ledger.write_control(made, wall_ms).entry.hash), key
        sealed = seal_name_of(name, keys.device, opened.get(_home(charter, entry)), entropy)
        issuer = Offer(Rank.ISSUER, entry.roles, entry.scopes, ISSUER_DEPTH, ISSUED_MAX, 0, 0)
        serial = root_serial(bytes(keys.device))
        certificate = issuer.certificate(
            operation, keys.device, keys.agree_public, serial=serial, sealed_name=sealed
        )
        ledger.write_control(Certificates((sign_certificate(certificate, entry.root),)), wall_ms)
    return ledger


def _read_by(charter: Charter, entry: _Entry) -> list[bytes]:
    """The scopes that a device may have keys of: making one would let it read what it may not."""
    return [
        scope.id
        for scope in charter.scopes
        if scope.id in entry.scopes
        and (not scope.readers or not set(scope.readers).isdisjoint(entry.roles))
    ]


def _home(charter: Charter, entry: _Entry) -> bytes:
    org = charter.org_of(entry.root.device)
    law = org.jurisdiction if org else ""
    found = own_scope(charter, entry.scopes, law, Sensitivity.IDENTIFIED)
    return found if found in _read_by(charter, entry) else b""


def _scope_apart(
    ledger: Ledger, charter: Charter, entry: _Entry, entropy: Entropy
) -> Iterator[bytes]:
    """A scope of its own for who may write care nowhere in the operation, as a relay may not.

    Nobody else may hold it; care written all the same is kept, and is adopted by whoever admits
    the device for a scope later.
    """
    if not _home(charter, entry):
        scope = entropy(16)
        put(ledger.store, old_scope_name(Sensitivity.IDENTIFIED), scope)
        yield scope


def seal_name_of(
    name: str, subject: DeviceId, opened: tuple[KeyId, bytes] | None, entropy: Entropy
) -> bytes:
    """Return a display name sealed under a scope key; b'' without one."""
    if opened is None:
        return b""
    key_id, key = opened
    return seal_name(name, subject=subject, key=key, key_id=key_id, nonce=entropy(24))


def new_epoch(store: Store, epoch: bytes) -> None:
    """Begin another life of this device's storage: after a restore or a copy, or on joining."""
    with store.atomic():
        put(store, "epoch", epoch)
        # The original of a restored copy may have joined and be writing in it.
        store.execute("DELETE FROM meta WHERE name = 'next_epoch'")


def put(store: Store, name: str, value: bytes) -> None:
    """Keep one value that makes this device itself. Inside a transaction."""
    store.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (name, bytes(value)))
