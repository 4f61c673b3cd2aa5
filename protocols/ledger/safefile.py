"""Small files that are whole or not there: written aside, fsynced, moved into place."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from protocols.errors import FieldmeshError, LedgerError, SetupError

ASIDE = ".new"
"""Ending of a file that is being written; one that a power cut left is overwritten."""

_NO_ROOM = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
_NOT_OURS = (errno.EACCES, errno.EPERM, errno.EROFS)
_NOT_THERE = (errno.ENOENT, errno.ENOTDIR)


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file so that a power cut leaves the old or the new one; mode 0600.

    Raises:
        LedgerError: `disk_full` or `disk_failed`; the old file stands and nothing lies about.
        SetupError: `place_closed`.
    """
    aside = path.with_name(path.name + ASIDE)
    with disk_trouble():
        try:
            write_new(aside, (content,))
            aside.replace(path)
        except BaseException:
            aside.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def write_new(path: Path, pieces: Iterable[bytes]) -> None:
    """Write a durable file of mode 0600 in place of any of this name."""
    path.unlink(missing_ok=True)
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(handle, "wb") as out:
        for piece in pieces:
            out.write(piece)
        out.flush()
        os.fsync(out.fileno())


def remove_for_good(path: Path) -> None:
    """Overwrite, then unlink: on flash an old copy may survive until it is written over."""
    with disk_trouble():
        try:
            handle = os.open(path, os.O_WRONLY | os.O_CLOEXEC)
        except FileNotFoundError:
            return
        try:
            os.write(handle, bytes(os.fstat(handle).st_size))
            os.fsync(handle)
        finally:
            os.close(handle)
            path.unlink()
            sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make what was created, moved or removed in a folder durable."""
    handle = os.open(folder, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextmanager
def disk_trouble() -> Iterator[None]:
    """Name what the system refuses, without the paths in its own words."""
    try:
        yield
    except OSError as error:
        raise named(error) from None


def named(error: OSError) -> FieldmeshError:
    """Return the error of ours that stands for one of the system."""
    if error.errno in _NO_ROOM:
        return LedgerError("disk_full")
    if error.errno in _NOT_OURS:
        return SetupError("place_closed")
    if error.errno in _NOT_THERE:
        return SetupError("no_such_place")
    return LedgerError("disk_failed")
