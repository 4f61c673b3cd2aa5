"""What subjects come to is right after a transaction that failed, whatever was done in it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from protocols.errors import LedgerError
from protocols.ids import PatientId
from protocols.ledger import immunization, sums
from protocols.ledger.chain import Chain
from protocols.ledger.inspection import inspect
from protocols.ledger.sums import Sums
from tests.unit.stage import WALL_MS, Device, fill, note
from tests.unit.test_ledger_sums import (
    assert_right,
    failing,
    in_care,
    noted,
    record,
)


def test_what_waited_is_not_forgotten_where_what_merged_and_wrote_all_down_is_undone(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ann = Device.found("ann")
    one, two = noted(ann)
    ann.restarted()
    monkeypatch.setattr(sums, "KEPT_MAX", 1)
    record(ann, note(two))
    failing(ann, note(one))
    assert_right(ann)


def test_what_was_kept_is_not_forgotten_where_a_part_failed_after_all_was_written_down() -> None:
    ann = Device.found("ann")
    one, two = noted(ann)

    def all_of_it() -> None:
        with ann.ledger.atomic():
            ann.ledger.sums.write_down()
            failing(ann)
            raise KeyError

    with pytest.raises(KeyError):
        all_of_it()
    assert_right(ann)


@pytest.mark.parametrize("derived", [False, True])
def test_what_was_committed_stands_though_the_call_was_interrupted(
    derived: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = Device.found("ann")
    one, two = in_care(ann, 2)
    record(ann, note(two))
    whole = ann.store.execute

    def interrupted(sql: str, values: Any = ()) -> Any:
        found = whole(sql, values)
        if sql == "COMMIT":
            monkeypatch.undo()
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(ann.store, "execute", interrupted)
    said = partial(record, ann, note(one, "saved"), WALL_MS + 60_000)
    with pytest.raises(KeyboardInterrupt):
        (ann.ledger.write_down if derived else said)()
    assert_right(ann)


def test_nothing_is_written_down_of_what_could_not_be_read_anew(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ann = Device.found("ann")
    _, two = noted(ann)

    def broken(*_: Any) -> None:
        raise LedgerError("disk_failed")

    monkeypatch.setattr(Chain, "__init__", broken)
    with pytest.raises(LedgerError):
        record_and_fail(ann, two)
    monkeypatch.undo()
    monkeypatch.setattr(ann.store, "close", lambda: None)
    ann.ledger.close()
    ann.restarted()
    assert_right(ann)


def record_and_fail(device: Device, whom: str) -> None:
    with device.ledger.atomic():
        record(device, note(whom, "never"), WALL_MS + 90_000)
        raise RuntimeError


def test_a_book_is_let_go_of_though_writing_it_down_broke(monkeypatch: pytest.MonkeyPatch) -> None:
    ann = Device.found("ann")
    noted(ann)
    closed: list[bool] = []
    monkeypatch.setattr(ann.store, "close", lambda: closed.append(True))

    def broken(_: Sums) -> None:
        raise MemoryError

    monkeypatch.setattr(Sums, "write_down", broken)
    with pytest.raises(MemoryError):
        ann.ledger.close()
    assert closed == [True]


def test_doses_are_not_taken_for_those_before_while_what_is_read_anew_waits() -> None:
    ann = Device.found("ann")
    one, _ = in_care(ann, 2)
    before = immunization._as_it_is(ann.ledger, [PatientId.parse(one)])
    record(ann, note(one, "again"))
    ann.ledger.reload()
    assert immunization._as_it_is(ann.ledger, [PatientId.parse(one)]) == () != before
    ann.ledger.catch_up_all()
    ann.ledger.write_down()
    assert immunization._as_it_is(ann.ledger, [PatientId.parse(one)]) not in ((), before)


def test_an_inspection_leaves_nothing_to_do_behind() -> None:
    ann = Device.found("ann")
    noted(ann)
    assert inspect(ann.ledger).rows_equal
    assert not ann.ledger.behind
    assert_right(ann)


def test_after_a_crash_few_are_merged_again_where_many_were_registered_since() -> None:
    ann = Device.found("ann")
    noted(ann)
    fill(ann, 1_200, start=10)
    ann.restarted()
    assert ann.ledger.behind <= sums.SINCE_MAX // 2
    assert_right(ann)
