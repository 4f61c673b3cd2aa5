"""One running node: its thread, its links, its neighbours and its local socket, as one thing."""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import random
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from protocols.errors import LedgerError, LinkError
from protocols.ids import DeviceId, OperationId
from protocols.live.address import Address
from protocols.live.announcement import Candidate, discovery_key
from protocols.live.clock import Clock
from protocols.live.discovery import Discovery
from protocols.live.door import Limits
from protocols.live.interfaces import NetworkWatch, site_addresses
from protocols.live.journal import Journal
from protocols.live.links import Links
from protocols.live.local import Caller, Handler, LocalServer
from protocols.live.peers import Peers
from protocols.live.turns import Then
from protocols.live.worker import Call, NodeFactory, Worker, code_of
from protocols.mesh.effects import (
    Changed,
    Effect,
    Hangup,
    Joined,
    Notice,
    Now,
    PeerKnown,
    Transmit,
)
from protocols.mesh.node import Node

LOG_BYTES = 4 * 1024 * 1024
"""A log that uses less is left: the first commit after folding it costs a second fsync."""
SWITCH_S = 0.001
"""How long the node's thread may keep the interpreter from the loop, which reads the sockets."""
COLLECT_AFTER = 100_000
"""Objects made and kept before cycles are looked for, at most some 10 MB of them. What a sync keeps
at hand holds none: at the usual 700 looking through it again and again took a twelfth of a first
sync, at 20,000 still a fortieth."""
YIELD_S = 5.0
"""Of two nodes that find each other one dials at once, the other only after this long."""
HINT_ATTEMPTS = 13
"""A discovered address is dialled this often in a row, about two minutes, until heard again."""

Result = TypeVar("Result")
Listener = Callable[[Effect], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How one node runs."""

    folder: Path
    """The data folder, whose lock the node's factory takes."""
    listen: Address | None = None
    """None: dials only."""
    any_port: bool = False
    """Where the port is taken, listen on another one: discovery tells which."""
    peers: tuple[Address, ...] = ()
    """Dialled for as long as the node runs."""
    discovery: bool = True
    """Announce on the site's networks and look for members there."""
    limits: Limits = field(default_factory=Limits)


class Service:
    """Runs a node for real, from `start` to `stop`."""

    def __init__(
        self,
        factory: NodeFactory,
        settings: Settings,
        journal: Journal,
        clock: Clock | None = None,
    ) -> None:
        self._settings = settings
        self._journal = journal
        self.clock = clock or Clock()
        """What the node is told of the time, and what a person says of it."""
        self._worker = Worker(
            factory, self._carry_out, idle=_rest, after=_make_room, clock=self.clock
        )
        self._links = Links(self._worker, settings.limits)
        self._peers = Peers(self._links.dial, random.SystemRandom().random)
        self._links.when_ended(self._peers.link_ended)
        self._local: LocalServer | None = None
        self._discovery: Discovery | None = None
        self._watch = NetworkWatch(self._network_changed)
        self._listeners: list[Listener] = []
        self._later: set[asyncio.Task[None]] = set()
        self._announced: list[str] = []
        self._discovering = asyncio.Lock()
        self._stop = asyncio.Event()
        self.address: Address | None = None
        """Where it listens, with the port that was taken."""

    async def start(
        self,
        handlers: Mapping[str, Handler] | None = None,
        *,
        left: Callable[[Caller], None] | None = None,
    ) -> None:
        """Open the ledger, listen, dial, answer on the local socket.

        Raises:
            FieldmeshError: What the factory raised, `cannot_listen` or `no_socket_place`; nothing
                is left running.
        """
        sys.setswitchinterval(SWITCH_S)
        gc.freeze()
        gc.set_threshold(COLLECT_AFTER)
        _silence_libraries()
        asyncio.get_running_loop().set_exception_handler(self._fault)
        await self._worker.start()
        self._worker.when_ended(self.ask_to_stop)
        try:
            if self._settings.listen is not None:
                self.address = await self._listen(self._settings.listen)
            self._local = LocalServer(handlers or {}, self._journal, left=left)
            await self._local.start(self._settings.folder)
        except BaseException:
            await self.stop()
            raise
        await self.call(_stay_open)
        for device, where in await self.call(_addresses):
            self._peers.known(device, where)
        joined = await self.call(_joined_at)
        for address in (*self._settings.peers, *joined):
            self._peers.keep(address)
        self._watch.start()
        # Probing for a free name takes about a second; nobody waits for it.
        self._spawn(self._discover())

    async def _listen(self, address: Address) -> Address:
        try:
            return await self._links.listen(address)
        except LinkError:
            if not self._settings.any_port:
                raise
            return await self._links.listen(Address(address.host, 0))

    def call(self, run: Call[Result], then: Then | None = None) -> asyncio.Future[Result]:
        """Run a command on the node's thread, ahead of what comes from peers; see the worker's."""
        return self._worker.call(run, then)

    def listen_to(self, listener: Listener) -> None:
        """Have every effect that is not a message or a timer told on the loop's thread."""
        self._listeners.append(listener)

    def dial(self, address: Address) -> None:
        """Keep a link to this address from now on."""
        self._peers.keep(address)

    async def enrol(self, address: Address, code: bytes) -> None:
        """Join the operation of the node at this address with its one-time code.

        Raises:
            LinkError: `unreachable`, `refused`, or `not_admitted` when the code was not taken.
        """
        link = await self._links.dial(address, code=code)
        await link.ended.wait()
        if link.code != "joined":
            raise LinkError("not_admitted", reason=link.code)

    def ask_to_stop(self) -> None:
        """Let `run_until_stopped` return."""
        self._stop.set()

    async def run_until_stopped(self) -> None:
        """Wait for TERM, INT or `ask_to_stop`, then stop."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self._stop.set)
        try:
            await self._stop.wait()
        finally:
            await self.stop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.remove_signal_handler(number)

    async def stop(self) -> None:
        """Finish the running transaction, close the links and the ledger, remove the socket."""
        self._watch.stop()
        self._links.shut()
        await self._peers.stop()
        later = list(self._later)
        for task in later:
            task.cancel()
        await asyncio.gather(*later, return_exceptions=True)
        await self._worker.stop()
        local = self._local.stop() if self._local is not None else asyncio.sleep(0)
        discovery = self._discovery.stop() if self._discovery is not None else asyncio.sleep(0)
        await asyncio.gather(self._links.stop(), local, discovery)

    def _fault(self, _: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        self._journal.note(code_of(error) if isinstance(error, BaseException) else "fault")

    def _carry_out(self, effects: Sequence[Effect]) -> None:
        for effect in effects:
            match effect:
                case Transmit(link, message):
                    self._links.send(link, message)
                    continue
                case Hangup(link, code):
                    self._journal.note(code)
                    self._links.hang_up(link, code)
                case Changed(tables) if self._local is not None:
                    self._local.publish(tables)
                case PeerKnown(device, address):
                    self._peers.known(device, address)
                case Joined():
                    # Whoever turned us away as a stranger takes us now.
                    self._peers.hurry()
                    self._spawn(self._discover())
                case Notice(code, values):
                    self._journal.note(code, values)
                    if code == "linked":
                        self._peers.reached()
            for listener in self._listeners:
                listener(effect)

    async def _discover(self) -> None:
        """Announce under the operation's key, which is another one after joining."""
        if not self._settings.discovery or self.address is None:
            return
        async with self._discovering:
            if self._discovery is not None:
                await self._discovery.stop()
            self._announced = site_addresses(self.address.host)
            self._discovery = Discovery(
                discovery_key(await self.call(_operation)),
                self.address.port,
                entropy=os.urandom,
                found=self._found,
                crowded_out=lambda candidate: self._peers.drop(candidate.address),
            )
            if self._announced and not await self._discovery.start(self._announced):
                self._journal.note("no_discovery")

    def _found(self, candidate: Candidate) -> None:
        assert self._discovery is not None
        yield_s = 0.0 if self._discovery.instance < candidate.instance else YIELD_S
        self._spawn(self._approach(candidate.address, yield_s))

    async def _approach(self, address: Address, yield_s: float) -> None:
        await asyncio.sleep(yield_s)
        if not (yield_s and self._links.from_host(address.host)):
            self._peers.keep(address, attempts=HINT_ATTEMPTS)

    def _network_changed(self) -> None:
        self._peers.hurry()
        if self.address is not None and site_addresses(self.address.host) != self._announced:
            self._spawn(self._discover())

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._later.add(task)
        task.add_done_callback(self._later.discard)


def _addresses(node: Node, _: Now) -> tuple[list[tuple[DeviceId, str]], list[Effect]]:
    peers = node.ledger.peers.all.values()
    return [(peer.device, peer.address) for peer in peers if peer.address], []


def _stay_open(node: Node, _: Now) -> tuple[None, list[Effect]]:
    node.ledger.store.stay_open()
    return None, []


def _joined_at(node: Node, _: Now) -> tuple[list[Address], list[Effect]]:
    where = node.ledger.joined_at
    return ([Address.parse(where)] if where else []), []


def _operation(node: Node, _: Now) -> tuple[OperationId, list[Effect]]:
    return node.ledger.authority.operation, []


def _make_room(node: Node) -> None:
    node.ledger.store.make_room()


def _rest(node: Node) -> None:
    """Write down what was put off, and fold a long write-ahead log into the book."""
    with suppress(LedgerError):
        # On a full disk it waits; folding the log may be what makes room.
        node.ledger.write_down()
    node.ledger.store.rest(LOG_BYTES)


def _silence_libraries() -> None:
    """Keep what strangers sent out of the libraries' own logs; ours has its own list of keys."""
    for name in ("aiohttp", "zeroconf"):
        logger = logging.getLogger(name)
        logger.addHandler(logging.NullHandler())
        logger.propagate = False
