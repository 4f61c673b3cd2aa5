"""Who takes part: an operation founded by HQ, devices that enrol by code, relays, copies."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from protocols.ledger.book import Ledger
from protocols.mesh.effects import Effect, Now
from protocols.mesh.node import Node
from protocols.sim.clock import SECOND_US, DeviceClock
from protocols.sim.host import Host
from protocols.sim.machine import Computer
from protocols.sim.world import World
from protocols.trust.enrolment import CODE_BYTES
from protocols.trust.granting import Wish

ENROL_US = 60 * SECOND_US
"""Everybody is admitted within this much true time, before the drill begins."""
DEVICE = Wish()


class Cast:
    """The devices of one drill; the first is HQ."""

    def __init__(self, world: World, computer: type[Computer] = Computer) -> None:
        self.world = world
        self.hosts: list[Host] = []
        """Members that take part from the start, HQ first."""
        self._computer = computer

    @classmethod
    def found(
        cls,
        world: World,
        names: Sequence[str],
        *,
        clocks: Mapping[str, DeviceClock] | None = None,
        computer: type[Computer] = Computer,
    ) -> Cast:
        """Found an operation and let everybody enrol over the network, as people would.

        The clock of the drill stands at zero again afterwards only for people: true time has
        moved by a minute a device at most.
        """
        cast = cls(world, computer)
        for name in names:
            cast.hosts.append(cast._device(name, (clocks or {}).get(name), hq=name == names[0]))
        for host in cast.hosts[1:]:
            cast._enrol(host, cast.hq)
        world.run_until(world.at_us + SECOND_US)
        world.witness.begin()
        return cast

    @property
    def hq(self) -> Host:
        """The device whose receipts count as *at HQ*."""
        return self.hosts[0]

    def relay(self, name: str) -> Host:
        """Admit a device that carries what it cannot read: certified, and given no key."""
        host = self._device(name, None, hq=False)
        self._admit_by_file(host, self.hq, Wish("relay"))
        host.reads = False
        self.world.run_until(self.world.at_us + SECOND_US)
        self.world.witness.begin()
        return host

    def clone(self, host: Host, name: str, *, noticed: bool = True) -> Host:
        """Copy a card and use both: the same keys twice. The copy is on at once.

        Args:
            noticed: Whether the copy's own start tells that it is one.
        """
        assert isinstance(host.machine, Computer)
        machine = host.machine.copy(noticed=noticed)
        copy = self.world.add(name, lambda _: machine)
        self.world.witness.look(copy, self.world.at_us)
        self.world.boot(copy)
        return copy

    def backup(self, host: Host) -> Computer:
        """Return a copy of a disk as it is now, to be put back later."""
        assert isinstance(host.machine, Computer)
        return host.machine.copy(noticed=False)

    def restore(self, host: Host, backup: Computer, *, noticed: bool = True) -> None:
        """Put an old copy in the place of a disk that is lost, and switch it on."""
        self.world.crash(host)
        host.machine = backup.copy(noticed=noticed)
        self.world.witness.disk_replaced(host, self.world.at_us)
        self.world.boot(host)

    def _device(self, name: str, clock: DeviceClock | None, *, hq: bool) -> Host:
        world = self.world
        host = world.add(name, lambda now: self._computer.found(name, now, hq=hq), clock)
        world.boot(host)
        return host

    def _admit_by_file(self, host: Host, by: Host, wish: Wish) -> None:
        """Let one device be admitted by a request and a grant that are carried by hand."""
        world = self.world
        newcomer, admitter = node_of(host), node_of(by)
        asked = newcomer.ask(host.now(world.at_us))
        granted: list[bytes] = []

        def admit(now: Now) -> list[Effect]:
            grant, effects = admitter.admit(asked, wish, now)
            granted.append(grant)
            return effects

        world.call(by, admit)
        world.call(host, lambda now: newcomer.join(granted[0], now))

    def _enrol(self, host: Host, by: Host, wish: Wish = DEVICE) -> None:
        """Let one device enrol over the network with a code that was read aloud."""
        world = self.world
        code = by.chance.randbytes(CODE_BYTES)
        node_of(by).invite(code, by.now(world.at_us), wish)
        host.codes[by.place] = code
        world.dial(host, by)
        deadline_us = world.at_us + ENROL_US
        while not host.joined and world.at_us < deadline_us:
            world.run_until(world.at_us + SECOND_US)
        assert host.joined, f"{host.name} could not enrol"


def node_of(host: Host) -> Node:
    """Return the node of a device that is on."""
    assert isinstance(host.node, Node)
    return host.node


def ledger_of(host: Host) -> Ledger:
    """Return the book of a device, open or as it was left."""
    assert isinstance(host.machine, Computer)
    return host.machine.ledger
