"""An answer leaves before its rows are made, and nobody who asks, nor any crash, can tell."""

from __future__ import annotations

from contextlib import suppress
from random import Random
from typing import Any

import pytest

from protocols.errors import LedgerError
from protocols.ids import PatientId
from protocols.ledger import book, counting, founding, sums
from protocols.ledger.chain import Chain
from protocols.ledger.counting import tallies
from protocols.ledger.merging import Merger
from protocols.ledger.recording import Answer
from protocols.mesh.effects import Changed, Notice, Now, Transmit, WakeAt
from protocols.records.shape import Draft, Plan
from protocols.sim.disk import Disk
from protocols.sim.host import PowerCutError
from tests.unit.stage import (
    WALL_MS,
    Device,
    Line,
    admit,
    agree,
    copied,
    fill,
    line,
    linked,
    note,
    patient,
    triage,
)  # fmt: skip
from tests.unit.test_counted import counted, meet, ward
from tests.unit.test_ledger_crash import everything
from tests.unit.test_ledger_sums import (
    assert_right,
    built_anew,
    carry,
    failing,
    in_book,
    in_care,
    marked,
)  # fmt: skip


def answered(device: Device, *said: Line, wall_ms: int = WALL_MS) -> list[Answer]:
    """Record lines and leave their rows."""
    answers, _, tables = device.node._recorder.record(
        said, wall_ms, device.chance.randbytes, rows_later=True
    )
    assert all(answer.ok for answer in answers), answers
    assert bool(tables) != left(device)
    return answers


def followed(device: Device) -> set[str]:
    tables = device.ledger.catch_up_left()
    assert not left(device)
    _, more = device.node._recorder.restate(device.chance.randbytes)
    return tables | more


def left(device: Device) -> bool:
    return device.ledger._waiting.left


def rows_of(device: Device, table: str) -> list[Any]:
    return device.store.all(f"SELECT * FROM {table} ORDER BY subject, entry, idx")


def twins(count: int = 2) -> tuple[Device, Device, list[str]]:
    """One device twice, with patients of whom all is written down."""
    ann = Device.found("ann")
    whom = in_care(ann, count)
    ann.ledger.catch_up_all()
    return ann, Device("ann", copied(ann.store), 0), whom


def tents() -> tuple[Device, Device, list[str]]:
    """Two tents with the same patients; the other has a note about the first that is not here."""
    ann, ben = Device.found("ann"), Device.found("ben")
    admit(ann, ben)
    whom = in_care(ann, 2)
    carry(ann, ben)
    ben.ledger.catch_up_all()
    at_once(ben, note(whom[0], "from the other tent"))
    return ann, ben, whom


def at_once(device: Device, *said: Line) -> list[Answer]:
    answers, _, _ = device.node._recorder.record(said, WALL_MS, device.chance.randbytes)
    assert all(answer.ok for answer in answers), answers
    return answers


def test_the_entry_is_saved_first_and_then_its_rows_as_if_both_had_been_at_once() -> None:
    ann, twin, (one, _) = twins()
    ann.chance, twin.chance = Random(1), Random(1)
    before, entries = rows_of(ann, "note"), len(ann.entries)
    said = note(one, "slept well")

    answered(ann, said)
    assert len(ann.entries) == entries + 1
    assert rows_of(ann, "note") == before
    assert ann.ledger.behind == 1
    assert ann.ledger.digest(ann.ledger.authority.care_scope).rows is None

    assert followed(ann) == {"note", "patient"}
    at_once(twin, said)
    assert everything(ann) == everything(twin)
    assert in_book(ann) == in_book(twin), "what they come to is written late by both"
    assert_right(ann)


def test_somebody_registered_is_shown_once_rows_follow() -> None:
    ann = Device.found("ann")
    (answer,) = answered(ann, patient("Amina", birth_date="1990"))
    assert answer.code and rows_of(ann, "patient") == []
    assert "patient" in followed(ann)
    assert [row[0] for row in ann.store.all("SELECT code FROM patient")] == [answer.code]
    assert_right(ann)


@pytest.mark.parametrize("crashes", [1, 2])
def test_after_a_crash_in_between_the_next_start_makes_them(crashes: int) -> None:
    ann, _, (one, _) = twins()
    answered(ann, note(one, "slept well"))
    for _ in range(crashes):
        ann.restarted()
        assert ann.ledger.behind
    ann.node.catch_up_last(Now(WALL_MS, 0, ann.chance.randbytes))
    # Before anybody asks: they were told that it is saved, and look for it first.
    assert not ann.ledger.behind
    assert ("slept well",) in ann.store.all("SELECT text FROM note")

    answered(ann, patient("Yusuf"))
    started(ann)
    assert len(rows_of(ann, "patient")) == 3
    assert_right(ann)


@pytest.mark.parametrize("after", [False, True])
@pytest.mark.parametrize("commit", [1, 2])
def test_power_lost_around_either_commit_leaves_all_or_nothing(commit: int, after: bool) -> None:
    ann = Device.found("ann")
    (one,) = in_care(ann, 1)
    disk = Disk()
    ann.store.copy_to(disk.connection)
    cut, entries = Device("ann", disk, 0), len(ann.entries)
    disk.arm(commit, after=after)
    said: list[bool] = []

    def save() -> None:
        said.extend(answer.ok for answer in answered(cut, note(one, "cut")))
        followed(cut)

    with pytest.raises(PowerCutError):
        save()
    disk.power_gone()
    cut = Device("ann", disk, 0)

    written = bool(said) or after
    assert len(cut.entries) == entries + written
    assert cut.care == built_anew(cut)[0]
    assert (("cut",) in disk.all("SELECT text FROM note")) == written
    assert_right(cut)


def full(*_: Any, **__: Any) -> None:
    raise LedgerError("disk_full")


@pytest.mark.parametrize("times", [1, 3])
def test_rows_that_cannot_be_made_are_made_later_and_nothing_forgets_them(
    times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, _, (one, two) = twins()
    at_once(ann, note(two, "kept in memory"))
    answered(ann, note(one, "slept well"))
    with monkeypatch.context() as patched:
        patched.setattr(Merger, "merge", full)
        with pytest.raises(LedgerError):
            followed(ann)
        for _ in range(times - 1):
            with pytest.raises(LedgerError):
                ann.ledger.catch_up()
    assert ann.ledger.behind
    ann.ledger.write_down()
    assert marked(ann), "the mark leads to what waits"

    crashed = Device("ann", copied(ann.store), 0)
    for each in (ann, crashed):
        assert each.care == built_anew(each)[0]
        assert ("slept well",) in each.store.all("SELECT text FROM note")
        assert_right(each)


def test_a_node_that_cannot_make_them_says_so_and_sends_the_record_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage, (ann, ben) = linked()
    (who,) = stage.write(ann, patient("Amina"))
    stage.run()
    with monkeypatch.context() as patched:
        patched.setattr(Merger, "merge", full)
        stage.write(ann, note(who.code or "", "sent"))
    assert ann.notices[-1].code == "disk_full"
    stage.run()
    for device in (ann, ben):
        assert device.store.all("SELECT text FROM note") == [("sent",)]
    assert not ann.ledger.behind
    assert agree(ann, ben)


def test_on_a_full_disk_what_a_crash_took_is_made_once_there_is_room(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ann, _, (one, _) = twins()
    answered(ann, note(one, "slept well"))
    ann.restarted()
    now = Now(WALL_MS, 0, ann.chance.randbytes)
    with monkeypatch.context() as patched:
        patched.setattr(Merger, "merge", full)
        ann.node.start(now)
        effects = ann.node.catch_up_last(now)
    assert Notice("disk_full", {}) in effects
    assert any(isinstance(effect, WakeAt) for effect in effects)
    said = ann.node.tick(now)
    assert Changed(frozenset(("note", "patient"))) in said
    assert_right(ann)


def test_what_a_crash_took_comes_before_what_others_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(book, "MERGE_BATCH", 2)
    ann, ben = Device.found("ann"), Device.found("ben")
    admit(ann, ben)
    theirs = [patient(f"Theirs {at}") for at in range(7)]
    at_once(ben, *theirs)
    with monkeypatch.context() as patched:
        patched.setattr(book, "TOGETHER_MAX", 0)
        carry(ben, ann)
    assert ann.ledger.behind >= 7
    for at in range(3):
        answered(ann, patient(f"Ours {at}"))
        if at < 2:
            followed(ann)
    ann.restarted()
    ann.ledger.catch_up_last()
    names = {name for (name,) in ann.store.all("SELECT name FROM patient")}
    assert {"Ours 0", "Ours 1", "Ours 2"} <= names
    assert len(names) <= 5 and ann.ledger.behind
    assert_right(ann)


def test_nothing_is_returned_before_what_was_left_is_done() -> None:
    stage, (ann, _) = linked()
    (who,) = stage.write(ann, patient("Amina"))
    stage.run()
    for lines in ([note(who.code or "")], [note(who.code or ""), note(who.code or "")]):
        now = stage.now(ann)
        answers, effects = ann.node.record(lines, now, rows_later=True)
        assert all(answer.ok for answer in answers) and effects == []
        effects = ann.node.catch_up_left(now)
        assert Changed(frozenset(("note", "patient"))) in effects
        assert any(isinstance(effect, Transmit) for effect in effects)
        stage.carry(ann, effects)
        stage.run()


def test_rows_left_are_not_waited_for_by_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    ann, _, (one, _) = twins()
    asked: list[bool] = []
    atomic = ann.store.atomic

    def watched(*, derived: bool = False, **how: Any) -> Any:
        if not ann.store.depth:
            asked.append(derived)
        return atomic(derived=derived, **how)

    monkeypatch.setattr(ann.store, "atomic", watched)
    answered(ann, note(one))
    assert asked == [False]
    followed(ann)
    assert asked == [False, True]


def test_many_are_written_down_by_this_way_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums, "KEPT_MAX", 3)
    ann = Device.found("ann")
    for at, one in enumerate(in_care(ann, 5)):
        answered(ann, note(one))
        assert marked(ann)
        followed(ann)
        assert marked(ann) == (at % 3 != 2)
    assert_right(ann)


def test_a_record_that_fails_after_rows_were_made_merges_nobody_again() -> None:
    ann, _, (one, two) = twins()
    answered(ann, note(one))
    followed(ann)
    failing(ann, note(two))
    assert not ann.ledger.behind
    assert_right(ann)


def test_a_record_that_is_undone_and_could_not_be_read_anew_leaves_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ann, _, (one, _) = twins()
    with monkeypatch.context() as patched:
        patched.setattr(ann.ledger.answers, "keep", full)
        patched.setattr(Chain, "_load", full)
        (answer,), _, _ = ann.node._recorder.record(
            [patient("Never")], WALL_MS, ann.chance.randbytes, rows_later=True
        )
    assert answer.error == "disk_full"
    assert ann.ledger.catch_up_left() == set()
    ann.ledger.catch_up_all()
    assert len(rows_of(ann, "patient")) == 2
    answered(ann, note(one))
    followed(ann)
    assert_right(ann)


def test_what_broke_in_a_record_restates_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ann, _, (one, _) = twins()

    def broken(*_: Any) -> None:
        raise MemoryError

    with monkeypatch.context() as patched:
        patched.setattr(ann.ledger.answers, "keep", broken)
        with pytest.raises(MemoryError):
            answered(ann, note(one))
    monkeypatch.setattr(counting, "due", broken)
    assert followed(ann) == set()


def test_a_record_that_is_undone_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    ann, _, (one, two) = twins()
    at_once(ann, note(two, "kept in memory"))
    held = ann.care
    execute = ann.store.execute

    def no_room(sql: str, values: Any = ()) -> Any:
        if sql == "COMMIT":
            raise LedgerError("disk_full")
        return execute(sql, values)

    with monkeypatch.context() as patched:
        patched.setattr(ann.store, "execute", no_room)
        (answer,), _, _ = ann.node._recorder.record(
            [note(one)], WALL_MS, ann.chance.randbytes, rows_later=True
        )
    assert answer.error == "disk_full"
    assert not ann.ledger.behind, "nothing is worked out anew: the disk is full"
    assert followed(ann) == set()
    assert ann.care == held
    assert_right(ann)


def test_what_others_count_on_is_never_left() -> None:
    ann, _, (one, two) = twins()
    answered(ann, note(two))
    followed(ann)
    (held,) = answered(ann, note(one, "wrong"))
    followed(ann)
    morphine = {"substance": "morphine", "dose": {"value": "5", "unit": "mg"}, "route": "iv"}
    for said in (
        triage(one),
        line("patient.identify", {"birth_date": "1990"}, patient=one),
        line("administration.record", morphine, patient=one),
        line("entry.retract", {"fact": held.facts[0]}, reason="typo"),
        line("encounter.close", {"outcome": "discharged"}, patient=one),
    ):
        answers, _, _ = ann.node._recorder.record(
            [said], WALL_MS, ann.chance.randbytes, rows_later=True
        )
        assert answers[0].ok and not left(ann), (said["kind"], answers)
    # Without an encounter nobody counts by who they are.
    answered(ann, line("patient.identify", {"birth_date": "1990"}, patient=two))
    assert left(ann)
    followed(ann)
    assert_right(ann)


@pytest.mark.parametrize("wrong", [False, True])
def test_what_a_note_says_of_a_visit_that_nobody_opened_is_counted_with_it(wrong: bool) -> None:
    _, (ann, *_) = ward()
    (red,) = at_once(ann, line("triage.record", {"category": "red"}))
    whom, stay = red.code or "", red.encounter
    if wrong:
        said = line("entry.retract", {"fact": red.facts[0]}, reason="typo", patient=whom)
        at_once(ann, said)
    twin = Device("ann", copied(ann.store), 0)
    said = note(whom, "from paper") | {"encounter": stay}
    if not wrong:
        said |= {"at": "2026-09-18T08:00Z"}
    at_once(twin, said)
    before = tallies(ann.store)

    answered(ann, said)
    # Power is lost right behind the answer.
    ann.restarted()
    assert counted(ann) == counted(twin) != before

    # What is said of it now makes it no other.
    answered(ann, note(whom, "now") | {"encounter": stay})
    assert left(ann)


def test_who_somebody_is_is_counted_though_the_visit_waits_to_be_merged(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    _, (ann, ben, *_) = ward()
    (who,) = at_once(ann, patient("Amina"))
    carry(ann, ben)
    ben.ledger.catch_up_all()
    at_once(ben, line("encounter.open", {}, patient=str(who.id)))
    with monkeypatch.context() as patched:
        patched.setattr(book, "TOGETHER_MAX", 0)
        carry(ben, ann)
    while not ann.ledger.only_merging_left:
        ann.ledger.catch_up(merge=False)
    assert ann.ledger.behind
    twin = Device("ann", copied(ann.store), 0)
    said = line("patient.identify", {"sex": "female", "birth_date": "1990"}, patient=str(who.id))
    at_once(twin, said)

    answered(ann, said)
    ann.restarted()
    assert counted(ann) == counted(twin)


def test_counts_that_were_not_settled_are_restated_behind_the_rows() -> None:
    stage, (ann, ben, hal, _) = ward()
    (red,) = stage.write(ann, line("triage.record", {"category": "red", "tag": "T1"}))
    whom = red.code or ""
    meet(stage, ann, ben)
    for device, category in ((ann, "yellow"), (ben, "green")):
        stage.write(device, triage(whom, category))
    meet(stage, ann, ben)
    assert ann.store.one("SELECT sum(unsettled) FROM counted") != (0,)

    answered(ann, note(whom))
    ann.ledger.catch_up_left()
    feeds, tables = ann.node._recorder.restate(ann.chance.randbytes)
    assert len(feeds) == 1 and "counted" in tables
    assert ann.node._recorder.restate(ann.chance.randbytes) == ([], set())
    assert ann.store.one("SELECT sum(unsettled) FROM counted") == (0,)
    meet(stage, ann, hal)
    assert counted(hal) == counted(ann)


def test_counts_are_restated_by_whoever_wrote_the_record(monkeypatch: pytest.MonkeyPatch) -> None:
    ann, _, (one, _) = twins()
    answered(ann, note(one))
    ann.ledger.catch_up_left()
    recorder, session = ann.node._recorder, (7, b"h" * 32)
    assert recorder._left is not None
    recorder._left = recorder._left._replace(session=session)
    seen: list[Any] = []

    def write(*asked: Any) -> tuple[list[Any], set[str]]:
        seen.append(asked[3])
        return [], set()

    monkeypatch.setattr(counting, "due", lambda *_: Plan((Draft(*[None] * 5),)))
    monkeypatch.setattr(ann.ledger, "write", write)
    recorder.restate(ann.chance.randbytes)
    assert seen == [session]


def test_neither_several_lines_nor_a_part_of_something_larger_nor_hq_leave_any() -> None:
    ann, _, (one, two) = twins()
    answered(ann, note(one), note(two))
    assert not left(ann)
    with ann.ledger.atomic():
        answered(ann, note(one))
        assert not left(ann)
    hal = Device.found("hal", hq=True)
    (who,) = fill(hal, 1)
    answered(hal, note(str(who.id)))
    assert not left(hal)


def test_what_waits_of_somebody_is_made_with_the_record_about_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ann, ben, (one, two) = tents()
    with monkeypatch.context() as patched:
        patched.setattr(book, "TOGETHER_MAX", 0)
        carry(ben, ann)
    while ann.ledger.behind > 1:
        ann.ledger.catch_up(merge=False)

    answered(ann, note(two))
    assert followed(ann) == {"note", "patient"}
    assert ann.ledger.behind
    answered(ann, note(one, "here"))
    assert not left(ann) and not ann.ledger.behind
    assert ann.store.all("SELECT 1 FROM subject WHERE dirty") == []
    assert {("from the other tent",), ("here",)} <= {*ann.store.all("SELECT text FROM note")}
    assert_right(ann)


def test_what_comes_before_the_rows_are_made_takes_them_along() -> None:
    """No driver lets anything in between; one that did would lose nothing."""
    ann, ben, (one, two) = tents()
    answered(ann, note(one, "here"))
    at_once(ann, note(one, "at once"))
    assert not left(ann)
    answered(ann, note(two, "two"))
    carry(ben, ann)
    ann.ledger.catch_up_all()
    said = {text for (text,) in ann.store.all("SELECT text FROM note")}
    assert {"from the other tent", "here", "at once", "two"} <= said
    assert_right(ann)


def test_a_document_begun_and_gone_on_in_before_the_rows_reaches_others() -> None:
    ann, ben = Device.found("ann"), Device.found("ben")
    admit(ann, ben)
    (who,) = fill(ann, 1)
    # The routine part of the visit is begun by the first.
    at_once(ann, triage(str(who.id)))
    for text in ("a", "b", "c"):
        answered(ann, note(str(who.id), text))
    ann.ledger.catch_up_all()
    carry(ann, ben)
    ben.ledger.catch_up_all()
    assert sorted(ben.store.all("SELECT text FROM note")) == [("a",), ("b",), ("c",)]
    assert (ben.care.entries, ben.care.rows) == (ann.care.entries, ann.care.rows)


def test_one_that_fails_behind_another_that_was_left_forgets_neither(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ann, _, (one, two) = twins()
    answered(ann, note(one, "first"))
    with monkeypatch.context() as patched:
        patched.setattr(Merger, "merge", full)
        (answer,), _, _ = ann.node._recorder.record(
            [note(two)], WALL_MS, ann.chance.randbytes, rows_later=True
        )
    assert answer.error == "disk_full"
    ann.ledger.catch_up_all()
    ann.ledger.write_down()
    assert ("first",) in ann.store.all("SELECT text FROM note")
    assert_right(ann)


def test_room_made_for_others_leaves_what_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    ann, ben, (one, _) = tents()
    answered(ann, note(one, "here"))
    ann.ledger.make_room()
    with monkeypatch.context() as patched:
        patched.setattr(book, "TOGETHER_MAX", 0)
        carry(ben, ann)
    ann.ledger.make_room()
    ann.ledger.catch_up_all()
    ann.ledger.write_down()
    assert {("here",), ("from the other tent",)} <= {*ann.store.all("SELECT text FROM note")}
    assert_right(ann)


def test_what_an_earlier_epoch_left_is_made_too() -> None:
    ann, _, (one, _) = twins()
    answered(ann, note(one, "slept well"))
    founding.new_epoch(ann.store, ann.chance.randbytes(8))
    ann.restarted()
    ann.ledger.catch_up_last()
    assert ("slept well",) in ann.store.all("SELECT text FROM note")
    assert_right(ann)


def test_what_waits_of_others_by_then_is_merged_with_what_was_left() -> None:
    ann, _, (one, _) = twins()
    answered(ann, note(one, "here"))
    no = ann.ledger.merger.subject(PatientId.parse(one))
    assert no is not None
    documents = ann.ledger.eraser.documents_of(no[0])
    with ann.ledger.store.atomic():
        ann.ledger._waiting.touch({no[0]: {doc: [] for doc in documents}})
    assert followed(ann) == {"note", "patient"}
    assert not ann.ledger.behind
    assert ann.store.all("SELECT 1 FROM subject WHERE dirty") == []
    assert_right(ann)


@pytest.mark.parametrize("seed", range(12))
def test_any_order_of_answers_rows_crashes_and_full_disks_comes_to_the_same(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums, "KEPT_MAX", 6)
    chance = Random(f"later-{seed}")
    ann, ben = Device.found("ann"), Device.found("ben")
    admit(ann, ben)
    whom = [str(answer.id) for answer in fill(ann, 4)]
    for at in range(80):
        one = chance.choice(whom)
        match chance.randrange(9):
            case 0:
                started(ann)
            case 1:
                ann.ledger.catch_up()
            case 2:
                ann.ledger.write_down()
            case 3:
                carry(ann, ben)
                ben.ledger.catch_up_all()
                at_once(ben, note(one, f"ben {at}"))
                carry(ben, ann)
            case 4:
                at_once(ann, triage(one, chance.choice(("red", "green"))))
            case 5:
                (new,) = answered(ann, patient(f"New {at}"))
                whom.append(str(new.id))
                follow(ann, chance, monkeypatch)
            case _:
                answered(ann, note(one, f"ann {at}"), wall_ms=WALL_MS + at * 1000)
                follow(ann, chance, monkeypatch)
    ann.ledger.catch_up_all()
    assert_right(ann)
    carry(ann, ben)
    ben.ledger.catch_up_all()
    assert ben.care == ann.care


def started(device: Device) -> None:
    device.restarted()
    device.node.catch_up_last(Now(WALL_MS, 0, device.chance.randbytes))


def follow(device: Device, chance: Random, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the rows, or try in vain, or lose power before."""
    match chance.randrange(5):
        case 0:
            started(device)
        case 1 if left(device):
            with monkeypatch.context() as patched:
                patched.setattr(Merger, "merge", full)
                with pytest.raises(LedgerError):
                    followed(device)
            if chance.random() < 0.5:
                with suppress(LedgerError):
                    device.ledger.catch_up()
            device.ledger.catch_up_all()
        case _:
            followed(device)


def test_a_patient_named_by_what_was_just_registered_is_known() -> None:
    ann = Device.found("ann")
    (new,) = answered(ann, patient("Amina"))
    followed(ann)
    answered(ann, note(new.code or "", "first"))
    followed(ann)
    assert ann.ledger.merger.subject(PatientId.parse(str(new.id))) is not None
    assert [text for (text,) in ann.store.all("SELECT text FROM note")] == ["first"]
