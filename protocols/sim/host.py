"""One device of a drill: its disk and software, its clocks, its links."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from random import Random
from typing import Any, Protocol

from protocols.ids import DeviceId
from protocols.mesh.effects import Effect, Now
from protocols.sim.book import CONTROL, Book, EntryName
from protocols.sim.carrier import Carrier, End
from protocols.sim.clock import MS_US, SECOND_US, DeviceClock

DIAL_PAUSE_MIN_US = 500 * MS_US
DIAL_PAUSE_MAX_US = 30 * SECOND_US
DIAL_RECENT_MAX_US = 3 * SECOND_US
"""The longest pause for a peer that was linked within `DIAL_RECENT_US`, as in `live/peers.py`."""
DIAL_RECENT_US = 3600 * SECOND_US


class PowerCutError(BaseException):
    """The device lost power at this very point; nothing may catch it but the world."""


class Answer(Protocol):
    """What a person is told of one line; see `protocols.live.api.Recorded`."""

    @property
    def ok(self) -> bool:
        """Whether it is saved."""
        ...

    @property
    def repeated(self) -> bool:
        """Whether it had been saved before."""
        ...

    @property
    def feed(self) -> str | None:
        """Where it is saved."""
        ...

    @property
    def seq(self) -> int | None:
        """Where in that feed."""
        ...

    @property
    def error(self) -> str | None:
        """Why it was refused."""
        ...

    @property
    def confirm(self) -> str | None:
        """What would have to be confirmed for it to be saved."""
        ...

    @property
    def id(self) -> str | None:
        """What it founded, else the fact it wrote."""
        ...


class Node(Protocol):
    """What a driver asks of a node; see `protocols.mesh.node`."""

    def start(self, now: Now) -> list[Effect]:
        """Begin."""
        ...

    def opened(
        self,
        link: int,
        now: Now,
        *,
        dialled: bool,
        peer: DeviceId | None,
        address: str,
        code: bytes | None,
    ) -> list[Effect]:
        """A carrier link is up."""
        ...

    def received(self, link: int, message: bytes, now: Now) -> list[Effect]:
        """Take one whole message."""
        ...

    def closed(self, link: int, now: Now) -> list[Effect]:
        """A carrier link is gone."""
        ...

    def record(
        self, lines: list[dict[str, Any]], now: Now, *, rows_later: bool
    ) -> tuple[Sequence[Answer], list[Effect]]:
        """Write lines; what is answered `ok` is durable, its rows follow by `catch_up_left`."""
        ...

    def catch_up_last(self, now: Now) -> list[Effect]:
        """Make the rows that a crash took of its last record; called next after `start`."""
        ...

    def catch_up_left(self, now: Now) -> list[Effect]:
        """Make the rows that were left for later; called next after `record`."""
        ...

    def tick(self, now: Now) -> list[Effect]:
        """The instant it asked for has come."""
        ...


class Machine(Protocol):
    """A disk and the software on it."""

    @property
    def device(self) -> DeviceId:
        """Which device its keys make it."""
        ...

    @property
    def book(self) -> Book:
        """What its disk holds now, read past the software under test."""
        ...

    def digests(self) -> Mapping[str, object]:
        """Return what the software itself says of each scope: entries, control, rows."""
        ...

    def boot(self, now: Now) -> Node:
        """Start the software on what the disk holds."""
        ...

    def arm(self, commits: int, *, after: bool) -> None:
        """Lose power at the commit so many from now, just before or just after it is durable."""
        ...

    def halt(self) -> None:
        """Power is gone: whatever was in memory is forgotten."""
        ...


@dataclass(slots=True)
class Dial:
    """A peer that this host keeps trying to reach."""

    place: int
    pause_us: int = DIAL_PAUSE_MIN_US
    pending: bool = False
    """An attempt is already on its way."""
    linked_us: int | None = None
    """When it was last linked."""

    def longest_us(self, at_us: int) -> int:
        """Return what its pauses grow up to now."""
        recent = self.linked_us is not None and at_us - self.linked_us < DIAL_RECENT_US
        return DIAL_RECENT_MAX_US if recent else DIAL_PAUSE_MAX_US


@dataclass(slots=True, eq=False)
class Host:
    """One device and where it stands in the drill."""

    place: int
    name: str
    machine: Machine
    clock: DeviceClock
    chance: Random
    """Entropy of this device; a copied disk is given another."""
    reads: bool = True
    """False for a relay: it holds no scope key, so it must hold nothing readable either."""
    org: str = ""
    """Whose device it is, where several organisations take part."""
    holds: frozenset[bytes] | None = None
    """Scopes that it may hold by the laws of the charter as people wrote it down; None: all."""
    shows: frozenset[bytes] | None = None
    """Scopes that it may read; None: all it holds, as far as it reads at all."""
    released: set[EntryName] = field(default_factory=set)
    """Entries of another scope that were released to it."""
    honest: bool = True
    """False for an attacker's device: what it holds is not judged."""
    node: Node | None = None
    """None while it is off."""
    links: dict[int, Carrier] = field(default_factory=dict)
    dials: dict[int, Dial] = field(default_factory=dict)
    known: dict[str, DeviceId] = field(default_factory=dict)
    """Which device answered at an address, as the node reported it."""
    codes: dict[int, bytes] = field(default_factory=dict)
    """One-time codes to enrol with at these places, each for the next link there."""
    joined: bool = False
    """Enrolment ended well."""
    wake_us: int | None = None
    next_link: int = 1
    down_us: int | None = None
    """How long it stays off after its next loss of power; None: until somebody starts it."""
    lives: int = 0
    """How often it was started."""

    @property
    def address(self) -> str:
        """Where others dial it."""
        return f"10.0.0.{self.place + 1}:7400"

    def may_hold(self, scope: bytes) -> bool:
        """Whether it may have anything of a scope on its disk."""
        return self.holds is None or scope == CONTROL or scope in self.holds

    def may_read(self, scope: bytes) -> bool:
        """Whether its people may read a scope."""
        return self.reads and (self.shows is None or scope in self.shows)

    def now(self, at_us: int) -> Now:
        """Return the time and entropy this device would see."""
        clock = self.clock
        return Now(clock.wall_ms(at_us), clock.mono_ms(at_us), self.chance.randbytes)

    def new_end(self) -> End:
        """Return this host's end of a new carrier."""
        self.next_link += 1
        return End(self.place, self.next_link - 1)
