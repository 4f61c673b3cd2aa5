"""One drill: a world, people who write in it, and what is measured at the end."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from protocols.sim import checkers
from protocols.sim.book import EntryName
from protocols.sim.chance import seeded
from protocols.sim.clock import HOUR_US, SECOND_US
from protocols.sim.forgery import garble
from protocols.sim.generator import Workload
from protocols.sim.host import Answer, Host
from protocols.sim.machine import Computer
from protocols.sim.network import LAN, LineShape
from protocols.sim.report import Finding, Result, Spread
from protocols.sim.witness import Line, Saved
from protocols.sim.world import World

CANARY = "Qanarynka"
"""A word in every record; found where nothing may be readable, something leaks."""
_CANARY_BYTES = CANARY.encode()
PAPER_PAUSE_US = 60 * SECOND_US
"""Who got no answer keeps the paper and types it again this much later."""
SETTLE_STEP_US = 10 * SECOND_US
SETTLE_MAX_US = HOUR_US
"""Devices that can all reach each other must agree within this."""
RECENT = 40
"""How many of the latest patients people still work on."""


@dataclass(slots=True)
class _Patient:
    tag: str
    entries: frozenset[EntryName]
    """What was on the disk when they were registered."""


class Drill:
    """A world with people in it."""

    def __init__(self, scenario: str, seed: int, *, shape: LineShape = LAN) -> None:
        self.scenario = scenario
        self.seed = seed
        self.world = World(seed, shape=shape)
        self.notes: dict[str, int] = {}
        self.findings: dict[str, Callable[[], Finding]] = {}
        """What a scenario judges by itself at the end, beside the checks of every drill."""
        self._chance = seeded(seed, "people")
        self._books: dict[int, Workload] = {}
        self._patients: list[_Patient] = []
        self._papers = 0
        self._spilled = 0
        self.words: dict[str, str] = {}
        """A word that people of an organisation put into every record, by its name."""
        self.holdings: Callable[[], list[dict[str, Any]]] = list
        """What a scenario lists of each node at the end."""
        self.reconciled: Callable[[], dict[str, dict[str, int]]] = dict
        """What a scenario counted in its own world and found in the books, by what it is of."""
        self.urgent_spans: Callable[[], list[int]] | None = None
        """What `urgent_to_nodes_s` is made of, where a scenario counts from another moment than
        *saved*; microseconds."""
        self.world.carriage.taps.append(self._look_for_canary)

    # --- people ---------------------------------------------------------------------------

    def staff(self, host: Host, *, per_hour: float, until_us: int) -> None:
        """Let people write on a device, at random moments, so many an hour."""
        self._next_write(host, HOUR_US / per_hour, until_us)

    def write(self, host: Host, line: Line, *, told: bool = True) -> None:
        """Write one line; without an answer, again and again until there is one.

        Args:
            told: Whether others come to work on a patient who is registered by it.
        """
        records = len(self.world.witness.records)
        answer = self.world.write(host, line)
        if answer is None:
            self._papers += 1
            self.world.after(PAPER_PAUSE_US, lambda: self._again(host, line, told))
        elif told and len(self.world.witness.records) > records:
            tag = _founds(line)
            if tag is not None:
                saved = self.world.witness.records[-1]
                self._patients.append(_Patient(tag, frozenset(saved.entries)))

    def ask(self, host: Host, line: Line, then: Callable[[Answer], None]) -> None:
        """Write one line, again and again until it is answered, and go on with the answer."""
        answer = self.world.write(host, line)
        if answer is not None:
            then(answer)
            return
        self._papers += 1
        self.world.after(PAPER_PAUSE_US, lambda: self._ask_again(host, line, then))

    def garble(self, host: Host) -> None:
        """Let the software of a device write two entries that say nothing, if it is on."""
        if host.node is not None:
            assert isinstance(host.machine, Computer)
            now = host.now(self.world.at_us)
            garble(host.machine.ledger, now.entropy, now.wall_ms)
            self.world.witness.made(host, self.world.at_us)

    def workload(self, host: Host) -> Workload:
        """Return the hand that writes on this device."""
        if host.place not in self._books:
            canary = " ".join(filter(None, (CANARY, self.words.get(host.org))))
            self._books[host.place] = Workload(self.seed, f"{host.name}-", canary=canary)
        return self._books[host.place]

    def known_tags(self, host: Host) -> list[str]:
        """Return tags of recent patients that this device has heard of, and may read of."""
        witness = self.world.witness
        seen = witness.seen.get(host.place, {}).keys()
        heard = [each for each in self._patients[-RECENT:] if seen >= each.entries]
        if host.reads and host.shows is None:
            return [patient.tag for patient in heard]
        return [
            patient.tag
            for patient in heard
            if all(host.may_read(witness.scope_of(name)) for name in patient.entries)
        ]

    def _next_write(self, host: Host, mean_us: float, until_us: int) -> None:
        due_us = self.world.at_us + int(self._chance.expovariate(1) * mean_us)
        if due_us < until_us:
            self.world.at(due_us, lambda: self._write_and_go_on(host, mean_us, until_us))

    def _write_and_go_on(self, host: Host, mean_us: float, until_us: int) -> None:
        self.write(host, self.workload(host).next(self.known_tags(host)))
        self._next_write(host, mean_us, until_us)

    def _again(self, host: Host, line: Line, told: bool) -> None:
        self._papers -= 1
        self.write(host, line, told=told)

    def _ask_again(self, host: Host, line: Line, then: Callable[[Answer], None]) -> None:
        self._papers -= 1
        self.ask(host, line, then)

    def _look_for_canary(self, message: bytes) -> None:
        self._spilled += _CANARY_BYTES in message

    # --- the end --------------------------------------------------------------------------

    def finish(
        self,
        hq: Host,
        *,
        demand_overtaking: bool = False,
        demand_void: bool = False,
        demand_relay: bool = False,
    ) -> Result:
        """Heal and start everything, wait until all agree, and judge.

        What is demanded has to have been met: an urgent record behind a backlog, something void,
        a relay that carried.
        """
        world = self.world
        world.heal()
        for host in world.hosts:
            host.machine.arm(0, after=False)
            world.boot(host)
        deadline_us = world.at_us + SETTLE_MAX_US
        while (self._papers or not self._level()) and world.at_us < deadline_us:
            world.run_until(world.at_us + SETTLE_STEP_US)
        world.run_until(world.at_us + SETTLE_STEP_US)
        # What a node wrote by itself at the end of that, a key handed on, is on its way.
        while not self._level() and world.at_us < deadline_us:
            world.run_until(world.at_us + SECOND_US)
        checks = {
            "nothing_saved_is_lost": checkers.nothing_saved_is_lost(world),
            "all_agree": checkers.all_agree(world),
            "nothing_forged": checkers.nothing_forged(world),
            "judged_alike": checkers.judged_alike(world, demand=demand_void),
            "urgent_overtakes": checkers.urgent_overtakes(world, hq, demand=demand_overtaking),
            "carriers_are_blind": checkers.carriers_are_blind(
                world, CANARY, self._spilled, demand=demand_relay
            ),
            "nothing_twice": checkers.nothing_twice(world),
            **{name: find() for name, find in self.findings.items()},
        }
        return self._result(hq, checks)

    def _level(self) -> bool:
        """Whether every honest disk holds the same entries."""
        return checkers.level(self.world)

    def _result(self, hq: Host, checks: dict[str, Finding]) -> Result:
        world = self.world
        records = world.witness.records
        at_hq = sum(self._arrived(saved, hq) is not None for saved in records)
        others = [host for host in checkers.holders(world) if host is not hq]
        agreed = checks["all_agree"].ok
        notes = {"crashes": world.crashes, "refused": len(world.witness.refused)} | self.notes
        return Result(
            scenario=self.scenario,
            seed=self.seed,
            nodes=len(world.hosts),
            virtual_s=round(world.at_us / SECOND_US, 1),
            written=len(records),
            at_hq=at_hq,
            lost=_count(checks["nothing_saved_is_lost"], checkers.lost_records(world)),
            duplicated=_count(checks["nothing_twice"], checkers.twice(world)),
            converged=agreed,
            converged_s=self._converged_s() if agreed else None,
            urgent_to_hq_s=Spread.of_us(list(self._spans([hq], urgent=True))),
            urgent_to_nodes_s=Spread.of_us(
                self.urgent_spans()
                if self.urgent_spans is not None
                else list(self._spans(others, urgent=True))
            ),
            routine_to_hq_s=Spread.of_us(list(self._spans([hq], urgent=False))),
            wire_bytes=world.carriage.wire_bytes,
            messages=world.carriage.messages,
            checks=checks,
            trace_hash=world.trace.hexdigest(),
            notes=notes,
            holdings=self.holdings(),
            reconciled=self.reconciled(),
        )

    def _arrived(self, saved: Saved, host: Host) -> int | None:
        return self.world.witness.arrival_us(host.place, saved.entries)

    def _spans(self, hosts: Iterable[Host], *, urgent: bool) -> Iterator[int]:
        witness = self.world.witness
        for saved in witness.records:
            entries = witness.in_lane(saved, urgent=urgent)
            for host in hosts:
                came_us = witness.arrival_us(host.place, entries)
                if host.place != saved.place and came_us is not None:
                    yield max(0, came_us - saved.at_us)

    def _converged_s(self) -> float:
        last_us = max(max(seen.values(), default=0) for seen in self.world.witness.seen.values())
        return round(max(0, last_us - self.world.settled_us) / SECOND_US, 3)


def _founds(line: Line) -> str | None:
    """Return the tag of the patient that a line founds, if it founds one."""
    if line["kind"] == "patient.register":
        tag: str = line["data"]["tags"][0]
        return tag
    return line["data"].get("tag") if line["kind"] == "triage.record" else None


def _count(found: Finding, bad: Iterator[str]) -> int:
    """Count what a check found bad; where it found nothing it is not looked for again."""
    return 0 if found.ok else sum(1 for _ in bad)
