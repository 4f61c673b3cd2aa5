"""A clock that is hours off among peers who agree is told to whoever can set it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from protocols.live.answers import status, sync_state
from protocols.live.clocks import CLOCKS_APART_MS
from protocols.mesh.effects import Now
from tests.unit.stage import WALL_MS, Device, Stage, agree, camp, patient

DAY_MS = 86_400_000
WAY_MS = 5
"""A greeting is under way for less."""


@dataclass
class Wrong(Stage):
    """A stage on which some clocks are ahead or behind."""

    ahead_ms: dict[str, int] = field(default_factory=dict)

    def now(self, device: Device) -> Now:
        ahead = self.ahead_ms.get(device.name, 0)
        return Now(WALL_MS + self.at_ms + ahead, self.at_ms, device.chance.randbytes)

    def status(self, device: Device) -> dict[str, Any]:
        return status(device.node, self.now(device).wall_ms)


def met(names: str, **ahead_ms: int) -> tuple[Wrong, list[Device]]:
    stage, devices = Wrong(ahead_ms=ahead_ms), camp(names.split())
    for at, each in enumerate(devices):
        for other in devices[:at]:
            stage.link(each, other)
    stage.run(2_000)
    return stage, devices


def test_of_two_alone_both_are_told_for_nobody_knows_whose_is_wrong():
    stage, (ann, ben) = met("ann ben", ben=DAY_MS)

    here, there = (sync_state(each.node, stage.now(each).wall_ms) for each in (ann, ben))

    assert here.clock == there.clock == stage.status(ann)["clock"] == "differs"
    assert here.apart_ms == pytest.approx(DAY_MS, abs=WAY_MS)
    assert there.apart_ms == pytest.approx(-DAY_MS, abs=WAY_MS)
    (peer,) = stage.status(ann)["peers"]
    assert peer["clock_ahead_ms"] == here.apart_ms


def test_one_wrong_clock_among_several_makes_nobody_doubt_theirs_but_its_own():
    stage, devices = met("ann ben eve", eve=-DAY_MS)

    assert [stage.status(each)["clock"] for each in devices] == ["ok", "ok", "differs"]


def test_what_is_written_by_a_clock_that_differs_is_taken_all_the_same():
    stage, (ann, ben) = met("ann ben", ben=DAY_MS)

    (answer,) = stage.write(ben, patient("Amina"))
    stage.run(2_000)

    assert answer.ok
    assert agree(ann, ben)


def test_clocks_at_the_limit_are_called_right_and_a_link_that_ended_says_nothing():
    stage, (ann, _) = met("ann ben", ben=CLOCKS_APART_MS)
    assert stage.status(ann)["clock"] == "ok"
    stage, (ann, ben) = met("ann ben", ben=CLOCKS_APART_MS + 2 * WAY_MS)
    assert stage.status(ann)["clock"] == "differs"

    stage.cut(ann, ben)

    assert stage.status(ann)["clock"] == "ok"
