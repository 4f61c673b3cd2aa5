"""A page's way into the audit trail: what it keeps of who did what, and whose team is whose."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from protocols.ledger import audit
from protocols.live import audited
from protocols.live.audited import AuditPage, TrailLine
from protocols.live.service import Service
from protocols.mesh.effects import Effect, Now
from protocols.mesh.node import Node
from protocols.trust.audit import What


class Witness(Protocol):
    """The trail, as far as the pages write and read it."""

    async def team(self) -> frozenset[bytes]:
        """Devices of our own organisation: who writes on one of them is of our own team."""
        ...

    async def note(self, what: What, **detail: Any) -> None:
        """Write down soon what was done; fields of a `Detail`."""
        ...

    async def write(self, what: What, **detail: Any) -> None:
        """Write down what is about to happen; durable on return.

        Raises:
            LedgerError: It could not be written, so it must not happen.
        """
        ...

    async def lines(self, asked: Mapping[str, Any]) -> AuditPage:
        """Return a page of the trail; the arguments of the call `audit`."""
        ...

    async def trails(self) -> Sequence[TrailLine]:
        """Return every device's trail."""
        ...


class NodeWitness:
    """A `Witness` over a running service."""

    def __init__(self, service: Service) -> None:
        self._service = service

    async def team(self) -> frozenset[bytes]:
        """See `Witness.team`."""
        return await self._service.call(lambda node, _: (_team(node), ()))

    async def note(self, what: What, **detail: Any) -> None:
        """See `Witness.note`."""

        def run(node: Node, now: Now) -> tuple[None, Sequence[Effect]]:
            return None, node.note(audited.event(now, what, **detail), now)

        await self._service.call(run)

    async def write(self, what: What, **detail: Any) -> None:
        """See `Witness.write`."""

        def run(node: Node, now: Now) -> tuple[None, Sequence[Effect]]:
            return None, node.audit([audited.event(now, what, **detail)], now)

        await self._service.call(run)

    async def lines(self, asked: Mapping[str, Any]) -> AuditPage:
        """See `Witness.lines`."""
        return await self._service.call(lambda node, now: (audited.listed(node, now, asked), ()))

    async def trails(self) -> Sequence[TrailLine]:
        """See `Witness.trails`."""
        return await self._service.call(lambda node, now: (audited.trails(node, now, {}), ()))


def _team(node: Node) -> frozenset[bytes]:
    return frozenset(map(bytes, audit.team_devices(node.ledger)))
