"""What the world gives a node, and what a node asks the world to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import msgspec

from protocols.errors import Value
from protocols.ids import DeviceId


class Now(msgspec.Struct, frozen=True):
    """This instant, as the driver sees it."""

    wall_ms: int
    """Unix milliseconds; may be wrong or jump."""
    mono_ms: int
    """Milliseconds that only ever grow; for pauses and timers."""
    entropy: Callable[[int], bytes]
    """Returns that many random bytes; seeded in a drill."""
    ahead_ms: int = 0
    """How far ahead of the device's own clock `wall_ms` is, as a person stated; 0: not at all."""

    def between(self, limits_ms: tuple[int, int]) -> int:
        """Return a pause between these, even and at random."""
        low, high = limits_ms
        return low + int.from_bytes(self.entropy(4)) % (high - low)


class Transmit(msgspec.Struct, frozen=True):
    """Put one sealed message on a link, after those before it."""

    link: int
    message: bytes


class Hangup(msgspec.Struct, frozen=True):
    """Close a link; messages already given still go out first."""

    link: int
    code: str


class WakeAt(msgspec.Struct, frozen=True):
    """Call `tick` at this instant or soon after; only the latest one counts."""

    mono_ms: int
    pressing: bool = False
    """Before the next message: what is kept at hand grows with each, and has to be worked off."""


class Changed(msgspec.Struct, frozen=True):
    """Rows of these tables changed."""

    tables: frozenset[str]


class PeerKnown(msgspec.Struct, frozen=True):
    """A member device answered at this address: worth dialling again."""

    device: DeviceId
    address: str


class Joined(msgspec.Struct, frozen=True):
    """Enrolment over this link ended well."""

    link: int


class Notice(msgspec.Struct, frozen=True):
    """Something a driver may log; never patient data."""

    code: str
    values: Mapping[str, Value] = msgspec.field(default_factory=dict)


Effect = Transmit | Hangup | WakeAt | Changed | PeerKnown | Joined | Notice
