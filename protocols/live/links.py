"""All links of one node: those that came in by the door and those that were dialled."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from itertools import count
from types import SimpleNamespace
from typing import Any

import aiohttp
from yarl import URL

from protocols.errors import LinkError
from protocols.ids import DeviceId
from protocols.live.address import Address
from protocols.live.door import ROUTE, Door, Limits
from protocols.live.link import CLOSE_S, HEARTBEAT_S, MESSAGE_BYTES_MAX, Carried, Hail, Link, Socket

DIAL_S = 10.0
"""Name look-up, connection and upgrade together; several round trips of a satellite."""


class Links:
    """Opens, numbers and closes links; messages go in and out by number."""

    def __init__(self, carried: Carried, limits: Limits | None = None) -> None:
        self._carried = carried
        self._ended: Callable[[str], None] | None = None
        self._links: dict[int, Link] = {}
        self._numbers = count(1)
        self._dialled: set[asyncio.Task[None]] = set()
        limits = limits or Limits()
        self._door = Door(self._welcome, limits, lambda: len(self._links))
        self._stopping = False
        self._server: asyncio.Server | None = None
        self._session: aiohttp.ClientSession | None = None

    def __len__(self) -> int:
        return len(self._links)

    @property
    def half_open(self) -> int:
        """Connections at the door that have not asked for a link yet."""
        return self._door.half_open

    def when_ended(self, told: Callable[[str], None]) -> None:
        """Have `told` called with the reason each time a link has ended."""
        self._ended = told

    def from_host(self, host: str) -> bool:
        """Whether a link has come in from this address."""
        return any(link.hail.address == host for link in self._links.values())

    async def listen(self, address: Address) -> Address:
        """Let peers in; return the address with the port that was taken.

        Raises:
            LinkError: `cannot_listen` when the address is not ours or is in use.
        """
        loop = asyncio.get_running_loop()
        try:
            self._server = await loop.create_server(
                self._door, address.host, address.port, reuse_address=True
            )
        except OSError:
            raise LinkError("cannot_listen", address=str(address)) from None
        port: int = self._server.sockets[0].getsockname()[1]
        return Address(address.host, port)

    async def dial(
        self, address: Address, peer: DeviceId | None = None, code: bytes | None = None
    ) -> Link:
        """Open a link, to the peer expected there or to enrol with a one-time code.

        Raises:
            LinkError: `unreachable` or `refused`.
        """
        url = URL.build(scheme="http", host=address.host, port=address.port, path=ROUTE)
        try:
            async with asyncio.timeout(DIAL_S):
                ws = await self._client().ws_connect(
                    url,
                    timeout=aiohttp.ClientWSTimeout(ws_close=CLOSE_S),
                    heartbeat=HEARTBEAT_S,
                    max_msg_size=MESSAGE_BYTES_MAX + 1,
                )
        except aiohttp.WSServerHandshakeError:
            raise LinkError("refused", address=str(address)) from None
        except (aiohttp.ClientError, OSError, TimeoutError, ValueError):
            raise LinkError("unreachable", address=str(address)) from None
        # Registered before it first runs, so that a stop at this moment finds it.
        link = self._add(ws, Hail(str(address), dialled=True, peer=peer, code=code))
        task = asyncio.create_task(self._carry(link))
        self._dialled.add(task)
        task.add_done_callback(self._dialled.discard)
        return link

    def send(self, link: int, message: bytes) -> None:
        """Send one message; one for a link that has gone is dropped."""
        if link in self._links:
            self._links[link].send(message)

    def hang_up(self, link: int, code: str) -> None:
        """Close a link after what was given to it."""
        if link in self._links:
            self._links[link].hang_up(code)

    def shut(self) -> None:
        """Let nobody else in; a link that is just coming up is closed again."""
        self._stopping = True
        if self._server is not None:
            self._server.close()

    async def stop(self) -> None:
        """Close every link and the door, within about `CLOSE_S`."""
        self.shut()
        for link in self._links.values():
            link.hang_up("node_stopping")
        ending: list[Coroutine[Any, Any, Any]] = [self._door.shutdown(CLOSE_S)]
        if self._dialled:
            ending.append(asyncio.wait(tuple(self._dialled), timeout=CLOSE_S))
        await asyncio.gather(*ending)
        if self._session is not None:
            await self._session.close()

    async def _welcome(self, ws: Socket, host: str) -> None:
        await self._carry(self._add(ws, Hail(host)))

    def _add(self, ws: Socket, hail: Hail) -> Link:
        link = Link(next(self._numbers), ws, self._carried, hail)
        self._links[link.number] = link
        if self._stopping:
            link.hang_up("node_stopping")
        return link

    async def _carry(self, link: Link) -> None:
        self._carried.opened(link.number, link.hail)
        try:
            await link.run()
        finally:
            del self._links[link.number]
            link.ended.set()
            self._carried.closed(link.number)
            if self._ended is not None:
                self._ended(link.code)

    def _client(self) -> aiohttp.ClientSession:
        if self._session is None:
            watch = aiohttp.TraceConfig()
            watch.on_request_redirect.append(_refuse_redirect)
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=0, force_close=True),
                cookie_jar=aiohttp.DummyCookieJar(),
                skip_auto_headers=("User-Agent", "Accept", "Accept-Encoding"),
                timeout=aiohttp.ClientTimeout(total=None),
                trace_configs=[watch],
            )
        return self._session


async def _refuse_redirect(
    _session: aiohttp.ClientSession,
    _context: SimpleNamespace,
    params: aiohttp.TraceRequestRedirectParams,
) -> None:
    # A stranger does not choose what in our network we connect to.
    raise LinkError("refused", address=f"{params.url.host}:{params.url.port}")
