"""The data folder of one node: made once, opened under its passphrase, never shared."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from protocols.errors import InputError, LedgerError, SetupError
from protocols.ids import DeviceId
from protocols.ledger import keyfile, token
from protocols.ledger.book import Ledger
from protocols.ledger.founding import new_epoch
from protocols.ledger.place import DATABASE_NAME, ORDERS_NAME, UNATTENDED_NAME, holds_book
from protocols.ledger.safefile import disk_trouble, sync_folder
from protocols.ledger.store import (
    LOCK_NAME,
    Store,
    open_file,
    settle_new_file,
    take_lock,
)
from protocols.trust.certificates import Rank

FOLDER_MODE = 0o700
MAKING_NAME = ".making"
"""Where a folder's files are made; they move up when all are whole, the database last."""

Entropy = Callable[[int], bytes]


@dataclass(frozen=True, slots=True)
class Machine:
    """The hardware this runs on."""

    serial: str
    """What names it; '' when the system does not say."""


@dataclass(frozen=True, slots=True)
class Opening:
    """What opening a folder found."""

    moved: str
    """Why a new epoch must begin: 'restored' or 'copied'; '' when the book is where it was."""


def make_folder(
    folder: Path,
    passphrase: str,
    entropy: Entropy,
    machine: Callable[[Path], Machine],
    found: Callable[[Store], Ledger],
    *,
    unattended: bool = False,
) -> DeviceId:
    """Make a data folder with a founded book, whole or not at all; return its device.

    Args:
        machine: Names the hardware and the disk under a folder.
        found: Founds a book in an empty store.

    Raises:
        SetupError: `book_exists`, `folder_not_empty`, `place_closed`.
        LedgerError: `in_use`, `disk_full`, `disk_failed`.
    """
    with building(folder) as place:
        store = create_folder(place, passphrase, entropy, unattended=unattended)
        try:
            device = found(store).authority.device
            token.renew(store, place, machine(place).serial, entropy)
            settle_new_file(store)
        finally:
            store.close()
    return device


def create_folder(
    folder: Path, passphrase: str, entropy: Entropy, *, unattended: bool = False
) -> Store:
    """Make a data folder with an empty, durable book and return it open.

    Raises:
        SetupError: `book_exists`, `folder_not_empty`, `place_closed`.
        LedgerError: `disk_full`, `disk_failed`.
    """
    with disk_trouble():
        _refuse_taken(folder)
        _own(folder)
        key = keyfile.make_key(folder, passphrase, entropy, unattended=unattended)
        store = open_file(folder, key, create=True)
        settle_new_file(store)
    return store


@contextmanager
def building(folder: Path) -> Iterator[Path]:
    """Give a private place to make a data folder in; what is whole at the end becomes the folder.

    When the block fails, nothing is left; after a power cut the next attempt clears up.

    Raises:
        SetupError: `book_exists`, `folder_not_empty`, `place_closed`.
        LedgerError: `in_use`, `disk_full`, `disk_failed`.
    """
    with disk_trouble():
        _refuse_taken(folder)
        new = not folder.exists()
        _own(folder)
        lock = take_lock(folder)
        making = folder / MAKING_NAME
        try:
            _clear(folder, making)
            making.mkdir(mode=FOLDER_MODE)
            yield making
            _move_up(making, folder)
        except BaseException:
            _clear(folder, making)
            (folder / LOCK_NAME).unlink(missing_ok=True)
            if new:
                folder.rmdir()
            raise
        finally:
            os.close(lock)


def open_ledger(
    folder: Path,
    passphrase: str | None,
    entropy: Entropy,
    machine: Machine,
    moved: Callable[[str], None] | None = None,
) -> Ledger:
    """Open the book of a folder; begin a new epoch at once when it was restored or copied.

    Args:
        passphrase: None for a folder that opens unattended.
        moved: Told 'restored' or 'copied' when a new epoch has begun for it.

    Raises:
        SetupError: `no_book`, `key_readable`, `no_key_file`, `key_damaged`, `place_closed`.
        InputError: `wrong_passphrase`, `no_passphrase`.
        LedgerError: `in_use`, `wrong_key`, `damaged`, `disk_full`, `disk_failed`.
    """
    store, opening = open_folder(folder, passphrase, machine)
    try:
        if opening.moved:
            # Before the token is renewed: after a power cut in between, one more is no harm.
            new_epoch(store, entropy(8))
        _renew(store, folder, machine, entropy)
        if opening.moved and moved is not None:
            moved(opening.moved)
        ledger = Ledger(store)
        _let_a_coordinator_recover(ledger, folder, entropy)
        return ledger
    except BaseException:
        store.close()
        raise


def open_folder(folder: Path, passphrase: str | None, machine: Machine) -> tuple[Store, Opening]:
    """Open the file of a folder and say whether it is where it was; changes nothing.

    Raises:
        SetupError, InputError, LedgerError: as `open_ledger`.
    """
    with disk_trouble():
        if not holds_book(folder):
            raise SetupError("no_book")
        # The passphrase costs a second; whoever comes second should not have to wait for it.
        lock = take_lock(folder)
        try:
            key = keyfile.read_key(folder, passphrase)
        except BaseException:
            os.close(lock)
            raise
        store = open_file(folder, key, lock=lock)
    try:
        return store, Opening(token.moved(store, folder, machine.serial))
    except BaseException:
        store.close()
        raise


def fits(folder: Path, passphrase: str) -> bool:
    """Whether this is the passphrase of the folder; takes as long as opening it."""
    try:
        keyfile.read_key(folder, passphrase)
    except InputError:
        return False
    return True


def change_passphrase(folder: Path, old: str, new: str, entropy: Entropy) -> None:
    """Lock the folder's key with another passphrase; a node may run meanwhile.

    Backups made earlier still open under the passphrase of their day.

    Raises:
        SetupError: `no_book`, `no_key_file`, `key_readable`, `key_damaged`.
        InputError: `wrong_passphrase`.
    """
    if not holds_book(folder):
        raise SetupError("no_book")
    keyfile.lock_key(folder, keyfile.read_key(folder, old), new, entropy)


def lock_for_good(folder: Path) -> None:
    """Throw the key away: no passphrase opens this folder again. A running node is not stopped.

    Raises:
        SetupError: `no_book`.
    """
    if not holds_book(folder):
        raise SetupError("no_book")
    keyfile.forget_key(folder)


def _renew(store: Store, folder: Path, machine: Machine, entropy: Entropy) -> None:
    try:
        token.renew(store, folder, machine.serial, entropy)
    except LedgerError as error:
        # What is written down must stay readable on a full disk; the next start renews it.
        if error.code != "disk_full":
            raise


def _let_a_coordinator_recover(ledger: Ledger, folder: Path, entropy: Entropy) -> None:
    """Keep the key sealed to whom may admit others here, once there is somebody."""
    roster = ledger.authority.roster
    for device in sorted(roster.members()):
        member = roster.device(device)
        if member is None or device == ledger.authority.device or member.rank > Rank.COORDINATOR:
            continue
        if member.agree and keyfile.recovers_with(folder) not in member.agree:
            with suppress(LedgerError):
                keyfile.keep_recovery(folder, ledger.store.key, member.agree[-1], entropy)
        return


def _refuse_taken(folder: Path) -> None:
    if holds_book(folder):
        raise SetupError("book_exists")
    if not folder.exists():
        return
    if not folder.is_dir():
        raise SetupError("folder_not_empty")
    found = {path.name for path in folder.iterdir()} - {LOCK_NAME, MAKING_NAME, ORDERS_NAME}
    if found and not ((folder / MAKING_NAME).exists() and found <= _OURS):
        raise SetupError("folder_not_empty")


_OURS = {keyfile.KEY_NAME, UNATTENDED_NAME, token.TOKEN_NAME}
"""What a power cut may have left beside a half-made folder."""


def _own(folder: Path) -> None:
    folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
    folder.chmod(FOLDER_MODE)


def _clear(folder: Path, making: Path) -> None:
    if making.exists():
        for name in (*_OURS, DATABASE_NAME):
            (folder / name).unlink(missing_ok=True)
        shutil.rmtree(making)


def _move_up(making: Path, folder: Path) -> None:
    """Move whole files into their folder; the database last, for with it the folder is a book."""
    (making / LOCK_NAME).unlink(missing_ok=True)
    names = sorted(path.name for path in making.iterdir())
    for name in sorted(names, key=lambda name: name == DATABASE_NAME):
        (making / name).replace(folder / name)
    sync_folder(folder)
    making.rmdir()
    sync_folder(folder)
    sync_folder(folder.parent)
