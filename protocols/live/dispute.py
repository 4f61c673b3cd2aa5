"""What `unsettled` and `disputes` answer, for both ends: what people differ about."""

from __future__ import annotations

import msgspec

from protocols.live.api import BoardLine


class DisputeSide(msgspec.Struct, frozen=True):
    """One of the different values. Text is cleaned for display."""

    fact: str
    """What `conflict.settle` keeps."""
    parts: tuple[str, ...]
    """The value: words of the record, codes, or somebody's text, one after the other."""
    used: bool
    """Whether it is the one that is used meanwhile."""
    author: str
    """The person who wrote it, else the device."""
    roles: tuple[str, ...]
    device: str
    at_ms: int
    """When it says it happened."""
    recorded_ms: int
    """When it was written, by the clock of the device."""
    had_seen: tuple[int, ...]
    """Positions of the other sides that its writer is known to have known of."""


class Dispute(msgspec.Struct, frozen=True):
    """One thing about which people differ."""

    head: BoardLine
    risk: str
    """What it can harm, a word of `contested.RISKS`."""
    what: str
    """Name of the attribute, or the family of records, as `conflict.settle` takes it."""
    of_what: str
    """The substance or condition; '' where there is only one."""
    at_ms: int
    """The latest of its sides."""
    encounter: str = ""
    """Id of the stay it is about; '' for the patient."""
    sides: tuple[DisputeSide, ...] = ()
    """Not told by `unsettled`: they are part of the chart."""


class Disputes(msgspec.Struct, frozen=True):
    """`unsettled`: args limit (at most 200), of everybody; `disputes`: args patient.

    The greatest risk first, of equal ones the latest. `disputes` is refused with `other_team` as a
    chart is.
    """

    total: int
    lines: tuple[Dispute, ...]
