"""The books that figures are measured on: built once, cached by what decides their bytes.

10,000 patients, each a registration of 25 fields and five later edits by five other devices. The
source stands for an HQ that holds all of it; a *joined* book has just enrolled and holds nothing.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from hashlib import blake2b
from pathlib import Path
from random import Random
from typing import Any

from protocols.ids import Epoch
from protocols.ledger.admitting import admit, join, request_to_join
from protocols.ledger.book import Ledger
from protocols.ledger.founding import found_book
from protocols.ledger.recording import Recorder
from protocols.ledger.store import Store, open_file, settle_new_file
from protocols.mesh.effects import Now, Transmit
from protocols.mesh.node import Node
from protocols.sim.generator import Workload
from protocols.trust.enrolment import sign_request
from protocols.trust.granting import Wish
from protocols.trust.identity import DeviceKeys

SEED = 1
DEVICES = 6
EDITS = 5
BEGINS_MS = 1_767_225_600_000
"""2026-01-01T00:00Z."""
PAUSE_S = 40.0
"""Mean time between two writes of the whole operation."""
WARD_PATIENTS = 200
"""Patients in care at one time: edits follow a registration by days, not by months."""
BATCH_LINES = 1024
KEY = bytes(range(32))
ROOT = Path(__file__).resolve().parents[2]
_DECIDES = (
    "protocols/feeds/*.py",
    "protocols/feeds/*.bin",
    "protocols/records/*.py",
    "protocols/trust/*.py",
    "protocols/ledger/schema.py",
    "protocols/sim/generator.py",
    "protocols/sim/names.py",
    "scripts/figures/books.py",
)


class Books:
    """The cache, and scratch copies of what is in it."""

    def __init__(self, cache: Path | None = None) -> None:
        self._cache = cache or Path(tempfile.gettempdir()) / f"fieldmesh-bench-{os.getuid()}"
        self._scratch = Path(tempfile.mkdtemp(prefix="fieldmesh-figures-"))
        self._copies = 0

    def close(self) -> None:
        """Remove the scratch copies; the cache stays."""
        shutil.rmtree(self._scratch, ignore_errors=True)

    def scratch(self) -> Path:
        """Return a new empty folder that goes with `close`."""
        self._copies += 1
        folder = self._scratch / str(self._copies)
        folder.mkdir()
        return folder

    def source(self, patients: int) -> Path:
        """Return a copy of the book that holds everything."""
        return self._copy(f"{patients}/source", patients)

    def joined(self, patients: int) -> Path:
        """Return a copy of a book that the source has admitted and that holds nothing yet."""
        return self._copy(f"{patients}/joined", patients)

    def synced(self, patients: int) -> tuple[Path, Path]:
        """Return copies of the source and of a book that holds the same and knows it."""
        made = self._made(patients)
        if not (made / "pair").exists():
            _build(made / "pair", lambda folder: self._sync(patients, folder))
        return self._copy(f"{patients}/pair/one", 0), self._copy(f"{patients}/pair/two", 0)

    def stranger(self, number: int) -> Path:
        """Return an empty book of somebody else's operation."""
        folder = self.scratch() / "stranger"
        ledger = found(folder, "Stranger", Random(f"stranger {number}"), hq=False)
        ledger.close()
        return folder

    def made(self, name: str, build: Callable[[Path], None]) -> Path:
        """Return a copy of a book that `build` writes into a folder the first time."""
        if not self._made_path(name).exists():
            _build(self._made_path(name), lambda folder: build(folder / "book"))
        return self._copy(f"{name}/book", 0)

    def _copy(self, name: str, patients: int) -> Path:
        if patients:
            self._made(patients)
        folder = self.scratch()
        shutil.copy(self._made_path(name) / "ledger.db", folder)
        # A book of years lies on the disk long since. Left to the system, hundreds of megabytes
        # would be written out beside the saves that are measured.
        os.sync()
        return folder

    def _made(self, patients: int) -> Path:
        folder = self._made_path(str(patients))
        if not folder.exists():
            _build(folder, lambda building: _found_operation(building, patients))
        return folder

    def _made_path(self, name: str) -> Path:
        return self._cache / _fingerprint() / name

    def _sync(self, patients: int, folder: Path) -> None:
        for name, made in (("one", self.source(patients)), ("two", self.joined(patients))):
            shutil.copytree(made, folder / name)
        with opened(folder / "one") as one, opened(folder / "two") as two:
            link(Node(one), Node(two))
            for ledger in (one, two):
                settle_new_file(ledger.store)


@contextmanager
def opened(folder: Path) -> Iterator[Ledger]:
    """Open the book of a folder in this process."""
    store = open_file(folder, KEY)
    try:
        yield Ledger(store)
    finally:
        store.close()


def link(one: Node, two: Node) -> int:
    """Let two nodes talk in memory until neither has more to say; return the bytes that passed."""
    nodes, queue, passed = (one, two), [], 0
    mono, chance = 1_000, Random(SEED)

    def now() -> Now:
        return Now(BEGINS_MS + mono, mono, chance.randbytes)

    def carry(side: int, effects: list[Any]) -> None:
        queue.extend((1 - side, e.message) for e in effects if isinstance(e, Transmit))

    carry(0, one.opened(1, now(), dialled=False))
    carry(1, two.opened(1, now(), dialled=True, address="bench:1"))
    while queue or one.ledger.behind or two.ledger.behind or mono < 5_000:
        waiting, queue = queue, []
        mono += 1 if waiting else 400
        for side, message in waiting:
            passed += len(message)
            carry(side, nodes[side].received(1, message, now()))
        for side, node in enumerate(nodes):
            carry(side, node.tick(now()))
    one.stop()
    two.stop()
    return passed


def lines(patients: int, *, name: str = "b") -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield (device, line) of the whole workload in the order it was written."""
    work = Workload(SEED, name)
    for start in range(0, patients, WARD_PATIENTS):
        some = min(WARD_PATIENTS, patients - start)
        yield from work.histories(some, edits=EDITS, devices=DEVICES)


def _found_operation(folder: Path, patients: int) -> None:
    chance = Random(SEED)
    ledger = found(folder / "source", "Head office", chance, hq=True)
    home = (ledger.authority.keys, ledger.authority.epoch)
    devices = [admit_writer(ledger, number, chance) for number in range(DEVICES)]
    _write_all(ledger, devices, patients, chance)
    ledger.authority.keys, ledger.authority.epoch = home
    joined = found(folder / "joined", "Tent seven", chance, hq=False)
    request = request_to_join(joined, b"", chance.randbytes)
    join(joined, admit(ledger, request, chance.randbytes, BEGINS_MS, wish=Wish()), BEGINS_MS)
    for each in (ledger, joined):
        settle_new_file(each.store)
        each.close()


def found(folder: Path, name: str, chance: Random, *, hq: bool) -> Ledger:
    """Return a new book of a folder."""
    folder.mkdir(parents=True)
    store: Store = open_file(folder, KEY, create=True)
    return found_book(
        store,
        name=name,
        org="Bench",
        jurisdiction="XX",
        hq=hq,
        entropy=chance.randbytes,
        wall_ms=BEGINS_MS,
    )


def admit_writer(ledger: Ledger, number: int, chance: Random) -> tuple[DeviceKeys, Epoch]:
    """Admit a device whose whole life is written into this one book: sync is not measured here."""
    keys = DeviceKeys.from_entropy(chance.randbytes(64))
    epoch = Epoch(chance.randbytes(8))
    request = sign_request(
        keys, b"", epochs=(), scopes=(), name=f"Tent {number + 1}", next_epoch=epoch
    )
    admit(ledger, request, chance.randbytes, BEGINS_MS, wish=Wish())
    return keys, epoch


def _write_all(
    ledger: Ledger, devices: list[tuple[DeviceKeys, Epoch]], patients: int, chance: Random
) -> None:
    recorder, wall_ms, authority = Recorder(ledger), float(BEGINS_MS), ledger.authority
    work, done = lines(patients), False
    while not done:
        with ledger.atomic():
            for _ in range(BATCH_LINES):
                device, line = next(work, (0, None))
                if line is None:
                    done = True
                    break
                authority.keys, authority.epoch = devices[device]
                wall_ms += chance.expovariate(1 / PAUSE_S) * 1000
                answers, *_ = recorder.record([line], int(wall_ms), chance.randbytes)
                assert answers[0].ok, answers[0]


def _build(folder: Path, build: Callable[[Path], None]) -> None:
    """Build beside and move into place: an interrupted build leaves nothing that looks whole."""
    building = folder.with_name(f"{folder.name}-{os.getpid()}")
    shutil.rmtree(building, ignore_errors=True)
    building.mkdir(parents=True)
    build(building)
    if folder.exists():
        shutil.rmtree(building)
    else:
        building.rename(folder)


@cache
def _fingerprint() -> str:
    """Of the sources as they were when this run began."""
    digest = blake2b(digest_size=8)
    for pattern in _DECIDES:
        for path in sorted(ROOT.glob(pattern)):
            digest.update(path.read_bytes())
    return digest.hexdigest()
