"""What is derived need not be waited for; everything else is, before and after it."""

from pathlib import Path

import pytest

from protocols.errors import LedgerError
from protocols.ledger.store import Store, open_file

KEY = bytes(32)
NORMAL, FULL = 1, 2


def _level(store: Store) -> int:
    row = store.one("PRAGMA synchronous")
    assert row is not None
    return int(row[0])


def test_only_what_is_derived_is_not_waited_for(tmp_path: Path) -> None:
    store = open_file(tmp_path, KEY, create=True)
    with store.atomic(derived=True):
        assert _level(store) == NORMAL
    assert _level(store) == FULL
    with store.atomic():
        assert _level(store) == FULL
        with store.atomic(derived=True):
            assert _level(store) == FULL
    store.close()


def test_a_failed_one_leaves_nothing_behind_and_the_next_is_waited_for(tmp_path: Path) -> None:
    store = open_file(tmp_path, KEY, create=True)
    store.execute("CREATE TABLE said (word TEXT)")
    with pytest.raises(LedgerError), store.atomic(derived=True):
        store.executemany("INSERT INTO said VALUES (?)", [("half",), ("one", "too many")])
    assert _level(store) == FULL
    assert store.one("SELECT count(*) FROM said") == (0,)
    store.close()
