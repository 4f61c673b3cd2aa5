"""Events in order, effects carried out, links that break and come back: with the real node."""

from __future__ import annotations

from protocols.sim.cast import Cast
from protocols.sim.clock import SECOND_US
from protocols.sim.generator import Workload
from protocols.sim.world import World


def cast(count: int, seed: int = 1) -> tuple[World, Cast]:
    world = World(seed)
    members = Cast.found(world, [f"n{number}" for number in range(count)])
    world.mesh(members.hosts)
    wait(world, 5)
    return world, members


def wait(world: World, seconds: float) -> None:
    world.run_until(world.at_us + round(seconds * SECOND_US))


def held(world: World, place: int) -> int:
    return len([n for n in world.witness.seen[place] if n not in world.witness.founding])


def test_what_is_written_arrives_at_every_host():
    world, members = cast(3)
    for line in Workload(1, "a").lines(5):
        world.write(members.hosts[1], line)
    wait(world, 2)

    # One of them is a triage, which is counted in an entry of its own.
    assert [held(world, place) for place in range(3)] == [6, 6, 6]


def test_a_cut_line_breaks_late_and_is_dialled_again_after_it_heals():
    world, members = cast(2)
    hq, tent = members.hosts
    world.cut(hq, tent)
    world.write(hq, Workload(1, "a").register())
    wait(world, 10)
    assert hq.links and tent.links

    wait(world, 60)
    assert not hq.links and not tent.links
    assert held(world, 1) == 0

    world.heal()
    wait(world, 60)
    assert held(world, 1) == 1


def test_what_waited_at_a_short_cut_arrives_once_it_heals():
    world, members = cast(2)
    hq, tent = members.hosts
    world.cut(hq, tent, both=False)
    world.write(hq, Workload(1, "a").register())
    wait(world, 5)
    assert held(world, 1) == 0
    world.heal()
    wait(world, 1)

    assert held(world, 1) == 1
    assert len(hq.links) == 1


def test_a_crashed_host_forgets_its_links_and_finds_its_peers_again():
    world, members = cast(2)
    hq, tent = members.hosts
    world.crash(tent, down_us=30 * SECOND_US)
    wait(world, 2)
    assert not hq.links and not tent.links
    assert world.write(tent, Workload(1, "a").register()) is None

    wait(world, 60)
    assert hq.links and tent.links


def test_power_lost_just_before_a_commit_saves_nothing_and_just_after_it_saves_all():
    for after, expected in ((False, 0), (True, 1)):
        world, members = cast(2)
        tent = members.hosts[1]
        line = Workload(1, "a").register()
        world.crash_at_commit(tent, 1, after=after, down_us=SECOND_US)

        assert world.write(tent, line) is None
        assert tent.node is None
        assert held(world, 1) == expected

        wait(world, 30)
        answer = world.write(tent, line)
        assert answer.ok and answer.repeated == after
        wait(world, 2)
        assert held(world, 0) == 1
        assert len(world.witness.records) == 1


def test_an_attacker_who_swallows_or_flips_messages_costs_only_time():
    world, members = cast(2)
    hq, tent = members.hosts
    flips = iter(range(10**6))
    world.carriage.tamper = lambda here, there, message: (
        bytes([message[0] ^ 1]) + message[1:] if next(flips) % 3 == 0 else message
    )
    world.write(tent, Workload(1, "a").register())
    wait(world, 60)
    world.carriage.tamper = None
    wait(world, 60)

    assert held(world, 0) == 1
    assert hq.links and tent.links
    assert any(
        notice.values.get("code") == "noise_failed" for _, _, notice in world.witness.notices
    )


def test_a_wake_up_that_was_replaced_does_not_ring():
    world, members = cast(2)
    tent = members.hosts[1]
    rung = []
    tent.node.tick = lambda now: rung.append(now.mono_ms) or []  # type: ignore[method-assign]
    early, late = (tent.clock.mono_ms(world.at_us) + ms for ms in (100, 900))

    world._wake_at(tent, early)
    world._wake_at(tent, late)
    wait(world, 2)

    assert rung == [late]
