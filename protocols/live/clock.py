"""The real clocks and the real entropy, handed to what decides as one value."""

from __future__ import annotations

import os
import time

from protocols.mesh.effects import Now


def now() -> Now:
    """Return this moment: wall clock, monotonic clock and the kernel's entropy."""
    return Now(wall_ms=time.time_ns() // 1_000_000, mono_ms=mono_ms(), entropy=os.urandom)


def mono_ms() -> int:
    """Milliseconds of the clock that never jumps; `WakeAt` is on it."""
    return time.monotonic_ns() // 1_000_000
