"""Finding other nodes on the local network by multicast DNS.

Everything heard is a stranger's word: it is checked for form, for the operation's MAC and for an
address of this site, and then is a hint whom to dial. A service that is removed means nothing.
"""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Sequence
from contextlib import suppress

from zeroconf import BadTypeInNameException, IPVersion, NonUniqueNameException, ServiceStateChange
from zeroconf import Error as ZeroconfError
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from protocols.live.address import Address
from protocols.live.announcement import (
    SERVICE,
    Candidate,
    Candidates,
    announce,
    near,
    recognise,
)

ROTATE_S = 24 * 3600
"""A new random name each day, so that a listener cannot follow a node for longer."""
RESOLVE_MS = 3_000
"""How long one candidate may take to say where it is."""
RESOLVING_MAX = 8
"""Candidates asked at once; others are heard again later."""
INSTANCE_BYTES = 8
_INSTANCE = re.compile(rf"([0-9a-f]{{{2 * INSTANCE_BYTES}}})\.{re.escape(SERVICE)}\Z")


class Discovery:
    """Announces this node and reports the candidates it hears of."""

    def __init__(
        self,
        key: bytes,
        port: int,
        *,
        entropy: Callable[[int], bytes],
        found: Callable[[Candidate], None],
        crowded_out: Callable[[Candidate], None],
    ) -> None:
        self._key = key
        self._port = port
        self._entropy = entropy
        self._found = found
        self._crowded_out = crowded_out
        self._candidates = Candidates()
        self._resolving: dict[str, asyncio.Task[None]] = {}
        self._zeroconf: AsyncZeroconf | None = None
        self._browser: AsyncServiceBrowser | None = None
        self._service: AsyncServiceInfo | None = None
        self._daily: asyncio.Task[None] | None = None
        self.instance = ""
        """Our random name now, which only tells us from ourselves."""

    async def start(self, interfaces: Sequence[str]) -> bool:
        """Announce and listen on these addresses; False when the network does not let us."""
        if not interfaces:
            return False
        try:
            self._zeroconf = AsyncZeroconf(interfaces=list(interfaces), ip_version=IPVersion.V4Only)
            await self._announce(interfaces)
        except (OSError, ZeroconfError, NonUniqueNameException, BadTypeInNameException):
            await self.stop()
            return False
        self._browser = AsyncServiceBrowser(
            self._zeroconf.zeroconf, SERVICE, handlers=[self._heard]
        )
        self._daily = asyncio.create_task(self._rotate(interfaces))
        return True

    async def stop(self) -> None:
        """Say goodbye and listen no more."""
        tasks = [*self._resolving.values(), *([self._daily] if self._daily else [])]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        if self._browser is not None:
            await self._browser.async_cancel()
        if self._zeroconf is not None:
            await self._zeroconf.async_close()
        self._browser = self._zeroconf = self._service = self._daily = None

    async def _announce(self, interfaces: Sequence[str]) -> None:
        assert self._zeroconf is not None
        before, self.instance = self._service, self._entropy(INSTANCE_BYTES).hex()
        self._service = AsyncServiceInfo(
            SERVICE,
            f"{self.instance}.{SERVICE}",
            port=self._port,
            properties=announce(self._key, self._port, self._entropy),
            server=f"{self._entropy(INSTANCE_BYTES).hex()}.local.",
            parsed_addresses=list(interfaces),
        )
        if before is not None:
            await self._zeroconf.async_unregister_service(before)
        await self._zeroconf.async_register_service(self._service)

    async def _rotate(self, interfaces: Sequence[str]) -> None:
        while True:
            await asyncio.sleep(ROTATE_S)
            with suppress(OSError, ZeroconfError):
                await self._announce(interfaces)

    def _heard(self, *, name: str, state_change: ServiceStateChange, **_: object) -> None:
        match = _INSTANCE.match(name)
        if match is None or match[1] == self.instance or match[1] in self._resolving:
            return
        if state_change is ServiceStateChange.Removed or len(self._resolving) >= RESOLVING_MAX:
            return
        task = asyncio.create_task(self._resolve(match[1], name))
        self._resolving[match[1]] = task
        task.add_done_callback(lambda _: self._resolving.pop(match[1], None))

    async def _resolve(self, instance: str, name: str) -> None:
        assert self._zeroconf is not None
        service = AsyncServiceInfo(SERVICE, name)
        with suppress(OSError, ZeroconfError):
            if await service.async_request(self._zeroconf.zeroconf, RESOLVE_MS):
                self._judge(instance, service)

    def _judge(self, instance: str, service: AsyncServiceInfo) -> None:
        port = service.port or 0
        host = near(service.parsed_addresses(IPVersion.V4Only))
        if host is None or not recognise(self._key, service.properties, port):
            return
        candidate = Candidate(instance, Address(host, port))
        gone = self._candidates.heard(candidate)
        if gone is not None:
            self._crowded_out(gone)
        self._found(candidate)
