"""What a handshake ends in: two ChaChaPoly ciphers that count their messages."""

from __future__ import annotations

from nacl._sodium import ffi, lib  # type: ignore[import-not-found]

from protocols.errors import LinkError, PeerError

MESSAGE_BYTES_MAX = 65_535
"""Of one Noise message, tag included."""
KEY_BYTES = 32
TAG_BYTES = 16
NONCE_MAX = 2**64 - 1
"""Reserved by Noise: the message that would need it is refused."""


class Cipher:
    """One key and the number of its next message; without a key yet, bytes pass as they are."""

    def __init__(self, key: bytes = b"", nonce: int = 0) -> None:
        assert len(key) in (0, KEY_BYTES)
        self.key = key
        self.nonce = nonce

    def seal(self, ad: bytes, plain: bytes) -> bytes:
        """Return the next message: 16 bytes longer once there is a key."""
        if not self.key:
            return plain
        nonce = self._nonce_bytes()
        sealed = bytearray(len(plain) + TAG_BYTES)
        lib.crypto_aead_chacha20poly1305_ietf_encrypt(
            ffi.from_buffer(sealed), ffi.NULL, plain, len(plain), ad, len(ad),
            ffi.NULL, nonce, self.key,
        )  # fmt: skip
        self.nonce += 1
        return bytes(sealed)

    def open(self, ad: bytes, sealed: bytes) -> bytes:
        """Return the next message's text; a refused message leaves the count as it was.

        Raises:
            PeerError: `noise_failed`.
        """
        if not self.key:
            return sealed
        if len(sealed) < TAG_BYTES:
            raise PeerError("noise_failed")
        nonce = self._nonce_bytes()
        plain = bytearray(len(sealed) - TAG_BYTES)
        failed = lib.crypto_aead_chacha20poly1305_ietf_decrypt(
            ffi.from_buffer(plain), ffi.NULL, ffi.NULL, sealed, len(sealed), ad, len(ad),
            nonce, self.key,
        )  # fmt: skip
        if failed:
            raise PeerError("noise_failed")
        self.nonce += 1
        return bytes(plain)

    def _nonce_bytes(self) -> bytes:
        if self.nonce >= NONCE_MAX:
            raise LinkError("noise_exhausted")
        return bytes(4) + self.nonce.to_bytes(8, "little")


class Channel:
    """Both directions after the handshake. Messages must arrive whole and in order."""

    def __init__(
        self, sending: Cipher, receiving: Cipher, handshake_hash: bytes, remote_static: bytes
    ) -> None:
        self._sending = sending
        self._receiving = receiving
        self.handshake_hash = handshake_hash
        """32 bytes that name this channel to both ends; what proofs inside it are bound to."""
        self.remote_static = remote_static
        """The peer's X25519 key as proved in the handshake; empty where the pattern has none."""

    def encrypt(self, plain: bytes) -> bytes:
        """Return the next message; `plain` is at most 65,519 bytes.

        Raises:
            LinkError: `noise_exhausted` after 2^64 - 1 messages. Reconnect.
        """
        assert len(plain) <= MESSAGE_BYTES_MAX - TAG_BYTES
        return self._sending.seal(b"", plain)

    def decrypt(self, message: bytes) -> bytes:
        """Return the plain text of the peer's next message.

        Raises:
            PeerError: `noise_failed`: not the peer's next message. Close the link.
            LinkError: `noise_exhausted` after 2^64 - 1 messages. Reconnect.
        """
        if len(message) > MESSAGE_BYTES_MAX:
            raise PeerError("noise_failed")
        return self._receiving.open(b"", message)
