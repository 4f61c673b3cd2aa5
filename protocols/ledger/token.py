"""The installation token: tells a restored or copied book from the one that was here.

A random id outside the database is renewed at each start. It is written and fsynced before the
database takes it, and the file keeps the one before, so a power cut between the two is no
alarm. With it goes what a copy cannot take along: the hardware's serial number and the device
and inode of the database file. Backups carry no token.
"""

from __future__ import annotations

from collections.abc import Callable
from hashlib import blake2b
from pathlib import Path

from protocols.ledger.safefile import write_whole
from protocols.ledger.store import DATABASE_NAME, Store

TOKEN_NAME = "token"
TOKEN_BYTES = 16
PLACE_BYTES = 16
NO_INSTALLATION = b"backup"
"""Stands in a backup for the token: what is restored from it was never installed."""


def moved(store: Store, folder: Path, serial: str) -> str:
    """Say why this book must begin a new epoch, or '' when it is where it was.

    Returns:
        'restored' when the token is gone or another, 'copied' when hardware or file differ.
    """
    row = store.one("SELECT value FROM meta WHERE name = 'token'")
    held = bytes(row[0]) if row else b""
    path = folder / TOKEN_NAME
    kept = path.read_bytes() if path.exists() else b""
    if not held and not kept:
        return ""
    latest, previous = kept[:TOKEN_BYTES], kept[TOKEN_BYTES : 2 * TOKEN_BYTES]
    if not held or held not in (latest, previous):
        return "restored"
    return "" if kept[2 * TOKEN_BYTES :] == _place(folder, serial) else "copied"


def renew(store: Store, folder: Path, serial: str, entropy: Callable[[int], bytes]) -> None:
    """Give this start its own token: file first, then the database."""
    row = store.one("SELECT value FROM meta WHERE name = 'token'")
    previous = bytes(row[0]) if row else bytes(TOKEN_BYTES)
    latest = entropy(TOKEN_BYTES)
    write_whole(folder / TOKEN_NAME, latest + previous + _place(folder, serial))
    with store.atomic():
        store.execute("INSERT OR REPLACE INTO meta VALUES ('token', ?)", (latest,))


def _place(folder: Path, serial: str) -> bytes:
    """What a copy cannot take along, hashed so that a serial number is not kept in clear."""
    stat = (folder / DATABASE_NAME).stat()
    text = f"{serial}\0{stat.st_dev}\0{stat.st_ino}".encode()
    return blake2b(text, digest_size=PLACE_BYTES, person=b"fm-place-1").digest()
