"""One book: lines answered once, members who come late, keys, search, and what it must not mix."""

from __future__ import annotations

import pytest

from protocols.feeds.lane import Lane
from protocols.ids import DeviceId, Epoch
from protocols.ledger import admitting
from protocols.ledger.opening import PREFIXES_KEPT
from protocols.ledger.searching import search_query, search_words
from protocols.records.catalogue import ROW_TABLES
from protocols.trust.enrolment import sign_request
from protocols.trust.granting import Wish
from protocols.trust.standing import Standing
from tests.unit.forge import Author, device_keys, doc_of, opening, saying
from tests.unit.stage import (
    WALL_MS,
    Device,
    Line,
    Stage,
    admit,
    camp,
    copied,
    fill,
    note,
    patient,
    triage,
)


def record(device: Device, *lines: Line) -> list:
    answers, _, _ = device.node._recorder.record(lines, WALL_MS, device.chance.randbytes)
    return answers


def synced(*devices: Device) -> Stage:
    stage = Stage()
    for other in devices[1:]:
        stage.link(devices[0], other)
    stage.run(4_000)
    return stage


# lines


def test_a_line_sent_again_gets_its_first_answer_and_writes_nothing():
    ann = Device.found("ann")
    line = patient() | {"key": "k1"}
    (first,) = record(ann, line)
    before = ann.ledger.chain.last_arrival

    (again,) = record(Device("ann", ann.store, 0), line)
    (twice, other) = record(ann, line, patient("Other") | {"key": "k1"})

    assert again.repeated and twice.repeated
    assert (again.id, again.code, again.seq) == (first.id, first.code, first.seq)
    assert (other.ok, other.error) == (False, "key_reused")
    assert ann.ledger.chain.last_arrival == before


def test_a_key_used_twice_in_one_batch_is_answered_once():
    ann = Device.found("ann")
    line = patient() | {"key": "k1"}

    first, again = record(ann, line, line)

    assert first.ok and again.repeated and first.id == again.id
    assert ann.store.one("SELECT count(*) FROM patient") == (1,)


def test_a_refused_line_changes_nothing_and_hinders_nobody():
    ann = Device.found("ann")
    lines = [patient("One"), {"v": 1, "kind": "no.such"}, note("ZZZ-ZZZ-ZZZ"), patient("Two"), {}]

    answers = record(ann, *lines)

    assert [answer.ok for answer in answers] == [True, False, False, True, False]
    assert [answer.line for answer in answers] == [1, 2, 3, 4, 5]
    assert ann.store.one("SELECT count(*) FROM patient") == (2,)


def test_many_lines_are_numbered_through_every_transaction():
    ann = Device.found("ann")

    answers = record(ann, *[patient(f"P{at}") for at in range(130)])

    assert [answer.line for answer in answers] == list(range(1, 131))
    assert len({answer.code for answer in answers}) == 130


# members


def author_of(device: Device) -> Author:
    """Write by hand as a real member, under its own keys and a feed of its own."""
    authority = device.ledger.authority
    key_id, key = authority.write_key(authority.care_scope)
    return Author(authority.keys, authority.care_scope, key_id, key, Epoch(b"by hand!"))


def test_a_certificate_that_comes_late_lets_what_was_written_before_count():
    ann, ben, eve = camp(("ann", "ben", "eve"))
    synced(ann, eve)
    synced(ann, ben)
    fill(ben, 3)
    dan = Device.found("dan")
    dan.store = copied(ann.store)
    runs = [
        author_of(ben).run(author_of(ben).write([opening(), saying("hand")])),
    ]
    stranger = Device.found("far")
    stranger.ledger.take(runs, WALL_MS)
    stranger.ledger.catch_up_all()
    assert [row[2] for row in stranger.unopened()] == ["key"]

    late = Author(device_keys("late"), *_sealing(ann))
    entry = late.write([opening(), saying("before my certificate")])
    for device in (ann, eve):
        device.ledger.take([late.run(entry)], WALL_MS)
        device.ledger.catch_up_all()
        assert device.store.all("SELECT standing FROM note WHERE text LIKE 'before%'") == [
            (int(Standing.UNADMITTED),)
        ]

    _certify(ann, late)
    synced(ann, eve)
    for device in (ann, eve):
        device.ledger.catch_up_all()
        assert device.store.all("SELECT standing FROM note WHERE text LIKE 'before%'") == [
            (int(Standing.STANDS),)
        ]
    assert ann.care == eve.care


def _sealing(device: Device) -> tuple:
    authority = device.ledger.authority
    return (authority.care_scope, *authority.write_key(authority.care_scope))


def _certify(device: Device, author: Author) -> None:
    """Let a founder certify a device that was never linked."""
    request = sign_request(
        author.keys,
        b"b" * 32,
        epochs=((bytes(author.epoch), bytes(author.genesis(Lane.CONTROL).feed_id)),),
        scopes=(),
        name="late",
        next_epoch=bytes(author.epoch),
    )
    admitting.admit(device.ledger, request, device.chance.randbytes, WALL_MS, wish=Wish())


def test_joining_adopts_what_was_written_before_and_a_third_node_reads_it():
    ann, eve = camp(("ann", "eve"))
    ben = Device.found("ben")
    people = fill(ben, 5)
    record(ben, triage(people[0].code or ""))
    admit(ann, ben)
    fill(ben, 2, start=50)  # before a word was exchanged over any link

    synced(ann, ben)
    synced(ann, eve)

    for device in (ann, ben, eve):
        assert device.unopened() == []
        assert device.store.one("SELECT count(*), max(standing) FROM patient") == (7, 0)
    assert ann.care == ben.care == eve.care


def test_care_goes_on_in_a_patient_begun_before_joining():
    ann = Device.found("ann")
    ben = Device.found("ben")
    (person,) = fill(ben, 1)
    admit(ann, ben)
    synced(ann, ben)

    (mine,) = record(ann, note(person.code or "", "by ann"))
    (his,) = record(ben, note(person.code or "", "by ben"))
    synced(ann, ben)

    assert mine.ok and his.ok
    for device in (ann, ben):
        texts = {row[0] for row in device.store.all("SELECT text FROM note WHERE standing = 0")}
        assert texts == {"by ann", "by ben"}
    assert ann.care == ben.care


def test_an_operation_that_was_joined_holds_no_book_of_others():
    ann, ben, eve = Device.found("ann"), Device.found("ben"), Device.found("eve")
    fill(eve, 1)
    admit(ann, ben)
    synced(ann, ben)

    assert not ann.entries & eve.entries
    assert ben.ledger.authority.operation == ann.ledger.authority.operation
    assert eve.id not in ann.ledger.authority.member_devices()


# memory


def test_more_documents_than_are_remembered_cost_nothing_but_a_question():
    ann = Device.found("ann")
    one = Author(device_keys("one"), *_sealing(ann))
    first = one.write([opening(), saying("old")])
    ann.ledger.take([one.run(first)], WALL_MS)
    ann.ledger.catch_up_all()
    opener = ann.ledger.opener
    opener._doc_facts.clear()
    opener._doc_facts.update({-at: (0, b"", 0) for at in range(1, PREFIXES_KEPT + 1)})

    new = one.write([opening(), saying("new")])
    both = [one.write([saying("on old")], [first]), one.write([saying("on new")], [new])]
    ann.ledger.take([one.run(new, *both)], WALL_MS)
    ann.ledger.catch_up_all()

    assert ann.unopened() == []
    assert ann.store.one("SELECT count(*) FROM note") == (4,)
    assert len(opener._doc_facts) < PREFIXES_KEPT


def test_a_patient_of_many_documents_and_more_strands_than_one_query_names():
    ann = Device.found("ann")
    one = Author(device_keys("one"), *_sealing(ann))
    start = one.write([opening(), saying("start")])
    subject = bytes(doc_of(start))
    entries = [start, *[one.write([opening(subject), saying(str(at))]) for at in range(300)]]
    entries += [one.write([saying(f"on {at}")], [start]) for at in range(700)]
    ann.ledger.take([one.run(*entries)], WALL_MS)

    care = ann.care

    assert ann.store.one("SELECT count(*) FROM note") == (1_001,)
    ann.ledger.rebuild_rows()
    assert ann.ledger.digest(ann.ledger.authority.care_scope) == care


# search


@pytest.mark.parametrize(
    ("name", "asked"),
    [
        ("Zoë Brontë", "zoe"),
        ("Zoe Bronte", "brontë"),
        ("Nguyễn Thị Minh", "nguyen minh"),
        ("محمد عبد الله", "عبد"),
        ("محمد عبد الله", "محم"),
        ("王小明", "小明"),
        ("王小明", "王"),
        ("王小明", "王小明"),
        ("欧阳小明", "阳小明"),
        ("やまだ たろう", "まだ"),
        ("김민준", "민준"),
        ("Иван Петров", "петр"),
        ("O'Brien", "o'br"),
        ('Quote " Star *', '" *'),
        ("Jean-Baptiste", "jean-bap"),
    ],
)
def test_a_patient_is_found_by_part_of_a_name_in_any_script(name: str, asked: str):
    ann = Device.found("ann")
    record(ann, patient(name), patient("Somebody Else"))
    query = search_query(asked)
    found = ann.store.all(
        "SELECT p.name FROM patient_search JOIN patient p ON p.subject = patient_search.rowid"
        " WHERE patient_search MATCH ?",
        (query,),
    )

    assert len(found) <= 1
    assert found or not any(letter.isalnum() for letter in asked)


@pytest.mark.parametrize("asked", ["", "   ", '"', "*", "AND", "NEAR(", "a OR b", "-", "\0", "💉"])
def test_no_text_is_a_broken_query(asked: str):
    ann = Device.found("ann")
    query = search_query(asked)
    if query.strip():
        ann.store.all("SELECT rowid FROM patient_search WHERE patient_search MATCH ?", (query,))
    assert search_words(asked).startswith(asked)


def test_a_name_that_was_corrected_is_found_by_the_new_and_gone_by_the_old():
    ann = Device.found("ann")
    (person,) = record(ann, patient("Wrong"))
    line = {
        "kind": "patient.identify",
        "key": "k",
        "patient": person.code,
        "data": {"given_name": "Right"},
    }
    (answer,) = record(ann, {"v": 1, **line})
    assert answer.ok

    def found(text: str) -> int:
        query = "SELECT count(*) FROM patient_search WHERE patient_search MATCH ?"
        return ann.store.one(query, (search_query(text),))[0]

    assert (found("right"), found(person.code or "")) == (1, 1)
    ann.ledger.rebuild_rows()
    assert found("right") == 1


# digests


def test_local_numbers_never_reach_a_digest():
    ann, ben = camp()
    fill(ann, 3)
    fill(ben, 4, start=20)
    record(ann, triage(fill(ann, 1, start=90)[0].code or ""))
    synced(ann, ben)

    assert ann.care == ben.care
    numbers = "SELECT hash, arrival FROM entry ORDER BY hash"
    assert ann.store.all(numbers) != ben.store.all(numbers)
    for table in ROW_TABLES:
        count = f"SELECT count(*) FROM {table.TABLE}"
        assert ann.store.one(count) == ben.store.one(count)


def test_what_is_known_of_a_peer_is_written_down_and_read_again():
    ann, ben = camp()
    synced(ann, ben)
    ann.node.stop()
    again = Device("ann", copied(ann.store), 0)

    held = ann.ledger.peers.all[ben.id]
    kept = again.ledger.peers.all[DeviceId(ben.id)]
    assert (kept.agree, kept.epoch, kept.address) == (held.agree, held.epoch, "ben")
    assert 0 < kept.we_hold <= held.we_hold
    own = next(f for f in again.ledger.chain.feeds.values() if f.genesis.device == ann.id)
    assert again.ledger.peers.holds(ben.id, own)
