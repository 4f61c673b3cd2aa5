"""The write-ahead log beside a book: how much of it is in use, and room made ahead of that.

A commit that makes a file longer is waited for twice: the disk takes the pages, and then the file
system's own note of the new length. So the log is made longer ahead of its use, with zeros, a piece
at a time, and once folded it is used again from its beginning instead of being cut.

Its layout is SQLite's, "The WAL File Format" in the documentation of its database file.
"""

from __future__ import annotations

import os
from pathlib import Path

PAGE_BYTES = 4096
CHECKPOINT_PAGES = 4000
"""A busy book checkpoints by itself at this length; an idle one earlier, see `Store.fold`."""
LOG_BYTES_MAX = 16 * 1024 * 1024
"""The log is cut back to this when it begins anew."""

_HEAD_BYTES, _FRAME_BYTES = 32, 24 + PAGE_BYTES
_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_SALT_OF_LOG, _SALT_OF_FRAME, _SALT_BYTES = 16, 8, 8

_PIECE_BYTES = 128 * _FRAME_BYTES
"""Zeros written at a time, 515 kB: the room of some 12 commands."""
_WATCH_BYTES = _PIECE_BYTES // 2
"""So much before its end the log is made longer."""
_LOOK_EVERY = 3
"""Commits between two looks at how far it has come: three registrations take 63 of 64 frames."""
_WHOLE_BYTES = _HEAD_BYTES + CHECKPOINT_PAGES * _FRAME_BYTES
_FREE_BYTES_MIN = 64 * 1024 * 1024
"""With less room on the disk none is taken ahead of need."""


class Log:
    """The log of one open book. Nothing here fails: without room ahead commits take longer."""

    def __init__(self, path: Path) -> None:
        """Take the path of the book's file."""
        self._path = path.with_name(path.name + "-wal")
        self._file: int | None = None
        self._unlooked = 0
        """Commits since somebody looked."""
        self._watched_at = 0
        self._watched = b""
        """What stood in the frame there when it was last looked at: another salt since then says
        that the log has come so far, in this round or a later one."""

    def used(self) -> int:
        """Return the bytes of its present round; folded ones count until it begins anew.

        They are the first ones that carry the salt of its head.
        """
        file = self._opened()
        head = os.pread(file, _HEAD_BYTES, 0) if file is not None else b""
        if file is None or head[:4] not in _MAGIC:
            return 0
        salt = head[_SALT_OF_LOG:][:_SALT_BYTES]
        low, high = 0, (os.fstat(file).st_size - _HEAD_BYTES) // _FRAME_BYTES
        while low < high:
            middle = (low + high) // 2
            if self._salt_at(file, middle) == salt:
                low = middle + 1
            else:
                high = middle
        return _HEAD_BYTES + low * _FRAME_BYTES

    def make_room(self) -> None:
        """Make the log longer near its end. Called after commits that somebody waited for."""
        self._unlooked += 1
        if self._unlooked < _LOOK_EVERY:
            return
        self._unlooked = 0
        try:
            file = self._opened()
            if file is not None and (
                not self._watched or self._salt_at(file, self._watched_at) != self._watched
            ):
                self._lengthen(file)
        except OSError:
            # A disk that fails says so at the next commit, where somebody waits for the answer.
            return

    def _lengthen(self, file: int) -> None:
        ends = os.fstat(file).st_size
        free = os.fstatvfs(file)
        missing = min(_PIECE_BYTES, _WHOLE_BYTES - ends)
        near = 0 < ends <= self.used() + _WATCH_BYTES
        if near and missing > 0 and free.f_bavail * free.f_frsize >= _FREE_BYTES_MIN:
            ends += os.pwrite(file, bytes(missing), ends)
        self._watched_at = max(0, (ends - _WATCH_BYTES - _HEAD_BYTES) // _FRAME_BYTES)
        self._watched = self._salt_at(file, self._watched_at)

    def close(self) -> None:
        """Let go of the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None

    def _opened(self) -> int | None:
        if self._file is None:
            try:
                self._file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
            except OSError:
                return None
        return self._file

    @staticmethod
    def _salt_at(file: int, frame: int) -> bytes:
        return os.pread(file, _SALT_BYTES, _HEAD_BYTES + frame * _FRAME_BYTES + _SALT_OF_FRAME)
