"""Power cuts and full disks under the real encrypted database: saved means saved.

A process writes on a file system that remembers the order of everything (`fuse_disk`); each cut
is then a moment of that order, and what a disk would have kept of it is opened again.
"""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest

from protocols.feeds.run import Gap, decode_run
from protocols.ledger.book import Ledger
from protocols.ledger.store import open_file
from tests.process import fuse_disk, ledger_child
from tests.process.fuse_disk import Cut, FuseDisk, Op, surviving_image
from tests.process.ledger_child import ACKED, KEY, answered, found
from tests.unit.forge import Author, device_keys, opening, saying

CUTS = 30
CUTS_SLOW = 500

needs_fuse = pytest.mark.skipif(
    fuse_disk.available() is not None, reason=f"power cuts: {fuse_disk.available()}"
)


@pytest.fixture(scope="module")
def processes() -> Any:
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.process.ledger_child"])
    return context


@pytest.fixture
def disk(processes: Any, tmp_path: Path) -> Iterator[FuseDisk]:
    mount = tmp_path / "mount"
    mount.mkdir()
    with FuseDisk(mount, processes) as made:
        yield made


def ran(processes: Any, body: Callable[..., None], *arguments: Any) -> None:
    process = processes.Process(target=body, args=arguments, daemon=True)
    process.start()
    process.join(60)
    if process.exitcode is None:
        process.kill()
    assert process.exitcode == 0


def acked_by(log: list[Op], upto: int) -> list[str]:
    """What the process had said was durable when the power failed."""
    node = next((op.node for op in log if op.what == "make" and op.name == ACKED), None)
    said = b"".join(op.bytes for op in log[:upto] if op.node == node and op.what == "write")
    return said.decode().split()


def settled_at(log: list[Op]) -> int:
    """When the founded book was closed: the process that uses it begins."""
    return next(at for at, op in enumerate(log) if op.what == "make" and op.name == ACKED)


def cuts(log: list[Op], count: int, seed: int) -> Iterator[tuple[int, Cut, Random]]:
    """Moments, most of them near a sync, where a careless order of writes would show."""
    chance = Random(seed)
    syncs = [at for at, op in enumerate(log) if op.what == "sync" and at > settled_at(log)]
    for number in range(count):
        at = chance.randint(settled_at(log), len(log))
        if number % 2:
            at = min(max(chance.choice(syncs) + chance.randint(-2, 3), settled_at(log)), len(log))
        yield at, list(Cut)[number % 4], chance


def survived(log: list[Op], cut: Cut, chance: Random, folder: Path) -> Ledger:
    """Open what is left after a cut, and see that it is whole."""
    shutil.rmtree(folder, ignore_errors=True)
    surviving_image(log, cut, chance, folder)
    store = open_file(folder, KEY)
    assert store.one("PRAGMA quick_check") == ("ok",)
    ledger = Ledger(store)
    ledger.catch_up_all()
    assert not store.all("SELECT feed FROM entry GROUP BY feed HAVING count(*) <> max(seq)")
    return ledger


def cut_while_writing(processes: Any, disk: FuseDisk, folder: Path, count: int) -> int:
    ran(processes, found, disk.mount)
    ran(processes, ledger_child.write, disk.mount, None, count, 120)
    log = list(disk.log)
    promised = 0
    for at, cut, chance in cuts(log, count, count):
        ledger = survived(log[:at], cut, chance, folder)
        said = acked_by(log, at)
        assert set(said) <= answered(ledger.store), (at, cut)
        promised += len(said)
        if chance.random() < 0.2:
            before = ledger.digest(ledger.authority.care_scope)
            ledger.rebuild_rows()
            assert ledger.digest(ledger.authority.care_scope) == before
        ledger.close()
    return promised


def far_runs(ledger: Ledger, folder: Path) -> Path:
    """A peer's feed as it comes over a link: 40 runs of a few entries each."""
    authority = ledger.authority
    key_id, key = authority.write_key(authority.care_scope)
    ledger.close()
    author = Author(device_keys("far"), authority.care_scope, key_id, key)
    chance, runs, first = Random(7), [], 1
    start = author.write([opening(), saying("start")])
    for _ in range(40):
        for number in range(chance.randint(1, 30)):
            deps = [start] if chance.random() < 0.6 else []
            author.write([saying(f"n{number}")] if deps else [opening(), saying("new")], deps)
        last = len(author.chains[next(iter(author.chains))])
        runs.append(author.encoded(first=first, last=last, every=32))
        first = last + 1
    path = folder / "runs"
    path.write_bytes(b"".join(runs))
    return path


def cut_while_taking(processes: Any, disk: FuseDisk, folder: Path, count: int) -> None:
    ran(processes, found, disk.mount)
    runs = far_runs(survived(disk.log, Cut.NONE, Random(0), folder), folder.parent)
    ran(processes, ledger_child.take, disk.mount, None, runs)
    log = list(disk.log)
    whole = survived(log, Cut.NONE, Random(0), folder)
    care = whole.authority.care_scope
    expected = whole.digest(care)
    whole.close()
    for at, cut, chance in cuts(log, count, count):
        ledger = survived(log[:at], cut, chance, folder)
        said = acked_by(log, at)
        assert _reached(runs, ledger) >= int(said[-1] if said else 0), (at, cut)
        ledger.close()
        if chance.random() < 0.85:
            continue
        # Sync resumes: the same runs again, those held already cost nothing.
        acked = folder / ACKED
        acked.unlink(missing_ok=True)
        ledger_child.take(folder, None, runs)
        assert acked.read_text().split()[-1] == "40"
        ledger = Ledger(open_file(folder, KEY))
        assert ledger.digest(care) == expected
        ledger.close()


def _reached(runs: Path, ledger: Ledger) -> int:
    """How many whole runs a book holds."""
    held = {row[0] for row in ledger.store.all("SELECT hash FROM entry")}
    raw, at, number = runs.read_bytes(), 0, 0
    try:
        while at < len(raw):
            run, at = decode_run(raw, at, ledger.chain.genesis_of, ledger.chain.prev_of)
            if not {line.hash for line in run.lines} <= held:
                break
            number += 1
    except Gap:
        pass
    return number


@needs_fuse
def test_nothing_answered_is_lost_by_a_power_cut(processes: Any, disk: FuseDisk, tmp_path: Path):
    assert cut_while_writing(processes, disk, tmp_path / "left", CUTS) > CUTS


@needs_fuse
def test_nothing_acknowledged_to_a_peer_is_lost_by_a_power_cut(
    processes: Any, disk: FuseDisk, tmp_path: Path
):
    cut_while_taking(processes, disk, tmp_path / "left", CUTS)


@needs_fuse
@pytest.mark.slow
def test_nothing_is_lost_in_hundreds_of_power_cuts(processes: Any, tmp_path: Path):
    for number, campaign in enumerate((cut_while_writing, cut_while_taking)):
        mount = tmp_path / f"mount{number}"
        mount.mkdir()
        with FuseDisk(mount, processes) as disk:
            campaign(processes, disk, tmp_path / "left", CUTS_SLOW)


def told_of_full_disk(ours: Any, code: str) -> None:
    errors, before, after, held, readable, digest, behind = ours.recv()
    assert errors == [code] * 5
    # Lines about patients whose registration was refused are refused too.
    assert len(before) >= 20 and len(after) > 5
    assert set(before) | set(after) == held
    assert readable[0] > 0
    assert digest.rows is not None
    assert behind == 0


@needs_fuse
def test_a_full_disk_is_named_reads_go_on_and_writes_come_back_with_room(
    processes: Any, disk: FuseDisk
):
    ran(processes, found, disk.mount)
    ours, theirs = processes.Pipe()
    process = processes.Process(target=ledger_child.run_out, args=(disk.mount, theirs), daemon=True)
    process.start()
    assert ours.poll(30) and ours.recv() == "shrink"
    disk.room(300_000)
    ours.send("shrunk")
    assert ours.poll(60) and ours.recv() == "grow"
    disk.room(None)
    ours.send("grown")
    assert ours.poll(60)
    told_of_full_disk(ours, "disk_full")
    process.join(30)
    assert process.exitcode == 0


def test_a_file_that_may_not_grow_fails_the_line_and_nothing_else(processes: Any, tmp_path: Path):
    folder = tmp_path / "ann"
    found(folder)
    ours, theirs = processes.Pipe()
    process = processes.Process(
        target=ledger_child.run_out, args=(folder, theirs, 600_000), daemon=True
    )
    process.start()
    assert ours.poll(60)
    told_of_full_disk(ours, "disk_failed")
    process.join(30)
    assert process.exitcode == 0


@needs_fuse
def test_the_shim_itself_loses_what_was_never_synced(
    processes: Any, disk: FuseDisk, tmp_path: Path
):
    ran(processes, ledger_child.scribble, disk.mount / "kept")

    surviving_image(disk.log, Cut.NONE, Random(0), tmp_path / "left")

    assert (tmp_path / "left" / "kept").read_bytes() == b"one"
