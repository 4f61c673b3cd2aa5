"""Admitting a device, and joining where one was admitted: by code or by file, it is the same."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from msgspec import structs

from protocols.errors import InputError, LedgerError, PeerError
from protocols.feeds.advance import ADVANCE_MARK, Advance
from protocols.feeds.lane import Lane
from protocols.feeds.run import Gap, decode_run
from protocols.ids import DeviceId, EntryHash, KeyId, ScopeId, StatementHash
from protocols.ledger import advancing, gathering
from protocols.ledger.authority import old_scope_name
from protocols.ledger.book import Ledger
from protocols.ledger.founding import EPOCH_BYTES, Entropy, new_epoch, put, seal_name_of
from protocols.trust.certificates import (
    Authority,
    Certificate,
    Rank,
    open_certificate,
    refusal,
    sign_certificate,
    verify_chain,
)
from protocols.trust.charter import Charter, Sensitivity, SignedCharter, operation_id
from protocols.trust.control import (
    CERTIFICATES_MAX,
    CONTROL_BYTES_MAX,
    ENVELOPES_MAX,
    Admission,
    Certificates,
    Founding,
    Seal,
)
from protocols.trust.enrolment import (
    GRANT_BYTES_MAX,
    GRANT_ENTRY_BYTES_MAX,
    NAME_LETTERS_MAX,
    JoinGrant,
    JoinRequest,
    sign_request,
)
from protocols.trust.granting import Offer, Wish, offer, own_scope
from protocols.trust.keyring import Reader, bridge, envelopes_for
from protocols.trust.statements import SignedStatement, pack, statement_hash, unpack

BATCH_BYTES_MAX = CONTROL_BYTES_MAX - 64
"""Of certificates in one record, beside its own few bytes."""

# Admitting


def request_to_join(ledger: Ledger, binding: bytes, entropy: Entropy) -> JoinRequest:
    """Return what this device shows to be admitted, bound to one channel; durable on return.

    Asking again names the same next epoch: whichever request is granted, it is the one written in.
    """
    authority, store = ledger.authority, ledger.store
    row = store.one("SELECT value FROM meta WHERE name = 'next_epoch'")
    next_epoch = bytes(row[0]) if row else entropy(EPOCH_BYTES)
    if row is None:
        with store.atomic():
            put(store, "next_epoch", next_epoch)
    epochs = tuple(
        (bytes(feed.genesis.epoch), bytes(feed.feed_id))
        for feed in ledger.chain.feeds.values()
        if feed.genesis.device == authority.device and feed.genesis.lane == Lane.CONTROL
    )
    return sign_request(
        authority.keys,
        binding,
        epochs=epochs,
        scopes=tuple(bytes(_own_scope(ledger, each) or ScopeId.zero()) for each in Sensitivity),
        name=authority.secret("name").decode()[:NAME_LETTERS_MAX],
        next_epoch=next_epoch,
    )


def _own_scope(ledger: Ledger, sensitivity: Sensitivity) -> ScopeId | None:
    """Where this device writes or wrote by itself what is so sensitive."""
    authority = ledger.authority
    return authority.scope_for(sensitivity) or authority.old_scope(sensitivity)


def own_right(ledger: Ledger) -> tuple[Charter, Authority]:
    """Return the charter and what this device may grant under it.

    Raises:
        InputError: `may_not_admit` when it is no issuer or coordinator, or sealed;
            `certificate_expired`.
    """
    roster, device = ledger.authority.roster, ledger.authority.device
    member, charter = roster.device(device), roster.charter
    if member is None or charter is None or member.rank > Rank.COORDINATOR or member.sealed:
        raise InputError("may_not_admit")
    try:
        chain, lower_ms = roster.chain(device), ledger.trusted_ms
        _, right = verify_chain(charter, ledger.authority.operation, chain, lower_ms=lower_ms)
    except PeerError as error:
        raise InputError(error.code) from None
    return charter, right


def may_grant(ledger: Ledger, wish: Wish) -> Offer:
    """Return what a newcomer would be given.

    Raises:
        InputError: as `own_right` and `granting.offer`.
    """
    charter, right = own_right(ledger)
    return offer(charter, ledger.authority.operation, [right], wish)


@dataclass(frozen=True, slots=True)
class Newcomer:
    """One device to be let in."""

    request: JoinRequest
    wish: Wish
    name: str = ""
    """What it is called from now on; '' = what it asked for."""


def admit(
    ledger: Ledger, request: JoinRequest, entropy: Entropy, wall_ms: int, *, wish: Wish
) -> JoinGrant:
    """Certify a device, adopt its feeds and hand it the keys; return the grant for it.

    A sealed device is let in anew: what it writes from then on counts, nothing of before.

    Raises:
        InputError: as `may_grant`; `own_device`; `certificate_count` when all numbers are given.
    """
    return admit_all(ledger, [Newcomer(request, wish)], entropy, wall_ms)[0]


def admit_all(
    ledger: Ledger,
    newcomers: Sequence[Newcomer],
    entropy: Entropy,
    wall_ms: int,
    *,
    carried: bool = False,
) -> list[JoinGrant]:
    """Let several in, all of them or none: one record holds the certificates of many.

    Args:
        carried: By hand: a newcomer may meet nobody for long, so it is given its keys too.

    Raises:
        InputError: as `admit`, `device_twice`; of several, `field` says which row.
    """
    statements = _statements(ledger, newcomers, entropy)
    roster, handed = ledger.authority.roster, dict[ScopeId, list[Reader]]()
    admissions: list[EntryHash] = []
    with ledger.atomic():
        for batch in batches([statement for _, statement in statements]):
            ledger.write_control(Certificates(batch), wall_ms)
        for newcomer, (granted, statement) in zip(newcomers, statements, strict=True):
            request, name = newcomer.request, statement_hash(statement)
            device = DeviceId(request.device)
            mapped = _mapped(ledger, device, request.scopes, granted)
            record = Admission(request.device, request.epochs, bytes(name), mapped)
            admissions.append(ledger.write_control(record, wall_ms).entry.hash)
            _let_in_anew(ledger, request, name, wall_ms)
            for scope in granted.scopes:
                handed.setdefault(ScopeId(scope), []).append((device, request.agree))
        for scope, readers in handed.items():
            entitled = set(roster.readers(scope))
            _hand_key(
                ledger, scope, [each for each in readers if each in entitled], entropy, wall_ms
            )
    charter = unpack(SignedCharter, ledger.authority.secret("charter"))
    own, runs = bytes(ledger.authority.device), _control_runs(ledger)
    grants = [
        JoinGrant(
            charter,
            roster.chain(DeviceId(each.request.device)),
            own,
            runs or (_ahead(ledger, admission, granted) if carried else ()),
        )
        for each, admission, (granted, _) in zip(newcomers, admissions, statements, strict=True)
    ]
    return grants if carried else [_for_a_link(each) for each in grants]


def _for_a_link(grant: JoinGrant) -> JoinGrant:
    """Return a grant that one message holds: where it is too long the entries follow by sync."""
    fits = len(pack(grant)) <= GRANT_BYTES_MAX
    return grant if fits else structs.replace(grant, entries=())


def _statements(
    ledger: Ledger, newcomers: Sequence[Newcomer], entropy: Entropy
) -> list[tuple[Offer, SignedStatement]]:
    """Return what each newcomer is given and the certificate that says so, none written yet."""
    made: list[tuple[Offer, SignedStatement]] = []
    serial, seen = ledger.authority.roster.next_serial(ledger.authority.device), set[bytes]()
    for at, newcomer in enumerate(newcomers, 1):
        device = newcomer.request.device
        try:
            if device == ledger.authority.device:
                raise InputError("own_device")
            if device in seen:
                raise InputError("device_twice")
            granted = may_grant(ledger, newcomer.wish)
            certificate = _certificate(ledger, newcomer, granted, serial, entropy)
        except InputError as error:
            raise error.at(f"row {at}") if len(newcomers) > 1 else error from None
        seen.add(device)
        serial += certificate.serial == serial
        made.append((granted, sign_certificate(certificate, ledger.authority.keys)))
    return made


def batches(made: Sequence[SignedStatement]) -> Iterator[tuple[SignedStatement, ...]]:
    """Yield certificates in records, as many in each as fit."""
    batch: list[SignedStatement] = []
    size = 0
    for statement in made:
        more = len(pack(statement))
        if batch and (len(batch) >= CERTIFICATES_MAX or size + more > BATCH_BYTES_MAX):
            yield tuple(batch)
            batch, size = [], 0
        batch.append(statement)
        size += more
    if batch:
        yield tuple(batch)


def _certificate(
    ledger: Ledger, newcomer: Newcomer, granted: Offer, next_serial: int, entropy: Entropy
) -> Certificate:
    """The certificate of a newcomer; a renewal keeps the number its subject has.

    Raises:
        InputError: one of `certificates.REFUSALS`.
    """
    authority, request = ledger.authority, newcomer.request
    device = DeviceId(request.device)
    _, right = own_right(ledger)
    chain = authority.roster.chain(device)
    renews = bool(chain) and chain[-1].issuer == authority.device
    serial = open_certificate(chain[-1]).serial if renews else next_serial
    name = newcomer.name or request.name
    try:
        opened: tuple[KeyId, bytes] | None = authority.write_key(authority.care_scope)
    except LedgerError:
        opened = None
    certificate = granted.certificate(
        authority.operation,
        request.device,
        request.agree,
        serial=serial,
        sealed_name=seal_name_of(name, device, opened, entropy),
    )
    reason = refusal(right, certificate, authority.operation)
    if reason:
        raise InputError(reason)
    return certificate


def _mapped(
    ledger: Ledger, device: DeviceId, old: Sequence[bytes], granted: Offer
) -> tuple[tuple[bytes, bytes], ...]:
    """Which scope of the operation each old one of a newcomer becomes, as far as it may write."""
    charter, _ = own_right(ledger)
    member = ledger.authority.roster.device(device)
    law = member.jurisdiction if member else ""
    pairs = []
    for sensitivity, scope in zip(Sensitivity, old, strict=False):
        new = own_scope(charter, granted.scopes, law, sensitivity)
        if any(scope) and new is not None and charter.scope(scope) is None:
            pairs.append((bytes(scope), new))
    return tuple(pairs)


def _let_in_anew(
    ledger: Ledger, request: JoinRequest, certificate: StatementHash, wall_ms: int
) -> None:
    """Widen every seal that is on a new certificate by the life the device is about to begin.

    Whoever may grant it outranks it, so the extension counts, whoever sealed the device.
    """
    device = DeviceId(request.device)
    for bound in ledger.authority.roster.bounds(device, certificate):
        if not bound.reduces:
            lifted = Seal(
                bytes(device),
                bound.reason,
                (),
                epochs=(request.next_epoch,),
                extends=bytes(bound.seal),
            )
            ledger.write_control(lifted, wall_ms)


def _hand_key(
    ledger: Ledger, scope: ScopeId, readers: Sequence[Reader], entropy: Entropy, wall_ms: int
) -> None:
    """Give newcomers the key of a scope that they may read, if we have it."""
    authority = ledger.authority
    try:
        key_id, key = authority.write_key(scope)
    except LedgerError:
        # Whoever has it will write the envelope on meeting either of us.
        return
    for start in range(0, len(readers), ENVELOPES_MAX):
        some = readers[start : start + ENVELOPES_MAX]
        ledger.write_control(envelopes_for(key_id, key, some, entropy(32)), wall_ms)


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


def _ahead(ledger: Ledger, admission: EntryHash, offered: Offer) -> tuple[bytes, ...]:
    """What a newcomer needs of a control feed that is too long for the grant."""
    care = bytes(ledger.authority.care_scope)
    scopes = sorted(map(ScopeId, offered.scopes), key=lambda each: (bytes(each) != care, each))
    return (ADVANCE_MARK + pack(gathering.granted(ledger, admission, scopes)),)


# Joining


def join(ledger: Ledger, grant: JoinGrant, wall_ms: int) -> None:
    """Take up membership: what was written before stays, and now counts for the operation.

    The ledger must be loaded anew afterwards: everything is judged from the new charter.

    Raises:
        InputError: `no_request` when this device asked for nothing since it last joined.
    """
    store, authority = ledger.store, ledger.authority
    asked = store.one("SELECT value FROM meta WHERE name = 'next_epoch'")
    if asked is None:
        raise InputError("no_request")
    operation = operation_id(grant.charter.body)
    old = {each: _own_scope(ledger, each) for each in Sensitivity}
    with store.atomic():
        if operation != authority.operation:
            for sensitivity, scope in old.items():
                if scope is not None:
                    put(store, old_scope_name(sensitivity), scope)
        put(store, "operation", operation)
        put(store, "charter", pack(grant.charter))
        new_epoch(store, bytes(asked[0]))
        advancing.forget(store)
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
            if raw.startswith(ADVANCE_MARK):
                advance = unpack(Advance, raw[1:])
                advancing.take(ledger, advance, DeviceId(grant.admitter), granted=True)
                continue
            run, _ = decode_run(raw, 0, ledger.chain.genesis_of, ledger.chain.prev_of)
        except (PeerError, Gap):
            return
        ledger.take([run], wall_ms)


def build_bridge(ledger: Ledger, wall_ms: int) -> bool:
    """Once the operation's keys are here, let their readers read what we wrote before joining.

    Returns:
        Whether a bridge was written now.
    """
    built = [_bridge_from(ledger, each, wall_ms) for each in Sensitivity]
    return any(built)


def _bridge_from(ledger: Ledger, sensitivity: Sensitivity, wall_ms: int) -> bool:
    authority, store = ledger.authority, ledger.store
    name = old_scope_name(sensitivity)
    row = store.one("SELECT value FROM meta WHERE name = ?", (name,))
    if row is None:
        return False
    old_scope = ScopeId(row[0])
    to = authority.roster.scope_of(old_scope, authority.device)
    key_id = to and authority.scope_keys.write_key(to)
    key = authority.keyring.key(key_id) if key_id else None
    if not key_id or key is None:
        return False
    old = {
        generation: opened
        for generation in authority.keyring.generations(old_scope)
        if (opened := authority.keyring.key(generation)) is not None
    }
    with ledger.atomic():
        if old:
            ledger.write_control(bridge(key_id, key, old), wall_ms)
        store.execute("DELETE FROM meta WHERE name = ?", (name,))
    return True
