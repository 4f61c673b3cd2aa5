"""The drills by name. Each takes a seed and returns what it came to."""

from __future__ import annotations

from collections.abc import Callable

from protocols.sim.report import Result
from protocols.sim.scenarios import (
    earthquake_day_one,
    fifty_nodes,
    measles_campaign,
    ten_nodes,
    three_tents,
    two_ministries,
)

SCENARIOS: dict[str, Callable[[int], Result]] = {
    "three-tents": three_tents.run,
    "ten-nodes": ten_nodes.run,
    "fifty-nodes": fifty_nodes.run,
    "two-ministries": two_ministries.run,
    "earthquake-day-one": earthquake_day_one.run,
    "measles-campaign": measles_campaign.run,
}
