"""A clock that is hours off among peers who agree is told to whoever can set it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from protocols.live.answers import status, sync_state
from protocols.live.clocks import CLOCKS_APART_MS, about
from protocols.live.commands import print_status
from protocols.mesh.effects import Now
from tests.unit.stage import WALL_MS, Device, Stage, agree, camp, patient

DAY_MS = 86_400_000
HOUR_MS = 3_600_000
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


def test_how_far_a_clock_is_off_is_known_after_a_restart_and_by_a_peer_that_is_gone():
    stage, (ann, ben) = met("ann ben", ben=DAY_MS)
    stage.cut(ann, ben)
    with ann.ledger.store.atomic():
        ann.ledger.peers.flush()

    ann.restarted()

    (peer,) = stage.status(ann)["peers"]
    assert peer["clock_ahead_ms"] == pytest.approx(DAY_MS, abs=WAY_MS)
    assert stage.status(ann)["clock"] == "ok", "who is not linked says nothing of our own clock"


@pytest.mark.parametrize(
    ("ms", "said"),
    [
        (11 * 60_000, (11, "min")),
        (119 * 60_000 + 29_000, (119, "min")),
        (3 * HOUR_MS - 40_000, (3, "h")),
        (-47 * HOUR_MS, (47, "h")),
        (3 * DAY_MS, (3, "d")),
        (-56 * 365 * DAY_MS, (56, "y")),
    ],
)
def test_a_difference_is_told_to_the_nearest_unit_that_people_would_name(ms, said):
    assert about(ms) == said


def told(capsys: pytest.CaptureFixture[str], found: dict[str, Any]) -> str:
    around = {"running": True, "locked": False, "disk_free": 0}
    print_status(found | around)
    return capsys.readouterr().out


@pytest.mark.parametrize(
    ("language", "mine", "theirs"),
    [
        (
            "en",
            "clock        about 24 h behind most linked devices: see which is right",
            "clock of     ben: about 24 h ahead of this one when it last linked",
        ),
        (
            "fr",
            "horloge      environ 24 h de retard sur la plupart des appareils reliés",
            "horloge de   ben : environ 24 h d'avance sur celle-ci à son dernier lien",
        ),
    ],
)
def test_status_says_in_words_whose_clock_is_off_and_which_way(
    capsys, monkeypatch, language, mine, theirs
):
    monkeypatch.setenv("FIELDMESH_LANGUAGE", language)
    stage, (ann, _) = met("ann ben", ben=DAY_MS)

    said = told(capsys, stage.status(ann))

    assert mine in said
    assert theirs in said
    assert max(map(len, said.splitlines()[-6:])) <= 80


def test_status_says_nothing_of_clocks_that_are_right(capsys, monkeypatch):
    monkeypatch.setenv("FIELDMESH_LANGUAGE", "en")
    stage, (ann, _) = met("ann ben", ben=CLOCKS_APART_MS)

    assert "clock" not in told(capsys, stage.status(ann))


def test_status_says_of_a_clock_that_cannot_be_right_to_set_it(capsys, monkeypatch):
    monkeypatch.setenv("FIELDMESH_LANGUAGE", "en")
    (ann,) = camp(["ann"])

    assert "clock        cannot be right: set" in told(capsys, status(ann.node, 1_000))
    assert "clock        cannot be right; a person" in told(
        capsys, status(ann.node, WALL_MS, WALL_MS)
    )
