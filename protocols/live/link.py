"""One WebSocket to one peer: whole sealed messages in order, both ways, bounded both ways.

What is inside a message is the node's business; here it is bytes of at most one frame.
"""

from __future__ import annotations

import asyncio
import socket
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Protocol

from aiohttp import ClientWebSocketResponse, WSMsgType, web

from protocols.ids import DeviceId

MESSAGE_BYTES_MAX = 65_519
"""What fits one Noise message with its tag; the node never makes more."""
FIRST_MESSAGE_S = 5.0
"""A peer that has opened a link and says nothing for this long is let go."""
UNREAD_MAX = 16
"""Messages of one link that may wait for the node before its socket is left unread."""
UNSENT_MAX = 1024
"""Messages that may wait for a slow peer; the node's window is far below, so more is a fault."""
UNSENT_BYTES_MAX = 8 * 1024 * 1024
"""Twice the widest window of the node."""
CLOSE_S = 1.0
"""A closing handshake that takes longer is cut."""
HEARTBEAT_S = 30.0
"""Silence after which a ping is sent; half of it later without an answer the link is cut."""
DEAD_HOST_MS = 20_000
"""The kernel gives up a peer that acknowledges nothing for this long, idle or not."""

Socket = ClientWebSocketResponse[Any] | web.WebSocketResponse[Any]


@dataclass(frozen=True, slots=True)
class Hail:
    """How a link came about."""

    address: str
    """Of the other end: as dialled, or as its socket says."""
    dialled: bool = False
    peer: DeviceId | None = None
    """Whom we expect there."""
    code: bytes | None = None
    """Enrol with this one-time code."""


class Carried(Protocol):
    """Who hears what links bring; the worker is one."""

    def opened(self, link: int, hail: Hail) -> None:
        """A link is up."""
        ...

    def received(self, link: int, message: bytes, taken: Callable[[], None]) -> None:
        """A whole message came; call `taken` when there is room for another."""
        ...

    def closed(self, link: int) -> None:
        """The link is gone; nothing more comes from it."""
        ...


class Link:
    """One open WebSocket, numbered; lives as long as `run` runs."""

    def __init__(self, number: int, ws: Socket, carried: Carried, hail: Hail) -> None:
        self.number = number
        self.hail = hail
        self.code = "link_closed"
        """Why it ended: ours, or `link_closed` when the other end or the world did."""
        self.ended = asyncio.Event()
        """Set when it is gone."""
        self._ws = ws
        self._carried = carried
        self._unsent: deque[bytes | None] = deque()
        self._unsent_bytes = 0
        self._to_send = asyncio.Event()
        self._unread = 0
        self._room = asyncio.Event()
        self._room.set()
        self._cut: asyncio.TimerHandle | None = None
        self._closing = False

    def send(self, message: bytes) -> None:
        """Send after all that was given before; a peer too slow to take it is let go."""
        if self._closing:
            return
        self._unsent.append(message)
        self._unsent_bytes += len(message)
        self._to_send.set()
        if len(self._unsent) > UNSENT_MAX or self._unsent_bytes > UNSENT_BYTES_MAX:
            self._unsent.clear()
            self.hang_up("link_full")

    def hang_up(self, code: str) -> None:
        """Close after what was given to send, within `CLOSE_S`; further messages are dropped."""
        if self._closing:
            return
        self._closing = True
        self.code = code
        self._unsent.append(None)
        self._to_send.set()
        self._cut = asyncio.get_running_loop().call_later(CLOSE_S, self.abort)

    def abort(self) -> None:
        """Cut the connection now; what the other end has not read is lost."""
        connection = self._ws.get_extra_info("socket")
        if connection is not None:
            with suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    async def run(self) -> None:
        """Carry messages until either end closes or the world does."""
        _watch_host(self._ws)
        sender = asyncio.create_task(self._send_all())
        receiver = asyncio.create_task(self._receive_all())
        try:
            await asyncio.wait({sender, receiver}, return_when=asyncio.FIRST_COMPLETED)
            if self._closing:
                # What was given before the hang-up goes out, unless the cut comes first.
                await asyncio.wait({sender})
        finally:
            self._closing = True
            sender.cancel()
            await self._close()
            receiver.cancel()
            await asyncio.gather(sender, receiver, return_exceptions=True)

    async def _receive_all(self) -> None:
        try:
            message = await self._ws.receive(FIRST_MESSAGE_S)
        except TimeoutError:
            self.hang_up("peer_silent")
            return
        while message.type is WSMsgType.BINARY and message.data and not self._closing:
            self._unread += 1
            if self._unread >= UNREAD_MAX:
                self._room.clear()
            self._carried.received(self.number, message.data, self._taken)
            await self._room.wait()
            message = await self._ws.receive()
        if message.type in (WSMsgType.TEXT, WSMsgType.BINARY):
            self.hang_up("not_a_message")
        elif message.type is WSMsgType.ERROR and not self._closing:
            self.code = "bad_frame"

    def _taken(self) -> None:
        self._unread -= 1
        self._room.set()

    async def _send_all(self) -> None:
        while await self._to_send.wait():
            self._to_send.clear()
            while self._unsent:
                message = self._unsent.popleft()
                if message is None:
                    return
                self._unsent_bytes -= len(message)
                try:
                    await self._ws.send_bytes(message)
                except (ConnectionError, RuntimeError):
                    return

    async def _close(self) -> None:
        if self._cut is None:
            self._cut = asyncio.get_running_loop().call_later(CLOSE_S, self.abort)
        try:
            await self._ws.close()
        finally:
            self._cut.cancel()


def _watch_host(ws: Socket) -> None:
    """Have the kernel notice a host that has gone, without a timer of ours."""
    connection = ws.get_extra_info("socket")
    if connection is None:
        return
    with suppress(OSError):
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE, DEAD_HOST_MS // 2000)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL, DEAD_HOST_MS // 4000)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_USER_TIMEOUT, DEAD_HOST_MS)
