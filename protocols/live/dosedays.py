"""Days as screens are told them, and those of doses of which a card has less than a day."""

from __future__ import annotations

from datetime import date, timedelta

from protocols.records.dose import DoseRow


def day_text(day: int | None) -> str:
    """Return a day as an ISO date; '' for none."""
    if day is None or not -700_000 < day < 2_900_000:
        return ""
    return (date(1970, 1, 1) + timedelta(days=day)).isoformat()


def dose_day(row: DoseRow) -> str:
    """Return the day of a dose; of one of which a card has only that, the month or the year."""
    first, last = day_text(row.first_day), day_text(row.last_day)
    if row.day is not None or not (first and last):
        return day_text(row.day)
    if first[:4] != last[:4]:
        return f"~{day_text((row.first_day or 0) + 365)[:4]}"
    return first[:7] if first[:7] == last[:7] else first[:4]
