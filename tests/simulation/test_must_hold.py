"""What respected systems got wrong once, each over the real node: nobody stranded, nothing lost."""

from __future__ import annotations

import pytest

from protocols.feeds.equivocation import open_proof
from protocols.ledger.evidence import proof_of_fork
from protocols.ledger.reading import forks
from protocols.ledger.scopekeys import new_key
from protocols.mesh.frames import Data
from protocols.mesh.handing import Handing
from protocols.mesh.node import Node
from protocols.sim.cast import Cast, ledger_of, node_of
from protocols.sim.clock import DRILL_BEGINS_MS, HOUR_US, SECOND_US
from protocols.sim.drill import Drill
from protocols.sim.host import Host
from protocols.sim.machine import Computer
from protocols.sim.report import Result, in_words
from protocols.trust.granting import Wish
from tests.simulation.stage import MINUTE_US, begin

DAY_US = 24 * HOUR_US
YEAR_MS = 365 * 86_400_000
TOLERATED_MS = 12 * 3_600_000


def rotate(drill: Drill, host: Host) -> None:
    """A coordinator gives care a new key."""
    ledger = ledger_of(host)

    def act(now):
        with ledger.atomic():
            new_key(ledger, ledger.authority.care_scope, now.entropy, now.wall_ms)
        return node_of(host).wrote_control(now)

    drill.world.call(host, act)


def wait(drill: Drill, us: int) -> None:
    drill.world.run_until(drill.world.at_us + us)


def write(drill: Drill, *hosts: Host) -> None:
    for host in hosts:
        drill.write(host, drill.workload(host).register())


def two_coordinators() -> tuple[Drill, Cast, Host]:
    """HQ, two tents, and a deputy that may rotate too."""
    drill, cast = begin()
    deputy = cast._device("deputy", None, hq=False)
    cast._admit_by_file(deputy, cast.hq, Wish("coordinator"))
    wait(drill, SECOND_US)
    drill.world.witness.begin()
    drill.world.mesh(drill.world.hosts)
    wait(drill, MINUTE_US)
    return drill, cast, deputy


def rotated_apart() -> Result:
    """One tent sleeps through it; a coordinator lets somebody in whom the other does not know."""
    drill, cast, deputy = two_coordinators()
    world, (hq, sleeper, tent) = drill.world, cast.hosts
    write(drill, hq, sleeper, tent, deputy)
    wait(drill, MINUTE_US)
    world.crash(sleeper)
    world.partition([hq, sleeper], [deputy, tent])
    wait(drill, MINUTE_US)
    newcomer = cast._device("newcomer", None, hq=False)
    world.partition([hq, sleeper], [deputy, tent, newcomer])
    cast._enrol(newcomer, deputy)
    for _ in range(3):
        for host in (hq, deputy):
            rotate(drill, host)
        write(drill, hq, deputy, tent, newcomer)
        wait(drill, MINUTE_US)
    world.mesh(world.hosts)
    return drill.finish(hq)


def test_three_rotations_missed_and_two_coordinators_apart_strand_nobody(monkeypatch):
    result = rotated_apart()
    assert result.ok, in_words(result)

    monkeypatch.setattr(Handing, "_hand_on", lambda self, now: None)

    assert not rotated_apart().checks["nothing_saved_is_lost"].ok


@pytest.mark.parametrize("noticed", [True, False])
def test_a_clone_and_its_original_both_write_and_hq_is_told_with_proof(noticed):
    drill, cast = begin()
    world, (hq, tent, other) = drill.world, cast.hosts
    world.mesh(cast.hosts)
    write(drill, tent)
    wait(drill, MINUTE_US)
    clone = cast.clone(tent, "clone", noticed=noticed)
    world.partition([tent, hq], [clone, other])
    world.mesh(world.hosts)
    for _ in range(4):
        write(drill, tent, clone)
        wait(drill, MINUTE_US)
    result = drill.finish(hq)

    assert result.ok, in_words(result)
    assert not hq.machine.book.judged(), "no document is stuck"
    told = forks(ledger_of(hq))
    assert bool(told) is not noticed
    for feed in told:
        proof = proof_of_fork(ledger_of(hq), feed)
        assert proof is not None
        assert open_proof(proof).genesis.device == tent.machine.device


@pytest.mark.parametrize("noticed", [True, False])
def test_a_week_old_backup_goes_on_writing_and_what_it_wrote_since_comes_back(noticed):
    drill, cast = begin()
    world, (hq, tent, _) = drill.world, cast.hosts
    world.mesh(cast.hosts)
    write(drill, *cast.hosts)
    wait(drill, MINUTE_US)
    kept = cast.backup(tent)
    for _ in range(7):
        wait(drill, DAY_US)
        write(drill, *cast.hosts)
    wait(drill, MINUTE_US)
    world.partition([tent], [hq, cast.hosts[2]])
    cast.restore(tent, kept, noticed=noticed)
    write(drill, tent, hq)
    wait(drill, MINUTE_US)
    world.heal()
    wait(drill, MINUTE_US)
    write(drill, tent)
    result = drill.finish(hq)

    assert result.ok, in_words(result)
    assert result.at_hq == result.written == 3 + 21 + 3
    begun_anew = any(notice.code == "new_epoch" for _, _, notice in world.witness.notices)
    assert begun_anew is not noticed, "a copy that nobody noticed is told by whoever knew the rest"


def test_a_clock_far_ahead_pulls_nobody_along_and_harms_nobody_when_it_is_set_right():
    drill, cast = begin()
    world, (hq, tent, other) = drill.world, cast.hosts
    world.mesh(cast.hosts)
    right_ms = tent.clock.offset_ms
    tent.clock.offset_ms += 20 * YEAR_MS
    for _ in range(3):
        write(drill, *cast.hosts)
        wait(drill, MINUTE_US)
    tent.clock.offset_ms = right_ms
    for _ in range(3):
        write(drill, *cast.hosts)
        wait(drill, MINUTE_US)
    result = drill.finish(hq)

    assert result.ok, in_words(result)
    latest_ms = DRILL_BEGINS_MS + world.at_us // 1_000 + TOLERATED_MS
    for host in (hq, other):
        device = bytes(host.machine.device)
        ((clock,),) = ledger_of(hq).store.all(
            "SELECT max(e.clock) FROM entry e JOIN feed f ON f.no = e.feed WHERE f.device = ?",
            (device,),
        )
        assert clock >> 16 < latest_ms


class Stutterer(Node):
    """Says what carries entries twice, and every second one after the next."""

    def __init__(self, ledger):
        super().__init__(ledger)
        board, said, late = self._board, self._board.send, {}
        self.repeated = self.reordered = 0

        def send(entry, frame):
            if not isinstance(frame, Data) or frame.mark:
                said(entry, frame)
            elif entry.no not in late:
                late[entry.no] = frame
                return
            else:
                said(entry, frame)
                self.reordered += 1
            before = late.pop(entry.no, None)
            for _ in range(2 if before else 0):
                said(entry, before)
                self.repeated += 1

        board.send = send  # type: ignore[method-assign]


def test_a_member_that_repeats_and_reorders_its_frames_changes_nothing():
    nodes = []

    class Software(Computer):
        def make_node(self):
            if self.ledger.authority.secret("name") != b"a":
                return super().make_node()
            nodes.append(Stutterer(self.ledger))
            return nodes[-1]

    drill, cast = begin(Software)
    world, (hq, tent, other) = drill.world, cast.hosts
    world.mesh(cast.hosts)
    for _ in range(3):
        world.partition([hq], [tent], [other])
        wait(drill, 2 * MINUTE_US)
        for host in cast.hosts:
            for line in drill.workload(host).lines(20):
                drill.write(host, line)
        world.heal()
        wait(drill, 2 * MINUTE_US)
    result = drill.finish(hq)

    assert result.ok, in_words(result)
    assert sum(node.repeated for node in nodes) > 5


def test_whoever_replays_or_swaps_messages_on_the_line_costs_only_time():
    drill, cast = begin()
    world, hq = drill.world, cast.hq
    world.mesh(cast.hosts)
    seen: dict[tuple[int, int], list[bytes]] = {}
    turns = iter(range(10**6))

    def tamper(here, there, message):
        told = seen.setdefault((here, there), [])
        told.append(message)
        return told[-2] if next(turns) % 7 == 0 and len(told) > 1 else message

    world.carriage.tamper = tamper
    for _ in range(5):
        write(drill, *cast.hosts)
        wait(drill, MINUTE_US)
    world.carriage.tamper = None
    result = drill.finish(hq)

    assert result.ok, in_words(result)
    assert any(
        notice.values.get("code") == "noise_failed" for _, _, notice in world.witness.notices
    )
