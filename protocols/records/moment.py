"""What a wall clock can say at all; apart, for a terminal asks it and plans nothing."""

from __future__ import annotations

IMPLAUSIBLE_BEFORE_MS = 1_767_225_600_000
"""2026-01-01: this software did not exist before; a clock that says so has no battery."""
