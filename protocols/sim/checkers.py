"""What must be true after a drill, judged from the disks and from what people were told.

No checker asks a node. Each returns what it found in words that name counts and places, so that
a failing drill can be read; each has been seen to fail on a planted bug.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
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
    """Every record that was called saved is on every disk that may have it, readable for readers.

    What was on an honest disk once is on it still: erasing takes words away, never an entry.
    """
    gone = list(dropped(world))
    if gone:
        return Finding(False, f"{len(gone)} entries are on a disk no more, first: {gone[0]}")
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
            theirs = [n for n in saved.entries if host.may_hold(world.witness.scope_of(n))]
            lacks = not saved.entries or any(n not in held[host.place] for n in theirs)
            if lacks or (_is_shown_to(world, host, saved) and not shown[host.place].holds(saved)):
                yield f"{saved.key} of {world.hosts[saved.place].name} at {host.name}"
                break


def _is_shown_to(world: World, host: Host, saved: Saved) -> bool:
    """Whether people at a device must find the record, if nobody ordered it away."""
    scopes = map(world.witness.scope_of, saved.entries)
    readable = host.reads and all(host.may_read(scope) for scope in scopes)
    return readable and saved.key not in world.witness.erased


def dropped(world: World) -> Iterator[str]:
    """Yield each entry that an honest disk once held and holds no more."""
    for host in holders(world):
        there = {arrival.name for arrival in host.machine.book.arrivals(0)}
        for name in world.witness.seen.get(host.place, {}):
            if name not in there:
                yield f"seq {name.seq} at {host.name}"


_TOLD_ELSEWHERE = frozenset(("patient.identify", "vial.discard", "session.close"))
"""Kinds without a row of their own: what they say stands in the row of what they are about."""


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
        return saved.line["kind"] in _TOLD_ELSEWHERE or any(
            name.hash in self._entries for name in saved.entries
        )

    def times(self, words: str) -> int:
        """Return how many rows hold just these words."""
        return self._texts[words]


def all_agree(world: World) -> Finding:
    """Of each scope all that may hold it hold the same entries, all its readers show the same rows.

    The nodes' own digests are equal wherever the same scopes are held and read.
    """
    behind = lacking(world)
    if behind:
        return Finding(False, f"entries differ: lacking {behind}")
    different = _differing(world)
    if different:
        return Finding(False, f"rows differ: {different}")
    said: dict[object, str] = {}
    for host in readers(world):
        digests = repr(host.machine.digests())
        alike = (host.org, host.holds, host.shows, frozenset(host.released))
        if said.setdefault(alike, digests) != digests:
            return Finding(False, "entries and rows are equal, the nodes' own digests are not")
    return Finding(True, f"{len(holders(world))} devices, {len(readers(world))} readers")


def level(world: World) -> bool:
    """Whether every honest disk holds every entry that an honest disk holds and it may hold."""
    return not lacking(world)


def lacking(world: World) -> dict[str, int]:
    """Return how many of these entries are missing, by the devices where some are."""
    witness, held = world.witness, {}
    for host in holders(world):
        held[host.place] = witness.seen.get(host.place, {}).keys()
    everything = set[EntryName]().union(*held.values())
    found = {}
    for host in holders(world):
        missing = everything - held[host.place]
        count = sum(host.may_hold(witness.scope_of(name)) for name in missing)
        if count:
            found[host.name] = count
    return found


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
    scope_of = world.witness.scope_of
    count: Counter[str] = Counter()
    for name in sorted({name for _, verdicts in judged for name in verdicts}):
        said = [
            (host.name, verdicts.get(name, "merged"))
            for host, verdicts in judged
            if host.may_read(scope_of(name))
        ]
        apart = next((each for each in said if each[1] != said[0][1]), None)
        if apart:
            first, other = said[0], apart
            return Finding(
                False, f"seq {name.seq}: {first[1]} at {first[0]}, {other[1]} at {other[0]}"
            )
        count.update(verdict.split()[0] for _, verdict in said[:1])
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
    """Yield urgent records and when the older routine entries beside them arrived.

    What came by somebody who held it when the urgent one was written, and had not heard of that by
    then, went a way of its own: theirs was open while the author's was not.
    """
    everywhere = world.witness.seen
    seen = everywhere.get(to.place, {})
    for place in range(len(world.hosts)):
        ours = [saved for saved in world.witness.records if saved.place == place]
        others = [held for there, held in everywhere.items() if there not in (place, to.place)]
        routine = [
            (saved.at_us, seen[name], name)
            for saved in ours
            for name in world.witness.in_lane(saved, urgent=False)
            if name in seen
        ]
        for saved in ours:
            urgent = world.witness.in_lane(saved, urgent=True)
            if place == to.place or not urgent:
                continue
            late = [
                came
                for wrote, came, name in routine
                if wrote < saved.at_us < came
                and not any(
                    held.get(name, came) < saved.at_us
                    and any(held.get(each, came) >= came for each in urgent)
                    for held in others
                )
            ]
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
    shown: dict[int, _Shown] = {}
    for saved in world.witness.records:
        words = saved.line["data"].get("text")
        readers_of = (host for host in readers(world) if _is_shown_to(world, host, saved))
        reader = next(readers_of, None)
        if words is None or reader is None:
            continue
        if reader.place not in shown:
            shown[reader.place] = _Shown(reader)
        if shown[reader.place].times(words) > 1:
            yield saved.key
    keys = Counter(saved.key for saved in world.witness.records)
    yield from (key for key, count in keys.items() if count > 1)
    explained = {name for saved in world.witness.records for name in saved.entries}
    for name, origin in world.witness.origin.items():
        written = origin.lane != Lane.CONTROL and world.hosts[origin.place].honest
        if written and name not in explained and name not in world.witness.founding:
            yield f"entry {name.seq} of {world.hosts[origin.place].name}"


def codes_are_single(world: World) -> Finding:
    """No two patients have one short code, on any device and between any two."""
    code_of: dict[bytes, str] = {}
    for host in readers(world):
        for patient, code in host.machine.book.codes().items():
            if code_of.setdefault(patient, code) != code:
                return Finding(False, f"one patient has two codes, seen at {host.name}")
    shared = sum(times - 1 for times in Counter(code_of.values()).values())
    if shared or not code_of:
        return Finding(False, f"{shared} of {len(code_of)} patients share a code")
    return Finding(True, f"{len(code_of)} patients, as many codes")


def _entries(world: World, host: Host) -> Sequence[EntryName]:
    return list(world.witness.seen.get(host.place, {}))


def _differing(world: World) -> str:
    """Say where two readers of all that is written about somebody show other rows; '' = nowhere.

    Who may read only a part of it shows less, and is compared with nobody here.
    """
    scopes = scopes_of_subjects(world)
    first: dict[object, tuple[str, set[tuple[object, ...]]]] = {}
    for host in readers(world):
        for table, rows in host.machine.book.rows().items():
            theirs = _by_readers(world, scopes, host, rows)
            for whose, mine in theirs.items():
                name, others = first.setdefault((table, whose), (host.name, mine))
                if others != mine:
                    return f"{len(others ^ mine)} in {table} between {name} and {host.name}"
    return ""


def scopes_of_subjects(world: World) -> dict[bytes, frozenset[bytes]]:
    """Return in which scopes something is written about each subject, on whatever reader's disk."""
    found: dict[bytes, frozenset[bytes]] = {}
    for host in readers(world):
        for subject, scopes in host.machine.book.subjects().items():
            found[subject] = found.get(subject, frozenset()) | scopes
    return found


def _by_readers(
    world: World,
    scopes: dict[bytes, frozenset[bytes]],
    host: Host,
    rows: Sequence[tuple[object, ...]],
) -> dict[tuple[int, ...], set[tuple[object, ...]]]:
    """Part rows by the readers who must show the same; without those that others need not show."""
    whose: dict[frozenset[bytes], tuple[int, ...]] = {}
    nothing: frozenset[bytes] = frozenset()
    for wanted in {*scopes.values(), nothing}:
        entitled = (each for each in readers(world) if all(map(each.may_read, wanted)))
        whose[wanted] = tuple(each.place for each in entitled)
    found: dict[tuple[int, ...], set[tuple[object, ...]]] = {
        places: set() for places in whose.values() if host.place in places
    }
    for row in rows:
        subject = row[0]
        assert isinstance(subject, bytes)
        places = whose[scopes.get(subject, nothing)]
        if host.place in places:
            found[places].add(row)
    return found
