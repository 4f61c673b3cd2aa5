"""Events in order, effects carried out, links that break and come back."""

from protocols.sim.clock import at_s
from protocols.sim.generator import Workload
from protocols.sim.network import LAN
from protocols.sim.world import World
from tests.simulation.standin import ToyMachine


def cast(count, seed=1):
    world = World(seed, shape=LAN)
    hosts = [
        world.add(f"n{n}", lambda _, n=n: ToyMachine(bytes([n + 1]) * 32)) for n in range(count)
    ]
    for host in hosts:
        world.boot(host)
    world.mesh(hosts)
    return world, hosts


def test_what_is_written_arrives_at_every_host():
    world, hosts = cast(3)
    world.run_until(at_s(1))
    for line in Workload(1, "a").lines(5):
        world.write(hosts[0], line)
    world.run_until(at_s(2))

    assert [len(world.witness.seen[host.place]) for host in hosts] == [5, 5, 5]


def test_a_cut_line_breaks_late_and_is_dialled_again_after_it_heals():
    world, hosts = cast(2)
    world.run_until(at_s(1))
    world.cut(hosts[0], hosts[1])
    world.write(hosts[0], Workload(1, "a").register())
    world.run_until(at_s(10))
    assert hosts[0].links and hosts[1].links

    world.run_until(at_s(60))
    assert not hosts[0].links and not hosts[1].links
    assert 1 not in world.witness.seen

    world.heal()
    world.run_until(at_s(120))
    assert len(world.witness.seen[1]) == 1


def test_what_waited_at_a_short_cut_arrives_once_it_heals():
    world, hosts = cast(2)
    world.run_until(at_s(1))
    world.cut(hosts[0], hosts[1], both=False)
    world.write(hosts[0], Workload(1, "a").register())
    world.run_until(at_s(5))
    world.heal()
    world.run_until(at_s(6))

    assert len(world.witness.seen[1]) == 1


def test_a_crashed_host_forgets_its_links_and_finds_its_peers_again():
    world, hosts = cast(2)
    world.run_until(at_s(1))
    world.crash(hosts[0], down_us=at_s(30))
    world.run_until(at_s(2))
    assert not hosts[0].links and not hosts[1].links
    assert world.write(hosts[0], Workload(1, "a").register()) is None

    world.run_until(at_s(40))
    assert hosts[0].links and hosts[1].links


def test_an_attacker_on_the_line_changes_what_arrives():
    world, hosts = cast(2)
    world.run_until(at_s(1))
    world.carriage.tamper = lambda here, there, message: None
    world.write(hosts[0], Workload(1, "a").register())
    world.run_until(at_s(20))

    assert 1 not in world.witness.seen
