"""Joining over the network while no node runs: apart, for the network is slow to load."""

from __future__ import annotations

import asyncio
import io
from pathlib import Path

from protocols.live.client import LocalClient
from protocols.live.journal import Journal
from protocols.live.running import Desk, factory_of
from protocols.live.service import Service, Settings


async def join_alone(folder: Path, passphrase: str | None, peer: str, code: str) -> None:
    """Run a node for as long as it takes to join."""
    # The command says itself how it went; a log is for what goes on for longer.
    journal = Journal(io.StringIO())
    settings = Settings(folder=folder, discovery=False)
    service = Service(factory_of(folder, passphrase), settings, journal)
    desk = Desk(service, folder)
    await service.start(desk.handlers(), left=desk.left)
    try:
        await asyncio.to_thread(_join_through, folder, peer, code)
    finally:
        await service.stop()


def _join_through(folder: Path, peer: str, code: str) -> None:
    with LocalClient(folder) as client:
        client.call("join", address=peer, code=code)
