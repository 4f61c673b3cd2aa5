"""The node's end of the local socket: calls from commands and terminals of the same user.

One connection's calls are answered one after the other. What a slow client has not read never
grows: its next answer waits for it, and changes fold into one set of table names.
"""

from __future__ import annotations

import asyncio
import os
import socket
import struct
from collections.abc import Awaitable, Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from protocols.errors import FieldmeshError, InputError
from protocols.live.api import Failure, Reply, Request
from protocols.live.journal import Journal
from protocols.live.lines import (
    LINE_BYTES_MAX,
    POINTER_NAME,
    decode_request,
    encode,
    failure,
    place_socket,
)
from protocols.live.worker import code_of

CLIENTS_MAX = 64
"""Commands and terminals connected at once; one more is told `too_many_clients`."""
LAST_CALL_S = 1.0
"""How long a stopping node waits for calls that have begun."""
_CREDENTIALS = struct.Struct("3i")
"""pid, uid, gid, as SO_PEERCRED gives them."""


@dataclass(frozen=True, slots=True)
class Caller:
    """Who is calling: one connection of a process of the same user."""

    number: int
    """Counted from 1 while the node runs; a session logged in over it ends with it."""
    pid: int


Handler = Callable[[Caller, dict[str, Any]], Awaitable[object]]
"""Answers one call with something msgspec can write, or raises a FieldmeshError."""


class LocalServer:
    """Listens on a Unix socket beside the data and answers from a table of calls."""

    def __init__(
        self,
        handlers: Mapping[str, Handler],
        journal: Journal,
        *,
        left: Callable[[Caller], None] | None = None,
    ) -> None:
        self._handlers = handlers
        self._journal = journal
        self._left = left
        self._clients: dict[int, _Client] = {}
        self._count = 0
        self._server: asyncio.Server | None = None
        self._folder: Path | None = None
        self.path: Path | None = None
        """Where it listens, while it does."""

    async def start(self, folder: Path) -> None:
        """Listen for the node of this data folder, whose lock the caller holds."""
        self.path, self._folder = place_socket(folder), folder
        # Under the folder's lock a socket found here is one that a killed node left.
        self.path.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(
            self._connected, self.path, limit=LINE_BYTES_MAX - 1, backlog=CLIENTS_MAX
        )
        self.path.chmod(0o600)

    async def stop(self) -> None:
        """Stop listening, remove the socket, send the answers that are due within `LAST_CALL_S`."""
        if self._server is None or self.path is None or self._folder is None:
            return
        self._server.close()
        self.path.unlink(missing_ok=True)
        (self._folder / POINTER_NAME).unlink(missing_ok=True)
        tasks = [client.leave() for client in self._clients.values()]
        if tasks:
            _, late = await asyncio.wait(tasks, timeout=LAST_CALL_S)
            for task in late:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
        self._server = self.path = None

    def publish(self, tables: Iterable[str]) -> None:
        """Tell every subscriber that these tables have changed."""
        changed = frozenset(tables)
        for client in self._clients.values():
            client.changed(changed)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        pid, user = _peer_of(writer)
        self._count += 1
        client = _Client(Caller(self._count, pid), reader, writer, task)
        refusal = self._refusal(user)
        if refusal is not None:
            self._journal.note(refusal)
            await client.refuse(refusal)
            return
        self._clients[client.caller.number] = client
        try:
            await client.serve(self._handlers, self._journal)
        except asyncio.CancelledError:
            # The node stops; streams would print a cancelled task as a fault.
            pass
        finally:
            del self._clients[client.caller.number]
            client.close()
            if self._left is not None:
                self._left(client.caller)

    def _refusal(self, user: int) -> str | None:
        if user != os.geteuid():
            return "other_user"
        return "too_many_clients" if len(self._clients) >= CLIENTS_MAX else None


class _Client:
    def __init__(
        self,
        caller: Caller,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        task: asyncio.Task[None],
    ) -> None:
        self.caller = caller
        self.task = task
        self._reader = reader
        self._writer = writer
        self._pending: set[str] = set()
        self._wake = asyncio.Event()
        self._wanted: frozenset[str] | None = None
        """Tables it subscribed to; empty = all; None = not subscribed."""
        self._follower: asyncio.Task[None] | None = None
        self._busy = False
        self._leaving = False

    async def serve(self, handlers: Mapping[str, Handler], journal: Journal) -> None:
        """Answer line after line until the client leaves or breaks the form."""
        with suppress(ConnectionError):
            while line := await self._next_line():
                try:
                    request = decode_request(line)
                except InputError as error:
                    await self._send(Reply(0, error=failure(error)))
                    return
                self._busy = True
                await self._send(await self._answer(request, handlers, journal))
                self._busy = False
                if self._leaving:
                    return

    def leave(self) -> asyncio.Task[None]:
        """End after the running call, or now; return the task to wait for."""
        self._leaving = True
        if not self._busy:
            self.task.cancel()
        return self.task

    async def refuse(self, code: str) -> None:
        with suppress(ConnectionError):
            await self._send(Reply(0, error=Failure(code)))
        self.close()

    def changed(self, tables: frozenset[str]) -> None:
        if self._wanted is None:
            return
        self._pending |= tables & self._wanted if self._wanted else tables
        if self._pending:
            self._wake.set()

    def close(self) -> None:
        if self._follower is not None:
            self._follower.cancel()
        self._writer.close()

    async def _next_line(self) -> bytes:
        try:
            return await self._reader.readuntil(b"\n")
        except asyncio.IncompleteReadError:
            return b""
        except asyncio.LimitOverrunError:
            error = InputError("line_too_long", most=LINE_BYTES_MAX)
            await self._send(Reply(0, error=failure(error)))
            return b""

    async def _answer(
        self, request: Request, handlers: Mapping[str, Handler], journal: Journal
    ) -> Reply:
        try:
            if request.call == "subscribe":
                return Reply(request.id, result=self._subscribe(request.args))
            handler = handlers.get(request.call)
            if handler is None:
                raise InputError("unknown_call", field="call")
            return Reply(request.id, result=await handler(self.caller, request.args))
        except FieldmeshError as error:
            return Reply(request.id, error=failure(error))
        except Exception as error:
            # A fault of ours costs one answer, never the node; its text stays out of the log.
            journal.note(code_of(error))
            return Reply(request.id, error=Failure("fault", fault="us"))

    def _subscribe(self, args: dict[str, Any]) -> list[str]:
        tables = args.get("tables", [])
        if not isinstance(tables, list) or not all(isinstance(name, str) for name in tables):
            raise InputError("bad_line", field="args.tables")
        self._wanted = frozenset(tables)
        if self._follower is None:
            self._follower = asyncio.create_task(self._follow())
        return sorted(self._wanted)

    async def _follow(self) -> None:
        with suppress(ConnectionError):
            while await self._wake.wait():
                self._wake.clear()
                tables, self._pending = sorted(self._pending), set()
                await self._send(Reply(0, result=tables, event="changed"))

    async def _send(self, reply: Reply) -> None:
        self._writer.write(_fitting(reply))
        await self._writer.drain()


def _fitting(reply: Reply) -> bytes:
    try:
        return encode(reply)
    except InputError as error:
        return encode(Reply(reply.id, error=failure(error)))


def _peer_of(writer: asyncio.StreamWriter) -> tuple[int, int]:
    connection = writer.get_extra_info("socket")
    raw = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
    pid, user, _ = _CREDENTIALS.unpack(raw)
    return int(pid), int(user)
