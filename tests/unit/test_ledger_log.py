"""The log beside a book: room is made ahead of its use, and its length in use is known."""

import os
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocols.ledger import log as log_room
from protocols.ledger.log import CHECKPOINT_PAGES, LOG_BYTES_MAX, Log
from protocols.ledger.store import Store, open_file

KEY = b"k" * 32
HEAD, FRAME = 32, 24 + 4096


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = made(tmp_path / "node")
    yield store
    store.close()


def made(folder: Path) -> Store:
    folder.mkdir()
    store = open_file(folder, KEY, create=True)
    store.execute("CREATE TABLE line (no INTEGER PRIMARY KEY, words BLOB)")
    return store


def write(store: Store, pages: int = 1, *, derived: bool = False) -> None:
    """Commit rows that fill about so many pages."""
    with store.atomic(derived=derived):
        for _ in range(pages):
            store.execute("INSERT INTO line (words) VALUES (?)", (os.urandom(3900),))


def length(store: Store) -> int:
    assert store.path is not None
    return store.path.with_name(store.path.name + "-wal").stat().st_size


def frames(store: Store) -> int:
    """Frames of the present round, as SQLite counts them; folds what it can."""
    return int(store.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchone()[1])


def used(store: Store) -> int:
    assert store.log is not None
    return store.log.used()


def test_most_commits_find_room_in_the_file(store: Store) -> None:
    for _ in range(3):
        write(store)
    lengths = []
    for _ in range(200):
        write(store, 4)
        lengths.append(length(store))
        assert used(store) < length(store) - 8 * FRAME
    grew = sum(before != after for before, after in pairwise(lengths))
    assert 200 * 4 / 128 - 2 <= grew <= 200 * 6 / 128 + 2


def test_what_is_in_use_is_what_sqlite_counts(store: Store) -> None:
    for pages in (1, 3, 200, 2, 40):
        write(store, pages)
        assert used(store) == HEAD + frames(store) * FRAME


def test_a_folded_log_begins_anew_in_the_room_it_has(store: Store) -> None:
    write(store, 300)
    before = used(store)
    store.fold(before + 1)
    write(store)
    assert used(store) > before, "a log shorter than asked is left"
    full = length(store)
    store.fold(used(store))
    write(store)
    assert used(store) < 8 * FRAME
    assert length(store) == full


def test_cut_and_folded_logs_make_room_again(store: Store) -> None:
    write(store, 100)
    assert store.checkpoint()
    assert length(store) == used(store) == 0
    for _ in range(3):
        write(store)
    assert length(store) >= 128 * FRAME


def test_the_log_never_takes_more_ahead_than_a_busy_book_uses(store: Store) -> None:
    for _ in range(CHECKPOINT_PAGES // 20 + 60):
        write(store, 20)
        assert length(store) <= LOG_BYTES_MAX
    assert length(store) > LOG_BYTES_MAX - 1024 * 1024


def test_nothing_is_taken_ahead_for_what_nobody_waits_for(store: Store) -> None:
    store.checkpoint()
    for _ in range(9):
        write(store, derived=True)
    assert length(store) == used(store)


def test_a_disk_that_is_nearly_full_keeps_its_room(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.checkpoint()
    monkeypatch.setattr(log_room, "_FREE_BYTES_MIN", 1 << 60)
    for _ in range(90):
        write(store)
    assert length(store) == used(store)


@pytest.mark.parametrize("broken", ["pwrite", "pread", "fstat"])
def test_a_disk_that_takes_no_room_hinders_no_commit(
    store: Store, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    store.checkpoint()

    def fail(*_: object) -> int:
        raise OSError(28, "no space")

    with monkeypatch.context() as patched:
        patched.setattr(log_room.os, broken, fail)
        for _ in range(3):
            write(store)
    assert store.one("SELECT count(*) FROM line") == (3,)


def test_what_is_not_a_log_is_not_in_use(tmp_path: Path) -> None:
    log = Log(tmp_path / "ledger.db")
    assert log.used() == 0
    (tmp_path / "ledger.db-wal").write_bytes(bytes(HEAD + 3 * FRAME))
    assert log.used() == 0, "room made before the first frame"
    log.close()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.sampled_from("wdfct"), st.integers(1, 150)), max_size=12))
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
            store.fold(pages * FRAME)
        elif what == "c":
            store.checkpoint()
        else:
            store.close()
            store = open_file(folder / "node", KEY)
        assert used(store) <= length(store)
    (folder / "copy").mkdir()
    for name in ("ledger.db", "ledger.db-wal"):
        (folder / "copy" / name).write_bytes((folder / "node" / name).read_bytes())
    copy = open_file(folder / "copy", KEY)
    assert copy.one("SELECT count(*) FROM line") == (rows,)
    assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    copy.close()
    store.close()
