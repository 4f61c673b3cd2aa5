"""Time in the drill world: one true time, and what each device believes of it.

True time is a whole number of microseconds since the drill began. No node ever sees it; a node
is given the wall and the running clock of its own device, which may be wrong.
"""

from __future__ import annotations

from dataclasses import dataclass

MS_US = 1_000
SECOND_US = 1_000_000
HOUR_US = 3_600 * SECOND_US

DRILL_BEGINS_MS = 1_781_536_000_000
"""Wall clock of a correct device when a drill begins: 15 June 2026, 15:06:40 UTC; no earlier, for a
clock that stands before this software existed is one that cannot be right."""

_MILLION = 1_000_000


def at_s(seconds: float) -> int:
    """Return true time, in microseconds, of a moment given in seconds."""
    return round(seconds * SECOND_US)


@dataclass(slots=True)
class DeviceClock:
    """The clocks of one device."""

    offset_ms: int = 0
    """How far the wall clock is ahead of true time; a board without a battery is decades behind."""
    drift_ppm: int = 0
    """Parts per million by which both clocks run fast."""
    booted_us: int = 0
    """True time at which the running clock stood at zero."""

    def wall_ms(self, at_us: int) -> int:
        """Return Unix milliseconds as this device believes them; never below zero."""
        return max(0, DRILL_BEGINS_MS + self.offset_ms + self._run(at_us) // MS_US)

    def mono_ms(self, at_us: int) -> int:
        """Return milliseconds since boot as this device counts them."""
        return self._run(at_us - self.booted_us) // MS_US

    def when_us(self, mono_ms: int) -> int:
        """Return the first moment of true time at which `mono_ms` has been reached."""
        if not self.drift_ppm:
            return self.booted_us + mono_ms * MS_US
        scaled = mono_ms * MS_US * _MILLION
        at_us = self.booted_us + -(-scaled // (_MILLION + self.drift_ppm))
        while self.mono_ms(at_us) < mono_ms:
            at_us += 1
        return at_us

    def set_wall(self, at_us: int, wall_ms: int) -> None:
        """Somebody, or a flat battery, sets the wall clock; the running clock goes on."""
        self.offset_ms += wall_ms - self.wall_ms(at_us)

    def reboot(self, at_us: int) -> None:
        """The device starts anew: its running clock begins at zero."""
        self.booted_us = at_us

    def _run(self, true_us: int) -> int:
        drift_ppm = self.drift_ppm
        return true_us + true_us * drift_ppm // _MILLION if drift_ppm else true_us
