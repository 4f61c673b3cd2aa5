"""The installation token: tells a restored or copied book from the one that was here.

A random id outside the database is renewed at each start. It is written and fsynced before the
database takes it, and the file keeps the one before, so a power cut between the two is no
alarm. With it goes what a copy cannot take along: the hardware's serial number and the device
and inode of the database file. Backups carry no token.

    file: latest 16 ‖ the one before 16 (zero before the first) ‖ place 16
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

from protocols.ledger.place import DATABASE_NAME
from protocols.ledger.safefile import disk_trouble, write_whole
from protocols.ledger.store import Store

TOKEN_NAME = "token"
TOKEN_BYTES = 16
PLACE_BYTES = 16
NEVER = bytes(TOKEN_BYTES)
"""Stands for the token of a book that was never opened from its own folder."""
NO_INSTALLATION = b"restored backup."
"""Stands in a backup for the token: what is restored from it was never installed."""


def moved(store: Store, folder: Path, serial: str) -> str:
    """Say why this book must begin a new epoch, or '' when it is where it was.

    Returns:
        'restored' when the token is gone or another, 'copied' when hardware or file differ.
    """
    held, kept = _held(store), _kept(folder)
    if held == NEVER and not kept:
        return ""
    latest, previous, place = kept[:16], kept[16:32], kept[32:]
    if held not in (latest, previous):
        return "restored"
    return "" if place == _place(folder, serial) else "copied"


def renew(store: Store, folder: Path, serial: str, entropy: Callable[[int], bytes]) -> None:
    """Give this start its own token: file first, then the database."""
    latest = entropy(TOKEN_BYTES)
    write_whole(folder / TOKEN_NAME, latest + _held(store) + _place(folder, serial))
    write(store, latest)


def write(store: Store, token: bytes) -> None:
    """Let a database hold this token."""
    with store.atomic():
        store.execute("INSERT OR REPLACE INTO meta VALUES ('token', ?)", (token,))


def _held(store: Store) -> bytes:
    row = store.one("SELECT value FROM meta WHERE name = 'token'")
    return bytes(row[0]) if row else NEVER


def _kept(folder: Path) -> bytes:
    with disk_trouble():
        try:
            return (folder / TOKEN_NAME).read_bytes()
        except FileNotFoundError:
            return b""


def _place(folder: Path, serial: str) -> bytes:
    """What a copy cannot take along, hashed so that a serial number is not kept in clear."""
    with disk_trouble():
        found = (folder / DATABASE_NAME).stat()
    text = f"{serial}\0{found.st_dev}\0{found.st_ino}".encode()
    return blake2b(text, digest_size=PLACE_BYTES, person=b"fm-place-1").digest()
