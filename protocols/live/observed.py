"""What `observed` answers, for both ends: measurements over time, what is due, the balance."""

from __future__ import annotations

import msgspec

from protocols.live.api import BoardLine


class Point(msgspec.Struct, frozen=True):
    """One value of one observation."""

    at_ms: int
    value: str = ""
    """A number with a point, or a word of the pack's choices."""
    unit: str = ""
    """UCUM."""
    absent: str = ""
    """`not-measured`, `unrecordable` or `refused`."""
    unaccepted: bool = False
    """A device measured it and nobody has accepted it: it enters no score."""


class Series(msgspec.Struct, frozen=True):
    """The last values of one observation, newest first."""

    code: str
    points: tuple[Point, ...]


class FluidLine(msgspec.Struct, frozen=True):
    """One thing that went in or came out."""

    at_ms: int
    what: str
    """Name in the vocabulary pack."""
    direction: str
    """`in` or `out`."""
    volume_ml: str = ""
    times: int = 0
    estimated: bool = False
    text: str = ""


class Sums(msgspec.Struct, frozen=True):
    """A balance over a stretch of time, in tenths of a millilitre."""

    in_tenths: int = 0
    out_tenths: int = 0
    by_what: tuple[tuple[str, int], ...] = ()
    times: tuple[tuple[str, int], ...] = ()
    estimated: bool = False
    """Some of it is an estimate."""
    unmeasured: int = 0
    """Records without a volume: the balance is without them."""


class Observed(msgspec.Struct, frozen=True):
    """`observed`: args patient. What was measured of one patient, what is due, and the balance."""

    head: BoardLine
    series: tuple[Series, ...] = ()
    why: dict[str, str] = {}
    """By which row of the pack the next set is due, in words by language."""
    codes: tuple[str, ...] = ()
    """What the next set is."""
    fluids: tuple[FluidLine, ...] = ()
    """What went in and out, newest first."""
    day: Sums = Sums()
    """Of the last 24 hours."""
    stay: Sums = Sums()
    """Since the arrival."""
    signed: bool = False
    """Whether clinical leads stand by the packs that score and times rest on."""
