"""A line sent again is answered as before wherever the place of its answer is kept."""

from __future__ import annotations

from typing import Any

import pytest
from sqlite_utils import Database

from protocols.ledger import answers as kept_answers
from protocols.ledger.answers import Answers
from protocols.ledger.schema import m005_answers_in_order
from protocols.ledger.store import Store, open_memory
from tests.unit.stage import WALL_MS, Device, patient


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setattr(kept_answers, "KEPT_MAX", 10)
    return Device.found("ann").store


def placed(store: Store) -> int:
    row = store.one("SELECT count(*) FROM answer_place")
    assert row is not None
    return int(row[0])


def slot(number: int) -> int:
    """Somewhere in the range, in no order."""
    return number * 0x9E3779B97F4A7C15 % (1 << 63)


def test_every_answer_is_found_before_and_after_its_place_is_written_down(store: Store) -> None:
    answers = Answers(store)
    given = {slot(number): (b"line %d" % number, b"answer %d" % number) for number in range(47)}
    for at, (content, answer) in given.items():
        answers.keep(at, content, answer)

    assert placed(store) == 40
    for held in (answers, Answers(store)):
        assert {at: held.find(at) for at in given} == given
        assert held.find(slot(99)) is None


def test_an_answer_that_was_erased_is_not_another_ones(store: Store) -> None:
    answers = Answers(store)
    for number in range(25):
        answers.keep(slot(number), b"line", b"%d" % number)
    store.execute("DELETE FROM answered WHERE no > 5")

    for new in range(100, 118):
        Answers(store).keep(slot(new), b"line", b"%d" % new)
        held = Answers(store)
        assert all(held.find(slot(number)) is None for number in range(5, 25))
        for number in (*range(5), *range(100, new + 1)):
            assert held.find(slot(number)) == (b"line", b"%d" % number)


def test_answers_of_an_older_book_are_found(monkeypatch: pytest.MonkeyPatch) -> None:
    store = open_memory()
    for statement in (
        "CREATE TABLE meta (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID",
        "CREATE TABLE answered"
        " (slot INTEGER PRIMARY KEY, content BLOB NOT NULL, answer BLOB NOT NULL)",
    ):
        store.execute(statement)
    store.executemany(
        "INSERT INTO answered VALUES (?,?,?)",
        [(slot(number), b"line", b"%d" % number) for number in range(30)],
    )

    m005_answers_in_order(Database(store.connection))

    answers = Answers(store)
    assert not answers._kept
    assert [answers.find(slot(number)) for number in range(30)] == [
        (b"line", b"%d" % number) for number in range(30)
    ]


def test_a_line_whose_transaction_failed_is_written_when_it_is_sent_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(kept_answers, "KEPT_MAX", 3)
    ann = Device.found("ann")
    lines = [patient(f"P{number}") | {"key": f"k{number}"} for number in range(4)]

    def record(count: int = 4) -> list[Any]:
        some = lines[:count]
        answers, _, _ = ann.node._recorder.record(some, WALL_MS, ann.chance.randbytes)
        return answers

    record(1)

    def failing() -> None:
        with ann.ledger.atomic():
            record()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        failing()

    first, again = record(), record()
    assert [answer.repeated for answer in first] == [True, False, False, False]
    assert all(answer.ok for answer in first)
    assert [answer.id for answer in again] == [answer.id for answer in first]
    assert all(answer.repeated for answer in again)
