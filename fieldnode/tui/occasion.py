"""When something happened and who did it, where that is not now and by the person who types."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

DAY_CHARS = 10
"""Of a whole ISO day; a month or a year is shorter."""

_PREFIX = "when."
"""Before the names of its parts among the fields of a draft."""


@dataclass(frozen=True, slots=True)
class Occasion:
    """What a person stated about one record; all empty: now, by whoever types."""

    day: str = ""
    """ISO day, month or year; '' only together with `time` ''."""
    time: str = ""
    """`14:05`, or `14` when only the hour is known; '' when only the day is."""
    about: bool = False
    by: str = ""
    """Who did it."""
    paper: bool = False
    """Typed up from what was written by hand."""

    def line(self, zone: tzinfo) -> dict[str, Any]:
        """Return the parts of a record's line that say so."""
        found: dict[str, Any] = {}
        if self.day and self.time:
            # An instant: the place's own time, as it stood on the watch.
            whole = self.time if ":" in self.time else f"{self.time}:00"
            stated = datetime.fromisoformat(f"{self.day}T{whole}").replace(tzinfo=zone)
            found["at"] = stated.isoformat()
            if self.about or ":" not in self.time:
                found["at_precision"] = "about" if self.about else "hour"
        elif self.day:
            found["at"] = self.day
        if self.by:
            found["by"] = self.by
        if self.paper:
            found["source"] = "paper"
        return found

    def draft(self) -> dict[str, str]:
        """Return it as fields of a draft."""
        parts = {name: str(value or "") for name, value in asdict(self).items()}
        return {_PREFIX + name: text for name, text in parts.items() if text}


def occasion_of(fields: Mapping[str, str]) -> Occasion | None:
    """Return what a draft keeps of it; None when nothing was stated."""
    kept = {
        name.removeprefix(_PREFIX): text
        for name, text in fields.items()
        if name.startswith(_PREFIX)
    }
    if not kept:
        return None
    return Occasion(
        day=kept.get("day", ""),
        time=kept.get("time", ""),
        about=bool(kept.get("about")),
        by=kept.get("by", ""),
        paper=bool(kept.get("paper")),
    )


def today(now_ms: int, zone: tzinfo) -> str:
    """Return the ISO day at a place."""
    return datetime.fromtimestamp(now_ms / 1000, UTC).astimezone(zone).date().isoformat()


def is_ahead(day: str, time: str, now_ms: int, zone: tzinfo) -> bool:
    """Whether a time of a day has not come yet."""
    whole = time if ":" in time else f"{time}:00"
    stated = datetime.fromisoformat(f"{day}T{whole}").replace(tzinfo=zone)
    return stated.timestamp() * 1000 > now_ms
