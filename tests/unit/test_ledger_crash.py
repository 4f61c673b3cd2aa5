"""Power lost between two transactions, a transaction that fails, and rows built again."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from protocols.errors import LedgerError
from protocols.feeds.lane import Lane
from protocols.feeds.run import Run
from protocols.ids import KeyId
from protocols.ledger.book import MERGE_BATCH, OPEN_BATCH, TOGETHER_MAX
from protocols.ledger.chain import Chain
from protocols.ledger.inspection import check
from protocols.ledger.merging import Merger
from protocols.records.answer import Answer
from protocols.records.catalogue import ROW_TABLES
from protocols.sim.disk import Disk
from protocols.sim.host import PowerCutError
from protocols.trust.keyring import rotate
from tests.unit.forge import Author, device_keys, doc_of, opening, saying
from tests.unit.stage import WALL_MS, Device, Line, copied, fill, note, patient, triage

LATER_MS = WALL_MS + 60_000


def on_disk(device: Device) -> Device:
    """The same device on a disk whose power can fail."""
    disk = Disk()
    device.store.copy_to(disk.connection)
    return Device(device.name, disk, 0)


def far(device: Device, name: str = "far") -> Author:
    authority = device.ledger.authority
    key_id, key = authority.write_key(authority.care_scope)
    return Author(device_keys(name), authority.care_scope, key_id, key)


def everything(device: Device) -> tuple[object, ...]:
    """What the book adds up to, and every row it shows."""
    care = device.care
    rows = [
        sorted(device.store.all(f"SELECT * FROM {table.TABLE}"), key=repr) for table in ROW_TABLES
    ]
    return care, device.unopened(), rows


def delivery(device: Device) -> list[Run]:
    """Three feeds: routine, urgent, and a feed whose first entry came too early."""
    one, two = far(device), far(device, "other")
    start = one.write([opening(), saying("first")])
    runs = [one.run(start)]
    runs.append(
        one.run(one.write([opening(bytes(doc_of(start))), saying("red")], lane=Lane.URGENT))
    )
    early = [two.write([saying(f"late {at}")], [start]) for at in range(3)]
    return [two.run(*early), *runs]


def reopened(device: Device) -> Device:
    assert isinstance(device.store, Disk)
    device.store.power_gone()
    return Device(device.name, device.store, 0)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("commit", range(1, 8))
def test_power_lost_around_any_commit_of_a_delivery_leaves_nothing_half_done(
    commit: int, after: bool
):
    whole, cut = Device.found("ann"), on_disk(Device.found("ann"))
    runs = delivery(whole)
    for run in runs:
        whole.ledger.take([run], WALL_MS)
        whole.ledger.catch_up_all()

    assert isinstance(cut.store, Disk)
    cut.store.arm(commit, after=after)
    try:
        for run in runs:
            cut.ledger.take([run], WALL_MS)
            cut.ledger.catch_up_all()
    except PowerCutError:
        cut = reopened(cut)
    assert isinstance(cut.store, Disk)
    cut.store.arm(0, after=False)
    for run in runs:
        cut.ledger.take([run], WALL_MS)

    assert cut.care == whole.care
    assert cut.unopened() == whole.unopened() == []


@pytest.mark.parametrize("lanes", [(Lane.URGENT,), (Lane.ROUTINE,), (Lane.ROUTINE, Lane.URGENT)])
@pytest.mark.parametrize("at_once", [True, False])
def test_what_was_stored_but_not_merged_is_taken_up_at_the_next_start(
    lanes: Sequence[Lane], at_once: bool
):
    ann = Device.found("ann")
    author = far(ann)
    entries = [author.write([opening(), saying(str(lane))], lane=lane) for lane in lanes]
    runs = [author.run(entry) for entry in entries]
    for batch in [runs] if at_once else [[run] for run in runs]:
        ann.ledger.take(batch, WALL_MS)

    left = Device("ann", copied(ann.store), 0)

    assert left.care == ann.care
    assert left.unopened() == []
    assert left.store.one("SELECT count(*) FROM strand")[0] == len(lanes)


def test_entries_let_go_by_what_they_waited_for_survive_a_crash_before_they_are_opened():
    ann = Device.found("ann")
    one, two = far(ann), far(ann, "other")
    start = one.write([opening(), saying("first")])
    early = [two.write([saying(f"late {at}")], [start]) for at in range(3)]
    ann.ledger.take([two.run(*early)], WALL_MS)
    ann.ledger.catch_up_all()
    assert [row[2] for row in ann.unopened()] == ["dependency"] * 3

    ann.ledger.take([one.run(start)], WALL_MS)
    steps = 0
    while True:
        left = Device("ann", copied(ann.store), 0)
        left.ledger.catch_up_all()
        assert left.store.one("SELECT count(*) FROM strand")[0] == 4, f"after {steps} steps"
        assert left.unopened() == []
        if not ann.ledger.behind:
            break
        ann.ledger.catch_up()
        steps += 1


def test_entries_let_go_by_a_key_survive_a_crash_before_they_are_opened():
    ann = Device.found("ann")
    authority = ann.ledger.authority
    key = b"another key of the same scope 12"
    old_id, old = authority.write_key(authority.care_scope)
    rotation = rotate(
        authority.care_scope,
        key,
        parents={old_id: old},
        readers=[(authority.device, authority.keys.agree_public)],
        ephemeral_secret=b"e" * 32,
    )
    probe = Device("ann", copied(ann.store), 0)
    with probe.ledger.atomic():
        key_id = probe.ledger.write_control(rotation, LATER_MS).entry.hash
    author = far(ann)
    author.key_id, author.key = KeyId(key_id), key
    ann.ledger.take([author.run(author.write([opening(), saying("sealed")]))], WALL_MS)
    ann.ledger.catch_up_all()
    assert [row[2] for row in ann.unopened()] == ["key"]

    with ann.ledger.atomic():
        assert ann.ledger.write_control(rotation, LATER_MS).entry.hash == key_id
    left = Device("ann", copied(ann.store), 0)

    assert left.unopened() == ann.unopened() == []
    assert left.care == ann.care


def test_a_long_delivery_can_be_cut_after_every_piece_of_work():
    ann, ben = Device.found("ann"), Device.found("ann")
    author = far(ann)
    entries = [author.write([opening(), saying(str(at))]) for at in range(2 * OPEN_BATCH + 10)]
    run = author.run(*entries)
    ben.ledger.take([run], WALL_MS)
    ann.ledger.take([run], WALL_MS)
    merge = False
    while ann.ledger.behind:
        left = Device("ann", copied(ann.store), 0)
        assert left.care == ben.care
        ann.ledger.catch_up(merge=merge)
        merge = merge or ann.ledger.only_merging_left
    assert ann.care == ben.care


@pytest.mark.parametrize("whom", ["merged", "begun"])
def test_a_write_about_somebody_whose_entries_wait_leaves_none_of_them_out_after_a_crash(whom: str):
    ann = Device.found("ann")
    (person,) = fill(ann, 1)
    (subject,) = ann.store.one("SELECT id FROM patient") or (b"",)
    author = far(ann)
    start = author.write([opening(subject), saying("first")])
    later = [author.write([saying(f"{at}")], [start]) for at in range(TOGETHER_MAX)]
    if whom == "merged":
        ann.ledger.take([author.run(start)], WALL_MS)
    ann.ledger.take([author.run(start, *later), *_others(ann)], WALL_MS)
    assert ann.ledger.behind

    ann.node._recorder.record([note(person.code or "", "own")], WALL_MS, ann.chance.randbytes)
    left = Device("ann", copied(ann.store), 0)

    assert left.care == ann.care
    for device in (left, ann):
        told = device.store.one("SELECT count(*) FROM note WHERE patient = ?", (subject,))
        assert told == (TOGETHER_MAX + 2,)
        assert device.ledger._waiting.at_hand == 0


def test_an_urgent_entry_about_somebody_whose_entries_wait_leaves_none_of_them_out_either():
    ann = Device.found("ann")
    fill(ann, 1)
    (subject,) = ann.store.one("SELECT id FROM patient") or (b"",)
    author = far(ann)
    start = author.write([opening(subject), saying("first")])
    later = [author.write([saying(f"{at}")], [start]) for at in range(TOGETHER_MAX)]
    urgent = author.write([opening(subject), saying("red")], lane=Lane.URGENT)
    ann.ledger.take([author.run(start)], WALL_MS)
    ann.ledger.take([author.run(start, *later), *_others(ann)], WALL_MS)
    assert ann.ledger.behind

    ann.ledger.take([author.run(urgent)], WALL_MS)
    left = Device("ann", copied(ann.store), 0)

    assert left.care == ann.care
    for device in (left, ann):
        told = device.store.one("SELECT count(*) FROM note WHERE patient = ?", (subject,))
        assert told == (TOGETHER_MAX + 2,)


def test_what_a_long_delivery_begins_is_read_whole_before_it_is_merged():
    ann = Device.found("ann")
    author = far(ann)
    start = author.write([opening(), saying("first")])
    later = [author.write([saying(f"{at}")], [start]) for at in range(TOGETHER_MAX)]
    ann.ledger.take([author.run(start, *later)], WALL_MS)
    assert ann.ledger.behind

    no, _ = ann.ledger.merger.subject(doc_of(start)) or (0, 0)

    assert len(ann.ledger.merger.facts_of(no)) == 2 + TOGETHER_MAX


def test_what_many_urgent_entries_begin_is_read_whole_before_it_is_merged():
    ann = Device.found("ann")
    author = far(ann)
    entries = [
        author.write([opening(), saying(f"{at}")], lane=Lane.URGENT)
        for at in range(MERGE_BATCH + 1)
    ]
    ann.ledger.take([author.run(*entries)], WALL_MS)
    assert ann.ledger.behind

    for entry in entries:
        no, _ = ann.ledger.merger.subject(doc_of(entry)) or (0, 0)
        assert len(ann.ledger.merger.facts_of(no)) == 2


def _others(device: Device) -> list[Run]:
    """More of somebody else than is merged at once."""
    author = far(device, "other")
    entries = [author.write([opening(), saying(f"{at}")]) for at in range(TOGETHER_MAX + 1)]
    return [author.run(*entries)]


def test_rows_built_again_from_entries_are_the_same_rows():
    ann = Device.found("ann")
    people = fill(ann, 30)
    for at, person in enumerate(people):
        ann.node._recorder.record(
            [note(person.code or "", f"note {at}"), triage(person.code or "", "yellow")],
            WALL_MS + at,
            ann.chance.randbytes,
        )
    for run in delivery(ann):
        ann.ledger.take([run], WALL_MS)
    before = everything(ann)

    with ann.store.atomic():
        ann.store.execute("UPDATE meta SET value = x'00' WHERE name = 'rows'")
    ann.restarted()

    care, unopened, rows = everything(ann)
    assert (care, unopened) == before[:2]
    assert _unnumbered(rows) == _unnumbered(before[2])
    query = "SELECT count(*) FROM patient_search WHERE patient_search MATCH '\"Patient\"*'"
    assert ann.store.one(query)[0] == 30


def _unnumbered(tables: object) -> list[list[tuple[object, ...]]]:
    """Rows without their last column, the number of their last change."""
    assert isinstance(tables, list)
    return [sorted((row[:-1] for row in rows), key=repr) for rows in tables]


class Flaky(Exception):
    """What the n-th statement of a run ends in."""


def flaky(device: Device, at: int) -> list[int]:
    """Let the n-th writing statement of the store fail once; return the count so far."""
    seen = [0]
    execute, executemany = device.store.execute, device.store.executemany

    def fail(sql: str) -> None:
        if sql.startswith(("INSERT", "UPDATE", "DELETE", "COMMIT")):
            seen[0] += 1
            if seen[0] == at:
                raise LedgerError("disk_full")

    def one(sql: str, values: object = ()) -> object:
        fail(sql)
        return execute(sql, values)  # type: ignore[arg-type]

    def many(sql: str, values: Sequence[Sequence[object]]) -> None:
        fail(sql)
        executemany(sql, values)

    device.store.execute, device.store.executemany = one, many  # type: ignore[method-assign]
    return seen


@pytest.mark.parametrize("at", range(1, 40, 2))
def test_a_write_that_fails_at_any_statement_changes_nothing_and_the_next_succeeds(at: int):
    ann = Device.found("ann")
    (person,) = fill(ann, 1)
    before = everything(ann)
    lines = [note(person.code or ""), patient("Second"), triage(person.code or "")]
    seen = flaky(ann, at)
    answers, feeds, _ = ann.node._recorder.record(lines, WALL_MS, ann.chance.randbytes)

    if seen[0] >= at:
        assert [answer.error for answer in answers] == ["disk_full"] * 3 and not feeds
        assert everything(ann) == before
        fresh = Device("ann", copied(ann.store), 0)
        assert everything(fresh) == before
        answers, _, _ = ann.node._recorder.record(lines, WALL_MS, ann.chance.randbytes)
    assert all(answer.ok for answer in answers)
    assert everything(Device("ann", copied(ann.store), 0)) == everything(ann)


@pytest.mark.parametrize("at", range(1, 24))
def test_a_delivery_that_fails_at_any_statement_is_taken_the_next_time(at: int):
    ann, ben = Device.found("ann"), Device.found("ann")
    runs = delivery(ann)
    ben.ledger.take(runs, WALL_MS)
    seen = flaky(ann, at)
    try:
        ann.ledger.take(runs, WALL_MS)
        ann.ledger.catch_up_all()
    except LedgerError:
        assert seen[0] >= at
        ann.ledger.take(runs, WALL_MS)

    assert ann.care == ben.care
    assert ann.unopened() == []
    assert everything(Device("ann", copied(ann.store), 0)) == everything(ann)


def broken(*_: object, **__: object) -> None:
    raise LedgerError("disk_failed")


def recorded(device: Device, said: Line) -> Answer:
    (answer,), _, _ = device.node._recorder.record([said], WALL_MS, device.chance.randbytes)
    return answer


def test_a_record_that_fails_inside_something_larger_leaves_nothing_of_either(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ann = Device.found("ann")
    (person,) = fill(ann, 1)
    before = everything(ann)

    def larger() -> None:
        with ann.ledger.atomic():
            recorded(ann, note(str(person.id), "half"))

    monkeypatch.setattr(Merger, "merge", broken)
    with pytest.raises(LedgerError):
        larger()
    monkeypatch.undo()

    assert everything(ann) == before
    assert not check(ann.store).problems


def test_nothing_is_written_on_top_of_what_was_undone_and_could_not_be_read_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ann = Device.found("ann")
    (person,) = fill(ann, 1)
    before = everything(ann)

    def failing() -> None:
        with ann.ledger.atomic():
            recorded(ann, note(str(person.id), "undone"))
            raise RuntimeError

    monkeypatch.setattr(Chain, "_load", broken)
    with pytest.raises(LedgerError):
        failing()
    assert recorded(ann, note(str(person.id), "still broken")).error == "disk_failed"
    monkeypatch.undo()

    assert recorded(ann, note(str(person.id), "saved")).ok
    assert not check(ann.store).problems
    left = Device("ann", copied(ann.store), 0)
    assert everything(left) == everything(ann) != before


def test_a_clock_that_was_ahead_does_not_fall_back_when_a_transaction_fails():
    ann = Device.found("ann")
    (person,) = fill(ann, 1)
    ahead = WALL_MS + 3_600_000
    ann.node._recorder.record([patient("Ahead")], ahead, ann.chance.randbytes)
    newest = "SELECT clock FROM entry ORDER BY arrival DESC LIMIT 1"
    before = ann.store.one(newest)
    flaky(ann, 2)
    for line in (patient("Failed"), triage(person.code or "")):
        ann.node._recorder.record([line], WALL_MS, ann.chance.randbytes)

    assert ann.store.one("SELECT count(*) FROM triage") == (1,)
    assert ann.store.one(newest) > before


def test_a_restarted_device_goes_on_after_its_own_last_clock():
    ann = Device.found("ann")
    fill(ann, 1)
    ann.node._recorder.record([patient("Ahead")], WALL_MS + 3_600_000, ann.chance.randbytes)
    again = Device("ann", copied(ann.store), 0)
    again.node._recorder.record([patient("Later")], WALL_MS, ann.chance.randbytes)

    clocks = again.store.all(
        "SELECT e.clock FROM entry e JOIN feed f ON f.no = e.feed WHERE f.lane = 2"
        " ORDER BY e.arrival"
    )
    assert clocks == sorted(clocks)
