"""What the bench makes of a figure that misses, one that breaks, and one nobody asked for."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from scripts.figures.figure import Figure, Reading, as_json, exit_code, line, measured
from scripts.figures.held import held
from scripts.figures.stalls import Stalls, disk_waited_ms


def reading(value: float) -> Reading:
    return Reading("x", value, "x", must=3, goal=2)


def broken(_: object) -> list[Reading]:
    raise RuntimeError("no disk to measure on")


@pytest.mark.parametrize(("value", "code"), [(1, 0), (2.5, 0), (3, 0), (3.1, 1)])
def test_a_figure_fails_the_bench_only_past_what_it_must_reach(value, code):
    assert exit_code([reading(1), reading(value)]) == code


def test_a_figure_that_breaks_is_missed_with_its_reason_and_hides_no_other():
    figures = [Figure("fine", lambda _: [reading(1)]), Figure("broken", broken)]

    found = [each for figure in figures for each in measured(figure, None)]

    assert exit_code(found) == 1
    row = "| broken | - | | | MISSED | not measured: RuntimeError: no disk to measure on |"
    assert line(found[1]) == row
    told = as_json(found, {})["figures"]
    assert told[1]["verdict"] == "MISSED"
    assert told[1]["unmeasured"] == "RuntimeError: no disk to measure on"
    assert told[0]["verdict"] == "goal"


def test_a_bench_that_was_asked_for_nothing_misses_nothing():
    assert exit_code([]) == 0


def test_a_scan_is_beside_a_stall_that_it_overlaps_and_no_other():
    stalls = Stalls()
    stalls.found = [(1.0, 1.1), (3.0, 3.05)]

    at = [(0.5, 0.9), (0.9, 1.05), (1.05, 1.2), (1.2, 2.9), (2.0, 4.0)]

    assert [stalls.between(*each) for each in at] == [False, True, True, False, True]
    assert round(stalls.longest_ms) == 100


def locked_kb() -> int:
    told = Path("/proc/self/status").read_text(encoding="ascii")
    return int(told.split("VmLck:")[1].split()[0])


def test_a_file_is_held_in_memory_until_what_is_measured_on_it_is_over(tmp_path):
    path = tmp_path / "book"
    path.write_bytes(bytes(1 << 20))
    before = locked_kb()

    with held(path) as locked:
        # A system that locks nothing for us says so, and so does the figure.
        assert (locked, locked_kb() - before) in {(1 << 20, 1024), (0, 0)}
    assert locked_kb() == before


def test_what_waits_for_the_disk_is_counted_up(tmp_path):
    before = disk_waited_ms()
    for at in range(20):
        with (tmp_path / str(at)).open("wb") as file:
            file.write(bytes(1 << 16))
            os.fsync(file.fileno())
    # A kernel that does not count says 0 both times.
    assert disk_waited_ms() > before or before == 0
