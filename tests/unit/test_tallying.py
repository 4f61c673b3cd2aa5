"""How many were triaged in this run: counted from rows, alike wherever they are."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from protocols.ledger.tallying import MINUTE_MS, PAUSE_MS, beginning, run
from protocols.live.tallied import tally
from tests.unit.stage import WALL_MS, camp, line
from tests.unit.test_ledger_tags import record, synced

LATER_MS = WALL_MS + MINUTE_MS - 1


def casualty(category: str, tag: str) -> dict[str, object]:
    return line("triage.record", {"category": category, "tag": tag})


def test_a_run_counts_patients_by_the_category_used_now() -> None:
    ann, _ = camp()
    record(ann, casualty("red", "T1"), casualty("yellow", "T2"), casualty("dead", "T3"))
    (again,) = record(ann, casualty("red", "T4"))
    record(ann, line("triage.record", {"category": "green"}, patient=again.code))

    found = tally(ann.ledger, LATER_MS)
    assert found.counts == {"1": 1, "2": 1, "3": 1, "0": 1}
    assert found.last_minute == 5, "each category that was given, the earlier of one patient too"
    assert found.since_ms is not None and found.since_ms + 1 >= WALL_MS


def test_what_is_taken_back_is_counted_no_more() -> None:
    ann, _ = camp()
    (first,) = record(ann, casualty("red", "T1"))
    record(ann, casualty("green", "T2"))
    fact = (first.facts or (first.id,))[0]
    record(ann, {**line("entry.retract", {"fact": fact}), "reason": "slip"})

    assert tally(ann.ledger, LATER_MS).counts.get("1") is None
    assert tally(ann.ledger, LATER_MS).last_minute == 1


def test_two_tents_count_the_same_after_they_met() -> None:
    ann, ben = camp()
    record(ann, casualty("red", "T1"))
    record(ben, casualty("green", "T2"))
    synced(ann, ben)

    assert run(ann.store, LATER_MS) == run(ben.store, LATER_MS)
    assert run(ann.store, LATER_MS).counts == {1: 1, 3: 1}


def test_after_a_long_pause_nothing_is_counted() -> None:
    ann, _ = camp()
    record(ann, casualty("red", "T1"))

    assert tally(ann.ledger, WALL_MS + PAUSE_MS + 60_000).since_ms is None
    assert tally(ann.ledger, WALL_MS + PAUSE_MS + 60_000).counts == {}


@given(st.lists(st.integers(0, 40), max_size=30), st.integers(0, 45))
def test_a_run_reaches_back_to_the_first_pause_and_no_further(hours: list[int], now: int) -> None:
    step = PAUSE_MS // 2
    times = sorted((hour * step for hour in hours if hour <= now), reverse=True)
    since = beginning(times, now * step)

    run_of = [at for at in times if since is not None and at >= since]
    chain = [now * step, *run_of]
    assert all(a - b <= PAUSE_MS for a, b in pairwise(chain))
    before = [at for at in times if at not in run_of]
    assert not before or min(chain) - before[0] > PAUSE_MS


def test_a_pause_of_exactly_the_limit_goes_on_and_one_more_ends_the_run() -> None:
    assert beginning([100], 100 + PAUSE_MS) == 100
    assert beginning([100], 101 + PAUSE_MS) is None
