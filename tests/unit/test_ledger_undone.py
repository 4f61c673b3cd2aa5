"""What is taken in hand and could not be written is taken up again, without a restart."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from random import Random

import pytest
import sqlcipher3

from protocols.errors import LedgerError
from protocols.feeds.lane import Lane
from protocols.ledger import book
from protocols.ledger import chain as chain_of_book
from protocols.ledger.chain import Chain
from protocols.ledger.founding import found_book
from protocols.ledger.place import DATABASE_NAME
from protocols.ledger.store import open_file
from tests.unit.forge import Author, opening, saying
from tests.unit.stage import WALL_MS, Device, fill
from tests.unit.test_ledger_chain import author_in, ends, received

KEY = bytes(32)
CHILDREN = 200


def on_disk(folder: Path) -> Device:
    """A device whose book is a file, and which gives up at once where somebody else writes."""
    store, chance = open_file(folder, KEY, create=True), Random("disk")
    entropy = chance.randbytes
    found_book(
        store, name="ann", org="Test", jurisdiction="XX", hq=False, entropy=entropy, wall_ms=WALL_MS
    )
    store.execute("PRAGMA busy_timeout=0")
    return Device("ann", store, 0)


def busy(folder: Path) -> closing[sqlcipher3.Connection]:
    """Another connection that is writing, until it is closed."""
    other = sqlcipher3.connect(str(folder / DATABASE_NAME), isolation_level=None)
    other.execute(f"PRAGMA key = \"x'{KEY.hex()}'\"")
    other.execute("BEGIN IMMEDIATE")
    return closing(other)


def much(device: Device, lane: Lane = Lane.ROUTINE) -> Author:
    author = author_in(device)
    for number in range(CHILDREN):
        author.write([opening(), saying(str(number))], lane=lane)
    return author


def merged(device: Device) -> int:
    ((count,),) = device.store.all("SELECT count(*) FROM note")
    return int(count)


def test_what_waits_to_be_merged_is_merged_after_a_merge_that_could_not_begin(tmp_path: Path):
    ann = on_disk(tmp_path)
    received(ann, much(ann))
    assert ann.ledger.behind and not merged(ann)

    with busy(tmp_path), pytest.raises(LedgerError):
        ann.ledger.catch_up()
    assert not ann.store.depth
    ann.ledger.catch_up_all()

    assert merged(ann) == CHILDREN
    assert ann.store.all("SELECT 1 FROM subject WHERE dirty = 1") == []
    assert ann.store.one("PRAGMA synchronous") == (2,)
    ann.store.close()


@pytest.mark.parametrize("lane", [Lane.ROUTINE, Lane.URGENT])
def test_what_waits_to_be_opened_is_opened_after_an_opening_that_could_not_begin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, lane: Lane
):
    ann = on_disk(tmp_path)
    monkeypatch.setattr(book.Ledger, "_open_all", lambda _: set())
    received(ann, much(ann, lane), lane)
    assert ann.ledger.behind and not merged(ann)

    with busy(tmp_path), pytest.raises(LedgerError):
        ann.ledger.catch_up()
    ann.ledger.catch_up_all()

    assert merged(ann) == CHILDREN
    ann.store.close()


def test_where_branches_end_is_known_after_a_transaction_that_wrote_it_down_and_failed(
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(chain_of_book, "ENDS_KEPT_MAX", 7)
    ann = Device.found("ann")
    fill(ann, 2)
    before, held = ends(Chain(ann.store)), ann.ledger.chain._ends_at

    def failing() -> None:
        with ann.ledger.atomic():
            fill(ann, 8, start=2)
            assert ann.ledger.chain._ends_at != held
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        failing()

    assert ends(ann.ledger.chain) == before == ends(Chain(ann.store))
    fill(ann, 3, start=2)
    assert ends(ann.ledger.chain) == ends(Chain(ann.store)) != before


def test_who_was_named_before_the_entry_that_begins_them_came_is_one_subject():
    ann = Device.found("ann")
    one, other = author_in(ann, "one"), author_in(ann, "other")
    first = one.write([opening(), saying("first")])
    other.write([opening(bytes(first.hash[:16])), saying("named")])

    received(ann, other)
    ann.restarted()
    received(ann, one)
    ann.ledger.catch_up_all()

    assert ann.store.all("SELECT count(*), count(DISTINCT subject) FROM note") == [(2, 1)]
