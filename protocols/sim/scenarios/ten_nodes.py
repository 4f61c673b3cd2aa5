"""Ten devices on one network, full mesh, five writes an hour each, for a hundred hours."""

from __future__ import annotations

from protocols.sim.cast import Cast
from protocols.sim.clock import HOUR_US
from protocols.sim.drill import Drill
from protocols.sim.report import Result

NODES = 10
WRITES_PER_HOUR = 5.0
HOURS = 100


def run(seed: int, *, nodes: int = NODES, hours: int = HOURS) -> Result:
    """Run it; the first device is HQ."""
    drill = Drill("ten-nodes", seed)
    cast = Cast.found(drill.world, ["hq", *(f"n{number}" for number in range(1, nodes))])
    drill.world.mesh(cast.hosts)
    for host in cast.hosts:
        drill.staff(host, per_hour=WRITES_PER_HOUR, until_us=hours * HOUR_US)
    drill.world.run_until(hours * HOUR_US)
    return drill.finish(cast.hq)
