"""HOST:PORT as people type it and as sockets take it."""

from __future__ import annotations

from ipaddress import ip_address
from typing import NamedTuple

from protocols.errors import InputError

HOST_CHARS_MAX = 253
"""The longest name DNS can hold."""
PORT_MAX = 65_535
_HOST_CHARS = frozenset("abcdefghijklmnopqrstuvwxyz0123456789.-_")


class Address(NamedTuple):
    """Where a node listens."""

    host: str
    """A name or a bare IPv4 or IPv6 address, without brackets; lower case."""
    port: int

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @classmethod
    def parse(cls, text: str) -> Address:
        """Read `host:port`, `192.0.2.1:7400` or `[2001:db8::1]:7400`.

        Raises:
            InputError: `bad_address` when it is none of them.
        """
        host, colon, port = text.strip().lower().rpartition(":")
        if host.startswith("[") and host.endswith("]"):
            host = host[1:-1]
            named = _is_ipv6(host)
        else:
            named = 0 < len(host) <= HOST_CHARS_MAX and set(host) <= _HOST_CHARS
        # Digits in other scripts are digits to Python and nothing to a socket.
        numbered = port.isascii() and port.isdecimal() and len(port) <= 5
        if not (colon and named and numbered and int(port) <= PORT_MAX):
            raise InputError("bad_address", field="address")
        return cls(host, int(port))


def _is_ipv6(text: str) -> bool:
    try:
        return ip_address(text.partition("%")[0]).version == 6
    except ValueError:
        return False
