"""The `drill` command: names, figures, exit status, and one trace for one seed."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import pytest
from click.testing import CliRunner

from protocols.sim import cli
from protocols.sim.clock import SECOND_US
from protocols.sim.report import Finding
from protocols.sim.scenarios import SCENARIOS, three_tents
from protocols.sim.world import World
from tests.simulation.test_report import result


def run(*words: str) -> tuple[int, str]:
    answer = CliRunner().invoke(cli.main, words)
    return answer.exit_code, answer.output


def test_the_list_names_every_drill():
    assert json.loads(run("list", "--json")[1]) == list(SCENARIOS)
    assert run("list")[1].split() == list(SCENARIOS)
    assert "three-tents" in SCENARIOS


def test_the_seed_reaches_the_drill_and_the_result_comes_out_as_json(monkeypatch):
    monkeypatch.setitem(SCENARIOS, "three-tents", lambda seed: result(seed=seed))

    status, said = run("run", "three-tents", "--seed", "7", "--json")

    assert status == 0
    assert json.loads(said)["seed"] == 7


def test_a_failed_check_ends_with_status_one_and_people_are_told_which(monkeypatch):
    failed = result(checks={"all_agree": Finding(False, "rows differ")})
    monkeypatch.setitem(SCENARIOS, "three-tents", lambda seed: failed)

    status, said = run("run", "three-tents")

    assert status == 1
    assert "FAIL all_agree: rows differ" in said


def test_an_unknown_drill_is_a_usage_error():
    assert run("run", "no-such-drill")[0] == 2


TWICE = """
import sys
from protocols.sim.report import in_words
from tests.simulation.test_weather import storm
result = storm(int(sys.argv[1]), hours=1)
assert result.ok, in_words(result)
print(result.trace_hash, result.written, result.wire_bytes)
"""


def traces(command: list[str]) -> set[str]:
    """Run the same command under two hash seeds; return what it said."""
    said = []
    for hash_seed in ("1", "4242"):
        env = {**os.environ, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": os.getcwd()}
        done = subprocess.run(command, env=env, capture_output=True, text=True, check=True)
        said.append(done.stdout)
    return set(said)


def test_one_seed_leaves_one_trace_whatever_the_hash_seed():
    assert len(traces([sys.executable, "-c", TWICE, "3"])) == 1


def test_the_day_of_the_three_tents_is_green():
    result = three_tents.run(1)

    assert result.ok, {name: each for name, each in result.checks.items() if not each.ok}


@pytest.mark.slow
def test_three_tents_leave_one_trace_whatever_the_hash_seed():
    command = ["run", "three-tents", "--seed", "1", "--json"]
    (said,) = traces([sys.executable, "-m", "protocols.sim.cli", *command])

    told = json.loads(said)
    assert told["lost"] == told["duplicated"] == 0
    assert told["converged"]
    assert all(check["ok"] for check in told["checks"].values())


def test_a_long_drill_says_on_standard_error_how_far_it_is(capsys):
    seconds = iter([0.0, 1.0, 3.5, 3.5, 5.0, 9.0, 9.0])
    tell = cli.teller(lambda: next(seconds))

    for hours in (1, 2, 3, 4):
        tell(hours)

    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.splitlines() == ["4 s: hour 2 of the drill", "9 s: hour 4 of the drill"]


def test_each_hour_that_passes_is_told_once(monkeypatch):
    told: list[int] = []
    monkeypatch.setattr(World, "watcher", staticmethod(told.append))
    world = World(1)
    for minutes in (10, 30, 61, 62, 200):
        world.at(minutes * 60 * SECOND_US, lambda: None)

    world.run_until(300 * 60 * SECOND_US)

    assert told == [1, 3]
