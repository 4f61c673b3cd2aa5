"""The write-ahead log beside a book: how much of it is in use, and room made ahead of that.

A commit that makes a file longer is waited for twice: the disk takes the pages, and then the file
system's own note of the new length. So a node that runs makes its log longer ahead of its use, with
zeros, and once folded the log is used again from its beginning instead of being cut.

Its layout is SQLite's, "The WAL File Format" in the documentation of its database file.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

PAGE_BYTES = 4096
CHECKPOINT_PAGES = 4000
"""A busy book checkpoints by itself at this length; an idle one earlier, see `Store.rest`."""
LOG_BYTES_MAX = 16 * 1024 * 1024
"""The log is cut back to this when it begins anew."""

_HEAD_BYTES, _FRAME_BYTES = 32, 24 + PAGE_BYTES
_MAGIC = (b"\x37\x7f\x06\x82", b"\x37\x7f\x06\x83")
_SALT_OF_LOG, _SALT_OF_FRAME, _SALT_BYTES = 16, 8, 8

_ZEROS = bytes(64 * _FRAME_BYTES)
"""Made longer by so much at a time, some six commands: on a slow card the next commit takes 50 ms
more for it."""
_NEAR_BYTES = 32 * _FRAME_BYTES
"""So near to its end it is made longer after a commit: a registration takes 21 frames."""
_AHEAD_BYTES = 256 * _FRAME_BYTES
"""As long as this it is made while nobody waits, some 25 commands."""
_WHOLE_BYTES = _HEAD_BYTES + CHECKPOINT_PAGES * _FRAME_BYTES
_FREE_BYTES_MIN = 64 * 1024 * 1024
"""With less room on the disk none is taken ahead of need, and what was is given back."""


class Log:
    """The log of one open book. Nothing here fails: without room ahead commits take longer."""

    def __init__(self, path: Path) -> None:
        """Take the path of the book's file."""
        self._path = path.with_name(path.name + "-wal")
        self._file: int | None = None
        self.ahead = False
        """Whether room is made: in a node that runs for long. A command that opens the book for a
        moment would write more zeros than it saves."""
        self._watched_at = 0
        self._watched = b""
        """What stood in the frame there when it was last looked at: another salt since then says
        that the log has come so far, in this round or a later one."""

    def used(self) -> int:
        """Return the bytes of its present round; folded ones count until it begins anew.

        They are the first ones that carry the salt of its head. 0 where there is no log.
        """
        file = self._opened()
        with suppress(OSError):
            return _used(file) if file is not None else 0
        return 0

    def length(self) -> int:
        """Return the bytes of the file; 0 where there is none."""
        file = self._opened()
        with suppress(OSError):
            return os.fstat(file).st_size if file is not None else 0
        return 0

    def tight(self) -> bool:
        """Whether the disk has so little room that none is taken ahead."""
        file = self._opened()
        with suppress(OSError):
            return file is not None and not _has_room(file)
        return True

    def make_room(self) -> None:
        """Make the log longer near its end. Called soon after commits somebody waited for."""
        # What fails here says so at the next commit, where somebody waits for the answer.
        with suppress(OSError):
            file = self._opened() if self.ahead else None
            if file is not None and (
                not self._watched or _salt_at(file, self._watched_at) != self._watched
            ):
                self._lengthen(file, _NEAR_BYTES)

    def make_more_room(self) -> None:
        """Make the log longer by what a busy minute takes, and wait for the disk; called idle."""
        with suppress(OSError):
            file = self._opened() if self.ahead else None
            if file is not None:
                before = os.fstat(file).st_size
                while self._lengthen(file, _AHEAD_BYTES):
                    pass
                if os.fstat(file).st_size > before:
                    os.fsync(file)

    def _lengthen(self, file: int, least: int) -> bool:
        """Write zeros behind a log that has less room than this; return whether there were any."""
        ends = os.fstat(file).st_size
        missing = min(len(_ZEROS), _WHOLE_BYTES - ends)
        near = 0 < ends < _used(file) + least and missing > 0
        if near and not _has_room(file):
            # Watched as before, so that it is looked at again after the next commit.
            return False
        if near:
            ends += os.pwrite(file, _ZEROS[:missing], ends)
        self._watched_at = max(0, (ends - _NEAR_BYTES - _HEAD_BYTES) // _FRAME_BYTES)
        self._watched = _salt_at(file, self._watched_at)
        return near

    def close(self) -> None:
        """Let go of the file."""
        file, self._file = self._file, None
        with suppress(OSError):
            if file is not None:
                os.close(file)

    def _opened(self) -> int | None:
        if self._file is None:
            with suppress(OSError):
                self._file = os.open(self._path, os.O_RDWR | os.O_CLOEXEC)
        return self._file


def _used(file: int) -> int:
    head = os.pread(file, _HEAD_BYTES, 0)
    if head[:4] not in _MAGIC:
        return 0
    salt = head[_SALT_OF_LOG:][:_SALT_BYTES]
    low, high = 0, (os.fstat(file).st_size - _HEAD_BYTES) // _FRAME_BYTES
    while low < high:
        middle = (low + high) // 2
        if _salt_at(file, middle) == salt:
            low = middle + 1
        else:
            high = middle
    return _HEAD_BYTES + low * _FRAME_BYTES


def _salt_at(file: int, frame: int) -> bytes:
    return os.pread(file, _SALT_BYTES, _HEAD_BYTES + frame * _FRAME_BYTES + _SALT_OF_FRAME)


def _has_room(file: int) -> bool:
    found = os.fstatvfs(file)
    return found.f_bavail * found.f_frsize >= _FREE_BYTES_MIN
