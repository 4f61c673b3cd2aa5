"""Any weather, then calm: whatever was written is on every device, and all say the same of it."""

from __future__ import annotations

from itertools import permutations
from random import Random

import pytest

from tests.unit.stage import Device, Stage, camp, note, patient, triage

STEPS = 40
REFUSED = ("unknown_patient", "not_found", "ambiguous")
"""A patient this device has not heard of yet; two cards that mint the same codes."""


class Storm:
    """Chance writes, links, cuts, restarts and copies."""

    def __init__(self, seed: int) -> None:
        self.chance = Random(seed)
        self.stage = Stage(one_way_ms=self.chance.choice((1, 20, 150)))
        self.devices = camp(("ann", "ben", "eve"), seed=seed, hq=self.chance.random() < 0.5)
        self.written: set[bytes] = set()
        self.known: list[str] = []

    def step(self, *, clone: bool) -> None:
        chance, turn = self.chance, self.chance.random()
        here, there = chance.sample(self.devices, 2)
        if turn < 0.35:
            self.write(here)
        elif turn < 0.6:
            if here.id != there.id:
                self.stage.link(here, there)
        elif turn < 0.75:
            self.stage.cut(here, there)
        elif turn < 0.8:
            self.leave(here)
            here.restarted()
            self.stage.carry(here, here.node.start(self.stage.now(here)))
        elif turn < 0.83 and clone and len(self.devices) < 4:
            self.devices.append(here.copy("twin"))
        self.stage.run(chance.choice((0, 1, 5, 40, 400, 3_000)))

    def write(self, device: Device) -> None:
        chance = self.chance
        makers = [lambda: patient(f"P{chance.random()}")]
        if self.known:
            whom = chance.choice(self.known)
            makers += [lambda: note(whom, f"n{chance.random()}"), lambda: triage(whom)]
        lines = [chance.choice(makers)() for _ in range(chance.choice((1, 1, 3, 40)))]
        before = device.ledger.chain.last_arrival
        for answer in self.stage.write(device, *lines):
            assert answer.ok or answer.error in REFUSED, answer
            if answer.code:
                self.known.append(answer.code)
        rows = device.store.all("SELECT hash FROM entry WHERE arrival > ?", (before,))
        self.written.update(row[0] for row in rows)

    def leave(self, device: Device) -> None:
        for other in self.devices:
            if other is not device:
                self.stage.cut(device, other)

    def calm(self) -> None:
        """Everybody meets everybody; a card and its copy, one device to others, take turns."""
        for device in self.devices:
            self.leave(device)
        for _ in range(3):
            for here, there in permutations(self.devices, 2):
                if here.id == there.id:
                    continue
                for other in self.devices:
                    if other not in (here, there) and other.id in (here.id, there.id):
                        self.leave(other)
                self.stage.link(here, there)
                self.stage.run(1_000)
        self.stage.run(20_000)


def storm(seed: int, *, clone: bool) -> tuple[list[Device], set[bytes]]:
    weather = Storm(seed)
    for _ in range(STEPS):
        weather.step(clone=clone)
    weather.calm()
    return weather.devices, weather.written


def judge(devices: list[Device], written: set[bytes]) -> None:
    first, *others = devices
    assert written <= first.entries
    for other in others:
        assert other.entries == first.entries
        assert other.unopened() == first.unopened() == []
        assert other.care == first.care


@pytest.mark.parametrize("seed", range(5))
def test_after_any_weather_everybody_holds_the_same(seed: int):
    judge(*storm(seed, clone=False))


@pytest.mark.parametrize("seed", range(5))
def test_after_any_weather_with_a_copied_card_everybody_holds_the_same(seed: int):
    judge(*storm(1000 + seed, clone=True))


@pytest.mark.slow
def test_two_hundred_storms():
    for seed in range(2000, 2100):
        judge(*storm(seed, clone=False))
        judge(*storm(seed + 1000, clone=True))
