"""The terminal over many patients, and the drill of ten nodes."""

from __future__ import annotations

import json
import subprocess
import sys
import time

from figures.books import ROOT
from figures.figure import Reading
from figures.processes import running
from figures.syncing import Bench
from figures.terminal import Terminal

IDLE_S = 10.0
IN_CARE = 60
"""Patients on the board; the others of the book have left."""


def drill(_: Bench) -> list[Reading]:
    """Ten nodes for a hundred virtual hours."""
    began = time.perf_counter()
    command = [
        sys.executable,
        "-m",
        "protocols.sim.cli",
        "run",
        "ten-nodes",
        "--seed",
        "1",
        "--json",
    ]
    ran = subprocess.run(command, capture_output=True, cwd=ROOT, check=False)
    took = time.perf_counter() - began
    told = json.loads(ran.stdout)
    bad = [name for name, check in told["checks"].items() if not check["ok"]]
    assert not bad, f"checks failed: {bad}"
    parts = {"written": told["written"], "virtual h": told["virtual_s"] / 3600}
    return [Reading("drill", took, "s", 60, 15, parts)]


def _arrival(number: int) -> dict[str, object]:
    patient = {"tag": f"b{number:06d}"}
    data = {"class": "emergency"}
    return {"v": 1, "kind": "encounter.open", "key": f"a{number}", "patient": patient, "data": data}


def terminal(bench: Bench) -> list[Reading]:
    """The ward board of a running node in a real pseudo-terminal."""
    patients = bench.large or bench.patients
    with running(bench.books.source(patients)) as (node,):
        node.call("record", lines=[_arrival(number) for number in range(1, IN_CARE + 1)])
        began = time.perf_counter()
        shown = Terminal(node.folder)
        try:
            usable = shown.wait_for(f"no triage {IN_CARE}".encode()) - began
            resident = shown.resident_mb()
            shown.settle()
            quiet = shown.idle_bytes(IDLE_S)
        finally:
            shown.close()
    return [
        Reading("terminal, usable", usable, "s", 0.9, 0.6),
        Reading("terminal, resident", resident, "MB", 60, 50),
        Reading("terminal, idle", quiet, "B", 0, 0),
    ]
