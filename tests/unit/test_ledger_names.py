"""An entry is found by its name wherever the name is kept: in memory, in the index, in both."""

from __future__ import annotations

from hashlib import blake2b

import pytest

from protocols.ledger import names as kept_names
from protocols.ledger.names import Names
from protocols.ledger.store import Store
from tests.unit.stage import Device, fill


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(kept_names, "KEPT_MAX", 10)
    return Device.found("ann").store


def digest(number: int, start: bytes = b"") -> bytes:
    return (start + blake2b(number.to_bytes(4)).digest())[:32]


def stored(store: Store, *hashes: bytes) -> list[tuple[bytes, int]]:
    """Entries of which only hash and arrival matter here."""
    found = []
    for each in hashes:
        arrival = store.execute(
            "INSERT INTO entry (feed, seq, parent, hash, kind, dictionary, clock, scope_key)"
            " VALUES (99, 1, 0, ?, 1, 0, 0, 0)",
            (each,),
        ).lastrowid
        found.append((each, arrival))
    return found


def indexed(store: Store) -> int:
    row = store.one("SELECT count(*) FROM name")
    assert row is not None
    return int(row[0])


def test_every_entry_is_found_before_and_after_its_name_is_written_down(store: Store):
    names, added = Names(store), []
    for number in range(47):
        each = stored(store, digest(number))
        names.add(each)
        added += each
        assert all(names.find(name[:16]) == arrival for name, arrival in added)

    assert indexed(store) > 0
    again = Names(store)
    wanted = {name[:16]: arrival for name, arrival in added}
    assert names.find_all(wanted) == again.find_all(wanted) == wanted


def test_a_name_that_only_begins_like_another_is_not_it(store: Store):
    names = Names(store)
    alike = stored(store, *(digest(number, b"same") for number in range(25)))
    names.add(alike[:20])
    names.add(alike[20:])

    assert indexed(store) >= 20
    assert {names.find(name[:16]) for name, _ in alike} == {arrival for _, arrival in alike}
    assert names.find(digest(99, b"same")[:16]) is None
    assert names.find_all([digest(98)[:16]]) == {}


def test_names_are_written_down_in_few_pieces(store: Store, monkeypatch: pytest.MonkeyPatch):
    asked: list[str] = []
    names, execute = Names(store), store.executemany
    monkeypatch.setattr(
        store, "executemany", lambda sql, rows: (asked.append(sql), execute(sql, rows))
    )

    for number in range(100):
        names.add(stored(store, digest(number)))

    assert len(asked) <= 10


def test_what_is_undone_is_not_found(store: Store, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(kept_names, "KEPT_MAX", 4)
    ann = Device.found("ann")
    fill(ann, 9)
    before = ann.entries
    lost: set[bytes] = set()

    def fill_and_fail() -> None:
        with ann.ledger.atomic():
            fill(ann, 5, start=50)
            lost.update(ann.entries - before)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fill_and_fail()

    assert lost
    names = ann.ledger.chain.names
    assert names.find_all([each[:16] for each in lost]) == {}
    assert len(names.find_all([each[:16] for each in before])) == len(before)
