"""The network of a drill: directed lines that are slow, lossy, narrow and cut.

A carrier such as WebSocket is reliable and ordered, so a lost packet is never a missing message:
it is a late one, and everything behind it is late too. A line that stays cut breaks the carrier.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from random import Random

from protocols.sim.clock import MS_US, SECOND_US

PACKET_BYTES = 1_400
"""Of a message; each packet can be lost by itself."""
OVERHEAD_BYTES = 60
"""Carrier, transport and network headers of a packet; they fill the line but are not ours."""
RETRANSMIT_MIN_US = 200 * MS_US
RETRANSMIT_MAX_US = 8 * SECOND_US
"""Pauses double from the one to the other."""
RETRIES_MAX = 12
"""A message that was lost this often in a row goes through all the same, late."""


@dataclass(frozen=True, slots=True)
class LineShape:
    """What one direction between two places is like."""

    delay_us: int = 500
    jitter_us: int = 0
    """Added to the delay, even from zero up to this; order is kept all the same."""
    loss: float = 0.0
    """Chance that one packet is lost, from 0 below 1."""
    rate_bps: int = 0
    """Bits a second; 0 = no limit."""


LAN = LineShape(delay_us=500, jitter_us=300, rate_bps=100_000_000)
WIFI = LineShape(delay_us=3 * MS_US, jitter_us=8 * MS_US, loss=0.01, rate_bps=20_000_000)
SATELLITE = LineShape(delay_us=300 * MS_US, jitter_us=50 * MS_US, loss=0.02, rate_bps=256_000)
RADIO = LineShape(delay_us=150 * MS_US, jitter_us=30 * MS_US, loss=0.02, rate_bps=9_600)


class _Line:
    __slots__ = ("free_us", "last_us", "shape")

    def __init__(self, shape: LineShape) -> None:
        self.shape = shape
        self.free_us = 0
        """When the line has sent all that queues on it."""
        self.last_us = 0
        """When the last message so far arrives."""


class Network:
    """Every line between every two places; all chance comes from one generator."""

    def __init__(self, chance: Random, shape: LineShape = LAN) -> None:
        self.chance = chance
        self._shape = shape
        self._lines: dict[tuple[int, int], _Line] = {}
        self._cut: dict[tuple[int, int], int] = {}
        self._cuts = 0

    def shape(self, here: int, there: int, shape: LineShape, *, both: bool = True) -> None:
        """Say what the line between two places is like, in one or both directions."""
        self._line(here, there).shape = shape
        if both:
            self._line(there, here).shape = shape

    def arrival_us(self, here: int, there: int, size: int, at_us: int) -> int:
        """Return when a message of `size` bytes sent now arrives; it takes its turn."""
        line = self._line(here, there)
        shape = line.shape
        packets = 1 + size // PACKET_BYTES
        start_us = max(at_us, line.free_us)
        if shape.rate_bps:
            bits = (size + packets * OVERHEAD_BYTES) * 8
            line.free_us = start_us + bits * SECOND_US // shape.rate_bps
            start_us = line.free_us
        arrives_us = start_us + shape.delay_us
        if shape.jitter_us:
            arrives_us += int(self.chance.random() * shape.jitter_us)
        if shape.loss:
            arrives_us += self._late_us(shape, packets)
        line.last_us = max(line.last_us + 1, arrives_us)
        return line.last_us

    def round_trip_us(self, here: int, there: int) -> int:
        """Return the time of one empty round trip."""
        return self._line(here, there).shape.delay_us + self._line(there, here).shape.delay_us

    def cut(self, here: int, there: int) -> None:
        """Stop this direction."""
        if (here, there) not in self._cut:
            self._cuts += 1
            self._cut[here, there] = self._cuts

    def heal(self, here: int, there: int) -> None:
        """Let this direction through again."""
        self._cut.pop((here, there), None)

    def partition(self, groups: Sequence[Iterable[int]]) -> None:
        """Cut both directions between any two places of different groups, and no others."""
        group_of = {place: number for number, group in enumerate(groups) for place in group}
        for here, there in self.pairs(group_of):
            if group_of[here] == group_of[there]:
                self.heal(here, there)
            else:
                self.cut(here, there)

    def heal_all(self) -> None:
        """Let every direction through."""
        self._cut.clear()

    def cut_no(self, here: int, there: int) -> int:
        """Return 0 while this direction is through, else the number of this very cut."""
        return self._cut.get((here, there), 0)

    def through(self, here: int, there: int) -> bool:
        """Say whether both directions are through."""
        return (here, there) not in self._cut and (there, here) not in self._cut

    @staticmethod
    def pairs(places: Iterable[int]) -> list[tuple[int, int]]:
        """Return all ordered pairs of different places."""
        order = sorted(places)
        return [(here, there) for here in order for there in order if here != there]

    def _line(self, here: int, there: int) -> _Line:
        line = self._lines.get((here, there))
        if line is None:
            line = self._lines[here, there] = _Line(self._shape)
        return line

    def _late_us(self, shape: LineShape, packets: int) -> int:
        lost = 1.0 - (1.0 - shape.loss) ** packets
        late_us, pause_us = 0, max(RETRANSMIT_MIN_US, 3 * shape.delay_us)
        for _ in range(RETRIES_MAX):
            if self.chance.random() >= lost:
                break
            late_us, lost = late_us + pause_us, shape.loss
            pause_us = min(2 * pause_us, RETRANSMIT_MAX_US)
        return late_us
