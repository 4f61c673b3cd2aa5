"""From a key to the screen: over a form, a list of everybody in care, a search and a new record.

A real `fieldnode open` in a real pseudo-terminal on a real node. A key is painted when the last
byte of what it changed has come out. The floor is the same pseudo-terminal with a program on its
other side that only answers each key with one row of text.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from figures.books import BATCH_LINES, BEGINS_MS, Books, found
from figures.figure import Reading
from figures.processes import Running, running
from figures.syncing import Bench
from figures.terminal import Echo, Screen, Terminal
from figures.worlds import IN_CARE
from protocols.ledger.recording import Recorder
from protocols.ledger.store import settle_new_file
from protocols.sim.generator import Workload

KEYS = 200
"""Keys struck for one percentile."""
UNSEEN_MAX = 5
"""After so many keys in a row that drew nothing, none of the others will."""
ARRIVALS = 40
WORDS = ("diallo", "haddad", "okoro", "moussa", "ndiaye")
IDLE_S = 10.0
SETTLES_S = 0.12
"""A screen that sends nothing for this long after a key has painted it."""
SOON_S = 3.0
"""Longest wait for what a node is told to show."""
CATEGORIES = ("red", "yellow", "green", "expectant")
TAG = "k"
FIRST = f"{TAG}000001"
"""Who is triaged again and again."""


def crowd(books: Books, patients: int, in_care: int) -> Path:
    """Return a copy of a book with so many patients, of whom so many are in care."""
    name = f"crowd-{patients}-{in_care}"
    return books.made(name, lambda folder: _found_crowd(folder, patients, in_care))


def _found_crowd(folder: Path, patients: int, in_care: int) -> None:
    chance = Random(patients)
    ledger = found(folder, "Camp", chance, hq=False)
    recorder, work = Recorder(ledger), Workload(3, TAG)
    for start in range(0, patients, BATCH_LINES):
        with ledger.atomic():
            for number in range(start, min(start + BATCH_LINES, patients)):
                wall_ms = BEGINS_MS + number * 1_000
                (who, *_), *_ = recorder.record([work.register()], wall_ms, chance.randbytes)
                assert who.ok, who
                if number >= in_care:
                    continue
                (care, *_), *_ = recorder.record(
                    [_triage(f"t{number}", chance.choice(CATEGORIES), patient=who.patient)],
                    wall_ms,
                    chance.randbytes,
                )
                assert care.ok, care
    settle_new_file(ledger.store)
    ledger.close()


def _triage(key: str, category: str, **whom: Any) -> dict[str, Any]:
    data = {"category": category}
    return {"v": 1, "kind": "triage.record", "key": key, "data": data, **whom}


def terminal_list(bench: Bench) -> list[Reading]:
    """Keys over a list of everybody, and a terminal that nobody touches."""
    patients = bench.large or bench.patients
    bare = _floor()
    with _shown(bench, patients, patients) as (_, shown):
        listed = _listed(shown)
        quiet, wakes = shown.idle_bytes(IDLE_S), shown.wakes_a_second(IDLE_S)
    return [
        Reading("key to paint, list", _p95(listed), "ms", 20, 10, _parts(listed, bare)),
        Reading("terminal, idle over a list", quiet, "B", 0, 0),
        Reading("terminal, wake-ups", wakes, "/s", 11, 10.5),
    ]


def terminal_keys(bench: Bench) -> list[Reading]:
    """Keys of a form, a search and a new record, in a book of many with a ward of some in care."""
    bare = _floor()
    with _shown(bench, bench.large or bench.patients, IN_CARE) as (node, shown):
        formed, typed = _formed(shown)
        searched = _searched(node)
        arrived = _arrived(node, shown)
    parts = {"most B": float(max(typed))}
    return [
        Reading("key to paint, form", _p95(formed), "ms", 10, 5, _parts(formed, bare)),
        Reading("bytes a typed key", median(typed), "B", 150, 60, parts),
        Reading("search as you type", _p95(searched), "ms", 50, 20, _parts(searched)),
        Reading("board after a record", _p95(arrived), "ms", 100, 50, _parts(arrived, bare)),
    ]


@contextmanager
def _shown(bench: Bench, patients: int, in_care: int) -> Iterator[tuple[Running, Screen]]:
    with running(crowd(bench.books, patients, in_care)) as (node,):
        shown = Terminal(node.folder)
        try:
            shown.wait_for(b"EXPECTANT")
            shown.settle()
            yield node, shown
        finally:
            shown.close()


def _floor() -> float:
    echo = Echo()
    try:
        echo.settle()
        return _p95([echo.paint(b"a", SETTLES_S)[0] * 1000 for _ in range(KEYS // 4)])
    finally:
        echo.close()


def _listed(shown: Screen) -> list[float]:
    """Go down the list at the pace of a hand; further pages come from the node meanwhile."""
    took: list[float] = []
    for _ in range(KEYS):
        seconds, sent = shown.paint(b"\x1b[B", SETTLES_S)
        took.append(seconds * 1000)
        if not sent and took[-UNSEEN_MAX:].count(took[-1]) == UNSEEN_MAX:
            took += [took[-1]] * (KEYS - len(took))
            break
    return took


def _formed(shown: Screen) -> tuple[list[float], list[int]]:
    """Type into a registration that is given up again; nothing is saved."""
    shown.strike(b"n")
    shown.settle()
    took, sent = [], []
    for number in range(KEYS):
        if number % 40 == 39:
            shown.strike(b"\x7f" * 39)
            shown.settle()
        seconds, size = shown.paint(b"abcdefghij"[number % 10 : number % 10 + 1], SETTLES_S)
        took.append(seconds * 1000)
        sent.append(size)
    shown.strike(b"\x1b")
    shown.settle()
    return took, sent


def _searched(node: Running) -> list[float]:
    """Ask as a terminal does with each letter more, over its socket."""
    took = []
    for word in WORDS:
        for end in range(1, len(word) + 1):
            began = time.perf_counter()
            node.call("search", text=word[:end], limit=50)
            took.append((time.perf_counter() - began) * 1000)
    return took


def _arrived(node: Running, shown: Screen) -> list[float]:
    """From the answer that a record is durable to the last byte of the board that shows it."""
    took = []
    for number in range(ARRIVALS):
        line = _triage(f"arrival {number}", CATEGORIES[number % 4], patient={"tag": FIRST})
        (answer,) = node.call("record", lines=[line])
        assert answer["ok"], answer
        took.append(shown.drawn(SOON_S, 2 * SETTLES_S) * 1000)
    return took


def _p95(values: list[float]) -> float:
    return sorted(values)[math.ceil(0.95 * len(values)) - 1]


def _parts(values: list[float], bare: float = 0.0) -> dict[str, float]:
    floor = {"bare echo ms": bare} if bare else {}
    return {"median ms": median(values), **floor}
