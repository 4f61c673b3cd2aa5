"""How old somebody on the board is: as it is read, and as scores take it."""

from __future__ import annotations

from datetime import UTC, datetime
from math import inf

from protocols.records.attributes import AGE_WORDS, days_since
from protocols.records.patient import PatientRow
from protocols.records.watch import age_span

_BANDS = {1: "<1 y", 2: "1-4 y", 3: "5-17 y", 4: "18-64 y", 5: "65+ y"}
_DAY_MS = 86_400_000
_DAYS = {0: 365.25, 1: 30.4375, 2: 7.0, 3: 1.0}


def days_known(row: PatientRow, now_ms: int) -> tuple[float, float | None]:
    """Return what is known of an age in days: from, and below; None without an end."""
    since, below = age_span(row, now_ms)
    return since, None if below == inf else below


def age_text(row: PatientRow, now_ms: int) -> str:
    """Return the age today with its unit: from the birth date, the age stated, or the band."""
    if row.birth_date:
        return _age_since(row.birth_date, now_ms)
    if row.age_value is not None and row.age_unit is not None:
        passed = days_since(row.age_day, now_ms / _DAY_MS)
        grown = int(row.age_value + passed / _DAYS.get(row.age_unit, 365.25))
        return f"{'~' if row.age_estimated else ''}{grown} {AGE_WORDS.get(row.age_unit, '?')}"
    return _BANDS.get(row.band, "")


def _age_since(birth_date: str, now_ms: int) -> str:
    parts = [int(part) for part in birth_date.split("-")]
    year, month, day = [*parts, *(7, 1)[len(parts) - 1 :]][:3] if len(parts) < 3 else parts
    try:
        days = (
            datetime.fromtimestamp(now_ms / 1000, UTC) - datetime(year, month, day, tzinfo=UTC)
        ).days
    except (ValueError, OverflowError, OSError):
        return ""
    mark = "~" if len(parts) < 3 else ""
    if days < 0:
        return ""
    if days < 28:
        return f"{mark}{days} d"
    if days < 730:
        return f"{mark}{int(days / 30.4375)} mo"
    return f"{mark}{int(days / 365.25)} y"
