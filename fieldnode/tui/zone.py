"""The time zone of this machine, with the offset of each day and not of today.

A record of January that is typed up in July was an hour away from what July's offset says.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo


class LocalZone(tzinfo):
    """Local time by the system's own rules; of an hour that comes twice the first one is meant."""

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
