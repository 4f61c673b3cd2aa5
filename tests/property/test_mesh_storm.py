"""Any weather, then calm: whatever was written is on every device, and all say the same of it."""

from __future__ import annotations

from random import Random

import pytest

from tests.unit.stage import Device, Stage, camp, note, patient, triage

STEPS = 40


def storm(seed: int, *, clone: bool) -> tuple[list[Device], set[bytes]]:
    """Let chance write, link, cut, restart and copy; then link everybody and wait."""
    chance = Random(seed)
    stage, written = Stage(one_way_ms=chance.choice((1, 20, 150))), set[bytes]()
    devices = camp(("ann", "ben", "eve"), seed=seed, hq=chance.random() < 0.5)
    known: list[str] = []

    def write(device: Device) -> None:
        makers = [lambda: patient(f"P{chance.random()}")]
        if known:
            whom = chance.choice(known)
            makers += [lambda: note(whom, f"n{chance.random()}"), lambda: triage(whom)]
        lines = [chance.choice(makers)() for _ in range(chance.choice((1, 1, 3, 40)))]
        before = device.ledger.chain.last_arrival
        for answer in stage.write(device, *lines):
            assert answer.ok or answer.error in ("unknown_patient", "not_found", "ambiguous"), answer
            if answer.code:
                known.append(answer.code)
        rows = device.store.all("SELECT hash FROM entry WHERE arrival > ?", (before,))
        written.update(row[0] for row in rows)

    def link() -> None:
        here, there = chance.sample(devices, 2)
        if here.id != there.id:
            stage.link(here, there)

    for _ in range(STEPS):
        turn = chance.random()
        if turn < 0.35:
            write(chance.choice(devices))
        elif turn < 0.6:
            link()
        elif turn < 0.75:
            here, there = chance.sample(devices, 2)
            stage.cut(here, there)
        elif turn < 0.8:
            device = chance.choice(devices)
            for other in devices:
                if other is not device:
                    stage.cut(device, other)
            device.restarted()
            stage.carry(device, device.node.start(stage.now(device)))
        elif turn < 0.83 and clone and len(devices) < 4:
            devices.append(chance.choice(devices).copy("twin"))
        stage.run(chance.choice((0, 1, 5, 40, 400, 3_000)))
    for here in devices:
        for there in devices:
            if here is not there:
                stage.cut(here, there)
    for _ in range(2):
        for at, here in enumerate(devices):
            for there in devices[at + 1 :]:
                if here.id != there.id:
                    stage.link(here, there)
                    stage.run(1_000)
    stage.run(20_000)
    return devices, written


def judge(devices: list[Device], written: set[bytes]) -> None:
    first, *others = devices
    assert written <= first.entries
    for other in others:
        assert other.entries == first.entries
        assert other.unopened() == first.unopened() == []
        assert other.care == first.care


@pytest.mark.parametrize("seed", range(12))
def test_after_any_weather_everybody_holds_the_same(seed: int):
    judge(*storm(seed, clone=False))


@pytest.mark.parametrize("seed", range(12))
def test_after_any_weather_with_a_copied_card_everybody_holds_the_same(seed: int):
    judge(*storm(1000 + seed, clone=True))


@pytest.mark.slow
def test_a_thousand_storms():
    for seed in range(2000, 2500):
        judge(*storm(seed, clone=False))
        judge(*storm(seed + 1000, clone=True))
