"""Receipts in any weather: nobody says that HQ holds what is not on its disk, and in the calm after
it whoever wrote hears within a minute that HQ holds all of it, over whatever lines there are."""

from __future__ import annotations

from random import Random

import pytest

from protocols.ledger.reading import own_feeds, saved_where, travelled
from protocols.mesh.effects import Now
from protocols.mesh.keeping import FLUSH_MS
from protocols.mesh.receipts import REST_MS
from tests.unit.stage import WALL_MS, Device, Stage, admit, camp, copied, note, patient, triage

STEPS = 50
CLOCKS_MS = (0, 0, 0, -40_000, 7_200_000, -WALL_MS)
"""How far clocks are off: one is two hours ahead, one without a battery is in 1970."""


class Clocked(Stage):
    """Time passes as it does; what each wall clock says is another thing."""

    ahead: dict[str, int]

    def now(self, device: Device) -> Now:
        true = super().now(device)
        ahead = self.ahead.get(device.name, 0)
        return Now(max(true.wall_ms + ahead, self.at_ms), true.mono_ms, true.entropy)


def said_at_hq(device: Device) -> set[bytes]:
    """Hashes of what this terminal says that HQ has."""
    rows = dict(device.store.all("SELECT arrival, hash FROM entry"))
    where = saved_where(device.ledger, sorted(rows))
    return {rows[arrival] for arrival, place in where.items() if place == "hq"}


def all_told(device: Device) -> bool:
    """Whether its terminal says of all that it wrote that HQ has it."""
    feeds = own_feeds(device.ledger)
    own = {
        row[0]
        for feed in feeds
        for row in device.store.all("SELECT hash FROM entry WHERE feed = ?", (feed.no,))
    }
    said = travelled(device.ledger).at_hq_until_ms is not None or not own
    return own <= said_at_hq(device) and said


class Storm:
    """Chance writes, links, cuts, stops, pulls plugs and sets clocks."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.stage = Clocked(one_way_ms=self.chance.choice((1, 20, 150)))
        self.stage.ahead = {}
        names = ("hq", "ann", "ben", "eve", "joe")
        self.devices = camp(names, seed=seed, hq=True)
        self.hqs = self.devices[:1]
        if self.chance.random() < 0.4:
            second = Device.found("second", seed=seed)
            admit(self.devices[0], second, hq=True)
            self.devices.append(second)
            self.hqs.append(second)
        self.known: list[str] = []

    def step(self) -> None:
        chance, turn = self.chance, self.chance.random()
        here, there = chance.sample(self.devices, 2)
        if turn < 0.4:
            self.write(chance.choice(self.devices))
        elif turn < 0.65:
            self.stage.link(here, there)
        elif turn < 0.8:
            self.stage.cut(here, there)
        elif turn < 0.9:
            self.stop(here, politely=turn < 0.83)
        elif turn < 0.95:
            self.stage.ahead[here.name] = chance.choice(CLOCKS_MS)
        self.stage.run(chance.choice((1, 40, 120, 3_000, 6_000, 70_000)))
        self.see()

    def see(self) -> None:
        on_disk = set().union(*(hq.entries for hq in self.hqs))
        for device in self.devices:
            if device not in self.hqs:
                assert said_at_hq(device) <= on_disk

    def write(self, device: Device) -> None:
        chance = self.chance
        makers = [lambda: patient(f"P{chance.random()}")]
        if self.known:
            whom = chance.choice(self.known)
            makers += [lambda: note(whom, f"n{chance.random()}"), lambda: triage(whom)]
        for answer in self.stage.write(device, chance.choice(makers)()):
            if answer.code:
                self.known.append(answer.code)

    def stop(self, device: Device, *, politely: bool) -> None:
        """It stops; when the plug is pulled, nothing that was in memory alone is left."""
        if politely:
            device.node.stop()
        for other in self.devices:
            if other is not device:
                self.stage.cut(device, other)
        device.store = copied(device.store)
        device.restarted()
        self.stage.carry(device, device.node.start(self.stage.now(device)))

    def calm(self) -> None:
        """A tree of lines, each device linked to one before it: most reach HQ through others."""
        self.chance.shuffle(self.devices)
        for at, device in enumerate(self.devices):
            for other in self.devices[:at]:
                self.stage.cut(device, other)
        for at, device in enumerate(self.devices[1:], 1):
            self.stage.link(device, self.chance.choice(self.devices[:at]))
        self.stage.run(60_000)


@pytest.mark.parametrize("seed", range(30))
def test_at_hq_is_never_said_too_early_and_always_in_the_end(seed):
    storm = Storm(seed)
    for _ in range(STEPS):
        storm.step()

    storm.calm()

    storm.see()
    for device in storm.devices:
        if device not in storm.hqs:
            assert all_told(device), device.name
    storm.stage.run(REST_MS + FLUSH_MS)
    storm.see()
    everything = set().union(*(device.entries for device in storm.devices))
    for device in storm.devices:
        assert said_at_hq(device) >= everything - {
            row for hq in storm.hqs for row in own_entries(hq)
        }, device.name


def own_entries(device: Device) -> set[bytes]:
    return {
        row[0]
        for feed in device.ledger.chain.feeds.values()
        if feed.genesis.device == device.id
        for row in device.store.all("SELECT hash FROM entry WHERE feed = ?", (feed.no,))
    }
