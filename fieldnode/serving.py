"""What `serve` runs: apart, for the network takes half a second to load."""

from __future__ import annotations

import sys

from protocols.live.commands import show
from protocols.live.journal import Journal
from protocols.live.packtelling import Teller
from protocols.live.running import Desk, factory_of
from protocols.live.service import Service, Settings


async def serve(passphrase: str | None, settings: Settings) -> None:
    """Run a node until it is told to stop; print where it listens once it does."""
    journal = Journal()
    service = Service(factory_of(settings.folder, passphrase, journal.note), settings, journal)
    desk = Desk(service, settings.folder)
    Teller(service)
    await service.start(desk.handlers(), left=desk.left)
    show({"listening": str(service.address)})
    sys.stdout.flush()
    await service.run_until_stopped()
    desk.close()
    journal.close()
