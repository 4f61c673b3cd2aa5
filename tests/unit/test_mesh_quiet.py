"""What a mesh leaves undone: work for links and books that nothing has happened to."""

from __future__ import annotations

import pytest

from protocols.ledger import advancing
from protocols.ledger.store import open_memory
from protocols.mesh.keeping import FLUSH_MS, SHOWN_FLUSH_MS
from protocols.mesh.session import Session
from tests.unit.stage import Device, meshed, patient

MINUTE_MS = 60_000
NAMES = ("ann", "ben", "eve", "joe", "zoe")


def written(device: Device) -> dict[bytes, int]:
    """How far the book says, on its disk, that each peer holds ours."""
    return dict(device.store.all("SELECT device, they_hold FROM peer"))


def known(device: Device) -> dict[bytes, int]:
    """The same as the node knows it."""
    return {bytes(each.device): each.they_hold for each in device.ledger.peers.all.values()}


def test_only_sessions_that_something_happened_to_are_pumped(monkeypatch: pytest.MonkeyPatch):
    stage, (ann, *_) = meshed(NAMES)
    stage.run(5 * MINUTE_MS)
    pumped: list[Session] = []
    pump = Session.pump
    monkeypatch.setattr(
        Session, "pump", lambda session, now_ms: (pumped.append(session), pump(session, now_ms))[1]
    )
    before = stage.messages

    stage.write(ann, patient("to all"))
    stage.run(1_000)

    messages = stage.messages - before
    assert messages >= 2 * (len(NAMES) - 1)
    # A message is said by one session and taken by another; every other link is left alone.
    assert len(pumped) <= 2 * messages


def test_what_is_known_of_peers_is_written_down_seldom_and_at_hq_each_minute():
    stage, (hq, ben, *_) = meshed(NAMES, hq=True)
    stage.run(2 * FLUSH_MS)
    assert written(hq) == known(hq) and written(ben) == known(ben)
    stage.write(ben, patient("new"))
    stage.write(hq, patient("new too"))
    stage.run(SHOWN_FLUSH_MS + 1_000)

    assert written(hq) == known(hq)
    assert written(ben) != known(ben)

    stage.run(FLUSH_MS)
    assert written(ben) == known(ben)


def test_hq_says_at_once_of_a_node_that_it_never_met_before_when_it_last_linked():
    stage, (hq, *others) = meshed(NAMES, hq=True)
    stage.run(1_000)

    met = dict(hq.store.all("SELECT device, last_contact_ms FROM peer"))
    assert all(met[bytes(each.id)] for each in others)


def test_the_book_is_asked_once_whether_anything_came_ahead(monkeypatch: pytest.MonkeyPatch):
    stage, (ann, ben, *_) = meshed(NAMES)
    stage.run(5 * MINUTE_MS)
    asked: list[str] = []
    for device in (ann, ben):
        every = device.store.all
        monkeypatch.setattr(
            device.store,
            "all",
            lambda sql, *of, every=every: (asked.append(sql), every(sql, *of))[1],
        )

    for number in range(5):
        stage.write(ann, patient(f"P{number}"))
        stage.run(MINUTE_MS)

    assert not [sql for sql in asked if "advance" in sql]
    assert not advancing.settle(ben.ledger, ann.id)


def test_a_part_of_a_transaction_that_fails_says_so_and_the_rest_goes_on():
    store = open_memory()
    store.execute("CREATE TABLE kept (word TEXT)")
    failed: list[str] = []
    with store.atomic(failed=lambda: failed.append("whole")):
        store.execute("INSERT INTO kept VALUES ('before')")
        with (
            pytest.raises(ZeroDivisionError),
            store.atomic(failed=lambda: failed.append("part")),
            store.atomic(),
        ):
            _ = 1 / 0
        store.execute("INSERT INTO kept VALUES ('after')")
    assert failed == ["part"]
    assert store.all("SELECT word FROM kept") == [("before",), ("after",)]

    def write_and_fail() -> None:
        with (
            store.atomic(failed=lambda: failed.append("whole")),
            store.atomic(failed=lambda: failed.append("part")),
        ):
            store.execute("INSERT INTO kept VALUES ('never')")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        write_and_fail()
    assert failed == ["part", "part", "whole"]
    assert not store.depth
    assert store.all("SELECT word FROM kept") == [("before",), ("after",)]


def test_a_link_that_ends_is_no_session_any_more():
    stage, (ann, ben, *_) = meshed(NAMES)
    stage.run(MINUTE_MS)
    board = ann.node._board
    assert ben.id in {each.peer for each in board.sessions()}

    stage.cut(ann, ben)
    stage.run(MINUTE_MS)

    assert ben.id not in {each.peer for each in board.sessions()}
    assert ann.id not in {each.peer for each in ben.node._board.sessions()}
    stage.link(ann, ben)
    stage.run(MINUTE_MS)
    assert [each.peer for each in board.sessions()].count(ben.id) == 1
