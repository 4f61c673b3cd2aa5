"""What runs in a process of its own, to be killed: a book on a real file that writes or syncs.

Each function is the body of a process. What it has been promised durable it says over `told`, a
pipe, or in the file `acked` beside the book; whoever killed it then looks at what is there.
"""

from __future__ import annotations

import json
import os
import resource
import time
from collections.abc import Callable
from itertools import islice
from multiprocessing.connection import Connection
from pathlib import Path
from random import Random
from typing import Any

from protocols.feeds.run import decode_run
from protocols.ledger.book import Ledger
from protocols.ledger.founding import found_book
from protocols.ledger.recording import Recorder
from protocols.ledger.store import Store, open_file, settle_new_file
from protocols.mesh.effects import Hangup, Now, Transmit, WakeAt
from protocols.mesh.node import Node
from protocols.sim.generator import Workload

KEY = bytes(range(32))
WALL_MS = 1_790_000_000_000
ACKED = "acked"


def found(folder: Path, name: str = "ann") -> None:
    """Make a book and close it."""
    folder.mkdir(mode=0o700, exist_ok=True)
    store = open_file(folder, KEY, create=True)
    found_book(
        store,
        name=name,
        org="Test",
        jurisdiction="XX",
        hq=False,
        entropy=Random(name).randbytes,
        wall_ms=WALL_MS,
    )
    settle_new_file(store)
    store.close()


def write(folder: Path, told: Connection | None, seed: int, count: int) -> None:
    """Record lines one by one and in batches, saying each key once it was answered."""
    store = open_file(folder, KEY)
    store.stay_open()
    ledger = Ledger(store)
    recorder, chance = Recorder(ledger), Random(seed)
    say = _teller(folder, told)
    lines = Workload(seed, f"w{seed}").lines(count)
    while batch := list(islice(lines, chance.choice((1, 1, 5, 60)))):
        answers, _, _ = recorder.record(batch, WALL_MS, chance.randbytes, rows_later=True)
        say(*[answer.key for answer in answers if answer.ok])
        ledger.catch_up_left()
        recorder.restate(chance.randbytes)
        _tidy(ledger, chance)


def take(folder: Path, told: Connection | None, runs: Path, _count: int = 0) -> None:
    """Store a peer's runs one after another, saying how many were acknowledged."""
    store = open_file(folder, KEY)
    store.stay_open()
    ledger = Ledger(store)
    say = _teller(folder, told)
    raw = runs.read_bytes()
    chance, at, number = Random(len(raw)), 0, 0
    while at < len(raw):
        run, at = decode_run(raw, at, ledger.chain.genesis_of, ledger.chain.prev_of)
        ledger.take([run], WALL_MS)
        number += 1
        say(str(number))
        if chance.random() < 0.5:
            ledger.catch_up(merge=chance.random() < 0.7)
        _tidy(ledger, chance)
    ledger.catch_up_all()
    store.close()


def _tidy(ledger: Ledger, chance: Random) -> None:
    """Do what a node does after each job; now and then what it does idle, or what cuts the log."""
    ledger.store.make_room()
    match chance.randrange(20):
        case 0:
            ledger.store.checkpoint()
        case 1 | 2:
            ledger.write_down()
            ledger.store.rest(1)


def mesh(folder: Path, told: Connection) -> None:
    """Be a node whose one link is the pipe; it waits to be dialled."""
    node = Node(Ledger(open_file(folder, KEY)))

    def carry(effects: list[Any]) -> int | None:
        wake: int | None = None
        for effect in effects:
            match effect:
                case Transmit(_, message):
                    told.send_bytes(message)
                case WakeAt(mono_ms):
                    wake = mono_ms
                case Hangup(_, code):
                    raise SystemExit(code)
        return wake

    carry(node.start(now()))
    wake = carry(node.opened(1, now(), dialled=False, address="pipe"))
    while True:
        if told.poll(0.002):
            wake = carry(node.received(1, told.recv_bytes(), now()))
        elif wake is not None and wake <= now().mono_ms:
            wake = carry(node.tick(now()))


def now() -> Now:
    """This instant, as the driver of a real node sees it."""
    mono_ms = time.monotonic_ns() // 1_000_000
    return Now(WALL_MS + mono_ms, mono_ms, os.urandom)


def run_out(folder: Path, told: Connection, limit_bytes: int | None = None) -> None:
    """Write until the disk is full, say what that was like, and go on when there is room.

    Args:
        limit_bytes: Lower this process's own limit of a file's size instead of waiting to be
            told that the disk has shrunk.
    """
    store = open_file(folder, KEY)
    ledger = Ledger(store)
    recorder, chance = Recorder(ledger), Random(1)
    lines = Workload(1).lines(100_000)

    def record(count: int) -> list[Any]:
        return recorder.record(list(islice(lines, count)), WALL_MS, chance.randbytes)[0]

    before = [answer.key for answer in record(20) if answer.ok]
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    if limit_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (limit_bytes, hard))
    else:
        told.send("shrink")
        told.recv()
    errors = []
    while len(errors) < 5:
        answers = record(10)
        before += [answer.key for answer in answers if answer.ok]
        errors += [answer.error for answer in answers[:1] if not answer.ok]
    digest = ledger.digest(ledger.authority.care_scope)
    readable = store.one("SELECT count(*) FROM patient")
    store.connection.execute("PRAGMA quick_check").fetchall()
    if limit_bytes is not None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    else:
        told.send("grow")
        told.recv()
    after = [answer.key for answer in record(20) if answer.ok]
    ledger.write_down()
    again = Ledger(store)
    told.send((errors, before, after, answered(store), readable, digest, again.behind))
    store.close()


def scribble(path: Path) -> None:
    """Write, sync and write again."""
    with path.open("wb", buffering=0) as kept:
        kept.write(b"one")
        os.fsync(kept.fileno())
        kept.write(b"two")


def _teller(folder: Path, told: Connection | None) -> Callable[..., None]:
    if told is not None:
        return lambda *words: told.send(words)
    handle = os.open(folder / ACKED, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    return lambda *words: _append(handle, words)


def _append(handle: int, words: tuple[str, ...]) -> None:
    os.write(handle, "".join(f"{word}\n" for word in words).encode())


def answered(store: Store) -> set[str]:
    """Keys of the lines that a book has answered."""
    return {json.loads(row[0])["key"] for row in store.all("SELECT answer FROM answered")}
