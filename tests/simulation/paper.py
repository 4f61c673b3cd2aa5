"""Disks written by hand, to see each checker fail on exactly one thing that is wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

from protocols.feeds.lane import Lane
from protocols.ids import DeviceId, EntryHash, FeedId
from protocols.mesh.effects import Now
from protocols.mesh.node import Node
from protocols.sim.book import CONTROL, Arrival, EntryName, Shown
from protocols.sim.host import Host
from protocols.sim.world import World


@dataclass
class Told:
    feed: str
    seq: int
    ok: bool = True
    repeated: bool = False
    error: str | None = None
    confirm: str | None = None
    id: str | None = None


@dataclass
class Paper:
    """A machine whose disk is these lists."""

    device: DeviceId
    held: list[Arrival] = field(default_factory=list)
    table: list[tuple] = field(default_factory=list)
    verdicts: dict[EntryName, str] = field(default_factory=dict)
    said: dict[str, object] = field(default_factory=dict)
    about: dict[bytes, frozenset[bytes]] = field(default_factory=dict)
    readable: dict[bytes, list[EntryName]] = field(default_factory=dict)
    shown: list[Shown] = field(default_factory=list)
    bodiless: set[EntryName] = field(default_factory=set)
    records: list[tuple[bytes, bytes, bytes]] = field(default_factory=list)
    sealed_under: dict[EntryName, bytes] = field(default_factory=dict)
    trouble: str = ""
    wristbands: dict[bytes, str] = field(default_factory=dict)

    @property
    def book(self) -> Paper:
        return self

    def boot(self, now: Now) -> Node:
        raise NotImplementedError

    def arm(self, commits: int, *, after: bool) -> None:
        raise NotImplementedError

    def halt(self) -> None:
        raise NotImplementedError

    @property
    def changes(self):
        return len(self.held)

    def arrivals(self, after):
        return [arrival for arrival in self.held if arrival.number > after]

    def rows(self):
        return {"note": sorted(self.table, key=repr)}

    def codes(self):
        return self.wristbands

    def judged(self):
        return self.verdicts

    def subjects(self):
        return self.about

    def opened(self):
        return self.readable

    def standings(self):
        return self.shown

    def bare(self):
        return frozenset(self.bodiless)

    def counts(self):
        return frozenset()

    def keys(self):
        return self.sealed_under

    def problem(self):
        return self.trouble

    def control(self):
        return iter(self.records)

    def digests(self):
        return self.said

    def content(self):
        return (str(row).encode() for row in self.table)


def paper_of(host: Host) -> Paper:
    """What a host of a `Stage` is made of."""
    paper = host.machine
    assert isinstance(paper, Paper)
    return paper


def made_of(paper: Paper) -> Callable[[Now], Paper]:
    """What makes a host of it."""
    return lambda _: paper


class Stage:
    """A world of paper machines."""

    def __init__(self, count: int = 3) -> None:
        self.world = World(1)
        self.hosts = []
        for number in range(count):
            paper = Paper(DeviceId(bytes([number + 1]) * 32))
            host = self.world.add(f"n{number}", made_of(paper))
            host.node = cast(Node, object())
            self.hosts.append(host)

    def entry(self, author: int, seq: int, salt: int = 0) -> EntryName:
        return EntryName(FeedId(bytes([author + 1]) * 32), seq, EntryHash(bytes([seq, salt]) * 16))

    def puts(self, at_s, host, name, *, lane=Lane.ROUTINE, text="", rows=1, scope=CONTROL):
        """An entry comes onto a disk and shows as rows."""
        paper = paper_of(self.hosts[host])
        device = DeviceId(bytes(name.feed))
        paper.held.append(Arrival(len(paper.held) + 1, name, device, lane, scope))
        paper.table += [(b"", name.hash, text)] * rows
        self.world.at_us = at_s * 1_000_000
        self.world.witness.look(self.hosts[host], self.world.at_us)

    def writes(
        self, at_s, host, seq, *, text="", lane=Lane.ROUTINE, key=None, kept=True, scope=CONTROL
    ):
        """Somebody is told that a record is saved."""
        name = self.entry(host, seq)
        if kept:
            paper = paper_of(self.hosts[host])
            arrival = Arrival(len(paper.held) + 1, name, paper.device, lane, scope)
            paper.held.append(arrival)
            paper.table.append((b"", name.hash, text))
        kind = "triage.record" if lane is Lane.URGENT else "note.add"
        data = {"text": text} if text else {}
        line = {"v": 1, "kind": kind, "key": key or f"{host}-{seq}", "data": data}
        told = Told(str(name.feed), seq)
        self.world.at_us = at_s * 1_000_000
        self.world.witness.answered(self.hosts[host], self.world.at_us, line, told)
        return name

    def everywhere(self, at_s, name, *, but=(), text="", lane=Lane.ROUTINE):
        """It comes onto every other disk."""
        for host in range(len(self.hosts)):
            held = self.world.witness.seen.get(host, {})
            if host not in but and name not in held:
                self.puts(at_s, host, name, text=text, lane=lane)
