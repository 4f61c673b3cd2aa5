"""The figures of a drill, for people and for machines."""

from __future__ import annotations

import json
from typing import Any

from protocols.sim.report import Finding, Result, Spread, in_words


def result(**changes) -> Result:
    never = Spread.of_us([])
    whole: dict[str, Any] = {
        "scenario": "three-tents",
        "seed": 1,
        "nodes": 4,
        "virtual_s": 3600.0,
        "written": 10,
        "at_hq": 10,
        "lost": 0,
        "duplicated": 0,
        "converged": True,
        "converged_s": 1.5,
        "urgent_to_hq_s": Spread.of_us([1_000_000]),
        "urgent_to_nodes_s": never,
        "routine_to_hq_s": never,
        "wire_bytes": 1000,
        "messages": 10,
        "checks": {"all_agree": Finding(True, "4 devices")},
        "trace_hash": "00",
    }
    return Result(**(whole | changes))


def test_a_spread_names_the_middle_the_slow_and_the_slowest():
    spread = Spread.of_us([second * 1_000_000 for second in range(100, 0, -1)])

    assert (spread.p50, spread.p95, spread.max) == (51.0, 96.0, 100.0)
    assert Spread.of_us([]).p50 is None


def test_one_failed_check_fails_the_drill():
    assert result().ok
    assert not result(checks={"a": Finding(True, ""), "b": Finding(False, "")}).ok


def test_machines_read_stable_keys():
    told = json.loads(json.dumps(result().as_dict()))

    assert set(told) >= {
        "scenario", "seed", "nodes", "virtual_s", "written", "at_hq", "lost", "duplicated",
        "converged", "converged_s", "urgent_to_hq_s", "urgent_to_nodes_s", "routine_to_hq_s",
        "wire_bytes", "checks", "trace_hash",
    }  # fmt: skip
    assert set(told["urgent_to_hq_s"]) == {"p50", "p95", "max"}
    assert told["checks"]["all_agree"] == {"ok": True, "detail": "4 devices"}


def test_people_see_what_failed_and_the_trace():
    told = in_words(result(checks={"all_agree": Finding(False, "rows differ")}))

    assert "FAIL all_agree: rows differ" in told
    assert "trace 00" in told
