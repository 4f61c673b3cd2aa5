"""What `beds` answers, for both ends: wards and beds with who lies there."""

from __future__ import annotations

import msgspec

from protocols.live.api import BoardLine


class BedLine(msgspec.Struct, frozen=True):
    """One bed, or '' for those of a ward without one."""

    ward: str
    bed: str
    patients: tuple[BoardLine, ...] = ()
    """None: free, somebody lay there before. Several: people or a merge put them there."""


class BedsPage(msgspec.Struct, frozen=True):
    """`beds`: no args. Wards and beds in the order of their names; those without a ward last."""

    lines: tuple[BedLine, ...]
    free: int
    taken: int
