"""One busy hour with a partition and power cuts, for whatever software is put into it."""

from __future__ import annotations

from collections.abc import Callable

from protocols.sim.cast import Cast
from protocols.sim.clock import SECOND_US
from protocols.sim.drill import Drill
from protocols.sim.machine import Computer
from protocols.sim.network import LAN, LineShape
from protocols.sim.report import Result

MINUTE_US = 60 * SECOND_US
HOUR_US = 60 * MINUTE_US


def begin(computer: type[Computer] = Computer, *, nodes: int = 3, shape: LineShape = LAN):
    drill = Drill("hour", 5, shape=shape)
    cast = Cast.found(drill.world, ["hq", "a", "b", "c"][:nodes], computer=computer)
    return drill, cast


def hour(
    computer: type[Computer] = Computer,
    more: Callable[[Drill, Cast], None] = lambda drill, cast: None,
    *,
    nodes: int = 3,
) -> Result:
    """A and b are alone for a while; each loses power at a moment that hurts."""
    drill, cast = begin(computer, nodes=nodes)
    world, (hq, a, b, *_) = drill.world, cast.hosts
    world.mesh(cast.hosts)
    start_us = world.at_us
    for host in cast.hosts:
        drill.staff(host, per_hour=30.0, until_us=start_us + HOUR_US)

    def at(minute: float, act: Callable[[], None]) -> None:
        world.at(start_us + round(minute * MINUTE_US), act)

    at(10, lambda: world.partition([hq], [a], [host for host in cast.hosts if host not in (hq, a)]))
    at(20, lambda: world.crash(a, down_us=MINUTE_US))
    at(30, world.heal)
    at(40, lambda: world.crash_at_commit(b, 1, after=True, down_us=MINUTE_US))
    at(45, lambda: world.crash_at_commit(hq, 2, after=False, down_us=MINUTE_US))
    more(drill, cast)
    world.run_until(start_us + HOUR_US)
    return drill.finish(hq)
