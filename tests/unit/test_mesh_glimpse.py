"""What a busy node does with urgent records in messages that still wait for their turn."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random
from typing import Any

import pytest

from protocols.feeds.lane import Lane
from protocols.feeds.run import Run
from protocols.live.turns import Job, Turns
from tests.unit.stage import (
    Device,
    Stage,
    agree,
    camp,
    fill,
    linked,
    note,
    patient,
    triage,
)

URGENT = (
    "SELECT count(*) FROM feed f JOIN entry e ON e.feed = f.no WHERE f.lane = 1 AND f.device = ?"
)


class Busy:
    """Keeps what comes to one device waiting, in the queue that stands in front of a node."""

    def __init__(self, stage: Stage, device: Device) -> None:
        self.stage, self.device = stage, device
        self.turns = Turns(Job(lambda _node, _now: ()))
        self.on = True
        carry_on = stage._arrive

        def arrive(device: Device, link: int, message: bytes) -> None:
            if device is self.device and self.on:
                self.turns.messages.append(self._job(link, message))
            else:
                carry_on(device, link, message)

        stage._arrive = arrive  # type: ignore[method-assign]

    def _job(self, link: int, message: bytes) -> Job:
        return Job(lambda node, now: node.received(link, message, now), link, message)

    @property
    def waiting(self) -> int:
        return len(self.turns.messages)

    def glimpse(self) -> None:
        """Let the node look at all that waits and was not looked at, link by link."""
        node, now = self.device.node, self.stage.now(self.device)
        for link, messages in self.turns.unseen(node.may_glimpse).items():
            if node.may_glimpse(link):
                self.stage.carry(self.device, node.glimpse(link, messages, now))

    def serve(self, count: int) -> None:
        """Give the next messages their turn."""
        for _ in range(count):
            job = self.turns.next(due=False)
            if job is not None:
                now = self.stage.now(self.device)
                self.stage.carry(self.device, job.run(self.device.node, now))

    def end(self) -> None:
        self.serve(self.waiting)
        self.on = False


def urgent_of(device: Device, author: Device) -> int:
    row = device.store.one(URGENT, (bytes(author.id),))
    assert row is not None
    return int(row[0])


def behind_a_sync(*names: str) -> tuple[Stage, list[Device], Busy]:
    """The first sends the second a long sync, and then something urgent, while it is busy.

    Any others are linked with the second alone.
    """
    stage, devices = linked(*names)
    ann, ben = devices[:2]
    for other in devices[1:]:
        stage.cut(ann, other)
    for other in devices[2:]:
        stage.link(ben, other)
    stage.run(3_000)
    people = fill(ann, 300)
    stage.link(ann, ben)
    stage.run(200, until=lambda: bool(ben.node.linked) and ben.ledger.chain.last_arrival > 20)
    busy = Busy(stage, ben)
    stage.write(ann, triage(people[0].code or ""))
    stage.run(50)
    assert busy.waiting > 1
    return stage, devices, busy


def test_it_is_stored_and_shown_before_the_messages_that_came_first():
    stage, (ann, ben), busy = behind_a_sync("ann", "ben")
    before, held = urgent_of(ben, ann), ben.ledger.chain.last_arrival

    busy.glimpse()

    assert urgent_of(ben, ann) == before + 1
    assert ben.ledger.chain.last_arrival == held + 1
    assert ben.store.one("SELECT count(*) FROM triage") == (1,)
    busy.end()
    stage.run(30_000)
    assert ann.entries == ben.entries
    assert agree(ann, ben)
    assert not ann.hangups and not ben.hangups


def test_it_is_passed_on_once_and_at_once():
    stage, (ann, ben, eve), busy = behind_a_sync("ann", "ben", "eve")
    offered: list[Lane] = []
    take = eve.ledger.take

    def counting(runs: Sequence[Run], wall_ms: int) -> Any:
        taken = take(runs, wall_ms)
        lanes = [eve.ledger.chain.feeds[run.feed].genesis.lane for run in runs]
        offered.extend(lane for lane in lanes if lane == Lane.URGENT)
        return taken

    eve.ledger.take = counting  # type: ignore[method-assign]
    busy.glimpse()
    stage.run(20)

    assert urgent_of(eve, ann) == 1
    busy.end()
    stage.run(60_000)
    assert offered == [Lane.URGENT]
    assert ann.entries == ben.entries == eve.entries


@pytest.mark.parametrize(
    "seed", [*range(6), *(pytest.param(each, marks=pytest.mark.slow) for each in range(6, 25))]
)
def test_whenever_it_looks_ahead_the_same_comes_of_it(seed: int):
    chance = Random(seed)
    stage, devices = linked("ann", "ben", "eve", one_way_ms=3)
    ann, ben, eve = devices
    people = [each.code or "" for each in fill(ann, 40)]
    busy = Busy(stage, ben)
    for number in range(60):
        match chance.randrange(8):
            case 0 | 1:
                stage.write(chance.choice((ann, eve)), triage(chance.choice(people[:3])))
            case 2:
                fill(ann, chance.randrange(1, 60), start=1_000 * (number + 1))
                stage.write(ann, note(chance.choice(people)))
            case 3:
                stage.write(ben, patient(f"Bed {number}"))
            case 4 | 5:
                busy.glimpse()
            case 6:
                busy.serve(chance.randrange(12))
            case 7 if chance.random() < 0.3:
                stage.cut(ann, ben)
                stage.link(ann, ben)
        stage.run(chance.randrange(40))
    busy.end()
    stage.cut(ann, ben)
    stage.link(ann, ben)
    stage.run(60_000)

    assert ann.entries == ben.entries == eve.entries
    assert agree(*devices)
    assert not [device.hangups for device in devices if device.hangups]


def test_a_message_nobody_can_open_costs_its_link_and_no_other():
    stage, (ann, ben, eve), busy = behind_a_sync("ann", "ben", "eve")
    link = next(link for link, (there, _) in ben.links.items() if there is ann)
    stage._arrive(ben, link, b"\0" * 40)

    busy.glimpse()
    stage.run(10)
    busy.end()
    stage.run(5_000)

    assert list(ben.hangups) == [link]
    assert ben.node.linked == [eve.id]
    stage.link(ann, ben)
    stage.run(30_000)
    assert ann.entries == ben.entries


def test_what_it_found_is_not_lost_with_the_link():
    stage, (ann, ben), busy = behind_a_sync("ann", "ben")
    before = urgent_of(ben, ann)
    busy.glimpse()
    stage.cut(ann, ben)
    busy.end()

    assert urgent_of(ben, ann) == before + 1
    stage.link(ann, ben)
    stage.run(30_000)
    assert ann.entries == ben.entries


def test_entries_of_its_own_are_left_for_their_turn_where_a_copy_is_noticed():
    stage, devices = Stage(), camp(("ann", "ben"))
    ann, ben = devices
    stage.link(ann, ben)
    stage.run(3_000)
    whom = stage.write(ben, patient("Late"))[0].code or ""
    stage.run(100)
    older = ben.copy("older")
    stage.write(ben, triage(whom))
    stage.run(3_000)
    stage.cut(ann, ben)
    stage.link(ann, older)
    busy = Busy(stage, older)
    stage.run(100)
    while busy.waiting:
        busy.glimpse()
        busy.serve(1)
        stage.run(100)
    busy.on = False
    stage.run(3_000)

    assert "new_epoch" in [notice.code for notice in older.notices]
