"""A whole node in this process behind its real socket: what a terminal speaks to."""

from __future__ import annotations

import contextlib
import io
from collections.abc import AsyncIterator
from pathlib import Path

from fieldnode.client import NodeClient
from protocols.live.clock import Clock
from protocols.live.journal import Journal
from protocols.live.lines import find_socket
from protocols.live.running import Desk, factory_of
from protocols.live.service import Service, Settings
from protocols.live.unserved import Named, make_node

PASSPHRASE = "a long passphrase"


class Clocks:
    """A device whose clocks a test turns."""

    def __init__(self, wall_ms: int) -> None:
        self.wall_ms = wall_ms
        self.mono_ms = 1_000_000

    def go_on(self, ms: int) -> None:
        self.wall_ms += ms
        self.mono_ms += ms

    def clock(self) -> Clock:
        return Clock(lambda: self.wall_ms, lambda: self.mono_ms)


def made(folder: Path) -> Path:
    """Make a node that works alone."""
    named = Named("nord-b", "MSF", "", hq=False)
    make_node(folder, PASSPHRASE, named, unattended=False)
    return folder


@contextlib.asynccontextmanager
async def served(folder: Path, clock: Clock | None = None) -> AsyncIterator[Desk]:
    """Run the node of a folder."""
    journal = Journal(io.StringIO())
    settings = Settings(folder=folder, discovery=False)
    service = Service(factory_of(folder, PASSPHRASE), settings, journal, clock)
    desk = Desk(service, folder)
    await service.start(desk.handlers(), left=desk.left)
    try:
        yield desk
    finally:
        await service.stop()
        desk.close()
        journal.close()


@contextlib.asynccontextmanager
async def terminal(folder: Path) -> AsyncIterator[NodeClient]:
    """Connect as a terminal does."""
    client = NodeClient(find_socket(folder))
    try:
        yield client
    finally:
        await client.close()
