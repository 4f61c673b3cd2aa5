"""A file that stays in memory while something is measured on it.

A system with room keeps what was read of a file. Some hosts do not: they drive out what nobody read
for a minute, whatever is free, and their disks take up to a second to give one page back.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_LIBC = ctypes.CDLL(None, use_errno=True)
_LIBC.mmap.restype = ctypes.c_void_p
_LIBC.mmap.argtypes = (
    *(ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int),
    *(ctypes.c_int, ctypes.c_int, ctypes.c_long),
)
_LIBC.mlock.argtypes = _LIBC.munmap.argtypes = (ctypes.c_void_p, ctypes.c_size_t)
_READ, _SHARED = 1, 1
"""`PROT_READ` and `MAP_SHARED` of Linux."""
_FAILED = ctypes.c_void_p(-1).value
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


@contextmanager
def held(path: Path) -> Iterator[int]:
    """Lock a file's pages in memory; yield how many bytes, 0 where the system refuses."""
    size = path.stat().st_size
    file = os.open(path, os.O_RDONLY)
    at = _LIBC.mmap(None, size, _READ, _SHARED, file, 0)
    os.close(file)
    if at == _FAILED:
        yield 0
        return
    try:
        yield 0 if _LIBC.mlock(at, size) else size
    finally:
        _LIBC.munmap(at, size)
