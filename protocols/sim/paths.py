"""Since when a device could have had what it lacks: along open lines between devices that are on.

A span from *saved* to *arrived* says little while lines flap: nothing travels where no line is.
Here the clock starts when a way came to exist, from any device that holds the record over any
others, and starts again when that way is cut.
"""

from __future__ import annotations

from collections.abc import Callable

from protocols.sim.clock import MS_US, SECOND_US
from protocols.sim.report import Finding
from protocols.sim.witness import Saved
from protocols.sim.world import World

LOOK_US = 250 * MS_US
"""How often the lines are looked at."""


class Paths:
    """Watches records of one sort on their way to every device.

    Args:
        wanted: Which of the records that devices called saved.
        until_us: It looks until then.
    """

    def __init__(self, world: World, wanted: Callable[[Saved], bool], until_us: int) -> None:
        self.spans_us: list[int] = []
        """From when a way was there until the record was, for each record and other device."""
        self._world = world
        self._wanted = wanted
        self._until_us = until_us
        self._read = 0
        self._looked_us = world.at_us
        self._lacking: dict[int, tuple[Saved, dict[int, int | None]]] = {}
        """By number of the record: devices that lack it, with since when there is a way."""
        self._longest_us = 0
        """The longest that any way was there without the record having come."""
        self._longest = ""
        self._look()

    def finding(self, most_us: int) -> Finding:
        """Every record was at every device within this of a way there."""
        count = self._read and len(self.spans_us)
        if not count:
            return Finding(False, "no such record reached another device: the drill proved nothing")
        if self._longest_us > most_us:
            return Finding(False, f"{self._longest_us / SECOND_US:.1f} s: {self._longest}")
        took = f"at most {self._longest_us / SECOND_US:.1f} s after there was a way"
        return Finding(True, f"{count} arrivals, {took}")

    def _look(self) -> None:
        self._take_new()
        if self._lacking:
            groups = self._groups()
            for number, (saved, lacking) in list(self._lacking.items()):
                self._judge(saved, lacking, groups)
                if not lacking:
                    del self._lacking[number]
        self._looked_us = self._world.at_us
        if self._world.at_us + LOOK_US <= self._until_us:
            self._world.after(LOOK_US, self._look)

    def _take_new(self) -> None:
        records = self._world.witness.records
        for number in range(self._read, len(records)):
            saved = records[number]
            if self._wanted(saved):
                others = (each for each in self._world.hosts if each.place != saved.place)
                self._lacking[number] = saved, {each.place: None for each in others}
        self._read = len(records)

    def _judge(self, saved: Saved, lacking: dict[int, int | None], groups: dict[int, int]) -> None:
        world, entries = self._world, saved.entries
        seen = world.witness.seen
        at = {
            host.place
            for host in world.hosts
            if all(name in seen.get(host.place, {}) for name in entries)
        }
        holding = {groups[place] for place in at if place in groups}
        for place, since_us in list(lacking.items()):
            if place in at:
                came_us = world.witness.arrival_us(place, entries) or world.at_us
                # Where no look saw the way, it came to be after the last one.
                began_us = max(saved.at_us, self._looked_us) if since_us is None else since_us
                self._waited(saved, place, max(0, came_us - began_us))
                self.spans_us.append(max(0, came_us - began_us))
                del lacking[place]
            elif groups.get(place, -1) not in holding:
                lacking[place] = None
            elif since_us is None:
                lacking[place] = world.at_us
            else:
                self._waited(saved, place, world.at_us - since_us)

    def _waited(self, saved: Saved, place: int, span_us: int) -> None:
        if span_us > self._longest_us:
            self._longest_us = span_us
            names = (self._world.hosts[saved.place].name, self._world.hosts[place].name)
            self._longest = f"{saved.key} from {names[0]} to {names[1]}"

    def _groups(self) -> dict[int, int]:
        """Return for each device that is on the number of its group of mutual reach."""
        on = [host.place for host in self._world.hosts if host.node is not None]
        through = self._world.network.through
        group: dict[int, int] = {}
        for start in on:
            if start in group:
                continue
            group[start], edge = start, [start]
            while edge:
                here = edge.pop()
                near = [there for there in on if there not in group and through(here, there)]
                group |= dict.fromkeys(near, start)
                edge += near
        return group
