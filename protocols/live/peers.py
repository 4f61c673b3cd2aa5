"""Keeping links up: whom to dial, and how long to wait before dialling again."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

from protocols.errors import LinkError
from protocols.ids import DeviceId
from protocols.live.address import Address
from protocols.live.link import Link

DEVICES_MAX = 4096
"""Addresses whose device is remembered."""
PAUSE_S_MIN = 0.5
"""Before the first attempt to dial again."""
PAUSE_S_MAX = 30.0
"""What the pause grows up to."""
PAUSE_RECENT_S_MAX = 3.0
"""What it grows up to for a peer that was linked within `RECENT_S`: a line that flaps on the day of
an earthquake is taken up again before anybody has missed an urgent record."""
RECENT_S = 3600.0
GROWTH = 1.5
"""Each pause is half as long again as the one before, so whoever comes back after a while of any
length is dialled within half that while."""
JITTER = 0.2
"""Share of a pause that is drawn, both ways, so that a camp does not dial in step."""
STEADY_S = 10.0
"""A link that lasted this long was a good one: the pauses begin anew."""

DOUBLED_S = 900.0
"""Pause when the peer is linked already, unless a link ends before. Dialling takes the place of the
link that is up, so it is only for an end that was not heard of."""

Dial = Callable[[Address, DeviceId | None], Awaitable[Link]]


class Pauses:
    """The growing pauses of one peer."""

    def __init__(self, draw: Callable[[], float]) -> None:
        self._draw = draw
        self._next_s = PAUSE_S_MIN

    def longer(self, longest_s: float = PAUSE_S_MAX) -> float:
        """Return the seconds to wait now, at most `longest_s`; the next are `GROWTH` as many."""
        pause_s = min(self._next_s, longest_s)
        self._next_s = min(GROWTH * pause_s, PAUSE_S_MAX)
        return min(pause_s * (1 + JITTER * (2 * self._draw() - 1)), longest_s)

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
        self._greeted: set[str] = set()
        """Addresses where a member has answered since they were dialled last."""
        self._doubled: set[Address] = set()
        """Linked already, so that our link was one too many."""
        self._unreached: set[Address] = set()
        """Where nobody answered when it was dialled last."""

    def __contains__(self, address: Address) -> bool:
        return address in self._tasks

    def keep(self, address: Address, *, attempts: int | None = None) -> None:
        """Dial this address now, and again whenever its link ends.

        After `attempts` in a row that no link came of it is dropped; None: never. One that is kept
        already was heard of again: where nobody answered, the pause ends.
        """
        if address in self._unreached:
            self._hurry[address].set()
        elif address not in self._tasks:
            self._hurry[address] = asyncio.Event()
            self._tasks[address] = asyncio.create_task(self._keep(address, attempts))

    def drop(self, address: Address) -> None:
        """Stop dialling it; a link that is up stays."""
        task = self._tasks.pop(address, None)
        if task is not None:
            del self._hurry[address]
            self._doubled.discard(address)
            self._unreached.discard(address)
            task.cancel()

    def known(self, device: DeviceId, address: str) -> None:
        """Remember who answers there, so that the next greeting is the short one."""
        if len(self._devices) < DEVICES_MAX or address in self._devices:
            self._devices[address] = device
        self._greeted.add(address)

    def hurry(self) -> None:
        """The network has changed: end all pauses."""
        for event in self._hurry.values():
            event.set()

    def reached(self) -> None:
        """Some member is linked: the way to others may be open again, so end their pauses.

        Only of those that nobody answered for: two that link and break at once would drive each
        other round.
        """
        for address in self._unreached:
            self._hurry[address].set()

    def link_ended(self, code: str) -> None:
        """Some link has gone: peers that had two may have none now.

        One that went because it was too many left the other up.
        """
        if code != "duplicate":
            for address in self._doubled:
                self._hurry[address].set()

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
        failed, linked_s = 0, float("-inf")
        clock = asyncio.get_running_loop().time
        while attempts is None or failed < attempts:
            hurry.clear()
            failed += 1
            if await self._one_link(address):
                failed, linked_s = 0, clock()
                pauses.anew()
            longest_s = PAUSE_RECENT_S_MAX if clock() - linked_s < RECENT_S else PAUSE_S_MAX
            pause_s = DOUBLED_S if address in self._doubled else pauses.longer(longest_s)
            with suppress(TimeoutError):
                await asyncio.wait_for(hurry.wait(), pause_s)
                pauses.anew()
        del self._tasks[address], self._hurry[address]
        self._doubled.discard(address)
        self._unreached.discard(address)

    async def _one_link(self, address: Address) -> bool:
        """Dial once and stay until the link ends; return whether it was of use."""
        self._doubled.discard(address)
        self._unreached.discard(address)
        self._greeted.discard(str(address))
        expected = self._devices.get(str(address))
        began_s = asyncio.get_running_loop().time()
        try:
            link = await self._dial(address, expected)
        except LinkError:
            self._unreached.add(address)
            return False
        await link.ended.wait()
        if link.code == "duplicate":
            self._doubled.add(address)
            return True
        if asyncio.get_running_loop().time() - began_s >= STEADY_S:
            return True
        if str(address) not in self._greeted:
            # Somebody else may live there now: greet like a stranger next time.
            self._devices.pop(str(address), None)
        return False
