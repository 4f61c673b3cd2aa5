"""What subjects come to is written late, and nothing that is asked of a book shows it."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

import pytest

from protocols.errors import LedgerError
from protocols.feeds.run import decode_run
from protocols.ids import PatientId
from protocols.ledger import immunization, sums
from protocols.ledger.digest import Digest
from protocols.ledger.sums import Sums
from tests.unit.stage import WALL_MS, Device, Line, admit, copied, fill, line, note, patient, triage


def record(device: Device, said: Line, wall_ms: int = WALL_MS) -> Any:
    (answer,), _, tables = device.node._recorder.record([said], wall_ms, device.chance.randbytes)
    assert answer.ok, answer
    return answer, tables


def in_book(device: Device) -> list[tuple[Any, ...]]:
    return device.store.all("SELECT no, rows_digest, newest_ms, dirty FROM subject ORDER BY no")


def marked(device: Device) -> bool:
    return device.store.one("SELECT 1 FROM meta WHERE name = 'sums_from'") is not None


def built_anew(device: Device) -> tuple[Digest, list[tuple[Any, ...]]]:
    """What a book with these entries comes to where everything is written at once."""
    other = Device(device.name, copied(device.store), 1)
    other.ledger.rebuild_rows()
    other.ledger.write_down()
    return other.care, in_book(other)


def assert_right(device: Device) -> None:
    digest, book = built_anew(device)
    assert device.care == digest
    device.ledger.write_down()
    assert not marked(device)
    assert in_book(device) == book
    assert device.care == digest


def in_care(device: Device, count: int) -> list[str]:
    """Patients with a note each, of whom all is written down."""
    found = [str(answer.id) for answer in fill(device, count)]
    for one in found:
        # The first of a kind changes which tables hold rows of them: that is written at once.
        record(device, note(one))
    device.ledger.write_down()
    return found


def noted(device: Device) -> tuple[str, str]:
    """A book with two patients of whom all is written down, and then a note about the first."""
    one, two = in_care(device, 2)
    before = in_book(device), device.care
    record(device, note(one, "again"), WALL_MS + 60_000)
    assert in_book(device) == before[0], "the page they lie on is left alone"
    assert marked(device) and device.care != before[1]
    return one, two


def test_a_note_leaves_what_the_patient_comes_to_for_later() -> None:
    ann = Device.found("ann")
    one, _ = noted(ann)

    ann.ledger.write_down()

    newest = ann.store.one("SELECT newest_ms FROM subject WHERE id = ?", (PatientId.parse(one),))
    assert newest == (WALL_MS + 60_000,)
    assert_right(ann)


def test_after_a_crash_it_is_worked_out_again_and_is_not_known_before() -> None:
    ann = Device.found("ann")
    one, _ = noted(ann)
    held = ann.care

    for _ in range(2):
        # A second crash, before anything was merged, finds the same.
        ann.restarted()
        assert ann.ledger.behind
        assert ann.ledger.digest(ann.ledger.authority.care_scope).rows is None
        ann.ledger.write_down()
        assert marked(ann), "what waits to be merged is not in memory"

    assert ann.care == held
    assert_right(ann)
    record(ann, note(one, "third"))
    failing(ann, note(one))
    assert not ann.ledger.behind, "what the crash took is in the book since"
    ann.ledger.write_down()
    ann.restarted()
    assert not ann.ledger.behind


def test_what_is_undone_comes_to_nothing() -> None:
    ann = Device.found("ann")
    one, two = noted(ann)
    held = ann.care

    for said in ((), (note(one), note(one)), (note(two), note(one))):
        failing(ann, *said)
        # Nothing is worked out anew: the disk may be full, and a status says what it said.
        assert not ann.ledger.behind

    assert ann.care == held
    assert_right(ann)


def test_the_first_that_is_undone_leaves_no_mark() -> None:
    ann = Device.found("ann")
    (one,) = in_care(ann, 1)

    seen: list[bool] = []
    failing(ann, note(one), after=lambda: seen.append(marked(ann)))
    assert seen == [True]
    assert not marked(ann)
    record(ann, note(one))
    assert marked(ann)
    assert_right(ann)


def test_many_are_written_down_together(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sums, "KEPT_MAX", 3)
    ann = Device.found("ann")
    for at, one in enumerate(in_care(ann, 5)):
        record(ann, note(one))
        assert marked(ann) == (at % 3 != 2)
    assert_right(ann)


def test_they_are_not_written_down_while_what_a_crash_took_waits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(sums, "KEPT_MAX", 2)
    ann = Device.found("ann")
    whom = in_care(ann, 4)
    record(ann, note(whom[0]))
    ann.restarted()
    for one in whom[1:]:
        record(ann, note(one))
    assert ann.ledger.behind and marked(ann)
    ann.restarted()

    assert_right(ann)


def test_what_waited_of_a_subject_is_written_at_once() -> None:
    ann = Device.found("ann")
    one, _ = noted(ann)
    ann.restarted()
    held = in_book(ann)

    record(ann, note(one, "third"))

    assert in_book(ann) != held
    assert_right(ann)


def test_what_others_wrote_is_written_at_once_and_takes_the_place_of_what_is_kept() -> None:
    ann, ben = Device.found("ann"), Device.found("ben")
    admit(ann, ben)
    one, two = noted(ann)
    carry(ann, ben)
    ben.ledger.catch_up_all()
    record(ben, note(one, "from the other tent"), WALL_MS + 90_000)
    carry(ben, ann)
    ann.ledger.catch_up_all()
    record(ann, note(two))

    assert_right(ann)
    carry(ann, ben)
    assert_right(ben)
    assert ann.care == ben.care


def test_a_change_of_anything_about_a_patient_is_told_as_one_of_patients() -> None:
    ann = Device.found("ann")
    (one,) = in_care(ann, 1)
    _, tables = record(ann, note(one))
    assert tables == {"patient", "note"}
    _, tables = record(ann, line("site.register", {"name": "Tent"}))
    assert "patient" not in tables


def test_who_remembers_doses_by_what_a_record_comes_to_sees_that_it_changed() -> None:
    ann = Device.found("ann")
    one, _ = noted(ann)
    before = immunization._as_it_is(ann.ledger, [PatientId.parse(one)])
    record(ann, note(one, "and again"))
    assert immunization._as_it_is(ann.ledger, [PatientId.parse(one)]) != before


def test_a_book_that_is_closed_holds_all_and_one_that_cannot_be_written_closes_too(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ann = Device.found("ann")
    noted(ann)
    closed: list[bool] = []

    def close() -> None:
        closed.append(marked(ann))

    monkeypatch.setattr(ann.store, "close", close)
    whole: Callable[[Sums], None] = Sums.write_down

    def full(_: Sums) -> None:
        raise LedgerError("disk_full")

    monkeypatch.setattr(Sums, "write_down", full)
    ann.ledger.close()
    monkeypatch.setattr(Sums, "write_down", whole)
    ann.ledger.catch_up_all()
    ann.ledger.close()
    assert closed == [True, False]


@pytest.mark.parametrize("seed", range(12))
def test_any_order_of_writing_crashing_and_failing_comes_to_the_same(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sums, "KEPT_MAX", 6)
    chance = Random(f"sums-{seed}")
    ann, ben = Device.found("ann"), Device.found("ben")
    admit(ann, ben)
    whom = [str(answer.id) for answer in fill(ann, 4)]
    notes: list[tuple[str, Any]] = []
    for at in range(60):
        one = chance.choice(whom)
        match chance.randrange(9):
            case 0:
                ann.restarted()
            case 1:
                ann.ledger.catch_up()
            case 2:
                ann.ledger.write_down()
            case 3:
                failing(ann, note(one))
            case 4:
                carry(ann, ben)
                ben.ledger.catch_up_all()
                record(ben, note(one, f"ben {at}"), WALL_MS + at)
                carry(ben, ann)
            case 5 if notes:
                of, held = notes.pop(chance.randrange(len(notes)))
                said = {"kind": "entry.retract", "data": {"fact": held.facts[0]}, "reason": "typo"}
                record(ann, note(of) | said)
            case 6:
                record(ann, triage(one, chance.choice(("red", "green"))))
            case 7:
                whom.append(str(record(ann, patient(f"New {at}"))[0].id))
            case _:
                notes.append((one, record(ann, note(one, f"ann {at}"), WALL_MS + at * 1000)[0]))
    assert_right(ann)


def test_what_cannot_be_written_down_is_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    ann = Device.found("ann")
    one, _ = noted(ann)
    held, whole = ann.care, Sums.write_down

    def full(kept: Sums) -> None:
        whole(kept)
        raise LedgerError("disk_full")

    monkeypatch.setattr(Sums, "write_down", full)
    with pytest.raises(LedgerError):
        ann.ledger.write_down()
    monkeypatch.setattr(Sums, "write_down", whole)

    assert marked(ann) and not ann.ledger.behind
    assert ann.care == held
    record(ann, note(one, "third"))
    assert_right(ann)


def test_a_part_that_failed_and_was_given_up_alone_is_worked_out_again() -> None:
    ann = Device.found("ann")
    one, two = noted(ann)
    with ann.ledger.atomic():
        record(ann, note(two, "first"))
        failing(ann, note(one, "stands all the same"), triage(two))
    assert_right(ann)


def failing(device: Device, *said: Line, after: Callable[[], None] = lambda: None) -> None:
    """Record lines in a transaction that fails in the end."""

    def fail() -> None:
        with device.ledger.atomic():
            for each in said:
                record(device, each)
            after()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()


def carry(here: Device, there: Device) -> None:
    """Bring everything that one holds to another, past the network."""
    chain = here.ledger.chain
    for feed, tip in chain.heads():
        after = 0
        while after < tip.seq:
            found = chain.run_after(feed, tip, after, 60_000)
            assert found is not None
            run, _ = decode_run(
                found[0], 0, there.ledger.chain.genesis_of, there.ledger.chain.prev_of
            )
            there.ledger.take([run], WALL_MS)
            after = found[1]
