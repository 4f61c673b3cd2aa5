"""The whole look at a book: well when it is, and each kind of damage named."""

import os
from collections.abc import Iterator

import pytest

from protocols.ids import PatientId
from protocols.ledger.book import Ledger
from protocols.ledger.inspection import PROBLEMS_MAX, check, check_copy, inspect
from protocols.ledger.place import DATABASE_NAME
from protocols.ledger.recording import Recorder
from tests.unit.folders import WALL_MS, hashes, made, opened, record


@pytest.fixture
def ledger(tmp_path) -> Iterator[Ledger]:
    """An open book with forty patients, so that some signatures are thinned."""
    ledger = opened(made(tmp_path / "node"))
    record(ledger, *range(40))
    yield ledger
    ledger.close()


def write(ledger, line):
    (answer,), *_ = Recorder(ledger).record([line], WALL_MS, os.urandom)
    assert answer.ok, answer


def first(ledger):
    """The patient who was registered first."""
    return str(PatientId(ledger.store.one("SELECT id FROM patient ORDER BY changed")[0]))


def codes(found):
    return {problem.split()[0] for problem in found.problems}


def test_an_honest_book_is_well_and_stays_as_it_was(ledger: Ledger):
    # The first patient is the last that changed, which a rebuild would not know.
    write(
        ledger,
        {
            "v": 1,
            "kind": "patient.identify",
            "key": "later",
            "patient": first(ledger),
            "data": {"given_name": "Later"},
        },
    )
    changed = ledger.store.all("SELECT id, changed FROM patient ORDER BY id")

    found = inspect(ledger)

    assert found.ok
    assert found.rows_equal
    assert found.problems == ()
    assert found.entries == len(hashes(ledger)) == 46
    assert found.feeds == 2
    assert 3 < found.signatures < 44
    assert ledger.store.all("SELECT id, changed FROM patient ORDER BY id") == changed
    record(ledger, 100)
    assert inspect(ledger).ok


@pytest.mark.parametrize(
    ("statement", "code"),
    [
        ("UPDATE entry SET body = zeroblob(length(body)) WHERE arrival = 10", "hash"),
        ("UPDATE entry SET clock = clock + 1 WHERE arrival = 10", "hash"),
        ("UPDATE entry SET seq = seq + 100 WHERE arrival = 10", "link"),
        ("UPDATE entry SET parent = 3 WHERE arrival = 10", "link"),
        ("UPDATE entry SET parent = 0 WHERE arrival = 10", "link"),
        ("UPDATE entry SET feed = 99 WHERE arrival = 10", "feed"),
        ("DELETE FROM entry WHERE arrival = 10", "link"),
        ("UPDATE entry SET signature = zeroblob(64) WHERE arrival = 45", "signature"),
        ("UPDATE entry SET signature = NULL WHERE arrival = 45", "unsigned"),
        ("INSERT INTO branch_end VALUES (2, 90, zeroblob(32), 90, 1)", "head"),
        ("DELETE FROM entry WHERE arrival = 45", "lost"),
    ],
)
def test_an_altered_history_is_found(ledger: Ledger, statement, code):
    ledger.store.execute(statement)
    found = check(ledger.store)
    assert not found.ok
    assert code in codes(found)
    assert not inspect(ledger).ok


def test_an_altered_row_is_found_and_built_anew(ledger: Ledger):
    ledger.store.execute(
        "UPDATE patient SET name = 'Somebody else' WHERE id IN "
        "(SELECT id FROM patient ORDER BY id LIMIT 1)"
    )

    found = inspect(ledger)

    assert found.problems == ("rows patient",)
    assert found.rows_equal is False
    assert not found.ok
    assert ledger.store.one("SELECT count(*) FROM patient WHERE name = 'Somebody else'") == (0,)
    assert inspect(ledger).ok


def test_a_row_that_is_gone_or_too_many_is_found(ledger: Ledger):
    ledger.store.execute("DELETE FROM patient WHERE id IN (SELECT id FROM patient LIMIT 1)")
    assert inspect(ledger).problems == ("rows patient",)
    assert ledger.store.one("SELECT count(*) FROM patient") == (40,)


def test_many_problems_are_listed_up_to_a_limit_and_counted(ledger: Ledger):
    record(ledger, *range(1000, 1000 + PROBLEMS_MAX))
    ledger.store.execute("UPDATE entry SET clock = clock + 1")
    found = check(ledger.store)
    assert len(found.problems) == PROBLEMS_MAX + 1
    assert found.problems[-1].startswith("more ")


def test_nothing_of_a_patient_is_in_what_it_says(ledger: Ledger):
    ledger.store.execute("UPDATE entry SET clock = clock + 1")
    assert "Amina" not in repr(inspect(ledger))


@pytest.mark.parametrize("page", [1, 5, 20, 40])
def test_a_flipped_byte_of_the_file_is_found(tmp_path, page):
    folder = made(tmp_path / "node")
    ledger = opened(folder)
    record(ledger, *range(40))
    key = ledger.store.key
    ledger.close()
    path = folder / DATABASE_NAME
    raw = bytearray(path.read_bytes())
    raw[page * 4096 + 100] ^= 1
    path.write_bytes(raw)

    found = check_copy(path, key)

    assert not found.ok
    assert codes(found) <= {"integrity", "altered_page", "damaged", "book_failed"}


def test_what_is_no_book_at_all_is_not_well(tmp_path):
    (tmp_path / "noise").write_bytes(os.urandom(20_000))
    assert check_copy(tmp_path / "noise", bytes(32)).problems == ("wrong_key",)
    (tmp_path / "empty").write_bytes(b"")
    assert not check_copy(tmp_path / "empty", bytes(32)).ok
