"""Several organisations found one operation by files carried by hand; each brings its own devices.

Who may hold and read what is worked out here from the text that people wrote down, never by asking
a node: checkers judge the disks by it.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from protocols.errors import InputError
from protocols.records.catalogue import BY_NAME, KINDS
from protocols.sim.cast import DEVICE, Cast
from protocols.sim.chance import seeded
from protocols.sim.clock import DRILL_BEGINS_MS, SECOND_US
from protocols.sim.host import Host
from protocols.sim.machine import Computer
from protocols.sim.world import World
from protocols.trust import charterfile
from protocols.trust.charter import SCOPES_MAX, SignedCharter, open_charter
from protocols.trust.charterfile import ROOT_ENTROPY_BYTES, open_charter_file
from protocols.trust.granting import Wish
from protocols.trust.identity import DeviceKeys
from protocols.trust.terms import parse_terms

UNLOCK_OPS, UNLOCK_MEM_BYTES = 1, 8192
"""The least that locks a root key: what takes a person a second takes a drill no time."""
ID_BYTES = 16
Entropy = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Member:
    """One organisation."""

    name: str
    law: str
    """Its jurisdiction."""
    lead: str
    """Its first device, which certifies the others."""
    carries: bool = False
    """It is there to carry: none of its people reads anything."""


@dataclass(frozen=True, slots=True)
class Law:
    """What the text of the charter says of one scope."""

    scope: bytes
    name: str
    laws: frozenset[str]
    """None named: any."""
    may_leave: bool
    readers: frozenset[str]
    """Roles that read it; none named: all that are given the scope."""

    def governs(self, law: str) -> bool:
        """Whether it may be kept and read under a law."""
        return not self.laws or law in self.laws


class _Desk:
    """A desk without a network, where an organisation keeps its root key; files come by hand."""

    def __init__(self, member: Member, entropy: Entropy) -> None:
        self.member = member
        self._passphrase = f"passphrase of {member.name}"
        self._root, self.public, _ = charterfile.new_org(
            member.name,
            member.law,
            self._passphrase,
            entropy(ROOT_ENTROPY_BYTES),
            ops=UNLOCK_OPS,
            mem=UNLOCK_MEM_BYTES,
        )

    def unlock(self) -> DeviceKeys:
        """Open the root key."""
        return charterfile.unlock_root(charterfile.open_root(self._root), self._passphrase)

    def sign(self, charter: bytes) -> bytes:
        """Return the own copy of the charter, signed."""
        return charterfile.sign(open_charter_file(charter), self.unlock())


class Coalition(Cast):
    """The devices of several organisations under one charter."""

    def __init__(self, world: World, computer: type[Computer] = Computer) -> None:
        super().__init__(world, computer)
        self.members: dict[str, Member] = {}
        self.leads: dict[str, Host] = {}
        """By organisation."""
        self.laws: dict[str, Law] = {}
        """By the scope's name."""
        self.refused_unsigned = False
        """Whether nobody could begin before every organisation had signed."""

    @classmethod
    def found_by_files(
        cls,
        world: World,
        members: Sequence[Member],
        terms: bytes,
        *,
        name: str,
        computer: type[Computer] = Computer,
    ) -> Coalition:
        """Found an operation; nothing but files passes between the organisations.

        Args:
            terms: Scopes and roles, as people write them for `hq charter new --terms`.
        """
        camp, entropy = cls(world, computer), seeded(world.seed, "founding").randbytes
        desks = [_Desk(member, entropy) for member in members]
        charter = camp._sign_round(desks, _draft(name, terms, entropy))
        camp.laws = _laws(terms, charter)
        for desk in desks:
            member, root = desk.member, desk.unlock()
            camp.members[member.name] = member
            entering = partial(computer.enter, member.lead, charter=charter, root=root)
            lead = world.add(member.lead, entering)
            camp._settle(lead, member.name, carries=member.carries)
            camp.leads[member.name] = lead
            world.boot(lead)
        return camp

    def _sign_round(self, desks: Sequence[_Desk], charter: bytes) -> SignedCharter:
        """Collect every organisation, then every signature, each on a copy of its own."""
        for desk in desks:
            org = charterfile.open_org(desk.public)
            charter = charterfile.add_org(open_charter_file(charter), org)
        copies = [open_charter_file(desk.sign(charter)) for desk in desks]
        early = open_charter_file(charterfile.collect(copies[0], copies[1:-1]))
        try:
            charterfile.whole(early)
        except InputError as error:
            self.refused_unsigned = error.code == "charter_unsigned"
        return charterfile.whole(open_charter_file(charterfile.collect(early, copies[-1:])))

    def enrol(self, name: str, org: str, wish: Wish = DEVICE) -> Host:
        """Let a device join its organisation by a code, over the network of its own people."""
        host = self._device(name, None, hq=False)
        self._enrol(host, self.leads[org], wish)
        self._settle(host, org, carries=wish.post == "relay", roles=wish.roles)
        return host

    def admit(self, name: str, org: str, wish: Wish = DEVICE) -> Host:
        """Let a device join its organisation by files carried by hand."""
        host = self._device(name, None, hq=False)
        self._admit_by_file(host, self.leads[org], wish)
        self._settle(host, org, carries=wish.post == "relay", roles=wish.roles)
        return host

    def readmit(self, host: Host, by: Host, wish: Wish) -> None:
        """Let a device that was sealed and found come in again, by files carried by hand."""
        self._admit_by_file(host, by, wish)

    def begin(self) -> None:
        """Everybody is there; from now on people write."""
        self.world.run_until(self.world.at_us + SECOND_US)
        self.world.witness.begin()

    def of(self, org: str) -> list[Host]:
        """Return the devices of one organisation, its first one first."""
        return [host for host in self.world.hosts if host.org == org]

    def _settle(
        self, host: Host, org: str, *, carries: bool = False, roles: Sequence[str] = ()
    ) -> None:
        """Note whose a device is, and what the laws let it hold and read."""
        law = self.members[org].law
        host.org, host.reads = org, not carries
        scopes = self.laws.values()
        host.holds = frozenset(each.scope for each in scopes if each.may_leave or each.governs(law))
        host.shows = frozenset(
            each.scope
            for each in scopes
            if not carries
            and each.governs(law)
            and not (each.readers and roles and each.readers.isdisjoint(roles))
        )
        self.hosts.append(host)


def _draft(name: str, terms: bytes, entropy: Entropy) -> bytes:
    kinds = {word: int(kind.number) for word, kind in BY_NAME.items()}
    engine = [int(kind.number) for kind in KINDS if not kind.name]
    ids = [entropy(ID_BYTES) for _ in range(SCOPES_MAX)]
    parsed = parse_terms(terms, kinds, ids, engine)
    return charterfile.new_charter(name, parsed, entropy(ID_BYTES), DRILL_BEGINS_MS)


def _laws(terms: bytes, charter: SignedCharter) -> dict[str, Law]:
    """Read the laws from the text; only the scopes' ids come from the charter."""
    ids = {scope.name: scope.id for scope in open_charter(charter).scopes}
    return {
        said["name"]: Law(
            ids[said["name"]],
            said["name"],
            frozenset(said.get("jurisdictions", ())),
            said.get("ciphertext_may_leave", True),
            frozenset(said.get("readers", ())),
        )
        for said in tomllib.loads(terms.decode())["scope"]
    }
