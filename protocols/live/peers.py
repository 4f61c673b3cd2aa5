"""Keeping links up: whom to dial, and how long to wait before dialling again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from protocols.errors import LinkError
from protocols.ids import DeviceId
from protocols.live.address import Address

PAUSE_S_MIN = 0.5
"""Before the first attempt to dial again."""
PAUSE_S_MAX = 30.0
"""What the pause doubles up to."""
JITTER = 0.2
"""Share of a pause that is drawn, both ways, so that a camp does not dial in step."""
STEADY_S = 10.0
"""A link that lasted this long was a good one: the pauses begin anew."""

Dial = Callable[[Address, DeviceId | None], Awaitable[asyncio.Task[None]]]


class Pauses:
    """The growing pauses of one peer."""

    def __init__(self, draw: Callable[[], float]) -> None:
        self._draw = draw
        self._next_s = PAUSE_S_MIN

    def longer(self) -> float:
        """Return the seconds to wait now; the next are twice as many, up to `PAUSE_S_MAX`."""
        pause_s, self._next_s = self._next_s, min(2 * self._next_s, PAUSE_S_MAX)
        return min(pause_s * (1 + JITTER * (2 * self._draw() - 1)), PAUSE_S_MAX)

    def anew(self) -> None:
        """Begin again with the shortest."""
        self._next_s = PAUSE_S_MIN


class Peers:
    """Keeps one link to each address it was given, for as long as it is wanted."""

    def __init__(self, dial: Dial, draw: Callable[[], float]) -> None:
        self._dial = dial
        self._draw = draw
        self._tasks: dict[Address, asyncio.Task[None]] = {}
        self._hurry: dict[Address, asyncio.Event] = {}
        self._devices: dict[str, DeviceId] = {}

    def __contains__(self, address: Address) -> bool:
        return address in self._tasks

    def keep(self, address: Address, *, attempts: int | None = None) -> None:
        """Dial this address now, and again whenever its link ends.

        After `attempts` in a row that no link came of it is dropped; None: never.
        """
        if address not in self._tasks:
            self._hurry[address] = asyncio.Event()
            self._tasks[address] = asyncio.create_task(self._keep(address, attempts))

    def drop(self, address: Address) -> None:
        """Stop dialling it; a link that is up stays."""
        task = self._tasks.pop(address, None)
        if task is not None:
            del self._hurry[address]
            task.cancel()

    def known(self, device: DeviceId, address: str) -> None:
        """Remember who answers there, so that the next greeting is the short one."""
        if any(str(kept) == address for kept in self._tasks):
            self._devices[address] = device

    def hurry(self) -> None:
        """The network has changed: end all pauses."""
        for event in self._hurry.values():
            event.set()

    async def stop(self) -> None:
        """Dial no more."""
        tasks = list(self._tasks.values())
        self._tasks.clear()
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _keep(self, address: Address, attempts: int | None) -> None:
        pauses = Pauses(self._draw)
        hurry = self._hurry[address]
        failed = 0
        while attempts is None or failed < attempts:
            hurry.clear()
            failed += 1
            if await self._one_link(address) >= STEADY_S:
                failed = 0
                pauses.anew()
            with suppress(TimeoutError):
                await asyncio.wait_for(hurry.wait(), pauses.longer())
                pauses.anew()
        del self._tasks[address], self._hurry[address]

    async def _one_link(self, address: Address) -> float:
        """Return how many seconds a link lasted, 0 when there was none."""
        loop = asyncio.get_running_loop()
        try:
            link = await self._dial(address, self._devices.get(str(address)))
        except LinkError:
            return 0
        began_s = loop.time()
        # Dropping the address must not cut the link, so it is waited for, not awaited.
        await asyncio.wait([link])
        return loop.time() - began_s
