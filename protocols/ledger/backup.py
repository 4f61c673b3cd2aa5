"""Backups: one encrypted file that opens under the node's own passphrase, verified when made.

A backup is a copy of the database under the same key, with the locked key in front, so that one
file and one passphrase are all a restore needs. It carries no token: what is restored begins a
new epoch and goes on writing at once.

    magic ‖ u32 length of the key file ‖ key file ‖ database ‖ BLAKE2b-256 of all before
"""

from __future__ import annotations

import os
import shutil
import struct
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from hashlib import blake2b
from pathlib import Path
from tempfile import mkdtemp
from typing import BinaryIO

from protocols.errors import InputError, LedgerError
from protocols.ledger import remembered, token
from protocols.ledger.book import Ledger
from protocols.ledger.erasing import wipe_copy
from protocols.ledger.folder import building
from protocols.ledger.inspection import Findings, check_copy
from protocols.ledger.keyfile import KEY_FILE_BYTES_MAX, KEY_NAME, unlocked
from protocols.ledger.place import DATABASE_NAME, MARK_NAME
from protocols.ledger.safefile import disk_trouble, sync_folder, write_new, write_whole
from protocols.ledger.store import copy_file, open_copy

MAGIC = b"fieldmesh backup 1\n"
SUM_BYTES = 32
PIECE_BYTES = 1 << 20
"""Read and written at a time."""

_LENGTH = struct.Struct(">I")

Check = Callable[[Path, bytes], Findings]
"""Checks a copy of a book under its key; a running node has it done in another process."""


@dataclass(frozen=True, slots=True)
class Source:
    """What is copied: all a backup needs of a running book, so that it keeps no thread waiting."""

    folder: Path
    key: bytes


@dataclass(frozen=True, slots=True)
class BackupReport:
    """What a backup or a restore holds, checked."""

    entries: int
    feeds: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Restored:
    """What a restore made, and how much of what happened since it knows."""

    entries: int
    feeds: int
    bytes: int
    made_ms: int | None
    """When the backup was made, Unix milliseconds; None when it does not say."""
    erases: int
    """Erases ordered since that files beside it told of; they are carried out."""
    alone: bool
    """Nobody else is known who could have erased anything since."""


@dataclass(frozen=True, slots=True)
class Verified:
    """What is in a backup, and whether all of it is as it was written."""

    entries: int
    feeds: int
    ok: bool
    problems: tuple[str, ...]


def source_of(ledger: Ledger) -> Source:
    """Return what `backup` copies; call it on the ledger's own thread."""
    assert ledger.store.path is not None
    return Source(ledger.store.path.parent, ledger.store.key)


def backup(
    source: Source,
    target: Path,
    wall_ms: int,
    *,
    check: Check = check_copy,
    going_on: Callable[[], bool] = lambda: True,
) -> BackupReport:
    """Write a verified backup to a new file; the book may be written meanwhile, from any thread.

    Args:
        target: Needs room for twice the database while it is made.
        going_on: Asked now and then; False gives up with LedgerError `stopped`.

    Raises:
        InputError: `target_exists`.
        SetupError: `place_closed`.
        LedgerError: `backup_failed` when what was written does not verify, `disk_full`,
            `disk_failed`, `stopped`. Nothing is left of it then.
    """
    with disk_trouble():
        if target.exists():
            raise InputError("target_exists", field="to")
        with _beside(target) as place:
            copy, whole = place / DATABASE_NAME, place / "whole"
            found = _copied(source, copy, wall_ms, check, going_on)
            write_new(whole, _packed(copy, (source.folder / KEY_NAME).read_bytes()))
            if not _sum_holds(whole):
                raise LedgerError("backup_failed")
            # Never over what appeared meanwhile; a rename would.
            _move_new(whole, target)
        remembered.keep_beside(source.folder, target)
        sync_folder(target.parent)
        size = target.stat().st_size
    with suppress(LedgerError):
        write_whole(source.folder / MARK_NAME, str(wall_ms).encode())
    return BackupReport(found.entries, found.feeds, size)


def check_running(
    source: Source, *, check: Check = check_copy, going_on: Callable[[], bool] = lambda: True
) -> Findings:
    """Check a copy of a book that is being written; needs room for it on the book's own disk.

    Raises:
        LedgerError: `disk_full`, `disk_failed`, `stopped`.
    """
    with disk_trouble(), _beside(source.folder / "check") as place:
        copy_file(source.folder / DATABASE_NAME, source.key, place / DATABASE_NAME, going_on)
        return check(place / DATABASE_NAME, source.key)


def verify(archive: Path, passphrase: str, place: Path) -> Verified:
    """Say what a backup holds and whether it is whole.

    Args:
        place: An empty private folder with room for the database; it is left empty.

    Raises:
        InputError: `not_a_backup`, `wrong_passphrase`.
        LedgerError: `backup_damaged` when the file is not as it was written.
    """
    database = place / DATABASE_NAME
    with disk_trouble():
        try:
            found = check_copy(database, unlocked(_unpack(archive, database), passphrase))
        finally:
            database.unlink(missing_ok=True)
    return Verified(found.entries, found.feeds, found.ok, found.problems)


def restore(
    archive: Path, folder: Path, passphrase: str, wall_ms: int, orders: Sequence[Path] = ()
) -> Restored:
    """Make a new data folder of a backup, after verifying all of it.

    What was ordered to be erased since is carried out before it can be read, as far as files of
    orders tell: those named, those beside the backup and the one left in the folder.

    Raises:
        SetupError: `book_exists`, `folder_not_empty`, `place_closed`.
        InputError: `wrong_passphrase`, `not_a_backup`; as `remembered.carry_out`.
        LedgerError: `backup_damaged`, `disk_full`, `disk_failed`. The folder is as it was then.
    """
    with disk_trouble(), building(folder) as place:
        database = place / DATABASE_NAME
        locked = _unpack(archive, database)
        key = unlocked(locked, passphrase)
        found = check_copy(database, key)
        if not found.ok:
            raise LedgerError("backup_damaged")
        known = remembered.carry_out(
            place,
            key,
            [remembered.read(path) for path in orders],
            remembered.found_beside(archive, folder),
            wall_ms,
        )
        write_whole(place / KEY_NAME, locked)
    size = archive.stat().st_size
    return Restored(found.entries, found.feeds, size, known.made_ms, known.erases, known.alone)


def _copied(
    source: Source, copy: Path, wall_ms: int, check: Check, going_on: Callable[[], bool]
) -> Findings:
    copy_file(source.folder / DATABASE_NAME, source.key, copy, going_on)
    store = open_copy(copy, source.key)
    try:
        token.write(store, token.NO_INSTALLATION)
        remembered.note_made(store, wall_ms)
        wipe_copy(store)
    finally:
        store.close()
    found = check(copy, source.key)
    if not going_on():
        raise LedgerError("stopped")
    if not found.ok:
        raise LedgerError("backup_failed")
    return found


@contextmanager
def _beside(target: Path) -> Iterator[Path]:
    """Give a private place on the target's own disk; nothing of it stays."""
    place = Path(mkdtemp(prefix=f".{target.name}-", dir=target.parent))
    try:
        yield place
    finally:
        shutil.rmtree(place, ignore_errors=True)


def _move_new(whole: Path, target: Path) -> None:
    try:
        os.link(whole, target)
    except FileExistsError:
        raise InputError("target_exists", field="to") from None
    except OSError:
        # A file system without links, as on most sticks.
        whole.replace(target)


def _packed(database: Path, locked: bytes) -> Iterator[bytes]:
    total = blake2b(digest_size=SUM_BYTES)
    with database.open("rb") as held:
        for piece in (MAGIC, _LENGTH.pack(len(locked)), locked):
            total.update(piece)
            yield piece
        while piece := held.read(PIECE_BYTES):
            total.update(piece)
            yield piece
    yield total.digest()


def _sum_holds(archive: Path) -> bool:
    """Read back what was written, from the disk itself where the system lets us."""
    with archive.open("rb") as held:
        os.posix_fadvise(held.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        total = blake2b(digest_size=SUM_BYTES)
        for piece in _pieces(held, archive.stat().st_size - SUM_BYTES):
            total.update(piece)
        return held.read() == total.digest()


def _unpack(archive: Path, database: Path) -> bytes:
    """Take a backup apart: write its database, return its key file."""
    with archive.open("rb") as held:
        if held.read(len(MAGIC)) != MAGIC:
            raise InputError("not_a_backup", field="from")
        size = _LENGTH.unpack(held.read(_LENGTH.size).ljust(_LENGTH.size, b"\0"))[0]
        if not 0 < size <= KEY_FILE_BYTES_MAX:
            raise InputError("not_a_backup", field="from")
        locked = held.read(size)
        rest = archive.stat().st_size - held.tell() - SUM_BYTES
        if rest <= 0 or not _sum_holds(archive):
            raise LedgerError("backup_damaged")
        write_new(database, _pieces(held, rest))
    return locked


def _pieces(held: BinaryIO, size: int) -> Iterator[bytes]:
    while size > 0 and (piece := held.read(min(PIECE_BYTES, size))):
        yield piece
        size -= len(piece)
