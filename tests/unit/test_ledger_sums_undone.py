"""What subjects come to is right after a transaction that failed, whatever was done in it."""

from __future__ import annotations

from functools import partial
from typing import Any

import pytest

from protocols.ledger import sums
from tests.unit.stage import WALL_MS, Device, note
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
