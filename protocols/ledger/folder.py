"""The data folder of one node: made once, opened under its passphrase, never shared."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from protocols.errors import InputError, SetupError
from protocols.ledger import token
from protocols.ledger.book import Ledger
from protocols.ledger.founding import new_epoch
from protocols.ledger.keyfile import make_key, read_key
from protocols.ledger.store import DATABASE_NAME, Store, open_file, settle_new_file

FOLDER_MODE = 0o700

Entropy = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Machine:
    """The hardware this runs on."""

    serial: str
    """What names it; '' when the system does not say."""


def create_folder(
    folder: Path, passphrase: str, entropy: Entropy, *, unattended: bool = False
) -> Store:
    """Make a data folder with an empty, durable book and return it open.

    Raises:
        SetupError: `book_exists`, `folder_not_empty`.
    """
    if (folder / DATABASE_NAME).exists():
        raise SetupError("book_exists")
    if folder.exists() and any(folder.iterdir()):
        raise SetupError("folder_not_empty")
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    folder.chmod(FOLDER_MODE)
    key = make_key(folder, passphrase, entropy, unattended=unattended)
    store = open_file(folder, key, create=True)
    settle_new_file(store)
    return store


def open_ledger(
    folder: Path, passphrase: str | None, entropy: Entropy, machine: Machine, wall_ms: int
) -> Ledger:
    """Open the book of a folder; begin a new epoch at once when it was restored or copied.

    Raises:
        SetupError: `no_book`, `key_readable`, `no_key_file`.
        InputError: `wrong_passphrase`, `no_passphrase`.
        LedgerError: `in_use`, `damaged`, `disk_full`.
    """
    if not (folder / DATABASE_NAME).exists():
        raise SetupError("no_book")
    store = open_file(folder, read_key(folder, passphrase))
    try:
        if token.moved(store, folder, machine.serial):
            new_epoch(store, entropy(8))
        token.renew(store, folder, machine.serial, entropy)
        return Ledger(store)
    except BaseException:
        store.close()
        raise


def fits(folder: Path, passphrase: str) -> bool:
    """Whether this is the passphrase of the folder; takes as long as opening it."""
    try:
        read_key(folder, passphrase)
    except InputError:
        return False
    return True
