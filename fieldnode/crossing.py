"""Calls about what leaves this node or goes for good, what is counted, and concerns for safety."""

from __future__ import annotations

from typing import Any, Protocol, TypeVar

from protocols.live.crossing import Concerns, CountLine, EraseState, ReleaseLine

Answer = TypeVar("Answer")


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


class CrossingClient:
    """The same over the socket."""

    async def _ask(self, kind: type[Answer], name: str, **args: Any) -> Answer:
        raise NotImplementedError

    async def releases(self) -> list[ReleaseLine]:
        """See `CrossingCalls.releases`."""
        return await self._ask(list[ReleaseLine], "releases")

    async def erases(self) -> EraseState:
        """See `CrossingCalls.erases`."""
        return await self._ask(EraseState, "erases")

    async def counts(self) -> list[CountLine]:
        """See `CrossingCalls.counts`."""
        return await self._ask(list[CountLine], "counts")

    async def concerns(self) -> Concerns:
        """See `CrossingCalls.concerns`."""
        return await self._ask(Concerns, "concerns")
