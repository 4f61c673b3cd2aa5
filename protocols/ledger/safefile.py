"""Small files that are whole or not there: written aside, fsynced, moved into place."""

from __future__ import annotations

import os
from pathlib import Path

from protocols.errors import LedgerError


def write_whole(path: Path, content: bytes) -> None:
    """Replace a file so that a power cut leaves the old or the new one; mode 0600.

    Raises:
        LedgerError: `disk_full` or `disk_failed`.
    """
    aside = path.with_name(path.name + ".new")
    try:
        handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o600)
        try:
            os.write(handle, content)
            os.fsync(handle)
        finally:
            os.close(handle)
        aside.replace(path)
        sync_folder(path.parent)
    except OSError as error:
        raise LedgerError("disk_full" if error.errno == 28 else "disk_failed") from None


def remove_for_good(path: Path) -> None:
    """Overwrite, then unlink: on flash an old copy may survive until it is written over."""
    if not path.exists():
        return
    handle = os.open(path, os.O_WRONLY)
    try:
        os.write(handle, bytes(path.stat().st_size))
        os.fsync(handle)
    finally:
        os.close(handle)
    path.unlink()
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make what was created, moved or removed in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
