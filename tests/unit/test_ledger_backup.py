"""Backups: made while the book is written, whole or not there, and never restored over anything."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import astuple, replace
from pathlib import Path
from random import Random

import pytest

from protocols.errors import FieldmeshError, InputError, LedgerError, SetupError
from protocols.ledger.backup import (
    Restored,
    backup,
    check_running,
    restore,
    source_of,
    verify,
)
from protocols.ledger.book import Ledger
from protocols.ledger.folder import change_passphrase, open_folder
from protocols.ledger.inspection import check_copy, inspect
from protocols.ledger.keyfile import KEY_NAME
from protocols.ledger.place import DATABASE_NAME, MARK_NAME, last_backup_ms
from protocols.ledger.store import BUSY_MS, LOCK_NAME
from protocols.ledger.token import NO_INSTALLATION
from tests.unit.folders import (
    CANARY,
    HERE,
    PASSPHRASE,
    WALL_MS,
    epoch_of,
    hashes,
    made,
    names,
    opened,
    record,
)


@pytest.fixture
def ledger(tmp_path) -> Iterator[Ledger]:
    """An open book with three patients."""
    ledger = opened(made(tmp_path / "node"))
    record(ledger, 1, 2, 3)
    yield ledger
    ledger.close()


@pytest.fixture(scope="module")
def archive(tmp_path_factory):
    """A backup to damage in copies."""
    place = tmp_path_factory.mktemp("archive")
    ledger = opened(made(place / "node"))
    record(ledger, 1, 2, 3)
    backup(source_of(ledger), place / "backup", WALL_MS)
    ledger.close()
    return place / "backup"


def refusal(kind, run):
    with pytest.raises(kind) as caught:
        run()
    return caught.value.code


def restoring(archive, folder) -> Restored:
    return restore(archive, folder, PASSPHRASE, WALL_MS)


def rows(ledger):
    return ledger.store.all("SELECT id, code, name FROM patient ORDER BY id")


def test_a_restored_backup_has_everything_begins_an_epoch_and_writes_on(ledger: Ledger, tmp_path):
    report = backup(source_of(ledger), tmp_path / "backup", WALL_MS)
    folder = tmp_path / "restored"

    made = restoring(tmp_path / "backup", folder)
    assert (made.entries, made.feeds, made.bytes) == astuple(report)
    assert (made.made_ms, made.erases, made.alone) == (WALL_MS, 0, True)

    assert names(folder) == sorted((DATABASE_NAME, KEY_NAME, LOCK_NAME))
    assert (report.entries, report.feeds) == (len(hashes(ledger)), len(ledger.chain.feeds))
    other = opened(folder)
    assert hashes(other) == hashes(ledger)
    assert rows(other) == rows(ledger)
    assert other.authority.device == ledger.authority.device
    assert other.authority.epoch != ledger.authority.epoch
    record(other, 4)
    assert inspect(other).ok
    epoch = bytes(other.authority.epoch)
    other.close()
    assert epoch_of(folder) == epoch


def as_before_ends_were_kept(ledger):
    """Give a book the tables it had before it was noted now and then where branches end."""
    ledger.store.execute("ALTER TABLE branch_end RENAME TO branch")
    ledger.store.execute("DELETE FROM branch")
    for feed in ledger.chain.feeds.values():
        for tip in feed.tips:
            ledger.store.execute("INSERT INTO branch VALUES (?,?,?,?,?)", (feed.no, *tip))
    ledger.store.execute("DELETE FROM meta WHERE name = 'ends_at'")
    ledger.store.execute("DROP TABLE row_change")
    ledger.store.execute("UPDATE meta SET value = x'00' WHERE name = 'rows'")
    ledger.store.execute(
        "DELETE FROM _sqlite_migrations WHERE name IN ('m006_branch_ends', 'm007_row_changes')"
    )


def test_a_backup_made_by_older_software_is_verified_and_restored(ledger: Ledger, tmp_path):
    ends = {feed.feed_id: feed.tips for feed in ledger.chain.feeds.values()}
    as_before_ends_were_kept(ledger)
    backup(source_of(ledger), tmp_path / "backup", WALL_MS)
    (tmp_path / "place").mkdir()

    assert verify(tmp_path / "backup", PASSPHRASE, tmp_path / "place").ok
    restoring(tmp_path / "backup", tmp_path / "restored")

    other = opened(tmp_path / "restored")
    assert {feed: other.chain.feeds[feed].tips for feed in ends} == ends
    other.catch_up_all()
    assert rows(other) == rows(ledger)
    assert inspect(other).ok
    other.close()


def test_two_restored_from_one_backup_never_write_the_same_feed(ledger: Ledger, tmp_path):
    backup(source_of(ledger), tmp_path / "backup", WALL_MS)
    epochs = set()
    for name in ("one", "two"):
        restoring(tmp_path / "backup", tmp_path / name)
        epochs.add(epoch_of(tmp_path / name))
    assert len(epochs) == 2


@pytest.mark.parametrize("held", [True, False])
def test_a_backup_carries_no_token_of_the_book_it_is_of(ledger: Ledger, tmp_path, held):
    if not held:
        ledger.store.execute("DELETE FROM meta WHERE name = 'token'")
    backup(source_of(ledger), tmp_path / "backup", WALL_MS)
    restoring(tmp_path / "backup", tmp_path / "restored")

    store, opening = open_folder(tmp_path / "restored", PASSPHRASE, HERE)
    token = store.one("SELECT value FROM meta WHERE name = 'token'")
    store.close()
    assert token == (NO_INSTALLATION,)
    assert opening.moved == "restored"


def test_a_backup_opens_under_the_passphrase_of_its_day(ledger: Ledger, tmp_path):
    backup(source_of(ledger), tmp_path / "backup", WALL_MS)
    change_passphrase(tmp_path / "node", PASSPHRASE, "new words", os.urandom)
    backup(source_of(ledger), tmp_path / "later", WALL_MS)

    for name, fitting, wrong in (
        ("backup", PASSPHRASE, "new words"),
        ("later", "new words", PASSPHRASE),
    ):
        folder = tmp_path / f"of {name}"
        with pytest.raises(InputError, match="wrong_passphrase"):
            restore(tmp_path / name, folder, wrong, WALL_MS)
        assert not folder.exists()
        restore(tmp_path / name, folder, fitting, WALL_MS)


def test_the_time_of_the_last_one_is_kept(ledger: Ledger, tmp_path):
    assert last_backup_ms(tmp_path / "node") is None
    backup(source_of(ledger), tmp_path / "backup", WALL_MS)
    assert last_backup_ms(tmp_path / "node") == WALL_MS
    (tmp_path / "node" / MARK_NAME).write_bytes(b"?")
    assert last_backup_ms(tmp_path / "node") is None


def test_nothing_is_ever_written_over(ledger: Ledger, archive, tmp_path):
    (tmp_path / "there").write_bytes(b"mine")
    assert (
        refusal(InputError, lambda: backup(source_of(ledger), tmp_path / "there", WALL_MS))
        == "target_exists"
    )
    assert (tmp_path / "there").read_bytes() == b"mine"
    for folder, code in ((tmp_path / "node", "book_exists"), (tmp_path, "folder_not_empty")):
        before = names(folder)
        assert refusal(SetupError, lambda to=folder: restoring(archive, to)) == code
        assert names(folder) == before


def test_a_place_that_is_not_there_is_named_so(ledger: Ledger, archive, tmp_path):
    source = source_of(ledger)
    assert refusal(SetupError, lambda: backup(source, tmp_path / "no" / "b", WALL_MS)) == (
        "no_such_place"
    )
    assert refusal(SetupError, lambda: restoring(tmp_path / "no", tmp_path / "r")) == (
        "no_such_place"
    )
    assert not (tmp_path / "r").exists()


# Damage


def damaged(archive, tmp_path, change):
    raw = bytearray(archive.read_bytes())
    path = tmp_path / "damaged"
    changed = change(raw)
    path.write_bytes(bytes(raw if changed is None else changed))
    return path


def flipped(at):
    def flip(raw):
        raw[at] ^= 0x10

    return flip


@pytest.mark.parametrize("seed", range(24))
def test_one_flipped_bit_anywhere_is_found(archive, tmp_path, seed):
    at = Random(seed).randrange(archive.stat().st_size) if seed > 4 else (0, 20, 60, -1, -40)[seed]
    path = damaged(archive, tmp_path, flipped(at))
    with pytest.raises(FieldmeshError) as caught:
        restoring(path, tmp_path / "node")
    assert caught.value.code in ("backup_damaged", "not_a_backup")
    assert names(tmp_path) == ["damaged"]


@pytest.mark.parametrize("size", [0, 5, 19, 22, 60, 150, 5000, -1, -4096])
def test_a_backup_cut_short_is_found(archive, tmp_path, size):
    path = damaged(archive, tmp_path, lambda raw: raw[:size])
    assert refusal(FieldmeshError, lambda: restoring(path, tmp_path / "node")) in (
        "backup_damaged",
        "not_a_backup",
    )
    assert names(tmp_path) == ["damaged"]


def test_it_can_be_verified_without_being_restored(archive, tmp_path):
    assert verify(archive, PASSPHRASE, tmp_path).ok
    assert names(tmp_path) == []
    with pytest.raises(InputError, match="wrong_passphrase"):
        verify(archive, "battery", tmp_path)
    with pytest.raises(InputError, match="not_a_backup"):
        verify(Path(__file__), PASSPHRASE, tmp_path)
    assert names(tmp_path) == []


def test_a_copy_that_does_not_verify_is_no_backup(ledger: Ledger, tmp_path):
    def check(path, key):
        return replace(check_copy(path, key), ok=False, problems=("hash",))

    before = names(tmp_path)
    with pytest.raises(LedgerError, match="backup_failed"):
        backup(source_of(ledger), tmp_path / "backup", WALL_MS, check=check)
    assert names(tmp_path) == before
    assert last_backup_ms(tmp_path / "node") is None


def test_one_that_is_given_up_leaves_nothing(ledger: Ledger, tmp_path):
    before = names(tmp_path)
    with pytest.raises(LedgerError, match="stopped"):
        backup(source_of(ledger), tmp_path / "backup", WALL_MS, going_on=lambda: False)
    assert names(tmp_path) == before


def test_an_entry_altered_in_the_book_is_found_by_its_backup(ledger: Ledger, tmp_path):
    ledger.store.execute("UPDATE entry SET clock = clock + 1 WHERE arrival = 5")
    with pytest.raises(LedgerError, match="backup_failed"):
        backup(source_of(ledger), tmp_path / "backup", WALL_MS)
    assert not (tmp_path / "backup").exists()


# While it is written


@contextmanager
def being_written(ledger):
    """Write without a pause on this thread's behalf; yields what has been saved so far."""
    saved, done, failed = [], threading.Event(), []

    def write():
        try:
            while not done.is_set():
                record(ledger, 1000 + len(saved))
                saved.append(len(saved))
        except BaseException as error:
            failed.append(error)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        yield saved
    finally:
        done.set()
        writer.join()
    assert not failed


def test_one_made_while_the_book_is_written_is_a_moment_of_it(ledger: Ledger, tmp_path):
    lengths = []
    with being_written(ledger) as saved:
        for number in range(5):
            before = len(saved)
            backup(source_of(ledger), tmp_path / f"b{number}", WALL_MS)
            assert len(saved) > before, "nobody wrote meanwhile"
            lengths.append(before)
    all_hashes = hashes(ledger)
    for number, before in enumerate(lengths):
        folder = tmp_path / f"r{number}"
        restoring(tmp_path / f"b{number}", folder)
        other = opened(folder)
        held = hashes(other)
        assert held == all_hashes[: len(held)]
        # All that was saved when it began is in it.
        assert other.store.one("SELECT count(*) FROM patient")[0] >= 3 + before
        assert inspect(other).ok
        other.close()


def test_a_book_is_checked_while_it_is_written(ledger: Ledger, tmp_path):
    with being_written(ledger):
        found = check_running(source_of(ledger))
    assert found.ok
    assert found.entries >= 6
    assert not [name for name in names(tmp_path / "node") if name.startswith(".")]


def test_folding_the_log_waits_for_no_backup(ledger: Ledger, tmp_path):
    folded = []

    def going_on():
        record(ledger, 5000 + len(folded))
        asked_s = time.monotonic()
        ledger.store.checkpoint()
        folded.append(time.monotonic() - asked_s)
        return True

    backup(source_of(ledger), tmp_path / "backup", WALL_MS, going_on=going_on)
    assert max(folded) < BUSY_MS / 1000
    record(ledger, 4)
    ledger.store.checkpoint()
    assert not (tmp_path / "node" / "ledger.db-wal").stat().st_size


# What is on the disk


def test_no_name_stands_in_clear_in_any_file_of_a_folder_or_a_backup(tmp_path):
    folder = made(tmp_path / "node")
    ledger = opened(folder)
    record(ledger, *range(50), name=CANARY)
    backup(source_of(ledger), tmp_path / "backup", WALL_MS)
    key = ledger.store.key
    seen = {path.name: path.read_bytes() for path in (*folder.iterdir(), tmp_path / "backup")}
    restoring(tmp_path / "backup", tmp_path / "restored")
    seen |= {
        f"restored {path.name}": path.read_bytes() for path in (tmp_path / "restored").iterdir()
    }

    assert ledger.store.one("SELECT count(*) FROM patient WHERE name LIKE ?", (f"{CANARY}%",)) == (
        50,
    )
    assert {"ledger.db-wal", "ledger.db-shm"} <= set(seen)
    for name, raw in seen.items():
        for needle in (CANARY, CANARY.lower(), CANARY.upper()):
            for encoding in ("utf-8", "utf-16-le", "utf-16-be"):
                assert needle.encode(encoding) not in raw, name
        assert key not in raw, name
        assert key.hex().encode() not in raw.lower(), name
        assert PASSPHRASE.encode() not in raw, name
    ledger.close()


def test_a_backup_is_for_its_owner_alone_whatever_the_umask(ledger: Ledger, tmp_path):
    def check(path, key):
        assert not (path.stat().st_mode | path.parent.stat().st_mode) & 0o077
        return check_copy(path, key)

    before = os.umask(0)
    try:
        backup(source_of(ledger), tmp_path / "backup", WALL_MS, check=check)
        restoring(tmp_path / "backup", tmp_path / "restored")
    finally:
        os.umask(before)
    for path in (tmp_path / "backup", tmp_path / "restored", *(tmp_path / "restored").iterdir()):
        assert not path.stat().st_mode & 0o077, path


def test_a_killed_backup_leaves_no_file_of_that_name_and_the_next_one_works(
    ledger: Ledger, tmp_path
):
    program = (
        "import os, sys; from pathlib import Path;"
        "from protocols.ledger.backup import Source, backup\n"
        "def check(path, key): os._exit(9)\n"
        "source = Source(Path(sys.argv[1]), bytes.fromhex(sys.stdin.read()))\n"
        "backup(source, Path(sys.argv[2]), 0, check=check)"
    )
    source = source_of(ledger)
    killed = subprocess.run(
        [sys.executable, "-c", program, str(source.folder), str(tmp_path / "backup")],
        input=source.key.hex(),
        text=True,
        check=False,
    )
    assert killed.returncode == 9
    assert not (tmp_path / "backup").exists()
    backup(source, tmp_path / "backup", WALL_MS)
    written = ledger.chain.last_arrival
    assert restoring(tmp_path / "backup", tmp_path / "restored").entries == written
