"""What the second implementer of the pages about bytes calls of libsodium and hashlib."""

from __future__ import annotations

from hashlib import blake2b

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt,
    crypto_aead_xchacha20poly1305_ietf_encrypt,
    crypto_scalarmult,
    crypto_scalarmult_base,
)
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey


def blake(text: bytes, person: str, size: int = 32) -> bytes:
    """Return H(person) of a text."""
    return blake2b(text, digest_size=size, person=person.encode()).digest()


def keyed(key: bytes, person: str, text: bytes = b"", size: int = 32) -> bytes:
    """Return a hash of a text under a key."""
    return blake2b(text, key=key, digest_size=size, person=person.encode()).digest()


def sign(seed: bytes, text: bytes) -> bytes:
    """Return an Ed25519 signature."""
    return SigningKey(seed).sign(text).signature


def verify_key(seed: bytes) -> bytes:
    """Return the Ed25519 key of a seed."""
    return SigningKey(seed).verify_key.encode()


def signed(key: bytes, text: bytes, signature: bytes) -> bool:
    """Whether a key signed a text."""
    try:
        VerifyKey(key).verify(text, signature)
    except BadSignatureError:
        return False
    return True


def public_of(secret: bytes) -> bytes:
    """Return the X25519 key of a secret."""
    return crypto_scalarmult_base(secret)


def agreed(secret: bytes, public: bytes) -> bytes:
    """Return what two agree on by X25519."""
    return crypto_scalarmult(secret, public)


def sealed(key: bytes, nonce: bytes, beside: bytes, plain: bytes) -> bytes:
    """Return XChaCha20-Poly1305 of a text."""
    return crypto_aead_xchacha20poly1305_ietf_encrypt(plain, beside, nonce, key)


def opened(key: bytes, nonce: bytes, beside: bytes, text: bytes) -> bytes:
    """Return what was sealed so."""
    return crypto_aead_xchacha20poly1305_ietf_decrypt(text, beside, nonce, key)
