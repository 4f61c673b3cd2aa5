"""Any weather with erases and holds in it: nothing erased comes back, nothing else is lost."""

from __future__ import annotations

import pytest

from protocols.ids import PatientId
from protocols.trust.control import Hold
from tests.property.test_mesh_storm import STEPS, Storm
from tests.unit.stage import Device
from tests.unit.test_erase import coordinator, erase, hashes_of, order, sound


class Purge(Storm):
    """A storm in which two coordinators erase patients while others write about them."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.ann, self.ben, _ = self.devices
        coordinator(self.ann, self.ben)
        self.named: set[bytes] = set()
        self.holds: list[bytes] = []

    def step(self, *, clone: bool) -> None:
        super().step(clone=clone)
        turn = self.chance.random()
        patients = self.ann.store.all("SELECT id FROM subject WHERE kind = 1 ORDER BY id")
        if not patients or turn > 0.3:
            return
        whom = str(PatientId(self.chance.choice(patients)[0]))
        entries, documents = hashes_of(self.ann, whom)
        if not entries:
            return
        if turn < 0.06:
            self.holds.append(erase(self.stage, self.ann, Hold(tuple(documents), ())))
        elif turn < 0.1 and self.holds:
            erase(self.stage, self.ann, Hold((), (), self.holds.pop()))
        else:
            erase(self.stage, self.ann, order(self.ann, self.ben, whom))
            self.named.update(entries)

    def calm(self) -> None:
        for hold in self.holds:
            erase(self.stage, self.ann, Hold((), (), hold))
        super().calm()


def kept_by(device: Device) -> tuple[set[bytes], set[bytes]]:
    """Data entries with a body, and without."""
    rows = device.store.all("SELECT hash, body IS NULL FROM entry WHERE kind = 0")
    return {row[0] for row in rows if not row[1]}, {row[0] for row in rows if row[1]}


def judge(weather: Purge) -> None:
    first, *others = weather.devices
    assert weather.written <= first.entries
    with_body, without = kept_by(first)
    assert without, "a storm without an erase proves nothing"
    assert without == weather.named
    for other in others:
        assert other.entries == first.entries
        assert kept_by(other) == (with_body, without)
        assert other.care == first.care
        assert other.unopened() == first.unopened()
    assert all(sound(each) for each in weather.devices)
    erasures = first.ledger.authority.erasures
    for entry in erasures.erases():
        assert {said.device for said in erasures.confirmed(entry)} == {
            each.id for each in weather.devices
        }


def purge(seed: int, *, clone: bool) -> Purge:
    weather = Purge(seed)
    for _ in range(STEPS):
        weather.step(clone=clone)
    weather.calm()
    return weather


@pytest.mark.parametrize("seed", range(5))
def test_after_any_weather_what_was_erased_is_gone_everywhere_and_nothing_else(seed: int):
    judge(purge(seed, clone=False))


@pytest.mark.parametrize("seed", range(3))
def test_after_any_weather_with_a_copied_card_it_is_so_too(seed: int):
    judge(purge(500 + seed, clone=True))


@pytest.mark.slow
def test_a_hundred_purges():
    for seed in range(1_000, 1_100):
        judge(purge(seed, clone=seed % 2 == 0))
