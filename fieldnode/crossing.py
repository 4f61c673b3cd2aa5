"""Calls about what leaves this node or goes for good, what is counted, and concerns for safety."""

from __future__ import annotations

from typing import Protocol

from fieldnode.asking import Asking
from protocols.live.crossing import Concerns, CountLine, EraseState, ReleaseLine


class CrossingCalls(Protocol):
    """The calls of `protocols/live/crossing.py` as a terminal uses them."""

    async def releases(self) -> list[ReleaseLine]:
        """Every release, the newest first."""
        ...

    async def erases(self) -> EraseState:
        """Every erase with who confirmed it, and every hold."""
        ...

    async def counts(self) -> list[CountLine]:
        """How many encounters there are, by law and by each property."""
        ...

    async def concerns(self) -> Concerns:
        """Concerns for somebody's safety, for whoever is entitled."""
        ...


class CrossingClient(Asking):
    """The same over the socket."""

    async def releases(self) -> list[ReleaseLine]:
        """See `CrossingCalls.releases`."""
        return await self.ask(list[ReleaseLine], "releases")

    async def erases(self) -> EraseState:
        """See `CrossingCalls.erases`."""
        return await self.ask(EraseState, "erases")

    async def counts(self) -> list[CountLine]:
        """See `CrossingCalls.counts`."""
        return await self.ask(list[CountLine], "counts")

    async def concerns(self) -> Concerns:
        """See `CrossingCalls.concerns`."""
        return await self.ask(Concerns, "concerns")
