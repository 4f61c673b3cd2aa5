"""Camps of several organisations: a charter made by the test, and real nodes certified under it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from random import Random

from protocols.ids import DeviceId, KeyId, OperationId, ScopeId
from protocols.ledger.book import Ledger
from protocols.ledger.schema import prepare
from protocols.ledger.store import Store, open_memory
from protocols.mesh.door import own_control
from protocols.mesh.frames import Frame, encode_frame
from protocols.mesh.links import Link
from protocols.records.catalogue import ROW_TABLES
from protocols.trust.certificates import Certificate, Rank, sign_certificate
from protocols.trust.charter import (
    Charter,
    Org,
    Role,
    Scope,
    Sensitivity,
    operation_id,
    sign_charter,
)
from protocols.trust.control import Certificates, Founding
from protocols.trust.identity import DeviceKeys
from protocols.trust.keyring import rotate
from protocols.trust.statements import SignedStatement
from tests.unit.stage import WALL_MS, Device, Stage
from tests.unit.trust_operation import entropy, keys

CARE_ROLE, HQ_ROLE, RELAY_ROLE = 1, 2, 3
LAWS = {"japan": "JP", "ministry": "KE", "mules": "UG"}
CARE = Scope(b"care" * 4, "care", Sensitivity.IDENTIFIED, (), True, (CARE_ROLE, HQ_ROLE))
AT_HOME = Scope(b"home" * 4, "care", Sensitivity.IDENTIFIED, ("KE",), False, (CARE_ROLE, HQ_ROLE))
"""Care that may not leave the country, not even sealed."""


class Camp:
    """One operation, and the devices that the test certifies in it."""

    def __init__(self, *scopes: Scope, orgs: Iterable[str] = LAWS, seed: int = 0) -> None:
        self.roots = {org: keys(f"root {org} {seed}") for org in orgs}
        self.issuers = {org: keys(f"issuer {org} {seed}") for org in orgs}
        self.scopes = tuple(ScopeId(scope.id) for scope in scopes)
        self.seed = seed
        self._numbers: dict[bytes, int] = {}
        self.stores: dict[str, Store] = {}
        """Where a test wants a node's book; else it is in memory."""
        charter = Charter(
            version=1,
            name="camp",
            nonce=entropy(f"nonce {seed}", 16),
            created_ms=WALL_MS,
            orgs=tuple(
                sorted(
                    (Org(org, bytes(root.device), LAWS[org]) for org, root in self.roots.items()),
                    key=lambda org: org.root,
                )
            ),
            scopes=tuple(sorted(scopes, key=lambda scope: scope.id)),
            roles=(Role(CARE_ROLE, "care"), Role(HQ_ROLE, "hq"), Role(RELAY_ROLE, "relay", (1,))),
        )
        self.signed = sign_charter(charter, list(self.roots.values()))
        self.operation: OperationId = operation_id(self.signed.body)

    def certificate(
        self,
        subject: DeviceKeys,
        org: str,
        *,
        roles: Sequence[int] = (CARE_ROLE,),
        rank: Rank = Rank.DEVICE,
        scopes: Sequence[ScopeId] | None = None,
    ) -> tuple[SignedStatement, ...]:
        """The chain that makes a device a member: its issuer's certificate, then its own."""
        own = self.scopes if scopes is None else tuple(scopes)
        issuer = self.issuers[org]
        roles = tuple(roles)
        return (
            self._signed(self.roots[org], issuer, Rank.ISSUER, (1, 2, 3), self.scopes, 1),
            self._signed(issuer, subject, rank, roles, own, self._number(subject)),
        )

    def _number(self, subject: DeviceKeys) -> int:
        return self._numbers.setdefault(bytes(subject.device), len(self._numbers) + 1)

    def _signed(
        self,
        signer: DeviceKeys,
        subject: DeviceKeys,
        rank: Rank,
        roles: tuple[int, ...],
        scopes: tuple[ScopeId, ...],
        serial: int,
    ) -> SignedStatement:
        certificate = Certificate(
            version=1,
            operation=bytes(self.operation),
            subject=bytes(subject.device),
            agree=subject.agree_public,
            rank=int(rank),
            roles=roles,
            scopes=tuple(sorted(map(bytes, scopes))),
            depth=max(0, Rank.DEVICE - rank),
            count=500 if rank < Rank.DEVICE else 0,
            serial=serial,
        )
        return sign_certificate(certificate, signer)

    def device(self, name: str, org: str, **terms: object) -> Device:
        """A node of this operation: it knows the charter and its own chain, and no key."""
        own = keys(f"device {name} {self.seed}")
        return self._node(name, own, self.certificate(own, org, **terms))  # type: ignore[arg-type]

    def issuer(self, org: str) -> Device:
        """The node whose key certified an organisation's devices."""
        own = self.issuers[org]
        return self._node(org, own, self.certificate(own, org)[:1])

    def _node(self, name: str, own: DeviceKeys, chain: tuple[SignedStatement, ...]) -> Device:
        store = self.stores.get(name) or open_memory()
        prepare(store, ROW_TABLES)
        chance = Random(f"camp-{self.seed}-{name}")
        values = {
            "sign_seed": own.sign_seed,
            "agree_secret": own.agree_secret,
            "operation": bytes(self.operation),
            "epoch": chance.randbytes(8),
            "name": name.encode(),
        }
        with store.atomic():
            for key, value in values.items():
                store.execute("INSERT INTO meta VALUES (?,?)", (key, value))
        ledger = Ledger(store)
        with ledger.atomic():
            ledger.write_control(Founding(self.signed), WALL_MS)
            ledger.write_control(Certificates(chain), WALL_MS)
        return Device(name, store, self.seed)


def publish(device: Device, statements: Iterable[SignedStatement]) -> None:
    """Write certificates down, past the network."""
    with device.ledger.atomic():
        device.ledger.write_control(Certificates(tuple(statements)), WALL_MS)


def tell(stage: Stage, device: Device) -> None:
    """Let a node say what was written past it."""
    device.node._board.grew(own_control(device.ledger))
    stage.carry(device, device.node.tick(stage.now(device)))


def know(here: Device, *others: Device) -> None:
    """Let a device know the certificates of others, past the network."""
    for other in others:
        publish(here, other.ledger.authority.roster.chain(other.id))


def new_key(device: Device, scope: ScopeId, *, without: Iterable[DeviceId] = ()) -> KeyId:
    """Rotate a scope, for every reader that the device knows of."""
    authority = device.ledger.authority
    record = rotate(
        scope,
        device.chance.randbytes(32),
        parents={
            key_id: authority.keyring.keys[key_id] for key_id in authority.keyring.heads(scope)
        },
        readers=[each for each in authority.roster.readers(scope) if each[0] not in set(without)],
        ephemeral_secret=device.chance.randbytes(32),
    )
    with device.ledger.atomic():
        return KeyId(device.ledger.write_control(record, WALL_MS).entry.hash)


def overheard(device: Device) -> list[tuple[DeviceId, bytes]]:
    """All frames that a device says from now on, in clear, with whom it says them to."""
    said: list[tuple[DeviceId, bytes]] = []
    board = device.node._board
    send = board.send

    def listen(entry: Link, frame: Frame) -> None:
        if entry.peer is not None:
            said.append((entry.peer, encode_frame(frame)))
        send(entry, frame)

    board.send = listen  # type: ignore[method-assign]
    return said


def refused(device: Device, *line: dict[str, object]) -> str:
    """The code with which a line is refused."""
    answers, _, _ = device.node._recorder.record(list(line), WALL_MS, device.chance.randbytes)
    assert answers and not answers[0].ok
    return answers[0].error or ""
