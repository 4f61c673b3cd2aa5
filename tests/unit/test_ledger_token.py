"""The installation token: a copy or a restored book is told from the one that was here."""

import multiprocessing
import os
import shutil
from dataclasses import replace

import pytest

from protocols.ledger import token
from protocols.ledger.book import Ledger
from protocols.ledger.folder import Machine, make_folder, open_folder, open_ledger
from protocols.ledger.store import Store
from protocols.ledger.token import TOKEN_NAME
from tests.unit.folders import (
    HERE,
    PASSPHRASE,
    epoch_of,
    founded,
    hashes,
    made,
    opened,
    record,
    start_again_and_again,
)

KILLS = 20


@pytest.fixture
def book(tmp_path):
    """A folder with a founded book."""
    return made(tmp_path / "node")


def copy_of(folder, name="copy"):
    return shutil.copytree(folder, folder.parent / name)


def test_a_clean_restart_goes_on_in_its_epoch(book):
    first = epoch_of(book)
    assert [epoch_of(book) for _ in range(3)] == [first] * 3


def test_every_start_has_a_token_of_its_own(book):
    seen = set()
    for _ in range(3):
        epoch_of(book)
        seen.add((book / TOKEN_NAME).read_bytes()[:16])
    assert len(seen) == 3


@pytest.mark.parametrize("opened_before", [True, False])
def test_a_copy_begins_an_epoch_of_its_own_and_the_original_goes_on(book, opened_before):
    if opened_before:
        epoch_of(book)
    copy = copy_of(book)

    original, other = epoch_of(book), epoch_of(copy)

    assert original != other
    assert epoch_of(book) == original
    assert epoch_of(copy) == other


def test_a_folder_copied_before_it_was_ever_opened_is_a_copy_too(tmp_path):
    first = tmp_path / "node"
    make_folder(first, PASSPHRASE, os.urandom, lambda _: HERE, founded)
    copies = [copy_of(first, f"card {number}") for number in range(2)]
    assert len({epoch_of(folder) for folder in (first, *copies)}) == 3


def test_a_copy_keeps_all_that_was_written_and_writes_on(book):
    ledger = opened(book)
    record(ledger, 1, 2)
    held = hashes(ledger)
    ledger.close()

    ledger = opened(copy_of(book))
    record(ledger, 3)
    assert hashes(ledger)[: len(held)] == held
    assert ledger.store.one("SELECT count(*) FROM patient") == (3,)
    # What the copy wrote is in a feed of its own, beside those it has from the original.
    assert [len(feed.tips) for feed in ledger.chain.feeds.values()] == [1] * 3
    ledger.close()


def test_why_is_told_once(book):
    epoch_of(book)
    copy = copy_of(book)
    told = []
    for _ in range(2):
        open_ledger(copy, PASSPHRASE, os.urandom, HERE, told.append).close()
    assert told == ["copied"]


def test_a_disk_in_another_machine_begins_a_new_epoch(book):
    here = epoch_of(book)
    there = epoch_of(book, Machine("board 2"))
    assert here != there
    assert epoch_of(book, Machine("board 2")) == there
    assert epoch_of(book) not in (here, there)


def test_an_older_state_put_back_in_place_begins_a_new_epoch(book):
    epoch_of(book)
    older = (book / "ledger.db").read_bytes()
    here = epoch_of(book)
    # Same file, same disk, same machine: only the token tells.
    epoch_of(book)
    (book / "ledger.db").write_bytes(older)
    assert epoch_of(book) != here


@pytest.mark.parametrize("content", [None, b"", b"x" * 48, bytes(48)])
def test_a_token_file_that_is_gone_or_another_begins_a_new_epoch(book, content):
    here = epoch_of(book)
    (book / TOKEN_NAME).unlink()
    if content is not None:
        (book / TOKEN_NAME).write_bytes(content)
    there = epoch_of(book)
    assert there != here
    assert epoch_of(book) == there


class Cut(Store):
    """The power fails before the database takes a new token."""

    def execute(self, sql, values=()):
        if "INTO meta VALUES ('token'" in sql:
            raise KeyboardInterrupt
        return super().execute(sql, values)


def cut_between_the_two_writes(folder):
    store, _ = open_folder(folder, PASSPHRASE, HERE)
    cut = Cut(store.connection, store.path)
    with pytest.raises(KeyboardInterrupt):
        token.renew(cut, folder, HERE.serial, os.urandom)
    store.close()


def test_power_cuts_between_the_two_writes_are_no_alarm(book):
    here = epoch_of(book)
    for _ in range(3):
        cut_between_the_two_writes(book)
    assert epoch_of(book) == here


def test_nor_is_one_at_the_very_first_start(tmp_path, book):
    store, _ = open_folder(book, PASSPHRASE, HERE)
    store.execute("DELETE FROM meta WHERE name = 'token'")
    here = bytes(Ledger(store).authority.epoch)
    store.close()
    (book / TOKEN_NAME).unlink()

    cut_between_the_two_writes(book)

    assert epoch_of(book) == here


def test_one_while_a_copy_is_opened_never_leaves_it_in_the_old_epoch(book):
    here = epoch_of(book)
    copy = copy_of(book)
    store, opening = open_folder(copy, PASSPHRASE, HERE)
    store.close()
    assert opening.moved == "copied"
    # Asking changes nothing, so that a cut before the epoch was begun asks again.
    assert epoch_of(copy) != here


def test_a_token_file_half_written_is_never_seen(book):
    here = epoch_of(book)
    (book / (TOKEN_NAME + ".new")).write_bytes(b"half")
    assert epoch_of(book) == here
    assert not (book / (TOKEN_NAME + ".new")).exists()


def test_kill_9_at_any_moment_of_a_start_is_no_alarm(book):
    here = epoch_of(book)
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["tests.unit.folders"])
    for number in range(KILLS):
        ready = context.Event()
        process = context.Process(target=start_again_and_again, args=(book, ready))
        process.start()
        ready.wait()
        # A start takes some 10 ms here; each kill meets another part of one.
        process.join(0.005 + 0.0037 * number)
        process.kill()
        process.join()
        assert epoch_of(book) == here, number


def test_what_names_the_machine_is_not_kept_in_clear(book):
    epoch_of(book, replace(HERE, serial="SERIAL-4711"))
    assert all(b"SERIAL-4711" not in path.read_bytes() for path in book.iterdir())
