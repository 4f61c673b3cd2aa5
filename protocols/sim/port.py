"""Placeholder for the node's effects until mesh lands."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Now:
    wall_ms: int
    mono_ms: int
    entropy: Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Transmit:
    link: int
    message: bytes


@dataclass(frozen=True, slots=True)
class Hangup:
    link: int
    code: str


@dataclass(frozen=True, slots=True)
class WakeAt:
    mono_ms: int


@dataclass(frozen=True, slots=True)
class Changed:
    tables: frozenset[str]


@dataclass(frozen=True, slots=True)
class PeerKnown:
    device: bytes
    address: str


@dataclass(frozen=True, slots=True)
class Notice:
    code: str
    values: dict


Effect = Transmit | Hangup | WakeAt | Changed | PeerKnown | Notice


@dataclass(frozen=True, slots=True)
class Recorded:
    line: int
    ok: bool
    key: str | None = None
    id: str | None = None
    patient: str | None = None
    feed: str | None = None
    seq: int | None = None
    repeated: bool = False
    error: str | None = None
