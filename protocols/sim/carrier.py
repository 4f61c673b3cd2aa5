"""One carrier between two hosts, as a WebSocket is: ordered, whole messages, and mortal."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True, eq=False)
class End:
    """One end of a carrier."""

    place: int
    """Number of the host."""
    link: int
    """What this host's node calls it; 0 once it is closed here."""
    waiting: list[bytes] = field(default_factory=list)
    """On the way to this end while the direction was cut; still to arrive, in order."""


@dataclass(slots=True, eq=False)
class Carrier:
    """A connection. The first end dialled."""

    ends: tuple[End, End]
    opened_us: int
    broken: bool = False
    """Nothing more can be sent; each end learns of it in its own time."""

    def end_at(self, place: int) -> End:
        """Return the end at this host."""
        return self.ends[0] if self.ends[0].place == place else self.ends[1]

    def far(self, end: End) -> End:
        """Return the other end."""
        return self.ends[1] if end is self.ends[0] else self.ends[0]
