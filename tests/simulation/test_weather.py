"""Any weather over two to five devices: nothing saved is lost and all agree when it clears."""

from __future__ import annotations

from random import Random

import pytest

from protocols.sim.cast import Cast
from protocols.sim.chance import seeded
from protocols.sim.clock import HOUR_US, SECOND_US, DeviceClock
from protocols.sim.drill import Drill
from protocols.sim.network import LAN, RADIO, SATELLITE, WIFI
from protocols.sim.report import Result, in_words
from protocols.sim.weather import Weather


def storm(seed: int, *, hours: int = 3) -> Result:
    chance, until_us = seeded(seed, "storm"), hours * HOUR_US
    drill = Drill("storm", seed, shape=chance.choice((LAN, WIFI, SATELLITE, RADIO)))
    names = [f"n{number}" for number in range(chance.randint(2, 5))]
    clocks = {
        name: DeviceClock(
            offset_ms=chance.choice((0, 0, 5_000, -86_400_000, 10**11)),
            drift_ppm=chance.randint(-9_000, 9_000),
        )
        for name in names[1:]
    }
    cast = Cast.found(drill.world, names, clocks=clocks)
    drill.world.mesh(cast.hosts)
    for host in cast.hosts:
        drill.staff(host, per_hour=25.0, until_us=until_us)
    weather = Weather(drill.world, cast.hosts, every_us=300 * SECOND_US, until_us=until_us)
    disasters(drill, cast, chance, until_us)
    drill.world.run_until(until_us)
    drill.notes |= weather.counts
    return drill.finish(cast.hq)


def disasters(drill: Drill, cast: Cast, chance: Random, until_us: int) -> None:
    """In some storms a card is copied and used twice, or an old backup is put back."""
    world, host = drill.world, chance.choice(cast.hosts)
    first_us, later_us = sorted(int(chance.random() * until_us) for _ in range(2))
    noticed, kept = chance.random() < 0.7, []

    def copied() -> None:
        copy = cast.clone(host, "copy", noticed=noticed)
        for other in cast.hosts:
            if other is not host:
                world.dial(copy, other)
        drill.staff(copy, per_hour=25.0, until_us=until_us)

    turn = chance.random()
    if turn < 0.25:
        world.at(first_us, copied)
    elif turn < 0.5:
        world.at(first_us, lambda: kept.append(cast.backup(host)))
        world.at(later_us, lambda: cast.restore(host, kept[0], noticed=noticed))


@pytest.mark.parametrize("seed", range(3))
def test_any_weather_leaves_all_that_was_saved_and_all_in_agreement(seed):
    result = storm(seed, hours=2)

    assert result.ok, in_words(result)


@pytest.mark.slow
@pytest.mark.parametrize("block", range(20))
def test_two_hundred_storms(block):
    for seed in range(100 + 10 * block, 110 + 10 * block):
        result = storm(seed)
        assert result.ok, in_words(result)
