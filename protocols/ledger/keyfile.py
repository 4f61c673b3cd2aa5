"""The key of the database, kept beside it and locked by the passphrase."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from protocols.errors import InputError, PeerError, SetupError
from protocols.ledger.safefile import remove_for_good, write_whole
from protocols.trust.identity import WRAP_ENTROPY_BYTES, unwrap, wrap

KEY_NAME = "ledger.key"
UNATTENDED_NAME = "ledger.unattended"
"""Holds the database key itself: an explicit choice at `init`, whose risk is stated there."""
KEY_BYTES = 32

Entropy = Callable[[int], bytes]


def make_key(folder: Path, passphrase: str, entropy: Entropy, *, unattended: bool) -> bytes:
    """Make a new database key and keep it, locked; return it."""
    key = entropy(KEY_BYTES)
    lock_key(folder, key, passphrase, entropy)
    if unattended:
        write_whole(folder / UNATTENDED_NAME, key)
    return key


def lock_key(folder: Path, key: bytes, passphrase: str, entropy: Entropy) -> None:
    """Keep a database key under a passphrase, instead of any other."""
    write_whole(folder / KEY_NAME, wrap(key, passphrase, entropy(WRAP_ENTROPY_BYTES)))


def read_key(folder: Path, passphrase: str | None) -> bytes:
    """Return the database key.

    Args:
        passphrase: None to open a folder that was made to restart unattended.

    Raises:
        InputError: `wrong_passphrase`, `no_passphrase`.
        SetupError: `no_key_file`, `key_readable`, `key_damaged`.
    """
    if passphrase is None:
        unattended = folder / UNATTENDED_NAME
        if not unattended.exists():
            raise InputError("no_passphrase")
        return _private(unattended)
    if not (folder / KEY_NAME).exists():
        raise SetupError("no_key_file")
    try:
        key = unwrap(_private(folder / KEY_NAME), passphrase)
    except PeerError:
        raise SetupError("key_damaged") from None
    if key is None:
        raise InputError("wrong_passphrase")
    return key


def forget_key(folder: Path) -> None:
    """Make the folder unreadable for good: what the panic key does."""
    for name in (UNATTENDED_NAME, KEY_NAME):
        remove_for_good(folder / name)


def _private(path: Path) -> bytes:
    if path.stat().st_mode & 0o077:
        raise SetupError("key_readable", file=path.name)
    return path.read_bytes()
