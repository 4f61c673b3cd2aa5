"""What is urgent reaches everybody within seconds, though a line is dead and nobody knows."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import combinations
from random import Random

import pytest

from protocols.feeds.lane import Lane
from protocols.ledger import founding
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


def dead(stage: Stage, ways: Iterable[Way]) -> None:
    """From now on these ways carry nothing, and nobody notices."""
    stage.spoil = deaf(ways)


def red(stage: Stage, author: Device, before: Callable[[], None]) -> None:
    """The author finds somebody, something happens, and the triage is red."""
    (answer,) = stage.write(author, patient("there"))
    stage.run(3_000)
    before()
    assert answer.patient
    stage.write(author, triage(answer.patient))


def wired(devices: list[Device], pairs: Iterable[Way]) -> Stage:
    """Everybody up to date over these links."""
    stage = Stage()
    for here, there in pairs:
        stage.link(here, there)
    stage.run(8_000)
    assert agree(*devices)
    return stage


def test_who_is_said_to_be_linked_to_us_harms_nobody() -> None:
    stage, (ann, ben, eve) = meshed(("ann", "ben", "eve"))
    (link,) = [no for no, (there, _) in eve.links.items() if there is ann]

    speak(stage, eve, link, encode_frame(Links((ann.id, ben.id))))
    speak(stage, eve, link, encode_frame(Links((ben.id,))))

    assert ann.node.linked == sorted((ben.id, eve.id))
    stage.write(ann, patient("after"))
    stage.run(2_000)
    assert agree(ann, ben, eve)


@pytest.mark.parametrize("seed", range(4))
def test_who_is_linked_to_few_is_looked_after_by_these(seed: int) -> None:
    """Those whose ids are next to a device's may not be linked to it: others are, then."""
    chance = Random(f"few-{seed}")
    devices = camp([f"n{number}" for number in range(7)], seed=seed)
    author, lone, friend, *others = chance.sample(devices, len(devices))
    pairs = [*combinations((author, friend, *others), 2), (lone, author), (lone, friend)]
    stage = wired(devices, pairs)

    red(stage, author, lambda: dead(stage, [(author, lone)]))
    stage.run(2 * HOP_MS)

    assert urgent(lone) == urgent(author)


@pytest.mark.parametrize("seed", range(4))
def test_who_is_linked_to_others_besides_is_looked_after_by_those_who_hear_the_author(
    seed: int,
) -> None:
    """Those whose ids are next to a device's may never hear what the author wrote but by it."""
    chance = Random(f"bridge-{seed}")
    devices = camp([f"n{number}" for number in range(7)], seed=seed)
    author, bridge, friend, *others = chance.sample(devices, len(devices))
    pairs = [*combinations((author, bridge, friend), 2), *combinations((bridge, *others), 2)]
    stage = wired(devices, pairs)

    red(stage, author, lambda: dead(stage, [(author, bridge)]))
    stage.run(2 * HOP_MS)

    assert all(urgent(device) == urgent(author) for device in devices)


@pytest.mark.parametrize("count", [3, 4, 5, 10])
@pytest.mark.parametrize("one_way", [True, False])
def test_an_author_heard_by_one_alone_is_heard_by_all_from_neighbour_to_neighbour(
    count: int, one_way: bool
) -> None:
    """So it is where the neighbours of a device are themselves the ones with the dead line."""
    stage, (author, *others) = meshed([f"n{number}" for number in range(count)], seed=count)
    lucky = Random(count).choice(others)
    lost = [(author, each) for each in others if each is not lucky]
    lost += [] if one_way else [(each, author) for _, each in lost]

    red(stage, author, lambda: dead(stage, lost))
    # Both sides of the ring at once.
    stage.run((count // 2) * HOP_MS)

    assert all(urgent(device) == urgent(author) for device in others)


@pytest.mark.parametrize("seed", range(6))
def test_a_few_lines_dead_at_random_and_some_links_missing_keep_nothing_from_anybody(
    seed: int,
) -> None:
    chance = Random(f"few-{seed}")
    count = chance.choice((4, 5, 6, 8))
    devices = camp([f"n{number}" for number in range(count)], seed=seed)
    author, *others = devices
    pairs = [pair for pair in combinations(devices, 2) if author in pair or chance.random() < 0.8]
    stage = wired(devices, pairs)
    # Nobody has lost both the author and a neighbour: that is for the line's own alarm to find.
    lost = [(author, each) for each in others[1:] if chance.random() < 0.4]
    neighbours = {each: [p for p in pairs if each in p and author not in p] for _, each in lost}
    lost = [(here, each) for here, each in lost if len(neighbours[each]) >= 2]

    red(stage, author, lambda: dead(stage, lost))
    stage.run(count * HOP_MS)

    assert all(urgent(device) == urgent(author) for device in others)


def test_neighbours_that_start_again_look_after_who_they_find() -> None:
    stage, devices = meshed([f"n{number}" for number in range(5)])
    author, lone, *others = devices

    def restart() -> None:
        for each in others:
            for there in devices:
                stage.cut(each, there)
            each.restarted()
        for at, each in enumerate(others):
            for there in (author, lone, *others[:at]):
                stage.link(each, there)
        stage.run(200)
        dead(stage, [(author, lone)])

    red(stage, author, restart)
    stage.run(2 * HOP_MS + 1_000)

    assert urgent(lone) == urgent(author)


@pytest.mark.parametrize("first", [0, 1])
def test_another_life_of_the_author_is_looked_after_as_anybody(first: int) -> None:
    """Two disks under one key: a card and its copy, each in an epoch of its own."""
    stage, (ann, ben, eve) = meshed(("ann", "ben", "eve"))
    stage.cut(ann, ben)
    stage.cut(ann, eve)
    copy = ann.copy("copy")
    founding.new_epoch(copy.store, copy.chance.randbytes(8))
    copy.restarted()
    for each in (ann, copy):
        for there in (ben, eve):
            stage.link(each, there)
    stage.run(8_000)
    lives = (ann, copy) if not first else (copy, ann)

    red(stage, lives[0], lambda: dead(stage, [(lives[0], ben)]))
    stage.run(2 * HOP_MS)

    assert all(urgent(each) == urgent(lives[0]) for each in (ann, copy, ben, eve))


@pytest.mark.parametrize("seed", range(3))
def test_a_look_is_wanted_again_after_a_session_that_ended_while_its_mark_rested(seed: int) -> None:
    """Nothing is forgotten: what a mark did not speak of is listed at the next greeting."""
    stage, devices = meshed(("ann", "ben", "eve", "joe"), seed=seed)
    ann, *others = devices
    chance = Random(seed)
    red(stage, ann, lambda: None)
    stage.run(1_500)  # looked, and every mark rests
    resting = [s for each in others for s in each.node._board.sessions() if s.rest.until_ms]
    assert resting
    here, there = chance.sample(others, 2)
    for each in others:
        if each is not here:
            stage.cut(here, each)
    stage.write(ann, patient("meanwhile"))
    stage.run(3_000)
    # What came to one of them since never came to the other but by the next session.
    stage.cut(here, ann)
    red(stage, ann, lambda: None)
    stage.run(1_000)
    assert urgent(here) != urgent(there)
    here.restarted()
    stage.link(here, there)
    stage.run(2_000)

    assert here.entries == there.entries
