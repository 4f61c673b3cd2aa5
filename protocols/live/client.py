"""A waiting client of a running node, for commands: one call at a time, and events to follow."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

from protocols.errors import LinkError
from protocols.live.api import Reply, Request
from protocols.live.lines import LINE_BYTES_MAX, decode_reply, encode, find_socket, raised

CONNECT_S = 2.0
"""A node that runs accepts at once; one that stops does not."""
CALL_S = 60.0
"""The longest one call may take; a slow disk under a large import stays below it."""


class LocalClient:
    """Calls the node of one data folder over its socket."""

    def __init__(self, folder: Path, *, call_s: float = CALL_S) -> None:
        """Connect.

        Raises:
            LinkError: `no_node` when none serves this folder.
        """
        self._call_s = call_s
        self._buffer = bytearray()
        self._count = 0
        self._events: list[Reply] = []
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(CONNECT_S)
        try:
            self._socket.connect(str(find_socket(folder)))
        except (OSError, LinkError):
            self._socket.close()
            raise LinkError("no_node") from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def close(self) -> None:
        """Leave."""
        self._socket.close()

    def call(self, call: str, *, wait_s: float | None = None, **args: Any) -> Any:
        """Return the node's answer as plain lists, dicts and values.

        Args:
            wait_s: For a call that may take longer than others.

        Raises:
            FieldmeshError: As the node refused it, of the same kind and with the same code.
            LinkError: `node_left` when it stopped, `node_slow` when it did not answer in time.
        """
        self._count += 1
        self._write(encode(Request(self._count, call, args)))
        while (reply := self._read(wait_s or self._call_s)).id != self._count:
            if reply.error is not None:
                raise raised(reply.error)
            # A few set names between two calls of one command, folded by the node.
            self._events.append(reply)
        if reply.error is not None:
            raise raised(reply.error)
        return reply.result

    def follow(self, *tables: str) -> Iterator[frozenset[str]]:
        """Subscribe now; yield each set of tables that changed since, all when none is named.

        The iterator ends with LinkError `node_left` when the node stops.
        """
        self.call("subscribe", tables=list(tables))
        return self._changes()

    def wait_until_gone(self) -> None:
        """Return once the node has closed this connection: its book is closed by then.

        Raises:
            LinkError: `node_slow` when it goes on.
        """
        try:
            while True:
                self._read(self._call_s)
        except LinkError as error:
            if error.code != "node_left":
                raise

    def _changes(self) -> Iterator[frozenset[str]]:
        while True:
            reply = self._events.pop(0) if self._events else self._read(None)
            if reply.error is not None:
                raise raised(reply.error)
            if reply.event == "changed":
                yield frozenset(reply.result)

    def _write(self, line: bytes) -> None:
        self._socket.settimeout(self._call_s)
        try:
            self._socket.sendall(line)
        except TimeoutError:
            raise LinkError("node_slow") from None
        except OSError:
            # Why it closed the door may still be readable.
            raise self._last_word() from None

    def _read(self, wait_s: float | None) -> Reply:
        self._socket.settimeout(wait_s)
        try:
            return decode_reply(self._next_line())
        except TimeoutError:
            raise LinkError("node_slow") from None
        except OSError:
            raise LinkError("node_left") from None

    def _next_line(self) -> bytes:
        searched = 0
        while (end := self._buffer.find(b"\n", searched)) < 0:
            searched = len(self._buffer)
            if searched > LINE_BYTES_MAX:
                raise LinkError("bad_line")
            chunk = self._socket.recv(65_536)
            if not chunk:
                raise LinkError("node_left")
            self._buffer += chunk
        line = bytes(self._buffer[:end])
        del self._buffer[: end + 1]
        return line

    def _last_word(self) -> Exception:
        try:
            reply = self._read(CONNECT_S)
        except LinkError as error:
            return error
        return raised(reply.error) if reply.error is not None else LinkError("node_left")
