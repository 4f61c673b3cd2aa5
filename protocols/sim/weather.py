"""Random faults of a drill: partitions, one-way and flapping lines, power cuts, wrong clocks."""

from __future__ import annotations

from collections.abc import Sequence

from protocols.sim.chance import seeded
from protocols.sim.clock import DRILL_BEGINS_MS, MS_US, SECOND_US
from protocols.sim.host import Host
from protocols.sim.world import World

FLAP_US = 20 * SECOND_US
"""A flapping line changes about this often: around the heartbeat that would break it."""
DECADE_MS = 3_652 * 24 * 3_600 * 1_000


class Weather:
    """Faults at random moments until the weather clears.

    Args:
        every_us: Mean time between two faults.
        until_us: From here on nothing new breaks.
    """

    def __init__(
        self, world: World, hosts: Sequence[Host], *, every_us: int, until_us: int
    ) -> None:
        self.counts: dict[str, int] = {}
        """How often each fault came."""
        self._world = world
        self._hosts = hosts
        self._every_us = every_us
        self._until_us = until_us
        self._chance = seeded(world.seed, "weather")
        self._faults = (
            self._partition, self._one_way, self._flap, self._swizzle, self._heal,
            self._power_cut, self._cut_at_commit, self._cut_at_commit, self._wrong_clock,
        )  # fmt: skip
        self._wait()

    def _wait(self) -> None:
        pause_us = int(self._chance.expovariate(1) * self._every_us)
        if self._world.at_us + pause_us < self._until_us:
            self._world.after(pause_us, self._strike)

    def _strike(self) -> None:
        fault = self._chance.choice(self._faults)
        name = fault.__name__.strip("_")
        self.counts[name] = self.counts.get(name, 0) + 1
        fault()
        self._wait()

    def _partition(self) -> None:
        groups: tuple[list[Host], ...] = ([], [], [])
        for host in self._hosts:
            self._chance.choice(groups[: self._chance.randint(2, 3)]).append(host)
        self._world.partition(*groups)

    def _one_way(self) -> None:
        self._world.cut(*self._two(), both=False)

    def _flap(self) -> None:
        here, there = self._two()
        at_us = self._world.at_us
        for turn in range(self._chance.randint(2, 8)):
            at_us += int(self._chance.random() * 2 * FLAP_US)
            if turn % 2:
                self._world.at(at_us, lambda: self._world.mend(here, there))
            else:
                self._world.at(at_us, lambda: self._world.cut(here, there))

    def _swizzle(self) -> None:
        """Stop the lines one by one and let them go in another order."""
        pairs = [(a, b) for a in self._hosts for b in self._hosts if a.place < b.place]
        for way, act in ((0, self._world.cut), (60, self._world.mend)):
            self._chance.shuffle(pairs)
            for number, (here, there) in enumerate(pairs):
                due_us = self._world.at_us + (way + number) * SECOND_US
                self._world.at(due_us, lambda a=act, h=here, t=there: a(h, t))  # type: ignore[misc]

    def _heal(self) -> None:
        self._world.heal()

    def _power_cut(self) -> None:
        self._world.crash(self._one(), down_us=self._some_time())

    def _cut_at_commit(self) -> None:
        after, commits = self._chance.random() < 0.5, self._chance.randint(1, 4)
        down_us = self._some_time()
        self._world.crash_at_commit(self._one(), commits, after=after, down_us=down_us)

    def _wrong_clock(self) -> None:
        """Decades off, or set right again."""
        host, at_us = self._one(), self._world.at_us
        right_ms = DRILL_BEGINS_MS + at_us // MS_US
        host.clock.set_wall(at_us, right_ms + self._chance.choice((-3, -1, 0, 0, 1)) * DECADE_MS)

    def _one(self) -> Host:
        return self._chance.choice(self._hosts)

    def _two(self) -> tuple[Host, Host]:
        here, there = self._chance.sample(self._hosts, 2)
        return here, there

    def _some_time(self) -> int:
        return SECOND_US + int(self._chance.random() * 300 * SECOND_US)
