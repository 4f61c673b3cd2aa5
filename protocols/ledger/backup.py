"""Backups: one encrypted file that opens under the node's own passphrase, verified when made.

A backup is a copy of the database under the same key, with the locked key in front, so that one
file and one passphrase are all a restore needs. It carries no token: what is restored begins a
new epoch and goes on writing at once.
"""

from __future__ import annotations

import os
import shutil
import struct
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from protocols.errors import InputError, LedgerError, SetupError
from protocols.ledger import token
from protocols.ledger.book import Ledger
from protocols.ledger.inspection import inspect
from protocols.ledger.keyfile import KEY_NAME, read_key
from protocols.ledger.safefile import sync_folder, write_whole
from protocols.ledger.store import DATABASE_NAME, connect_plainly, open_file

MAGIC = b"fieldmesh backup 1\n"
_LENGTH = struct.Struct(">I")
MARK_NAME = "last_backup"
"""File in the data folder that says when the last backup was made."""
KEY_FILE_BYTES_MAX = 4096


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a backup or a restore holds, checked."""

    entries: int
    feeds: int
    bytes: int


def backup(ledger: Ledger, target: Path, wall_ms: int) -> BackupReport:
    """Write a verified backup of a running book to a new file.

    Raises:
        InputError: `target_exists`.
        LedgerError: `backup_failed` when what was written does not verify; it is removed.
    """
    if target.exists():
        raise InputError("target_exists", field="to")
    source = ledger.store.path
    assert source is not None
    locked = (source.parent / KEY_NAME).read_bytes()
    aside = target.with_name(target.name + ".part")
    with TemporaryDirectory(dir=source.parent, prefix=".backup-") as place:
        copy = Path(place) / DATABASE_NAME
        connection = connect_plainly(copy, ledger.store.key)
        try:
            ledger.store.copy_to(connection)
            connection.execute(
                "INSERT OR REPLACE INTO meta VALUES ('token', ?)", (token.NO_INSTALLATION,)
            )
        finally:
            connection.close()
        try:
            report = _verify(Path(place), ledger.store.key)
        except LedgerError:
            raise LedgerError("backup_failed") from None
        _pack(copy, locked, aside)
    aside.replace(target)
    sync_folder(target.parent)
    write_whole(source.parent / MARK_NAME, str(wall_ms).encode())
    return report


def last_backup_ms(folder: Path) -> int | None:
    """When the last backup of a folder was made, Unix milliseconds, or None."""
    mark = folder / MARK_NAME
    return int(mark.read_bytes()) if mark.exists() else None


def restore(source: Path, folder: Path, passphrase: str) -> BackupReport:
    """Make a new data folder of a backup, after verifying all of it.

    Raises:
        SetupError: `book_exists`, `folder_not_empty`.
        InputError: `wrong_passphrase`, `not_a_backup`.
        LedgerError: `backup_damaged`.
    """
    if folder.exists() and any(folder.iterdir()):
        raise SetupError("folder_not_empty")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=folder.parent, prefix=".restore-") as place:
        inside = Path(place) / "node"
        inside.mkdir(mode=0o700)
        locked = _unpack(source, inside / DATABASE_NAME)
        write_whole(inside / KEY_NAME, locked)
        key = read_key(inside, passphrase)
        try:
            report = _verify(inside, key)
        except LedgerError:
            raise LedgerError("backup_damaged") from None
        if folder.exists():
            folder.rmdir()
        inside.replace(folder)
    sync_folder(folder.parent)
    return report


def _verify(folder: Path, key: bytes) -> BackupReport:
    store = open_file(folder, key)
    try:
        found = inspect(Ledger(store))
    finally:
        store.close()
    if not found.ok:
        raise LedgerError("damaged")
    return BackupReport(found.entries, found.feeds, (folder / DATABASE_NAME).stat().st_size)


def _pack(copy: Path, locked: bytes, target: Path) -> None:
    handle = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as out, copy.open("rb") as database:
        out.write(MAGIC + _LENGTH.pack(len(locked)) + locked)
        shutil.copyfileobj(database, out)
        out.flush()
        os.fsync(out.fileno())


def _unpack(source: Path, database: Path) -> bytes:
    with source.open("rb") as held:
        if held.read(len(MAGIC)) != MAGIC:
            raise InputError("not_a_backup", field="from")
        size = _LENGTH.unpack(held.read(_LENGTH.size).ljust(_LENGTH.size, b"\0"))[0]
        if not 0 < size <= KEY_FILE_BYTES_MAX:
            raise InputError("not_a_backup", field="from")
        locked = held.read(size)
        with database.open("xb") as out:
            shutil.copyfileobj(held, out)
            out.flush()
            os.fsync(out.fileno())
    return locked
