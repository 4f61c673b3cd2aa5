"""A large operation: 200 devices, 1,000 people, 20 scopes; who is let in or cut off in it."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from random import Random

from figures.books import BEGINS_MS, ROOT
from figures.figure import Reading
from figures.newcomer import Person, first_urgent
from figures.syncing import Bench
from protocols.ids import ScopeId
from protocols.ledger.book import Ledger
from protocols.ledger.founding import found_member
from protocols.ledger.store import open_memory
from protocols.sim.cast import Cast
from protocols.sim.clock import SECOND_US
from protocols.sim.world import World
from protocols.trust.certificates import Certificate, Rank, sign_certificate, verify_chain
from protocols.trust.charter import (
    CHARTER_VERSION,
    Charter,
    Org,
    Role,
    Scope,
    Sensitivity,
    sign_charter,
)
from protocols.trust.control import CERTIFICATES_MAX, Certificates, Seal, SealReason
from protocols.trust.identity import DeviceKeys
from protocols.trust.keyring import envelopes_for
from protocols.trust.statements import SignedStatement

DEVICES, PEOPLE, SCOPES = 200, 1_000, 20
SEALED = 5
"""Devices under a seal, so that judging has something to judge."""
NAME_BYTES = 120
"""About a sealed name."""
CHECKS = 50


def large_operation(_: Bench) -> list[Reading]:
    """What it costs to check a new peer there, and what a newcomer reads before it can judge."""
    ledger, newcomer, people = _operation(Random(1))
    authority = ledger.authority
    charter = authority.roster.charter
    assert charter is not None
    spent: list[float] = []
    for each in newcomer[:CHECKS]:
        began = time.process_time()
        verify_chain(charter, authority.operation, (*_issuers(ledger), each))
        ledger.meet((each,))
        spent.append((time.process_time() - began) * 1_000)
    return [
        Reading("check of a new peer", sorted(spent)[len(spent) // 2], "ms CPU", 5, 2),
        first_urgent(ledger, people),
    ]


def handshake(_: Bench) -> list[Reading]:
    """Bytes of a handshake with a known peer, both messages."""
    world = World(1)
    cast = Cast.found(world, ["hq", "tent"])
    hq, tent = cast.hosts
    world.dial(tent, hq)
    world.run_until(world.at_us + 30 * SECOND_US)
    world.cut(tent, hq)
    world.run_until(world.at_us + 120 * SECOND_US)
    sizes: list[int] = []
    world.carriage.taps.append(lambda message: sizes.append(len(message)))
    world.mend(tent, hq)
    world.run_until(world.at_us + 60 * SECOND_US)
    return [Reading("handshake with a known peer", sum(sizes[:2]), "B", 400, 300)]


def seal(_: Bench) -> list[Reading]:
    """How long a seal takes to the last device of fifty, in virtual time on a LAN."""
    command = [sys.executable, "-m", "protocols.sim.cli", "run", "fifty-nodes", "--json"]
    ran = subprocess.run(command, capture_output=True, cwd=ROOT, check=False)
    told = json.loads(ran.stdout)
    bad = [name for name, check in told["checks"].items() if not check["ok"]]
    assert not bad, f"checks failed: {bad}"
    took = told["notes"]["seal_known_ms"] / 1_000
    return [Reading("a seal, to the last of 49 devices", took, "s", 3, 1)]


def _operation(chance: Random) -> tuple[Ledger, list[SignedStatement], list[Person]]:
    """A book that holds all its control records, certificates it has not met yet, and people."""
    root = DeviceKeys.from_entropy(chance.randbytes(64))
    scopes = tuple(
        Scope(bytes([number + 1]) * 16, f"scope {number}", int(Sensitivity.IDENTIFIED))
        for number in range(SCOPES)
    )
    charter = Charter(
        version=CHARTER_VERSION,
        name="large",
        nonce=chance.randbytes(16),
        created_ms=BEGINS_MS,
        orgs=(Org("Large", bytes(root.device), "KE"),),
        scopes=scopes,
        roles=(Role(1, "device"), Role(2, "hq"), Role(3, "relay")),
    )
    ledger = found_member(
        open_memory(),
        name="hq",
        charter=sign_charter(charter, [root]),
        root=root,
        hq=True,
        entropy=chance.randbytes,
        wall_ms=BEGINS_MS,
    )
    devices = [DeviceKeys.from_entropy(chance.randbytes(64)) for _ in range(DEVICES)]
    people = [DeviceKeys.from_entropy(chance.randbytes(64)) for _ in range(PEOPLE)]
    late = [DeviceKeys.from_entropy(chance.randbytes(64)) for _ in range(CHECKS)]
    statements = [
        _certified(ledger, keys, rank, serial, chance)
        for serial, (keys, rank) in enumerate(
            [(each, Rank.DEVICE) for each in (*devices, *late)]
            + [(each, Rank.PERSON) for each in people],
            1,
        )
    ]
    unmet = statements[DEVICES : DEVICES + CHECKS]
    known = statements[:DEVICES] + statements[DEVICES + CHECKS :]
    readers = [(each.device, each.agree_public) for each in devices]
    with ledger.atomic():
        for start in range(0, len(known), CERTIFICATES_MAX):
            batch = Certificates(tuple(known[start : start + CERTIFICATES_MAX]))
            ledger.write_control(batch, BEGINS_MS)
        for scope in scopes:
            key_id, key = ledger.authority.write_key(ScopeId(scope.id))
            sealed = envelopes_for(key_id, key, readers, chance.randbytes(32))
            ledger.write_control(sealed, BEGINS_MS)
        for keys in devices[:SEALED]:
            ledger.write_control(Seal(bytes(keys.device), int(SealReason.LOST), ()), BEGINS_MS)
    return ledger, unmet, list(zip(people, statements[DEVICES + CHECKS :], strict=True))


def _certified(
    ledger: Ledger, keys: DeviceKeys, rank: Rank, serial: int, chance: Random
) -> SignedStatement:
    authority = ledger.authority
    return sign_certificate(
        Certificate(
            version=1,
            operation=bytes(authority.operation),
            subject=bytes(keys.device),
            agree=keys.agree_public if rank == Rank.DEVICE else b"",
            rank=int(rank),
            roles=(1,),
            scopes=(bytes(authority.care_scope),),
            serial=serial,
            sealed_name=chance.randbytes(NAME_BYTES),
        ),
        authority.keys,
    )


def _issuers(ledger: Ledger) -> tuple[SignedStatement, ...]:
    return ledger.authority.roster.chain(ledger.authority.device)
