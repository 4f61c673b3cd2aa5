"""Seals: how far a key counts, and which seal counts against whom.

A seal counts against authority of strictly lower rank under the same root, in scopes that the
sealer has too. So judging goes from the root downward and never round, and a thief cannot seal
whoever seals him. Everything here is a pure function of the control records held.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from protocols.ids import DeviceId, EntryHash
from protocols.trust.certificates import Authority
from protocols.trust.control import Place, Seal
from protocols.trust.standing import Standing


@dataclass(frozen=True, slots=True)
class Bound:
    """Where a seal ends what an authority counts for."""

    seal: EntryHash
    reason: int
    heads: Mapping[bytes, tuple[tuple[int, bytes], ...]] = field(hash=False)
    """feed → the (seq, hash) of the seal and of its extensions; the furthest one decides."""
    roles: frozenset[int]
    """What may still be written above: a reduction. Empty: nothing."""
    epochs: frozenset[bytes]
    """Later lives that count whole."""
    certificates: frozenset[bytes]
    """Statements that go on counting wherever they were written down."""
    since_ms: int

    @property
    def reduces(self) -> bool:
        """Whether the key goes on, with fewer roles."""
        return bool(self.roles)


Covers = Callable[[int, bytes], bool]
"""Whether the head (seq, hash) of the entry's own feed is the entry or follows it."""


def within(bound: Bound, feed: bytes, epoch: bytes, covers: Covers) -> Standing:
    """Judge one place against one seal: STANDS, QUARANTINED, or HELD when it names no such feed."""
    if epoch in bound.epochs:
        return Standing.STANDS
    heads = bound.heads.get(feed)
    if heads is None:
        return Standing.HELD
    return Standing.STANDS if any(covers(*head) for head in heads) else Standing.QUARANTINED


Way = tuple[Bound, ...]
"""The seals that an entry must lie below for one authority to count."""


def worst(way: Way, feed: bytes, epoch: bytes, covers: Covers) -> Standing:
    """Judge one place against several seals: of different seals the lowest head counts."""
    for bound in way:
        found = within(bound, feed, epoch, covers)
        if found != Standing.STANDS:
            return found
    return Standing.STANDS


def best(ways: Iterable[Way], feed: bytes, epoch: bytes, covers: Covers) -> Standing:
    """Judge one place by all authorities that could cover it: one is enough."""
    found = [worst(way, feed, epoch, covers) for way in ways]
    return min(found, key=_MILDNESS.index, default=Standing.REFUSED)


_MILDNESS = [Standing.STANDS, Standing.HELD, Standing.QUARANTINED, Standing.REFUSED]


class Written(NamedTuple):
    """One seal record and where it stands."""

    record: Seal
    place: Place


class Refused(NamedTuple):
    """A seal that does not count, for whoever has to be told."""

    seal: EntryHash
    author: DeviceId
    subject: DeviceId
    reason: str
    """`seal_org`, `seal_rank`, `seal_scope`, `seal_sealed` or `seal_author`."""


def outranks(sealer: Authority, sealed: Authority) -> str:
    """Say why a seal by one authority does not count against another, or '' when it does."""
    if sealer.root != sealed.root:
        return "seal_org"
    if sealer.rank >= sealed.rank:
        return "seal_rank"
    return "" if sealer.scopes >= sealed.scopes else "seal_scope"


def bound_of(seal: Written, extensions: Sequence[Written]) -> Bound:
    """Return what a seal comes to with those of its extensions that count."""
    records = [seal.record, *(each.record for each in extensions)]
    heads: dict[bytes, tuple[tuple[int, bytes], ...]] = {}
    for record in records:
        for feed, seq, digest in record.heads:
            heads[feed] = (*heads.get(feed, ()), (seq, digest))
    return Bound(
        seal=seal.place.entry,
        reason=seal.record.reason,
        heads=heads,
        roles=frozenset(seal.record.roles),
        epochs=frozenset(epoch for record in records for epoch in record.epochs),
        certificates=frozenset(name for record in records for name in record.certificates),
        since_ms=seal.record.since_ms,
    )
