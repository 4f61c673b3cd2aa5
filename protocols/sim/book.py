"""What a checker may know of a device's disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol


class EntryName(NamedTuple):
    """One entry, by what every device calls it."""

    feed: bytes
    seq: int
    hash: bytes


class Arrival(NamedTuple):
    """One entry as it came onto one disk."""

    number: int
    """Local, rising."""
    name: EntryName
    device: bytes
    """Whose feed it is in."""
    lane: int


class Book(Protocol):
    """One device's disk, read past the software under test."""

    @property
    def changes(self) -> int:
        """Grows whenever anything is written; while it stands still nothing arrived."""
        ...

    def arrivals(self, after: int) -> Sequence[Arrival]:
        """Return what came after this local number, in order."""
        ...

    def rows(self) -> Mapping[str, Sequence[tuple[object, ...]]]:
        """Return every row of every table, local numbers replaced by names, sorted."""
        ...

    def judged(self) -> Mapping[EntryName, str]:
        """Return how each entry that is not merged is judged: `void …` or `waiting …`."""
        ...

    def content(self) -> Iterator[bytes]:
        """Yield everything the disk holds, as bytes."""
        ...
