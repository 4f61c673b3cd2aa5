"""What one node does by itself: relaying, saving, resting, starting, and the room it takes."""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import time
from random import Random
from statistics import median

from figures import floor
from figures.books import BEGINS_MS, KEY, ROOT, lines, opened
from figures.figure import Reading
from figures.processes import Running, running
from figures.syncing import Bench
from protocols.feeds.run import decode_run
from protocols.ledger.book import Ledger
from protocols.live.service import COLLECT_AFTER
from protocols.mesh.effects import Now
from protocols.mesh.frames import DATA_BYTES
from protocols.mesh.node import Node
from protocols.sim.generator import Workload

COMMANDS = 400
IDLE_S = 20.0
STARTS = 5


def relay(bench: Bench) -> list[Reading]:
    """Entries that cannot be opened here, checked and stored, against a bare loop of the same."""
    with opened(bench.books.source(bench.patients)) as ledger:
        frames = _frames(ledger)
        entries, _ = floor.given(ledger)
    took, bare = [], []
    for number in range(bench.repeats):
        folder = bench.books.stranger(number)
        with opened(folder) as ledger:
            took.append(_carry(ledger, frames))
        bare.append(floor.store(entries, bench.books.scratch(), KEY))
    each = {"relay us/entry": median(took) / len(entries) * 1e6}
    each["floor us/entry"] = median(bare) / len(entries) * 1e6
    return [Reading("relay", median(took) / median(bare), "x", 3, 1.5, each)]


def _frames(ledger: Ledger) -> list[bytes]:
    """Return every data feed as the runs that would cross the wire, feed by feed."""
    chain, frames = ledger.chain, []
    for feed, tip in chain.heads():
        after = 0
        while feed.genesis.lane and after < tip.seq:
            found = chain.run_after(feed, tip, after, DATA_BYTES)
            assert found is not None
            frames.append(found[0])
            after = found[1]
    return frames


def _carry(ledger: Ledger, frames: list[bytes]) -> float:
    began = time.perf_counter()
    for frame in frames:
        run, _ = decode_run(frame, 0, ledger.chain.genesis_of, ledger.chain.prev_of)
        ledger.take([run], BEGINS_MS)
        while ledger.behind:
            ledger.catch_up()
    return time.perf_counter() - began


def command(bench: Bench) -> list[Reading]:
    """From a command to its durable answer, against one bare durable row; they take turns.

    Rows, and what a node sets off by them, follow behind the answer: with them it is told beside.
    It is written in a tent, whose book holds what everybody wrote. The collector of cycles and the
    log of the book are set as in a running node, which makes room in the log when the answer has
    left.
    """
    gc.freeze()
    gc.set_threshold(COLLECT_AFTER)
    work, chance = Workload(2, "c"), Random(2)
    tags = [f"b{number:06d}" for number in range(1, bench.patients + 1)]
    db = floor.bare_table(bench.books.scratch(), KEY)
    took, rows, bare = [], [], []
    _, tent = bench.books.synced(bench.patients)
    with opened(tent) as ledger:
        ledger.store.stay_open()
        node = Node(ledger)
        for number in range(COMMANDS):
            line = work.register() if number % 6 == 0 else work.care(chance.choice(tags))
            now = Now(BEGINS_MS * 2 + number * 30_000, number, os.urandom)
            began = time.perf_counter()
            answers, _ = node.record([line], now, rows_later=True)
            took.append(time.perf_counter() - began)
            node.catch_up_left(now)
            rows.append(time.perf_counter() - began)
            assert answers[0].ok, answers[0]
            ledger.store.make_room()
            bare.append(floor.bare_row(db, number))
    parts = {"command ms": median(took) * 1000, "bare row ms": median(bare) * 1000}
    parts["with its rows ms"] = median(rows) * 1000
    parts["with its rows x"] = median(rows) / median(bare)
    parts["95 % of commands ms"] = sorted(took)[int(COMMANDS * 0.95)] * 1000
    return [Reading("command", median(took) / median(bare), "x", 5, 2.5, parts)]


def disk(bench: Bench) -> list[Reading]:
    """Bytes on disk a patient, against the JSON of the same history."""
    _, two = bench.books.synced(bench.patients)
    held = (two / "ledger.db").stat().st_size / bench.patients
    told = sum(len(json.dumps(line)) + 1 for _, line in lines(bench.patients)) / bench.patients
    return [Reading("disk", held / told, "x", 5, 2.5, {"B/patient": held, "JSON B": told})]


def memory(bench: Bench) -> list[Reading]:
    """Resident memory with many patients, against an empty book in the same program."""
    full = bench.books.source(bench.large)
    with running(full, bench.books.stranger(0)) as (many, none):
        time.sleep(2)
        held, empty = (node.call("usage")["resident_mb"] for node in (many, none))
    return [Reading("memory", held / empty, "x", 2, 1.3, {"MB": held, "empty MB": empty})]


def start(bench: Bench) -> list[Reading]:
    """From the shell to a node that answers, against the imports alone."""
    folder, took, bare = bench.books.source(bench.large), [], []
    for _ in range(STARTS):
        began = time.perf_counter()
        node = Running(folder)
        took.append(time.perf_counter() - began)
        node.stop()
        bare.append(_imports())
    parts = {"start s": median(took), "imports s": median(bare)}
    return [Reading("start", median(took) / median(bare), "x", 2, 1.3, parts)]


def _imports() -> float:
    environment = {**os.environ, "PYTHONPATH": f"{ROOT / 'scripts'}{os.pathsep}{ROOT}"}
    began = time.perf_counter()
    subprocess.run([sys.executable, "-c", "import figures.node"], env=environment, check=True)
    return time.perf_counter() - began


def idle(bench: Bench) -> list[Reading]:
    """CPU of a node with one idle peer."""
    one, two = bench.books.synced(bench.patients)
    with running(one, two) as (server, client):
        client.call("dial", address=server.address)
        client.call("linked", count=1)
        time.sleep(3)
        before = client.call("usage")["cpu_s"]
        time.sleep(IDLE_S)
        spent = client.call("usage")["cpu_s"] - before
    return [Reading("idle", spent / IDLE_S * 1000, "ms CPU/s", 2, 0.5)]
