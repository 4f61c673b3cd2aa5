"""What an onlooker saw: which records people were told are saved, and when each disk held what.

The onlooker trusts no node. It reads the disks themselves and what a person saw on the screen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from protocols.feeds.lane import Lane
from protocols.mesh.effects import Notice
from protocols.sim.book import CONTROL, Arrival, EntryName
from protocols.sim.host import Answer, Host

Line = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Saved:
    """One record that a device called saved."""

    place: int
    """Number of the host."""
    at_us: int
    line: Line
    """What was asked for."""
    answer: Answer
    entries: tuple[EntryName, ...]
    """What was on the disk when *saved* was said, and counts that were restated for it."""

    @property
    def key(self) -> str:
        """The client's idempotency id."""
        return str(self.line["key"])


@dataclass(frozen=True, slots=True)
class Origin:
    """Where an entry was first seen."""

    place: int
    at_us: int
    device: bytes
    """Whose feed it claims to be in."""
    lane: int
    scope: bytes = CONTROL


class Witness:
    """Everything seen so far."""

    def __init__(self) -> None:
        self.records: list[Saved] = []
        self.refused: list[tuple[int, Line, Answer]] = []
        self.repeated: list[tuple[int, Line, Answer]] = []
        """Answers that a line asked for before had been saved already."""
        self.unheard: dict[str, tuple[EntryName, ...]] = {}
        """By key: what a line left on a disk whose power went before anybody was told."""
        self.origin: dict[EntryName, Origin] = {}
        self.seen: dict[int, dict[EntryName, int]] = {}
        """By host: when each entry first was on its disk."""
        self.notices: list[tuple[int, int, Notice]] = []
        """(true time, host, notice)."""
        self.founding: set[EntryName] = set()
        """Entries that no person wrote: there before the drill began, or made by bad software."""
        self.doomed: set[str] = set()
        """Keys of records whose only disk was destroyed: nobody can have them."""
        self.erased: set[str] = set()
        """Keys of records that were ordered away: their words must be nowhere any more."""
        self._read: dict[int, int] = {}
        self._changes: dict[int, int] = {}

    def look(self, host: Host, at_us: int) -> Sequence[Arrival]:
        """Read what came onto a disk since the last look; return it."""
        book, place = host.machine.book, host.place
        changes = book.changes
        if changes == self._changes.get(place):
            return ()
        self._changes[place] = changes
        arrivals = book.arrivals(self._read.get(place, 0))
        if arrivals:
            self._read[host.place] = arrivals[-1].number
            seen = self.seen.setdefault(host.place, {})
            for arrival in arrivals:
                seen.setdefault(arrival.name, at_us)
                if arrival.name not in self.origin:
                    origin = Origin(host.place, at_us, arrival.device, arrival.lane, arrival.scope)
                    self.origin[arrival.name] = origin
        return arrivals

    def disk_replaced(self, host: Host, at_us: int) -> None:
        """An older disk was put in: what it lacks is no longer held there."""
        gone = self.seen.get(host.place, {})
        self._read[host.place] = 0
        self._changes.pop(host.place, None)
        self.seen[host.place] = {}
        self.look(host, at_us)
        # What the older disk holds came when it first came here, not with the disk.
        held = self.seen[host.place]
        held.update((name, gone[name]) for name in held.keys() & gone.keys())
        for saved in self.records:
            if any(name in gone and not self._anywhere(name) for name in saved.entries):
                self.doomed.add(saved.key)

    def begin(self) -> None:
        """All that is on any disk now was there before anybody wrote."""
        self.founding.update(self.origin)

    def made(self, host: Host, at_us: int) -> None:
        """What is new on this disk was written by nobody."""
        self.founding.update(arrival.name for arrival in self.look(host, at_us))

    def answered(self, host: Host, at_us: int, line: Line, answer: Answer) -> None:
        """Somebody was told what became of a line."""
        new = tuple(arrival.name for arrival in self.look(host, at_us))
        if not answer.ok:
            self.refused.append((host.place, line, answer))
            return
        if answer.repeated:
            self.repeated.append((host.place, line, answer))
            if any(saved.key == line["key"] for saved in self.records):
                return
            # Of what it wrote beside, as counts, no answer tells.
            heard = (name for name in self.seen[host.place] if _is_at(name, answer))
            new = tuple(dict.fromkeys((*heard, *self.unheard.get(line["key"], ()))))
        self.records.append(Saved(host.place, at_us, line, answer, new))

    def unanswered(self, host: Host, line: Line, arrivals: Sequence[Arrival]) -> None:
        """Power went before somebody was told what became of a line.

        Args:
            arrivals: What had come onto the disk by then.
        """
        own = bytes(host.machine.device)
        self.unheard[line["key"]] = tuple(
            each.name for each in arrivals if each.lane != Lane.CONTROL and each.device == own
        )

    def restated(self, host: Host, arrivals: Sequence[Arrival]) -> None:
        """A node has done what it left until its answer was seen: counts are part of the record.

        Args:
            arrivals: What came onto the disk by it.
        """
        if not arrivals or not self.records or self.records[-1].place != host.place:
            return
        own, counts = bytes(host.machine.device), host.machine.book.counts()
        more = [each.name for each in arrivals if each.device == own and each.name in counts]
        saved = self.records[-1]
        self.records[-1] = replace(saved, entries=(*saved.entries, *more))

    def noticed(self, host: Host, at_us: int, notice: Notice) -> None:
        """A node said something to its driver."""
        self.notices.append((at_us, host.place, notice))

    def arrival_us(self, place: int, entries: Sequence[EntryName]) -> int | None:
        """Return when the last of these was on a disk; None while one is missing."""
        seen = self.seen.get(place, {})
        moments = [seen.get(name) for name in entries]
        known = [moment for moment in moments if moment is not None]
        return max(known) if known and len(known) == len(moments) else None

    def in_lane(self, saved: Saved, *, urgent: bool) -> tuple[EntryName, ...]:
        """Return the entries of a record that travel urgently, or those that do not."""
        return tuple(
            name for name in saved.entries if (self.origin[name].lane == Lane.URGENT) == urgent
        )

    def scope_of(self, name: EntryName) -> bytes:
        """Return the scope of an entry as its feed names it; zeros for control."""
        origin = self.origin.get(name)
        return origin.scope if origin else CONTROL

    def _anywhere(self, name: EntryName) -> bool:
        return any(name in seen for seen in self.seen.values())


def _is_at(name: EntryName, answer: Answer) -> bool:
    return name.seq == answer.seq and str(name.feed) == answer.feed
