"""The drills by name. Each takes a seed and returns what it came to."""

from __future__ import annotations

from collections.abc import Callable

from protocols.sim.report import Result
from protocols.sim.scenarios.ten_nodes import ten_nodes
from protocols.sim.scenarios.three_tents import three_tents

SCENARIOS: dict[str, Callable[[int], Result]] = {
    "three-tents": three_tents,
    "ten-nodes": ten_nodes,
}
