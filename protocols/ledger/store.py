"""The encrypted SQLite file: opened once, written by one thread, durable at every commit."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any

import sqlcipher3

from protocols.errors import LedgerError, SetupError
from protocols.ids import Id
from protocols.ledger.log import CHECKPOINT_PAGES, LOG_BYTES_MAX, Log
from protocols.ledger.place import DATABASE_NAME

LOCK_NAME = "node.lock"
CACHE_KIB = 8 * 1024
"""Page cache: small enough for a Raspberry Pi beside everything else."""
ROOM_BYTES_MIN = 64 * 1024
"""With less than this free, a book is opened without the shared memory that a log needs."""
COPY_PAGES = 1024
"""Pages copied in one step: 4 MiB, some 50 ms."""
BUSY_MS = 5000
"""How long a statement waits for a reader of the same file."""
CACHED_STATEMENTS = 512
"""A book asks nearly 200 different things, and what falls out of this cache is parsed again."""

_ALONE = "locking_mode=EXCLUSIVE"

Values = Mapping[str, object] | Sequence[object]


def _register_adapters() -> None:
    """Tell SQLite's binding what is written as it is: bytes, nothing, and ids as their bytes.

    Of every value that is not a number or a text it asks whether somebody converts it. Where
    nobody does it finds out by an error that is raised and dropped, about 1 µs a value: a tenth
    of a first sync.
    """
    kinds: list[type[bytes]] = [bytes, Id]
    for kind in kinds:
        sqlcipher3.register_adapter(kind, bytes.__bytes__)
        # Grows while it is walked: kinds of kinds.
        kinds += kind.__subclasses__() if kind is not bytes else ()
    sqlcipher3.register_adapter(type(None), {}.get)


_register_adapters()


class _Part:
    """What is inside a transaction already: it stands and falls with it."""

    def __init__(self, store: Store, failed: Callable[[], None]) -> None:
        self._store = store
        self._failed = failed

    def __enter__(self) -> None:
        self._store.depth += 1

    def __exit__(self, error: object, *_: object) -> None:
        self._store.depth -= 1
        if error is not None and self._store.connection is not None:
            self._failed()


def _nothing() -> None:
    """Nobody keeps anything in memory."""


class Store:
    """One SQLite connection. Every failure of the disk comes out as a `LedgerError`."""

    def __init__(
        self, connection: Any, path: Path | None, lock: int | None = None, key: bytes = b""
    ) -> None:
        self.connection = connection
        self.key = key
        """The database key, for backups under the same; empty in memory."""
        self.path = path
        """None: the book is in memory, for drills and tests."""
        self.log = Log(path) if path is not None else None
        """The write-ahead log beside the file."""
        self._lock = lock
        self.depth = 0
        """How many times over a transaction is open."""
        self.begun = 0
        """Transactions begun so far."""
        self.unsure = False
        """Whether the last one may be in the file though it failed: somebody interrupted the call
        that wrote it, or what came after that."""
        self._waited_for = False
        """Whether somebody waited for a commit since room was made last."""

    def execute(self, sql: str, values: Values = ()) -> Any:
        """Run one statement; return its cursor."""
        try:
            return self.connection.execute(sql, values)
        except sqlcipher3.Error as error:
            raise _as_ledger_error(error, self.path) from None

    def executemany(self, sql: str, values: Sequence[Sequence[object]]) -> None:
        """Run one statement for many rows; none is none."""
        if not values:
            return
        try:
            self.connection.executemany(sql, values)
        except sqlcipher3.Error as error:
            raise _as_ledger_error(error, self.path) from None

    def one(self, sql: str, values: Values = ()) -> tuple[Any, ...] | None:
        """Return the first row, or None."""
        row: tuple[Any, ...] | None = self.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, values: Values = ()) -> list[tuple[Any, ...]]:
        """Return every row."""
        try:
            rows: list[tuple[Any, ...]] = self.connection.execute(sql, values).fetchall()
        except sqlcipher3.Error as error:
            raise _as_ledger_error(error, self.path) from None
        return rows

    def atomic(
        self, *, derived: bool = False, failed: Callable[[], None] = _nothing
    ) -> AbstractContextManager[None]:
        """Everything inside is durable when this returns, or nothing of it exists.

        Args:
            derived: It only says again what is durable already, and whoever opens the book sees
                whether it was said. It is whole or not there at all like everything else, and
                durable with the next commit that is waited for: a power cut may undo it.
            failed: Called when it is undone, or a part of it came to nothing, and the book is
                still open: whoever keeps in memory what it says reads it anew.
        """
        # Most are asked for inside another, several for each entry: that costs next to nothing.
        return _Part(self, failed) if self.depth else self._transaction(derived, failed)

    @contextmanager
    def _transaction(self, derived: bool, failed: Callable[[], None]) -> Iterator[None]:
        try:
            self.begun += 1
            self.unsure = False
            with self._not_waiting() if derived and self.path is not None else nullcontext():
                self.execute("BEGIN IMMEDIATE")
                self.depth = 1
                try:
                    yield
                    self._commit()
                except BaseException:
                    self._roll_back()
                    raise
                finally:
                    self.depth = 0
        except BaseException:
            # One that could not begin too: its caller may have taken in hand what it was to write.
            if self.connection is not None:
                failed()
            raise
        self._waited_for = self._waited_for or not derived

    @contextmanager
    def _not_waiting(self) -> Iterator[None]:
        """Commit without waiting for the disk; what is done about a failure is waited for again."""
        self.execute("PRAGMA synchronous=NORMAL").fetchall()
        try:
            yield
        finally:
            self.execute("PRAGMA synchronous=FULL").fetchall()

    def _commit(self) -> None:
        self.unsure = True
        try:
            self.execute("COMMIT")
        except LedgerError:
            self.unsure = False
            raise

    def _roll_back(self) -> None:
        if self.connection.in_transaction:
            try:
                self.connection.execute("ROLLBACK")
            except sqlcipher3.Error as error:
                raise _as_ledger_error(error, self.path) from None

    @contextmanager
    def named(self) -> Iterator[None]:
        """Have what fails on the connection itself come out as a `LedgerError` too.

        Raises:
            LedgerError: `disk_full`, `disk_failed`, `damaged`, `book_failed`.
        """
        try:
            yield
        except sqlcipher3.Error as error:
            raise _as_ledger_error(error, self.path) from None

    def stay_open(self) -> None:
        """Know that the book is open for long: from now on its log has room ahead of its use."""
        if self.log is not None:
            self.log.ahead = True

    def make_room(self) -> None:
        """Make room in the log for the next commits; called once the answer has left."""
        waited, self._waited_for = self._waited_for, False
        if waited and self.log is not None:
            self.log.make_room()

    def rest(self, least: int) -> None:
        """Fold a log that uses this many bytes into the book and make room in it; called when idle.

        It begins anew at the next commit, in the room it has; where the disk has little room, or
        the log grew out of its bounds, it is cut instead. A backup may be reading: what that still
        needs stays, and nobody waits.
        """
        if self.log is None:
            return
        length = self.log.length()
        if length > LOG_BYTES_MAX or (length >= least and self.log.tight()):
            self.checkpoint()
        elif self.log.used() >= least:
            self.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
        self.log.make_more_room()

    def checkpoint(self) -> bool:
        """Fold the log into the database and cut it.

        Returns:
            Whether nothing is left of the log: nobody read what it held.
        """
        if self.path is None:
            return True
        # As in `rest`: nobody waits for a reader.
        self.execute("PRAGMA busy_timeout=0").fetchall()
        busy = self.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()[0]
        self.execute(f"PRAGMA busy_timeout={BUSY_MS}").fetchall()
        return not busy

    def vacuum(self) -> bool:
        """Write the file anew without the pages and parts of pages that were freed.

        Returns:
            Whether nothing of what was freed is left, in the log neither. Outside a transaction.
        """
        assert not self.depth
        if self.path is not None:
            self.execute("VACUUM")
        return self.checkpoint()

    def reader(self) -> Store:
        """Return a second connection that only reads, for another thread; close it before this one.

        It sees what is committed, one statement at a time, and keeps no writer waiting.

        Raises:
            LedgerError: `no_reader` where the book is in memory, or open without shared memory.
        """
        mode = self.connection.execute("PRAGMA locking_mode").fetchone()[0]
        if self.path is None or mode != "normal":
            raise LedgerError("no_reader")
        pragmas = ("query_only=ON", "temp_store=MEMORY", f"busy_timeout={BUSY_MS}")
        return Store(_connect(self.path, self.key, *pragmas), self.path)

    def copy_to(self, target: Any) -> None:
        """Copy every page to another connection, a consistent moment of the book."""
        try:
            self.connection.backup(target)
        except sqlcipher3.Error as error:
            raise _as_ledger_error(error, self.path) from None

    def close(self) -> None:
        """Close the file and let another process have the folder."""
        if self.log is not None:
            self.log.close()
        self.connection.close()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None


def open_memory() -> Store:
    """Return an empty book in memory."""
    connection = sqlcipher3.connect(
        ":memory:", isolation_level=None, cached_statements=CACHED_STATEMENTS
    )
    return Store(_configured(connection), None)


def open_file(folder: Path, key: bytes, *, create: bool = False, lock: int | None = None) -> Store:
    """Open the book of a data folder under its 32-byte database key.

    Args:
        lock: What `take_lock` gave for this folder; the store lets go of it. None: taken here.

    Raises:
        LedgerError: `in_use` when another process has it, `wrong_key`, `damaged`, `disk_full`.
        SetupError: `no_book` when there is none; `book_exists` when creating over one.
    """
    path = folder / DATABASE_NAME
    if create == path.exists():
        raise SetupError("book_exists" if create else "no_book")
    if lock is None:
        lock = take_lock(folder)
    try:
        if create:
            _make_private(path)
        elif not path.stat().st_size:
            # SQLite would begin a new book in it; ours were never empty.
            raise LedgerError("damaged")
        connection = _connect_with_what_room_there_is(path, key)
        store = Store(connection, path, lock, key)
        with store.named():
            _configured(connection)
    except BaseException:
        os.close(lock)
        raise
    return store


def open_copy(path: Path, key: bytes) -> Store:
    """Open a copy of a book that no other process has, on whatever disk it lies.

    Raises:
        LedgerError: `wrong_key`, `damaged`, `disk_full`, `disk_failed`.
    """
    # Alone, so that no shared memory is asked of a stick's file system.
    return Store(_connect(path, key, _ALONE, "temp_store=MEMORY"), path, key=key)


def copy_file(
    source: Path, key: bytes, target: Path, going_on: Callable[[], bool] = lambda: True
) -> None:
    """Copy one moment of a book that may be written meanwhile; needs none of its locks.

    The file comes out under the same key and without a log beside it.

    Args:
        target: A new file; what a failed copy leaves of it is the caller's to remove.
        going_on: Asked now and then; False gives up with LedgerError `stopped`.

    Raises:
        LedgerError: `disk_full`, `disk_failed`, `damaged`, `stopped`.
    """
    _make_private(target)
    try:
        with (
            closing(_connect(source, key, "query_only=ON")) as reader,
            closing(_connect(target, key, _ALONE)) as writer,
        ):
            # What is committed from here on is not in it; writers do not wait for us.
            reader.execute("BEGIN")
            reader.execute("SELECT count(*) FROM sqlite_master").fetchone()
            reader.backup(writer, pages=COPY_PAGES, progress=lambda *_: _go_on(going_on), sleep=0)
            writer.execute("PRAGMA journal_mode=DELETE").fetchall()
    except sqlcipher3.Error as error:
        raise _as_ledger_error(error) from None


def _make_private(path: Path) -> None:
    """Make an empty file of mode 0600, whatever the umask; SQLite gives its log the same mode."""
    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600))


def _go_on(going_on: Callable[[], bool]) -> None:
    if not going_on():
        raise LedgerError("stopped")


def settle_new_file(store: Store) -> None:
    """Make a just created book survive a power cut even where deletes are not ordered."""
    assert store.path is not None
    store.checkpoint()
    for target in (store.path, store.path.parent):
        handle = os.open(target, os.O_RDONLY)
        try:
            os.fsync(handle)
        finally:
            os.close(handle)


def take_lock(folder: Path) -> int:
    """Make a folder this process's own until the returned handle is closed.

    Raises:
        LedgerError: `in_use`.
    """
    handle = os.open(folder / LOCK_NAME, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(handle)
        raise LedgerError("in_use") from None
    return handle


def _connect(path: Path, key: bytes, *pragmas: str) -> Any:
    try:
        connection = sqlcipher3.connect(
            str(path),
            isolation_level=None,
            check_same_thread=False,
            cached_statements=CACHED_STATEMENTS,
        )
        connection.execute("PRAGMA cipher_log_level = NONE")
        connection.execute(f"PRAGMA key = \"x'{key.hex()}'\"")
        for pragma in pragmas:
            connection.execute(f"PRAGMA {pragma}").fetchall()
        connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    except sqlcipher3.Error as error:
        raise _as_ledger_error(error) from None
    return connection


def _connect_with_what_room_there_is(path: Path, key: bytes) -> Any:
    """Open a file so that it can be read even where the disk has no room for shared memory."""
    try:
        return _connect(path, key)
    except LedgerError as error:
        if error.code == "wrong_key" or not _has_no_room(path):
            raise
    return _connect(path, key, _ALONE)


def _configured(connection: Any) -> Any:
    for pragma in (
        "journal_mode=WAL",
        "synchronous=FULL",
        "foreign_keys=ON",
        "trusted_schema=OFF",
        "cell_size_check=ON",
        "temp_store=MEMORY",
        f"busy_timeout={BUSY_MS}",
        f"cache_size=-{CACHE_KIB}",
        f"journal_size_limit={LOG_BYTES_MAX}",
        f"wal_autocheckpoint={CHECKPOINT_PAGES}",
    ):
        connection.execute(f"PRAGMA {pragma}").fetchall()
    if connection.execute("PRAGMA synchronous").fetchone()[0] != 2:
        raise LedgerError("not_durable")
    return connection


def _has_no_room(path: Path) -> bool:
    found = os.statvfs(path.parent)
    return found.f_bavail * found.f_frsize <= ROOM_BYTES_MIN


def _as_ledger_error(error: Exception, path: Path | None = None) -> LedgerError:
    """Name a failure of SQLite without its text, which may quote values."""
    name = getattr(error, "sqlite_errorname", "") or type(error).__name__
    words = str(error)
    if "full" in words or name == "SQLITE_FULL":
        return LedgerError("disk_full")
    if "not a database" in words or name == "SQLITE_NOTADB":
        return LedgerError("wrong_key")
    if "malformed" in words or "corrupt" in words:
        return LedgerError("damaged")
    if "disk I/O" in words and path is not None and _has_no_room(path):
        # What a full disk does to a log's shared memory or its folding has no name of its own.
        return LedgerError("disk_full")
    if "disk I/O" in words or "readonly" in words or "unable to open" in words:
        return LedgerError("disk_failed", name=name)
    return LedgerError("book_failed", name=name)
