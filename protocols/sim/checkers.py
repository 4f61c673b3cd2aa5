"""What must be true after a drill, judged from the disks and from what people were told.

No checker asks a node. Each returns what it found in words that name counts and places, so that
a failing drill can be read; each has been seen to fail on a planted bug.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from hashlib import blake2b
from statistics import median

from protocols.feeds.lane import Lane
from protocols.sim.book import EntryName
from protocols.sim.host import Host
from protocols.sim.report import Finding
from protocols.sim.witness import Saved
from protocols.sim.world import World

BACKLOG_MIN = 50
"""Older routine entries on the same way, from which on an urgent one has something to overtake."""
BACKLOG_SPREAD_US = 5_000_000
"""A backlog that arrives within this came over a line where nobody has to wait."""
IN_FLIGHT_US = 6_000_000
"""Two frames of two seconds and their way: what left before the urgent record arrives first."""


def holders(world: World) -> list[Host]:
    """Return the honest devices that are on: what they hold is judged."""
    return [host for host in world.hosts if host.honest and host.node is not None]


def readers(world: World) -> list[Host]:
    """Return those of them that may read."""
    return [host for host in holders(world) if host.reads]


def nothing_saved_is_lost(world: World) -> Finding:
    """Every record that was called saved is on every disk, and readable on every reader's."""
    missing = list(lost_records(world))
    if missing:
        return Finding(False, f"{len(missing)} records lost, first: {missing[0]}")
    return Finding(True, f"{len(world.witness.records)} records on {len(holders(world))} devices")


def lost_records(world: World) -> Iterator[str]:
    """Yield each record that a disk lacks, once, with the device that lacks it."""
    held = {host.place: world.witness.seen.get(host.place, {}) for host in holders(world)}
    shown = {host.place: _Shown(host) for host in readers(world)}
    for saved in world.witness.records:
        if saved.key in world.witness.doomed or not world.hosts[saved.place].honest:
            continue
        for host in holders(world):
            lacks = not saved.entries or any(n not in held[host.place] for n in saved.entries)
            if lacks or (host.reads and not shown[host.place].holds(saved)):
                yield f"{saved.key} of {world.hosts[saved.place].name} at {host.name}"
                break


class _Shown:
    """What the rows of one device say."""

    def __init__(self, host: Host) -> None:
        self._texts: Counter[str] = Counter()
        self._entries: set[object] = set()
        for rows in host.machine.book.rows().values():
            for row in rows:
                self._entries.add(row[1])
                self._texts.update(value for value in row if isinstance(value, str))

    def holds(self, saved: Saved) -> bool:
        """Whether a row stems from the record's entry, with the words that were written."""
        words = saved.line["data"].get("text")
        if words is not None and words not in self._texts:
            return False
        return saved.line["kind"] == "patient.identify" or any(
            name.hash in self._entries for name in saved.entries
        )

    def times(self, words: str) -> int:
        """Return how many rows hold just these words."""
        return self._texts[words]


def all_agree(world: World) -> Finding:
    """All devices hold the same entries; all readers show the same rows."""
    entries = {host.name: _digest(sorted(_entries(world, host))) for host in holders(world)}
    rows = {host.name: rows_digest(host) for host in readers(world)}
    if len(set(entries.values())) > 1:
        counts = {host.name: len(_entries(world, host)) for host in holders(world)}
        return Finding(False, f"entries differ: {counts}")
    if len(set(rows.values())) > 1:
        return Finding(False, f"rows differ: {_differing(world)}")
    digests = {repr(host.machine.digests()) for host in readers(world)}
    if len(digests) > 1:
        return Finding(False, "entries and rows are equal, the nodes' own digests are not")
    return Finding(True, f"{len(entries)} devices, {len(rows)} readers")


def rows_digest(host: Host) -> str:
    """Return a hash over every row a device shows."""
    return _digest(sorted(host.machine.book.rows().items()))


def nothing_forged(world: World) -> Finding:
    """Every entry was seen on a disk of the device it names before it was seen anywhere else."""
    place_of: dict[bytes, set[int]] = {}
    for host in world.hosts:
        place_of.setdefault(bytes(host.machine.device), set()).add(host.place)
    held = {name for host in holders(world) for name in _entries(world, host)}
    origins = [world.witness.origin[name] for name in held]
    forged = [one for one in origins if one.place not in place_of.get(one.device, ())]
    if forged:
        return Finding(False, f"{len(forged)} entries that no such device wrote were taken")
    return Finding(True, f"{len(held)} entries, each first seen where it was written")


def judged_alike(world: World, *, demand: bool = False) -> Finding:
    """What is void is void for every reader; what waits, waits for every reader.

    Args:
        demand: Whether there has to be something void at all.
    """
    judged = [(host, host.machine.book.judged()) for host in readers(world)]
    for host, verdicts in judged[1:]:
        first_host, first = judged[0]
        for name in sorted(verdicts.keys() | first.keys()):
            if verdicts.get(name) != first.get(name):
                return Finding(
                    False,
                    f"seq {name.seq}: {first.get(name, 'merged')} at {first_host.name},"
                    f" {verdicts.get(name, 'merged')} at {host.name}",
                )
    count = Counter(verdict.split()[0] for verdict in (judged[0][1].values() if judged else ()))
    if demand and not count["void"]:
        return Finding(False, "nothing void was met: the drill proved nothing")
    return Finding(True, f"{count['void']} void, {count['waiting']} waiting")


def urgent_overtakes(world: World, to: Host, *, demand: bool = False) -> Finding:
    """An urgent record passes at least half of the older routine entries still on the way.

    At the end of a queue those that had left already may be more than half of it: there it is
    enough to arrive with them.

    Args:
        to: Where both were going.
        demand: Whether the drill has to have met such a backlog at all.
    """
    met, passed, waited = 0, 0, 0
    for urgent, backlog in _backlogs(world, to):
        arrives_us = world.witness.arrival_us(to.place, world.witness.in_lane(urgent, urgent=True))
        if arrives_us is None:
            return Finding(False, f"{urgent.key} never reached {to.name}")
        met += 1
        passed += arrives_us <= max(median(backlog), urgent.at_us + IN_FLIGHT_US)
        waited += len(backlog)
    if passed < met:
        return Finding(False, f"{met - passed} of {met} urgent records waited behind routine ones")
    if demand and not met:
        return Finding(False, "no urgent record met a backlog: the drill proved nothing")
    return Finding(True, f"{met} urgent records, {waited // max(met, 1)} older entries on the way")


def _backlogs(world: World, to: Host) -> Iterator[tuple[Saved, list[int]]]:
    """Yield urgent records and when the older routine entries still on their way arrived."""
    seen = world.witness.seen.get(to.place, {})
    for place in range(len(world.hosts)):
        ours = [saved for saved in world.witness.records if saved.place == place]
        routine = [
            (saved.at_us, seen[name])
            for saved in ours
            for name in world.witness.in_lane(saved, urgent=False)
            if name in seen
        ]
        for saved in ours:
            if place == to.place or not world.witness.in_lane(saved, urgent=True):
                continue
            late = [came for wrote, came in routine if wrote < saved.at_us < came]
            if len(late) >= BACKLOG_MIN and max(late) - min(late) >= BACKLOG_SPREAD_US:
                yield saved, late


def carriers_are_blind(world: World, canary: str, spilled: int, *, demand: bool = False) -> Finding:
    """No relay's disk and no message on a wire holds words that were written.

    Args:
        canary: A word that was in every record.
        spilled: How many messages on the wire held it.
        demand: Whether a relay has to have carried what was written.
    """
    word, relays = canary.encode(), [host for host in holders(world) if not host.reads]
    if demand and not any(_carries(world, host) for host in relays):
        return Finding(False, "no relay carried a record: the drill proved nothing")
    for host in relays:
        if any(word in value for value in host.machine.book.content()):
            return Finding(False, f"{host.name} holds clear text")
    if spilled:
        return Finding(False, f"{spilled} messages in clear")
    shown = [host for host in readers(world) if any(word in v for v in host.machine.book.content())]
    if not shown:
        return Finding(False, "no reader holds the word either: the drill proved nothing")
    return Finding(True, f"{world.carriage.messages} messages, {len(relays)} relays")


def _carries(world: World, relay: Host) -> bool:
    held = world.witness.seen.get(relay.place, {})
    return any(name in held for saved in world.witness.records for name in saved.entries)


def nothing_twice(world: World) -> Finding:
    """No record is there twice, and nothing is there that nobody wrote."""
    extra = list(twice(world))
    if extra:
        return Finding(False, f"{len(extra)} too many, first: {extra[0]}")
    return Finding(True, f"{len(world.witness.records)} records, each once")


def twice(world: World) -> Iterator[str]:
    """Yield every record that is shown twice and every entry that belongs to no record."""
    shown = _Shown(readers(world)[0])
    for saved in world.witness.records:
        words = saved.line["data"].get("text")
        if words is not None and shown.times(words) > 1:
            yield saved.key
    keys = Counter(saved.key for saved in world.witness.records)
    yield from (key for key, count in keys.items() if count > 1)
    explained = {name for saved in world.witness.records for name in saved.entries}
    for name, origin in world.witness.origin.items():
        written = origin.lane != Lane.CONTROL and world.hosts[origin.place].honest
        if written and name not in explained and name not in world.witness.founding:
            yield f"entry {name.seq} of {world.hosts[origin.place].name}"


def _entries(world: World, host: Host) -> Sequence[EntryName]:
    return list(world.witness.seen.get(host.place, {}))


def _digest(value: object) -> str:
    return blake2b(repr(value).encode(), digest_size=16).hexdigest()


def _differing(world: World) -> str:
    first, *others = readers(world)
    rows = first.machine.book.rows()
    for host in others:
        theirs = host.machine.book.rows()
        for table in rows:
            apart = set(rows[table]) ^ set(theirs[table])
            if apart:
                return f"{len(apart)} in {table} between {first.name} and {host.name}"
    return "?"
