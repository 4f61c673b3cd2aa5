"""The data folder: whole or not there, opened by its passphrase alone, and by one process."""

import os
import stat
import subprocess
import sys
from contextlib import suppress

import pytest

from protocols.errors import FieldmeshError, InputError, LedgerError, SetupError
from protocols.ids import DeviceId
from protocols.ledger import folder as folders
from protocols.ledger.folder import (
    MAKING_NAME,
    building,
    change_passphrase,
    create_folder,
    fits,
    lock_for_good,
    make_folder,
)
from protocols.ledger.keyfile import (
    KEY_NAME,
    RECOVERY_NAME,
    keep_recovery,
    read_key,
    recovered,
    recovers_with,
)
from protocols.ledger.place import DATABASE_NAME, UNATTENDED_NAME
from protocols.ledger.safefile import write_whole
from protocols.ledger.store import LOCK_NAME, open_file
from protocols.ledger.token import TOKEN_NAME
from protocols.trust.identity import DeviceKeys
from tests.unit.folders import (
    HERE,
    PASSPHRASE,
    cheap_key,
    founded,
    hashes,
    made,
    names,
    opened,
    record,
)

MADE = sorted((DATABASE_NAME, KEY_NAME, LOCK_NAME, TOKEN_NAME))


@pytest.fixture
def book(tmp_path):
    """A folder with a founded book."""
    return made(tmp_path / "node")


def make(folder, found=founded) -> DeviceId:
    return make_folder(folder, PASSPHRASE, os.urandom, lambda _: HERE, found)


def refusal(kind, run):
    with pytest.raises(kind) as caught:
        run()
    return caught.value.code


# Making


def test_nobody_else_can_read_any_file_of_it_whatever_the_umask(tmp_path):
    folder = tmp_path / "deep" / "node"
    before = os.umask(0)
    try:
        make_folder(folder, PASSPHRASE, os.urandom, lambda _: HERE, founded, unattended=True)
        ledger = opened(folder)
        record(ledger, 1)
    finally:
        os.umask(before)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    found = {path.name: stat.S_IMODE(path.stat().st_mode) for path in folder.iterdir()}
    assert {UNATTENDED_NAME, "ledger.db-wal", "ledger.db-shm"} <= set(found)
    assert set(found.values()) == {0o600}
    ledger.close()


def test_it_holds_a_book_a_locked_key_and_a_token(book):
    assert names(book) == MADE


def test_a_book_is_never_made_over_another(book):
    assert refusal(SetupError, lambda: make(book)) == "book_exists"
    assert refusal(SetupError, lambda: create_folder(book, PASSPHRASE, os.urandom)) == "book_exists"


def test_a_folder_with_anything_in_it_is_refused_and_left_alone(tmp_path):
    (tmp_path / "photo.jpg").write_bytes(b"mine")
    assert refusal(SetupError, lambda: make(tmp_path)) == "folder_not_empty"
    assert refusal(SetupError, lambda: make(tmp_path / "photo.jpg")) == "folder_not_empty"
    assert names(tmp_path) == ["photo.jpg"]


def test_an_empty_folder_that_is_there_is_used(tmp_path):
    make(tmp_path)
    assert names(tmp_path) == MADE


@pytest.mark.parametrize("there", [True, False])
def test_what_fails_on_the_way_leaves_nothing(tmp_path, there):
    folder = tmp_path / "node"
    if there:
        folder.mkdir()

    def fail(store):
        founded(store)
        raise InputError("bad_name")

    assert refusal(InputError, lambda: make(folder, fail)) == "bad_name"
    assert folder.exists() is there
    assert not there or names(folder) == []


@pytest.mark.parametrize("moved_up", [(), (KEY_NAME,), (KEY_NAME, TOKEN_NAME)])
def test_what_a_power_cut_left_half_made_is_made_anew(tmp_path, moved_up):
    folder = tmp_path / "node"
    folder.mkdir()
    cut_off = made(tmp_path / "other")
    cut_off.rename(folder / MAKING_NAME)
    for name in moved_up:
        (folder / MAKING_NAME / name).rename(folder / name)

    make(folder)

    assert names(folder) == MADE
    assert fits(folder, PASSPHRASE)


def test_two_that_make_the_same_folder_do_not_meet(tmp_path):
    folder = tmp_path / "node"
    with building(folder) as place:
        (place / "half").write_bytes(b"")
        assert refusal(LedgerError, lambda: make(folder)) == "in_use"
        (place / "half").unlink()
        (place / DATABASE_NAME).write_bytes(b"whole")
    assert (folder / DATABASE_NAME).read_bytes() == b"whole"


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_place_that_is_not_ours_is_named_so(tmp_path):
    tmp_path.chmod(0o500)
    assert refusal(SetupError, lambda: make(tmp_path / "node")) == "place_closed"


# Opening


def test_the_passphrase_opens_it_and_another_does_not(book):
    opened(book).close()
    assert refusal(InputError, lambda: opened(book, passphrase="battery")) == "wrong_passphrase"
    assert refusal(InputError, lambda: opened(book, passphrase="")) == "wrong_passphrase"
    opened(book).close()
    assert fits(book, PASSPHRASE)
    assert not fits(book, "battery")


def test_without_a_passphrase_it_opens_only_where_that_was_chosen(book, tmp_path):
    assert refusal(InputError, lambda: opened(book, passphrase=None)) == "no_passphrase"
    other = made(tmp_path / "other", unattended=True)
    opened(other, passphrase=None).close()
    opened(other).close()


@pytest.mark.parametrize("folder", ["missing", "."])
def test_a_folder_without_a_book_says_so(tmp_path, folder):
    assert refusal(SetupError, lambda: opened(tmp_path / folder)) == "no_book"
    assert names(tmp_path) == []


@pytest.mark.parametrize("name", [KEY_NAME, UNATTENDED_NAME])
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620])
def test_a_key_that_others_can_reach_is_refused(tmp_path, name, mode):
    folder = made(tmp_path / "node", unattended=True)
    (folder / name).chmod(mode)
    passphrase = PASSPHRASE if name == KEY_NAME else None
    assert refusal(SetupError, lambda: opened(folder, passphrase=passphrase)) == "key_readable"


@pytest.mark.parametrize(
    ("content", "code"),
    [(None, "no_key_file"), (b"", "key_damaged"), (b"x" * 97, "key_damaged")],
)
def test_a_key_file_that_is_gone_or_no_key_is_named_so(book, content, code):
    (book / KEY_NAME).unlink()
    if content is not None:
        write_whole(book / KEY_NAME, content)
    assert refusal(SetupError, lambda: opened(book)) == code


def test_a_key_of_another_book_does_not_open_it(book):
    cheap_key(book, bytes(32))
    assert refusal(LedgerError, lambda: opened(book)) == "wrong_key"
    assert refusal(LedgerError, lambda: opened(book)) == "wrong_key"


def test_a_book_that_is_no_database_is_named_so(book):
    (book / DATABASE_NAME).write_bytes(os.urandom(8192))
    assert refusal(LedgerError, lambda: opened(book)) == "wrong_key"


def test_a_book_of_which_nothing_is_left_is_damaged_and_is_not_begun_anew(book):
    (book / DATABASE_NAME).write_bytes(b"")
    assert refusal(LedgerError, lambda: opened(book)) == "damaged"
    assert (book / DATABASE_NAME).read_bytes() == b""


def test_the_second_is_told_at_once_that_it_is_in_use(book):
    first = opened(book)
    # The wrong passphrase shows that none was tried.
    assert refusal(LedgerError, lambda: opened(book, passphrase="battery")) == "in_use"
    record(first, 1)
    first.close()
    opened(book).close()


def test_a_second_process_is_told_so_too(book):
    first = opened(book)
    program = (
        "import os, sys; from pathlib import Path;"
        "from protocols.ledger.folder import Machine, open_ledger\n"
        "try: open_ledger(Path(sys.argv[1]), 'battery', os.urandom, Machine(''))\n"
        "except Exception as error: print(error)"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, str(book)], capture_output=True, text=True, check=True
    )
    first.close()
    assert said.stdout == "in_use\n"


def test_what_is_refused_lets_go_of_the_folder(book):
    (book / KEY_NAME).rename(book / "aside")
    for _ in range(3):
        with pytest.raises(FieldmeshError):
            opened(book)
    (book / "aside").rename(book / KEY_NAME)
    opened(book).close()


# Its key


def test_a_changed_passphrase_counts_at_once_even_while_it_is_open(book):
    ledger = opened(book)
    record(ledger, 1)
    held = hashes(ledger)

    change_passphrase(book, PASSPHRASE, "new words", os.urandom)

    record(ledger, 2)
    ledger.close()
    assert not fits(book, PASSPHRASE)
    ledger = opened(book, passphrase="new words")
    assert hashes(ledger)[: len(held)] == held
    ledger.close()


def test_only_who_knows_the_passphrase_changes_it(book):
    before = (book / KEY_NAME).read_bytes()
    assert refusal(
        InputError, lambda: change_passphrase(book, "battery", "new words", os.urandom)
    ) == ("wrong_passphrase")
    assert (book / KEY_NAME).read_bytes() == before


def test_the_panic_key_leaves_nothing_that_opens_the_book(tmp_path):
    folder = made(tmp_path / "node", unattended=True)
    ledger = opened(folder)
    key = ledger.store.key
    (folder / (UNATTENDED_NAME + ".new")).write_bytes(key)

    lock_for_good(folder)

    record(ledger, 1)
    ledger.close()
    assert names(folder) == sorted((DATABASE_NAME, LOCK_NAME, TOKEN_NAME))
    assert all(key not in path.read_bytes() for path in folder.iterdir())
    assert refusal(SetupError, lambda: opened(folder)) == "no_key_file"
    assert refusal(InputError, lambda: opened(folder, passphrase=None)) == "no_passphrase"
    lock_for_good(folder)


def test_a_coordinator_recovers_what_the_panic_key_locked_and_nobody_else(book):
    coordinator, other = (DeviceKeys.from_entropy(bytes([n] * 64)) for n in (1, 2))
    key = read_key(book, PASSPHRASE)
    keep_recovery(book, key, coordinator.agree_public, os.urandom)
    lock_for_good(book)
    sealed = (book / RECOVERY_NAME).read_bytes()

    assert recovers_with(book) == coordinator.agree_public
    assert key not in sealed
    for damaged in (b"", sealed[:40], sealed[:-1] + bytes([sealed[-1] ^ 1])):
        with pytest.raises(InputError, match="not_for_us"):
            recovered(damaged, coordinator.agree_secret, "new words", os.urandom)
    with pytest.raises(InputError, match="not_for_us"):
        recovered(sealed, other.agree_secret, "new words", os.urandom)
    write_whole(
        book / KEY_NAME, recovered(sealed, coordinator.agree_secret, "new words", os.urandom)
    )
    opened(book, passphrase="new words").close()


# Full and failing disks


def test_a_full_disk_is_named_and_the_old_file_stands(tmp_path):
    write_whole(tmp_path / "key", b"old")
    # A limit on the size of a file is the full disk that needs no privilege.
    program = (
        "import resource, sys; from pathlib import Path;"
        "from protocols.ledger.safefile import write_whole\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))\n"
        "try: write_whole(Path(sys.argv[1]), bytes(10000))\n"
        "except Exception as error: print(error)"
    )
    said = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "key")],
        capture_output=True,
        text=True,
        check=True,
    )
    assert said.stdout == "disk_full\n"
    assert names(tmp_path) == ["key"]
    assert (tmp_path / "key").read_bytes() == b"old"


def test_a_full_book_refuses_writes_keeps_what_it_said_and_reads_on(book):
    ledger = opened(book)
    record(ledger, 1)
    pages = ledger.store.one("PRAGMA page_count")[0]
    ledger.store.execute(f"PRAGMA max_page_count={pages + 2}")
    saved = 1
    with suppress(AssertionError):
        for number in range(2, 400):
            record(ledger, number)
            saved = number
    held = hashes(ledger)

    assert patients(ledger) == saved < 399
    ledger.store.execute("PRAGMA max_page_count=1000000")
    record(ledger, 1000)
    assert patients(ledger) == saved + 1
    assert hashes(ledger)[: len(held)] == held
    ledger.close()


def patients(ledger):
    return ledger.store.one("SELECT count(*) FROM patient")[0]


def test_the_rooms_names_are_those_a_folder_may_hold():
    assert {KEY_NAME, UNATTENDED_NAME, TOKEN_NAME} == folders._OURS


def test_a_store_opened_without_a_lock_takes_one(book):
    key = read_key(book, PASSPHRASE)
    store = open_file(book, key)
    assert refusal(LedgerError, lambda: open_file(book, key)) == "in_use"
    store.close()
    assert refusal(SetupError, lambda: open_file(book, key, create=True)) == "book_exists"
