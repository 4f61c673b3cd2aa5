"""The log beside a book: room is made ahead of its use, and its length in use is known."""

import os
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.errors import LedgerError
from protocols.ledger import log as log_room
from protocols.ledger.log import CHECKPOINT_PAGES, LOG_BYTES_MAX, Log
from protocols.ledger.store import BUSY_MS, Store, open_file

KEY = b"k" * 32
HEAD, FRAME = 32, 24 + 4096
PIECE, NEAR, AHEAD = 64 * FRAME, 32 * FRAME, 256 * FRAME


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = made(tmp_path / "node")
    yield store
    store.close()


def made(folder: Path) -> Store:
    """A book of a running node, on a disk that has room enough."""
    folder.mkdir()
    store = open_file(folder, KEY, create=True)
    store.execute("CREATE TABLE line (no INTEGER PRIMARY KEY, words BLOB)")
    store.checkpoint()
    store.stay_open()
    return store


@pytest.fixture(autouse=True)
def wide_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the disk of these tests has left: it is asked about in tests of its own."""
    monkeypatch.setattr(log_room, "_FREE_BYTES_MIN", 0)


def write(store: Store, pages: int = 1, *, derived: bool = False) -> None:
    """Commit rows that fill about so many pages."""
    with store.atomic(derived=derived):
        for _ in range(pages):
            store.execute("INSERT INTO line (words) VALUES (?)", (os.urandom(3900),))
    store.make_room()


def log_of(store: Store) -> Log:
    assert store.log is not None
    return store.log


def length(store: Store) -> int:
    assert store.path is not None
    return store.path.with_name(store.path.name + "-wal").stat().st_size


def used(store: Store) -> int:
    return log_of(store).used()


def frames(store: Store) -> int:
    """Frames of the present round, as SQLite counts them; folds what it can."""
    return int(store.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1])


def looks(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """What is asked of the file beyond one frame, from here on."""
    asked: list[int] = []
    whole: Callable[[int], os.stat_result] = os.fstat

    def noted(file: int) -> os.stat_result:
        asked.append(file)
        return whole(file)

    monkeypatch.setattr(os, "fstat", noted)
    return asked


def test_most_commits_find_room_in_the_file(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    write(store)
    lengths, asked = [], looks(monkeypatch)
    for _ in range(200):
        write(store, 4)
        lengths.append(length(store))
        assert used(store) <= length(store) - NEAR + 6 * FRAME
    grew = sum(before != after for before, after in pairwise(lengths))
    assert 200 * 4 / 64 - 2 <= grew <= 200 * 6 / 64 + 2
    # Twice where it grew, and once here for each.
    assert len(asked) <= 200 + 3 * grew


def test_the_room_is_on_the_disk_and_not_only_in_the_length(store: Store) -> None:
    write(store)
    assert store.path is not None
    found = store.path.with_name(store.path.name + "-wal").stat()
    assert found.st_size > PIECE
    assert found.st_blocks * 512 >= found.st_size - FRAME


def test_what_is_in_use_is_what_sqlite_counts(store: Store) -> None:
    for pages in (1, 3, 200, 2, 40):
        write(store, pages)
        assert used(store) == HEAD + frames(store) * FRAME


def test_a_command_that_opens_the_book_for_a_moment_makes_no_room(tmp_path: Path) -> None:
    made(tmp_path / "node").close()
    store = open_file(tmp_path / "node", KEY)
    for _ in range(40):
        write(store)
    store.rest(1)
    assert length(store) == used(store)
    store.close()


def test_a_rested_log_begins_anew_in_the_room_it_has(store: Store) -> None:
    write(store, 300)
    before = used(store)
    store.rest(before + 1)
    write(store)
    assert used(store) > before, "a log shorter than asked is left"
    store.rest(used(store))
    full = length(store)
    write(store)
    assert used(store) < 8 * FRAME
    assert length(store) == full


def test_an_idle_node_makes_room_for_a_busy_minute(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(store)
    waited: list[int] = []
    monkeypatch.setattr(os, "fsync", waited.append)
    for _ in range(2):
        store.rest(1 << 30)
    assert len(waited) == 1, "and nobody else waits for these zeros"
    ready = length(store)
    assert ready - used(store) >= AHEAD
    while used(store) < ready - NEAR:
        write(store, 9)
        assert length(store) in (ready, ready + PIECE)
    store.rest(1 << 30)
    assert length(store) - used(store) >= AHEAD


def test_a_cut_log_makes_room_again(store: Store) -> None:
    write(store, 100)
    assert store.checkpoint()
    assert length(store) == used(store) == 0
    write(store)
    assert length(store) >= PIECE


def test_the_log_never_takes_more_ahead_than_a_busy_book_uses(store: Store) -> None:
    for at in range(CHECKPOINT_PAGES // 20 + 60):
        write(store, 20)
        if at % 10 == 0:
            store.rest(1 << 30)
        assert length(store) <= LOG_BYTES_MAX
    assert length(store) > LOG_BYTES_MAX - 1024 * 1024


def test_nothing_is_taken_ahead_for_what_nobody_waits_for(store: Store) -> None:
    for _ in range(9):
        write(store, derived=True)
    assert length(store) == used(store)


def test_a_disk_that_is_nearly_full_keeps_its_room_and_gets_some_back(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    write(store)
    with monkeypatch.context() as tight:
        tight.setattr(log_room, "_FREE_BYTES_MIN", 1 << 60)
        for _ in range(90):
            write(store)
        assert length(store) == used(store)
    write(store)
    assert length(store) > used(store), "as soon as there is room again it is taken"

    write(store, 40)
    monkeypatch.setattr(log_room, "_FREE_BYTES_MIN", 1 << 60)
    store.rest(length(store) + 1)
    assert length(store)
    store.rest(length(store))
    assert not length(store)


def test_a_log_that_outgrew_its_bounds_behind_a_reader_is_cut(store: Store) -> None:
    write(store)
    reader = store.reader()
    reader.execute("BEGIN")
    reader.one("SELECT count(*) FROM line")
    for _ in range(3):
        write(store, CHECKPOINT_PAGES // 2)
    began_s = time.monotonic()
    store.rest(1)
    assert time.monotonic() - began_s < BUSY_MS / 1000, "nobody waits for a reader"
    assert length(store) > LOG_BYTES_MAX
    reader.close()
    store.rest(1 << 30)
    assert length(store) == 0


def test_resting_waits_for_no_reader(store: Store) -> None:
    write(store, 9)
    reader = store.reader()
    reader.execute("BEGIN")
    reader.one("SELECT count(*) FROM line")
    write(store, 9)
    began_s = time.monotonic()
    store.rest(1)
    assert time.monotonic() - began_s < BUSY_MS / 2000
    reader.close()


def test_a_commit_after_a_rest_is_waited_for_like_any(store: Store) -> None:
    write(store, 9)
    store.rest(1)
    assert store.execute("PRAGMA synchronous").fetchone() == (2,)


@pytest.mark.parametrize("broken", ["pwrite", "pread", "fstat", "fstatvfs", "fsync", "open"])
def test_a_disk_that_takes_no_room_hinders_nothing(
    store: Store, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fail(*_: object) -> int:
        raise OSError(28, "no space")

    with monkeypatch.context() as patched:
        patched.setattr(os, broken, fail)
        for _ in range(3):
            write(store)
            store.rest(1)
    assert store.one("SELECT count(*) FROM line") == (3,)


def test_the_file_is_let_go_of_with_the_book_even_where_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def files() -> int:
        return len(os.listdir("/proc/self/fd"))

    before, store = files(), made(tmp_path / "node")
    write(store)
    store.close()
    assert files() == before

    def fail(file: int) -> None:
        raise OSError(5, "input or output")

    store = open_file(tmp_path / "node", KEY)
    store.stay_open()
    write(store)
    held = log_of(store)._file
    assert held is not None
    with monkeypatch.context() as patched:
        patched.setattr(log_room, "os", type("Broken", (), {"close": staticmethod(fail)}))
        log_of(store).close()
    os.close(held)
    store.close()
    open_file(tmp_path / "node", KEY).close()


def test_what_is_not_a_log_is_not_in_use(tmp_path: Path) -> None:
    log = Log(tmp_path / "ledger.db")
    assert log.used() == log.length() == 0
    (tmp_path / "ledger.db-wal").write_bytes(bytes(HEAD + 3 * FRAME))
    assert log.used() == 0, "room made before the first frame"
    log.close()


def spilled(store: Store) -> None:
    """A transaction that comes to nothing, after some of it is in the log already."""
    with store.atomic():
        for _ in range(3000):
            store.execute("INSERT INTO line (words) VALUES (?)", (os.urandom(3900),))
        store.execute("INSERT INTO absent VALUES (1)")


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("wwdfctx"), st.integers(1, 150)), max_size=12))
def test_whatever_is_done_the_book_opens_with_all_of_it(
    tmp_path_factory: pytest.TempPathFactory, steps: list[tuple[str, int]]
) -> None:
    """Also where the process dies and leaves its log behind: a copy of both files is opened."""
    folder = tmp_path_factory.mktemp("log")
    store, rows = made(folder / "node"), 0
    for what, pages in steps:
        if what in "wd":
            write(store, pages, derived=what == "d")
            rows += pages
        elif what == "f":
            store.rest(pages * FRAME)
        elif what == "c":
            store.checkpoint()
        elif what == "x":
            with pytest.raises(LedgerError):
                spilled(store)
        else:
            store.close()
            store = open_file(folder / "node", KEY)
            store.stay_open()
        assert used(store) <= length(store)
    (folder / "copy").mkdir()
    for name in ("ledger.db", "ledger.db-wal"):
        (folder / "copy" / name).write_bytes((folder / "node" / name).read_bytes())
    copy = open_file(folder / "copy", KEY)
    assert copy.one("SELECT count(*) FROM line") == (rows,)
    assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    copy.close()
    store.close()
