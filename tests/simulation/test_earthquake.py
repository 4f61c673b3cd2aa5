"""Day one after an earthquake, small, and with the second look at urgent records taken out."""

from __future__ import annotations

import pytest

from protocols.feeds.lane import Lane
from protocols.mesh import passing
from protocols.sim import checkers
from protocols.sim.clock import SECOND_US
from protocols.sim.paths import Paths
from protocols.sim.scenarios import earthquake_day_one
from tests.simulation.paper import Stage, paper_of

CASUALTIES = 24
MOST_US = 5 * SECOND_US


def test_a_red_is_everywhere_in_time_and_no_two_patients_have_one_code() -> None:
    result = earthquake_day_one.run(3, casualties=CASUALTIES)

    assert result.ok, {name: each for name, each in result.checks.items() if not each.ok}
    assert result.urgent_to_nodes_s.max is not None
    assert result.urgent_to_nodes_s.max <= 5
    assert result.lost == result.duplicated == 0


@pytest.mark.slow
def test_without_a_second_look_a_dead_line_to_its_author_holds_a_red_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(passing, "URGENT_REACH", 0)

    result = earthquake_day_one.run(1)

    assert not result.checks["reds_are_everywhere_in_time"].ok
    assert [name for name, each in result.checks.items() if not each.ok] == [
        "reds_are_everywhere_in_time"
    ]


def seconds(stage: Stage, at_s: float) -> None:
    stage.world.run_until(int(at_s * SECOND_US))


def watched(stage: Stage) -> Paths:
    return Paths(stage.world, lambda saved: True, until_us=100 * SECOND_US)


def test_the_clock_of_a_record_starts_when_there_is_a_way_over_any_devices() -> None:
    stage = Stage()
    author, between, far = stage.hosts
    paths = watched(stage)
    stage.world.cut(author, far)
    stage.world.cut(between, far)
    name = stage.writes(1, 0, 1, lane=Lane.URGENT)
    stage.puts(1, 1, name, lane=Lane.URGENT)
    seconds(stage, 40)
    stage.world.mend(between, far)
    seconds(stage, 43)
    stage.puts(43, 2, name, lane=Lane.URGENT)
    seconds(stage, 50)

    assert max(paths.spans_us) == pytest.approx(3 * SECOND_US, abs=SECOND_US / 2)
    assert paths.finding(MOST_US).ok
    assert not paths.finding(2 * SECOND_US).ok


def test_a_record_that_never_comes_is_found_while_there_is_a_way() -> None:
    stage = Stage()
    paths = watched(stage)
    name = stage.writes(1, 0, 1, lane=Lane.URGENT)
    stage.puts(1, 1, name, lane=Lane.URGENT)
    seconds(stage, 30)

    found = paths.finding(MOST_US)

    assert not found.ok
    assert "n0 to n2" in found.detail


def test_a_way_that_is_cut_again_starts_the_clock_anew() -> None:
    stage = Stage(count=2)
    author, far = stage.hosts
    paths = watched(stage)
    stage.writes(1, 0, 1, lane=Lane.URGENT)
    for turn in range(5):
        seconds(stage, 4 + 8 * turn)
        stage.world.cut(author, far)
        seconds(stage, 8 + 8 * turn)
        stage.world.mend(author, far)
    seconds(stage, 41)
    stage.puts(41, 1, stage.entry(0, 1), lane=Lane.URGENT)
    seconds(stage, 45)

    assert paths.finding(MOST_US).ok, paths.finding(MOST_US).detail


def test_nothing_to_judge_is_no_proof() -> None:
    stage = Stage()
    paths = watched(stage)
    seconds(stage, 10)

    assert not paths.finding(MOST_US).ok


def test_two_patients_with_one_code_are_found() -> None:
    stage = Stage()
    for number, host in enumerate(stage.hosts):
        paper_of(host).wristbands = {bytes([number]) * 16: f"code-{number}"}
    assert checkers.codes_are_single(stage.world).ok

    paper_of(stage.hosts[1]).wristbands = {b"x" * 16: "code-0"}
    assert not checkers.codes_are_single(stage.world).ok

    paper_of(stage.hosts[1]).wristbands = {bytes(16): "code-9"}
    assert not checkers.codes_are_single(stage.world).ok, "one patient, two codes"
