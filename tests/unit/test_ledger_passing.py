"""A long delivery passes through: it is found like any other, and nothing of it stays at hand."""

from __future__ import annotations

from protocols.ledger import book, opening
from protocols.ledger.book import Ledger
from protocols.ledger.given import GivenBook
from protocols.ledger.immunization import plan_in_use
from protocols.ledger.store import Store
from tests.unit.forge import Author, device_keys, doc_of, saying
from tests.unit.forge import opening as founding
from tests.unit.stage import WALL_MS, Device, fill, linked, triage
from tests.unit.test_ledger_given import Village, as_read
from tests.unit.test_ledger_kept import tables

SUBJECTS = 300


def author(device: Device, name: str = "one") -> Author:
    authority = device.ledger.authority
    return Author(
        device_keys(name),
        authority.care_scope,
        *authority.write_key(authority.care_scope),
    )


def delivered(device: Device, *, until: int = SUBJECTS) -> list:
    """Take in many charts and a second note in each, without merging any; return their starts."""
    one = author(device)
    starts = [one.write([founding(), saying(f"first {at}")]) for at in range(until)]
    later = [one.write([saying(f"second {at}")], [start]) for at, start in enumerate(starts)]
    device.ledger.take([one.run(*starts, *later)], WALL_MS)
    while not device.ledger.only_merging_left:
        device.ledger.catch_up(merge=False)
    return starts


def merged(device: Device) -> None:
    device.ledger.catch_up_all()


def test_rows_are_the_same_whether_it_passes_through_or_is_kept(monkeypatch):
    kept, passed = Device.found("ann"), Device.found("ann")
    for device, most in ((kept, 1 << 30), (passed, 1)):
        monkeypatch.setattr(book, "PASSING_FROM", most)
        delivered(device)
        merged(device)

    assert tables(kept) == tables(passed)
    assert kept.care == passed.care
    assert kept.ledger.rows.last_change == passed.ledger.rows.last_change
    assert len(kept.ledger.merger._cache) == SUBJECTS
    # The last batch leaves nothing waiting, so it is kept.
    assert len(passed.ledger.merger._cache) <= book.MERGE_BATCH
    assert passed.ledger.merger._cached_entries == 2 * len(passed.ledger.merger._cache)
    assert len(passed.ledger.rows._kept) <= book.MERGE_BATCH
    assert not passed.ledger.behind


def test_who_passed_through_is_written_about_as_if_they_were_at_hand(monkeypatch):
    monkeypatch.setattr(book, "PASSING_FROM", 1)
    ann = Device.found("ann")
    starts = delivered(ann)
    merged(ann)
    assert starts[0].hash[:16] not in ann.ledger.merger._numbers

    other = author(ann, "other")
    third = other.write([saying("third")], [starts[0]])
    ann.ledger.take([other.run(third)], WALL_MS)
    merged(ann)

    said = ann.store.all(
        "SELECT n.text FROM note n JOIN subject s ON s.no = n.subject WHERE s.id = ?",
        (bytes(doc_of(starts[0])),),
    )
    assert sorted(said) == [("first 0",), ("second 0",), ("third",)]
    before = tables(ann)
    ann.ledger.rebuild_rows()
    assert tables(ann) == before


def test_what_was_just_begun_is_merged_without_asking_the_book_where_it_is(monkeypatch):
    ann = Device.found("ann")
    delivered(ann, until=100)
    asked: list[str] = []
    read = Store.all

    def noted(store: Store, sql: str, values=()):
        asked.append(sql)
        return read(store, sql, values)

    monkeypatch.setattr(Store, "all", noted)
    merged(ann)

    assert not [sql for sql in asked if "FROM subject" in sql or "FROM document" in sql]
    assert ann.store.one("SELECT count(*) FROM note") == (200,)


def test_more_prefixes_than_are_remembered_cost_nothing_but_a_question(monkeypatch):
    monkeypatch.setattr(opening, "PREFIXES_KEPT", 64)
    ann = Device.found("ann")
    starts = delivered(ann)
    assert len(ann.ledger.opener._docs) <= 64 + book.OPEN_BATCH
    merged(ann)

    other = author(ann, "other")
    again = [other.write([saying(f"third {at}")], [start]) for at, start in enumerate(starts)]
    ann.ledger.take([other.run(*again)], WALL_MS)
    merged(ann)

    assert ann.unopened() == []
    assert ann.store.one("SELECT count(*) FROM note") == (3 * SUBJECTS,)
    assert len(ann.ledger.opener._docs) <= 64 + book.OPEN_BATCH


def test_no_more_than_so_many_wait_at_hand_for_what_they_go_on_from(monkeypatch):
    monkeypatch.setattr(opening, "PARKED_MAX", 5)
    ann = Device.found("ann")
    one, other = author(ann), author(ann, "other")
    start = one.write([founding(), saying("first")])
    later = [other.write([saying(f"then {at}")], [start]) for at in range(20)]

    ann.ledger.take([other.run(*later)], WALL_MS)

    assert ann.ledger.opener.parked == 5
    assert ann.store.one("SELECT count(*) FROM unopened WHERE reason = 'dependency'") == (15,)
    ann.ledger.take([one.run(start)], WALL_MS)
    merged(ann)
    assert ann.unopened() == []
    assert ann.store.one("SELECT count(*) FROM note") == (21,)


def test_who_passes_through_is_counted(monkeypatch):
    monkeypatch.setattr(book, "PASSING_FROM", 1)
    monkeypatch.setattr(book, "MERGE_BATCH", 5)
    stage, (ann, ben) = linked()
    stage.cut(ann, ben)
    codes = [answer.code or "" for answer in fill(ann, 40)]
    stage.write(ann, *[triage(code) for code in codes])
    # From when somebody first asks it is counted as rows change.
    assert ben.ledger.rows.census.counts() == {}

    stage.link(ann, ben)
    stage.run(10_000)

    counts = ben.ledger.rows.census.counts()
    assert sum(counts.values()) == 40
    assert counts == ann.ledger.rows.census.counts() == Ledger(ben.store).rows.census.counts()


def test_doses_that_pass_through_are_counted(monkeypatch):
    monkeypatch.setattr(book, "PASSING_FROM", 1)
    monkeypatch.setattr(book, "MERGE_BATCH", 3)
    stage, (ann, ben) = linked()
    village = Village(3)
    village.device = ann
    stage.cut(ann, ben)
    for _ in range(60):
        village.step()
    # From when somebody first asks it is counted as rows change.
    ben.ledger.rows.given.kept(plan_in_use(ben.ledger))

    stage.link(ann, ben)
    stage.run(10_000)

    as_read(ben)
    plan = plan_in_use(ann.ledger)
    counts = ben.ledger.rows.given.kept(plan)
    assert counts.children.reached
    assert counts == GivenBook(ann.store).kept(plan)


def test_who_was_at_hand_and_passes_through_is_not_taken_for_what_they_were(
    monkeypatch,
):
    ann = Device.found("ann")
    starts = delivered(ann, until=20)
    merged(ann)
    rows = ann.ledger.rows
    assert len(rows._kept) == 20

    monkeypatch.setattr(book, "PASSING_FROM", 1)
    monkeypatch.setattr(book, "MERGE_BATCH", 5)
    other = author(ann, "other")
    third = [other.write([saying(f"third {at}")], [start]) for at, start in enumerate(starts)]
    ann.ledger.take([other.run(*third)], WALL_MS)
    merged(ann)
    assert len(rows._kept) <= 5
    assert rows._rows_kept == sum(len(each) for one in rows._kept.values() for each in one.values())

    last = author(ann, "last")
    fourth = [last.write([saying(f"fourth {at}")], [entry]) for at, entry in enumerate(third)]
    ann.ledger.take([last.run(*fourth)], WALL_MS)
    merged(ann)
    before = tables(ann)
    assert len(before["note"]) == 4 * 20
    ann.ledger.rebuild_rows()
    assert tables(ann) == before


def test_the_prefixes_met_last_are_those_that_are_remembered(monkeypatch):
    monkeypatch.setattr(opening, "PREFIXES_KEPT", 400)
    ann = Device.found("ann")
    one = author(ann)
    starts = [one.write([founding(), saying(f"first {at}")]) for at in range(500)]
    ann.ledger.take([one.run(*starts)], WALL_MS)
    merged(ann)

    kept = list(ann.ledger.opener._docs)
    assert 200 <= len(kept) <= 400
    assert kept == [bytes(start.hash.prefix) for start in starts[-len(kept) :]]


def test_what_goes_on_from_a_void_of_the_same_delivery_is_void_in_whatever_order():
    for void_first in (True, False):
        ann = Device.found("ann")
        one, other = author(ann), author(ann, "other")
        void = one.seal(b"\xff\xff")
        later = [other.write([saying("on void")], [void]) for _ in range(3)]
        runs = [one.run(void), other.run(*later)]
        ann.ledger.take(runs if void_first else runs[::-1], WALL_MS)
        merged(ann)

        assert ann.ledger.opener.parked == 0
        said = sorted((void, reason) for _, void, reason, *_ in ann.unopened())
        assert said == [(1, "depends_on_void")] * 3 + [(1, "layout")], void_first
