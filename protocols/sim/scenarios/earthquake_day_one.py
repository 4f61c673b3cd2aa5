"""Day one after an earthquake: a hundred casualties in forty minutes, ten devices, lines that flap.

Three gates triage by tag, wards and theatre chart, HQ is behind a satellite. Every access point
goes away for a while again and again, two batteries die, and for five minutes the gates are cut off
from all wards. What counts: no record is lost, no two patients have one code, and a RED is
everywhere within five seconds of there being a way.
"""

from __future__ import annotations

from protocols.sim.cast import Cast
from protocols.sim.chance import seeded
from protocols.sim.checkers import codes_are_single
from protocols.sim.clock import SECOND_US
from protocols.sim.drill import Drill
from protocols.sim.host import Host
from protocols.sim.machine import Computer
from protocols.sim.network import SATELLITE, WIFI
from protocols.sim.paths import Paths
from protocols.sim.report import Finding, Result
from protocols.sim.witness import Saved

MINUTE_US = 60 * SECOND_US
GATES = ("gate-north", "gate-south", "triage")
WARDS = ("red-1", "red-2", "yellow", "green", "theatre", "ambulance")
CASUALTIES = 100
ARRIVE_US = 40 * MINUTE_US
ENDS_US = 60 * MINUTE_US
RED_MAX_US = 5 * SECOND_US
"""A RED is at every device within this of a way there."""
CARE_PER_HOUR = 40.0
FLAP_EVERY_US = 75 * SECOND_US
"""Mean time between two losses of one access point."""
FLAP_US = (2 * SECOND_US, 40 * SECOND_US)
"""How long one is away: from a glitch to longer than a heartbeat."""


def run(seed: int, *, casualties: int = CASUALTIES, computer: type[Computer] = Computer) -> Result:
    """Run it; the first device is HQ."""
    drill = Drill("earthquake-day-one", seed, shape=WIFI)
    world = drill.world
    cast = Cast.found(world, ["hq", *GATES, *WARDS], computer=computer)
    hq, *tents = cast.hosts
    for host in tents:
        world.network.shape(host.place, hq.place, SATELLITE)
    world.mesh(cast.hosts)
    start_us = world.at_us
    _arrivals(drill, tents[: len(GATES)], start_us, casualties)
    for host in tents[len(GATES) :]:
        drill.staff(host, per_hour=CARE_PER_HOUR, until_us=start_us + ENDS_US)
    _flapping(drill, cast.hosts, start_us)
    _bad_luck(drill, tents, hq, start_us)
    # The end heals everything: what waited until then is judged by it too.
    paths = Paths(world, _is_red, until_us=start_us + ENDS_US + 2 * MINUTE_US)
    world.run_until(start_us + ENDS_US)
    drill.urgent_spans = lambda: paths.spans_us
    drill.findings |= {
        "reds_are_everywhere_in_time": lambda: paths.finding(RED_MAX_US),
        "codes_are_single": lambda: codes_are_single(world),
        "all_casualties_are_written": lambda: _all_written(drill, casualties),
    }
    return drill.finish(hq)


def _arrivals(drill: Drill, gates: list[Host], start_us: int, casualties: int) -> None:
    """Casualties at the gates, in waves as lorries bring them."""
    chance = seeded(drill.seed, "casualties")
    for _ in range(casualties):
        # Half come evenly, half crowd into the first quarter.
        share = chance.random() if chance.random() < 0.5 else chance.random() / 4
        gate = chance.choice(gates)
        line = drill.workload(gate).casualty()
        due_us = start_us + int(share * ARRIVE_US)
        drill.world.at(due_us, lambda gate=gate, line=line: drill.write(gate, line))  # type: ignore[misc]


def _flapping(drill: Drill, hosts: list[Host], start_us: int) -> None:
    """Each access point takes all lines of its device away, and gives them back."""
    world, chance = drill.world, seeded(drill.seed, "flaps")
    away: set[int] = set()

    def set_lines(host: Host) -> None:
        for other in hosts:
            if other is not host:
                act = world.cut if away & {host.place, other.place} else world.mend
                act(host, other)

    def lose(host: Host) -> None:
        away.add(host.place)
        set_lines(host)

    def find(host: Host) -> None:
        away.discard(host.place)
        set_lines(host)

    for host in hosts:
        at_us = start_us + int(chance.random() * FLAP_EVERY_US)
        while at_us < start_us + ENDS_US:
            back_us = at_us + chance.randint(*FLAP_US)
            world.at(at_us, lambda host=host: lose(host))  # type: ignore[misc]
            world.at(back_us, lambda host=host: find(host))  # type: ignore[misc]
            at_us = back_us + int(chance.expovariate(1) * FLAP_EVERY_US)


def _bad_luck(drill: Drill, tents: list[Host], hq: Host, start_us: int) -> None:
    """Two batteries die in the middle of a commit; a lorry parks on the cable of the gates."""
    world = drill.world
    gates, wards = tents[: len(GATES)], tents[len(GATES) :]
    for number, host in enumerate((gates[0], wards[0])):
        due_us = start_us + (12 + 9 * number) * MINUTE_US
        world.at(
            due_us,
            lambda host=host: world.crash_at_commit(host, 2, after=True, down_us=90 * SECOND_US),  # type: ignore[misc]
        )
    parked_us = start_us + 25 * MINUTE_US
    world.at(parked_us, lambda: world.partition(gates, [*wards, hq]))
    world.at(parked_us + 5 * MINUTE_US, world.heal)


def _is_red(saved: Saved) -> bool:
    return bool(saved.line["kind"] == "triage.record" and saved.line["data"]["category"] == "red")


def _all_written(drill: Drill, casualties: int) -> Finding:
    """Every casualty that came through a gate is a patient at HQ."""
    written = {
        saved.key
        for saved in drill.world.witness.records
        if saved.line["kind"] == "triage.record" and "patient" not in saved.line
    }
    return Finding(len(written) == casualties, f"{len(written)} of {casualties}")
