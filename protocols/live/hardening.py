"""What a process that holds patient data asks of the kernel before it opens any."""

from __future__ import annotations

import ctypes
import os
import resource

PRIVATE_UMASK = 0o077
"""Nothing this process makes is readable by another user."""
_PR_GET_DUMPABLE = 3
_PR_SET_DUMPABLE = 4


def harden() -> bool:
    """Turn core dumps off, keep other processes of this user out, make new files private.

    Call it first, before a key or a name is in memory. Returns False when the kernel refused
    any of it, which the caller tells the person who runs the node.
    """
    os.umask(PRIVATE_UMASK)
    try:
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (OSError, ValueError):
        return False
    return _prctl(_PR_SET_DUMPABLE) == 0 and not dumpable()


def dumpable() -> bool:
    """Whether the kernel would still write this process's memory to a core file."""
    return _prctl(_PR_GET_DUMPABLE) != 0


def _prctl(option: int) -> int:
    libc = ctypes.CDLL(None, use_errno=True)
    return int(libc.prctl(option, 0, 0, 0, 0))
