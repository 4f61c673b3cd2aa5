"""The handshake of one link: which pattern, and what each says of itself in it.

First byte of the first message, in clear: 1 = XX (first contact), 2 = IK (the peer's key is
known), 3 = XXpsk3 (enrolment by one-time code). The rest is Noise.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import IntEnum
from typing import Annotated

import msgspec
from msgspec import Meta

from protocols.errors import PeerError
from protocols.trust.channel import Channel
from protocols.trust.identity import DeviceKeys
from protocols.trust.noise import IK, XX, XXPSK3, Handshake
from protocols.trust.statements import Key32, SignedStatement, pack, unpack

MESH_VERSION = 1
CHAIN_MAX = 4
PROLOGUE = b"fieldmesh mesh 1"
EPHEMERAL_BYTES = 32


class Manner(IntEnum):
    """Which handshake."""

    FIRST_CONTACT = 1
    KNOWN_PEER = 2
    ENROLMENT = 3


_PATTERNS = {Manner.FIRST_CONTACT: XX, Manner.KNOWN_PEER: IK, Manner.ENROLMENT: XXPSK3}


class Hello(msgspec.Struct, array_like=True, frozen=True, forbid_unknown_fields=True):
    """What a node says of itself inside the handshake."""

    version: Annotated[int, Meta(ge=1, le=255)]
    operation: Key32
    epoch: Annotated[bytes, Meta(min_length=8, max_length=8)]
    arrival: Annotated[int, Meta(ge=0, lt=2**62)]
    """How many entries its book has numbered."""
    wall_ms: Annotated[int, Meta(ge=0, lt=2**48)]
    """Its clock, for display and suspicion only."""
    hold_epoch: Annotated[bytes, Meta(max_length=8)] = b""
    """The peer's epoch that `hold` counts in; empty while the peer is not known yet."""
    hold: Annotated[int, Meta(ge=0, lt=2**62)] = 0
    """Everything of the peer up to this arrival number of the peer is held."""
    chain: Annotated[tuple[SignedStatement, ...], Meta(max_length=CHAIN_MAX)] = ()
    """Its certificate and those above, issuer first; left out with a known peer."""


class Greeting:
    """One handshake, from the first message to the open channel."""

    def __init__(
        self,
        keys: DeviceKeys,
        ephemeral: bytes,
        *,
        peer_agree: bytes | None = None,
        psks: Sequence[bytes] = (),
        dialled: bool,
    ) -> None:
        self._keys = keys
        self._ephemeral = ephemeral
        self._psks = psks
        self._peer_agree = peer_agree
        self.dialled = dialled
        self._tries: list[Handshake] = []
        self.manner = Manner.FIRST_CONTACT
        if dialled:
            if psks:
                self.manner = Manner.ENROLMENT
            elif peer_agree:
                self.manner = Manner.KNOWN_PEER
            self._begin()
        self.channel: Channel | None = None
        self.psk: bytes | None = None
        """Which one-time code opened an enrolment."""

    def _begin(self) -> None:
        prologue = PROLOGUE + bytes((self.manner,))
        psks: Sequence[bytes | None] = self._psks if self.manner is Manner.ENROLMENT else (None,)
        remote = self._peer_agree if self.dialled and self.manner is Manner.KNOWN_PEER else None
        self._tries = [
            Handshake(
                _PATTERNS[self.manner],
                self.dialled,
                prologue,
                self._keys.agree_secret,
                self._ephemeral,
                remote_static=remote,
                psk=psk,
            )
            for psk in psks
        ]
        if not self._tries:
            raise PeerError("no_invitation")

    def write(self, payload: bytes) -> bytes:
        """Return the next handshake message."""
        messages = [handshake.write(payload) for handshake in self._tries]
        first = self.dialled and self.channel is None and not self._spoken
        self._settle()
        return bytes((self.manner,)) + messages[0] if first else messages[0]

    def read(self, message: bytes) -> bytes:
        """Take the peer's next handshake message; return its payload.

        Raises:
            PeerError: `noise_failed`, `malformed`, `no_invitation`.
        """
        if not self.dialled and not self._tries:
            if not message or message[0] not in _PATTERNS:
                raise PeerError("malformed", what="greeting")
            self.manner, message = Manner(message[0]), message[1:]
            self._begin()
        payload = self._read_any(message)
        self._settle()
        return payload

    _spoken = False

    def _settle(self) -> None:
        self._spoken = True
        handshake = self._tries[0]
        if handshake.finished:
            self.channel = handshake.split()

    def _read_any(self, message: bytes) -> bytes:
        held: list[tuple[Handshake, bytes, int]] = []
        for at, handshake in enumerate(self._tries):
            try:
                held.append((handshake, handshake.read(message), at))
            except PeerError:
                continue
        if not held:
            raise PeerError("noise_failed")
        if held[0][0].finished and self.manner is Manner.ENROLMENT:
            self.psk = self._psks[held[0][2]]
        self._tries = [handshake for handshake, _, _ in held]
        self._psks = [self._psks[at] for _, _, at in held] if self._psks else ()
        return held[0][1]

    @property
    def answered(self) -> bool:
        """Whether we have said something: a peer that fails after it had what it needed."""
        return self._spoken

    @property
    def peer_agree(self) -> bytes:
        """The peer's proven X25519 key; empty until it is."""
        return self._tries[0].remote_static if self._tries else b""


def encode_hello(hello: Hello) -> bytes:
    """Return a hello's bytes."""
    return pack(hello)


def decode_hello(raw: bytes) -> Hello:
    """Read a peer's hello.

    Raises:
        PeerError: `malformed`, `not_canonical`, `version` when it speaks a later protocol only.
    """
    hello = unpack(Hello, raw)
    if hello.version != MESH_VERSION:
        raise PeerError("version", got=hello.version, ours=MESH_VERSION)
    return hello
