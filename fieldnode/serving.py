"""What `serve` and `join` run: apart, for the network takes half a second to load."""

from __future__ import annotations

import asyncio
import io
import sys
from pathlib import Path

from protocols.live.client import LocalClient
from protocols.live.commands import show
from protocols.live.journal import Journal
from protocols.live.running import Desk, factory_of
from protocols.live.service import Service, Settings


async def serve(passphrase: str | None, settings: Settings) -> None:
    """Run a node until it is told to stop; print where it listens once it does."""
    journal = Journal()
    service = Service(factory_of(settings.folder, passphrase, journal.note), settings, journal)
    desk = Desk(service, settings.folder)
    await service.start(desk.handlers(), left=desk.left)
    show({"listening": str(service.address)})
    sys.stdout.flush()
    await service.run_until_stopped()
    desk.close()
    journal.close()


async def join_alone(folder: Path, passphrase: str | None, peer: str, code: str) -> None:
    """Join while no node runs: run one for as long as it takes."""
    # The command says itself how it went; a log is for what goes on for longer.
    journal = Journal(io.StringIO())
    settings = Settings(folder=folder, discovery=False)
    service = Service(factory_of(folder, passphrase), settings, journal)
    desk = Desk(service, folder)
    await service.start(desk.handlers(), left=desk.left)
    try:
        await asyncio.to_thread(join_through, folder, peer, code)
    finally:
        await service.stop()


def join_through(folder: Path, peer: str, code: str) -> None:
    """Let the running node of a folder join."""
    with LocalClient(folder) as client:
        client.call("join", address=peer, code=code)
