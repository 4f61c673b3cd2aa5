"""How messages and connections come and go between the hosts of a drill.

It stands where `protocols.live` stands in a real node: it dials, redials with growing pauses,
delivers whole messages in order, and notices a dead line only by its heartbeat.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Protocol

from protocols.mesh.effects import Effect, Now
from protocols.sim.carrier import Carrier, End
from protocols.sim.clock import MS_US, SECOND_US
from protocols.sim.host import DIAL_PAUSE_MAX_US, DIAL_PAUSE_MIN_US, Dial, Host
from protocols.sim.network import Network
from protocols.sim.trace import Trace

HEARTBEAT_US = 15 * SECOND_US
"""A carrier that hears nothing breaks after one to two of these."""
STABLE_US = 10 * SECOND_US
"""A carrier that lived this long was good: the next dial does not pause longer."""
RESEND_US = 200 * MS_US
"""After a cut heals, what waited is sent again this much later."""

Tamper = Callable[[int, int, bytes], bytes | None]


class Stage(Protocol):
    """What the world gives: time, chance, and a way to call a node."""

    at_us: int
    hosts: list[Host]
    chance: Random
    trace: Trace

    def at(self, at_us: int, action: Callable[[], None]) -> None:
        """Do something at a moment of true time."""
        ...

    def call(self, host: Host, ask: Callable[[Now], list[Effect]]) -> None:
        """Ask a node and carry out its effects."""
        ...


class Carriage:
    """Every connection of a drill."""

    def __init__(self, stage: Stage, network: Network) -> None:
        self.network = network
        self.wire_bytes = 0
        """Length of every message sent, as the carrier was given it."""
        self.messages = 0
        self.taps: list[Callable[[bytes], None]] = []
        """Each sees every message as the carrier does."""
        self.tamper: Tamper | None = None
        """An attacker on the line: (from, to, message) to what arrives, None for nothing."""
        self._stage = stage
        self._carriers: list[Carrier] = []

    # --- messages -------------------------------------------------------------------------

    def send(self, host: Host, link: int, message: bytes) -> None:
        """Send one message over a link; on one that just closed it is lost."""
        carrier = host.links.get(link)
        if carrier is None or carrier.broken:
            return
        self.messages += 1
        self.wire_bytes += len(message)
        for tap in self.taps:
            tap(message)
        end = carrier.far(carrier.end_at(host.place))
        arrives = message if self.tamper is None else self.tamper(host.place, end.place, message)
        if arrives is None:
            return
        if self.network.cut_no(host.place, end.place):
            end.waiting.append(arrives)
        else:
            self._let_arrive(carrier, end, arrives, self._stage.at_us)

    def _let_arrive(self, carrier: Carrier, end: End, message: bytes, at_us: int) -> None:
        here = carrier.far(end).place
        due_us = self.network.arrival_us(here, end.place, len(message), at_us)
        self._stage.at(due_us, lambda: self._arrive(carrier, end, message))

    def _arrive(self, carrier: Carrier, end: End, message: bytes) -> None:
        stage = self._stage
        host = stage.hosts[end.place]
        node, link = host.node, end.link
        if not link or node is None:
            return
        if self.network.cut_no(carrier.far(end).place, end.place):
            end.waiting.append(message)
            return
        stage.trace.add(stage.at_us, end.place, message)
        stage.call(host, lambda now: node.received(link, message, now))

    # --- dialling -------------------------------------------------------------------------

    def dial(self, host: Host, dial: Dial, pause_us: int = 0) -> None:
        """Try to reach a peer after a pause, and go on trying until linked, whoever dialled."""
        if not dial.pending and host.node is not None:
            dial.pending = True
            life = host.lives
            stage = self._stage
            stage.at(stage.at_us + pause_us, lambda: self._try(host, dial, life))

    def _try(self, host: Host, dial: Dial, life: int) -> None:
        if host.lives != life or host.node is None:
            return
        stage, there = self._stage, self._stage.hosts[dial.place]
        if _linked(host, dial.place):
            dial.pending = False
            return
        if there.node is None or not self.network.through(host.place, there.place):
            self._again(host, dial)
            return
        wait_us = self.network.round_trip_us(host.place, there.place)
        their_life = there.lives
        stage.at(stage.at_us + wait_us, lambda: self._open(host, dial, life, their_life))

    def _again(self, host: Host, dial: Dial) -> None:
        longest_us = dial.longest_us(self._stage.at_us)
        pause_us = min(dial.pause_us, longest_us)
        dial.pending = False
        dial.pause_us = min(2 * pause_us, DIAL_PAUSE_MAX_US)
        drawn_us = int(self._stage.chance.random() * pause_us / 4)
        self.dial(host, dial, min(pause_us + drawn_us, longest_us))

    def _open(self, host: Host, dial: Dial, life: int, their_life: int) -> None:
        if host.lives != life or host.node is None:
            return
        there = self._stage.hosts[dial.place]
        up = there.node is not None and there.lives == their_life
        if not up or not self.network.through(host.place, there.place):
            self._again(host, dial)
            return
        dial.pending = False
        carrier = Carrier((host.new_end(), there.new_end()), self._stage.at_us)
        self._carriers.append(carrier)
        for here in (there, host):
            here.links[carrier.end_at(here.place).link] = carrier
        self._tell_opened(there, carrier, dialled=False)
        self._tell_opened(host, carrier, dialled=True)

    def _tell_opened(self, host: Host, carrier: Carrier, *, dialled: bool) -> None:
        node, end = host.node, carrier.end_at(host.place)
        if node is None or not end.link:
            return
        link, there = end.link, carrier.far(end).place
        address = self._stage.hosts[there].address
        peer = host.known.get(address) if dialled else None
        code = host.codes.pop(there, None) if dialled else None
        self._stage.call(
            host,
            lambda now: node.opened(
                link, now, dialled=dialled, peer=peer, address=address, code=code
            ),
        )

    # --- breaking -------------------------------------------------------------------------

    def hang_up(self, host: Host, link: int) -> None:
        """Close a link from this end; the far end hears it behind what was sent before."""
        carrier = host.links.get(link)
        if carrier is not None:
            self._break(carrier, carrier.end_at(host.place))

    def drop_all(self, host: Host) -> None:
        """The device is gone; its peers learn of it from the line or its silence."""
        links, host.links = host.links, {}
        for carrier in links.values():
            end = carrier.end_at(host.place)
            end.link = 0
            self._break(carrier, end)

    def lines_changed(self) -> None:
        """Look at every carrier after a cut or a heal."""
        for carrier in self._carriers:
            if carrier.broken:
                self._refuse(carrier)
                continue
            for end in carrier.ends:
                here = carrier.far(end).place
                cut_no = self.network.cut_no(here, end.place)
                if cut_no:
                    self._doubt(carrier, end, cut_no)
                else:
                    self._resend(carrier, end)

    def _break(self, carrier: Carrier, near: End) -> None:
        if carrier.broken:
            return
        carrier.broken = True
        stage, far = self._stage, carrier.far(near)
        if self.network.cut_no(near.place, far.place):
            late_us = stage.at_us + self._silence_us()
        else:
            late_us = self.network.arrival_us(near.place, far.place, 0, stage.at_us)
        stage.at(stage.at_us, lambda: self._close(carrier, near))
        stage.at(late_us, lambda: self._close(carrier, far))

    def _close(self, carrier: Carrier, end: End) -> None:
        host = self._stage.hosts[end.place]
        link, end.link = end.link, 0
        end.waiting.clear()
        if not carrier.ends[0].link and not carrier.ends[1].link and carrier in self._carriers:
            self._carriers.remove(carrier)
        node = host.node
        if not link or node is None:
            return
        del host.links[link]
        self._stage.call(host, lambda now: node.closed(link, now))
        dial = host.dials.get(carrier.far(end).place)
        if dial is not None:
            if self._stage.at_us - carrier.opened_us > STABLE_US:
                dial.pause_us, dial.linked_us = DIAL_PAUSE_MIN_US, self._stage.at_us
            self.dial(host, dial, dial.pause_us)
            dial.pause_us = min(2 * dial.pause_us, DIAL_PAUSE_MAX_US)

    def _refuse(self, carrier: Carrier) -> None:
        """Close what only one end still believes in, once the far end can say that it is gone."""
        here, there = (end.place for end in carrier.ends)
        if self.network.through(here, there):
            for end in carrier.ends:
                if end.link:
                    due_us = self._stage.at_us + RESEND_US
                    self._stage.at(due_us, lambda end=end: self._close(carrier, end))  # type: ignore[misc]

    def _silence_us(self) -> int:
        return HEARTBEAT_US + int(self._stage.chance.random() * HEARTBEAT_US)

    def _doubt(self, carrier: Carrier, end: End, cut_no: int) -> None:
        here = carrier.far(end).place

        def give_up() -> None:
            if self.network.cut_no(here, end.place) == cut_no:
                self._break(carrier, end)

        self._stage.at(self._stage.at_us + self._silence_us(), give_up)

    def _resend(self, carrier: Carrier, end: End) -> None:
        waiting, end.waiting = end.waiting, []
        for message in waiting:
            self._let_arrive(carrier, end, message, self._stage.at_us + RESEND_US)


def _linked(host: Host, place: int) -> bool:
    return any(
        carrier.far(carrier.end_at(host.place)).place == place for carrier in host.links.values()
    )
