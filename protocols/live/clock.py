"""The real clocks and the real entropy, handed to what decides as one value.

A board without a clock battery starts in 1970 and nobody may set its clock. Then a person says what
time it is (SAFETY 14); that holds for this run of the node, until the clock itself is set.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from protocols.errors import InputError
from protocols.mesh.effects import Now
from protocols.records.moment import IMPLAUSIBLE_BEFORE_MS

JUMP_MS = 120_000
"""A wall clock that moved so much against the one that never jumps was set by somebody."""

STATED_BEFORE_MS = 4_102_444_800_000
"""2100-01-01: a later date is a slip of the finger."""


def now() -> Now:
    """Return this moment: wall clock, monotonic clock and the kernel's entropy."""
    return Now(wall_ms=wall_ms(), mono_ms=mono_ms(), entropy=os.urandom)


def wall_ms() -> int:
    """Unix milliseconds, as this device believes."""
    return time.time_ns() // 1_000_000


def mono_ms() -> int:
    """Milliseconds of the clock that never jumps; `WakeAt` is on it."""
    return time.monotonic_ns() // 1_000_000


class Clock:
    """The moments a running node is given: as the device believes, or as a person stated."""

    def __init__(self, wall: Callable[[], int] = wall_ms, mono: Callable[[], int] = mono_ms):
        self._wall = wall
        self._mono = mono
        self._stated: tuple[int, int, int] | None = None
        """How far ahead of the device, and wall and other clock when that was said."""

    def now(self) -> Now:
        """Return this moment."""
        wall, mono = self._wall(), self._mono()
        ahead = self._ahead(wall, mono)
        return Now(wall_ms=wall + ahead, mono_ms=mono, entropy=os.urandom, ahead_ms=ahead)

    def state(self, stated_ms: int) -> None:
        """Take a person's word for what time it is, while the device cannot know.

        Raises:
            InputError: `clock_is_plausible`, or `bad_time` outside 2026 to 2099.
        """
        wall, mono = self._wall(), self._mono()
        if wall >= IMPLAUSIBLE_BEFORE_MS:
            raise InputError("clock_is_plausible")
        if not IMPLAUSIBLE_BEFORE_MS <= stated_ms < STATED_BEFORE_MS:
            raise InputError("bad_time", field="args.wall_ms")
        self._stated = (stated_ms - wall, wall, mono)

    def _ahead(self, wall: int, mono: int) -> int:
        stated = self._stated
        if stated is None:
            return 0
        ahead, wall_then, mono_then = stated
        if abs((wall - wall_then) - (mono - mono_then)) > JUMP_MS:
            # Somebody, or the network, has set the clock since: what was stated is old.
            self._stated = None
            return 0
        return ahead
