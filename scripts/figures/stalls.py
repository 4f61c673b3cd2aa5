"""Moments in which this machine ran nothing at all: a shared host takes its processors away."""

from __future__ import annotations

import os
import time
from contextlib import suppress
from pathlib import Path
from threading import Event, Thread, get_native_id
from types import TracebackType

_PRESSURE = Path("/proc/pressure/io")
LOOKS_S = 0.002
STALL_S = 0.02
"""A sleeper that wakes this late was kept from it: an idle processor wakes it within 0.1 ms."""


def disk_waited_ms() -> float:
    """Return for how long anything on this machine has waited for a disk so far; 0: nobody counts.

    What the kernel's pressure stall information says of io, in milliseconds.
    """
    if not _PRESSURE.exists():
        return 0.0
    some = _PRESSURE.read_text(encoding="ascii").splitlines()[0]
    return int(some.rpartition("=")[2]) / 1000


class Stalls:
    """Watches from a thread that only sleeps, for as long as it is entered."""

    def __init__(self) -> None:
        self.found: list[tuple[float, float]] = []
        """(from, until), as `time.perf_counter` says."""
        self._over = Event()
        self._thread = Thread(target=self._watch, name="stalls", daemon=True)

    def __enter__(self) -> Stalls:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def between(self, start: float, end: float) -> bool:
        """Whether the machine stalled in this time, or in part of it."""
        return any(since < end and until > start for since, until in self.found)

    @property
    def longest_ms(self) -> float:
        """The longest of them in milliseconds; 0 when there was none."""
        return max((until - since for since, until in self.found), default=0.0) * 1000

    def _watch(self) -> None:
        # Before all others: what is measured keeps the processors busy and is no stall.
        with suppress(PermissionError):
            os.setpriority(os.PRIO_PROCESS, get_native_id(), -20)
        last = time.perf_counter()
        while not self._over.wait(LOOKS_S):
            now = time.perf_counter()
            if now - last > STALL_S:
                self.found.append((last, now))
            last = now
