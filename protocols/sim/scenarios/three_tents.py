"""Three tents and one HQ: a partition, a restart, a cloned card and a wrong clock.

A working day of eleven hours. The tents share one WLAN with a relay, which carries everything and
may read nothing; HQ is behind a satellite line, and for the mass casualty behind a radio. One
tent's software goes wrong once and writes what nobody can open.
"""

from __future__ import annotations

from protocols.sim.cast import Cast
from protocols.sim.clock import DRILL_BEGINS_MS, HOUR_US, SECOND_US, DeviceClock
from protocols.sim.drill import Drill
from protocols.sim.host import Host
from protocols.sim.machine import Computer
from protocols.sim.network import RADIO, SATELLITE, WIFI
from protocols.sim.report import Result

MINUTE_US = 60 * SECOND_US
DAY_US = 11 * HOUR_US
TEN_YEARS_MS = 3_652 * 24 * 3_600 * 1_000
BACKLOG_LINES = 240
"""Routine lines a tent writes while HQ is out of reach: over a minute of a radio line."""
URGENT_LINES = 6


def run(seed: int, *, computer: type[Computer] = Computer) -> Result:
    """Run it, with this software on every device."""
    drill = Drill("three-tents", seed, shape=WIFI)
    clocks = {
        "tent-b": DeviceClock(offset_ms=TEN_YEARS_MS, drift_ppm=400),
        "tent-c": DeviceClock(offset_ms=-90_000, drift_ppm=-9_000),
    }
    cast = Cast.found(
        drill.world, ["hq", "tent-a", "tent-b", "tent-c"], clocks=clocks, computer=computer
    )
    hq, *tents = cast.hosts
    relay = cast.relay("relay")
    for host in (*tents, relay):
        drill.world.network.shape(host.place, hq.place, SATELLITE)
    drill.world.mesh([*cast.hosts, relay])
    for host in cast.hosts:
        drill.staff(host, per_hour=3.0 if host is hq else 12.0, until_us=DAY_US)
    _morning(drill, hq, tents, relay)
    _noon(drill, cast, tents)
    _evening(drill, hq, tents)
    drill.world.run_until(DAY_US)
    return drill.finish(hq, demand_overtaking=True, demand_void=True, demand_relay=True)


def _morning(drill: Drill, hq: Host, tents: list[Host], relay: Host) -> None:
    """A partition in three, a restart in the middle of a delivery, noise, a line that flaps."""
    world, (a, b, c) = drill.world, tents
    world.at(1 * HOUR_US, lambda: world.partition([a], [b, c, relay], [hq]))
    world.at(
        HOUR_US + 50 * MINUTE_US,
        lambda: world.crash_at_commit(b, 2, after=False, down_us=7 * MINUTE_US),
    )
    world.at(HOUR_US + 40 * MINUTE_US, lambda: drill.garble(a))
    world.at(2 * HOUR_US, world.heal)
    for turn in range(8):
        act = world.mend if turn % 2 else world.cut
        world.at(3 * HOUR_US + turn * 25 * SECOND_US, lambda act=act: act(a, hq))  # type: ignore[misc]
    world.at(3 * HOUR_US + 20 * MINUTE_US, lambda: world.cut(b, c, both=False))
    world.at(3 * HOUR_US + 40 * MINUTE_US, world.heal)


def _noon(drill: Drill, cast: Cast, tents: list[Host]) -> None:
    """The battery of a clock dies; somebody copies a card, and both are used apart."""
    world, (a, b, c) = drill.world, tents
    world.at(4 * HOUR_US, lambda: c.clock.set_wall(world.at_us, 0))
    world.at(
        4 * HOUR_US + 30 * MINUTE_US,
        lambda: world.crash_at_commit(c, 1, after=True, down_us=3 * MINUTE_US),
    )

    def copied() -> None:
        copy = cast.clone(b, "tent-b-copy")
        world.partition([copy], [host for host in world.hosts if host is not copy])
        for host in (a, c, cast.hq):
            world.dial(copy, host)
        drill.staff(copy, per_hour=20.0, until_us=7 * HOUR_US)

    world.at(5 * HOUR_US, copied)
    world.at(6 * HOUR_US, world.heal)
    world.at(
        7 * HOUR_US,
        lambda: c.clock.set_wall(world.at_us, DRILL_BEGINS_MS + world.at_us // 1_000),
    )


def _evening(drill: Drill, hq: Host, tents: list[Host]) -> None:
    """HQ is away while many come in; then a radio carries all of it, urgent first."""
    world, (a, _, c) = drill.world, tents
    apart = 8 * HOUR_US
    back = apart + 40 * MINUTE_US

    def away() -> None:
        for host in world.hosts:
            if host is not hq:
                world.cut(host, hq)
                world.network.shape(host.place, hq.place, RADIO)

    def surge(tent: Host) -> None:
        for line in drill.workload(tent).lines(BACKLOG_LINES):
            drill.write(tent, line)

    def casualties(tent: Host) -> None:
        drill.write(tent, drill.workload(tent).triage(drill.known_tags(tent)[-1]))

    world.at(apart, away)
    for number, tent in enumerate((a, c)):
        world.at(back - (10 - number) * MINUTE_US, lambda tent=tent: surge(tent))  # type: ignore[misc]
    world.at(back, world.heal)
    for number in range(URGENT_LINES):
        tent = (a, c)[number % 2]
        due_us = back + (40 + 7 * number) * SECOND_US
        world.at(due_us, lambda tent=tent: casualties(tent))  # type: ignore[misc]
