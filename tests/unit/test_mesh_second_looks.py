"""What is urgent reaches everybody within seconds, though the author's line is dead and nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations
from random import Random

import pytest

from protocols.feeds.lane import Lane
from protocols.mesh.frames import Links, encode_frame
from protocols.mesh.passing import URGENT_OFFER_MS
from tests.unit.stage import Device, Stage, agree, camp, meshed, patient, speak, triage

HOP_MS = URGENT_OFFER_MS[1] + 20
"""From one neighbour to the next: the look, what it offers, what is asked for and sent."""
Way = tuple[Device, Device]


def urgent(device: Device) -> set[bytes]:
    """The urgent entries that it holds."""
    lane = int(Lane.URGENT)
    found = device.store.all(
        "SELECT e.hash FROM entry e JOIN feed f ON f.no = e.feed WHERE f.lane = ?", (lane,)
    )
    return {digest for (digest,) in found}


def deaf(ways: Iterable[Way]) -> Callable[[Device, Device, bytes], Iterable[bytes]]:
    """What a stage does where these ways carry nothing any more, and nobody notices."""
    dead = {(here.name, there.name) for here, there in ways}
    return lambda here, there, each: () if (here.name, there.name) in dead else (each,)


def wired(devices: list[Device], pairs: Iterable[Way]) -> Stage:
    """Everybody up to date over these links."""
    stage = Stage()
    for here, there in pairs:
        stage.link(here, there)
    stage.run(8_000)
    assert agree(*devices)
    return stage


def test_who_is_said_to_be_linked_to_us_harms_nobody():
    stage, (ann, ben, eve) = meshed(("ann", "ben", "eve"))
    (link,) = [no for no, (there, _) in eve.links.items() if there is ann]

    speak(stage, eve, link, encode_frame(Links((ann.id, ben.id))))
    speak(stage, eve, link, encode_frame(Links((ben.id,))))

    assert ann.node.linked == sorted((ben.id, eve.id))
    stage.write(ann, patient("after"))
    stage.run(2_000)
    assert agree(ann, ben, eve)


@pytest.mark.parametrize("seed", range(4))
def test_who_is_linked_to_few_is_looked_after_by_these(seed: int):
    """Those whose ids are next to a device's may not be linked to it: others are, then."""
    chance = Random(f"few-{seed}")
    devices = camp([f"n{number}" for number in range(7)], seed=seed)
    author, lone, friend, *others = chance.sample(devices, len(devices))
    pairs = [*combinations((author, friend, *others), 2), (lone, author), (lone, friend)]
    stage = wired(devices, pairs)
    (answer,) = stage.write(author, patient("there"))
    stage.run(2_000)
    stage.spoil = deaf([(author, lone)])

    stage.write(author, triage(answer.patient))
    stage.run(2 * HOP_MS)

    assert urgent(lone) == urgent(author)
