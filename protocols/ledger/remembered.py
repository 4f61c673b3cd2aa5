"""Orders that outlive the database, and what a restored book does not know yet.

An older backup knows nothing of what was erased after it was made. So the control records lie
beside the book, and beside each backup, in a small file under the book's own key: a restore takes
them before anybody can read a row. Cards of other nodes of the operation serve as well.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import NamedTuple

from protocols.errors import InputError, LedgerError, SetupError
from protocols.ledger.book import Ledger
from protocols.ledger.place import ORDERS_NAME
from protocols.ledger.releasing import CARD_MAGIC, card, take_card
from protocols.ledger.safefile import disk_trouble, write_whole
from protocols.ledger.store import Store, open_file, settle_new_file
from protocols.trust.identity import NONCE_BYTES, seal, unseal

MAGIC = b"fieldmesh orders 1\n"
NAMES_BYTES = 32
"""Hash of which erases a file knows, so that it is written once for each."""
FILE_BYTES_MAX = 16 * 1024 * 1024
FILES_MAX = 64
"""Files beside a backup that a restore looks at."""
_MADE = "backup_ms"
"""In a copy alone: when it was made. A book that has it was restored and has met nobody since."""


class Known(NamedTuple):
    """What a restored book knows of the time since its backup."""

    made_ms: int | None
    erases: int
    """Erases that the backup did not know of and that are carried out now."""
    alone: bool


def keep(ledger: Ledger) -> None:
    """Write down beside the book what is ordered, if it is not there already.

    Raises:
        LedgerError: `disk_full`, `disk_failed`.
    """
    if ledger.store.path is None:
        return
    path = ledger.store.path.with_name(ORDERS_NAME)
    names = _names(ledger)
    with disk_trouble():
        held = path.open("rb").read(len(MAGIC) + NAMES_BYTES) if path.exists() else b""
    if held != MAGIC + names:
        write_whole(path, MAGIC + names + _sealed(ledger.store.key, names, card(ledger)))


def keep_beside(folder: Path, target: Path) -> None:
    """Put a copy of a folder's orders beside a backup: an older one there then knows them too."""
    with suppress(OSError, LedgerError, SetupError):
        write_whole(beside(target), (folder / ORDERS_NAME).read_bytes())


def beside(archive: Path) -> Path:
    """Where the orders of a backup lie."""
    return archive.with_name(f"{archive.name}.{ORDERS_NAME}")


def found_beside(archive: Path, folder: Path) -> list[bytes]:
    """Return every file of orders beside a backup, and the one left in the folder to be made."""
    paths = [folder / ORDERS_NAME, *sorted(archive.parent.glob(f"*.{ORDERS_NAME}"))[:FILES_MAX]]
    with disk_trouble():
        return [raw for path in paths if path.is_file() and (raw := _read(path))]


def read(path: Path) -> bytes:
    """Return a file of orders, or a card, that somebody names.

    Raises:
        InputError: `not_orders`.
    """
    with disk_trouble():
        raw = _read(path)
    if not raw.startswith((MAGIC, CARD_MAGIC)):
        raise InputError("not_orders", field="orders")
    return raw


def _read(path: Path) -> bytes:
    with path.open("rb") as file:
        raw = file.read(FILE_BYTES_MAX + 1)
    return raw if len(raw) <= FILE_BYTES_MAX else b""


def carry_out(
    place: Path, key: bytes, named: Sequence[bytes], nearby: Sequence[bytes], wall_ms: int
) -> Known:
    """Carry out in a restored book what these files order; return what it knows then.

    Args:
        place: The folder being made; its book was opened by nobody yet.
        named: Files that somebody chose: each has to fit.
        nearby: Files that were lying about: of another book or operation they are passed over.

    Raises:
        InputError: `not_orders`, `orders_locked` when one is under the key of another book,
            `order_elsewhere` when one is of another operation.
        LedgerError: `disk_full`, `disk_failed`.
    """
    store = open_file(place, key)
    try:
        ledger = Ledger(store)
        before = set(ledger.authority.erasures.erases())
        for raw in named:
            _take(ledger, raw, wall_ms)
        for raw in nearby:
            with suppress(InputError):
                _take(ledger, raw, wall_ms)
        ledger.catch_up_all()
        new = set(ledger.authority.erasures.erases()) - before
        if new:
            ledger.eraser.wipe()
        found = Known(made_ms(store), len(new), not _others(ledger))
        settle_new_file(store)
    finally:
        store.close()
    return found


def _take(ledger: Ledger, raw: bytes, wall_ms: int) -> None:
    if raw.startswith(MAGIC):
        opened = _opened(ledger.store.key, raw)
        if opened is None:
            raise InputError("orders_locked", field="orders")
        raw = opened
    try:
        take_card(ledger, raw, wall_ms)
    except InputError as error:
        code = "not_orders" if error.code == "not_a_release_card" else error.code
        raise InputError(code, field="orders") from None


# What a restored book does not know yet


def note_made(copy: Store, wall_ms: int) -> None:
    """Have a copy say when it was made; one of a restored book keeps the older time."""
    with copy.atomic():
        made = str(max(wall_ms, 0)).encode()
        copy.execute("INSERT OR IGNORE INTO meta VALUES (?, ?)", (_MADE, made))


def made_ms(store: Store) -> int | None:
    """When a copy was made, Unix milliseconds; None in a book that met somebody since."""
    row = store.one("SELECT value FROM meta WHERE name = ?", (_MADE,))
    return int(row[0]) if row else None


def unmet_ms(ledger: Ledger) -> int | None:
    """How old the backup is that this book was restored from, until it has met another node.

    Returns:
        When it was made, Unix milliseconds; None when it was not restored, has met somebody, or
        there is nobody else who could have erased anything.
    """
    made = made_ms(ledger.store)
    return made if made is not None and _others(ledger) else None


def _others(ledger: Ledger) -> bool:
    authority = ledger.authority
    return any(device != authority.device for device in authority.member_devices())


def note_met(ledger: Ledger) -> None:
    """All that a peer holds is here, its orders first."""
    if made_ms(ledger.store) is not None:
        with ledger.store.atomic():
            ledger.store.execute("DELETE FROM meta WHERE name = ?", (_MADE,))


# Bytes


def _names(ledger: Ledger) -> bytes:
    names = b"".join(sorted(ledger.authority.erasures.erases()))
    return blake2b(names, digest_size=NAMES_BYTES, person=b"fm-orders-1").digest()


def _key(book_key: bytes) -> bytes:
    return blake2b(key=book_key, digest_size=32, person=b"fm-orderkey-1").digest()


def _sealed(book_key: bytes, names: bytes, plain: bytes) -> bytes:
    # Of the text itself, under the key: no two texts ever share one.
    nonce = blake2b(plain, key=_key(book_key), digest_size=NONCE_BYTES).digest()
    return nonce + seal(_key(book_key), nonce, MAGIC + names, plain)


def _opened(book_key: bytes, raw: bytes) -> bytes | None:
    at = len(MAGIC) + NAMES_BYTES
    if len(raw) < at + NONCE_BYTES:
        return None
    nonce = raw[at : at + NONCE_BYTES]
    return unseal(_key(book_key), nonce, raw[:at], raw[at + NONCE_BYTES :])
