"""What `alike` and `lookalikes` answer, for both ends: records that may be of one person."""

from __future__ import annotations

import msgspec

from protocols.live.api import BoardLine


class AlikeLine(msgspec.Struct, frozen=True):
    """A record that looks like somebody, or like another record."""

    head: BoardLine
    points: int
    """0 to 100, as `records/likeness.py` counts them."""
    reasons: tuple[str, ...]
    """Words of `likeness.REASONS` that hold."""
    other: BoardLine | None = None
    """The other record, where two are told."""


class Alike(msgspec.Struct, frozen=True):
    """`alike`: args names (list), sex, age, birth_date, tag, phone, limit.

    Who looks like somebody about to be written down.

    `lookalikes`: args limit (at most 50). Pairs of patients in care that nobody has linked or told
    apart, the likest first.
    """

    lines: tuple[AlikeLine, ...]
    looked_at: int = 0
    """Of `lookalikes`: patients in care that were looked at, the latest to arrive first."""
    in_care: int = 0
