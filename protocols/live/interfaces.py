"""Which addresses of this machine are on the site's own networks, and when that changes."""

from __future__ import annotations

import asyncio
import fcntl
import socket
import struct
from collections.abc import Callable
from contextlib import suppress

from protocols.live.announcement import near

SETTLE_S = 1.0
"""An address comes with several messages; they are answered once."""
ANY_HOST = ("0.0.0.0", "::", "")  # noqa: S104
"""Listening everywhere."""
_SIOCGIFADDR = 0x8915
_RTMGRP_IPV4_IFADDR = 0x10
_NETLINK_BYTES_MAX = 65_536


def site_addresses(listen_host: str) -> list[str]:
    """Return the IPv4 addresses to announce on, one an interface, for a node that listens there."""
    if listen_host not in ANY_HOST:
        return [listen_host] if near([listen_host]) else []
    return [address for address in _addresses() if near([address]) and not _is_loopback(address)]


class NetworkWatch:
    """Calls back when an address of this machine came or went, without polling."""

    def __init__(self, changed: Callable[[], None]) -> None:
        self._changed = changed
        self._socket: socket.socket | None = None
        self._settle: asyncio.TimerHandle | None = None

    def start(self) -> bool:
        """Begin; False where the kernel does not tell us, and nothing will be called."""
        netlink = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE)
        try:
            netlink.setblocking(False)
            netlink.bind((0, _RTMGRP_IPV4_IFADDR))
        except OSError:
            netlink.close()
            return False
        self._socket = netlink
        asyncio.get_running_loop().add_reader(netlink, self._heard)
        return True

    def stop(self) -> None:
        """End."""
        if self._settle is not None:
            self._settle.cancel()
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None

    def _heard(self) -> None:
        assert self._socket is not None
        with suppress(OSError):
            self._socket.recv(_NETLINK_BYTES_MAX)
        if self._settle is None:
            self._settle = asyncio.get_running_loop().call_later(SETTLE_S, self._tell)

    def _tell(self) -> None:
        self._settle = None
        self._changed()


def _addresses() -> list[str]:
    found = []
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        for _, name in socket.if_nameindex():
            request = struct.pack("256s", name.encode()[:15])
            # An interface without an IPv4 address is no fault.
            with suppress(OSError):
                answer = fcntl.ioctl(probe, _SIOCGIFADDR, request)
                found.append(socket.inet_ntoa(answer[20:24]))
    return found


def _is_loopback(address: str) -> bool:
    return address.startswith("127.")
