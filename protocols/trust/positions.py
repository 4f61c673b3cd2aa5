"""Where control entries stand: which of them a head covers, on forked feeds too."""

from __future__ import annotations

from collections import defaultdict

from protocols.trust.control import Place


class Positions:
    """The chains of all control feeds, as far as they are here."""

    def __init__(self) -> None:
        self._at: dict[bytes, Place] = {}
        """By entry hash."""
        self._by_seq: defaultdict[tuple[bytes, int], set[bytes]] = defaultdict(set)
        self._forked: set[bytes] = set()

    def add(self, place: Place) -> bool:
        """Take up one control entry, readable or not; return whether its feed has forked."""
        self._at[place.entry] = place
        there = self._by_seq[place.feed, place.seq]
        there.add(place.entry)
        if len(there) > 1:
            self._forked.add(place.feed)
        return place.feed in self._forked

    def __len__(self) -> int:
        """How many control entries are here."""
        return len(self._at)

    def of(self, entry: bytes) -> Place | None:
        """Return where an entry stands, or None while it is not here."""
        return self._at.get(entry)

    def covered(self, place: Place, seq: int, head: bytes) -> bool:
        """Say whether an entry is the head of its feed that is named, or lies below it.

        A head on a branch that is not the entry's covers what the branches have in common. While
        the head is not here, an entry below it counts on a feed without forks, and on a forked
        one nothing does: we cannot say on which branch the head is.
        """
        held = self._at.get(head)
        if held is not None:
            return held.feed == place.feed and place.entry in self._below(held, place)
        if place.seq > seq:
            return False
        return place.feed not in self._forked and not self._by_seq[place.feed, seq]

    def _below(self, head: Place, place: Place) -> set[bytes]:
        """The one entry at the place's seq that the head is or follows, in a set; or none."""
        if head.seq < place.seq:
            return set()
        if place.feed not in self._forked:
            return self._by_seq[place.feed, place.seq]
        at: Place | None = head
        while at is not None and at.seq > place.seq:
            at = self._at.get(at.prev)
        return {at.entry} if at is not None else set()
