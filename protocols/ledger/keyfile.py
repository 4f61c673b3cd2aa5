"""The key of the database, kept beside it and locked by the passphrase."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from protocols.errors import InputError, PeerError, SetupError
from protocols.ledger.place import UNATTENDED_NAME, opens_unattended
from protocols.ledger.safefile import ASIDE, disk_trouble, remove_for_good, write_whole
from protocols.trust.identity import (
    WRAP_ENTROPY_BYTES,
    open_recovery,
    seal_recovery,
    unwrap,
    wrap,
)

KEY_NAME = "ledger.key"
RECOVERY_NAME = "ledger.recovery"
"""Holds the database key sealed to a coordinator, for a passphrase that nobody knows any more."""
KEY_BYTES = 32
KEY_FILE_BYTES_MAX = 4096
"""A locked key is about a hundred bytes; more is none."""

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
    write_whole(folder / KEY_NAME, locked(key, passphrase, entropy))


def locked(key: bytes, passphrase: str, entropy: Entropy) -> bytes:
    """Return what a key file holds: the key under a passphrase, by Argon2id."""
    return wrap(key, passphrase, entropy(WRAP_ENTROPY_BYTES))


def read_key(folder: Path, passphrase: str | None) -> bytes:
    """Return the database key.

    Args:
        passphrase: None to open a folder that was made to restart unattended.

    Raises:
        InputError: `wrong_passphrase`, `no_passphrase`.
        SetupError: `no_key_file`, `key_readable`, `key_damaged`.
    """
    if passphrase is not None:
        return unlocked(_private(folder / KEY_NAME), passphrase)
    if not opens_unattended(folder):
        raise InputError("no_passphrase")
    return _whole(_private(folder / UNATTENDED_NAME))


def unlocked(held: bytes, passphrase: str) -> bytes:
    """Return the database key out of what a key file holds.

    Raises:
        InputError: `wrong_passphrase`.
        SetupError: `key_damaged`.
    """
    try:
        key = unwrap(held, passphrase)
    except PeerError:
        raise SetupError("key_damaged") from None
    if key is None:
        raise InputError("wrong_passphrase")
    return _whole(key)


def forget_key(folder: Path) -> None:
    """Make the folder unreadable for whoever holds it and the passphrase: the panic key.

    The copy sealed to a coordinator stays: what opens it is not on this device.
    """
    for name in (UNATTENDED_NAME, KEY_NAME):
        remove_for_good(folder / name)
        remove_for_good(folder / (name + ASIDE))


def keep_recovery(folder: Path, key: bytes, coordinator: bytes, entropy: Entropy) -> None:
    """Keep a copy of the database key that only a coordinator's agreement secret opens.

    Args:
        coordinator: X25519 public key, 32 bytes.
    """
    sealed = seal_recovery(key, coordinator, entropy(KEY_BYTES))
    write_whole(folder / RECOVERY_NAME, coordinator + sealed)


def recovers_with(folder: Path) -> bytes:
    """Return the agreement key that the recovery copy is sealed to; b'' when there is none."""
    try:
        return (folder / RECOVERY_NAME).read_bytes()[:KEY_BYTES]
    except FileNotFoundError:
        return b""


def recovered(recovery: bytes, agree_secret: bytes, passphrase: str, entropy: Entropy) -> bytes:
    """Return a new key file out of a recovery copy: what a coordinator does for another device.

    Raises:
        InputError: `not_for_us` when it is sealed to somebody else or damaged.
    """
    key = open_recovery(agree_secret, recovery[KEY_BYTES:])
    if key is None or len(key) != KEY_BYTES:
        raise InputError("not_for_us")
    return locked(key, passphrase, entropy)


def recover_to(
    target: Path, recovery: Path, agree_secret: bytes, passphrase: str, entropy: Entropy
) -> None:
    """Write a new key file for the folder whose recovery copy this is.

    Raises:
        InputError: `target_exists`, `not_for_us`.
        SetupError: `no_such_place`, `place_closed`.
        LedgerError: `disk_full`, `disk_failed`.
    """
    with disk_trouble():
        if target.exists():
            raise InputError("target_exists", field="to")
        with recovery.open("rb") as held:
            sealed = held.read(KEY_FILE_BYTES_MAX)
        write_whole(target, recovered(sealed, agree_secret, passphrase, entropy))


def _private(path: Path) -> bytes:
    with disk_trouble():
        try:
            if path.stat().st_mode & 0o077:
                raise SetupError("key_readable", file=path.name)
            with path.open("rb") as held:
                return held.read(KEY_FILE_BYTES_MAX)
        except FileNotFoundError:
            raise SetupError("no_key_file") from None


def _whole(key: bytes) -> bytes:
    if len(key) != KEY_BYTES:
        raise SetupError("key_damaged")
    return key
