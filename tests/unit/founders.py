"""Organisations that found one operation by files: for the tests of charters and members."""

from __future__ import annotations

from random import Random

from protocols.ledger.founding import found_member
from protocols.ledger.store import open_memory
from protocols.records.catalogue import BY_NAME, KINDS
from protocols.trust import charterfile
from protocols.trust.charter import Sensitivity
from protocols.trust.identity import DeviceKeys
from protocols.trust.terms import Terms, parse_terms
from tests.unit.stage import WALL_MS, Device
from tests.unit.trust_operation import entropy

PASSPHRASE = "root of the matter"
NAMED = {name: int(kind.number) for name, kind in BY_NAME.items()}
ENGINE = [int(kind.number) for kind in KINDS if not kind.name]
IDS = [entropy(f"scope {at}", 16) for at in range(64)]
ROLES = """
[[role]]
number = 1
name = "triage device"
kinds = ["patient.register", "encounter.open", "triage.record"]
[[role]]
number = 2
name = "hq"
[[role]]
number = 3
name = "relay"
kinds = []
[[role]]
number = 4
name = "care"
"""
TWO_LAWS = (
    ROLES
    + """
[[scope]]
name = "care JP"
jurisdictions = ["JP"]
ciphertext_may_leave = false
[[scope]]
name = "care KE"
jurisdictions = ["KE"]
ciphertext_may_leave = false
[[scope]]
name = "counts"
sensitivity = "aggregate"
"""
)
SHARED = ROLES + '[[scope]]\nname = "care"\n'


def terms(text: str = TWO_LAWS) -> Terms:
    """Scopes and roles out of TOML."""
    return parse_terms(text.encode(), NAMED, IDS, ENGINE)


def org(name: str, law: str) -> tuple[bytes, bytes]:
    """An organisation's root key file and its public file, locked as cheaply as may be."""
    noise = entropy(f"org {name}", charterfile.ROOT_ENTROPY_BYTES)
    made = charterfile.new_org(name, law, PASSPHRASE, noise, ops=1, mem=8192)
    return made[0], made[1]


def root(name: str, law: str = "") -> DeviceKeys:
    """The root key of an organisation."""
    return charterfile.unlock_root(charterfile.open_root(org(name, law)[0]), PASSPHRASE)


def charter(
    *members: tuple[str, str], text: str = TWO_LAWS, signed: bool = True
) -> charterfile.Held:
    """A charter of these (name, law), signed by all."""
    held = charterfile.open_charter_file(
        charterfile.new_charter("Camp 4", terms(text), entropy("nonce", 16), WALL_MS)
    )
    for name, law in members:
        held = charterfile.open_charter_file(
            charterfile.add_org(held, charterfile.open_org(org(name, law)[1]))
        )
    for name, law in members if signed else ():
        held = charterfile.open_charter_file(charterfile.sign(held, root(name, law)))
    return held


def member(
    held: charterfile.Held, org_name: str, name: str, *, law: str = "", hq: bool = False
) -> Device:
    """A node that begins as issuer of an organisation."""
    store, chance = open_memory(), Random(f"member-{name}")
    found_member(
        store,
        name=name,
        charter=charterfile.whole(held),
        root=root(org_name, law),
        hq=hq,
        entropy=chance.randbytes,
        wall_ms=WALL_MS,
    )
    return Device(name, store, 0)


def writes_in(device: Device, sensitivity: Sensitivity = Sensitivity.IDENTIFIED) -> str:
    """The name of the scope a device writes in; '' when it is not one of the charter."""
    scope = device.ledger.authority.scope_for(sensitivity)
    found = device.ledger.authority.roster.charter
    assert found is not None and scope is not None
    known = found.scope(scope)
    return known.name if known else ""
