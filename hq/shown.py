"""How times, ages and codes are put into words on a page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo

from markupsafe import Markup

from hq.queries import HOUR_MS, Patient
from hq.words import Words
from protocols.live.clocks import about

MINUTE_MS = 60_000
DAY_MS = 24 * HOUR_MS
AHEAD_MS = 2 * MINUTE_MS
"""A time this far in the future is told as a wrong clock, not as an age."""
FRESH_MS = 15 * MINUTE_MS
"""Up to here what is known of a site counts as current."""
OLD_MS = 2 * HOUR_MS
"""From here on it is called old and its numbers are greyed."""
TRIAGE_ORDER: tuple[int | None, ...] = (1, 2, 3, None, 4, 0)
"""Most urgent first; those who were not triaged could be anything, so they stand before
expectant."""

UNITS = ("y", "mo", "w", "d")
"""Units of age, in the order the records number them."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What a page needs to speak of time."""

    now_ms: int
    zone: tzinfo
    words: Words

    @property
    def zone_name(self) -> str:
        """Name of the zone that times are given in."""
        return self._local(self.now_ms).tzname() or "UTC"

    def time(self, at_ms: int) -> str:
        """Return the time of day, with the date unless it is today's."""
        local, today = self._local(at_ms), self._local(self.now_ms)
        return f"{local:%H:%M}" if local.date() == today.date() else f"{local:%Y-%m-%d %H:%M}"

    def age(self, at_ms: int) -> Markup:
        """Return how long ago it was, in words; a wrong clock is named."""
        past = self.now_ms - at_ms
        if past < -AHEAD_MS:
            return self.words("age.ahead")
        if past < MINUTE_MS:
            return self.words("age.now")
        return self.words("age.ago", age=self.span(past))

    def span(self, past_ms: int) -> Markup:
        """Return a length of time: minutes to 2 h, hours to 2 days, then days."""
        for limit, unit, key in (
            (2 * HOUR_MS, MINUTE_MS, "age.min"),
            (2 * DAY_MS, HOUR_MS, "age.hour"),
        ):
            if past_ms < limit:
                return self.words(key, n=past_ms // unit)
        return self.words("age.day", n=past_ms // DAY_MS)

    def about(self, apart_ms: int) -> Markup:
        """Return how far two clocks are apart, to the nearest unit that people name it in."""
        n, unit = about(apart_ms)
        keys = {"min": "age.min", "h": "age.hour", "d": "age.day", "y": "age.year"}
        return self.words(keys[unit], n=n)

    def ago(self, at_ms: int | None, lacking: str = "age.unknown") -> Markup:
        """Return an element whose age the page keeps counting, with the time beside it."""
        if at_ms is None:
            return Markup('<span class="lacking">{}</span>').format(self.words(lacking))
        return Markup('<time datetime="{}" data-ms="{}"><b>{}</b> <small>{}</small></time>').format(
            self.iso(at_ms), at_ms, self.age(at_ms), self.time(at_ms)
        )

    def iso(self, at_ms: int) -> str:
        """Return the instant for machines."""
        return f"{self._local(at_ms).astimezone(UTC):%Y-%m-%dT%H:%M:%SZ}"

    def freshness(self, at_ms: int | None) -> str:
        """Return `fresh`, `ageing`, `old` or `never`: how far numbers that old can be trusted."""
        if at_ms is None:
            return "never"
        past = self.now_ms - at_ms
        return "fresh" if past <= FRESH_MS else "ageing" if past < OLD_MS else "old"

    def _local(self, at_ms: int) -> datetime:
        bounded = min(max(at_ms, 0), LAST_MS)
        return datetime.fromtimestamp(bounded / 1000, self.zone)


LAST_MS = 253_370_764_800_000
"""Start of the year 9999: what a wrong clock claims beyond is shown as this."""


def iso(at_ms: int | None) -> str:
    """Return an instant for other programs; '' for none."""
    if at_ms is None:
        return ""
    bounded = min(max(at_ms, 0), LAST_MS)
    return f"{datetime.fromtimestamp(bounded / 1000, UTC):%Y-%m-%dT%H:%M:%SZ}"


def iso_day(day: int | None) -> str:
    """Return a day counted from 1970-01-01; '' for none."""
    return "" if day is None else iso(day * DAY_MS)[:10]


def triage_key(triage: int | None) -> str:
    """Return the key of a category's word, number and colour."""
    return str(triage) if triage in (0, 1, 2, 3, 4) else "none"


def age_text(patient: Patient, now_ms: int, words: Words) -> Markup:
    """Return a patient's age with its unit, `~` before it when estimated; never a bare number."""
    born = _birth_age(patient.birth_date, now_ms)
    value, unit = born or (patient.age_value, patient.age_unit)
    if value is not None and unit in (0, 1, 2, 3):
        about = "~" if patient.age_estimated and not born else ""
        return Markup("{}{} {}").format(about, value, words(f"unit.{UNITS[unit]}", n=value))
    band = f"band.{patient.band}"
    return words(band if band in words.table else "band.9")


def age_words(words: Words) -> Mapping[str, str]:
    """Return what the page needs to keep ages counting by itself."""
    return {key: words.table[f"age.{key}"] for key in ("now", "min", "hour", "day", "ago", "ahead")}


def _birth_age(birth_date: str | None, now_ms: int) -> tuple[int, int] | None:
    """Return the age by a full birth date: days to 4 weeks, months to 2 years, then years."""
    try:
        born = datetime.fromisoformat(birth_date or "").date()
    except ValueError:
        return None
    today = datetime.fromtimestamp(now_ms / 1000, UTC).date()
    months = (today.year - born.year) * 12 + today.month - born.month - (today.day < born.day)
    if today < born or months > 150 * 12:
        return None
    days = (today - born).days
    return (days, 3) if days < 28 else (months, 1) if months < 24 else (months // 12, 0)
