"""The secure channel: Noise with X25519, ChaChaPoly and BLAKE2s.

XX at first contact, IK when the peer's key is known, XXpsk3 for enrolment by code. Pure: the
ephemeral secret is given. A handshake that fails is thrown away; the caller reconnects.

Source: The Noise Protocol Framework, revision 34.
"""

from __future__ import annotations

import hmac
from dataclasses import dataclass
from hashlib import blake2s

from protocols.errors import PeerError
from protocols.trust.channel import MESSAGE_BYTES_MAX, TAG_BYTES, Channel, Cipher
from protocols.trust.identity import agree, agree_public

__all__ = ["IK", "XX", "XXPSK3", "Channel", "Handshake", "Pattern"]

_KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Pattern:
    """Who sends what in a handshake."""

    name: str
    messages: tuple[tuple[str, ...], ...]
    """Steps of each message; the initiator sends the first, then they take turns."""
    responder_known: bool = False
    """The initiator knows the responder's static key beforehand; below: the other way round."""
    initiator_known: bool = False


XX = Pattern("XX", (("e",), ("e", "ee", "s", "es"), ("s", "se")))
IK = Pattern("IK", (("e", "es", "s", "ss"), ("e", "ee", "se")), responder_known=True)
XXPSK3 = Pattern("XXpsk3", (("e",), ("e", "ee", "s", "es"), ("s", "se", "psk")))


class Handshake:
    """One side of a handshake. Call `write` and `read` in turn until `finished`, then `split`."""

    def __init__(  # noqa: PLR0913 - the inputs of a Noise handshake
        self,
        pattern: Pattern,
        initiator: bool,
        prologue: bytes,
        static_secret: bytes,
        ephemeral_secret: bytes,
        remote_static: bytes | None = None,
        psk: bytes | None = None,
    ) -> None:
        assert psk is None or len(psk) == _KEY_BYTES
        self._pattern, self._initiator, self._psk, self._turn = pattern, initiator, psk, 0
        self._secrets = {"e": ephemeral_secret, "s": static_secret}
        self._public = {side: agree_public(secret) for side, secret in self._secrets.items()}
        self._remote = {"s": remote_static or b"", "e": b""}
        self._chain = self._hash = _protocol_hash(pattern)
        self._cipher = Cipher()
        self._mix_hash(prologue)
        ours, theirs = (self._public, self._remote)[:: 1 if initiator else -1]
        if pattern.initiator_known:
            self._mix_hash(ours["s"])
        if pattern.responder_known:
            self._mix_hash(theirs["s"])

    @property
    def finished(self) -> bool:
        """Whether all messages have passed, so that `split` may be called."""
        return self._turn == len(self._pattern.messages)

    @property
    def remote_static(self) -> bytes:
        """The peer's X25519 key once it has come (32 bytes), else empty."""
        return self._remote["s"]

    @property
    def handshake_hash(self) -> bytes:
        """The hash of all that has passed so far, 32 bytes."""
        return self._hash

    def write(self, payload: bytes = b"") -> bytes:
        """Return our next handshake message. The pattern says who reads which payload.

        Raises:
            PeerError: `noise_failed` when the peer's key is of low order.
        """
        assert not self.finished
        assert self._mine()
        parts = []
        for step in self._pattern.messages[self._turn]:
            if step in ("e", "s"):
                parts.append(self._seal(self._public[step], clear=step == "e"))
            else:
                self._mix_secret(step)
        parts.append(self._seal(payload))
        self._turn += 1
        message = b"".join(parts)
        assert len(message) <= MESSAGE_BYTES_MAX
        return message

    def read(self, message: bytes) -> bytes:
        """Take the peer's next handshake message and return its payload.

        Raises:
            PeerError: `noise_failed`: out of turn, too long or short, or not authentic.
        """
        if self.finished or self._mine() or len(message) > MESSAGE_BYTES_MAX:
            raise PeerError("noise_failed")
        for step in self._pattern.messages[self._turn]:
            if step in ("e", "s"):
                size = _KEY_BYTES + (TAG_BYTES if step == "s" and self._cipher.key else 0)
                part, message = message[:size], message[size:]
                if len(part) != size:
                    raise PeerError("noise_failed")
                self._remote[step] = self._open(part, clear=step == "e")
            else:
                self._mix_secret(step)
        payload = self._open(message)
        self._turn += 1
        return payload

    def split(self) -> Channel:
        """Return the channel, once."""
        assert self.finished
        first, second = _hkdf(self._chain, b"", 2)
        ours, theirs = (first, second) if self._initiator else (second, first)
        return Channel(Cipher(ours), Cipher(theirs), self._hash, self._remote["s"])

    def _mine(self) -> bool:
        return (self._turn % 2 == 0) == self._initiator

    def _mix_hash(self, part: bytes) -> None:
        self._hash = blake2s(self._hash + part).digest()

    def _mix_key(self, material: bytes) -> None:
        self._chain, key = _hkdf(self._chain, material, 2)
        self._cipher = Cipher(key)

    def _mix_secret(self, step: str) -> None:
        if step == "psk":
            self._chain, extra, key = _hkdf(self._chain, self._psk or b"", 3)
            self._mix_hash(extra)
            self._cipher = Cipher(key)
            return
        mine, theirs = tuple(step if self._initiator else reversed(step))
        shared = agree(self._secrets[mine], self._remote[theirs])
        if shared is None:
            raise PeerError("noise_failed")
        self._mix_key(shared)

    def _seal(self, plain: bytes, clear: bool = False) -> bytes:
        sealed = plain if clear else self._cipher.seal(self._hash, plain)
        self._passed(sealed, ephemeral=clear)
        return sealed

    def _open(self, sealed: bytes, clear: bool = False) -> bytes:
        plain = sealed if clear else self._cipher.open(self._hash, sealed)
        self._passed(sealed, ephemeral=clear)
        return plain

    def _passed(self, sealed: bytes, ephemeral: bool) -> None:
        self._mix_hash(sealed)
        if ephemeral and self._psk is not None:
            self._mix_key(sealed)


def _protocol_hash(pattern: Pattern) -> bytes:
    name = f"Noise_{pattern.name}_25519_ChaChaPoly_BLAKE2s".encode()
    return name.ljust(32, b"\0") if len(name) <= 32 else blake2s(name).digest()


def _hkdf(chain: bytes, material: bytes, count: int) -> list[bytes]:
    root = hmac.new(chain, material, blake2s).digest()
    parts, last = [], b""
    for number in range(1, count + 1):
        last = hmac.new(root, last + bytes([number]), blake2s).digest()
        parts.append(last)
    return parts
