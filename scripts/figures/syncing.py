"""What passes between two processes: cold syncs, small syncs, and an urgent record in between."""

from __future__ import annotations

import math
import threading
import time
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from figures import floor
from figures.books import BEGINS_MS, KEY, Books, opened
from figures.figure import Reading
from figures.processes import Running, Wire, running
from protocols.live.client import LocalClient
from protocols.mesh.effects import Now
from protocols.mesh.node import Node
from protocols.sim.generator import Workload

TRIP_S = 0.2
"""Round trip of a satellite line at its best."""
COUNTING_TRIP_S = 1.5
"""So long that time counts round trips, whatever the machine is doing."""
EDITS = 100
QUIET_S = 0.7
URGENT_SAMPLES = 9


class Bench:
    """What the figures of one run share."""

    def __init__(self, books: Books, patients: int, large: int, repeats: int) -> None:
        self.books = books
        self.patients = patients
        self.large = large
        self.repeats = repeats
        self.cold_s = 0.0
        """Median of the cold sync on loopback, for figures that compare with it."""


def cold_sync(bench: Bench) -> list[Reading]:
    """Sync a blank node, against the bare loop; the two take turns, so that load hits both."""
    with opened(bench.books.source(bench.patients)) as ledger:
        entries, keys = floor.given(ledger)
    synced: list[tuple[float, float]] = []
    floors: list[tuple[float, float]] = []
    for _ in range(bench.repeats):
        began = time.process_time()
        wall = floor.receive(entries, keys, bench.books.scratch(), KEY)
        floors.append((wall, time.process_time() - began))
        synced.append(_sync_once(bench))
    bench.cold_s = median(wall for wall, _ in synced)
    floor_s = median(wall for wall, _ in floors)
    cpu = median(cpu for _, cpu in synced) / median(cpu for _, cpu in floors)
    each_us = 1e6 / len(entries)
    parts = {"sync s": bench.cold_s, "floor s": floor_s, "floor us/entry": floor_s * each_us}
    parts |= {"sync us/entry": bench.cold_s * each_us, "CPU ratio": cpu}
    return [Reading("cold sync", bench.cold_s / floor_s, "x", 2.4, 1.5, parts)]


def _sync_once(bench: Bench) -> tuple[float, float]:
    with running(bench.books.source(bench.patients), bench.books.joined(bench.patients)) as nodes:
        source, joined = nodes
        heads = source.call("held")["heads"]
        before = joined.call("usage")["cpu_s"]
        began = time.perf_counter()
        joined.call("dial", address=source.address)
        after = joined.call("until", heads=heads)["cpu_s"]
        return time.perf_counter() - began, after - before


def far_sync(bench: Bench) -> list[Reading]:
    """The same over a wire of 200 ms that counts every byte of both directions."""
    if not bench.cold_s:
        bench.cold_s = median(_sync_once(bench)[0] for _ in range(bench.repeats))
    with running(bench.books.source(bench.patients), bench.books.joined(bench.patients)) as nodes:
        source, joined = nodes
        heads = source.call("held")["heads"]
        wire = Wire(source.address, one_way_s=TRIP_S / 2)
        began = time.perf_counter()
        joined.call("dial", address=wire.address)
        joined.call("until", heads=heads)
        took = time.perf_counter() - began
        wire.quiet(QUIET_S)
        wire.close()
    parts = {"far s": took, "loopback s": bench.cold_s}
    ways = {"to source B": wire.sent[0] / bench.patients, "back B": wire.sent[1] / bench.patients}
    return [
        Reading("far sync", (took - 1) / bench.cold_s, "x + 1 s", 1.5, 1.1, parts),
        Reading("bytes", sum(wire.sent) / bench.patients, "B/patient", 540, 430, ways),
    ]


def new_edits(bench: Bench) -> list[Reading]:
    """100 new edits on each of two nodes that held the same."""
    one, two = bench.books.synced(bench.patients)
    for number, folder in enumerate((one, two)):
        _edit(folder, f"e{number}", bench.patients)
    sent, trips = _meet(one, two)
    return [
        Reading("new edits, bytes", sent / 1000, "kB", 48, 24),
        Reading("new edits, round trips", trips, "", 4, 2),
    ]


def nothing_new(bench: Bench) -> list[Reading]:
    """Nothing to sync, handshake included, at two sizes."""
    readings = []
    for patients in (bench.patients, bench.large):
        if patients:
            sent, trips = _meet(*bench.books.synced(patients))
            name = f"nothing new at {patients}"
            readings.append(Reading(f"{name}, bytes", sent / 1000, "kB", 3, 1.5))
            readings.append(Reading(f"{name}, round trips", trips, "", 3, 2))
    return readings


def _edit(folder: Path, name: str, patients: int) -> None:
    work, chance, writes = Workload(1, name), Random(name), ("vital", "vital", "identify", "note")
    with opened(folder) as ledger:
        node = Node(ledger)
        for number in range(EDITS):
            tag = f"b{chance.randint(1, patients):06d}"
            wall_ms = BEGINS_MS * 2 + number * 60_000
            made = getattr(work, writes[number % len(writes)])(tag)
            answers, _ = node.record([made], Now(wall_ms, number, chance.randbytes))
            assert answers[0].ok, answers[0]


def _meet(one: Path, two: Path) -> tuple[int, float]:
    """Let two nodes that know each other link; return the bytes and round trips it took.

    The time over a long wire counts the round trips: until both hold all, the WebSocket's own
    upgrade included.
    """
    with opened(one) as ledger:
        device = ledger.authority.device
    with running(one) as (server,):
        wire = Wire(server.address, one_way_s=COUNTING_TRIP_S / 2)
        with opened(two) as ledger, ledger.atomic():
            ledger.store.execute(
                "UPDATE peer SET address = ? WHERE device = ?", (wire.address, device)
            )
        with running(two) as (client,):
            client.call("dial", address=wire.address)
            client.call("linked", count=1)
            server.call("linked", count=1)
            heads = _union(server.call("held")["heads"], client.call("held")["heads"])
            for node in (server, client):
                node.call("until", heads=heads, urgent=True)
            took = time.perf_counter() - wire.first_s
            wire.quiet(COUNTING_TRIP_S + QUIET_S)
            wire.close()
    trips = took / COUNTING_TRIP_S
    return sum(wire.sent), math.floor(trips * 2 + 0.5) / 2


def _union(one: dict[str, int], two: dict[str, int]) -> dict[str, int]:
    return {feed: max(one.get(feed, 0), two.get(feed, 0)) for feed in one | two}


def urgent(bench: Bench) -> list[Reading]:
    """A triage category on its way: behind a cold sync, and over the same link when idle."""
    with running(bench.books.source(bench.patients), bench.books.joined(bench.patients)) as nodes:
        source, joined = nodes
        heads = source.call("held")["heads"]
        joined.call("dial", address=source.address)
        joined.call("linked", count=1)
        busy = _urgent_times(source, joined, bench.patients, "u")
        still = joined.call("held")["entries"] < source.call("held")["entries"]
        joined.call("until", heads=heads)
        time.sleep(QUIET_S)
        idle = _urgent_times(source, joined, bench.patients, "v")
    parts = {"behind ms": median(busy) * 1000, "idle ms": median(idle) * 1000}
    parts["slowest ms"] = max(busy) * 1000
    parts["sync went on to the end"] = float(still)
    return [Reading("urgent", median(busy) / median(idle), "x", 5, 2, parts)]


def _urgent_times(source: Running, joined: Running, patients: int, name: str) -> list[float]:
    work, chance, times = Workload(1, name), Random(name), []
    watch = LocalClient(joined.folder, call_s=60)
    feed, seq = "", 0
    for _ in range(URGENT_SAMPLES + 1):
        line = work.triage(f"b{chance.randint(1, patients):06d}")
        done: list[float] = []
        waiter = threading.Thread(target=_wait, args=(watch, feed, seq + 1, done))
        if feed:
            waiter.start()
            time.sleep(0.02)
        began = time.perf_counter()
        (answer,) = source.call("record", lines=[line])
        if feed:
            waiter.join()
            times.append(done[0] - began)
        feed, seq = answer["feed"], answer["seq"]
        if not times:
            joined.call("until", heads={feed: seq}, urgent=True)
    watch.close()
    return times


def _wait(watch: Any, feed: str, seq: int, done: list[float]) -> None:
    watch.call("until", heads={feed: seq}, urgent=True)
    done.append(time.perf_counter())
