"""Fifty devices, each linked with six others: one is stolen, sealed at HQ, and cut off everywhere.

What counts is how long the seal takes to the last device that can be reached, and that the stolen
one gets nothing from then on.
"""

from __future__ import annotations

from protocols.ids import DeviceId
from protocols.ledger.book import Ledger
from protocols.ledger.sealing import SealOrder
from protocols.mesh.node import Node
from protocols.sim.cast import Cast
from protocols.sim.clock import SECOND_US
from protocols.sim.drill import Drill
from protocols.sim.host import Host
from protocols.sim.machine import Computer
from protocols.sim.report import Finding, Result
from protocols.trust.control import SealReason

NODES = 50
NEIGHBOURS = (1, 2, 7)
"""Each device dials those this far along a ring, and is dialled by as many."""
STOLEN = 17
MINUTE_US = 60 * SECOND_US
STOLEN_AT_US = 10 * MINUTE_US
ENDS_US = 20 * MINUTE_US
WRITES_PER_HOUR = 6.0
LOOK_US = SECOND_US // 100
KNOWN_MAX_US = 3 * SECOND_US
"""Every device that can be reached knows of a seal within this on a LAN."""


def run(seed: int, *, nodes: int = NODES) -> Result:
    """Run it; the first device is HQ."""
    drill = Drill("fifty-nodes", seed)
    world = drill.world
    cast = Cast.found(world, ["hq", *(f"n{number}" for number in range(1, nodes))])
    for number, here in enumerate(cast.hosts):
        for step in NEIGHBOURS:
            world.dial(here, cast.hosts[(number + step) % nodes])
    stolen = cast.hosts[STOLEN % nodes]
    for host in cast.hosts:
        until_us = STOLEN_AT_US if host is stolen else ENDS_US
        drill.staff(host, per_hour=WRITES_PER_HOUR, until_us=until_us)
    seal = _Seal(drill, cast, stolen)
    world.at(STOLEN_AT_US, seal.write)
    world.run_until(ENDS_US)
    drill.findings["seal_is_known"] = seal.known
    drill.findings["sealed_gets_nothing"] = seal.nothing_more
    return drill.finish(cast.hq)


class _Seal:
    """The seal, and what became of it."""

    def __init__(self, drill: Drill, cast: Cast, stolen: Host) -> None:
        self._drill = drill
        self._cast = cast
        self._stolen = stolen
        self._device = _ledger(stolen).authority.device
        self._took_us: int | None = None
        self._waits = [host for host in cast.hosts if host is not stolen]
        self._held: set[object] = set()

    def write(self) -> None:
        """HQ learns that a device is gone."""
        world, hq = self._drill.world, self._cast.hq
        self._stolen.honest = False
        order = SealOrder(SealReason.LOST)
        node = hq.node
        assert isinstance(node, Node)
        world.call(hq, lambda now: node.seal(self._device, order, now))
        self._look(world.at_us)

    def _look(self, began_us: int) -> None:
        world = self._drill.world
        self._waits = [host for host in self._waits if not _knows(host, self._device)]
        if self._waits and world.at_us < ENDS_US:
            world.after(LOOK_US, lambda: self._look(began_us))
            return
        self._took_us = None if self._waits else world.at_us - began_us
        self._drill.notes["seal_known_ms"] = (self._took_us or ENDS_US) // 1_000
        self._held = set(world.witness.seen.get(self._stolen.place, {}))

    def known(self) -> Finding:
        """Every other device knew of the seal in time."""
        if self._took_us is None:
            return Finding(False, f"{len(self._waits)} devices never heard of the seal")
        took = f"{self._took_us / SECOND_US:.2f} s to the last of {len(self._cast.hosts) - 1}"
        return Finding(self._took_us <= KNOWN_MAX_US, took)

    def nothing_more(self) -> Finding:
        """Of what others wrote afterwards nothing came to the sealed device."""
        world = self._drill.world
        device = self._device
        seen = world.witness.seen.get(self._stolen.place, {})
        later = [
            name
            for name in seen
            if name not in self._held
            and world.witness.origin[name].device != bytes(device)
            and world.witness.origin[name].lane
        ]
        written = len(world.witness.records)
        return Finding(not later, f"{len(later)} entries after it, of {written} records in all")


def _ledger(host: Host) -> Ledger:
    assert isinstance(host.machine, Computer)
    return host.machine.ledger


def _knows(host: Host, device: DeviceId) -> bool:
    return bool(_ledger(host).authority.roster.cut(device))
