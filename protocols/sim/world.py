"""The drill world: hosts, events in order of true time, and the effects carried out.

The nodes are the product's own. The world gives them time, entropy and messages, and does what
they ask; it never looks inside a message and decides nothing for them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from heapq import heappop, heappush
from itertools import count
from typing import ClassVar

from protocols.mesh.effects import (
    Changed,
    Effect,
    Hangup,
    Joined,
    Notice,
    Now,
    PeerKnown,
    Transmit,
    WakeAt,
)
from protocols.sim.book import Arrival
from protocols.sim.carriage import Carriage
from protocols.sim.chance import seeded
from protocols.sim.clock import HOUR_US, DeviceClock
from protocols.sim.host import (
    DIAL_PAUSE_MIN_US,
    Answer,
    Dial,
    Host,
    Machine,
    Node,
    PowerCutError,
)
from protocols.sim.network import LAN, LineShape, Network
from protocols.sim.trace import Trace
from protocols.sim.witness import Line, Witness

STEPS_MAX = 200_000
"""More events than this at one moment is a node that never rests: a bug."""


def _nobody(_hours: int) -> None:
    """Nobody watches."""


class World:
    """Everything that happens in one drill, from one seed."""

    watcher: ClassVar[Callable[[int], None]] = staticmethod(_nobody)
    """Told each whole hour of true time that has passed, by whoever runs drills in this process;
    nothing that happens depends on it."""

    def __init__(self, seed: int, *, shape: LineShape = LAN) -> None:
        self.seed = seed
        self.at_us = 0
        """True time now."""
        self.chance = seeded(seed, "world")
        self.hosts: list[Host] = []
        self.trace = Trace()
        self.witness = Witness()
        self.network = Network(seeded(seed, "network"), shape)
        self.carriage = Carriage(self, self.network)
        self.crashes = 0
        self.settled_us = 0
        """True time of the last cut, heal, start, crash or write: after it all should agree."""
        self._events: list[tuple[int, int, Callable[[], None]]] = []
        self._order = count()

    # --- the cast -------------------------------------------------------------------------

    def add(
        self, name: str, make: Callable[[Now], Machine], clock: DeviceClock | None = None
    ) -> Host:
        """Put a device into the world, switched off; it is made at this moment of its clock."""
        place, clock = len(self.hosts), clock or DeviceClock()
        chance = seeded(self.seed, "entropy", place, name)
        now = Now(clock.wall_ms(self.at_us), clock.mono_ms(self.at_us), chance.randbytes)
        host = Host(place, name, make(now), clock, chance)
        self.hosts.append(host)
        return host

    def boot(self, host: Host) -> None:
        """Switch a device on, unless it is."""
        if host.node is not None:
            return
        self.settled_us = self.at_us
        host.clock.reboot(self.at_us)
        host.lives += 1
        try:
            host.node = host.machine.boot(host.now(self.at_us))
        except PowerCutError:
            self._power_gone(host)
            return
        self.call(host, host.node.start)
        if host.node is not None:
            self.call(host, host.node.catch_up_last)
        for dial in host.dials.values():
            dial.pause_us, dial.pending = DIAL_PAUSE_MIN_US, False
            self.carriage.dial(host, dial)

    def crash(self, host: Host, *, down_us: int | None = None) -> None:
        """Take the power away now; give it back after `down_us`, if that is given."""
        host.down_us = down_us
        if host.node is not None:
            self._power_gone(host)

    def crash_at_commit(self, host: Host, commits: int, *, after: bool, down_us: int) -> None:
        """Take the power away around a commit to come: between its transactions, or its last.

        Args:
            commits: Which of the next commits, from 1.
            after: Just after it is durable, so that nobody hears of it; else just before.
        """
        host.down_us = down_us
        host.machine.arm(commits, after=after)

    def dial(self, here: Host, there: Host) -> None:
        """Let `here` keep a link to `there`, whenever both are up and can reach each other."""
        self.carriage.dial(here, here.dials.setdefault(there.place, Dial(there.place)))

    def mesh(self, hosts: Sequence[Host]) -> None:
        """Let every pair keep one link; the earlier host dials."""
        for number, here in enumerate(hosts):
            for there in hosts[number + 1 :]:
                self.dial(here, there)

    # --- what people and the weather do ---------------------------------------------------

    def write(self, host: Host, line: Line) -> Answer | None:
        """Let somebody write one line on this device; return the answer they saw.

        None when the device is off, or loses power before it answers.
        """
        if host.node is None:
            return None
        try:
            answers, effects = host.node.record([line], host.now(self.at_us), rows_later=True)
        except PowerCutError:
            self.witness.unanswered(host, line, self._power_gone(host))
            return None
        self.settled_us = self.at_us
        self.witness.answered(host, self.at_us, line, answers[0])
        self._carry_out(host, effects)
        self._catch_up(host, host.node)
        return answers[0]

    def _catch_up(self, host: Host, node: Node) -> None:
        """Let a node do what it left until its answer was seen; it may lose power meanwhile."""
        try:
            effects = node.catch_up_left(host.now(self.at_us))
        except PowerCutError:
            self.witness.restated(host, self._power_gone(host))
            return
        self.witness.restated(host, self.witness.look(host, self.at_us))
        self._carry_out(host, effects)

    def partition(self, *groups: Iterable[Host]) -> None:
        """Let only hosts of the same group reach each other."""
        self.network.partition([[host.place for host in group] for group in groups])
        self._lines_changed()

    def cut(self, here: Host, there: Host, *, both: bool = True) -> None:
        """Cut one direction, or both."""
        self.network.cut(here.place, there.place)
        if both:
            self.network.cut(there.place, here.place)
        self._lines_changed()

    def mend(self, here: Host, there: Host) -> None:
        """Let both directions between two hosts through again."""
        self.network.heal(here.place, there.place)
        self.network.heal(there.place, here.place)
        self._lines_changed()

    def heal(self) -> None:
        """Let everybody reach everybody."""
        self.network.heal_all()
        self._lines_changed()

    def _lines_changed(self) -> None:
        self.settled_us = self.at_us
        self.carriage.lines_changed()

    # --- time -----------------------------------------------------------------------------

    def at(self, at_us: int, action: Callable[[], None]) -> None:
        """Do something at a moment of true time."""
        heappush(self._events, (max(at_us, self.at_us), next(self._order), action))

    def after(self, pause_us: int, action: Callable[[], None]) -> None:
        """Do something after a while."""
        self.at(self.at_us + pause_us, action)

    def run_until(self, at_us: int) -> None:
        """Let time pass up to and including this moment."""
        events, steps = self._events, 0
        while events and events[0][0] <= at_us:
            due_us, _, action = heappop(events)
            steps = steps + 1 if due_us == self.at_us else 0
            assert steps < STEPS_MAX, "a node never rests"
            if due_us // HOUR_US > self.at_us // HOUR_US:
                World.watcher(due_us // HOUR_US)
            self.at_us = due_us
            action()
        self.at_us = max(self.at_us, at_us)

    # --- calling a node and carrying out what it asks ---------------------------------------

    def call(self, host: Host, ask: Callable[[Now], list[Effect]]) -> None:
        """Ask a node and carry out its effects; it may lose power meanwhile."""
        try:
            effects = ask(host.now(self.at_us))
        except PowerCutError:
            self._power_gone(host)
            return
        self._carry_out(host, effects)

    def _carry_out(self, host: Host, effects: list[Effect]) -> None:
        self.witness.look(host, self.at_us)
        for effect in effects:
            # These two are nearly all there are, and a drill carries out millions.
            if type(effect) is Transmit:
                self.carriage.send(host, effect.link, effect.message)
            elif type(effect) is WakeAt:
                self._wake_at(host, effect.mono_ms)
            else:
                self._carry_out_rare(host, effect)

    def _carry_out_rare(self, host: Host, effect: Effect) -> None:
        match effect:
            case Changed(tables):
                self.trace.add(self.at_us, host.place, " ".join(sorted(tables)).encode())
            case Hangup(link, code):
                self.trace.add(self.at_us, host.place, code.encode())
                self.carriage.hang_up(host, link)
            case PeerKnown(device, address):
                host.known[address] = device
            case Joined():
                self.trace.add(self.at_us, host.place, b"joined")
                host.joined = True
            case Notice(code, _):
                self.trace.add(self.at_us, host.place, code.encode())
                self.witness.noticed(host, self.at_us, effect)

    def _wake_at(self, host: Host, mono_ms: int) -> None:
        due_us = max(self.at_us, host.clock.when_us(mono_ms))
        if host.wake_us != due_us:
            host.wake_us = due_us
            life = host.lives
            self.at(due_us, lambda: self._wake(host, due_us, life))

    def _wake(self, host: Host, due_us: int, life: int) -> None:
        if host.node is not None and host.wake_us == due_us and host.lives == life:
            host.wake_us = None
            self.call(host, host.node.tick)

    def _power_gone(self, host: Host) -> Sequence[Arrival]:
        """Switch a device off as it stands; return what had come onto its disk."""
        self.crashes += 1
        self.settled_us = self.at_us
        self.trace.add(self.at_us, host.place, b"power gone")
        host.machine.halt()
        arrivals = self.witness.look(host, self.at_us)
        host.node, host.wake_us = None, None
        self.carriage.drop_all(host)
        if host.down_us is not None:
            self.after(host.down_us, lambda: self.boot(host))
            host.down_us = None
        return arrivals
