"""Persons for tests: a camp whose charter has several roles, people who cost little to unlock."""

from __future__ import annotations

from random import Random
from typing import Any

from protocols.ledger import persons
from protocols.ledger.founding import found_member
from protocols.ledger.persons import Grant, NewKey
from protocols.ledger.recording import Answer, Seat
from protocols.ledger.sitting import Sitting, sit_down
from protocols.ledger.store import open_memory
from protocols.records.kinds import KindNo
from protocols.trust.charter import Org, Role, Scope, Sensitivity, found
from protocols.trust.identity import DeviceKeys
from protocols.trust.persons import Cost, Profile
from tests.unit.stage import WALL_MS, Device, Line, Stage, admit

CHEAP = Cost(1, 8192)
PASSPHRASE = "a long passphrase"
PIN = "4817"
DEVICE, HQ, RELAY, NURSE, LOGISTICIAN = 1, 2, 3, 4, 5
FIELD_KINDS = (
    KindNo.DOCUMENT_OPEN, KindNo.PATIENT_REGISTER, KindNo.ENCOUNTER_OPEN, KindNo.TRIAGE_RECORD,
    KindNo.ENTRY_RETRACT,
)  # fmt: skip
"""What the camp's devices may write while nobody is identified."""
ROLES = (
    Role(DEVICE, "device", tuple(map(int, FIELD_KINDS))),
    Role(HQ, "hq"),
    Role(RELAY, "relay", (0,)),
    Role(NURSE, "nurse"),
    Role(LOGISTICIAN, "logistics", (int(KindNo.DOCUMENT_OPEN), int(KindNo.SITE_REGISTER))),
)


def profile(name: str = "Amina Okoro", **changes: Any) -> Profile:
    """Somebody whose papers are in order."""
    known: dict[str, Any] = {
        "profession": "nurse",
        "authority": "Nursing Council",
        "licence": "KE-1234",
        "recognised_by": "Ministry of Health",
    }
    return Profile(1, name, **(known | changes))


def founder(name: str = "ann", sensitivity: Sensitivity = Sensitivity.IDENTIFIED) -> Device:
    """The issuer of a camp whose charter has several roles and one scope."""
    chance, store = Random(f"people-{name}"), open_memory()
    root = DeviceKeys.from_entropy(chance.randbytes(64))
    signed = found(
        name="camp",
        org=Org("Test", bytes(root.device), "XX"),
        root=root,
        nonce=chance.randbytes(16),
        created_ms=WALL_MS,
        scopes=[Scope(chance.randbytes(16), "care", int(sensitivity))],
        roles=ROLES,
    )
    found_member(
        store, name=name, charter=signed, root=root, hq=False, entropy=chance.randbytes,
        wall_ms=WALL_MS,
    )  # fmt: skip
    return Device(name, store, 0)


def camp(*names: str) -> list[Device]:
    """A founder and devices that may write what is in `FIELD_KINDS`; nothing is synced yet."""
    ann = founder()
    others = [Device.found(name) for name in names]
    for other in others:
        admit(ann, other)
    return [ann, *others]


def synced(*devices: Device) -> Stage:
    stage = Stage()
    for other in devices[1:]:
        stage.link(devices[0], other)
    stage.run(4_000)
    return stage


def made(device: Device) -> NewKey:
    return persons.new_key(PASSPHRASE, device.chance.randbytes, CHEAP)


def enrol(device: Device, who: Profile | None = None, roles: tuple[int, ...] = (NURSE,)) -> bytes:
    """Let a coordinator's device make a person; return their credential file."""
    grant = Grant(roles)
    return persons.add(
        device.ledger, made(device), who or profile(), grant, device.chance.randbytes, WALL_MS
    )


def sit(device: Device, number: int = 1, at_ms: int = WALL_MS) -> Sitting:
    """Log a person of this device in by their passphrase."""
    person = persons.one(device.ledger, str(number)).person
    seed = persons.begin_try(device.ledger, person, by_pin=False).by_passphrase(PASSPHRASE)
    assert seed is not None
    persons.right(device.ledger, person)
    return sit_down(device.ledger, person, seed, at_ms)


def write(device: Device, sitting: Sitting | None, *lines: Line, **seat: Any) -> list[Answer]:
    """Write lines in somebody's session."""
    recorder = device.node._recorder
    answers, _, _ = recorder.record(lines, WALL_MS, device.chance.randbytes, Seat(sitting, **seat))
    return answers
