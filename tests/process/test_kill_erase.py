"""kill -9 at any moment of an erase: at the next start all of it goes on, and nothing else goes."""

from __future__ import annotations

import multiprocessing
import shutil
from pathlib import Path
from random import Random
from typing import Any

import pytest

from protocols.ledger.book import Ledger
from protocols.ledger.founding import found_book
from protocols.ledger.inspection import check
from protocols.ledger.place import DATABASE_NAME
from protocols.ledger.store import open_file
from tests.unit.stage import WALL_MS, Device, Stage, admit, fill
from tests.unit.test_erase import coordinator, order
from tests.unit.test_erase_disk import KEY, pages

KILLS = 12
PATIENTS = 200


@pytest.fixture(scope="module")
def ordered(tmp_path_factory) -> Path:
    """A book on disk in which a coordinator is about to erase every second patient."""
    folder = tmp_path_factory.mktemp("book")
    store = open_file(folder, KEY, create=True)
    found_book(
        store, name="ann", org="Test", jurisdiction="XX", hq=False,
        entropy=Random(1).randbytes, wall_ms=WALL_MS,
    )  # fmt: skip
    ann, ben = Device("ann", store, 1), Device.found("ben")
    admit(ann, ben)
    coordinator(ann, ben)
    answers = fill(ann, PATIENTS)
    records = [order(ann, ben, answer.id or "") for answer in answers[::2]]
    with ann.ledger.atomic():
        for record in records:
            ann.ledger.writer.control(record, WALL_MS)
    store.checkpoint()
    store.close()
    return folder


def carry_out(folder: str, started: Any) -> None:
    """Open the book and erase, wipe and confirm until killed."""
    store = open_file(Path(folder), KEY)
    started.set()
    ann, stage = Device("ann", store, 1), Stage()
    stage.carry(ann, ann.node.start(stage.now(ann)))
    stage.run(10_000)
    store.close()


@pytest.mark.parametrize("seed", range(KILLS))
def test_killed_at_any_moment_the_erase_is_whole_after_the_next_start(
    ordered: Path, tmp_path, seed
):
    folder = tmp_path / "book"
    shutil.copytree(ordered, folder)
    context = multiprocessing.get_context("forkserver")
    started = context.Event()
    process = context.Process(target=carry_out, args=(str(folder), started))
    process.start()
    assert started.wait(60)
    process.join(seed * 0.03)
    process.kill()
    process.join()

    store = open_file(folder, KEY)
    ann, stage = Device("ann", store, 2), Stage()
    stage.carry(ann, ann.node.start(stage.now(ann)))
    stage.run(70_000)
    ledger: Ledger = ann.ledger
    names = [name for (name,) in store.all("SELECT name FROM patient")]
    assert len(names) == PATIENTS // 2
    assert all(
        ledger.authority.erasures.confirmed(one) for one in ledger.authority.erasures.erases()
    )
    assert check(store).ok
    store.close()
    kept = pages(folder / DATABASE_NAME)
    gone = [number for number in range(100, PATIENTS, 2) if b"Patient %d" % number in kept]
    assert gone == [] and b"Patient 101" in kept
