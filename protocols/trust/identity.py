"""Device keys: what a device signs with, agrees keys with, and seals for others.

The one file that touches PyNaCl, beside `noise`. Nothing here draws randomness: seeds, salts,
nonces and ephemeral secrets are given, and the caller never gives the same nonce twice under
one key.
"""

from __future__ import annotations

import hashlib
import unicodedata
from dataclasses import dataclass, field
from typing import Self

from nacl._sodium import ffi, lib  # type: ignore[import-not-found]
from nacl.bindings import crypto_sign, crypto_sign_open, crypto_sign_seed_keypair
from nacl.exceptions import BadSignatureError
from nacl.pwhash import argon2id

from protocols.errors import PeerError
from protocols.ids import DeviceId

# `_sodium` is called directly where every entry passes: the checked wrappers of nacl.bindings
# cost 2.5 times as much. It checks nothing, so each function here checks every length itself.

KEY_BYTES = 32
SIGNATURE_BYTES = 64
NONCE_BYTES = 24
TAG_BYTES = 16
SEALED_TO_OVERHEAD_BYTES = KEY_BYTES + TAG_BYTES
"""What `seal_to` adds: the ephemeral public key and the tag."""

WRAP_VERSION = 1
WRAP_HEADER_BYTES = 1 + 4 + 4 + 16 + NONCE_BYTES
WRAP_OPS_MAX = 16
WRAP_MEM_MAX_BYTES = 1 << 30
"""A wrapped secret may come from elsewhere: it may not cost the reader more than this."""
WRAP_ENTROPY_BYTES = 16 + NONCE_BYTES

PASSPHRASE_OPS = 3
PASSPHRASE_MEM_BYTES = 64 << 20
"""About 0.2 s on a laptop, 1 s on a Raspberry Pi 3, and it fits beside a node in 1 GB."""

_RECOVERY_CONTEXT = b"fieldmesh recovery 1"


@dataclass(frozen=True, slots=True)
class DeviceKeys:
    """The secrets of one device, or of an organisation's root, with their public halves."""

    sign_seed: bytes = field(repr=False)
    """32 bytes: the Ed25519 seed."""
    agree_secret: bytes = field(repr=False)
    """32 bytes: the X25519 secret."""
    device: DeviceId = field(init=False)
    """The Ed25519 verify key."""
    agree_public: bytes = field(init=False)
    """The X25519 public key, 32 bytes."""
    _signing: bytes = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        public, signing = crypto_sign_seed_keypair(self.sign_seed)
        object.__setattr__(self, "device", DeviceId(public))
        object.__setattr__(self, "agree_public", agree_public(self.agree_secret))
        object.__setattr__(self, "_signing", signing)

    @classmethod
    def from_entropy(cls, entropy: bytes) -> Self:
        """Make the keys out of 64 random bytes: 32 to sign with, 32 to agree with."""
        assert len(entropy) == 2 * KEY_BYTES
        return cls(entropy[:KEY_BYTES], entropy[KEY_BYTES:])

    def sign(self, message: bytes) -> bytes:
        """Return the 64-byte Ed25519 signature; the message starts with its domain prefix."""
        return crypto_sign(message, self._signing)[:SIGNATURE_BYTES]


def verify(device: bytes, message: bytes, signature: bytes) -> bool:
    """Say whether `device` signed `message`. Never raises, whatever the bytes.

    Keys and nonce points of small order and values out of range are refused (libsodium's
    strict rules), so that every node judges a signature alike.
    """
    if len(device) != KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    try:
        crypto_sign_open(signature + message, device)
    except BadSignatureError:
        return False
    return True


def agree_public(secret: bytes) -> bytes:
    """Return the X25519 public key of a 32-byte secret."""
    assert len(secret) == KEY_BYTES
    public = bytearray(KEY_BYTES)
    lib.crypto_scalarmult_base(ffi.from_buffer(public), secret)
    return bytes(public)


def agree(secret: bytes, public: bytes) -> bytes | None:
    """Return the X25519 shared secret; None for a point of low order or a wrong length."""
    if len(public) != KEY_BYTES or len(secret) != KEY_BYTES:
        return None
    shared = bytearray(KEY_BYTES)
    # libsodium itself refuses every point that would give an all-zero secret.
    refused = lib.crypto_scalarmult(ffi.from_buffer(shared), secret, public)
    return None if refused else bytes(shared)


def seal(key: bytes, nonce: bytes, ad: bytes, plain: bytes) -> bytes:
    """Return XChaCha20-Poly1305 of `plain`: 16 bytes longer. Key 32, nonce 24 bytes."""
    assert len(key) == KEY_BYTES
    assert len(nonce) == NONCE_BYTES
    sealed = bytearray(len(plain) + TAG_BYTES)
    lib.crypto_aead_xchacha20poly1305_ietf_encrypt(
        ffi.from_buffer(sealed), ffi.NULL, plain, len(plain), ad, len(ad), ffi.NULL, nonce, key
    )
    return bytes(sealed)


def unseal(key: bytes, nonce: bytes, ad: bytes, sealed: bytes) -> bytes | None:
    """Return what `seal` sealed, or None when key, nonce, `ad` or bytes are not the same."""
    if len(sealed) < TAG_BYTES or len(key) != KEY_BYTES or len(nonce) != NONCE_BYTES:
        return None
    plain = bytearray(len(sealed) - TAG_BYTES)
    failed = lib.crypto_aead_xchacha20poly1305_ietf_decrypt(
        ffi.from_buffer(plain), ffi.NULL, ffi.NULL, sealed, len(sealed), ad, len(ad), nonce, key
    )
    return None if failed else bytes(plain)


def seal_to(recipient: bytes, ephemeral_secret: bytes, plain: bytes, context: bytes) -> bytes:
    """Seal to the holder of an X25519 key: ephemeral public key ‖ ciphertext, 48 bytes longer.

    `context` says what it is for; the same must be given to open it.

    Raises:
        PeerError: `bad_key` when `recipient` is a point of low order.
    """
    public = agree_public(ephemeral_secret)
    shared = agree(ephemeral_secret, recipient)
    if shared is None:
        raise PeerError("bad_key")
    key, nonce = _sealing_key(shared, public, recipient, context)
    return public + seal(key, nonce, b"", plain)


def unseal_from(agree_secret: bytes, sealed: bytes, context: bytes) -> bytes | None:
    """Return what `seal_to` sealed to the owner of this secret, or None."""
    public = sealed[:KEY_BYTES]
    shared = agree(agree_secret, public)
    if shared is None:
        return None
    key, nonce = _sealing_key(shared, public, agree_public(agree_secret), context)
    return unseal(key, nonce, b"", sealed[KEY_BYTES:])


def passphrase_key(passphrase: str, salt: bytes, *, ops: int, mem: int) -> bytes:
    """Return 32 bytes by Argon2id; `mem` in bytes, salt 16 bytes.

    The passphrase is taken in Unicode NFC: two keyboards compose the same letter differently.
    """
    secret = unicodedata.normalize("NFC", passphrase).encode()
    return argon2id.kdf(KEY_BYTES, secret, salt, opslimit=ops, memlimit=mem)


def wrap(
    secret: bytes,
    passphrase: str,
    entropy: bytes,
    *,
    ops: int = PASSPHRASE_OPS,
    mem: int = PASSPHRASE_MEM_BYTES,
) -> bytes:
    """Return the secret locked by a passphrase; `entropy` is 40 fresh random bytes.

    Layout: version u8 ‖ ops u32 ‖ memory in KiB u32 ‖ salt 16 ‖ nonce 24 ‖ ciphertext and tag.
    """
    assert len(entropy) == WRAP_ENTROPY_BYTES
    assert mem % 1024 == 0
    header = bytes([WRAP_VERSION]) + ops.to_bytes(4) + (mem // 1024).to_bytes(4) + entropy
    key = passphrase_key(passphrase, entropy[:16], ops=ops, mem=mem)
    return header + seal(key, entropy[16:], header, secret)


def unwrap(wrapped: bytes, passphrase: str) -> bytes | None:
    """Return the secret, or None for a wrong passphrase.

    Raises:
        PeerError: `malformed` when these are not the bytes of `wrap`, or ask for more work
            than we allow.
    """
    header, sealed = wrapped[:WRAP_HEADER_BYTES], wrapped[WRAP_HEADER_BYTES:]
    ops, mem = int.from_bytes(header[1:5]), int.from_bytes(header[5:9]) * 1024
    whole = len(sealed) >= TAG_BYTES and header[0] == WRAP_VERSION
    if not whole or not 1 <= ops <= WRAP_OPS_MAX or not 8192 <= mem <= WRAP_MEM_MAX_BYTES:
        raise PeerError("malformed", what="wrapped_secret")
    key = passphrase_key(passphrase, header[9:25], ops=ops, mem=mem)
    return unseal(key, header[25:], header, sealed)


def seal_recovery(secret: bytes, coordinator: bytes, ephemeral_secret: bytes) -> bytes:
    """Seal a recovery copy of a database key to a coordinator's X25519 key."""
    return seal_to(coordinator, ephemeral_secret, secret, _RECOVERY_CONTEXT)


def open_recovery(agree_secret: bytes, sealed: bytes) -> bytes | None:
    """Return the database key from a recovery copy that was sealed to this secret's owner."""
    return unseal_from(agree_secret, sealed, _RECOVERY_CONTEXT)


def _sealing_key(
    shared: bytes, ephemeral: bytes, recipient: bytes, context: bytes
) -> tuple[bytes, bytes]:
    """Key and nonce, both new with every ephemeral key."""
    derived = hashlib.blake2b(
        ephemeral + recipient + context,
        key=shared,
        digest_size=KEY_BYTES + NONCE_BYTES,
        person=b"fm-sealto-1",
    ).digest()
    return derived[:KEY_BYTES], derived[KEY_BYTES:]
