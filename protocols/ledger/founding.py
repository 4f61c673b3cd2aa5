"""How a book begins, founds an operation of one, admits others and joins theirs."""

from __future__ import annotations

from collections.abc import Callable

from protocols.errors import InputError, PeerError
from protocols.feeds.lane import Lane
from protocols.feeds.run import Gap, decode_run
from protocols.ids import DeviceId, KeyId, OperationId, ScopeId
from protocols.ledger.authority import HQ_ROLE
from protocols.ledger.book import Ledger
from protocols.ledger.schema import prepare
from protocols.ledger.store import Store
from protocols.records.catalogue import ROW_TABLES
from protocols.trust.certificates import (
    CERTIFICATE_VERSION,
    Certificate,
    Rank,
    seal_name,
    sign_certificate,
)
from protocols.trust.charter import (
    Org,
    Role,
    Scope,
    Sensitivity,
    SignedCharter,
    found,
    operation_id,
)
from protocols.trust.control import Admission, Certificates, Founding
from protocols.trust.enrolment import (
    GRANT_ENTRY_BYTES_MAX,
    JoinGrant,
    JoinRequest,
    sign_request,
)
from protocols.trust.identity import DeviceKeys
from protocols.trust.keyring import bridge, envelopes_for, rotate
from protocols.trust.roster import Member
from protocols.trust.statements import pack, statement_hash, unpack

CARE_ROLE = 1
"""Role number of a node that cares for patients, in a charter founded by this software."""
ISSUED_MAX = 60_000
"""Certificates one founding device may issue."""

Entropy = Callable[[int], bytes]


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
    prepare(store, ROW_TABLES)
    keys, root = DeviceKeys.from_entropy(entropy(64)), DeviceKeys.from_entropy(entropy(64))
    scope, key = ScopeId(entropy(16)), entropy(32)
    signed = found(
        name=org,
        org=Org(org, bytes(root.device), jurisdiction),
        root=root,
        nonce=entropy(16),
        created_ms=max(wall_ms, 0),
        scopes=[Scope(bytes(scope), "care", int(Sensitivity.IDENTIFIED))],
        roles=[Role(CARE_ROLE, "care"), Role(HQ_ROLE, "hq")],
    )
    operation = operation_id(signed.body)
    with store.atomic():
        _put_keys(store, keys, root)
        _put(store, "operation", operation)
        _put(store, "epoch", entropy(8))
        _put(store, "name", name.encode())
    ledger = Ledger(store)
    with ledger.atomic():
        ledger.write_control(Founding(signed), wall_ms)
        _put(store, "charter", pack(signed))
        rotation = rotate(
            scope,
            key,
            parents={},
            readers=[(keys.device, keys.agree_public)],
            ephemeral_secret=entropy(32),
        )
        key_id = KeyId(ledger.write_control(rotation, wall_ms).entry.hash)
        sealed = seal_name(name, subject=keys.device, key=key, key_id=key_id, nonce=entropy(24))
        roles = (CARE_ROLE, HQ_ROLE) if hq else (CARE_ROLE,)
        certificate = _first_certificate(operation, keys, scope, roles, sealed)
        ledger.write_control(Certificates((sign_certificate(certificate, root),)), wall_ms)
    return ledger


def _put_keys(store: Store, keys: DeviceKeys, root: DeviceKeys) -> None:
    _put(store, "sign_seed", keys.sign_seed)
    _put(store, "agree_secret", keys.agree_secret)
    _put(store, "root_seed", root.sign_seed)
    _put(store, "root_agree", root.agree_secret)


def _first_certificate(
    operation: OperationId,
    keys: DeviceKeys,
    scope: ScopeId,
    roles: tuple[int, ...],
    sealed_name: bytes,
) -> Certificate:
    """What the founder certifies itself as: an issuer, so that it can admit others."""
    return Certificate(
        version=CERTIFICATE_VERSION,
        operation=bytes(operation),
        subject=bytes(keys.device),
        agree=keys.agree_public,
        rank=int(Rank.ISSUER),
        roles=roles,
        scopes=(bytes(scope),),
        depth=2,
        count=ISSUED_MAX,
        sealed_name=sealed_name,
    )


def new_epoch(store: Store, epoch: bytes) -> None:
    """Begin another life of this device's storage: after a restore or a copy, or on joining."""
    with store.atomic():
        _put(store, "epoch", epoch)


def request_to_join(ledger: Ledger, binding: bytes) -> JoinRequest:
    """Return what this device shows to be admitted, bound to one channel."""
    authority = ledger.authority
    epochs = tuple(
        (bytes(feed.genesis.epoch), bytes(feed.feed_id))
        for feed in ledger.chain.feeds.values()
        if feed.genesis.device == authority.device and feed.genesis.lane == Lane.CONTROL
    )
    return sign_request(
        authority.keys,
        binding,
        epochs=epochs,
        scopes=(bytes(authority.care_scope),),
        name=authority.secret("name").decode(),
    )


def must_admit(ledger: Ledger) -> Member:
    """Return what this device is, when it may admit others.

    Raises:
        InputError: `may_not_admit` when it is no issuer or coordinator.
    """
    member = ledger.authority.roster.device(ledger.authority.device)
    if member is None or member.rank > Rank.COORDINATOR:
        raise InputError("may_not_admit")
    return member


def admit(
    ledger: Ledger, request: JoinRequest, entropy: Entropy, wall_ms: int, *, hq: bool
) -> JoinGrant:
    """Certify a device, adopt its feeds and hand it the keys; return the grant for it.

    Raises:
        InputError: `may_not_admit` when this device is no issuer or coordinator.
    """
    authority, member = ledger.authority, must_admit(ledger)
    scope = authority.care_scope
    key_id, key = authority.write_key(scope)
    device = DeviceId(request.device)
    roles = (CARE_ROLE, HQ_ROLE) if hq else (CARE_ROLE,)
    certificate = Certificate(
        version=CERTIFICATE_VERSION,
        operation=bytes(authority.operation),
        subject=request.device,
        agree=request.agree,
        rank=int(Rank.DEVICE),
        roles=tuple(role for role in roles if role in member.roles),
        scopes=(bytes(scope),),
        serial=authority.roster.next_serial(authority.device),
        sealed_name=seal_name(
            request.name, subject=device, key=key, key_id=key_id, nonce=entropy(24)
        ),
    )
    statement = sign_certificate(certificate, authority.keys)
    old = tuple((each, bytes(scope)) for each in request.scopes if each != scope)
    with ledger.atomic():
        ledger.write_control(Certificates((statement,)), wall_ms)
        ledger.write_control(
            Admission(request.device, request.epochs, bytes(statement_hash(statement)), old),
            wall_ms,
        )
        ledger.write_control(
            envelopes_for(key_id, key, [(device, request.agree)], entropy(32)), wall_ms
        )
    return JoinGrant(
        unpack(SignedCharter, authority.secret("charter")),
        authority.roster.chain(device),
        bytes(authority.device),
        _control_runs(ledger),
    )


def _control_runs(ledger: Ledger) -> tuple[bytes, ...]:
    """The admitter's control feed from its start, where it is short enough for the grant."""
    device, epoch = ledger.authority.device, ledger.authority.epoch
    for feed in ledger.chain.feeds.values():
        genesis = feed.genesis
        if (genesis.device, genesis.epoch, genesis.lane) == (device, epoch, Lane.CONTROL):
            run = ledger.chain.run_after(feed, feed.tips[0], 0, GRANT_ENTRY_BYTES_MAX)
            if run is not None and run[1] == feed.seq and len(run[0]) <= GRANT_ENTRY_BYTES_MAX:
                return (run[0],)
    return ()


def join(ledger: Ledger, grant: JoinGrant, epoch: bytes, wall_ms: int) -> None:
    """Take up membership: what was written before stays, and now counts for the operation.

    The ledger must be loaded anew afterwards: everything is judged from the new charter.
    """
    store = ledger.store
    old_scope = ledger.authority.care_scope
    with store.atomic():
        _put(store, "operation", operation_id(grant.charter.body))
        _put(store, "charter", pack(grant.charter))
        _put(store, "old_scope", old_scope)
        _put(store, "epoch", epoch)
        store.execute("UPDATE peer SET we_hold = 0, they_hold = 0")
        store.execute("UPDATE subject SET dirty = 1")
    ledger.reload()
    with ledger.atomic():
        ledger.write_control(Founding(grant.charter), wall_ms)
        ledger.write_control(Certificates(grant.chain), wall_ms)
    _take_early(ledger, grant, wall_ms)
    build_bridge(ledger, wall_ms)


def _take_early(ledger: Ledger, grant: JoinGrant, wall_ms: int) -> None:
    """Take the admission and keys that came with the grant; what does not read comes by sync."""
    for raw in grant.entries:
        try:
            run, _ = decode_run(raw, 0, ledger.chain.genesis_of, ledger.chain.prev_of)
        except (PeerError, Gap):
            return
        ledger.take([run], wall_ms)


def build_bridge(ledger: Ledger, wall_ms: int) -> bool:
    """Once the operation's key is here, let its readers read what we wrote before joining.

    Returns:
        Whether a bridge was written now.
    """
    authority, store = ledger.authority, ledger.store
    row = store.one("SELECT value FROM meta WHERE name = 'old_scope'")
    if row is None:
        return False
    key_id = authority.keyring.write_key(authority.care_scope, authority.roster.may_rotate)
    key = None if key_id is None else authority.keyring.key(key_id)
    if key_id is None or key is None:
        return False
    old = {
        generation: opened
        for generation in authority.keyring.generations(ScopeId(row[0]))
        if (opened := authority.keyring.key(generation)) is not None
    }
    with ledger.atomic():
        if old:
            ledger.write_control(bridge(key_id, key, old), wall_ms)
        store.execute("DELETE FROM meta WHERE name = 'old_scope'")
    return True


def _put(store: Store, name: str, value: bytes) -> None:
    store.execute("INSERT OR REPLACE INTO meta VALUES (?,?)", (name, bytes(value)))
