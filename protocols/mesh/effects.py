"""What the world gives a node, and what a node asks the world to do."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from protocols.errors import Value
from protocols.ids import DeviceId


@dataclass(frozen=True, slots=True)
class Now:
    """This instant, as the driver sees it."""

    wall_ms: int
    """Unix milliseconds; may be wrong or jump."""
    mono_ms: int
    """Milliseconds that only ever grow; for pauses and timers."""
    entropy: Callable[[int], bytes]
    """Returns that many random bytes; seeded in a drill."""
    ahead_ms: int = 0
    """How far ahead of the device's own clock `wall_ms` is, as a person stated; 0: not at all."""


@dataclass(frozen=True, slots=True)
class Transmit:
    """Put one sealed message on a link, after those before it."""

    link: int
    message: bytes


@dataclass(frozen=True, slots=True)
class Hangup:
    """Close a link; messages already given still go out first."""

    link: int
    code: str


@dataclass(frozen=True, slots=True)
class WakeAt:
    """Call `tick` at this instant or soon after; only the latest one counts."""

    mono_ms: int


@dataclass(frozen=True, slots=True)
class Changed:
    """Rows of these tables changed."""

    tables: frozenset[str]


@dataclass(frozen=True, slots=True)
class PeerKnown:
    """A member device answered at this address: worth dialling again."""

    device: DeviceId
    address: str


@dataclass(frozen=True, slots=True)
class Joined:
    """Enrolment over this link ended well."""

    link: int


@dataclass(frozen=True, slots=True)
class Notice:
    """Something a driver may log; never patient data."""

    code: str
    values: Mapping[str, Value] = field(default_factory=dict)


Effect = Transmit | Hangup | WakeAt | Changed | PeerKnown | Joined | Notice
