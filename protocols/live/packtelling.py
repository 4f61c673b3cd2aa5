"""A running node says which packs it works by; apart from the calls, for it needs the network."""

from __future__ import annotations

from protocols.live.packs import say_uses
from protocols.live.service import Service
from protocols.mesh.effects import Changed, Effect, Joined

PACK_TABLES = ("pack", "pack_approval")


class Teller:
    """Has a running node say which versions it works by, and whenever another one goes first.

    What came with the software is said once the node has met another: alone it has nobody to tell.
    """

    def __init__(self, service: Service) -> None:
        self._service = service
        self._met = False
        """Whether a peer was met since the node began, or came into the operation."""
        service.listen_to(self._heard)

    def _heard(self, effect: Effect) -> None:
        match effect:
            case Changed(tables) if not tables.isdisjoint(PACK_TABLES):
                self._service.call(say_uses)
            case Changed(tables) if "peer" in tables and not self._met:
                self._met = True
                self._service.call(say_uses)
            case Joined():
                self._met = False
