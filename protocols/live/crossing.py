"""What node and terminal say to each other about what leaves or goes: releases, erases, counts.

Types alone: a terminal reads these without loading what a node needs.
"""

from __future__ import annotations

import msgspec


class Holder(msgspec.Struct, frozen=True):
    """One device that has to confirm, or has."""

    device: str
    name: str
    at_ms: int
    """When it confirmed; of one that has not, when it was last linked here (0 = never)."""


class EraseLine(msgspec.Struct, frozen=True):
    """One erase that was ordered."""

    id: str
    author: str
    approver: str
    at_ms: int
    reason: str
    documents: tuple[str, ...]
    entries: int
    counts: bool
    held: int
    confirmed: tuple[Holder, ...]
    missing: tuple[Holder, ...]


class HoldLine(msgspec.Struct, frozen=True):
    """One legal hold."""

    id: str
    documents: int
    entries: int
    at_ms: int = 0
    """When it was written, by the clock of the device that did."""


class EraseState(msgspec.Struct, frozen=True):
    """`erases`: every erase and hold, and what came late to what is erased."""

    erases: tuple[EraseLine, ...]
    holds: tuple[HoldLine, ...]
    late_entries: int
    late_documents: int


class ReleaseLine(msgspec.Struct, frozen=True):
    """One release, or one that is asked for."""

    id: str
    """'' while it is not written."""
    scope: str
    documents: tuple[str, ...]
    recipients: tuple[str, ...]
    purpose: str
    basis: str
    author: str
    approver: str
    at_ms: int
    counts: bool
    devices: int
    """How many devices it is sealed to."""
    open_here: int
    """Entries that this device opens by it."""


class CountLine(msgspec.Struct, frozen=True):
    """`counts`: what is counted under one law."""

    jurisdiction: str
    home: bool
    """False: only what may leave that jurisdiction is told."""
    total: int | None
    """None: below five."""
    by: dict[str, list[tuple[str, int | None]] | None]
    """By property: (value, count) in the order of values; None where it is not told."""


class ConcernLine(msgspec.Struct, frozen=True):
    """One concern for somebody's safety. Text is cleaned for display."""

    fact: str
    patient: str
    code: str
    """'' where the patient is not known here."""
    name: str
    concern: str
    """A word of `protection.CONCERNS`."""
    text: str
    at_ms: int
    author: str
    device: str
    standing: int = 0
    replaced: int = 0
    """1 superseded, 2 entered in error."""


class Concerns(msgspec.Struct, frozen=True):
    """`concerns`: for whoever is entitled; to anybody else it says why not, and nothing more."""

    lines: tuple[ConcernLine, ...] = ()
    """Newest first."""
    total: int = 0
    why_not: str = ""
    """'device': not entrusted with them, or sealed; 'person': nobody is signed in; 'role': their
    roles are not among those that read them. '' = entitled."""
