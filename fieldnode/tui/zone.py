"""The time zone of this machine, with the offset of each day and not of today.

A record of January that is typed up in July was an hour away from what July's offset says.
"""

from __future__ import annotations

import os
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from zoneinfo import ZoneInfo

LINK = Path("/etc/localtime")
"""Where a system keeps its zone, as a link into the database of zones."""
NOTE = Path("/etc/timezone")
"""Where some also write its name."""
PROBED_DAYS = 400
"""Ahead of now a name has to say what the system does: as far as a session writes changes down."""


class LocalZone(tzinfo):
    """Local time by the system's own rules; of an hour that comes twice the first one is meant."""

    @property
    def key(self) -> str:
        """The zone's name in the database of zones; '' where the system does not say one.

        A name that would tell other times than the system does is none.
        """
        now = datetime.now(UTC)
        probes = [now + timedelta(days=day) for day in range(0, PROBED_DAYS, 20)]
        for name in _names():
            try:
                named = ZoneInfo(name)
            except (ValueError, OSError, KeyError):
                continue
            if all(self.fromutc(at.replace(tzinfo=self)).utcoffset()
                   == at.astimezone(named).utcoffset() for at in probes):  # fmt: skip
                return name
        return ""

    def utcoffset(self, moment: datetime | None) -> timedelta:
        """Return how far local time is ahead of UTC at a moment; zero where the rules end."""
        if moment is None:
            return timedelta()
        try:
            found = moment.replace(tzinfo=None).astimezone().utcoffset()
        except (OverflowError, OSError, ValueError):
            return timedelta()
        # Before there were zones offsets had seconds, which nobody writes down.
        return timedelta(minutes=round((found or timedelta()) / timedelta(minutes=1)))

    def dst(self, moment: datetime | None) -> None:
        """Say nothing: the offset is whole already."""

    def tzname(self, moment: datetime | None) -> str:
        """Return the zone as its offset."""
        offset = self.utcoffset(moment)
        sign, minutes = "-" if offset < timedelta() else "+", abs(offset) // timedelta(minutes=1)
        return f"UTC{sign}{minutes // 60:02}:{minutes % 60:02}"

    def fromutc(self, moment: datetime) -> datetime:
        """Return a moment of UTC, which carries this zone, as local time."""
        utc = moment.replace(tzinfo=UTC)
        try:
            local = utc.astimezone()
        except (OverflowError, OSError, ValueError):
            return moment
        return local.replace(tzinfo=self)


def zone_name(zone: tzinfo, at_ms: int) -> str:
    """Return a zone as a record names it: by its name, else by its offset at an instant.

    An offset does not follow when clocks are changed; it stands where nobody knows a name.

    Args:
        zone: Of the terminal.
        at_ms: Unix milliseconds.
    """
    if named := getattr(zone, "key", ""):
        return str(named)
    offset = datetime.fromtimestamp(at_ms / 1000, UTC).astimezone(zone).utcoffset()
    minutes = round(offset.total_seconds() / 60) if offset is not None else 0
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"


def _names() -> list[str]:
    """Return what the system may call its zone, the surest first."""
    stated = os.environ.get("TZ", "").removeprefix(":")
    if stated:
        return [stated]
    linked = str(LINK.resolve()).partition("zoneinfo/")[2] if LINK.is_symlink() else ""
    linked = linked.removeprefix("posix/").removeprefix("right/")
    try:
        noted = NOTE.read_text("ascii").strip()
    except (OSError, ValueError):
        noted = ""
    return [name for name in (linked, noted) if name]
