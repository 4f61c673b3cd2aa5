"""Who may come in: limits on connections, before and after one has become a link.

A connection that has not yet asked properly is only worth a little memory for a short time:
when there are too many, the oldest of the busiest address goes, so a flood of silent ones never
keeps an honest peer out.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from aiohttp import web

from protocols.live.link import CLOSE_S, HEARTBEAT_S, MESSAGE_BYTES_MAX

ROUTE = "/mesh"
"""The only path that answers with more than 404."""
ASK_S = 5.0
"""How long a connection may take to ask for a link."""
HALF_OPEN_MAX = 64
"""Connections that have not asked yet."""
HALF_OPEN_PER_HOST = 16
HEADER_BYTES_MAX = 2048
"""One line of a request; a real one has lines below 100."""
HEADERS_MAX = 32

Welcome = Callable[[web.WebSocketResponse, str], Awaitable[None]]
"""Carries a link from the address until it closes."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How many links there may be."""

    links_max: int = 32
    """Links in all, dialled ones included."""
    links_per_host: int = 4
    """Links that one address may hold; raise it where a hospital sits behind one address."""


@dataclass(slots=True)
class _Waiting:
    host: str
    transport: asyncio.Transport
    deadline: asyncio.TimerHandle


class _Handler(web.RequestHandler):
    """Answers what is no request with a status alone: never with what a stranger sent."""

    __slots__ = ()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Return the answer to a request that could not be read."""
        return _refuse(status)


class Door(web.Server):
    """The listening side: HTTP just far enough to become a WebSocket."""

    def __init__(self, welcome: Welcome, limits: Limits, open_links: Callable[[], int]) -> None:
        super().__init__(
            self._answer,
            access_log=None,
            logger=_silent(),
            lingering_time=0,
            max_line_size=HEADER_BYTES_MAX,
            max_field_size=HEADER_BYTES_MAX,
            max_headers=HEADERS_MAX,
        )
        self._welcome = welcome
        self._limits = limits
        self._open_links = open_links
        self._waiting: dict[web.RequestHandler, _Waiting] = {}
        """Half-open connections, oldest first."""
        self._guests: Counter[str] = Counter()
        """Links by address."""

    def __call__(self) -> web.RequestHandler:
        """Return what reads one connection."""
        return _Handler(self, loop=self._loop, **self._kwargs)

    @property
    def half_open(self) -> int:
        """Connections that have not asked for a link yet."""
        return len(self._waiting)

    def connection_made(self, handler: web.RequestHandler, transport: asyncio.Transport) -> None:
        """Give a new connection `ASK_S` to ask; make room for it first."""
        super().connection_made(handler, transport)
        host = _host(transport)
        self._make_room(host)
        deadline = asyncio.get_running_loop().call_later(ASK_S, transport.abort)
        self._waiting[handler] = _Waiting(host, transport, deadline)

    def connection_lost(
        self, handler: web.RequestHandler, exc: BaseException | None = None
    ) -> None:
        """Forget it."""
        self._forget(handler)
        super().connection_lost(handler, exc)

    def _make_room(self, host: str) -> None:
        hosts = Counter(waiting.host for waiting in self._waiting.values())
        if hosts[host] < HALF_OPEN_PER_HOST:
            if len(self._waiting) < HALF_OPEN_MAX:
                return
            host = hosts.most_common(1)[0][0]
        oldest = next(key for key, waiting in self._waiting.items() if waiting.host == host)
        transport = self._waiting[oldest].transport
        self._forget(oldest)
        transport.abort()

    def _forget(self, handler: web.RequestHandler) -> None:
        waiting = self._waiting.pop(handler, None)
        if waiting is not None:
            waiting.deadline.cancel()

    async def _answer(self, request: web.BaseRequest) -> web.StreamResponse:
        self._forget(request.protocol)
        ws = web.WebSocketResponse(
            timeout=CLOSE_S,
            heartbeat=HEARTBEAT_S,
            compress=False,
            max_msg_size=MESSAGE_BYTES_MAX + 1,
        )
        host = request.remote or ""
        if request.path != ROUTE or not ws.can_prepare(request):
            return _refuse(404)
        if (
            self._open_links() >= self._limits.links_max
            or self._guests[host] >= self._limits.links_per_host
        ):
            return _refuse(503)
        self._guests[host] += 1
        try:
            _say_little(ws)
            await ws.prepare(request)
            await self._welcome(ws, host)
        except ConnectionError:
            pass
        finally:
            self._guests[host] -= 1
            if not self._guests[host]:
                del self._guests[host]
        return ws


def _refuse(status: int) -> web.Response:
    answer = web.Response(status=status)
    answer.force_close()
    _say_little(answer)
    return answer


def _say_little(answer: web.StreamResponse) -> None:
    """Neither name the software nor tell the time; every byte of a handshake counts too."""
    for header in ("Server", "Date", "Content-Type"):
        answer.headers[header] = ""


def _host(transport: asyncio.Transport) -> str:
    name = transport.get_extra_info("peername")
    return str(name[0]) if isinstance(name, tuple) and name else ""


def _silent() -> logging.Logger:
    """Return a logger that keeps what a stranger sent out of every log."""
    logger = logging.Logger("door")
    logger.addHandler(logging.NullHandler())
    return logger
