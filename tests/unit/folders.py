"""Data folders for tests: real ones, whose key costs next to nothing to unlock."""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from functools import cache
from multiprocessing.synchronize import Event
from pathlib import Path

from protocols.ledger import token
from protocols.ledger.book import Ledger
from protocols.ledger.folder import Machine, make_folder, open_folder, open_ledger
from protocols.ledger.founding import found_book
from protocols.ledger.keyfile import KEY_NAME
from protocols.ledger.recording import Recorder
from protocols.ledger.store import Store
from protocols.trust.identity import WRAP_ENTROPY_BYTES, wrap

WALL_MS = 1_790_000_000_000
PASSPHRASE = "correct horse"
HERE = Machine("board 1")
CANARY = "Zzyxwvanary"
"""A name that stands nowhere in clear but where a test looks for it."""


def founded(store: Store) -> Ledger:
    """Found a book that always has the same name."""
    return found_book(
        store,
        name="Tent",
        org="Test",
        jurisdiction="XX",
        hq=False,
        entropy=os.urandom,
        wall_ms=WALL_MS,
    )


def made(folder: Path, *, unattended: bool = False) -> Path:
    """Give a node's folder of its own, at home where it is, whose key costs little to unlock."""
    shutil.copytree(_pattern(unattended), folder)
    store, _ = open_folder(folder, PASSPHRASE, HERE)
    token.renew(store, folder, HERE.serial, os.urandom)
    store.close()
    return folder


@cache
def _pattern(unattended: bool) -> Path:
    """A folder as `init` makes it, made once: locking a key takes long."""
    place = Path(tempfile.mkdtemp())
    atexit.register(shutil.rmtree, place, ignore_errors=True)
    folder, keys = place / "node", []

    def found(store: Store) -> Ledger:
        keys.append(store.key)
        return founded(store)

    make_folder(folder, PASSPHRASE, os.urandom, lambda _: HERE, found, unattended=unattended)
    cheap_key(folder, keys[0])
    return folder


def cheap_key(folder: Path, key: bytes, passphrase: str = PASSPHRASE) -> None:
    """Lock a key at the least cost that opening it takes."""
    entropy = os.urandom(WRAP_ENTROPY_BYTES)
    (folder / KEY_NAME).write_bytes(wrap(key, passphrase, entropy, ops=1, mem=8192))


def opened(folder: Path, machine: Machine = HERE, passphrase: str | None = PASSPHRASE) -> Ledger:
    """Open a folder as a node does."""
    return open_ledger(folder, passphrase, os.urandom, machine)


def patient(number: int, name: str = "Amina") -> dict[str, object]:
    """A line that registers a patient."""
    return {
        "v": 1,
        "kind": "patient.register",
        "key": f"test-{number}",
        "data": {"family_name": f"{name}{number}"},
    }


def record(ledger: Ledger, *numbers: int, name: str = "Amina") -> None:
    """Write patients, each durable on return."""
    lines = [patient(number, name) for number in numbers]
    answers, *_ = Recorder(ledger).record(lines, WALL_MS, os.urandom)
    assert all(answer.ok for answer in answers), answers


def start_again_and_again(folder: Path, ready: Event) -> None:
    """Open and close a folder until killed."""
    ready.set()
    while True:
        opened(folder).close()


def epoch_of(folder: Path, machine: Machine = HERE) -> bytes:
    """Open a folder and say in which epoch it goes on."""
    ledger = opened(folder, machine)
    try:
        return bytes(ledger.authority.epoch)
    finally:
        ledger.close()


def hashes(ledger: Ledger) -> list[bytes]:
    """Every entry in the order it came."""
    return [row[0] for row in ledger.store.all("SELECT hash FROM entry ORDER BY arrival")]


def names(folder: Path) -> list[str]:
    """What lies in a folder."""
    return sorted(path.name for path in folder.iterdir())
