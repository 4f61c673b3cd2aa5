"""What a checker may know of a device's disk."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol

CONTROL = bytes(16)
"""What control feeds name as their scope."""


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
    scope: bytes = CONTROL
    """As the feed names it; zeros for control."""


class Shown(NamedTuple):
    """One row, as far as everybody must judge it alike."""

    table: str
    entry: bytes
    """Hash of the entry that it stems from."""
    standing: int
    replaced: int


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

    def codes(self) -> Mapping[bytes, str]:
        """Return the short code of each patient."""
        ...

    def judged(self) -> Mapping[EntryName, str]:
        """Return how each entry that is not merged is judged: `void …` or `waiting …`."""
        ...

    def subjects(self) -> Mapping[bytes, frozenset[bytes]]:
        """Return whom the merged documents are about, each with the scopes they lie in."""
        ...

    def opened(self) -> Mapping[bytes, Sequence[EntryName]]:
        """Return the entries that are readable here, by scope."""
        ...

    def standings(self) -> Sequence[Shown]:
        """Return every row with whether it counts."""
        ...

    def bare(self) -> frozenset[EntryName]:
        """Return the entries whose body is not here, or here no more."""
        ...

    def counts(self) -> frozenset[EntryName]:
        """Return the entries that tell how an encounter is counted, and nobody's name."""
        ...

    def control(self) -> Iterator[tuple[bytes, bytes, bytes]]:
        """Yield every control entry: the device that wrote it, its hash, its body."""
        ...

    def keys(self) -> Mapping[EntryName, bytes]:
        """Return the id of the scope key that each data entry is sealed under."""
        ...

    def problem(self) -> str:
        """Return what does not verify of chains, hashes and signatures; '' when all does."""
        ...

    def content(self) -> Iterator[bytes]:
        """Yield everything the disk holds, as bytes."""
        ...
