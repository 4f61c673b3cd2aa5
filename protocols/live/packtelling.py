"""A running node says which packs it works by; apart from the calls, for it needs the network."""

from __future__ import annotations

from protocols.live.packs import say_uses
from protocols.live.service import Service
from protocols.mesh.effects import Changed, Effect


class Teller:
    """Has a running node say which versions it works by, whenever another one goes first."""

    def __init__(self, service: Service) -> None:
        self._service = service
        service.listen_to(self._heard)

    def _heard(self, effect: Effect) -> None:
        match effect:
            case Changed(tables) if not tables.isdisjoint(("pack", "pack_approval")):
                self._service.call(say_uses)
