"""What a wall clock can say at all, and how programs are told an instant.

Apart, for terminals and commands that speak to a node ask it and plan nothing.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

IMPLAUSIBLE_BEFORE_MS = 1_767_225_600_000
"""2026-01-01: this software did not exist before; a clock that says so has no battery."""

_EARLIEST_MS = -62_135_596_800_000
_LATEST_MS = 253_402_300_799_000


def iso(at_ms: int | None) -> str | None:
    """Return an instant as ISO 8601 in UTC; None when it is unknown or no calendar has it."""
    if at_ms is None or not _EARLIEST_MS <= at_ms <= _LATEST_MS:
        return None
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=at_ms)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
