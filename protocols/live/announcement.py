"""What a node says about itself on the local network, and what it believes of others.

An announcement names nobody: a random instance, a version, a port, and a nonce with its MAC under
a key that only members of the operation hold. It is a hint whom to dial, never more.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from hmac import compare_digest
from ipaddress import ip_address

from protocols.ids import OperationId
from protocols.live.address import PORT_MAX, Address

SERVICE = "_fieldmesh._tcp.local."
VERSION = b"1"
NONCE_BYTES = 16
MAC_BYTES = 16
PORT_MIN = 1024
"""A hint never makes us knock at a system service."""
TXT_BYTES_MAX = 400
CANDIDATES_MAX = 64
"""Candidates remembered; the one longest unheard of goes first."""
_PERSON = b"fm-announce-1"
_KEY_PERSON = b"fm-discover-1"


def discovery_key(operation: OperationId) -> bytes:
    """Return the key by which members of an operation recognise each other's announcements.

    It keeps strangers from telling whose node this is; it protects nothing else.
    """
    return blake2b(operation, digest_size=32, person=_KEY_PERSON).digest()


def announce(key: bytes, port: int, entropy: Callable[[int], bytes]) -> dict[str, bytes]:
    """Return the TXT fields of a node that listens on `port`; another set each time."""
    nonce = entropy(NONCE_BYTES)
    proof = nonce + _mac(key, nonce, port)
    return {"v": VERSION, "p": str(port).encode(), "n": proof.hex().encode()}


def recognise(key: bytes, fields: Mapping[bytes, bytes | None], port: int) -> bool:
    """Whether these TXT fields were announced by a holder of `key` for this port."""
    size = sum(len(name) + len(value or b"") + 2 for name, value in fields.items())
    if size > TXT_BYTES_MAX or fields.get(b"v") != VERSION:
        return False
    if not PORT_MIN <= port <= PORT_MAX or fields.get(b"p") != str(port).encode():
        return False
    proof = _unhex(fields.get(b"n") or b"")
    nonce, mac = proof[:NONCE_BYTES], proof[NONCE_BYTES:]
    return compare_digest(mac, _mac(key, nonce, port))


def near(addresses: Iterable[str]) -> str | None:
    """Return the first address that is on this site: private, link-local or loopback."""
    for text in addresses:
        try:
            found = ip_address(text)
        except ValueError:
            continue
        if (found.is_private or found.is_link_local) and not (
            found.is_unspecified or found.is_multicast or found.is_reserved
        ):
            return text
    return None


@dataclass(frozen=True, slots=True)
class Candidate:
    """Somebody worth dialling."""

    instance: str
    """Random, changes with every start and every day."""
    address: Address


class Candidates:
    """The candidates heard of last, at most `CANDIDATES_MAX`."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Candidate] = OrderedDict()

    def __len__(self) -> int:
        return len(self._kept)

    def heard(self, candidate: Candidate) -> Candidate | None:
        """Remember it; return the one that had to go for it, if one had to."""
        self._kept.pop(candidate.instance, None)
        self._kept[candidate.instance] = candidate
        if len(self._kept) <= CANDIDATES_MAX:
            return None
        return self._kept.popitem(last=False)[1]


def _mac(key: bytes, nonce: bytes, port: int) -> bytes:
    message = nonce + port.to_bytes(2)
    return blake2b(message, digest_size=MAC_BYTES, key=key, person=_PERSON).digest()


def _unhex(text: bytes) -> bytes:
    size = NONCE_BYTES + MAC_BYTES
    if len(text) != 2 * size or not set(text) <= set(b"0123456789abcdef"):
        return bytes(size)
    return bytes.fromhex(text.decode("ascii"))
